"""What ``order_configuration`` says of a new order (docs.cdp.coinbase.com, "Create Order").

``{"limit_limit_gtc": {"base_size": "0.001", "limit_price": "10000.00", "post_only": true}}``: one kind of order with
its fields; numbers are decimal text.
"""

from __future__ import annotations

import re
from decimal import Decimal
from typing import Any

from attrs import field, frozen

from bloor.model.orders import OrderType, TimeInForce
from bloor_coinbase.simulated.errors import OrderRefusedError, invalid
from bloor_coinbase.simulated.words import parse_time

__all__ = ["KINDS", "Configuration", "Kind", "number", "read_configuration"]

_NUMBER = re.compile(r"[0-9]{1,30}(\.[0-9]{1,30})?\Z", re.ASCII)
_DIRECTIONS = {"STOP_DIRECTION_STOP_UP": True, "STOP_DIRECTION_STOP_DOWN": False}


@frozen
class Kind:
    """One kind of order.

    Attributes:
        name: Its key in ``order_configuration``.
        type: How it meets the book; post-only ones are told by their field.
        tif: How long it rests.
        order_type: What an order of it says in ``order_type``.
        time_in_force: What it says in ``time_in_force``.
        stops: Whether it waits for a stop price.
        dated: Whether it ends at a time.
        resting: Whether it may be post-only.
    """

    name: str
    type: OrderType
    tif: TimeInForce
    order_type: str
    time_in_force: str
    stops: bool = False
    dated: bool = False
    resting: bool = False


_GTC, _GTD = "GOOD_UNTIL_CANCELLED", "GOOD_UNTIL_DATE_TIME"
_IOC, _FOK = "IMMEDIATE_OR_CANCEL", "FILL_OR_KILL"
_LIMIT = OrderType.LIMIT
KINDS = {
    kind.name: kind
    for kind in (
        Kind("market_market_ioc", OrderType.MARKET, TimeInForce.GTC, "MARKET", _IOC),
        Kind("sor_limit_ioc", _LIMIT, TimeInForce.IOC, "LIMIT", _IOC),
        Kind("limit_limit_gtc", _LIMIT, TimeInForce.GTC, "LIMIT", _GTC, resting=True),
        Kind("limit_limit_gtd", _LIMIT, TimeInForce.GTC, "LIMIT", _GTD, dated=True, resting=True),
        Kind("limit_limit_fok", _LIMIT, TimeInForce.FOK, "LIMIT", _FOK),
        Kind("stop_limit_stop_limit_gtc", _LIMIT, TimeInForce.GTC, "STOP_LIMIT", _GTC, stops=True),
        Kind("stop_limit_stop_limit_gtd", _LIMIT, TimeInForce.GTC, "STOP_LIMIT", _GTD, stops=True, dated=True),
    )
}
#: Kinds that the real exchange knows and this one refuses, as that does where they are not enabled.
_NOT_ENABLED = (
    "market_market_fok",
    "twap_limit_gtd",
    "scaled_limit_gtc",
    "trigger_bracket_gtc",
    "trigger_bracket_gtd",
)


@frozen
class Configuration:
    """A configuration that was read.

    Attributes:
        kind: The kind of order.
        document: As it was sent.
        base: Quantity of the base asset, or None.
        quote: Amount of the quote asset, or None; exactly one of the two is there.
        limit: Limit price, or None for a market order.
        stop: Stop price, or None.
        rises: Whether the stop is reached from below.
        ends_ns: When it ends; 0 for never.
        post_only: Whether it must rest.
    """

    kind: Kind
    document: dict[str, Any] = field(repr=False)
    base: Decimal | None = None
    quote: Decimal | None = None
    limit: Decimal | None = None
    stop: Decimal | None = None
    rises: bool = False
    ends_ns: int = 0
    post_only: bool = False

    @property
    def type(self) -> OrderType:
        """How it meets the book."""
        return OrderType.POST_ONLY if self.post_only else self.kind.type


def read_configuration(document: Any, now_ns: int) -> Configuration:
    """Reads ``order_configuration``.

    Raises:
        ApiError: It is no object of one kind, or a field of it is no number (400).
        OrderRefusedError: A kind that is not offered, fields that do not go together, or a time that has passed.
    """
    if not isinstance(document, dict) or len(document) != 1:
        raise invalid("order_configuration: expected an object with one kind of order")
    ((name, fields),) = document.items()
    kind = KINDS.get(name)
    if kind is None:
        if name in _NOT_ENABLED:
            raise OrderRefusedError("UNSUPPORTED_ORDER_CONFIGURATION", f"{name} is not enabled for this product")
        raise invalid(f"order_configuration: unknown kind of order {name[:40]!r}")
    if not isinstance(fields, dict):
        raise invalid(f"order_configuration.{name}: expected an object")
    base, quote = number(fields, "base_size"), number(fields, "quote_size")
    if (base is None) is (quote is None):
        raise _wrong("expected one of base_size and quote_size")
    return Configuration(
        kind=kind,
        document=document,
        base=base,
        quote=quote,
        limit=_needed(fields, "limit_price") if kind.type is not OrderType.MARKET else None,
        stop=_needed(fields, "stop_price") if kind.stops else None,
        rises=_rises(fields) if kind.stops else False,
        ends_ns=_ends(fields, now_ns) if kind.dated else 0,
        post_only=kind.resting and _flag(fields, "post_only"),
    )


def number(fields: dict[str, Any], name: str) -> Decimal | None:
    """A number in decimal text; None where there is none.

    Raises:
        ApiError: It is something else (400).
    """
    value = fields.get(name)
    if value is None or value == "":
        return None
    if not isinstance(value, str) or not _NUMBER.match(value):
        raise invalid(f"{name}: expected a number as text, got {str(value)[:40]!r}")
    return Decimal(value)


def _needed(fields: dict[str, Any], name: str) -> Decimal:
    value = number(fields, name)
    if value is None:
        raise _wrong(f"expected {name}")
    return value


def _rises(fields: dict[str, Any]) -> bool:
    direction = fields.get("stop_direction")
    if not isinstance(direction, str) or direction not in _DIRECTIONS:
        raise _wrong(f"expected stop_direction to be one of {', '.join(_DIRECTIONS)}")
    return _DIRECTIONS[direction]


def _ends(fields: dict[str, Any], now_ns: int) -> int:
    text = fields.get("end_time")
    ends_ns = parse_time(text) if isinstance(text, str) else None
    if ends_ns is None:
        raise invalid("end_time: expected an RFC 3339 time")
    if ends_ns <= now_ns:
        raise OrderRefusedError("INVALID_REQUEST", "end_time is in the past", "PREVIEW_INVALID_END_TIME")
    return ends_ns


def _flag(fields: dict[str, Any], name: str) -> bool:
    value = fields.get(name, False)
    if not isinstance(value, bool):
        raise invalid(f"{name}: expected true or false")
    return value


def _wrong(message: str) -> OrderRefusedError:
    return OrderRefusedError("INVALID_REQUEST", message, "PREVIEW_INVALID_ORDER_CONFIG")
