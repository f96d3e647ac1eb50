"""The decision core: ``f(state, event) -> effects``, on one thread, with no clock, random or I/O of its own.

Inputs are method calls that carry their time (``now_ns``, wall ns since the epoch, never falling): connections that
open and close, frames, REST answers, timers, commands. Each is recorded before anything is decided from it; each order
is recorded before it is written. So the record of a run, fed to a new engine of the same plan, gives the same
decisions bit for bit, whatever carried the first one.

The way of a market frame is one call chain: record, normalize, book, strategy, gate, record, encode, write. ``stamp``
is a clock for measuring that way only; nothing is decided from it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

import numpy as np

from bloor.engine.build import Line, build_desks, build_gate, build_lines, build_patience
from bloor.engine.decisions import DecisionKind, DecisionLog
from bloor.engine.desk import Desk
from bloor.engine.effects import LEVEL3, STANDBY, Effects, Observer, Recorder, line_of, order_conn
from bloor.engine.fused.fusion import Fusion
from bloor.engine.fused.layout import MARK, NOW, RUN_CELLS
from bloor.engine.measure import Measurements
from bloor.engine.orderwire import DEMANDS, Heard, OrderWire, encoded
from bloor.engine.plan import EnginePlan
from bloor.engine.rates import FeeRates
from bloor.engine.replacing import Changes
from bloor.engine.schedule import Schedule
from bloor.engine.wire import pack_response
from bloor.errors import LocalProtocolError
from bloor.execution.blotter import Blotter
from bloor.execution.client_id import ClientIds
from bloor.execution.order import Order
from bloor.execution.outcomes import Alert, AlertKind, Demand, Filled, Outcome
from bloor.journal.record import RecordKind
from bloor.market.book import OrderBook
from bloor.market.events import EventKind, EventView
from bloor.market.instruments import InstrumentTable
from bloor.market.view import BookState
from bloor.model.orders import OrderRequest, OrderType, Side, TimeInForce
from bloor.native.clock import WallClock, arriving
from bloor.venue.session import Outgoing

__all__ = ["Engine"]

#: Orders that ended this long ago are forgotten, so that memory is bounded; far beyond any venue's horizon.
FORGET_NS = 3_600 * 1_000_000_000

_TRADES = frozenset({EventKind.TRADE, EventKind.AGG_TRADE})
_BBO, _BOOK = EventKind.BBO, EventKind.BOOK
_LOST_BOOK = frozenset({EventKind.GAP, EventKind.CLEARED})
_SYNCED = BookState.SYNCED


class Engine:
    """The decision core of one run.

    Attributes:
        plan: What it was built from.
        table: Every instrument.
        lines: The venues, in the order of the plan.
        desks: Every strategy in every instrument.
        gate: The pre-trade gate.
        blotter: Every order.
        log: The decisions and their hash.
        schedule: Bars and timers.
        fusion: What of it runs as one call into compiled code for each frame.
        measures: Counters and latencies.
        changes: What replaces and reduces orders.
        calling: Whether a handler is running; what comes of its requests waits until it has returned.
    """

    def __init__(
        self, plan: EnginePlan, effects: Effects, recorder: Recorder, observer: Observer, stamp: Callable[[], int]
    ) -> None:
        self.plan = plan
        cells = np.zeros(RUN_CELLS, np.int64)
        self._cells = memoryview(cells.data)
        self.effects = effects
        self.stamp = stamp
        self._record = recorder.append
        self._observer = observer
        self.table = InstrumentTable(plan.instruments)
        self.log = DecisionLog()
        self.measures = Measurements(self._cells)
        self.written: Callable[[str], None] = lambda tag: self.measures.written(tag, stamp())
        self.gate = build_gate(plan)
        self._ids = ClientIds(plan.node, plan.epoch)
        rates = FeeRates(plan)
        self.blotter = Blotter(self._ids, build_patience(plan), fee_rate=rates)
        self.lines: list[Line] = build_lines(self, effects, recorder)
        self.desks: list[Desk] = build_desks(self)
        rates.watch(self.desks)
        self._by_instrument: list[tuple[Desk, ...]] = [
            tuple(d for d in self.desks if d.index == index) for index in range(len(self.table))
        ]
        self._by_owner = {(d.number, d.index): d for d in self.desks}
        self.schedule = Schedule(self.desks, len(self.table))
        self.fusion = Fusion(self, recorder, cells, self._ids.head)
        self._forget_ns = 0
        self.stopping = False
        self.failure: BaseException | None = None
        self.calling = False
        self._later: list[Outcome] = []
        self._wire = OrderWire(self, recorder, observer.alert, self._outcomes)
        self.changes = Changes(
            self, self._ids, decide=self._decide, deny=self._deny, write=self._wire.write, tell=self.tell
        )

    @property
    def now_ns(self) -> int:
        """Time of the event being handled, wall ns."""
        return self._cells[NOW]

    @now_ns.setter
    def now_ns(self, now_ns: int) -> None:
        self._cells[NOW] = now_ns

    # ---- what the world asks ----------------------------------------------------------------------------------------

    def url(self, conn: int) -> str:
        """Where a connection goes."""
        line, orders = line_of(conn)
        return self.lines[line].orders.url if orders else self.lines[line].feeds.of(conn).session.url

    @property
    def deadline_ns(self) -> int:
        """When :meth:`timer` wants to be called next."""
        deadline = min(self.blotter.deadline_ns, self.schedule.deadline_ns)
        for line in self.lines:
            deadline = min(deadline, line.orders.deadline_ns, *(feed.deadline_ns for feed in line.feeds.lines))
        return deadline

    def tally(self, strategy: int | None = None) -> dict[str, int]:
        """How many orders of a strategy, or of all, were sent, acked, filled, cancelled, rejected, denied, unknown."""
        tally = self.blotter.tally(strategy).as_dict()
        denied = self.measures.denied
        tally["denied"] += sum(denied.values()) if strategy is None else denied.get(strategy, 0)
        return tally

    @property
    def open_orders(self) -> int:
        """How many orders may still fill."""
        return len(self.blotter.open_orders())

    # ---- inputs -----------------------------------------------------------------------------------------------------

    def receiver(self, conn: int) -> Callable[[bytes, int], None]:
        """The callable that takes every frame of one connection; bind it once."""
        number, orders = line_of(conn)
        line = self.lines[number]
        if orders:
            return lambda payload, recv_ns: self._order_frame(line, conn, payload, recv_ns)
        return self.fusion.receiver(line, self._receiver(line, conn), second=bool(conn & (STANDBY | LEVEL3)))

    def _receiver(self, line: Line, conn: int) -> Callable[[bytes, int], None]:
        """What takes the market frames of a connection when they are not fused."""
        feed = line.feeds.of(conn)
        take = feed.standby_frame if conn & STANDBY else feed.frame

        def receive(payload: bytes, recv_ns: int) -> None:
            self._cells[MARK] = self.stamp()
            self._record(RecordKind.FRAME_IN, conn, recv_ns, payload)
            self.now_ns = recv_ns
            self.measures.frames += 1
            if recv_ns >= self.schedule.deadline_ns:
                self.schedule.run(recv_ns, self.call)
            take(payload, recv_ns)

        return receive

    def arrivals(self, conn: int, clock: WallClock) -> Callable[[bytes], None]:
        """As :meth:`receiver`, of frames that are received now, by a clock; bind it once."""
        number, orders = line_of(conn)
        line = self.lines[number]
        fused = None
        if not (orders or conn & (STANDBY | LEVEL3)):
            fused = self.fusion.arrivals(line, self._receiver(line, conn), clock)
        return fused or arriving(self.receiver(conn), clock)

    def frame(self, conn: int, payload: bytes, recv_ns: int) -> None:
        """A text frame arrived; :meth:`receiver` is the same, bound."""
        self.receiver(conn)(payload, recv_ns)

    def connected(self, conn: int, now_ns: int) -> None:
        """A connection is open."""
        self._begin(RecordKind.CONNECTED, conn, now_ns, b"")
        line, orders = line_of(conn)
        if orders:
            self._wire.carry_out(conn, self.lines[line].orders.connected(now_ns))
        else:
            self.lines[line].feeds.of(conn).connected(now_ns, standby=bool(conn & STANDBY))
        self.fusion.refresh()

    def disconnected(self, conn: int, now_ns: int, reason: str) -> None:
        """A connection is gone: its books are not to be believed, its orders in flight are uncertain."""
        self._begin(RecordKind.DISCONNECTED, conn, now_ns, reason.encode())
        number, orders = line_of(conn)
        line = self.lines[number]
        if orders:
            self._wire.carry_out(conn, line.orders.disconnected(now_ns, reason))
            line.was_ready = False
            self._outcomes(self.blotter.disconnected(line.venue, now_ns))
        else:
            line.feeds.of(conn).disconnected(now_ns, reason, standby=bool(conn & STANDBY))
        self.fusion.refresh()
        if not conn & STANDBY:
            self._observer.alert("disconnected", f"{line.venue} {'orders' if orders else 'market data'}: {reason}")

    def response(self, conn: int, tag: str, status: int, body: bytes, now_ns: int) -> None:
        """A REST answer arrived; ``status`` 0 means that none came."""
        number, orders = line_of(conn)
        line = self.lines[number]
        body = (line if orders else line.feeds.of(conn)).take_secrets(tag, status, body)
        self._begin(RecordKind.RESPONSE, conn, now_ns, pack_response(tag, status, body))
        if orders:
            self._heard(line, conn, lambda: line.orders.responded(tag, status, body, now_ns), over_connection=False)
            self.measures.answered(tag)
        else:
            line.feeds.of(conn).response(tag, status, body, now_ns)
        self.fusion.refresh()

    def timer(self, now_ns: int) -> None:
        """``deadline_ns`` has come."""
        self._begin(RecordKind.TIMER, 0, now_ns, b"")
        for number, line in enumerate(self.lines):
            for feed in line.feeds.lines:
                feed.timer(now_ns)
            if line.orders.deadline_ns <= now_ns:
                self._wire.carry_out(order_conn(number), line.orders.timer(now_ns))
        if self.blotter.deadline_ns <= now_ns:
            self._outcomes(self.blotter.due(now_ns))
        if now_ns >= self._forget_ns:
            self._forget_ns = now_ns + FORGET_NS
            self.blotter.forget(now_ns - FORGET_NS)
        self.fusion.refresh()

    def stop(self, now_ns: int) -> None:
        """The run ends: strategies are told, nothing new passes the gate, every open order is cancelled."""
        self._begin(RecordKind.COMMAND, 0, now_ns, b"stop")
        self.stopping = True
        self.schedule.stop()
        for desk in self.desks:
            if desk.started and not desk.halted:
                self.call(desk, desk.handlers.on_stop, desk)
        self.gate.halt("the run is ending")
        self._decide(DecisionKind.STOP)
        self._pull(self.desks)

    def halt(self, now_ns: int, reason: str) -> None:
        """The kill switch: latches the gate and cancels everything."""
        self._begin(RecordKind.COMMAND, 0, now_ns, f"halt {reason}".encode())
        self.gate.halt(reason)
        self._decide(DecisionKind.HALT, code=reason)
        self._pull(self.desks)
        self._observer.alert("halted", reason)

    def reduce_only(self, now_ns: int, reason: str) -> None:
        """Lets only orders pass, from now on, that bring a position nearer to zero; cancels what is open."""
        self._begin(RecordKind.COMMAND, 0, now_ns, f"reduce-only {reason}".encode())
        self.gate.reduce_only = reason
        self._decide(DecisionKind.REDUCE_ONLY, code=reason)
        self._pull(self.desks)
        self._observer.alert("reduce_only", reason)

    def conclude(self, now_ns: int) -> None:
        """The run is over: where nothing of ours is open, what guards against our silence is taken back."""
        self._begin(RecordKind.COMMAND, 0, now_ns, b"conclude")
        self._wire.conclude()

    def failed(self, error: BaseException) -> None:
        """Something around the core broke; the run is to end with this error."""
        if self.failure is None:
            self.failure = error

    # ---- frames -----------------------------------------------------------------------------------------------------

    def _begin(self, kind: RecordKind, conn: int, now_ns: int, payload: bytes) -> None:
        self._cells[MARK] = self.stamp()
        self._record(kind, conn, now_ns, payload)
        self.now_ns = now_ns
        self.fusion.sync()
        if now_ns >= self.schedule.deadline_ns:
            self.schedule.run(now_ns, self.call)

    def _order_frame(self, line: Line, conn: int, payload: bytes, recv_ns: int) -> None:
        payload = line.orders.redacted(payload)
        self._begin(RecordKind.FRAME_IN, conn, recv_ns, payload)
        self.measures.frames += 1
        self._heard(line, conn, lambda: line.orders.received(payload, recv_ns))

    def _heard(self, line: Line, conn: int, read: Callable[[], Heard], *, over_connection: bool = True) -> None:
        """What a venue said of orders, over the connection or over REST."""
        heard = self._wire.heard(line, read, over_connection=over_connection)
        if heard is None:
            return
        for report in heard[0]:
            self._outcomes(self.blotter.apply(report, self.now_ns))
        self._wire.carry_out(conn, heard[1])
        if line.orders.ready != line.was_ready:
            line.was_ready = line.orders.ready
            if line.was_ready:
                if not line.lists_open_orders:
                    self._outcomes(self.blotter.reconnected(line.venue))
                self._cancel_overdue(line)
                self._start_desks(line)

    def _cancel_overdue(self, line: Line) -> None:
        """What should have been cancelled while nothing could be sent is cancelled now."""
        for desk in self.desks:
            if desk.line == line.number and (desk.halted or self.stopping or self.gate.halted or self.gate.reduce_only):
                self.cancel_desk(desk)

    def market_alert(self, code: str, text: str) -> None:
        """Something about market data that a person should know."""
        if code == "bad_frame":
            self.measures.bad_frames += 1
        self._observer.alert(code, text)

    # ---- events -----------------------------------------------------------------------------------------------------

    def on_event(self, event: EventView, book: OrderBook | None) -> None:
        """A market event, of any venue; strategies hear of it here."""
        self.measures.events += 1
        if event.kind in _TRADES:
            self.schedule.traded(event, self.now_ns)
        self.hand_on(event)

    def hand_on(self, event: EventView, first: int = 0) -> None:
        """Hands an event to the desks of its instrument, from the ``first`` on."""
        kind = event.kind
        is_trade = kind in _TRADES
        for desk in self._by_instrument[event.instrument][first:]:
            if is_trade:
                desk.traded(event.price)
            if not desk.started:
                if kind == _BOOK:
                    self._start(desk)
                continue
            if desk.halted:
                continue
            view = desk.book
            if kind == _BOOK:
                if view.state == _SYNCED:
                    self.call(desk, desk.handlers.on_book, view, desk)
            elif is_trade:
                self.call(desk, desk.handlers.on_trade, event, view, desk)
            elif kind == _BBO:
                self.call(desk, desk.handlers.on_bbo, event, view, desk)
            elif kind in _LOST_BOOK:
                # quotes made from a book that cannot be believed are pulled, those in other instruments too
                self._pull(desk.joined)

    def _start_desks(self, line: Line) -> None:
        for desk in self.desks:
            if self.lines[desk.line] is line and not desk.started:
                self._start(desk)

    def _start(self, desk: Desk) -> None:
        """Starts a desk once its book is synchronised and orders can be sent."""
        if self.lines[desk.line].orders.ready and desk.book.state == _SYNCED and not self.stopping:
            desk.start()
            self.call(desk, desk.handlers.on_start, desk)

    def call(self, desk: Desk, handler: Callable[..., None], *arguments: object) -> None:
        """Runs a handler; a strategy that raises is halted and its orders are cancelled, the others go on.

        Handlers are never entered twice: what comes of their own requests is told when the handler has returned.
        """
        outermost, self.calling = not self.calling, True
        try:
            handler(*arguments)
        except Exception as error:  # noqa: BLE001 (whatever a strategy raises)
            self._halt_desk(desk, f"{type(error).__name__} in {handler.__name__}: {error}")
        finally:
            self.calling = not outermost
        while outermost and self._later:
            later, self._later = self._later, []
            self._outcomes(later)

    def tell(self, outcomes: Iterable[Outcome]) -> None:
        """What comes of a request of ours: now, or once the handler that asked for it has returned."""
        self._later.extend(outcomes)
        if not self.calling:
            later, self._later = self._later, []
            self._outcomes(later)

    def _halt_desk(self, desk: Desk, reason: str) -> None:
        if desk.halted:
            return
        desk.halt(reason)
        self.gate.halt(reason, desk.number)
        self._decide(DecisionKind.HALT, desk, code=reason)
        self._observer.alert("strategy_halted", f"{desk.strategy.name} in {desk.where}: {reason}")
        self._pull(desk.joined)

    # ---- orders -----------------------------------------------------------------------------------------------------

    def place(self, desk: Desk, side: Side, price: int, lots: int, kind: OrderType, tif: TimeInForce) -> int:
        """One order through the gate to the wire; its number, or 0 when it was denied."""
        number = self.fusion.place(desk, side, price, lots, kind, tif)
        if number is not None:
            return number
        decided = self.stamp()
        intent = desk.intent
        intent.side, intent.type, intent.tif = side, kind, tif
        intent.price, intent.lots, intent.units = price, lots, lots * desk.lot_units
        line = self.lines[desk.line]
        if refused := line.refusal(desk.instrument, kind, self.now_ns):
            return self._deny(desk, refused)
        denial = self.gate.decide(intent, desk.book, desk.exposure, self.now_ns)
        if denial is not None:
            return self._deny(desk, denial.code)
        request = OrderRequest(
            client_id=self._ids.make(desk.number, self.blotter.next_number),
            instrument=desk.instrument, side=side, type=kind, tif=tif, price_ticks=price, lots=lots,
        )  # fmt: skip
        order = self.blotter.create(request, desk.number, desk.index, self.now_ns)
        self._decide(DecisionKind.PLACE, desk, order=order)
        payload = line.orders.place(request, self.now_ns)
        self.blotter.sent(order, self.now_ns)
        self._wire.write(desk.line, payload)
        self.measure_sent(order.number, decided, payload)
        return order.number

    def measure_sent(self, number: int, decided: int, out: Outgoing) -> None:
        """An order was written, or a request made of it; it had been decided on at ``decided`` of the stamps."""
        self.measures.order_sent(number, self._cells[MARK], decided, self.stamp(), out)

    def cancel(self, desk: Desk, number: int) -> bool:
        """Cancels one order of a desk."""
        order = self.blotter.order(number)
        if order is None or (order.strategy, order.instrument_index) != (desk.number, desk.index):
            return False
        return self.blotter.can_cancel(order) and self._ask(desk, order, DecisionKind.CANCEL)

    def cancel_desk(self, desk: Desk) -> int:
        """Cancels every open order of a desk, together where the venue can."""
        orders = [o for o in self.blotter.open_orders(desk.number, desk.index) if self.blotter.can_cancel(o)]
        sent = self._wire.cancel_together(desk.line, orders, lambda o: self._decide(DecisionKind.CANCEL, desk, o))
        return sent or sum(self.cancel(desk, order.number) for order in orders)

    def _pull(self, desks: Iterable[Desk]) -> None:
        for desk in desks:
            self.cancel_desk(desk)

    def _ask(self, desk: Desk, order: Order, kind: DecisionKind) -> bool:
        """Sends a cancel, a query or a request for fills; False when there is no way to send it by."""
        try:
            payload = encoded(self.lines[desk.line].orders, kind, order, self.now_ns)
        except LocalProtocolError:
            return False
        self._decide(kind, desk, order=order)
        self._wire.write(desk.line, payload)
        if kind is DecisionKind.CANCEL:
            self.tell(self.blotter.cancel_sent(order, self.now_ns))
        return True

    def _deny(self, desk: Desk, code: str) -> int:
        self.measures.deny(code, desk.number)
        self._decide(DecisionKind.DENY, desk, code=code)
        return 0

    def _decide(
        self,
        kind: DecisionKind,
        desk: Desk | None = None,
        order: Order | None = None,
        code: str = "",
        lots: int = 0,
    ) -> None:
        """Journals one decision; ``lots`` where they are not those of the order's request."""
        payload = self.log.about(kind, self.now_ns, None if desk is None else desk.intent, order, code, lots)
        self._record(RecordKind.DECISION, 0, self.now_ns, payload)

    # ---- outcomes ---------------------------------------------------------------------------------------------------

    def _outcomes(self, outcomes: Iterable[Outcome]) -> None:
        for outcome in outcomes:
            order = outcome.order
            if isinstance(outcome, Alert):
                self._observer.alert(outcome.kind.value, outcome.detail)
            if order is None:
                continue
            desk = self._by_owner[order.strategy, order.instrument_index]
            if isinstance(outcome, Alert):
                if outcome.kind is AlertKind.OVERFILL:
                    self._halt_desk(desk, f"order {order.client_id} was filled beyond its quantity")
            elif isinstance(outcome, Demand):
                self._ask(desk, order, DEMANDS[outcome.what])
            elif isinstance(outcome, Filled):
                desk.account.apply(outcome.fill)
                self._observer.filled(outcome.fill)
                if not desk.halted:
                    self.call(desk, desk.handlers.on_fill, outcome.fill, desk.book, desk)
            else:
                self.measures.order_updated(order, self._cells[MARK])
                if not desk.halted:
                    self.call(desk, desk.handlers.on_order, order, desk.book, desk)
