"""What a handler asks of its desk (kernels; hot path): :class:`bloor.strategy.api.Orders` over an ``OrdersRecord``.

``orders`` is the address of the record everywhere.
"""

from __future__ import annotations

from typing import Any

from bloor.model.orders import OrderType, Side, TimeInForce
from bloor.native.memory import call4, call6, cell_at, float_at, product_float, put_cell
from bloor.risk.check import Exposure
from bloor.strategy.memory import OrdersRecord

__all__ = ["EXPOSURE", "amend", "buy", "cancel", "cancel_all", "lots_for", "of", "replace", "sell", "sellable_lots"]

_fields: Any = OrdersRecord.DTYPE.fields
NOW: int = _fields["now_ns"][1]
EXPOSURE: int = _fields["exposure"][1]
LOT_UNITS: int = _fields["lot_units"][1]
TICK_UNITS: int = _fields["tick_units"][1]
VALUE_SCALE: int = _fields["value_scale"][1]
PLACE: int = _fields["place"][1]
CANCEL: int = _fields["cancel"][1]
CANCEL_ALL: int = _fields["cancel_all"][1]
REPLACE: int = _fields["replace"][1]
AMEND: int = _fields["amend"][1]
LEGS: int = _fields["legs"][1]
DESKS: int = _fields["desks"][1]
_held: Any = Exposure.DTYPE.fields
POSITION: int = _held["position"][1]
OPEN_SELL: int = _held["open_sell"][1]
INVENTORY: int = _held["inventory"][1]

BUY, SELL = int(Side.BUY), int(Side.SELL)
LIMIT, POST_ONLY = int(OrderType.LIMIT), int(OrderType.POST_ONLY)
GTC, IOC = int(TimeInForce.GTC), int(TimeInForce.IOC)
#: The first float past int64.
PAST = 2.0**63


def buy(orders: int, price: int, lots: int, post_only: bool = False, ioc: bool = False) -> int:
    """Asks for a limit buy order; its number, or 0 when it was denied."""
    return place(orders, BUY, price, lots, post_only, ioc)


def sell(orders: int, price: int, lots: int, post_only: bool = False, ioc: bool = False) -> int:
    """Asks for a limit sell order; see :func:`buy`."""
    return place(orders, SELL, price, lots, post_only, ioc)


def place(orders: int, side: int, price: int, lots: int, post_only: bool, ioc: bool) -> int:
    """Asks for a limit order; post-only wins over ``ioc``."""
    kind = POST_ONLY if post_only else LIMIT
    tif = IOC if ioc and not post_only else GTC
    return call6(cell_at(orders + PLACE), orders, side, price, lots, kind, tif)


def cancel(orders: int, number: int) -> bool:
    """Asks to cancel one order; False when it is not open or its cancel is already on the way."""
    return call4(cell_at(orders + CANCEL), orders, number, 0, 0) != 0


def cancel_all(orders: int) -> int:
    """Asks to cancel every open order of this desk; returns how many cancels were sent."""
    return call4(cell_at(orders + CANCEL_ALL), orders, 0, 0, 0)


def replace(orders: int, number: int, price: int, lots: int) -> int:
    """Asks to cancel one order and place another of its side and kind; the new one's number, or 0."""
    placed = call4(cell_at(orders + REPLACE), orders, number, price, lots)
    if placed < 0:
        raise OverflowError("replace: what it raised is known to the engine")
    return placed


def amend(orders: int, number: int, lots: int) -> bool:
    """Asks to reduce one order, which keeps its place; False when nothing was sent."""
    sent = call4(cell_at(orders + AMEND), orders, number, lots, 0)
    if sent < 0:
        raise OverflowError("amend: what it raised is known to the engine")
    return sent != 0


def sellable_lots(orders: int) -> int:
    """Whole lots that can still be sold: held, less fees paid in the base asset, less open sells."""
    held = cell_at(orders + EXPOSURE)
    free = cell_at(held + POSITION) + cell_at(held + INVENTORY) - cell_at(held + OPEN_SELL)
    return max(0, free) // cell_at(orders + LOT_UNITS)


def lots_for(orders: int, value: float, price: int) -> int:
    """How many whole lots ``value`` of the quote asset buys at ``price`` ticks; 0 at a price that is none."""
    if price <= 0:
        return 0
    cost = product_float(price, cell_at(orders + TICK_UNITS), cell_at(orders + LOT_UNITS))
    lots = value * float_at(orders + VALUE_SCALE) / cost
    if not -PAST <= lots < PAST:
        raise OverflowError("lots_for: the value divided by the price of a lot is no number of 63 bits")
    return int(lots)


def of(orders: int, leg: int) -> int:
    """The record of another desk of the strategy, brought to the time of the event."""
    if leg < 0 or leg >= cell_at(orders + LEGS):
        raise IndexError("of: there is no such leg")
    other = cell_at(cell_at(orders + DESKS) + 8 * leg)
    put_cell(other + NOW, cell_at(orders + NOW))
    return other
