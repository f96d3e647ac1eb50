"""The memory of a backtest: records of the run, of its lanes and its desks, and what they point to."""

from __future__ import annotations

from collections.abc import Sequence
from ctypes import CFUNCTYPE, c_int64, c_void_p, cast
from decimal import ROUND_CEILING
from typing import Any
from weakref import ref

import numpy as np

from bloor.backtesting import layout as at
from bloor.backtesting.blocks import ended_block
from bloor.backtesting.kept import AgainWindows, KeptSights
from bloor.backtesting.kernels import asking, deepening, venue
from bloor.backtesting.models.queue import QueueEntries
from bloor.backtesting.python.depth import LevelsOnDemand
from bloor.backtesting.room import OPEN, LaneRoom, Room, address, longer, put
from bloor.backtesting.rows import RowCursor, StoredRows
from bloor.backtesting.venueside import VenueWindows
from bloor.market import ladder
from bloor.market.bars import BarRecord
from bloor.market.book import OrderBook
from bloor.market.events import NO_PRICE, EventKind
from bloor.market.view import BookState, BookView
from bloor.model.instrument import Instrument
from bloor.native.memory import Cells, cell_at
from bloor.risk.check import Exposure, OrderIntent
from bloor.risk.rules import value_units
from bloor.strategy.memory import FillRecord, Handler, OrderRecord, OrdersRecord

__all__ = ["DeskMemory", "LaneMemory", "RunMemory", "address", "put"]

#: Rows of a log before Python takes them away.
LOG_ROWS = 1 << 14
INT64_MAX = (1 << 63) - 1
#: Levels that a book which has no room left is given room for, beside those that it has.
MORE_LEVELS = 1 << 10

_GROW = CFUNCTYPE(c_int64, c_int64, c_int64, c_int64, c_int64)


