"""Orders and fills as Coinbase words them, over REST and in the channel ``user``.

Both are cumulative: an order says what was filled of it altogether and at which average price.
"""

from __future__ import annotations

import hashlib
from decimal import Context, Decimal
from typing import Any

from bloor.model.orders import Side
from bloor.simulation.account import ATOM_DECIMALS
from bloor.simulation.account_orders import AccountFill
from bloor.simulation.orders import OrderState
from bloor_coinbase.simulated.keys import seeded_uuid
from bloor_coinbase.simulated.order import CoinbaseOrder
from bloor_coinbase.simulated.words import amount_text, decimal_text, price_text, qty_text, side_word, stamp

__all__ = ["OPEN_STATUSES", "fill_view", "order_view", "report_view", "status_word"]

#: Digits that an average price is printed with at most.
_AVERAGE = Context(prec=24)
#: Statuses of orders that live.
OPEN_STATUSES = ("PENDING", "OPEN", "QUEUED", "CANCEL_QUEUED", "EDIT_QUEUED")
_WS_TYPES = {"MARKET": "Market", "LIMIT": "Limit", "STOP_LIMIT": "Stop Limit"}
_NOTHING = "UNKNOWN_CONTRACT_EXPIRY_TYPE"


def status_word(order: CoinbaseOrder) -> str:
    """An order's status as of the event being told; one that ended with a remainder before its time is cancelled."""
    if order.status is OrderState.EXPIRED and order.configuration.kind.dated:
        return "EXPIRED"
    words = {OrderState.NEW: "PENDING", OrderState.OPEN: "OPEN", OrderState.FILLED: "FILLED"}
    return words.get(order.status, "CANCELLED")


def average_price(order: CoinbaseOrder) -> str:
    """Value over quantity."""
    if not order.executed:
        return "0"
    instrument = order.market.instrument
    value = Decimal(order.value).scaleb(-ATOM_DECIMALS)
    return decimal_text(_AVERAGE.divide(value, instrument.qty(order.executed)))


def order_view(order: CoinbaseOrder) -> dict[str, Any]:
    """An order over REST ("Get Order")."""
    kind = order.configuration.kind
    done = order.executed * 100 // order.units
    last = order.fills[-1].ns if order.fills else None
    return {
        "order_id": order.uuid,
        "product_id": order.product.name,
        "user_id": _user(order),
        "order_configuration": _configuration(order),
        "side": side_word(order.side),
        "client_order_id": order.client_id,
        "status": status_word(order),
        "time_in_force": kind.time_in_force,
        "created_time": stamp(order.created_ns),
        "completion_percentage": str(done),
        "filled_size": qty_text(order.market.instrument, order.executed),
        "average_filled_price": average_price(order),
        "fee": "",
        "number_of_fills": str(len(order.fills)),
        "filled_value": amount_text(order.value),
        "pending_cancel": False,
        "size_in_quote": order.configuration.quote is not None,
        "total_fees": amount_text(order.fees),
        "size_inclusive_of_fees": order.configuration.quote is not None and order.side is Side.BUY,
        "total_value_after_fees": _after_fees(order, order.value),
        "trigger_status": _trigger(order),
        "order_type": kind.order_type,
        "reject_reason": "REJECT_REASON_UNSPECIFIED",
        "settled": not order.open,
        "product_type": "SPOT",
        "reject_message": "",
        "cancel_message": order.cancel_message,
        "order_placement_source": "RETAIL_ADVANCED",
        "outstanding_hold_amount": amount_text(order.reserved),
        "is_liquidation": False,
        "last_fill_time": None if last is None else stamp(last),
        "edit_history": [
            {"price": edit.price, "size": edit.size, "replace_accept_timestamp": stamp(edit.ns)} for edit in order.edits
        ],
        "leverage": "",
        "margin_type": "UNKNOWN_MARGIN_TYPE",
        "retail_portfolio_id": "",
        "originating_order_id": "",
        "attached_order_id": "",
        "last_update_time": stamp(order.updated_ns),
    }


