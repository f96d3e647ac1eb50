"""What Kraken counts: the trading engine's counter of each pair, and that of private REST requests.

Sources: docs.kraken.com, "Spot Trading Rate Limits" and "Spot REST Rate Limits". Counters fall by themselves; what
would lift one over its maximum is refused.
"""

from __future__ import annotations

from attrs import define, frozen

from bloor_kraken.simulated.errors import ApiError, Text

__all__ = ["Counter", "OrderCounters", "Tier", "amend_cost", "cancel_cost", "edit_cost", "rest_counter"]

_SECOND = 1_000_000_000


@frozen
class Tier:
    """What an account of a level of verification has.

    Attributes:
        most: The trading counter's maximum, of each pair.
        falls: How much it falls in a second.
        open_orders: Open orders of one pair.
    """

    most: int
    falls: float
    open_orders: int


STARTER = Tier(60, 1.0, 60)
INTERMEDIATE = Tier(125, 2.34, 80)
PRO = Tier(180, 3.75, 225)

#: Age in seconds below which a request about an order costs so much.
_AMEND = ((5, 3), (10, 2), (15, 1))
_EDIT = ((5, 6), (10, 5), (15, 4), (45, 2), (90, 1))
_CANCEL = ((5, 8), (10, 6), (15, 5), (45, 4), (90, 2), (300, 1))
#: The account's private REST requests: three times what "Pro" has, since scripts try everything in a row here.
_REST_MOST, _REST_FALLS = 60, 3.0


def amend_cost(age_ns: int) -> int:
    """What amending an order of an age costs."""
    return 1 + _by_age(_AMEND, age_ns)


def edit_cost(age_ns: int) -> int:
    """What editing an order of an age costs."""
    return 1 + _by_age(_EDIT, age_ns)


def cancel_cost(age_ns: int) -> int:
    """What cancelling an order of an age costs."""
    return _by_age(_CANCEL, age_ns)


def _by_age(table: tuple[tuple[int, int], ...], age_ns: int) -> int:
    return next((cost for seconds, cost in table if age_ns < seconds * _SECOND), 0)


@define
class Counter:
    """One counter.

    Attributes:
        most: Its maximum.
        falls: How much it falls in a second.
        value: What it was at :attr:`at_ns`.
        at_ns: When it was last looked at.
    """

    most: float
    falls: float
    value: float = 0.0
    at_ns: int = 0

    def now(self, now_ns: int) -> float:
        """What it is."""
        self.value = max(0.0, self.value - self.falls * max(0, now_ns - self.at_ns) / _SECOND)
        self.at_ns = max(self.at_ns, now_ns)
        return self.value

    def charge(self, cost: float, now_ns: int, text: Text) -> None:
        """Counts a request. Raises ApiError with ``text`` when it would be over the maximum; then it is not."""
        if self.now(now_ns) + cost > self.most:
            raise ApiError(text)
        self.value += cost


class OrderCounters:
    """The trading engine's counters, one a pair, shared by REST and WebSocket.

    Args:
        scale: Multiplies the limits: a recording played faster than real time needs more of everything.
        tier: The account's.
    """

    def __init__(self, scale: int = 1, tier: Tier = PRO) -> None:
        self.tier = tier
        self._scale = scale
        self._counters: dict[str, Counter] = {}

    def of(self, symbol: str) -> Counter:
        """The counter of a pair."""
        counter = self._counters.get(symbol)
        if counter is None:
            counter = Counter(self.tier.most * self._scale, self.tier.falls * self._scale)
            self._counters[symbol] = counter
        return counter

    def charge(self, symbol: str, cost: float, now_ns: int) -> None:
        """Counts a request. Raises ApiError EOrder:Rate limit exceeded."""
        self.of(symbol).charge(cost, now_ns, Text.ORDER_RATE_LIMIT)


def rest_counter(scale: int = 1) -> Counter:
    """The counter of private REST requests of a key."""
    return Counter(_REST_MOST * scale, _REST_FALLS * scale)
