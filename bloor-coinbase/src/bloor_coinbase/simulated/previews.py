"""What an order would do if it came now ("Preview Order", "Edit Order Preview")."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import Any

from bloor.model.orders import Side
from bloor.simulation.account import Account, base_atoms, quote_atoms
from bloor.simulation.exchange import Market
from bloor_coinbase.simulated.keys import seeded_uuid
from bloor_coinbase.simulated.order import CoinbaseOrder
from bloor_coinbase.simulated.words import amount_text, decimal_text, price_text, qty_text

__all__ = ["edit_preview", "preview"]

#: Reasons are told about orders that were built; what is empty else.
_EMPTY = {
    "order_total": "",
    "commission_total": "",
    "quote_size": "",
    "base_size": "",
    "best_bid": "",
    "best_ask": "",
    "slippage": "",
    "average_filled_price": "",
}


def preview(order: CoinbaseOrder | None, account: Account | None, errors: Sequence[str]) -> dict[str, Any]:
    """The answer of ``/orders/preview``; a purchase that the account cannot pay is told."""
    shown, errs = dict(_EMPTY), list(errors)
    if order is not None and account is not None:
        total, commission = _cost(order.market, order.side, order.price, order.units, account)
        free = account.balance(order.pay_asset).free
        needed = total if order.side is Side.BUY else base_atoms(order.market.instrument, order.units)
        if needed > free:
            errs.append("PREVIEW_INSUFFICIENT_FUND")
        shown = _figures(order, order.price, order.units, total, commission)
    return {
        **shown,
        "errs": errs,
        "warning": [],
        "is_max": False,
        "order_margin_total": "",
        "leverage": "",
        "long_leverage": "",
        "short_leverage": "",
        "preview_id": seeded_uuid(order.id, "preview") if order is not None else "",
    }


def edit_preview(
    order: CoinbaseOrder | None, account: Account | None, price: int, units: int, errors: Sequence[dict[str, str]]
) -> dict[str, Any]:
    """The answer of ``/orders/edit_preview``."""
    if order is None or account is None:
        return {**_EMPTY, "errors": list(errors)}
    total, commission = _cost(order.market, order.side, price, units, account)
    return {**_figures(order, price, units, total, commission), "errors": list(errors)}


def _figures(order: CoinbaseOrder, price: int, units: int, total: int, commission: int) -> dict[str, str]:
    market, instrument = order.market, order.market.instrument
    bid, ask = market.book.bids.best, market.book.asks.best
    value = total - commission if order.side is Side.BUY else total + commission
    average = Decimal(value).scaleb(-18) / instrument.qty(units)
    touch = ask if order.side is Side.BUY else bid
    slipped = abs(average / instrument.price(touch.price) - 1) if touch is not None and not price else Decimal(0)
    return {
        "order_total": amount_text(total),
        "commission_total": amount_text(commission),
        "quote_size": amount_text(value),
        "base_size": qty_text(instrument, units),
        "best_bid": price_text(instrument, bid.price) if bid is not None else "",
        "best_ask": price_text(instrument, ask.price) if ask is not None else "",
        "slippage": decimal_text(round(slipped, 12)),
        "average_filled_price": decimal_text(round(average, 12)),
    }


def _cost(market: Market, side: Side, price: int, units: int, account: Account) -> tuple[int, int]:
    """``(what is paid or received in all, the commission in it)`` in atoms of the quote asset."""
    instrument, left, value = market.instrument, units, 0
    if price:
        value = quote_atoms(instrument, price, units)
    else:
        for level in market.book.side(Side.SELL if side is Side.BUY else Side.BUY).best_first():
            part = min(left, level.units)
            value += quote_atoms(instrument, level.price, part)
            left -= part
            if not left:
                break
    commission = account.fees.commission(value, maker=False)
    return (value + commission if side is Side.BUY else value - commission), commission
