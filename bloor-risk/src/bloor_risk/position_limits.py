"""The largest position, in the worst case (controls 5 and 6): every open order may still fill, this one too.

Open orders are counted from the moment they are sent, and those of unknown outcome as a whole; orders on the other
side are never counted as relief. On a spot account nothing is sold that is not there: what is held, less base-asset
fees, less open sells.
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any, ClassVar

from attrs import field, frozen

from bloor.hookspecs import hookimpl
from bloor.market.view import BookView
from bloor.model.decimals import INT64_MAX
from bloor.model.instrument import Instrument
from bloor.risk.check import Control, Exposure, OrderIntent, RiskCheck
from bloor.risk.compiled import CompiledCheck, cells_of
from bloor.risk.limits import stated
from bloor_risk.kernels import bounds as rows
from bloor_risk.kernels import position_limits as kernel
from bloor_risk.units import bounds, for_symbol, non_negative, symbols

__all__ = ["PositionLimits", "PositionLimitsConfig", "bloor_risk_check"]

POSITION_ABOVE_MAX = 1
POSITION_VALUE_ABOVE_MAX = 2
POSITION_SHORT = 3
OPEN_ORDERS_ABOVE_MAX = 4


@frozen(kw_only=True)
class PositionLimitsConfig:
    """The section ``[risk.position-limits]``; each limit is per strategy and instrument.

    Attributes:
        max_position: Largest position, long or short, in the base asset.
        max_position_value: Largest position valued at the price of the order, in the quote asset.
        max_open_orders: Most orders open at a time.
        max_position_by_symbol: Other positions for some symbols, ``BTC-USDT`` or ``binance:BTC-USDT``.
    """

    max_position: Decimal | None = field(default=None, validator=non_negative)
    max_position_value: Decimal | None = field(default=None, validator=non_negative)
    max_open_orders: int | None = field(default=None, validator=non_negative)
    max_position_by_symbol: Mapping[str, Decimal] = field(factory=dict, validator=symbols)


class PositionLimits(RiskCheck):
    """Denies an order that could, in the worst case, take the position past its limits. At a limit it passes.

    An order that brings the worst case nearer to zero passes the position limits even from beyond them, so that a
    position that is too large (after an overfill) can be reduced.
    """

    name: ClassVar[str] = "position-limits"
    controls: ClassVar[frozenset[Control]] = frozenset({Control.POSITION})
    limits: ClassVar[type[Any]] = PositionLimitsConfig
    codes: ClassVar[dict[int, str]] = {
        POSITION_ABOVE_MAX: "POSITION_ABOVE_MAX",
        POSITION_VALUE_ABOVE_MAX: "POSITION_VALUE_ABOVE_MAX",
        POSITION_SHORT: "POSITION_SHORT",
        OPEN_ORDERS_ABOVE_MAX: "OPEN_ORDERS_ABOVE_MAX",
    }

    def __init__(self, limits: PositionLimitsConfig, instruments: tuple[Instrument, ...]) -> None:
        position = stated(limits.max_position, "risk.position-limits.max_position")
        value = stated(limits.max_position_value, "risk.position-limits.max_position_value")
        open_orders = stated(limits.max_open_orders, "risk.position-limits.max_open_orders")
        self._max_open_orders = min(open_orders, INT64_MAX)
        self._bounds = [
            bounds(for_symbol(limits.max_position_by_symbol, instrument, position), value, instrument)
            for instrument in instruments
        ]

    @classmethod
    def sim_limits(cls) -> PositionLimitsConfig:
        """As large as the simulated account, 100,000 of the quote asset."""
        return PositionLimitsConfig(
            max_position=Decimal(1_000_000), max_position_value=Decimal(100_000), max_open_orders=200
        )

    def check(self, order: OrderIntent, book: BookView, exposure: Exposure, now_ns: int) -> int:
        """Compares the worst case after this order."""
        if exposure.open_orders >= self._max_open_orders:
            return OPEN_ORDERS_ABOVE_MAX
        if order.side > 0:
            worst = exposure.position + exposure.open_buy + order.units
        else:
            worst = exposure.open_sell + order.units - exposure.position
            if worst > exposure.inventory:
                return POSITION_SHORT
        if worst <= 0:  # even the worst case is on the other side of zero, so this order can only reduce
            return 0
        max_units, tick_units, max_value = self._bounds[order.instrument]
        if worst > max_units:
            return POSITION_ABOVE_MAX
        return POSITION_VALUE_ABOVE_MAX if worst * order.price * tick_units > max_value else 0

    def compiled(self) -> CompiledCheck:
        """The same bounds, a row for each instrument."""
        cells = [self._max_open_orders, *(cell for bound in self._bounds for cell in bound.cells())]
        return CompiledCheck((rows, kernel), cells_of(cells))


@hookimpl
def bloor_risk_check() -> type[RiskCheck]:
    """The check's class."""
    return PositionLimits
