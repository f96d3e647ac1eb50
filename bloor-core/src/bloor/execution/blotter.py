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
report, :meth:`Blotter.cancel_sent` before every cancel, and :meth:`Blotter.due` whenever ``now_ns >= deadline_ns``.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from decimal import Decimal
from heapq import heappop, heappush

from bloor.errors import LocalProtocolError
from bloor.execution.client_id import ClientIds
from bloor.execution.fees import FeeRate, base_fee_units, fee_in_quote, no_rate
from bloor.execution.life import Consequence, Event, Intent, Lifecycle, Reason, exposure_of, status_of, step
from bloor.execution.order import Order
from bloor.execution.outcomes import ALERT_KINDS, Alert, AlertKind, Counters, Demand, Filled, Outcome, Tally, Updated
from bloor.execution.patience import Patience, Waiting, waiting
from bloor.execution.position import EXACT
from bloor.model.orders import Fill, OrderRequest, ReportKind, Side, VenueFill, VenueReport
from bloor.risk.check import Exposure
from bloor.venue.session import NEVER

__all__ = ["Blotter"]

#: The first word of a FOUND_CLOSED report's reason, as venues write it.
_ENDINGS = {
    "FILLED": Reason.FILLED,
    "CANCELED": Reason.CANCELLED,
    "CANCELLED": Reason.CANCELLED,
    "EXPIRED": Reason.EXPIRED,
    "EXPIRED_IN_MATCH": Reason.EXPIRED,
    "REJECTED": Reason.REJECTED,
    "FAILED": Reason.REJECTED,
}

# reading a member off its enum costs 80 ns, a module's name 5 ns
_CREATED, _LIVE, _CLOSED = Lifecycle.CREATED, Lifecycle.LIVE, Lifecycle.CLOSED
_BIND = Consequence.BIND
_QUIET = frozenset({Consequence.BIND, Consequence.APPLY_FILL, Consequence.RELEASE})
_DEMANDS = frozenset({Consequence.CANCEL_NOW, Consequence.QUERY, Consequence.FETCH_FILLS})
_TIMED = frozenset({Event.SENT, Event.CANCEL_SENT})
_DENIED, _SENT, _CANCEL_SENT = Event.DENIED, Event.SENT, Event.CANCEL_SENT

#: Answers "not found" after the horizon that prove an order lost.
_PROOF = 2


class Blotter:
    """All orders of a run.

    Attributes:
        counters: What was counted besides orders.
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
        self._past = Tally()
        self._last_number = 0

    # ---- looking

    @property
    def next_number(self) -> int:
        """The number that the next order will have; from 1."""
        return self._last_number + 1

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

    def tally(self) -> Tally:
        """How many orders were sent, acknowledged, filled and so on, forgotten ones included."""
        tally = Tally(**self._past.as_dict())
        for order in self._orders.values():
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
        self._last_number += 1
        order = Order(self._last_number, request, strategy, instrument_index, now_ns)
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
        return outcomes

    def reconnected(self, venue: str) -> list[Outcome]:
        """The connection is back: everything open there must be asked about, for reports may have been missed."""
        return [Demand(order, Consequence.QUERY) for order in self._open.values() if order.instrument.venue == venue]

    def forget(self, before_ns: int) -> int:
        """Drops orders that ended before a time, so that memory is bounded; returns how many.

        What a venue still says of them counts as an orphan, and a fill among it alerts: choose a time well beyond every
        venue's horizon. Orders with missing fills are kept.
        """
        gone = [o for o in self._orders.values() if o.closed and o.closed_ns < before_ns and not o.fills_missing]
        for order in gone:
            self._past.count(order)
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
        ended = _ending(report.reason) if report.kind is ReportKind.FOUND_CLOSED else Reason.NONE
        outcomes = self._step(order, report.kind, now_ns, report=report, ended=ended)
        if report.kind is ReportKind.NOT_FOUND:
            outcomes += self._not_found(order, now_ns)
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
            fee_quote = Decimal(0)
        if fill.fee_asset == instrument.base and fill.fee:
            before = self._base_fees.get(key, Decimal(0))
            after = self._base_fees[key] = EXACT.add(before, fill.fee)
            exposure.inventory -= base_fee_units(after, instrument) - base_fee_units(before, instrument)
        return Fill(
            client_id=order.client_id,
            instrument=instrument,
            side=Side(order.side),
            trade_id=fill.trade_id,
            price_ticks=fill.price_ticks,
            units=fill.units,
            fee=fill.fee,
            fee_asset=fill.fee_asset,
            fee_quote=fee_quote,
            liquidity=fill.liquidity,
            exch_ns=fill.exch_ns,
            recv_ns=now_ns,
        )

    def _not_found(self, order: Order, now_ns: int) -> list[Outcome]:
        """Nowhere found: a proof only after the horizon, and only twice."""
        if not order.is_open or now_ns < self._patience[order.instrument.venue].horizon_ns(order):
            return []
        order.not_found += 1
        return self._step(order, Event.LOST, now_ns) if order.not_found >= _PROOF else []

    def _stranger(self, report: VenueReport) -> list[Outcome]:
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
        ended: Reason = Reason.NONE,
    ) -> list[Outcome]:
        before, status = order.state, order.status
        cumulative = report.cumulative_units if report else -1
        units = fill.units if fill else 0
        after, consequences = step(before, event, units=units, cumulative=cumulative, ended=ended)
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
        if order.status != status or fill:
            outcomes.append(Updated(order))
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
        exposure = self.exposure(order.strategy, order.instrument_index)
        reserved = exposure_of(state)
        if reserved != order.reserved:
            if order.side > 0:
                exposure.open_buy += reserved - order.reserved
            else:
                exposure.open_sell += reserved - order.reserved
            order.reserved = reserved
        is_open = _CREATED < lifecycle < _CLOSED
        if is_open != (order.number in self._open):
            if is_open:
                self._open[order.number] = order
                exposure.open_orders += 1
            else:
                del self._open[order.number]
                exposure.open_orders -= 1

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


def _ending(reason: str) -> Reason:
    words = reason.split(maxsplit=1)
    return _ENDINGS.get(words[0].upper(), Reason.ENDED) if words else Reason.ENDED
