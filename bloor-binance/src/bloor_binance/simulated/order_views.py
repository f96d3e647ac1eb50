"""Orders and fills as Binance's answers show them (rest-api.md, "New order", "Query order", "Account trade list").

``unit`` is the length of a time unit in ns: 1,000,000 for ms, 1,000 for us.
"""

from __future__ import annotations

from typing import Any

from bloor.model.orders import Side
from bloor.simulation.account import format_atoms
from bloor.simulation.exchange import AccountFill, AccountOrder
from bloor.simulation.orders import OrderState
from bloor_binance.simulated.words import price_text, qty_text, status_text, word

__all__ = ["cancelled", "my_trade", "placed", "status"]


def placed(order: AccountOrder, response: str, unit: int) -> dict[str, Any]:
    """The answer to a new order: ACK, RESULT or FULL."""
    answer: dict[str, Any] = {
        "symbol": order.market.instrument.venue_symbol,
        "orderId": order.id,
        "orderListId": -1,
        "clientOrderId": order.client_id,
        "transactTime": order.created_ns // unit,
    }
    if response == "ACK":
        return answer
    answer.update(_amounts(order), workingTime=order.created_ns // unit, selfTradePreventionMode=word(order.self_trade))
    if response == "FULL":
        answer["fills"] = [_fill(order, fill) for fill in order.fills]
    return answer


def status(order: AccountOrder, unit: int) -> dict[str, Any]:
    """An order as a query shows it."""
    return {
        "symbol": order.market.instrument.venue_symbol,
        "orderId": order.id,
        "orderListId": -1,
        "clientOrderId": order.style["cancel"] if order.status is OrderState.CANCELLED else order.client_id,
        **_amounts(order),
        "stopPrice": "0.00000000",
        "icebergQty": "0.00000000",
        "time": order.created_ns // unit,
        "updateTime": order.updated_ns // unit,
        "isWorking": True,
        "workingTime": order.created_ns // unit,
        "selfTradePreventionMode": word(order.self_trade),
    }


def cancelled(order: AccountOrder, unit: int) -> dict[str, Any]:
    """The answer to a cancel: ``clientOrderId`` is the cancel's own."""
    return {
        "symbol": order.market.instrument.venue_symbol,
        "origClientOrderId": order.client_id,
        "orderId": order.id,
        "orderListId": -1,
        "clientOrderId": order.style["cancel"],
        "transactTime": order.updated_ns // unit,
        **_amounts(order),
        "selfTradePreventionMode": word(order.self_trade),
    }


def my_trade(order: AccountOrder, fill: AccountFill, unit: int) -> dict[str, Any]:
    """One entry of ``myTrades``."""
    instrument = order.market.instrument
    return {
        "symbol": instrument.venue_symbol,
        "id": fill.trade_id,
        "orderId": order.id,
        "orderListId": -1,
        "price": price_text(instrument, fill.price),
        "qty": qty_text(instrument, fill.units),
        "quoteQty": format_atoms(fill.value),
        "commission": format_atoms(fill.fee),
        "commissionAsset": fill.fee_asset,
        "time": fill.ns // unit,
        "isBuyer": order.side is Side.BUY,
        "isMaker": fill.maker,
        "isBestMatch": True,
    }


def _amounts(order: AccountOrder) -> dict[str, Any]:
    instrument = order.market.instrument
    return {
        "price": price_text(instrument, order.price),
        "origQty": qty_text(instrument, order.units),
        "executedQty": qty_text(instrument, order.executed),
        "origQuoteOrderQty": order.style["quote"],
        "cummulativeQuoteQty": format_atoms(order.value),
        "status": status_text(order),
        "timeInForce": word(order.tif),
        "type": word(order.type),
        "side": word(order.side),
    }


def _fill(order: AccountOrder, fill: AccountFill) -> dict[str, Any]:
    instrument = order.market.instrument
    return {
        "price": price_text(instrument, fill.price),
        "qty": qty_text(instrument, fill.units),
        "commission": format_atoms(fill.fee),
        "commissionAsset": fill.fee_asset,
        "tradeId": fill.trade_id,
    }
