"""Binance's words for ours, and numbers as Binance prints them."""

from __future__ import annotations

from decimal import Decimal

from attrs import frozen

from bloor.model.decimals import format_units
from bloor.model.instrument import Instrument
from bloor.model.orders import OrderType, Side, TimeInForce
from bloor.simulation.exchange import AccountOrder
from bloor.simulation.orders import OrderState, SelfTrade

__all__ = [
    "ORDER_TYPES",
    "SELF_TRADE_MODES",
    "SIDES",
    "TIMES_IN_FORCE",
    "Kind",
    "decimal_text",
    "price_text",
    "qty_text",
    "status_text",
    "word",
]

SIDES = {"BUY": Side.BUY, "SELL": Side.SELL}


@frozen
class Kind:
    """What an order type is made of.

    Attributes:
        type: How it meets the book.
        stops: Whether it waits for a stop price.
        takes_profit: Whether it waits for a better price than now, rather than for a worse one.
    """

    type: OrderType
    stops: bool = False
    takes_profit: bool = False


ORDER_TYPES = {
    "LIMIT": Kind(OrderType.LIMIT),
    "LIMIT_MAKER": Kind(OrderType.POST_ONLY),
    "MARKET": Kind(OrderType.MARKET),
    "STOP_LOSS": Kind(OrderType.MARKET, stops=True),
    "STOP_LOSS_LIMIT": Kind(OrderType.LIMIT, stops=True),
    "TAKE_PROFIT": Kind(OrderType.MARKET, stops=True, takes_profit=True),
    "TAKE_PROFIT_LIMIT": Kind(OrderType.LIMIT, stops=True, takes_profit=True),
}
TIMES_IN_FORCE = {"GTC": TimeInForce.GTC, "IOC": TimeInForce.IOC, "FOK": TimeInForce.FOK}
SELF_TRADE_MODES = {
    "NONE": SelfTrade.NONE,
    "EXPIRE_MAKER": SelfTrade.EXPIRE_MAKER,
    "EXPIRE_TAKER": SelfTrade.EXPIRE_TAKER,
    "EXPIRE_BOTH": SelfTrade.EXPIRE_BOTH,
    "DECREMENT": SelfTrade.DECREMENT,
}
_STATUSES = {
    OrderState.NEW: "NEW",
    OrderState.OPEN: "NEW",
    OrderState.FILLED: "FILLED",
    OrderState.CANCELLED: "CANCELED",
    OrderState.EXPIRED: "EXPIRED",
    OrderState.PREVENTED: "EXPIRED_IN_MATCH",
    OrderState.REJECTED: "REJECTED",
}
#: Decimals that every price and quantity is printed with.
_DECIMALS = 8


def word(value: Side | TimeInForce | SelfTrade) -> str:
    """Binance's word."""
    for table in (SIDES, TIMES_IN_FORCE, SELF_TRADE_MODES):
        for name, known in table.items():
            if known is value:
                return name
    raise ValueError(value)


def status_text(order: AccountOrder) -> str:
    """An order's status as of the event being told."""
    if order.status is OrderState.OPEN and order.executed:
        return "PARTIALLY_FILLED"
    return _STATUSES[order.status]


def decimal_text(value: Decimal) -> str:
    """With eight decimals."""
    return f"{value:.8f}"


def price_text(instrument: Instrument, ticks: int) -> str:
    """Ticks with at least eight decimals."""
    extra = _DECIMALS - instrument.price_decimals
    units = ticks * instrument.tick_units
    return format_units(units * 10**extra, _DECIMALS) if extra > 0 else format_units(units, instrument.price_decimals)


def qty_text(instrument: Instrument, units: int) -> str:
    """Units with at least eight decimals."""
    extra = _DECIMALS - instrument.qty_decimals
    return format_units(units * 10**extra, _DECIMALS) if extra > 0 else format_units(units, instrument.qty_decimals)
