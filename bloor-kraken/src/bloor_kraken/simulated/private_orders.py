"""Parameters of order requests over WebSocket v2 as drafts and changes (docs.kraken.com, "Add Order", "Amend Order").

Quantities and prices are bare numbers there; what is not offered is refused by its name.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from bloor_kraken.exact import Number
from bloor_kraken.simulated.drafts import Change, Draft, OrderName, client_id, time_ns, user_reference
from bloor_kraken.simulated.errors import ApiError, Text, invalid
from bloor_kraken.simulated.names import Names
from bloor_kraken.simulated.sockets import flag

__all__ = ["draft_of", "named", "names_of", "read_amendment", "read_edit"]

Params = Mapping[str, Any]
_NAMES = ("order_qty", "limit_price", "triggers", "side", "order_type")
#: Parameters that this venue has nothing to offer for; False, and None where it is sent, are as good as not sent.
_NOT_OFFERED = ("display_qty", "conditional", "effective_time", "margin", "reduce_only", "sender_sub_id")


def draft_of(params: Params, names: Names, symbol: Any = None) -> Draft:
    """A new order. Raises ApiError.

    Args:
        params: Those of ``add_order``, or of one order of a batch.
        names: Finds the market.
        symbol: The batch's symbol.
    """
    for unknown in _NOT_OFFERED:
        if params.get(unknown) not in (None, False):
            raise invalid(unknown)
    name = symbol if symbol is not None else params.get("symbol")
    market = names.symbol(name) if type(name) is str else None
    if market is None:
        raise ApiError(Text.UNKNOWN_PAIR)
    if params.get("limit_price_type", "static") != "static":
        raise invalid("limit_price_type")
    if params.get("fee_preference", "quote") != "quote":
        raise invalid("fee_preference")
    expires = params.get("expire_time")
    return Draft(
        market=market,
        side=_text(params, "side"),
        type=_text(params, "order_type"),
        qty=_number(params, "order_qty"),
        cost=_number(params, "cash_order_qty"),
        price=_number(params, "limit_price"),
        trigger=_trigger(params),
        tif=_text(params, "time_in_force", "gtc").lower(),
        expires_ns=0 if expires is None else time_ns(_text(params, "expire_time"), "expire_time"),
        post_only=flag(params, "post_only", default=False),
        client_id=_client_id(params),
        reference=_reference(params),
        self_trade=_text(params, "stp_type", "cancel_newest").replace("_", "-"),
        deadline_ns=_deadline(params),
        names=_NAMES,
    )


def read_amendment(params: Params) -> Change:
    """``amend_order``. Raises ApiError."""
    if params.get("display_qty") is not None:
        raise invalid("display_qty")
    for name in ("limit_price_type", "trigger_price_type"):
        if params.get(name, "static") != "static":
            raise invalid(name)
    return Change(
        order=named(params),
        qty=_number(params, "order_qty"),
        price=_number(params, "limit_price"),
        trigger=_number(params, "trigger_price"),
        post_only=flag(params, "post_only", default=False),
        deadline_ns=_deadline(params),
    )


def read_edit(params: Params) -> Change:
    """``edit_order``. Raises ApiError."""
    if params.get("display_qty") is not None:
        raise invalid("display_qty")
    return Change(
        order=OrderName(id=_text(params, "order_id")),
        qty=_number(params, "order_qty"),
        price=_number(params, "limit_price"),
        trigger=_trigger(params),
        post_only=flag(params, "post_only", default=False),
        deadline_ns=_deadline(params),
        names=("order_qty", "limit_price", "triggers"),
    )


def named(params: Params) -> OrderName:
    """The one order of a request. Raises ApiError."""
    if params.get("order_id") is not None:
        return OrderName(id=_text(params, "order_id"))
    if params.get("cl_ord_id") is not None:
        return OrderName(client_id=_client_id(params))
    raise invalid("order_id")


def names_of(params: Params, most: int = 50) -> list[OrderName]:
    """The orders of ``cancel_order``. Raises ApiError."""
    found: list[OrderName] = []
    for key in ("order_id", "cl_ord_id", "order_userref"):
        values = params.get(key)
        if values is None:
            continue
        if type(values) is not list or not values or len(values) > most:
            raise invalid(key)
        found += [_name(key, value) for value in values]
    if not found:
        raise invalid("order_id")
    return found


def _name(key: str, value: Any) -> OrderName:
    if key == "order_userref":
        if type(value) is not Number:
            raise invalid(key)
        return OrderName(reference=user_reference(value, key))
    if type(value) is not str or not value:
        raise invalid(key)
    return OrderName(id=value) if key == "order_id" else OrderName(client_id=value)


def _text(params: Params, name: str, default: str = "") -> str:
    value = params.get(name, default)
    if type(value) is not str or not value:
        raise invalid(name)
    return value


def _number(params: Params, name: str) -> str | None:
    value = params.get(name)
    if value is None:
        return None
    if type(value) is not Number:
        raise invalid(name)
    return str(value)


def _trigger(params: Params) -> str | None:
    triggers = params.get("triggers")
    if triggers is None:
        return None
    if type(triggers) is not dict or triggers.get("reference", "last") != "last":
        raise invalid("triggers")
    if triggers.get("price_type", "static") != "static" or triggers.get("price") is None:
        raise invalid("triggers")
    return _number(triggers, "price")


def _client_id(params: Params) -> str:
    value = params.get("cl_ord_id")
    if value is None:
        return ""
    if type(value) is not str or params.get("order_userref") is not None:
        raise invalid("cl_ord_id")
    return client_id(value)


def _reference(params: Params) -> int:
    value = params.get("order_userref")
    if value is None:
        return 0
    if type(value) is not Number:
        raise invalid("order_userref")
    return user_reference(value, "order_userref")


def _deadline(params: Params) -> int:
    return 0 if params.get("deadline") is None else time_ns(_text(params, "deadline"), "deadline")