def least_value(instrument: Instrument) -> int:
    """The smallest value of an order that the venue accepts, in ticks times units; 0 when it states none."""
    return min(-(-value_units(instrument.min_notional, instrument, ROUND_CEILING) // instrument.tick_units), INT64_MAX)


class LaneMemory:
    """One instrument at a venue.

    Attributes:
        cells: The lane's cells.
        view: The book as strategies see it.
        room: What its orders, messages and takes lie in.
        wants: Bits of kinds of events that strategies are handed.

    The levels behind the best are kept from :meth:`deepen` on, which the first question about them calls.
    """

    def __init__(
        self,
        instrument: Instrument,
        rows: StoredRows,
        windows: VenueWindows | AgainWindows,
        *,
        until_ns: int = at.NEVER,
        latencies: tuple[Cells, Cells],
        moments: tuple[Cells, Cells] | None = None,
        queue: QueueEntries,
        fees: Cells | None,
        room: Room,
    ) -> None:
        """Makes the memory of a lane.

        Args:
            instrument: What is traded.
            rows: Its stored events.
            windows: The same at the venue, annotated.
            until_ns: Nothing later is known.
            latencies: Of order entry and of responses, ns.
            moments: When each of them was measured; None where that does not matter.
            queue: The queue model.
            fees: The fees' cells; None for none.
            room: What there is room for in the beginning.
        """
        self.instrument = instrument
        self.cells = np.zeros(at.LANE_CELLS, np.int64)
        self.wants = 0
        self.windows = windows
        self._rows, self._until_ns = rows, until_ns
        self._cursor = RowCursor(rows.windows(until_ns))
        self._state = 0
        self._windows_used = 0
        self._queue, self._latencies, self._fees = queue, latencies, fees
        self._moments = moments
        self._visits: Cells = np.zeros((0, at.SIGHT_BYTES // 8), np.int64)
        self._books: Cells = np.zeros((0, at.KNOWN_BYTES // 8), np.int64)
        self.room = LaneRoom(self.cells, room)
        self._core = np.zeros(ladder.CORE_CELLS, np.int64)
        self._far = np.zeros(0, np.int64)
        self._levels: OrderBook | None = None
        self.view = BookView(self._core[:8].view(BookView.DTYPE), LevelsOnDemand(self._book))
        self._fill_in()

    def _fill_in(self) -> None:
        entry, response = self._latencies
        sent, happened = (0, 0) if self._moments is None else (address(each) for each in self._moments)
        view = self.view
        view.best_bid = view.best_ask = NO_PRICE
        view.state = BookState.UNSYNCED
        instrument, queue = self.instrument, self._queue
        values = {
            at.VIEW: view.address, at.XNOW: at.LONG_AGO, at.XBID: NO_PRICE, at.XASK: NO_PRICE,
            at.ENTRY: address(entry), at.ENTRY_COUNT: len(entry),
            at.ENTRY_MIN: int(entry.min()), at.RESPONSE: address(response), at.RESPONSE_COUNT: len(response),
            at.RESPONSE_MIN: int(response.min()), at.ENTRY_MOMENTS: sent, at.RESPONSE_MOMENTS: happened,
            at.QUEUE: queue.params, at.PLACED: queue.placed,
            at.TRADED: queue.traded, at.CHANGED: queue.changed, at.ORDER_CHANGED: queue.order_changed, at.PARTIAL: 1,
            at.HORIZON: at.NEVER, at.DUE: at.NEVER, at.LAST_NS: at.LONG_AGO, at.END_NS: at.NEVER - 2,
            at.SEEN_NS: at.LONG_AGO,
            at.MIN_UNITS: instrument.min_lots * instrument.lot_units,
            at.MAX_UNITS: instrument.max_lots * instrument.lot_units, at.MIN_VALUE: least_value(instrument),
            at.FEES: 0 if self._fees is None else address(self._fees),
            at.ATOMS: 10 ** max(0, 8 - instrument.qty_decimals),
            at.ADVANCE: venue(by_order=self.windows.by_order).address["advance"],
            at.LOW_BID: 1 << 61, at.LOW_ASK: 1 << 61, at.HIGH_BID: -(1 << 61), at.HIGH_ASK: -(1 << 61),
        }  # fmt: skip
        for offset, value in values.items():
            put(self.cells, offset, value)

    def deepen(self) -> None:
        """From now on the levels behind the best are kept; those of the rows before are made good."""
        if len(self._far):
            return
        self._far = np.zeros(4 * ladder.FAR_MIN, np.int64)
        core, far, seen = self._core, self._far, self._core[:8].copy()
        ladder.reset(core, far)
        core[ladder.FAR_ADDRESS], core[ladder.FAR_SIZE] = address(far), len(far)
        core[ladder.TICK_UNITS] = self.instrument.tick_units
        put(self.cells, at.DEEP, address(core))
        cells = self.cells.copy()
        for number, rows in zip(range(self._windows_used), self._rows.windows(self._until_ns), strict=False):
            last = number == self._windows_used - 1
            count = self._shown() if last else len(rows)
            for offset, value in ((at.ROWS, address(rows)), (at.ROW_COUNT, len(rows)), (at.DEEP_ROW, 0)):
                put(cells, offset, value)
            applied = deepening().call["apply_rows"](address(cells), count)
            if last:
                put(self.cells, at.DEEP_ROW, applied)
        core[:8] = seen

    def more_levels(self) -> None:
        """Makes room in the book that strategies see, for as many levels again and some."""
        core, parts = self._core, ladder.FAR_MIN
        sides = (ladder.SIDE, ladder.SIDE + 8)
        known = max(int(core[side + ladder.NEAR] + core[side + ladder.FAR_LIVE]) for side in sides)
        while parts // 4 * 3 < 2 * (known + MORE_LEVELS):
            parts *= 2
        far = np.zeros(4 * parts, np.int64)
        deepening().call["move_far"](address(core), address(far), len(far), 0)
        self._far = far
        if self._levels is not None:
            self._levels.far = far

    def _shown(self) -> int:
        """How many rows of the window come before the book as it is shown, and with it."""
        seen = int(self.cells[at.BOOK_AT // 8])
        known = int(self.cells[at.BOOKS // 8]) + at.KNOWN_BYTES * (seen - 1)
        return cell_at(known + at.KNOWN_ROW) + 1 if seen else 0

    def _book(self) -> OrderBook:
        """The book as ordinary Python looks into it."""
        self.deepen()
        self._levels = OrderBook.over(self.instrument, self._core, self._far)
        return self._levels

    def next_rows(self, collect: Any) -> bool:
        """Gives the lane its next window of rows; False when there is none."""
        more = self._cursor.advance()
        put(self.cells, at.ROWS_ENDED, 0 if not self._cursor.ended else 1)
        if not more:
            return False
        rows = self._cursor.rows
        put(self.cells, at.ROWS, address(rows))
        put(self.cells, at.ROW_COUNT, len(rows))
        kept = self._kept_sights()
        if kept is not None and self._windows_used < len(kept):
            self._show_kept(kept[self._windows_used])
        else:
            self._collect(collect, len(rows))
            if kept is not None:
                kept.append(self._sights())
        self._windows_used += 1
        return True

    def _collect(self, collect: Any, count: int) -> None:
        if len(self._books) < count:
            # the addresses in what is to spare are of nothing, which does no harm
            self._visits = np.empty((count + 1 + at.SIGHT_SPARE, at.SIGHT_BYTES // 8), np.int64)
            self._books = np.empty((count, at.KNOWN_BYTES // 8), np.int64)
        put(self.cells, at.VISITS, address(self._visits))
        put(self.cells, at.BOOKS, address(self._books))
        self._state = collect(address(self.cells), self.wants, self._state, 0)

    def _kept_sights(self) -> list[KeptSights] | None:
        """What was found before, window by window; None where nothing is kept."""
        if not isinstance(self.windows, AgainWindows):
            return None
        return self.windows.sights.setdefault((self.wants, int(self.cells[at.BEGIN_NS // 8]), self._until_ns), [])

    def _sights(self) -> KeptSights:
        visits, books = (int(self.cells[cell // 8]) for cell in (at.VISIT_COUNT, at.BOOK_COUNT))
        seen_ns = int(self.cells[at.SEEN_NS // 8])
        return KeptSights.of(self._visits[:visits], self._books[:books], self._cursor.rows, seen_ns, self._state)

    def _show_kept(self, kept: KeptSights) -> None:
        for offset, value in (
            (at.VISITS, address(kept.visits)), (at.BOOKS, address(kept.books)), (at.VISIT_COUNT, kept.count),
            (at.BOOK_COUNT, len(kept.books)), (at.SEEN_NS, kept.seen_ns), (at.VISIT, 0), (at.BOOK_AT, 0),
            (at.DEEP_ROW, 0),
        ):  # fmt: skip
            put(self.cells, offset, value)
        self._state = kept.state

    def next_venue_rows(self) -> None:
        """Gives the lane its next window of the venue's rows."""
        windows = self.windows
        more = windows.advance()
        table = windows.table
        for offset, value in (
            (at.VENUE_ROWS, address(windows.out)), (at.VENUE_MARKS, address(windows.marks)),
            (at.ORDERS, address(windows.orders) if windows.by_order else 0),
            (at.VENUE_COUNT, windows.count if more else 0), (at.XI, 0),
            (at.VENUE_ENDED, 1 if windows.ended else 0), (at.HASH, address(table.slots)),
            (at.HASH_MASK, len(table.slots) - 1), (at.LEVELS, address(table.levels)),
            (at.ORDERED, address(table.ordered)), (at.LEVEL_COUNT, table.count), (at.FOUND_BID, -1), (at.FOUND_ASK, -1),
        ):  # fmt: skip
            put(self.cells, offset, value)

    def last_ns(self) -> int:
        """Local time of the last row of all."""
        for piece in reversed(self._rows.pieces):
            if len(piece):
                last = piece[-1]
                return min(int(last["recv_ns"]) or int(last["exch_ns"]), self._until_ns)
        return 0


class DeskMemory:
    """One strategy in one instrument.

    Attributes:
        cells: The desk's cells.
        raised: What ended the backtest: something that one of its handlers has raised and that is no ``Exception``.
    """

    def __init__(
        self,
        lane: LaneMemory,
        orders: OrdersRecord,
        *,
        invoke: int,
        memory: int,
        handlers: frozenset[Handler],
        number: int,
        strategy: int,
        instrument: int,
        timer_ns: int,
        bars_ns: int,
        inventory: int,
    ) -> None:
        self.lane, self.orders = lane, orders
        self.raised: BaseException | None = None
        self.cells = np.zeros(at.DESK_CELLS, np.int64)
        self.exposure = Exposure()
        self.exposure.inventory = inventory
        self.intent = OrderIntent()
        self.intent.instrument, self.intent.strategy = instrument, strategy
        self.fill, self.order = FillRecord(), OrderRecord()
        self.bar, self.closed_bar = BarRecord(), BarRecord()
        self.bar.close = NO_PRICE
        self._open = longer(np.zeros(0, np.int64), lane.room.orders, lane.cells, OPEN)
        functions = asking().address
        orders.exposure, orders.book = self.exposure.address, lane.view.address
        orders.place, orders.cancel, orders.cancel_all = (
            functions["place"],
            functions["cancel"],
            functions["cancel_all"],
        )
        orders.replace, orders.amend = functions["replace"], functions["amend"]
        orders.desk = address(self.cells)
        for offset, value in {
            at.DESK_LANE: address(lane.cells), at.DESK_INVOKE: invoke, at.DESK_MEMORY: memory,
            at.DESK_HANDLERS: sum(1 << handler for handler in handlers), at.DESK_ORDERS: orders.address,
            at.DESK_EXPOSURE: self.exposure.address, at.DESK_STATE: at.WAITING, at.DESK_NUMBER: number,
            at.DESK_STRATEGY: strategy, at.DESK_INSTRUMENT: instrument,
            at.DESK_LOT_UNITS: lane.instrument.lot_units, at.DESK_OPEN: address(self._open),
            at.DESK_MOST: INT64_MAX // lane.instrument.lot_units,
            at.DESK_INTENT: self.intent.address, at.DESK_FILL: self.fill.address, at.DESK_ORDER: self.order.address,
            at.DESK_PERIOD: timer_ns, at.DESK_BAR_PERIOD: bars_ns, at.DESK_BAR: self.bar.address,
            at.DESK_CLOSED_BAR: self.closed_bar.address,
        }.items():  # fmt: skip
            put(self.cells, offset, value)
        for handler, kinds in _KINDS.items():
            if handler in handlers:
                lane.wants |= sum(1 << kind for kind in kinds)
        if bars_ns:
            lane.wants |= sum(1 << kind for kind in _KINDS[Handler.TRADE])
        if {Handler.FILL, Handler.ORDER} & handlers:
            put(lane.cells, at.REACTS, 1)

    def follow_room(self) -> None:
        """Has room for as many open orders as its lane."""
        self._open = longer(self._open, self.lane.room.orders, self.lane.cells, OPEN)
        put(self.cells, at.DESK_OPEN, address(self._open))


_KINDS = {
    Handler.TRADE: (EventKind.TRADE, EventKind.AGG_TRADE),
    Handler.BBO: (EventKind.BBO,),
    Handler.BOOK: (EventKind.BOOK,),
}


class RunMemory:
    """The run: its lanes, its desks, its logs.

    Attributes:
        lanes: The instruments.
        desks: The strategies in them.
        cells: The run's cells.
        failed: Why kernels were not given the memory that they asked for; None when they were.
    """

    def __init__(self, lanes: Sequence[LaneMemory], desks: Sequence[DeskMemory], gate: int) -> None:
        self.lanes, self.desks = lanes, desks
        self.cells = np.zeros(at.RUN_CELLS, np.int64)
        self._lanes = np.array([address(lane.cells) for lane in lanes], np.int64)
        self._desks = np.array([address(desk.cells) for desk in desks], np.int64)
        room = LOG_ROWS + at.LOG_RESERVE
        self._decisions = np.zeros((room, at.DECISION_BYTES // 8), np.int64)
        self._fills = np.zeros((room, at.FILL_BYTES // 8), np.int64)
        self._ended = ended_block()
        for offset, value in {
            at.RUN_GATE: gate, at.RUN_LANES: address(self._lanes), at.RUN_LANE_COUNT: len(lanes),
            at.RUN_DECISIONS: address(self._decisions), at.RUN_DECISION_ROOM: room,
            at.RUN_FILLS: address(self._fills), at.RUN_FILL_ROOM: room,
            at.RUN_ENDED: address(self._ended), at.RUN_ENDED_ROOM: len(self._ended),
            at.RUN_DESKS: address(self._desks), at.RUN_DESK_COUNT: len(desks),
        }.items():  # fmt: skip
            put(self.cells, offset, value)
        self._desks_of: list[Cells] = []
        for lane in lanes:
            mine = np.array([address(desk.cells) for desk in desks if desk.lane is lane], np.int64)
            self._desks_of.append(mine)
            put(lane.cells, at.DESKS, address(mine))
            put(lane.cells, at.DESK_COUNT, len(mine))
            put(lane.cells, at.RUN, address(self.cells))
        self.failed: BaseException | None = None
        self._grow = _growing(self)
        for lane in lanes:
            put(lane.cells, at.GROW, cast(self._grow, c_void_p).value or 0)

    def make_room(self, lane: LaneMemory, what: int) -> None:
        """Gives kernels more memory.

        Args:
            lane: Where it is needed.
            what: A ``ROOM_`` number of :mod:`bloor.backtesting.layout`.
        """
        if what == at.ROOM_DECISIONS:
            self._decisions = np.concatenate([self._decisions, np.zeros_like(self._decisions)])
            put(self.cells, at.RUN_DECISIONS, address(self._decisions))
            put(self.cells, at.RUN_DECISION_ROOM, len(self._decisions))
        elif what == at.ROOM_LEVELS:
            lane.more_levels()
        else:
            lane.room.grow(what)
            for desk in self.desks:
                if desk.lane is lane:
                    desk.follow_room()

    def take_logs(self) -> tuple[Cells, Cells, Cells]:
        """Decisions, fills and ended orders since the last time."""
        counts = at.RUN_DECISION_COUNT, at.RUN_FILL_COUNT, at.RUN_ENDED_COUNT
        decided, filled, over = (int(self.cells[count // 8]) for count in counts)
        taken = self._decisions[:decided].copy(), self._fills[:filled].copy(), self._ended[:over]
        if over:
            self._ended = ended_block()  # many: handed out, not copied
            put(self.cells, at.RUN_ENDED, address(self._ended))
        for count in counts:
            put(self.cells, count, 0)
        return taken

    def interruption(self) -> BaseException:
        """What a handler has raised, or the making of room, that ends the backtest."""
        raised = (desk.raised for desk in self.desks if desk.raised is not None)
        return self.failed or next(raised, KeyboardInterrupt())

    def lane_at(self) -> LaneMemory:
        """The lane that the kernel came back for."""
        return self.lane_of(int(self.cells[at.RUN_AT // 8]))

    def lane_of(self, found: int) -> LaneMemory:
        """The lane whose cells, or a copy of them, lie at an address."""
        return next(lane for lane in self.lanes if lane.view.address == cell_at(found + at.VIEW))


def _growing(memory: RunMemory) -> Any:
    """``GROW`` of a run's lanes: 1 when there is more room, else 0."""
    found = ref(memory)

    def grow(lane: int, what: int, _first: int, _second: int) -> int:
        run = found()
        assert run is not None
        try:
            run.make_room(run.lane_of(lane), what)
        except BaseException as error:  # noqa: BLE001 (there is Python again only at the end of the backtest)
            run.failed = error
            return 0
        return 1

    return _GROW(grow)
