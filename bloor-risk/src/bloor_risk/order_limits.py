"""The largest order: by quantity, and by value in the quote asset (controls 2 and 3)."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any, ClassVar

from attrs import field, frozen

from bloor.hookspecs import hookimpl
from bloor.market.view import BookView
from bloor.model.instrument import Instrument
from bloor.risk.check import Control, Exposure, OrderIntent, RiskCheck
from bloor.risk.compiled import CompiledCheck, cells_of
from bloor.risk.limits import stated
from bloor_risk.kernels import bounds as rows
from bloor_risk.kernels import order_limits as kernel
from bloor_risk.units import bounds, for_symbol, non_negative, symbols

__all__ = ["OrderLimits", "OrderLimitsConfig", "bloor_risk_check"]

QUANTITY_ABOVE_MAX = 1
VALUE_ABOVE_MAX = 2


@frozen(kw_only=True)
class OrderLimitsConfig:
    """The section ``[risk.order-limits]``.

    Attributes:
        max_quantity: Largest quantity of one order, in the base asset.
        max_value: Largest price times quantity of one order, in the quote asset.
        max_quantity_by_symbol: Other quantities for some symbols, ``BTC-USDT`` or ``binance:BTC-USDT``.
    """

    max_quantity: Decimal | None = field(default=None, validator=non_negative)
    max_value: Decimal | None = field(default=None, validator=non_negative)
    max_quantity_by_symbol: Mapping[str, Decimal] = field(factory=dict, validator=symbols)


class OrderLimits(RiskCheck):
    """Denies an order that is larger than its limits; an order exactly at a limit passes."""

    name: ClassVar[str] = "order-limits"
    controls: ClassVar[frozenset[Control]] = frozenset({Control.QUANTITY, Control.VALUE})
    limits: ClassVar[type[Any]] = OrderLimitsConfig
    codes: ClassVar[dict[int, str]] = {
        QUANTITY_ABOVE_MAX: "QUANTITY_ABOVE_MAX",
        VALUE_ABOVE_MAX: "VALUE_ABOVE_MAX",
    }

    def __init__(self, limits: OrderLimitsConfig, instruments: tuple[Instrument, ...]) -> None:
        quantity = stated(limits.max_quantity, "risk.order-limits.max_quantity")
        value = stated(limits.max_value, "risk.order-limits.max_value")
        self._bounds = [
            bounds(for_symbol(limits.max_quantity_by_symbol, instrument, quantity), value, instrument)
            for instrument in instruments
        ]

    @classmethod
    def sim_limits(cls) -> OrderLimitsConfig:
        """Generous: the simulated account holds 100,000 of the quote asset."""
        return OrderLimitsConfig(max_quantity=Decimal(1_000_000), max_value=Decimal(50_000))

    def check(self, order: OrderIntent, book: BookView, exposure: Exposure, now_ns: int) -> int:
        """Compares quantity and value. The value of a market order is that of the touch in ``order.price``."""
        max_units, tick_units, max_value = self._bounds[order.instrument]
        units = order.units
        if units > max_units:
            return QUANTITY_ABOVE_MAX
        return VALUE_ABOVE_MAX if order.price * tick_units * units > max_value else 0

    def compiled(self) -> CompiledCheck:
        """The same bounds, a row for each instrument."""
        return CompiledCheck((rows, kernel), cells_of(cell for bound in self._bounds for cell in bound.cells()))


@hookimpl
def bloor_risk_check() -> type[RiskCheck]:
    """The check's class."""
    return OrderLimits
