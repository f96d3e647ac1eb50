"""What a venue really answered in a recorded session, and how long that took.

The session is replayed; the engine that replays it notes when each strategy began and every answer that it heard.
Played to a backtest, the answers take the place of a simulated venue (:mod:`bloor.backtesting.recorded`). Their times
alone are a latency model, :class:`Paced`.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from decimal import Decimal
from typing import Any, ClassVar

import numpy as np
from attrs import frozen

from bloor.backtesting import layout as at
from bloor.backtesting.models.latency import LONGEST_NS, LatencyModel
from bloor.backtesting.moments import Moments
from bloor.backtesting.stream import Heard, Key
from bloor.engine.core import Engine
from bloor.engine.desk import Desk
from bloor.execution.fees import base_fee_units
from bloor.execution.life import Status
from bloor.execution.order import Order
from bloor.execution.outcomes import Filled, Outcome, Updated
from bloor.model.orders import Liquidity, OrderType, ReportKind, TimeInForce, VenueReport
from bloor.native.memory import Cells

__all__ = ["AnsweredEngine", "Paced", "paced"]

_ENDS = {Status.CANCELLED: at.CANCELLED, Status.EXPIRED: at.EXPIRED, Status.REJECTED: at.REJECTED}


class AnsweredEngine(Engine):
    """An engine that notes when its desks start and what venues answer.

    Attributes:
        starts: When each desk was started.
        given: What each desk had in hand then, in units.
        stopped_ns: When the run was told to stop; 0 when it never was.
        answers: For each instrument, rows ``RECORDED_`` of :mod:`bloor.backtesting.layout`.
        heard: The same answers, as far as their times go.
        gave_way: Whether the venue ended an order that rested by itself, as where the older of two orders of ours gives
            way to the newer.
    """

    def __init__(self, *arguments: Any, **named: Any) -> None:
        self.starts: dict[int, int] = {}
        self.given: dict[int, int] = {}
        self.stopped_ns = 0
        self.answers: dict[int, list[tuple[int, ...]]] = {}
        self.heard: dict[int, list[Heard]] = {}
        self._traded: dict[int, int] = {}
        self._paid: dict[tuple[int, int], Decimal] = {}
        self._over: set[int] = set()
        self._received: set[int] = set()
        self._resting: set[int] = set()
        self.gave_way = False
        self._said_ns = 0
        super().__init__(*arguments, **named)
        self._apply = self.blotter.apply
        self.blotter.apply = self._applied  # type: ignore[method-assign]

    def _applied(self, report: VenueReport, now_ns: int) -> list[Outcome]:
        """What the blotter makes of a report, whose time is noted."""
        order = self.blotter.by_client_id(report.client_id)
        self._said_ns = report.exch_ns
        if order is not None and report.kind is ReportKind.CANCEL_REJECT and order.cancel_ns:
            self._hear(order, order.cancel_ns, report.exch_ns)
        if order is not None and report.kind is ReportKind.ACK:
            self._note_accepted(order, report)
        return self._apply(report, now_ns)

    def _note_accepted(self, order: Order, report: VenueReport) -> None:
        """Notes when an order was there, and that it rests, which the answer to a request may not say."""
        if order.number not in self._received:
            self._received.add(order.number)
            self._hear(order, order.created_ns, report.exch_ns, change=self._left(order))
        if report.cumulative_units >= 0:
            self._resting.add(order.number)

    def stop(self, now_ns: int) -> None:
        """Notes when."""
        self.stopped_ns = now_ns
        super().stop(now_ns)

    def _start(self, desk: Desk) -> None:
        super()._start(desk)
        number = self.desks.index(desk)
        if desk.started and number not in self.starts:
            self.starts[number] = self.now_ns
            self.given[number] = desk.exposure.inventory

    def _outcomes(self, outcomes: Iterable[Outcome]) -> None:
        listed = list(outcomes)
        for outcome in listed:
            if isinstance(outcome, Filled):
                self._note_fill(outcome)
            elif isinstance(outcome, Updated):
                self._note_update(outcome.order)
        self._said_ns = 0
        super()._outcomes(listed)

    def _hear(
        self, order: Order, sent_ns: int, exch_ns: int, *, change: int = 0, trade: str = "", units: int = 0,
        refused: bool = False,
    ) -> None:  # fmt: skip
        self.heard.setdefault(order.instrument_index, []).append(
            Heard(
                number=order.number, sent_ns=sent_ns, recv_ns=self.now_ns, exch_ns=exch_ns, side=order.side,
                price=order.price, change=change, trade=int(trade) if trade.isdecimal() else 0,
                units=units, refused=refused and order.request.type is OrderType.POST_ONLY,
            )
        )  # fmt: skip

    def _note(self, order: Order, *row: int) -> None:
        index, recv_ns = order.instrument_index, self.now_ns
        self.answers.setdefault(index, []).append((recv_ns, order.number, *row, 0)[: at.RECORDED_BYTES // 8])

    def _note_fill(self, outcome: Filled) -> None:
        order, fill = outcome.order, outcome.fill
        traded = self._traded.get(order.number, 0) + fill.units
        self._traded[order.number] = traded
        last = int(traded >= order.lots * order.instrument.lot_units)
        kept, key = 0, (order.strategy, order.instrument_index)
        if fill.fee_asset == order.instrument.base:
            before = self._paid.get(key, Decimal(0))
            self._paid[key] = before + fill.fee
            kept = base_fee_units(self._paid[key], order.instrument) - base_fee_units(before, order.instrument)
        if last:
            self._over.add(order.number)
        maker = int(fill.liquidity == Liquidity.MAKER)
        sent_ns = 0 if maker else order.created_ns
        row = (at.FILLED, fill.price_ticks, fill.units, maker, last, fill.exch_ns, kept)
        self._note(order, *row)
        self._hear(order, sent_ns, fill.exch_ns, trade=fill.trade_id, units=fill.units)

    def _note_update(self, order: Order) -> None:
        status = Status(order.status)
        if order.number in self._over:
            return
        if status in _ENDS and order.closed:
            self._over.add(order.number)
            asked_ns = _asked_ns(order, status, rested=order.number in self._resting)
            refused = status is Status.REJECTED or (status is Status.EXPIRED and asked_ns == order.created_ns)
            self.gave_way |= not asked_ns
            self._note(order, _ENDS[status], 0, 0, 0, 1, self.now_ns, 0)
            change = -self._left(order) if order.cancel_ns and not refused else 0
            self._hear(order, asked_ns, self._said_ns, change=change, refused=refused)
        elif status is Status.NEW:
            self._note(order, at.ACKED, 0, 0, 0, 0, self.now_ns, 0)

    def _left(self, order: Order) -> int:
        """What of an order has not traded, as far as that was heard, units."""
        return order.lots * order.instrument.lot_units - self._traded.get(order.number, 0)


def _asked_ns(order: Order, status: Status, *, rested: bool) -> int:
    """When what ended an order was asked for; 0 when the venue ended by itself what ``rested``."""
    if status is Status.CANCELLED:
        return order.cancel_ns
    rests = rested and order.request.tif is TimeInForce.GTC and order.request.type is not OrderType.MARKET
    return 0 if status is Status.EXPIRED and rests else order.created_ns


@frozen(kw_only=True, eq=False)
class Paced(LatencyModel):
    """Latencies at the times at which they were measured.

    Attributes:
        entry: From a request to the venue, ns, ``(n,)``.
        sent: When the requests were sent, ``(n,)``, never falling.
        response: From the venue to us, ns, ``(m,)``.
        happened: When what was answered happened at the venue, ``(m,)``, never falling.
    """

    name: ClassVar[str] = "paced"
    entry: Cells
    sent: Cells
    response: Cells
    happened: Cells

    def samples(self, seed: int) -> tuple[Cells, Cells]:
        """One of each for each request and each answer."""
        return self.entry, self.response

    def moments(self) -> tuple[Cells, Cells]:
        """When they were measured."""
        return self.sent, self.happened


def paced(heard: Sequence[Heard], found: Moments, offset_ns: int | None, sent: Sequence[Key] = ()) -> Paced | None:
    """The latencies of the answers in one instrument; None when no request was answered.

    What nobody asked for happened with its public trade, else when its stamp says, else with the public event that was
    received last before it.

    Args:
        heard: The answers, in the order in which they were received.
        found: When things happened at the venue.
        offset_ns: What is taken off the venue's times; None where these are of another clock.
        sent: The requests in the order in which they were sent.
    """
    place = {key: number for number, key in enumerate(sent)}
    asked = {(each.number, each.sent_ns) for each in heard if each.sent_ns}
    ordered = sorted(asked, key=lambda key: (key[1], place.get(key, -1), key[0]))
    ways = [(key[1], found.arrived[key]) for key in ordered]
    if not ways:
        return None
    latest = found.latest(np.array([each.recv_ns for each in heard]))
    happened = []
    for each, before_ns in zip(heard, latest.tolist(), strict=True):
        if each.sent_ns:
            ns = found.arrived[each.number, each.sent_ns]
        elif each.trade in found.traded:
            ns = found.traded[each.trade]
        else:
            ns = before_ns if offset_ns is None or not each.exch_ns else each.exch_ns - offset_ns
        happened.append((ns, each.recv_ns))
    happened.sort()
    return Paced(
        entry=_between(ways), sent=np.array(ways, np.int64)[:, 0].copy(),
        response=_between(happened), happened=np.array(happened, np.int64)[:, 0].copy(),
    )  # fmt: skip


def _between(pairs: Sequence[tuple[int, int]]) -> Cells:
    return np.array([min(max(late - early, 1), LONGEST_NS) for early, late in pairs], np.int64)