def report_view(order: CoinbaseOrder, status: str = "") -> dict[str, Any]:
    """An order in the channel ``user``; ``status`` says it otherwise than the order does."""
    instrument, kind = order.market.instrument, order.configuration.kind
    status = status or status_word(order)
    leaves = order.unsettled if status in OPEN_STATUSES else 0
    return {
        "avg_price": average_price(order),
        "cancel_reason": order.cancel_message,
        "client_order_id": order.client_id,
        "completion_percentage": decimal_text(_AVERAGE.divide(Decimal(100 * order.executed), Decimal(order.units))),
        "contract_expiry_type": _NOTHING,
        "cumulative_quantity": qty_text(instrument, order.executed),
        "filled_value": amount_text(order.value),
        "leaves_quantity": qty_text(instrument, leaves),
        "limit_price": order.limit or "0",
        "number_of_fills": str(len(order.fills)),
        "order_id": order.uuid,
        "order_side": side_word(order.side),
        "order_type": _WS_TYPES[kind.order_type],
        "outstanding_hold_amount": amount_text(order.reserved),
        "post_only": "true" if order.configuration.post_only else "false",
        "product_id": order.product.name,
        "product_type": "SPOT",
        "reject_reason": "",
        "retail_portfolio_id": "",
        "risk_managed_by": "UNKNOWN_RISK_MANAGEMENT_TYPE",
        "status": status,
        "stop_price": decimal_text(order.configuration.stop) if order.configuration.stop is not None else "",
        "time_in_force": kind.time_in_force,
        "total_fees": amount_text(order.fees),
        "total_value_after_fees": _after_fees(order, order.value),
        "trigger_status": _trigger(order),
        "creation_time": stamp(order.created_ns),
        "end_time": stamp(order.configuration.ends_ns) if order.configuration.ends_ns else "0001-01-01T00:00:00Z",
        "start_time": "0001-01-01T00:00:00Z",
    }


def fill_view(order: CoinbaseOrder, fill: AccountFill) -> dict[str, Any]:
    """A fill ("List Fills"); its trade id is its own, not that of the public trade."""
    name = f"{order.uuid} {fill.trade_id}"
    return {
        "entry_id": hashlib.sha256(name.encode()).hexdigest(),
        "trade_id": seeded_uuid(fill.trade_id, name),
        "order_id": order.uuid,
        "trade_time": stamp(fill.ns),
        "trade_type": "FILL",
        "price": price_text(order.market.instrument, fill.price),
        "size": qty_text(order.market.instrument, fill.units),
        "commission": amount_text(fill.fee),
        "product_id": order.product.name,
        "sequence_timestamp": stamp(fill.ns),
        "liquidity_indicator": "MAKER" if fill.maker else "TAKER",
        "size_in_quote": False,
        "user_id": _user(order),
        "side": side_word(order.side),
        "retail_portfolio_id": "",
    }


def _configuration(order: CoinbaseOrder) -> dict[str, Any]:
    """As it was sent, with what is so by itself and what edits changed."""
    ((name, fields),) = order.configuration.document.items()
    shown = {"post_only": False, **fields} if order.configuration.kind.resting else dict(fields)
    if order.edits:
        shown |= {"base_size": order.size, "limit_price": order.limit}
    return {name: shown}


def _after_fees(order: CoinbaseOrder, value: int) -> str:
    return amount_text(value + order.fees if order.side is Side.BUY else value - order.fees)


def _trigger(order: CoinbaseOrder) -> str:
    if not order.stop:
        return "INVALID_ORDER_TYPE"
    return "STOP_PENDING" if order.waiting or not order.working_ns else "STOP_TRIGGERED"


def _user(order: CoinbaseOrder) -> str:
    return seeded_uuid(order.owner or 0, "user")
