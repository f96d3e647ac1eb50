"""What statistics are computed from: the columns of a run's fills, orders and marks.

Money is exact: prices are ticks, quantities units, fees value units of the instrument (``10**-value_decimals`` of its
quote asset). Every time is in ns since the epoch on **one** axis, the one of receipt: when a fill, a book or the end of
the run was known here. So the equity at any moment is what could be known at that moment, and a mark-out compares two
things seen through the same line.
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

import numpy as np
from attrs import Attribute, field, fields, frozen, validators
from numpy.typing import DTypeLike, NDArray

from bloor.execution.life import Status
from bloor.model.decimals import INT64_MAX
from bloor.model.instrument import Instrument

__all__ = ["Fills", "Ledger", "LedgerDesk", "Marks", "Orders"]

Ints = NDArray[np.int64]


def _column(values: Any, dtype: DTypeLike) -> NDArray[Any]:
    """A read-only column of a type; what is given is converted where nothing is lost."""
    column, wanted = np.asarray(values), np.dtype(dtype)
    if column.ndim != 1:
        raise ValueError(f"expected a column of {wanted}, came an array of shape {column.shape}")
    if column.size and not np.can_cast(column.dtype, wanted, casting="same_kind"):
        raise ValueError(f"expected a column of {wanted}, came one of {column.dtype}")
    kept = column.astype(wanted, copy=False)
    if not np.array_equal(kept, column):
        raise ValueError(f"expected a column of {wanted}, came numbers from {column.min()} to {column.max()}")
    view = kept.view()
    view.flags.writeable = False
    return view


def _int64(values: Any) -> Ints:
    return _column(values, np.int64)


def _int32(values: Any) -> NDArray[np.int32]:
    return _column(values, np.int32)


def _int8(values: Any) -> NDArray[np.int8]:
    return _column(values, np.int8)


def _bool(values: Any) -> NDArray[np.bool_]:
    return _column(values, np.bool_)


def _columns(cls: type[Any]) -> dict[str, Any]:
    """The columns of a class by name, each with what makes it one."""
    return {a.name: a.converter for a in fields(cls) if a.converter is not None}


def _check_columns(record: Any, sorted_by: str) -> None:
    """All columns of one length, in the order of one of them."""
    lengths = {name: len(getattr(record, name)) for name in _columns(type(record))}
    if len(set(lengths.values())) > 1:
        raise ValueError(f"expected columns of one length, came {lengths}")
    times = getattr(record, sorted_by)
    back = np.flatnonzero(times[1:] < times[:-1])
    if len(back):
        raise ValueError(
            f"expected {type(record).__name__} in the order of {sorted_by}, row {back[0] + 1} has {times[back[0] + 1]} "
            f"after {times[back[0]]}; sort them first"
        )


def _check_range(record: Any, **allowed: tuple[int, int]) -> None:
    """Every number of some columns is between two others."""
    for name, (least, most) in allowed.items():
        column = getattr(record, name)
        bad = np.flatnonzero((column < least) | (column > most))
        if len(bad):
            raise ValueError(
                f"expected {name} of {type(record).__name__} between {least} and {most}, "
                f"row {int(bad[0])} has {int(column[bad[0]])}"
            )


def _check_sides(record: Any) -> None:
    bad = np.flatnonzero(np.abs(record.side) != 1)
    if len(bad):
        raise ValueError(
            f"expected sides 1 and -1 in {type(record).__name__}, row {int(bad[0])} has {int(record.side[bad[0]])}"
        )


@frozen(kw_only=True, eq=False)
class Fills:
    """Own fills, one row each, in the order of ``recv_ns``; columns of one length.

    Attributes:
        recv_ns: When the fill was known here; int64.
        exch_ns: When it happened, by the venue's clock; int64.
        desk: Index into :attr:`Ledger.desks`; int32.
        side: 1 bought, -1 sold; int8.
        price: In ticks; int64.
        units: Quantity in units, positive; int64.
        maker: Whether the order was resting; bool.
        order: Number of the order, as in :attr:`Orders.number`; int64.
        fee: In value units of the quote asset, negative for a rebate; int64. A fee in another asset is valued here.
        fee_base: The part of the fee that was taken in the base asset, in units rounded down; int64. It is in ``fee``
            too. It only says what can never be sold again, so that a position of no more than that counts as flat.
        mid2: Twice the mid in ticks just before the fill, where the venue matched it; 0 when it is not known, then the
            last mark counts; int64.
    """

    recv_ns: Ints = field(converter=_int64)
    exch_ns: Ints = field(converter=_int64)
    desk: NDArray[np.int32] = field(converter=_int32)
    side: NDArray[np.int8] = field(converter=_int8)
    price: Ints = field(converter=_int64)
    units: Ints = field(converter=_int64)
    maker: NDArray[np.bool_] = field(converter=_bool)
    order: Ints = field(converter=_int64)
    fee: Ints = field(converter=_int64)
    fee_base: Ints = field(converter=_int64)
    mid2: Ints = field(converter=_int64)

    def __attrs_post_init__(self) -> None:
        _check_columns(self, "recv_ns")
        _check_sides(self)
        _check_range(self, price=(1, INT64_MAX), units=(1, INT64_MAX), mid2=(0, INT64_MAX))

    def __len__(self) -> int:
        return len(self.recv_ns)

    def of(self, rows: Any) -> Fills:
        """Some rows, by a mask or by their indices in rising order."""
        return Fills(**{a.name: getattr(self, a.name)[rows] for a in fields(Fills)})

    @classmethod
    def none(cls) -> Fills:
        """No fills."""
        return cls(**{name: column(()) for name, column in _columns(cls).items()})


@frozen(kw_only=True, eq=False)
class Orders:
    """Own orders that were sent, one row each, in the order of ``sent_ns``; columns of one length.

    Attributes:
        number: Number of the order, each once; int64.
        desk: Index into :attr:`Ledger.desks`; int32.
        side: 1 to buy, -1 to sell; int8.
        price: Limit in ticks; 0 for a market order; int64.
        lots: Ordered quantity in lots; int64.
        sent_ns: When it was sent; int64.
        status: :class:`~bloor.execution.life.Status` at the end; int8.
        filled: Filled quantity in units; int64.
        mid2: Twice the mid in ticks that the strategy saw when it decided; 0 when it saw none; int64.
    """

    number: Ints = field(converter=_int64)
    desk: NDArray[np.int32] = field(converter=_int32)
    side: NDArray[np.int8] = field(converter=_int8)
    price: Ints = field(converter=_int64)
    lots: Ints = field(converter=_int64)
    sent_ns: Ints = field(converter=_int64)
    status: NDArray[np.int8] = field(converter=_int8)
    filled: Ints = field(converter=_int64)
    mid2: Ints = field(converter=_int64)

    def __attrs_post_init__(self) -> None:
        _check_columns(self, "sent_ns")
        _check_sides(self)
        _check_range(self, price=(0, INT64_MAX), lots=(1, INT64_MAX), status=(min(Status), max(Status)))

    def __len__(self) -> int:
        return len(self.number)

    @classmethod
    def none(cls) -> Orders:
        """No orders."""
        return cls(**{name: column(()) for name, column in _columns(cls).items()})


@frozen(kw_only=True, eq=False)
class Marks:
    """The mid of one book over time; each holds until the next one. Best on a fixed grid, 0.1 s apart or finer.

    Attributes:
        time_ns: In rising order; int64.
        mid2: Twice the mid in ticks, positive; int64. A book with an empty side gives no mark: the last one holds.
        gaps: ``(begin_ns, end_ns)`` of stretches without a book that can be trusted. No mark-out is taken that ends in
            one or spans one.
    """

    time_ns: Ints = field(converter=_int64)
    mid2: Ints = field(converter=_int64)
    gaps: tuple[tuple[int, int], ...] = ()

    def __attrs_post_init__(self) -> None:
        _check_columns(self, "time_ns")
        _check_range(self, mid2=(1, INT64_MAX))

    def __len__(self) -> int:
        return len(self.time_ns)

    def at(self, times: Ints) -> Ints:
        """Twice the mid at each time: the last mark at or before it, before the first mark the first one.

        Raises:
            ValueError: There are no marks.
        """
        if not len(self):
            raise ValueError("expected marks, came none: a position without a mark has no worth")
        rows = np.searchsorted(self.time_ns, times, side="right") - 1
        return self.mid2[np.maximum(rows, 0)]


@frozen(kw_only=True, eq=False)
class LedgerDesk:
    """One strategy in one instrument.

    Attributes:
        strategy: The strategy's name.
        instrument: What it trades.
        rate: What one of its quote asset is worth in the reporting currency.
        marks: The mids of its book; desks of one instrument may share the very same object.
        position: What it holds at the end, where the caller keeps count of it himself, in units; None for the sum of
            the fills. Differing from that sum is an error: fills are missing.
    """

    strategy: str
    instrument: Instrument
    rate: Decimal = Decimal(1)
    marks: Marks
    position: int | None = None

    @property
    def name(self) -> str:
        """``strategy venue:symbol``."""
        return f"{self.strategy} {self.instrument.venue}:{self.instrument.symbol}"

    def mid2(self, fills: Fills) -> Ints:
        """Twice the mid at each of its fills, in ticks: as the fill has it, else the last mark."""
        mid2 = fills.mid2.copy()
        unknown = np.flatnonzero(mid2 <= 0)
        if len(unknown):
            mid2[unknown] = self.marks.at(fills.recv_ns[unknown])
        return mid2


def _desks_known(ledger: Ledger, attribute: Attribute[Any], rows: Fills | Orders) -> None:
    if len(rows) and not 0 <= int(rows.desk.min()) <= int(rows.desk.max()) < len(ledger.desks):
        raise ValueError(
            f"expected desks from 0 to {len(ledger.desks) - 1} in {attribute.name}, "
            f"came {int(rows.desk.min())} to {int(rows.desk.max())}"
        )


@frozen(kw_only=True, eq=False)
class Ledger:
    """Everything that statistics of a run are computed from.

    Attributes:
        currency: The reporting currency.
        begin_ns: Begin of the run, before its first fill.
        end_ns: End of the run, after its last fill.
        desks: Every strategy in every instrument.
        fills: Own fills of all desks.
        orders: Own orders of all desks that were sent.
        capital: What the run began with, in the reporting currency, its inventory valued at the first marks; None when
            nobody said. Only the relative drawdown and the return need it.
    """

    currency: str
    begin_ns: int
    end_ns: int
    desks: tuple[LedgerDesk, ...] = field(validator=validators.min_len(1))
    fills: Fills = field(validator=_desks_known)
    orders: Orders = field(validator=_desks_known)
    capital: Decimal | None = None

    def __attrs_post_init__(self) -> None:
        times = self.fills.recv_ns
        if self.end_ns < self.begin_ns or (len(times) and not self.begin_ns <= times[0] <= times[-1] <= self.end_ns):
            seen = f", fills from {times[0]} to {times[-1]}" if len(times) else ""
            raise ValueError(f"expected a run around its fills, came {self.begin_ns} to {self.end_ns}{seen}")
        for number, desk in enumerate(self.desks):
            mine = self.fills.desk == number
            held = int((self.fills.side[mine] * self.fills.units[mine]).sum())
            if desk.position not in (None, held):
                raise ValueError(f"{desk.name}: the fills add up to {held} units, the position is {desk.position}")
            if mine.any() and not len(desk.marks):
                raise ValueError(f"{desk.name}: expected marks, came none: a position without a mark has no worth")

    @property
    def hours(self) -> float:
        """Length of the run in hours."""
        return (self.end_ns - self.begin_ns) / 3.6e12

    def instruments(self) -> Mapping[str, Instrument]:
        """What is traded, by ``venue:symbol``, in the order of the desks."""
        return {f"{d.instrument.venue}:{d.instrument.symbol}": d.instrument for d in self.desks}
