"""The blotter: every order of a run, what it may still fill, and what must be done about it next.

It turns what venues report (:class:`~bloor.model.orders.VenueReport`) into steps of the table in
:mod:`bloor.execution.life`, and keeps what the table leaves to it: the set of fills, the exposure records that the gate
reads, the timers. It does no I/O and reads no clock; what must happen comes back as outcomes, in this order::

    Alert       tell a person; after an overfill, halt the strategy
    Demand      query, fetch fills, or cancel now
    Filled      a fill entered the position: write it down, tell the strategy
    Updated     the status or the filled quantity changed: tell the strategy

The way of an order: :meth:`Blotter.create`, then the gate, then :meth:`Blotter.denied`, or :meth:`Blotter.sent` right
before its frame is written, for exposure is reserved when an order is sent. After that :meth:`Blotter.apply` for every
report, :meth:`Blotter.cancel_sent`, :meth:`Blotter.amend_sent` or :meth:`Blotter.replace_sent` with every cancel,
reduction or replacement, and :meth:`Blotter.due` whenever ``now_ns >= deadline_ns``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from decimal import Decimal
from heapq import heappop, heappush

import numpy as np

from bloor.errors import LocalProtocolError
from bloor.execution.client_id import ClientIds
from bloor.execution.endings import ending
from bloor.execution.fees import FeeRate, base_fee_units, fee_in_quote, no_rate
from bloor.execution.life import Consequence, Event, Intent, Lifecycle, Reason, exposure_of, status_of, step
from bloor.execution.order import Order
from bloor.execution.outcomes import ALERT_KINDS, Alert, AlertKind, Counters, Demand, Filled, Outcome, Tally, Updated
from bloor.execution.patience import Patience, Waiting, waiting
from bloor.execution.position import EXACT
from bloor.execution.strangers import Strangers
from bloor.model.orders import Fill, OrderRequest, ReportKind, VenueFill, VenueReport
from bloor.risk.check import Exposure
from bloor.venue.session import NEVER

__all__ = ["Blotter"]

# reading a member off its enum costs 80 ns, a module's name 5 ns
_CREATED, _LIVE, _CLOSED = Lifecycle.CREATED, Lifecycle.LIVE, Lifecycle.CLOSED
_BIND = Consequence.BIND
_QUIET = frozenset({Consequence.BIND, Consequence.APPLY_FILL, Consequence.RELEASE})
_DEMANDS = frozenset({Consequence.CANCEL_NOW, Consequence.QUERY, Consequence.FETCH_FILLS})
_TIMED = frozenset({Event.SENT, Event.CANCEL_SENT, Event.REPLACE_SENT})
_DENIED, _SENT, _CANCEL_SENT = Event.DENIED, Event.SENT, Event.CANCEL_SENT

#: Answers "not found" after the horizon that prove an order lost.
_PROOF = 2


class Blotter:
    """All orders of a run.

    Attributes:
        counters: What was counted besides orders.
        number_cell: The number of the last order, ``(1,)`` int64, where compiled code gives numbers too.
        numbers: The same, to read and write.
        watch: Called with every order that has changed; None for nobody.
    """

    def __init__(self, ids: ClientIds, patience: Mapping[str, Patience], *, fee_rate: FeeRate = no_rate) -> None:
        """Starts empty.

        Args:
            ids: Tells our client ids from those of others.
            patience: Venue -> how long to wait for it.
            fee_rate: What a fee in a third asset is worth.
        """
        self.counters = Counters()
        self._ids = ids
        self._patience = patience
        self._fee_rate = fee_rate
        self._orders: dict[int, Order] = {}
        self._by_client_id: dict[str, Order] = {}
        self._open: dict[int, Order] = {}
        self._trades: dict[tuple[str, str, str], tuple[int, int, int]] = {}
        self._exposures: dict[tuple[int, int], Exposure] = {}
        self._given: dict[tuple[int, int], int] = {}
        self._base_fees: dict[tuple[int, int], Decimal] = {}
        self._timers: list[tuple[int, int]] = []
        self._strangers = Strangers()
        self._past: dict[int, Tally] = {}
        self.number_cell = np.zeros(1, np.int64)
        self.numbers = memoryview(self.number_cell.data)
        self.watch: Callable[[Order], None] | None = None

    # ---- looking

    @property
    def next_number(self) -> int:
        """The number that the next order will have; from 1."""
        return self.numbers[0] + 1

    def order(self, number: int) -> Order | None:
        """An order by its number; None when there is none, or it was forgotten."""
        return self._orders.get(number)

    def by_client_id(self, client_id: str) -> Order | None:
        """An order by our id of it."""
        return self._by_client_id.get(client_id)

    def open_orders(self, strategy: int | None = None, instrument_index: int | None = None) -> list[Order]:
        """Orders that were sent and have not ended, oldest first; all, or of a strategy, an instrument, or both."""
        return [
            order
            for order in self._open.values()
            if strategy in (None, order.strategy) and instrument_index in (None, order.instrument_index)
        ]

    def __iter__(self) -> Iterator[Order]:
        return iter(self._orders.values())

    def __len__(self) -> int:
        return len(self._orders)

    def exposure(self, strategy: int, instrument_index: int) -> Exposure:
        """The record that the gate reads; the same object for the whole run."""
        key = (strategy, instrument_index)
        found = self._exposures.get(key)
        if found is None:
            found = self._exposures[key] = Exposure()
        return found

    def give(self, strategy: int, instrument_index: int, units: int) -> None:
        """Gives a strategy base-asset units that it may sell beyond its position; counts instead of what it had."""
        exposure = self.exposure(strategy, instrument_index)
        key = (strategy, instrument_index)
        exposure.inventory += units - self._given.get(key, 0)
        self._given[key] = units

    def tally(self, strategy: int | None = None) -> Tally:
        """How many orders of a strategy, or of all, were sent, acknowledged, filled and so on; forgotten ones too."""
        tally = Tally()
        for number, past in self._past.items():
            if strategy in (None, number):
                tally.add(past)
        for order in self._orders.values():
            if strategy in (None, order.strategy):
                tally.count(order)
        return tally

    # ---- our own doing

    def create(self, request: OrderRequest, strategy: int, instrument_index: int, now_ns: int) -> Order:
        """Takes in an order before it is sent.

        Args:
            request: What is to be sent; its client id is new.
            strategy: Index of the strategy in the run.
            instrument_index: Index of the instrument in the run's table.
            now_ns: Time of the event, wall ns since the epoch; so everywhere.

        Raises:
            LocalProtocolError: The client id was used before.
        """
        if request.client_id in self._by_client_id:
            raise LocalProtocolError(f"expected a new client order id, got {request.client_id}, which has an order")
        self.numbers[0] += 1
        order = Order(self.numbers[0], request, strategy, instrument_index, now_ns)
        self._orders[order.number] = order
        self._by_client_id[order.client_id] = order
        return order

    def denied(self, order: Order, code: str, now_ns: int) -> None:
        """The gate said no."""
        order.reason = code
        self._step(order, _DENIED, now_ns)

    def sent(self, order: Order, now_ns: int) -> None:
        """The order's frame is about to be written: reserves its exposure and starts its timer."""
        order.sent_ns = now_ns
        self._step(order, _SENT, now_ns)

    def cancel_sent(self, order: Order, now_ns: int) -> list[Outcome]:
        """A cancel is about to be written: starts its timer."""
        order.cancel_ns = now_ns
        order.not_found = 0
        return self._step(order, _CANCEL_SENT, now_ns)

    def amend_sent(self, order: Order, lots: int, now_ns: int) -> list[Outcome]:
        """A reduction to ``lots`` is about to be written: starts its timer; the larger quantity stays reserved."""
        order.amend_ns = now_ns
        order.not_found = 0
        return self._step(order, Event.REPLACE_SENT, now_ns, units=lots * order.instrument.lot_units)

    def replace_sent(self, old: Order, new: Order, now_ns: int, *, joint: bool) -> list[Outcome]:
        """A request is about to be written that cancels ``old`` and then places ``new``.

        Args:
            old: An open order that :meth:`can_change`.
            new: A new order.
            now_ns: Time of the event.
            joint: Whether both together can fill no more than the larger of them, so that this is what is reserved.
        """
        if joint:
            new.replaces, old.replaced_by = old, new
        self.sent(new, now_ns)
        return self.cancel_sent(old, now_ns)

    def can_change(self, order: Order) -> bool:
        """Whether it can be reduced or replaced: the venue has it, and nothing about it is on its way or in doubt."""
        return order.state.lifecycle is _LIVE and not order.state.intents and order.replaced_by is None

    def can_cancel(self, order: Order) -> bool:
        """Whether a cancel makes sense: the order is open and none is on its way."""
        return order.is_open and not order.state.intents & Intent.CANCEL

    def disconnected(self, venue: str, now_ns: int) -> list[Outcome]:
        """The connection is gone: what was on its way over it is now of unknown outcome."""
        outcomes: list[Outcome] = []
        for order in [order for order in self._open.values() if order.instrument.venue == venue]:
            if order.state.lifecycle is Lifecycle.SENT:
                outcomes += self._step(order, Event.UNCERTAIN, now_ns)
            if order.state.intents & Intent.CANCEL and not order.state.intents & Intent.DOUBTED:
                outcomes += self._step(order, Event.CANCEL_UNCERTAIN, now_ns)
            if order.state.intents & Intent.REPLACE and not order.state.intents & Intent.UNSURE:
                outcomes += self._step(order, Event.REPLACE_UNCERTAIN, now_ns)
        return outcomes

    def reconnected(self, venue: str) -> list[Outcome]:
        """The connection is back: everything open there must be asked about, for reports may have been missed."""
        return [Demand(order, Consequence.QUERY) for order in self._open.values() if order.instrument.venue == venue]

    def listed(self, venue: str, venue_symbol: str, client_ids: frozenset[str], asked_ns: int) -> list[Outcome]:
        """The venue listed what was open in an instrument at ``asked_ns``: what we miss there must be asked about."""
        return [
            Demand(order, Consequence.QUERY)
            for order in self._open.values()
            if (order.instrument.venue, order.instrument.venue_symbol) == (venue, venue_symbol)
            and order.client_id not in client_ids
            and order.sent_ns < asked_ns
        ]

    def forget(self, before_ns: int) -> int:
        """Drops orders that ended before a time, so that memory is bounded; returns how many.

        What a venue still says of them counts as an orphan, and a fill among it alerts: choose a time well beyond every
        venue's horizon. Orders with missing fills are kept.
        """
        gone = [o for o in self._orders.values() if o.closed and o.closed_ns < before_ns and not o.fills_missing]
        for order in gone:
            self._past.setdefault(order.strategy, Tally()).count(order)
            del self._orders[order.number], self._by_client_id[order.client_id]
        numbers = {order.number for order in gone}
        self._trades = {key: trade for key, trade in self._trades.items() if trade[0] not in numbers}
        return len(gone)

    # ---- what venues say

    def apply(self, report: VenueReport, now_ns: int) -> list[Outcome]:
        """Takes in one report of a venue.

        Args:
            report: What it said.
            now_ns: When it was received.

        Returns:
            What must happen, in order. Empty for an order that is not ours: it is counted and never touched.
        """
        order = self._by_client_id.get(report.client_id)
        if order is None:
            return self._stranger(report)
        instrument = order.instrument
        if report.venue_symbol and report.venue_symbol != instrument.venue_symbol:
            return [self._contradiction(order, f"expected {instrument.venue_symbol}, got {report.venue_symbol}")]
        if report.kind is ReportKind.FILL:
            return self._apply_fill(order, report, now_ns)
        if report.reason:
            order.reason = report.reason
        ended = ending(report.reason) if report.kind is ReportKind.FOUND_CLOSED else Reason.NONE
        outcomes = self._step(order, report.kind, now_ns, report=report, ended=ended)
        if report.kind is ReportKind.NOT_FOUND:
            outcomes += self._not_found(order, now_ns)
        elif report.kind is ReportKind.TRADES_SEEN:
            outcomes += self._searched(order, report, now_ns)
        elif report.kind in (ReportKind.ACK, ReportKind.FOUND_OPEN):
            order.not_found = 0
        return outcomes

    def _apply_fill(self, order: Order, report: VenueReport, now_ns: int) -> list[Outcome]:
        fill = report.fill
        if fill is None or fill.units <= 0 or fill.price_ticks <= 0:
            # never invented, never guessed: what was meant must be fetched
            bad = self._contradiction(order, f"expected a fill with price and quantity, got {fill}")
            return [bad, Demand(order, Consequence.FETCH_FILLS)]
        key = (order.instrument.venue, order.instrument.symbol, fill.trade_id)
        known = self._trades.get(key)
        if known is not None:
            outcomes = self._step(order, Event.DUPLICATE_FILL, now_ns, report=report)
            if known != (order.number, fill.price_ticks, fill.units):
                outcomes.insert(0, self._contradiction(order, f"trade {fill.trade_id} was reported in two ways"))
            return outcomes
        self._trades[key] = (order.number, fill.price_ticks, fill.units)
        order.not_found = 0
        return self._step(order, Event.FILL, now_ns, report=report, fill=self._enter(order, fill, now_ns))

    def _enter(self, order: Order, fill: VenueFill, now_ns: int) -> Fill:
        """A fill enters the position and pays its fee."""
        instrument = order.instrument
        key = (order.strategy, order.instrument_index)
        exposure = self.exposure(*key)
        exposure.position += order.side * fill.units
        fee_quote = fee_in_quote(fill, instrument, self._fee_rate)
        if fee_quote is None:
            self.counters.fees_unvalued += 1
            before = self.counters.unvalued.get(fill.fee_asset, Decimal(0))
            self.counters.unvalued[fill.fee_asset] = EXACT.add(before, fill.fee)
            fee_quote = Decimal(0)
        if fill.fee_asset == instrument.base and fill.fee:
            before = self._base_fees.get(key, Decimal(0))
            after = self._base_fees[key] = EXACT.add(before, fill.fee)
            exposure.inventory -= base_fee_units(after, instrument) - base_fee_units(before, instrument)
        return order.fill(fill, fee_quote, now_ns)

    def _not_found(self, order: Order, now_ns: int) -> list[Outcome]:
        """Nowhere found: a proof only after the horizon, only twice, and only without a trade that it may have made."""
        patience = self._patience[order.instrument.venue]
        if not order.is_open or now_ns < patience.horizon_ns(order):
            return []
        order.not_found += 1
        if order.not_found < _PROOF:
            return []
        if patience.searches_trades:
            return [Demand(order, Consequence.SEARCH_TRADES)]
        return self._step(order, Event.LOST, now_ns)

    def _searched(self, order: Order, report: VenueReport, now_ns: int) -> list[Outcome]:
        """The account's trades: those of other orders prove nothing, any other may be this order's."""
        if not order.is_open or order.not_found < _PROOF:
            return []
        if report.order_ids is not None:
            others = {o.venue_order_id for o in self._orders.values() if o is not order}
            if self._strangers.know(order.instrument.venue_symbol, report.order_ids - others):
                return self._step(order, Event.LOST, now_ns)
        if order.is_unproven_told:
            return []
        order.is_unproven_told = True
        return [Alert(order, AlertKind.UNPROVEN, f"expected trades of known orders only, got others: {order!r}")]

    def _stranger(self, report: VenueReport) -> list[Outcome]:
        self._strangers.note(report.venue_symbol, report.venue_order_id)
        if self._ids.parse(report.client_id) is None:
            self.counters.foreign += 1
            return []
        self.counters.orphans += 1
        if report.kind not in (ReportKind.FILL, ReportKind.ACK, ReportKind.FOUND_OPEN):
            return []
        return [Alert(None, AlertKind.ORPHAN, f"{report.client_id} is ours, and this run has no such order: {report}")]

    # ---- timers

    @property
    def deadline_ns(self) -> int:
        """When :meth:`due` wants to be called, wall ns since the epoch; :data:`~bloor.venue.session.NEVER` if not."""
        timers = self._timers
        while timers:
            deadline_ns, number = timers[0]
            order = self._orders.get(number)
            if order is not None and order.deadline_ns == deadline_ns:
                return deadline_ns
            heappop(timers)  # the order has a later deadline or none
        return NEVER

    def due(self, now_ns: int) -> list[Outcome]:
        """What must be done about orders that waited too long."""
        outcomes: list[Outcome] = []
        while self.deadline_ns <= now_ns:
            order = self._orders[heappop(self._timers)[1]]
            outcomes += self._overdue(order, now_ns)
        return outcomes

    def _overdue(self, order: Order, now_ns: int) -> list[Outcome]:
        what = waiting(order.state)
        order.deadline_ns = NEVER
        if what is Waiting.ACK:
            return self._step(order, Event.UNCERTAIN, now_ns)
        if what is Waiting.CANCEL:
            return self._step(order, Event.CANCEL_UNCERTAIN, now_ns)
        if what is Waiting.REPLACE:
            return self._step(order, Event.REPLACE_UNCERTAIN, now_ns)
        order.attempts += 1
        self._wait(order, now_ns)
        if what is Waiting.QUERY:
            return [Demand(order, Consequence.QUERY)]
        horizon_ns = order.closed_ns + self._patience[order.instrument.venue].lost_after_ns
        outcomes: list[Outcome] = [Demand(order, Consequence.FETCH_FILLS)]
        if order.closed and now_ns >= horizon_ns and not order.is_fill_missing_told:
            order.is_fill_missing_told = True
            outcomes.insert(0, Alert(order, AlertKind.FILLS_MISSING, f"{order.fills_missing} units, {order!r}"))
        return outcomes

    def _wait(self, order: Order, now_ns: int) -> None:
        deadline_ns = self._patience[order.instrument.venue].deadline_ns(order, waiting(order.state), now_ns)
        if deadline_ns != order.deadline_ns:
            order.deadline_ns = deadline_ns
            if deadline_ns != NEVER:
                heappush(self._timers, (deadline_ns, order.number))

    # ---- one step

    def _step(
        self,
        order: Order,
        event: int,
        now_ns: int,
        *,
        report: VenueReport | None = None,
        fill: Fill | None = None,
        units: int = 0,
        ended: Reason = Reason.NONE,
    ) -> list[Outcome]:
        before, status = order.state, order.status
        cumulative = report.cumulative_units if report else -1
        ordered = report.quantity_units if report else -1
        if fill:
            units = fill.units
        after, consequences = step(before, event, units=units, cumulative=cumulative, ordered=ordered, ended=ended)
        order.state = after
        self._settle(order, now_ns)
        if report and report.venue_order_id and _BIND in consequences:
            order.venue_order_id = report.venue_order_id
        if waiting(after) is not waiting(before) or event in _TIMED:
            order.attempts = 0
            self._wait(order, now_ns)
        outcomes = self._outcomes(order, consequences) if consequences else []
        if fill:
            outcomes.append(Filled(order, fill))
        if order.status != status or fill or after.quantity != before.quantity:
            outcomes.append(Updated(order))
        if self.watch is not None:
            self.watch(order)
        return outcomes

    def _settle(self, order: Order, now_ns: int) -> None:
        """Brings everything that is derived from the state up to date."""
        state = order.state
        lifecycle = state.lifecycle
        order.status = status_of(state)
        order.filled = state.filled
        closed = lifecycle is _CLOSED
        if order.closed != closed:
            order.closed = closed
            order.closed_ns = now_ns if closed else 0
        if not order.acked_ns and (lifecycle is _LIVE or state.filled):
            order.acked_ns = now_ns
        order.lots = state.quantity // order.instrument.lot_units
        self._reserve(order)
        exposure = self.exposure(order.strategy, order.instrument_index)
        is_open = _CREATED < lifecycle < _CLOSED
        if is_open != (order.number in self._open):
            if is_open:
                self._open[order.number] = order
                exposure.open_orders += 1
            else:
                del self._open[order.number]
                exposure.open_orders -= 1

    def _reserve(self, order: Order) -> None:
        """Brings exposure up to date: what may still fill, less what the order that it replaces reserves for both."""
        reserved = max(0, exposure_of(order.state) - order.shared)
        if reserved != order.reserved:
            exposure = self.exposure(order.strategy, order.instrument_index)
            if order.side > 0:
                exposure.open_buy += reserved - order.reserved
            else:
                exposure.open_sell += reserved - order.reserved
            order.reserved = reserved
        successor = order.replaced_by
        if successor is not None:
            self._reserve(successor)
        if order.closed:  # nothing is shared any more
            for one, other in ((order, successor), (order.replaces, order)):
                if one is not None and other is not None:
                    one.replaced_by = other.replaces = None

    def _outcomes(self, order: Order, consequences: tuple[Consequence, ...]) -> list[Outcome]:
        alerts: list[Outcome] = []
        demands: list[Outcome] = []
        for consequence in consequences:
            if consequence in _QUIET:
                continue
            if consequence in _DEMANDS:
                demands.append(Demand(order, consequence))
            elif consequence is Consequence.COUNT_DUPLICATE:
                self.counters.duplicate_fills += 1
            elif consequence is Consequence.COUNT_STALE:
                self.counters.stale_reports += 1
            else:
                alerts.append(Alert(order, ALERT_KINDS[consequence], repr(order)))
        return alerts + demands

    def _contradiction(self, order: Order, what: str) -> Alert:
        self.counters.contradictions += 1
        return Alert(order, AlertKind.CONTRADICTION, f"{what}: {order!r}")
