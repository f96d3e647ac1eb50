"""How many orders per second a strategy may send in one instrument (control 8).

The generic cell rate algorithm (ITU-T I.371, virtual scheduling): one integer per strategy and instrument, the
theoretical arrival time of the next order. The gate asks this check last, so that orders which other checks deny use
nothing up; an order that is sent uses its share up whatever the venue answers, so rejects count. Cancels are never
throttled.
"""

from __future__ import annotations

from typing import Any, ClassVar

from attrs import field, frozen

from bloor.hookspecs import hookimpl
from bloor.market.view import BookView
from bloor.model.decimals import INT64_MAX
from bloor.model.instrument import Instrument
from bloor.risk.check import Control, Exposure, OrderIntent, RiskCheck
from bloor.risk.compiled import CompiledCheck, cells_of
from bloor.risk.limits import stated
from bloor_risk.kernels import message_rate as kernel
from bloor_risk.units import positive

__all__ = ["MessageRate", "MessageRateConfig", "bloor_risk_check"]

MESSAGE_RATE_ABOVE_MAX = 1
STRATEGY_UNKNOWN = 2

#: Strategies of a run that have room; an order of any other is denied.
MAX_STRATEGIES = 256
#: When an order is due of a strategy that has sent none.
_NEVER_NS = -INT64_MAX - 1


@frozen(kw_only=True)
class MessageRateConfig:
    """The section ``[risk.message-rate]``; both limits are per strategy and instrument.

    Attributes:
        orders_per_second: The rate that can be kept up.
        burst: How many orders may be sent at once after a pause.
    """

    orders_per_second: int | None = field(default=None, validator=positive)
    burst: int | None = field(default=None, validator=positive)


class MessageRate(RiskCheck):
    """Denies an order that comes before its time. A clock that goes backwards gives no orders away."""

    name: ClassVar[str] = "message-rate"
    controls: ClassVar[frozenset[Control]] = frozenset({Control.MESSAGE_RATE})
    limits: ClassVar[type[Any]] = MessageRateConfig
    codes: ClassVar[dict[int, str]] = {
        MESSAGE_RATE_ABOVE_MAX: "MESSAGE_RATE_ABOVE_MAX",
        STRATEGY_UNKNOWN: "STRATEGY_UNKNOWN",
    }

    def __init__(self, limits: MessageRateConfig, instruments: tuple[Instrument, ...]) -> None:
        rate = stated(limits.orders_per_second, "risk.message-rate.orders_per_second")
        burst = stated(limits.burst, "risk.message-rate.burst")
        self._interval_ns = -(-1_000_000_000 // rate)  # rounded up: never faster than the limit
        self._tolerance_ns = min(self._interval_ns * (burst - 1), INT64_MAX)
        self._instruments = len(instruments)
        never = [_NEVER_NS] * (MAX_STRATEGIES * len(instruments))
        self._cells = cells_of([self._interval_ns, self._tolerance_ns, MAX_STRATEGIES, len(instruments), *never])
        self._due_ns = memoryview(self._cells.data)[kernel.DUE_NS :]

    @classmethod
    def sim_limits(cls) -> MessageRateConfig:
        """50 a second, 100 at once."""
        return MessageRateConfig(orders_per_second=50, burst=100)

    def check(self, order: OrderIntent, book: BookView, exposure: Exposure, now_ns: int) -> int:
        """Takes one share, or denies and takes none."""
        strategy = order.strategy
        if not 0 <= strategy < MAX_STRATEGIES:
            return STRATEGY_UNKNOWN
        at = strategy * self._instruments + order.instrument
        due_ns = self._due_ns[at]
        if now_ns < due_ns - self._tolerance_ns:
            return MESSAGE_RATE_ABOVE_MAX
        self._due_ns[at] = min(max(due_ns, now_ns) + self._interval_ns, INT64_MAX)
        return 0

    def compiled(self) -> CompiledCheck:
        """The same times: both forms read and write them in one place."""
        return CompiledCheck((kernel,), self._cells)


@hookimpl
def bloor_risk_check() -> type[RiskCheck]:
    """The check's class."""
    return MessageRate
