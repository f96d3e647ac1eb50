"""One order book: an array ladder, and the record of its top that strategies see.

Hot path. :meth:`OrderBook.change_text` is one call into compiled code per message; the methods that look into the depth
are for reports, simulation and tests as well. Nothing here knows of sequence numbers: :mod:`bloor.market.sync` decides
what is applied, and whoever asks it writes ``view.state``.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import chain
from typing import Any

import numpy as np

from bloor.errors import MoneyError
from bloor.market import ladder
from bloor.market.events import NO_PRICE
from bloor.market.kernels import Kernels, compiled_kernels
from bloor.market.messages import Levels, Orders
from bloor.market.view import BookState, BookView
from bloor.model.decimals import INT64_MAX
from bloor.model.instrument import Instrument
from bloor.model.orders import Side

__all__ = ["OrderBook"]

#: Sides as the ladder counts them; a buyer's levels are the bids.
LADDER_SIDE = {Side.BUY: 0, Side.SELL: 1}
CHUNK = 256


class OrderBook:
    """Every level of one instrument, in ticks and units, exact however far from the market.

    Attributes:
        instrument: Whose ticks and units these are.
        view: The top of the book, updated in place; the same object for the life of the book.
        top: The view's eight cells in the order of its fields, for reading several at once.
        core: The ladder's int64 cells, laid out as :mod:`bloor.market.ladder` says; their address never changes.
        far: The far levels' cells; a new array when it grows.
    """

    __slots__ = ("_cells", "_kernels", "_levels", "core", "far", "instrument", "top", "view")

    def __init__(self, instrument: Instrument, kernels: Kernels | None = None) -> None:
        """Makes an empty, unsynchronised book.

        Args:
            instrument: What is traded.
            kernels: How to run the ladder; compiled by default, which imports numba.
        """
        self.instrument = instrument
        self._kernels = kernels or compiled_kernels()
        self.core = np.zeros(ladder.CORE_CELLS, np.int64)
        self.far = np.zeros(4 * ladder.FAR_MIN, np.int64)
        self.view = BookView(self.core[:8].view(BookView.DTYPE), self)
        self._cells = memoryview(self.core.data)
        self.top = self._cells[:8]
        self._levels = np.zeros((CHUNK, 2), np.int64)
        self._say_where()
        self.clear()

    @classmethod
    def over(cls, instrument: Instrument, core: ladder.Cells, far: ladder.Cells) -> OrderBook:
        """A book to look into whose cells somebody else changes.

        Args:
            instrument: What is traded.
            core: The ladder's cells, filled in.
            far: Its far levels' cells.
        """
        self = cls.__new__(cls)
        self.instrument, self.core, self.far = instrument, core, far
        self._kernels = compiled_kernels()
        self.view = BookView(core[:8].view(BookView.DTYPE), self)
        self._cells = memoryview(core.data)
        self.top = self._cells[:8]
        self._levels = np.zeros((CHUNK, 2), np.int64)
        return self

    # ---- changing ---------------------------------------------------------------------------------------------------

    def whose(self, orders: Orders) -> None:
        """Whose orders the levels of the next change or snapshot are of: nothing to a book of levels."""

    def clear(self) -> None:
        """Empties the book and marks it unsynchronised; sequence and times of the view are left."""
        self._kernels.reset(self.core, self.far)
        self.view.state = BookState.UNSYNCED

    def apply(
        self,
        bids: Sequence[tuple[int, int]],
        asks: Sequence[tuple[int, int]],
        *,
        seq: int = -1,
        exch_ns: int = 0,
        recv_ns: int = 0,
    ) -> bool:
        """Changes levels.

        Args:
            bids: ``(ticks, units)``; units 0 remove the level. A later row for the same price wins.
            asks: The same for the other side.
            seq: The venue's id of the change.
            exch_ns: The venue's time, ns since the epoch.
            recv_ns: When it was received, ns since the epoch.

        Returns:
            Whether the book is crossed (best bid at or above best ask) afterwards.

        Raises:
            MoneyError: A price below 1 tick or a negative quantity, or one that is too large; nothing has changed.
        """
        self._fill(bids, asks)
        return self._apply(len(bids), len(asks), seq, exch_ns, recv_ns)

    def load(
        self,
        bids: Sequence[tuple[int, int]],
        asks: Sequence[tuple[int, int]],
        *,
        seq: int = -1,
        exch_ns: int = 0,
        recv_ns: int = 0,
    ) -> bool:
        """Replaces every level; arguments, result and errors as :meth:`apply`."""
        self._fill(bids, asks)
        return self._load(len(bids), len(asks), seq, exch_ns, recv_ns)

    def change_text(self, bids: Levels, asks: Levels, *, seq: int, exch_ns: int, recv_ns: int) -> bool:
        """:meth:`apply` for a venue's text: the one call per message of the hot path.

        Args:
            bids: ``(price text, quantity text)``.
            asks: The same for the other side.
            seq: The venue's id of the change.
            exch_ns: The venue's time, ns since the epoch.
            recv_ns: When it was received, ns since the epoch.

        Returns:
            Whether the book is crossed afterwards.

        Raises:
            MoneyError: A level is not a positive number that is exact in this instrument; nothing has changed.
        """
        rows = len(bids) + len(asks)
        if rows > self._cells[ladder.ROOM] or rows > len(self._levels):
            self.reserve(rows)
        unit = self.instrument
        crossed = self._kernels.change(
            self.core,
            self.far,
            _joined(bids, asks),
            self._levels,
            len(bids),
            len(asks),
            unit.price_decimals,
            unit.tick_units,
            unit.qty_decimals,
            seq,
            exch_ns,
            recv_ns,
        )
        if crossed < 0:
            return self.apply(*self.parsed(bids, asks), seq=seq, exch_ns=exch_ns, recv_ns=recv_ns)
        return crossed == 1

    def load_text(self, bids: Levels, asks: Levels, *, seq: int, exch_ns: int, recv_ns: int) -> bool:
        """:meth:`load` for a venue's text; errors as :meth:`change_text`."""
        if not self.fits(bids, asks):
            return self.load(*self.parsed(bids, asks), seq=seq, exch_ns=exch_ns, recv_ns=recv_ns)
        return self._load(len(bids), len(asks), seq, exch_ns, recv_ns)

    def fits(self, bids: Levels, asks: Levels) -> bool:
        """Whether the levels are read by the short way; when not, :meth:`parsed` decides. Changes nothing."""
        rows = len(bids) + len(asks)
        if rows > len(self._levels):
            self._levels = np.zeros((2 * rows, 2), np.int64)
        unit = self.instrument
        text = _joined(bids, asks)
        return bool(
            self._kernels.parse(text, self._levels, rows, unit.price_decimals, unit.tick_units, unit.qty_decimals)
        )

    def parsed(self, bids: Levels, asks: Levels) -> tuple[list[tuple[int, int]], list[tuple[int, int]]]:
        """The levels in ticks and units, by the exact conversion of the instrument.

        Raises:
            MoneyError: Names the side and the row that is not a positive number exact in this instrument.
        """
        return self._parsed_side("bid", bids), self._parsed_side("ask", asks)

    def _parsed_side(self, name: str, levels: Levels) -> list[tuple[int, int]]:
        rows = []
        for n, (price, qty) in enumerate(levels):
            try:
                ticks = self.instrument.parse_price(price)
                units = self.instrument.parse_qty(qty)
            except MoneyError as error:
                raise MoneyError(f"{name} level {n}: {error}") from None
            if not 0 < ticks <= ladder.MAX_TICKS:
                raise MoneyError(f"{name} level {n}: expected a positive price below 2**61 ticks, got {price!r}")
            rows.append((ticks, units))
        return rows

    def truncate(self, depth: int) -> int:
        """Removes the worst levels of each side until at most ``depth`` are left; returns how many were removed."""
        return int(self._kernels.truncate(self.core, self.far, depth))

    def rescale(self, instrument: Instrument) -> None:
        """Counts in the finer ticks and units of a refined instrument; every level keeps its value.

        Raises:
            MoneyError: The new instrument is not finer, or a level does not fit; nothing has changed.
        """
        old = self.instrument
        factors = _factors(old, instrument)
        sides = [self.rows(side) for side in (Side.BUY, Side.SELL)]
        for rows in sides:
            for column, factor in enumerate(factors):
                if len(rows) and int(rows[:, column].max()) > INT64_MAX // factor:
                    raise MoneyError(f"{old.symbol}: a level does not fit the finer units")
                rows[:, column] *= factor
        view = self.view
        self.load(*(rows.tolist() for rows in sides), seq=view.seq, exch_ns=view.exch_ns, recv_ns=view.recv_ns)
        self.instrument = instrument
        self._say_where()

    # ---- looking ----------------------------------------------------------------------------------------------------

    def applied(self, rows: int) -> np.ndarray[Any, np.dtype[np.int64]]:
        """The levels of the newest change or snapshot, before anything else is asked of the book.

        Args:
            rows: How many levels it had, bids and asks together.

        Returns:
            ``(rows, 2)`` int64: ticks and units, the bids first, in the order given; reused by the next call.
        """
        return self._levels[:rows]

    @property
    def levels(self) -> tuple[int, int]:
        """How many bid and ask levels there are."""
        cells = self._cells
        bid, ask = ladder.SIDE, ladder.SIDE + 8
        return (
            cells[bid + ladder.NEAR] + cells[bid + ladder.FAR_LIVE],
            cells[ask + ladder.NEAR] + cells[ask + ladder.FAR_LIVE],
        )

    def size_at(self, side: Side, ticks: int) -> int:
        """Units at a price, 0 when there is no level.

        Args:
            side: ``BUY`` for the bids, ``SELL`` for the asks.
            ticks: The price.
        """
        if not 0 < ticks <= ladder.MAX_TICKS:
            return 0
        return int(self._kernels.get(self.core, self.far, LADDER_SIDE[side], ticks))

    def depth(self, side: Side, n: int | None = None) -> list[tuple[int, int]]:
        """The ``n`` best levels (all without ``n``) as ``(ticks, units)``, best first."""
        return [(ticks, units) for ticks, units in self.rows(side, n).tolist()]

    def level(self, side: Side, n: int) -> tuple[int, int]:
        """The ``n``-th level as ``(ticks, units)``, the best one being 0; ``(NO_PRICE, 0)`` when there are fewer."""
        rows = self.rows(side, n + 1)
        if not 0 <= n < len(rows):
            return NO_PRICE, 0
        ticks, units = rows[n].tolist()
        return ticks, units

    def rows(self, side: Side, n: int | None = None) -> np.ndarray[Any, np.dtype[np.int64]]:
        """:meth:`depth` as an array of its own, ``(levels, 2)`` int64: ticks and units."""
        which = LADDER_SIDE[side]
        wanted = self.levels[which] if n is None else min(n, self.levels[which])
        if wanted <= 0:
            return np.zeros((0, 2), np.int64)
        if wanted > len(self._levels):
            self._levels = np.zeros((2 * wanted, 2), np.int64)
        near = self._kernels.walk(self.core, which, self._levels, wanted)
        found = self._levels[:near].copy()
        return found if near == wanted else np.concatenate([found, self._far_rows(which)[: wanted - near]])

    def _far_rows(self, which: int) -> np.ndarray[Any, np.dtype[np.int64]]:
        keys, sizes = self.far.reshape(4, -1)[2 * which : 2 * which + 2]
        live = np.flatnonzero(keys > 0)
        live = live[np.argsort(keys[live])][:: -1 if which == 0 else 1]
        return np.stack([keys[live], sizes[live]], axis=1)

    def size_to(self, side: Side, price: int) -> int:
        """Units of all levels from the best to ``price`` ticks, that level included."""
        total = 0
        for ticks, units in self._best_first(side):
            if ticks < price if side is Side.BUY else ticks > price:
                break
            total += units
        return total

    def average_price(self, side: Side, units: int) -> tuple[int, int]:
        """What an order of ``units`` that takes from ``side`` would trade.

        Args:
            side: The side that is taken: a buyer takes from ``SELL``.
            units: How much is wanted.

        Returns:
            ``(value, filled)``: the value in units of ``10**-value_decimals`` of the quote asset, exact, and the units
            that are there; less than wanted when the side is exhausted. The average price is ``value / filled``.
        """
        value = filled = 0
        for ticks, size in self._best_first(side):
            take = min(size, units - filled)
            if take <= 0:
                break
            value += self.instrument.value_units(ticks, take)
            filled += take
        return value, filled

    def _best_first(self, side: Side) -> Any:
        """Levels best first, the best few without looking at the others."""
        few = self.depth(side, 32)
        return few if len(few) < 32 else chain(few, _Rest(self, side, 32))

    def __repr__(self) -> str:
        view = self.view
        top = " / ".join(
            "-" if price == NO_PRICE else f"{self.instrument.format_qty(qty)} @ {self.instrument.format_price(price)}"
            for price, qty in ((view.best_bid, view.bid_qty), (view.best_ask, view.ask_qty))
        )
        return f"<OrderBook {self.instrument.venue}:{self.instrument.symbol} {top} {BookState(view.state).name}>"

    # ---- memory -----------------------------------------------------------------------------------------------------

    def _fill(self, bids: Sequence[tuple[int, int]], asks: Sequence[tuple[int, int]]) -> None:
        """Writes the levels to the rows that the kernels read."""
        rows = [*bids, *asks]
        for ticks, units in rows:
            if not 0 < ticks <= ladder.MAX_TICKS or not 0 <= units <= INT64_MAX:
                raise MoneyError(f"{self.instrument.symbol}: no level can have {ticks} ticks and {units} units")
        if len(rows) > len(self._levels):
            self._levels = np.zeros((2 * len(rows), 2), np.int64)
        if rows:
            self._levels[: len(rows)] = rows

    def _apply(self, bids: int, asks: int, seq: int, exch_ns: int, recv_ns: int) -> bool:
        if bids + asks > self._cells[ladder.ROOM]:
            self.reserve(bids + asks)
        return bool(self._kernels.apply(self.core, self.far, self._levels, bids, asks, seq, exch_ns, recv_ns))

    def _load(self, bids: int, asks: int, seq: int, exch_ns: int, recv_ns: int) -> bool:
        state = self.view.state
        self._kernels.reset(self.core, self.far)
        if bids + asks > self._cells[ladder.ROOM]:
            self.reserve(bids + asks)
        crossed = self._kernels.load(self.core, self.far, self._levels, bids, asks, seq, exch_ns, recv_ns)
        self.view.state = state
        return bool(crossed)

    def reserve(self, rows: int) -> None:
        """Makes room for ``rows`` more levels, which compiled code cannot do."""
        if rows > len(self._levels):
            self._levels = np.zeros((2 * rows, 2), np.int64)
        if rows <= self._cells[ladder.ROOM]:
            return
        need = max(self.levels) + rows
        cap = ladder.FAR_MIN
        while cap // 4 * 3 < 2 * need:
            cap *= 2
        far = np.zeros(4 * cap, np.int64)
        self._kernels.rehash(self.core, self.far, far)
        self.far = far
        self._say_where()

    def _say_where(self) -> None:
        """Writes to the core what compiled code needs to know of the rest of the book."""
        cells = self._cells
        cells[ladder.FAR_ADDRESS] = self.far.ctypes.data
        cells[ladder.FAR_SIZE] = self.far.size
        cells[ladder.TICK_UNITS] = self.instrument.tick_units


class _Rest:
    """The levels of a side from the ``skip``-th on, found only when somebody gets that far."""

    def __init__(self, book: OrderBook, side: Side, skip: int) -> None:
        self.book, self.side, self.skip = book, side, skip

    def __iter__(self) -> Any:
        return iter(self.book.depth(self.side)[self.skip :])


def _factors(old: Instrument, new: Instrument) -> tuple[int, int]:
    """What ticks and units are multiplied by when they count in those of a finer instrument.

    Raises:
        MoneyError: It is not finer.
    """
    units, tick = old.tick_units * 10 ** max(0, new.price_decimals - old.price_decimals), new.tick_units
    if new.price_decimals < old.price_decimals or units % tick or new.qty_decimals < old.qty_decimals:
        raise MoneyError(f"{old.symbol}: expected ticks and units at least as fine as those of the book")
    return units // tick, 10 ** (new.qty_decimals - old.qty_decimals)


def _joined(bids: Levels, asks: Levels) -> bytes:
    """``price|qty|price|qty|`` of all levels."""
    texts = [*chain.from_iterable(bids), *chain.from_iterable(asks), ""]
    return "|".join(texts).encode()
