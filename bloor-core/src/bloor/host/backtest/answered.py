"""What a venue really answered in a recorded session, and how long that took.

The session is replayed; the engine that replays it notes when each strategy began and every answer that it heard.
Played to a backtest, the answers take the place of a simulated venue (:mod:`bloor.backtesting.recorded`). Their times
alone are a latency model, :class:`Paced`.

A request's way is divided in the middle, as nobody's clock was at both ends. Where the venue has stamped a fill that
came of it, the middle is moved into the time that the stamp leaves open: most venues cut stamps to a millisecond.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from decimal import Decimal
from typing import Any, ClassVar

import numpy as np
from attrs import frozen

from bloor.backtesting import layout as at
from bloor.backtesting.models.latency import LONGEST_NS, LatencyModel
from bloor.engine.core import Engine
from bloor.engine.desk import Desk
from bloor.execution.fees import base_fee_units
from bloor.execution.life import Status
from bloor.execution.order import Order
from bloor.execution.outcomes import Filled, Outcome, Updated
from bloor.model.orders import Liquidity, OrderType, ReportKind, TimeInForce, VenueReport
from bloor.native.memory import Cells

__all__ = ["AnsweredEngine", "Heard", "Paced", "paced"]

_ENDS = {Status.CANCELLED: at.CANCELLED, Status.EXPIRED: at.EXPIRED, Status.REJECTED: at.REJECTED}
_MS = 1_000_000


@frozen(kw_only=True)
class Heard:
    """An answer, as far as its time goes.

    Attributes:
        number: Of the order.
        sent_ns: When the request that it answers was decided on; 0 of a fill that nobody asked for at that moment.
        recv_ns: When it was received.
        exch_ns: The venue's time; 0 where it said none.
    """

    number: int
    sent_ns: int
    recv_ns: int
    exch_ns: int = 0


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
        return self._apply(report, now_ns)

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

    def _hear(self, order: Order, sent_ns: int, exch_ns: int) -> None:
        self.heard.setdefault(order.instrument_index, []).append(
            Heard(number=order.number, sent_ns=sent_ns, recv_ns=self.now_ns, exch_ns=exch_ns)
        )

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
        self._hear(order, sent_ns, fill.exch_ns)

    def _note_update(self, order: Order) -> None:
        status = Status(order.status)
        if order.number in self._over:
            return
        if status in _ENDS and order.closed:
            self._over.add(order.number)
            asked_ns = _asked_ns(order, status)
            self.gave_way |= not asked_ns
            self._note(order, _ENDS[status], 0, 0, 0, 1, self.now_ns, 0)
            self._hear(order, asked_ns, self._said_ns)
        elif status is Status.NEW:
            self._note(order, at.ACKED, 0, 0, 0, 0, self.now_ns, 0)
            self._hear(order, order.created_ns, self._said_ns)


def _asked_ns(order: Order, status: Status) -> int:
    """When what ended an order was asked for; 0 when the venue ended it by itself."""
    if status is Status.CANCELLED:
        return order.cancel_ns
    rests = order.request.tif is TimeInForce.GTC and order.request.type is not OrderType.MARKET
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


def paced(
    heard: Sequence[Heard],
    clock_offset_ns: int = 0,
    moments: tuple[Cells, Cells] | None = None,
) -> Paced | None:
    """The latencies of the answers in one instrument; None when no request was answered.

    Args:
        heard: The answers, in the order in which they were received.
        clock_offset_ns: What is taken off the venue's times.
        moments: Where fills and the market do not share a clock: when each event of the market was
            received, never falling, and when it happened at the venue. A fill then happened with the event that was
            received last.
    """
    grain = _grain(each.exch_ns for each in heard if each.exch_ns)
    asked: dict[tuple[int, int], list[Heard]] = {}
    happened: list[tuple[int, int]] = []
    for each in heard:
        if each.sent_ns:
            asked.setdefault((each.sent_ns, each.number), []).append(each)
        elif moments is not None:
            happened.append((_with(moments, each.recv_ns), each.recv_ns))
        elif each.exch_ns:
            happened.append((each.exch_ns - clock_offset_ns, each.recv_ns))
    sent: list[tuple[int, int]] = []
    for (sent_ns, _), answers in asked.items():
        stamps = [each.exch_ns - clock_offset_ns for each in answers if each.exch_ns]
        there_ns = _there(sent_ns, answers[0].recv_ns, stamps[0] if stamps else None, grain)
        sent.append((sent_ns, there_ns))
        happened += [(there_ns, each.recv_ns) for each in answers]
    if not sent:
        return None
    sent.sort()
    happened.sort()
    return Paced(
        entry=_between(sent), sent=np.array(sent, np.int64)[:, 0].copy(),
        response=_between(happened), happened=np.array(happened, np.int64)[:, 0].copy(),
    )  # fmt: skip


def _with(moments: tuple[Cells, Cells], recv_ns: int) -> int:
    """When the market's last event before a time happened."""
    received, happened = moments
    return int(happened[max(0, int(np.searchsorted(received, recv_ns, side="right")) - 1)])


def _between(pairs: Sequence[tuple[int, int]]) -> Cells:
    return np.array([min(max(late - early, 1), LONGEST_NS) for early, late in pairs], np.int64)


def _grain(stamps: Iterable[int]) -> int:
    """How finely a venue's stamps are cut: to a millisecond, or to less."""
    return math.gcd(_MS, *stamps)


def _there(sent_ns: int, recv_ns: int, stamp: int | None, grain: int) -> int:
    """When a request was at the venue: in the middle, as far as the stamp of what came of it lets it be."""
    middle = (sent_ns + recv_ns) // 2
    if stamp is None:
        return max(middle, sent_ns + 1)
    first, last = max(stamp, sent_ns + 1), min(stamp + grain - 1, recv_ns - 1)
    return min(max(middle, first), last) if first <= last else max(middle, sent_ns + 1)
