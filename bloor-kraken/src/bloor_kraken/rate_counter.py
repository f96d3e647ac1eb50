"""The trading engine's rate counters, kept on our side so that they are never overrun (sans I/O).

Kraken counts for each pair: a new order costs 1; changing or cancelling one costs the more the younger it is. The
counter sinks steadily; a request that would lift it above its maximum is refused, a cancel among them
(docs.kraken.com, "Spot trading rate limits").

:class:`PairCounter` keeps one promise: **what is open can always be cancelled at once.** A new order is let out only if
the counter, its own cost, and the cost of cancelling it and everything else that is open now fit together below the
maximum. Waiting makes cancels cheaper and the counter smaller, so what fitted once fits ever after; nothing has to be
kept back for later, and cancels are never asked about.

What the venue says of its own counter counts when it is more than what we know of: other programs may share the pair.
All costs are integers, the counter is kept in thousandths.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from attrs import define, field

from bloor.errors import MoneyError
from bloor.model.decimals import parse_units
from bloor_kraken.config import Tier

__all__ = [
    "POINT",
    "TIERS",
    "Limits",
    "PairCounter",
    "RateCounters",
    "amend_cost",
    "cancel_cost",
    "limits_of_maximum",
    "points",
]

SECOND = 1_000_000_000
#: Points are counted in thousandths.
POINT = 1_000

#: ``(younger than this many seconds, cost)``; nothing beyond.
_CANCEL = ((5, 8), (10, 6), (15, 5), (45, 4), (90, 2), (300, 1))
_AMEND = ((5, 3), (10, 2), (15, 1))
_FIXED = 1
#: By how much two requests may differ in how long they are under way: so much younger an order may be at the venue.
_UNDERWAY_NS = SECOND


class Limits(NamedTuple):
    """Maximum of a counter, and by how many thousandths it sinks in a second."""

    most: int
    decay: int

    @property
    def usable(self) -> int:
        """What may be used of it, in thousandths.

        Requests are a while under way, at most :data:`_UNDERWAY_NS` more or less: as much later than ours the venue's
        counter begins to sink.
        """
        return POINT * self.most - self.decay * _UNDERWAY_NS // SECOND


TIERS: Mapping[Tier, Limits] = {
    Tier.STARTER: Limits(60, 1_000),
    Tier.INTERMEDIATE: Limits(125, 2_340),
    Tier.PRO: Limits(180, 3_750),
}


def limits_of_maximum(most: int) -> Limits:
    """The limits of the tier with this maximum; of one that is not known, the slowest decay of a lower tier."""
    fitting = [limits for limits in TIERS.values() if limits.most <= most]
    decay = max((limits.decay for limits in fitting), default=TIERS[Tier.STARTER].decay)
    return Limits(most, decay)


def points(text: object) -> int:
    """A counter as the venue says it, in thousandths; 0 for what is no plain number."""
    try:
        return parse_units(str(text), 3)
    except MoneyError:
        return 0


def _cost(table: tuple[tuple[int, int], ...], age_ns: int) -> int:
    seen = max(0, age_ns - _UNDERWAY_NS)
    return next((cost for below_s, cost in table if seen < below_s * SECOND), 0)


def cancel_cost(age_ns: int) -> int:
    """What cancelling an order costs that was placed, or last amended, so long ago."""
    return _cost(_CANCEL, age_ns)


def amend_cost(age_ns: int) -> int:
    """What amending it costs."""
    return _FIXED + _cost(_AMEND, age_ns)


@define
class PairCounter:
    """The counter of one pair.

    Attributes:
        limits: Maximum and decay.
        orders: When each open order was placed or last amended, by our id of it.
    """

    limits: Limits
    orders: dict[str, int] = field(factory=dict)
    _value: int = 0
    _at_ns: int = 0

    def value(self, now_ns: int) -> int:
        """The counter in thousandths."""
        passed_ns = max(0, now_ns - self._at_ns)
        return max(0, self._value - self.limits.decay * passed_ns // SECOND)

    def reserved(self, now_ns: int) -> int:
        """What cancelling everything that is open would cost now, in thousandths."""
        return POINT * sum(cancel_cost(now_ns - since_ns) for since_ns in self.orders.values())

    def lets_out(self, now_ns: int) -> bool:
        """Whether an order can be placed, and everything still be cancelled.

        Amending one costs no more: what it costs and what its cancel becomes dearer by is at most what both are here.
        """
        extra = POINT * (_FIXED + cancel_cost(0))
        return self.value(now_ns) + self.reserved(now_ns) + extra < self.limits.usable

    def placed(self, client_id: str, now_ns: int) -> None:
        """A new order is sent."""
        self._add(_FIXED, now_ns)
        self.orders[client_id] = now_ns

    def amended(self, client_id: str, now_ns: int) -> None:
        """A change is sent."""
        self._add(amend_cost(now_ns - self.orders.get(client_id, now_ns)), now_ns)
        if client_id in self.orders:
            self.orders[client_id] = now_ns

    def cancelled(self, client_id: str, now_ns: int) -> None:
        """A cancel is sent; one that is repeated is counted again, at what the order's age makes of it."""
        self._add(cancel_cost(now_ns - self.orders.get(client_id, now_ns)), now_ns)

    def found(self, client_id: str, now_ns: int) -> None:
        """An order of which nothing was known is open: it may be young."""
        self.orders.setdefault(client_id, now_ns)

    def ended(self, client_id: str) -> None:
        """An order is open no more."""
        self.orders.pop(client_id, None)

    def said(self, value: int, now_ns: int) -> None:
        """The venue named its counter, in thousandths."""
        if value > self.value(now_ns):
            self._value, self._at_ns = value, now_ns

    def _add(self, cost: int, now_ns: int) -> None:
        self._value, self._at_ns = self.value(now_ns) + POINT * cost, max(self._at_ns, now_ns)


class RateCounters:
    """The counters of every pair that is traded.

    Args:
        symbols: Venue symbols.
        tier: Tier of the account, as long as the venue has not said more.
    """

    def __init__(self, symbols: list[str], tier: Tier) -> None:
        self._pairs = {symbol: PairCounter(TIERS[tier]) for symbol in symbols}

    def __getitem__(self, symbol: str) -> PairCounter:
        return self._pairs[symbol]

    def of(self, symbol: str) -> PairCounter | None:
        """The counter of a pair; None of one that is not traded here."""
        return self._pairs.get(symbol)

    def ended(self, client_id: str) -> None:
        """An order is open no more, in whichever pair."""
        for pair in self._pairs.values():
            pair.ended(client_id)

    def learn(self, most: int) -> None:
        """The venue named the maximum of its counters."""
        for pair in self._pairs.values():
            pair.limits = limits_of_maximum(most)
