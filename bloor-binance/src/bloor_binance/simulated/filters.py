"""The filters that a new order must pass (filters.md); a failure is -1013."""

from __future__ import annotations

from decimal import Decimal

from bloor.model.instrument import Instrument
from bloor.model.orders import OrderType
from bloor_binance.simulated.errors import filter_failure

__all__ = [
    "MAX_AMENDS",
    "MAX_OPEN_ORDERS",
    "MAX_STOP_ORDERS",
    "PERCENT_DOWN",
    "PERCENT_UP",
    "check_amends",
    "check_count",
    "check_notional",
    "check_price",
    "check_qty",
    "max_market_lots",
]

#: Open orders of one account in one symbol, and how many of them may wait for a stop price.
MAX_OPEN_ORDERS, MAX_STOP_ORDERS = 200, 5
#: How often one order may be amended.
MAX_AMENDS = 10
#: How far from the last price a limit may be.
PERCENT_UP, PERCENT_DOWN = Decimal(5), Decimal("0.2")
#: Price and quantity of a request are counted in 1e-8.
_DECIMALS = 8


def check_price(instrument: Instrument, price_units: int, last_ticks: int) -> int:
    """A price in 1e-8 as ticks. Raises ApiError -1013 PRICE_FILTER or PERCENT_PRICE_BY_SIDE."""
    ticks, rest = divmod(price_units * _scale(instrument.price_decimals), instrument.tick_units * _scale(_DECIMALS))
    if rest or not 1 <= ticks <= 100_000_000:
        raise filter_failure("PRICE_FILTER")
    if last_ticks and not last_ticks * PERCENT_DOWN <= ticks <= last_ticks * PERCENT_UP:
        raise filter_failure("PERCENT_PRICE_BY_SIDE")
    return ticks


def check_qty(instrument: Instrument, qty_units: int, *, market_order: bool = False) -> int:
    """A quantity in 1e-8 as units. Raises ApiError -1013 LOT_SIZE or MARKET_LOT_SIZE."""
    units, finer = divmod(qty_units * _scale(instrument.qty_decimals), _scale(_DECIMALS))
    lots, rest = divmod(units, instrument.lot_units)
    if finer or rest or lots < instrument.min_lots or (instrument.max_lots and lots > instrument.max_lots):
        raise filter_failure("LOT_SIZE")
    if market_order and instrument.max_lots and lots > max_market_lots(instrument):
        raise filter_failure("MARKET_LOT_SIZE")
    return units


def max_market_lots(instrument: Instrument) -> int:
    """The largest market order, in lots: a tenth of the largest order."""
    return max(instrument.min_lots, instrument.max_lots // 10)


def check_notional(instrument: Instrument, type: OrderType, ticks: int, units: int) -> None:
    """The value of an order; for a market order at the last price. Raises ApiError -1013 NOTIONAL."""
    value = instrument.price(ticks) * instrument.qty(units)
    if value < instrument.min_notional:
        raise filter_failure("NOTIONAL")
    if type is not OrderType.MARKET and instrument.max_notional and value > instrument.max_notional:
        raise filter_failure("NOTIONAL")


def check_count(open_orders: int, waiting: int, *, stops: bool) -> None:
    """How many orders are open already. Raises ApiError -1013 MAX_NUM_ORDERS or MAX_NUM_ALGO_ORDERS."""
    if open_orders >= MAX_OPEN_ORDERS:
        raise filter_failure("MAX_NUM_ORDERS")
    if stops and waiting >= MAX_STOP_ORDERS:
        raise filter_failure("MAX_NUM_ALGO_ORDERS")


def check_amends(amended: int) -> None:
    """How often an order was amended already. Raises ApiError -1013 MAX_NUM_ORDER_AMENDS."""
    if amended >= MAX_AMENDS:
        raise filter_failure("MAX_NUM_ORDER_AMENDS")


def _scale(decimals: int) -> int:
    scale: int = 10**decimals
    return scale
