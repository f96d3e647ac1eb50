"""The price collar: a limit price far from a fresh reference is a mistake (control 4).

The reference is the mid of the order's own book. One that is stale, one-sided, crossed or not synchronised is no
reference, and denies.
"""

from __future__ import annotations

from decimal import ROUND_FLOOR, Decimal
from typing import Any, ClassVar

from attrs import field, frozen

from bloor.config.duration import Duration
from bloor.hookspecs import hookimpl
from bloor.market.view import BookState, BookView
from bloor.model.decimals import INT64_MAX
from bloor.model.instrument import Instrument
from bloor.risk.check import Control, Exposure, OrderIntent, RiskCheck
from bloor.risk.compiled import CompiledCheck, cells_of
from bloor.risk.limits import stated
from bloor_risk.kernels import price_collar as kernel
from bloor_risk.units import non_negative

__all__ = ["PriceCollar", "PriceCollarConfig", "bloor_risk_check"]

REFERENCE_UNSYNCHRONISED = 1
REFERENCE_ONE_SIDED = 2
REFERENCE_CROSSED = 3
REFERENCE_STALE = 4
PRICE_THROUGH_COLLAR = 5
PRICE_AWAY_FROM_COLLAR = 6

_ONE = kernel.ONE
#: What a basis point is of that.
_PART = _ONE // 10_000
_SYNCED = int(BookState.SYNCED)


@frozen(kw_only=True)
class PriceCollarConfig:
    """The section ``[risk.price-collar]``.

    Attributes:
        max_through_bps: How far a price may be on the expensive side of the mid (a buy above it, a sell below it), in
            basis points.
        max_away_bps: How far a price may be on the cheap side of the mid, in basis points.
        max_age: How old the book may be.
    """

    max_through_bps: Decimal | None = field(default=None, validator=non_negative)
    max_away_bps: Decimal | None = field(default=None, validator=non_negative)
    max_age: Duration | None = None


class PriceCollar(RiskCheck):
    """Denies a price outside the collar; a price exactly at its edge passes."""

    name: ClassVar[str] = "price-collar"
    controls: ClassVar[frozenset[Control]] = frozenset({Control.COLLAR})
    limits: ClassVar[type[Any]] = PriceCollarConfig
    codes: ClassVar[dict[int, str]] = {
        REFERENCE_UNSYNCHRONISED: "REFERENCE_UNSYNCHRONISED",
        REFERENCE_ONE_SIDED: "REFERENCE_ONE_SIDED",
        REFERENCE_CROSSED: "REFERENCE_CROSSED",
        REFERENCE_STALE: "REFERENCE_STALE",
        PRICE_THROUGH_COLLAR: "PRICE_THROUGH_COLLAR",
        PRICE_AWAY_FROM_COLLAR: "PRICE_AWAY_FROM_COLLAR",
    }

    def __init__(self, limits: PriceCollarConfig, instruments: tuple[Instrument, ...]) -> None:
        self._through = _parts(stated(limits.max_through_bps, "risk.price-collar.max_through_bps"))
        self._away = _parts(stated(limits.max_away_bps, "risk.price-collar.max_away_bps"))
        self._max_age_ns = min(stated(limits.max_age, "risk.price-collar.max_age").ns, INT64_MAX)

    @classmethod
    def sim_limits(cls) -> PriceCollarConfig:
        """2 % through the mid, 20 % away from it, a book of at most 5 s."""
        return PriceCollarConfig(
            max_through_bps=Decimal(200), max_away_bps=Decimal(2_000), max_age=Duration(5_000_000_000)
        )

    def check(self, order: OrderIntent, book: BookView, exposure: Exposure, now_ns: int) -> int:
        """Compares the price with the mid, exactly, in twice ticks."""
        if book.state != _SYNCED:
            return REFERENCE_UNSYNCHRONISED
        if not book.two_sided:
            return REFERENCE_ONE_SIDED
        bid, ask = book.best_bid, book.best_ask
        if bid >= ask:
            return REFERENCE_CROSSED
        if not 0 <= now_ns - book.recv_ns <= self._max_age_ns:
            return REFERENCE_STALE
        mid2 = bid + ask
        # above zero: on the expensive side
        through2 = 2 * order.price - mid2 if order.side > 0 else mid2 - 2 * order.price
        if through2 > 0:
            return PRICE_THROUGH_COLLAR if through2 * _ONE > self._through * mid2 else 0
        return PRICE_AWAY_FROM_COLLAR if -through2 * _ONE > self._away * mid2 else 0

    def compiled(self) -> CompiledCheck:
        """The same limits."""
        return CompiledCheck((kernel,), cells_of([self._through, self._away, self._max_age_ns]))


def _parts(bps: Decimal) -> int:
    """Basis points in 1/10,000 of one, rounded down; at most what can be added to one in 63 bits."""
    return min(int((bps * _PART).to_integral_value(ROUND_FLOOR)), INT64_MAX - _ONE)


@hookimpl
def bloor_risk_check() -> type[RiskCheck]:
    """The check's class."""
    return PriceCollar
