"""What became of each order of a session, and of the same orders put to the simulated venue at the same times.

That measures the models of fills alone. In a backtest a strategy reacts to its fills, so that one fill more or less
leads to other orders from there on; here every order is there again, whatever became of those before it.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterable, Mapping, Sequence
from enum import Enum
from typing import Any

from attrs import evolve, frozen

from bloor.backtesting import layout as at
from bloor.backtesting.script import Asked, Told
from bloor.engine.decisions import DecisionKind
from bloor.execution.life import Status
from bloor.execution.order import Order
from bloor.host.backtest.agreement import spread
from bloor.model.instrument import Instrument
from bloor.model.orders import Fill, OrderType
from bloor.native.memory import Cells

__all__ = ["End", "Fate", "Fates", "asked_of", "compared_fates", "fates_of", "fates_told"]


class End(Enum):
    """How an order ended."""

    FILLED = "filled"
    #: We asked for it.
    CANCELLED = "cancelled"
    #: The venue ended it by itself: what was left of an order that takes, or one that gave way to another of ours.
    EXPIRED = "expired"
    REJECTED = "rejected"
    OPEN = "still open"


@frozen(kw_only=True)
class Fate:
    """What became of an order.

    Attributes:
        units: How much of it was filled.
        end: How it ended.
        filled_ns: When each of its fills was received.
    """

    units: int = 0
    end: End = End.OPEN
    filled_ns: tuple[int, ...] = ()


@frozen(kw_only=True)
class Fates:
    """How many orders had the same fate.

    Attributes:
        orders: Orders of the session.
        same: How many of them filled as much and ended in the same way when they were put to the simulated venue.
        first: The first that did not, in words; empty when all did.
        apart_ns: How far apart in time orders with the same fate were filled, by their last fills: the median, the 90th
            percentile and the most.
    """

    orders: int
    same: int
    first: str
    apart_ns: tuple[int, int, int]

    @property
    def share(self) -> float:
        """Orders with the same fate by orders; 1 without any."""
        return self.same / self.orders if self.orders else 1.0

    def as_dict(self) -> dict[str, Any]:
        """Plain data."""
        return {
            "orders": self.orders, "same": self.same, "share": round(self.share, 4), "first_difference": self.first,
            "fills_apart_ns": dict(zip(("p50", "p90", "max"), self.apart_ns, strict=True)),
        }  # fmt: skip


def fates_of(orders: Iterable[Order], fills: Iterable[Fill]) -> dict[int, Fate]:
    """What became of the orders of a session: number of the order -> its fate."""
    received: dict[str, list[int]] = {}
    for fill in fills:
        received.setdefault(fill.client_id, []).append(fill.recv_ns)
    return {
        order.number: Fate(units=order.filled, end=_end(order), filled_ns=tuple(received.get(order.client_id, ())))
        for order in orders
    }


def _end(order: Order) -> End:
    status = Status(order.status)
    if status is Status.CANCELLED:
        return End.CANCELLED if order.cancel_ns else End.EXPIRED
    return {Status.FILLED: End.FILLED, Status.EXPIRED: End.EXPIRED, Status.REJECTED: End.REJECTED}.get(status, End.OPEN)


def asked_of(
    decisions: Cells, index: int, instrument: Instrument, orders: Sequence[Order], fates: Mapping[int, Fate]
) -> list[Asked]:
    """What a session asked for in one instrument.

    An order that replaced another is put by itself, beside a cancel of the other: whether the other is still there must
    not decide on it. Where the session's was rejected, that may have been why, and it is put as it was.

    Args:
        decisions: ``(n, 8)``, records of :mod:`bloor.engine.decisions`.
        index: Of the instrument.
        instrument: The instrument itself.
        orders: The orders of the session.
        fates: What became of them.
    """
    numbers = {zlib.crc32(order.client_id.encode()): order.number for order in orders}
    known = {order.number for order in orders}
    found: list[Asked] = []
    for head, who, number, price, lots, ns in decisions[:, :6].tolist():
        kind = _KINDS.get(head & 255)
        if kind is None or head >> 32 != index or number not in known:
            continue
        made = Asked(
            kind=kind, ns=ns, number=number, side=1 if head >> 8 & 255 == 1 else -1, price=price,
            units=lots * instrument.lot_units, type=head >> 16 & 255, tif=head >> 24 & 255,
        )  # fmt: skip
        if kind != at.REPLACE:
            found.append(made)
            continue
        old = numbers[who >> 32 & _LOW32]
        if fates[number].end is End.REJECTED:
            untouched = all(filled_ns > ns for filled_ns in fates[old].filled_ns)
            found.append(evolve(made, replaces=old, untouched=untouched))
        else:
            found += [Asked(kind=at.CANCEL, ns=ns, number=old), evolve(made, kind=at.PLACE)]
    return found


def fates_told(told: Iterable[Told]) -> dict[int, Fate]:
    """What became of orders by what the venue answered: number of the order -> its fate."""
    found: dict[int, Fate] = {}
    for each in told:
        fate = found.get(each.number, Fate())
        if each.kind == at.FILLED:
            fate = evolve(fate, units=fate.units + each.units, filled_ns=(*fate.filled_ns, each.recv_ns))
        if each.last:
            fate = evolve(fate, end=_ENDS[each.kind])
        found[each.number] = fate
    return found


def compared_fates(orders: Sequence[Order], theirs: Mapping[int, Fate], ours: Mapping[int, Fate]) -> Fates:
    """Compares what became of the orders of a session with what became of them here."""
    same, first, apart = 0, "", []
    for order in orders:
        there, here = theirs[order.number], ours.get(order.number, Fate())
        if (there.units, there.end) == (here.units, here.end) or _refused(order, there, here):
            same += 1
            if there.filled_ns and here.filled_ns:
                apart.append(abs(here.filled_ns[-1] - there.filled_ns[-1]))
        elif not first:
            first = f"{_said(order)}: {_became(order, there)} in the session, {_became(order, here)} here"
    return Fates(orders=len(orders), same=same, first=first, apart_ns=spread(apart))


def _refused(order: Order, there: Fate, here: Fate) -> bool:
    """Whether both mean that a post-only order would have taken: some venues reject it, at others it expires."""
    ends = {there.end, here.end}
    post_only = order.request.type is OrderType.POST_ONLY
    return post_only and ends == {End.EXPIRED, End.REJECTED} and there.units == here.units == 0


def _said(order: Order) -> str:
    instrument, side = order.instrument, "buy" if order.side > 0 else "sell"
    price = instrument.format_price(order.price) if order.price else "the market"
    return (
        f"order {order.number}, {side} {instrument.format_lots(order.request.lots)} {instrument.symbol} at {price} at "
        f"{order.created_ns} ns"
    )


def _became(order: Order, fate: Fate) -> str:
    filled = order.instrument.format_qty(fate.units)
    when = f" at {fate.filled_ns[-1]} ns" if fate.filled_ns else ""
    return f"{fate.end.value}, {filled} filled{when}"


_LOW32 = (1 << 32) - 1
_KINDS = {
    int(DecisionKind.PLACE): at.PLACE, int(DecisionKind.CANCEL): at.CANCEL,
    int(DecisionKind.REPLACE): at.REPLACE, int(DecisionKind.AMEND): at.AMEND,
}  # fmt: skip
_ENDS = {
    at.FILLED: End.FILLED, at.CANCELLED: End.CANCELLED, at.EXPIRED: End.EXPIRED, at.REJECTED: End.REJECTED,
}  # fmt: skip
