"""Orders and fills as Binance's answers show them (rest-api.md, "Trading endpoints", "Account endpoints").

``unit`` is the length of a time unit in ns: 1,000,000 for ms, 1,000 for us.
"""

from __future__ import annotations

from typing import Any

from bloor.model.orders import Side
from bloor.simulation.account import format_atoms
from bloor.simulation.exchange import AccountFill, AccountOrder, Prevention
from bloor.simulation.orders import OrderState
from bloor_binance.simulated.words import price_text, qty_text, status_text, word

__all__ = ["amended", "amendment", "cancelled", "my_trade", "placed", "prevented_match", "status"]


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
    answer.update(_amounts(order), workingTime=_working(order, unit), selfTradePreventionMode=word(order.self_trade))
    answer.update(_conditional(order))
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
        "stopPrice": price_text(order.market.instrument, order.stop),
        "icebergQty": "0.00000000",
        "time": order.created_ns // unit,
        "updateTime": order.updated_ns // unit,
        "isWorking": order.working_ns > 0,
        "workingTime": _working(order, unit),
        "selfTradePreventionMode": word(order.self_trade),
        **_conditional(order),
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
        **_conditional(order),
    }


def amended(order: AccountOrder, former_id: str, execution_id: int, unit: int) -> dict[str, Any]:
    """The answer to an amendment."""
    instrument = order.market.instrument
    return {
        "transactTime": order.updated_ns // unit,
        "executionId": execution_id,
        "amendedOrder": {
            "symbol": instrument.venue_symbol,
            "orderId": order.id,
            "orderListId": -1,
            "origClientOrderId": former_id,
            "clientOrderId": order.client_id,
            "price": price_text(instrument, order.price),
            "qty": qty_text(instrument, order.units),
            "executedQty": qty_text(instrument, order.executed),
            "preventedQty": qty_text(instrument, order.prevented),
            "quoteOrderQty": order.style["quote"],
            "cumulativeQuoteQty": format_atoms(order.value),
            "status": status_text(order),
            "timeInForce": word(order.tif),
            "type": order.style["type"],
            "side": word(order.side),
            "workingTime": _working(order, unit),
            "selfTradePreventionMode": word(order.self_trade),
        },
    }


def amendment(order: AccountOrder, former_id: str, former_units: int, execution_id: int, unit: int) -> dict[str, Any]:
    """One entry of ``order/amendments``."""
    instrument = order.market.instrument
    return {
        "symbol": instrument.venue_symbol,
        "orderId": order.id,
        "executionId": execution_id,
        "origClientOrderId": former_id,
        "newClientOrderId": order.client_id,
        "origQty": qty_text(instrument, former_units),
        "newQty": qty_text(instrument, order.units),
        "time": order.updated_ns // unit,
    }


def prevented_match(prevention: Prevention, unit: int) -> dict[str, Any]:
    """One entry of ``myPreventedMatches``."""
    taker, maker = prevention.taker, prevention.maker
    instrument = taker.market.instrument
    return {
        "symbol": instrument.venue_symbol,
        "preventedMatchId": prevention.number,
        "takerOrderId": taker.id,
        "makerSymbol": instrument.venue_symbol,
        "makerOrderId": maker.id,
        "tradeGroupId": taker.owner,
        "selfTradePreventionMode": word(taker.self_trade),
        "price": price_text(instrument, prevention.price),
        "takerPreventedQuantity": qty_text(instrument, prevention.taker_units),
        "makerPreventedQuantity": qty_text(instrument, prevention.maker_units),
        "transactTime": prevention.ns // unit,
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


def _working(order: AccountOrder, unit: int) -> int:
    """When it came to the book; -1 while it waits for its stop."""
    return order.working_ns // unit if order.working_ns else -1


def _conditional(order: AccountOrder) -> dict[str, Any]:
    """Fields that an order has only for a reason (rest-api.md, "Conditional fields in Order Responses")."""
    fields: dict[str, Any] = {}
    if order.stop:
        fields["stopPrice"] = price_text(order.market.instrument, order.stop)
    if order.preventions:
        fields["preventedMatchId"] = order.preventions[-1].number
        fields["preventedQuantity"] = qty_text(order.market.instrument, order.prevented)
    for name in ("strategyId", "strategyType"):
        if order.style[name]:
            fields[name] = int(order.style[name])
    return fields


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
        "type": order.style["type"],
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
