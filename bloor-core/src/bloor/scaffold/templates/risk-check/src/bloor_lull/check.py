"""The plug-in ``lull``: denies orders while the spread of their book is wide.

TODO: your own rule. A check is asked about every order before it is sent, and can only deny. It keeps no clock: the
time comes with the question. A limit that nobody states denies; sim mode has defaults.
"""

from __future__ import annotations

from decimal import ROUND_FLOOR, Decimal
from typing import Any, ClassVar

from attrs import Attribute, field, frozen
from bloor.hookspecs import hookimpl
from bloor.market.view import BookView
from bloor.model.decimals import INT64_MAX
from bloor.model.instrument import Instrument
from bloor.risk.check import Exposure, OrderIntent, RiskCheck
from bloor.risk.compiled import CompiledCheck, cells_of
from bloor.risk.limits import stated

from bloor_lull import kernel

__all__ = ["Lull", "LullConfig", "bloor_risk_check"]


def _at_least_0(_: object, attribute: Attribute[Any], value: Decimal | None) -> None:
    if value is not None and not (value.is_finite() and value >= 0):
        raise ValueError(f"{attribute.name!r} must be a number of at least 0, and is {value}")


@frozen(kw_only=True)
class LullConfig:
    """The section ``[risk.lull]``.

    Attributes:
        max_spread_bps: Widest spread at which orders pass, in basis points of the mid price.
    """

    max_spread_bps: Decimal | None = field(default=None, validator=_at_least_0)


class Lull(RiskCheck):
    """Denies while the spread is wider than the limit, or there is none; a spread at the limit passes."""

    name: ClassVar[str] = "lull"
    limits: ClassVar[type[Any]] = LullConfig
    codes: ClassVar[dict[int, str]] = {
        kernel.BOOK_ONE_SIDED: "BOOK_ONE_SIDED",
        kernel.SPREAD_ABOVE_MAX: "SPREAD_ABOVE_MAX",
    }

    def __init__(self, limits: LullConfig, instruments: tuple[Instrument, ...]) -> None:
        bps = stated(limits.max_spread_bps, "risk.lull.max_spread_bps")
        parts = int((bps * (kernel.ONE // 10_000)).to_integral_value(ROUND_FLOOR))
        self._parts = min(parts, INT64_MAX - 2 * kernel.ONE)

    @classmethod
    def sim_limits(cls) -> LullConfig:
        """Generous: five percent."""
        return LullConfig(max_spread_bps=Decimal(500))

    def check(self, order: OrderIntent, book: BookView, exposure: Exposure, now_ns: int) -> int:
        """Compares the spread with its limit, exactly."""
        if not book.two_sided:
            return kernel.BOOK_ONE_SIDED
        bid, ask = book.best_bid, book.best_ask
        return kernel.SPREAD_ABOVE_MAX if 2 * kernel.ONE * (ask - bid) > self._parts * (ask + bid) else 0

    def compiled(self) -> CompiledCheck:
        """The same limit."""
        return CompiledCheck((kernel,), cells_of([self._parts]))


@hookimpl
def bloor_risk_check() -> type[RiskCheck]:
    """The check's class."""
    return Lull
