"""Acme's protocol, and how the fields of its JSON are read.

TODO: put your venue's own protocol in its place; everything below speaks it. Numbers that must be exact are text.

REST::

    GET /time                             {"time_ns": 1700000000000000000}
    GET /instruments?symbols=BTC_USDT     {"instruments": [{"symbol": "BTC_USDT", "base": "BTC", "quote": "USDT",
                                           "price_step": "0.01", "qty_step": "0.00001", "min_qty": "0.00001",
                                           "min_value": "5", "trading": true}]}

What an account asks is signed: the head has ``acme-key``, ``acme-time`` (ns) and ``acme-signature``.
The signature is the HMAC-SHA256 of time, method, path, ``?`` and query under the secret. A refusal has the status 400,
a code and a text::

    GET /account                          {"trade": true, "withdraw": false,
                                           "balances": [{"asset": "BTC", "free": "1.5", "locked": "0"}]}
    GET /account/orders                   {"orders": [{...}]}
    DELETE /account/orders?client_id=A1&symbol=BTC_USDT          {"order": {...}}
    POST /account/orders/test?client_id=A1&symbol=...            {}

Market data, ``/stream``; a subscription brings the whole book, then every change, each with the next number; asking
again brings the whole book again::

    > {"op": "subscribe", "symbols": ["BTC_USDT"]}
    < {"type": "subscribed", "symbols": ["BTC_USDT"]}
    < {"type": "book", "symbol": "BTC_USDT", "snapshot": true, "seq": 41, "time_ns": 1700000000000000000,
       "bids": [["59999.99", "0.5"]], "asks": [["60000.00", "0.2"]]}
    < {"type": "book", ... "snapshot": false, "seq": 42, ... "bids": [["59999.99", "0"]], "asks": []}
    < {"type": "trade", "symbol": "BTC_USDT", "id": 7, "price": "60000.00", "qty": "0.1", "side": "buy",
       "time_ns": 1700000000000000000}
    < {"type": "heartbeat", "time_ns": 1700000000000000000}          every second

Orders, ``/orders``; the first request logs in, with the HMAC-SHA256 of ``login`` and the time under the secret::

    > {"op": "login", "key": "...", "time_ns": 1700000000000000000, "signature": "hex"}
    > {"op": "place", "client_id": "A1", "symbol": "BTC_USDT", "side": "buy", "kind": "limit", "tif": "gtc",
       "price": "60000.00", "qty": "0.1"}          kind: limit, market, post_only; tif: gtc, ioc, fok
    > {"op": "cancel" | "query" | "fills", "client_id": "A1", "symbol": "BTC_USDT"}
    > {"op": "ping"}
    < {"type": "answer", "op": "place", "client_id": "A1", "ok": true, "order": {...}, "fills": [...]}
    < {"type": "answer", "op": "place", "client_id": "A1", "ok": false, "code": "NO_FUNDS", "text": "..."}
    < {"type": "order", "event": "new" | "fill" | "cancelled" | "expired", "order": {...}, "fill": {...}}

An order is ``{"client_id", "id", "symbol", "side", "price", "qty", "filled", "status", "time_ns"}`` with the status
``open``, ``filled``, ``cancelled`` or ``expired``; a fill ``{"id", "price", "qty", "fee", "fee_asset", "maker",
"time_ns"}``.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

import orjson
from bloor.errors import RemoteProtocolError
from bloor.model.orders import OrderRequest, OrderType, Side, TimeInForce

__all__ = [
    "KINDS",
    "SIDES",
    "TIFS",
    "flag",
    "integer",
    "levels",
    "number",
    "parsed",
    "placed",
    "text",
    "wrong",
]

#: The venue's words.
SIDES = {Side.BUY: "buy", Side.SELL: "sell"}
KINDS = {OrderType.LIMIT: "limit", OrderType.MARKET: "market", OrderType.POST_ONLY: "post_only"}
TIFS = {TimeInForce.GTC: "gtc", TimeInForce.IOC: "ioc", TimeInForce.FOK: "fok"}

_NUMBER = re.compile(r"[0-9]{1,30}(\.[0-9]{1,18})?", re.ASCII)
_INT64_MAX = (1 << 63) - 1


def wrong(what: str, name: str, expected: str, got: Any) -> RemoteProtocolError:
    """The error for one field."""
    return RemoteProtocolError(f"{what}: field {name!r}: expected {expected}, got {got!r:.60}")


def parsed(frame: bytes) -> Mapping[str, Any]:
    """The object of a frame.

    Raises:
        RemoteProtocolError: It is no JSON object.
    """
    try:
        message = orjson.loads(frame)
    except orjson.JSONDecodeError as error:
        raise RemoteProtocolError(f"not JSON: {error}") from error
    if type(message) is not dict:
        raise RemoteProtocolError(f"expected an object, got {type(message).__name__}")
    return message


def text(what: str, row: Mapping[str, Any], name: str) -> str:
    """A text of 1 to 64 printable characters. Raises RemoteProtocolError."""
    value = row.get(name)
    if type(value) is not str or not 0 < len(value) <= 64 or not value.isprintable() or " " in value:
        raise wrong(what, name, "a text", value)
    return value


def number(what: str, row: Mapping[str, Any], name: str, *, positive: bool = False) -> str:
    """The text of a plain decimal number. Raises RemoteProtocolError."""
    value = row.get(name)
    if type(value) is not str or not _NUMBER.fullmatch(value) or (positive and not value.strip("0.")):
        raise wrong(what, name, f"a {'positive ' if positive else ''}plain number as text", value)
    return value


def integer(what: str, row: Mapping[str, Any], name: str) -> int:
    """A number from 0 to 2**63 - 1. Raises RemoteProtocolError."""
    value = row.get(name)
    if type(value) is not int or not 0 <= value <= _INT64_MAX:
        raise wrong(what, name, "an integer from 0 to 2**63-1", value)
    return value


def flag(what: str, row: Mapping[str, Any], name: str) -> bool:
    """True or false. Raises RemoteProtocolError."""
    value = row.get(name)
    if type(value) is not bool:
        raise wrong(what, name, "true or false", value)
    return value


def levels(what: str, row: Mapping[str, Any], name: str) -> Sequence[Sequence[str]]:
    """A list of ``[price, quantity]``. Raises RemoteProtocolError."""
    value = row.get(name)
    if type(value) is not list:
        raise wrong(what, name, "a list of levels", value)
    for n, level in enumerate(value):
        if type(level) is not list or len(level) != 2:
            raise wrong(what, f"{name}[{n}]", "[price, quantity]", level)
        pair = {"price": level[0], "quantity": level[1]}
        number(f"{what} {name}[{n}]", pair, "price", positive=True)
        number(f"{what} {name}[{n}]", pair, "quantity")
    return value


def placed(order: OrderRequest) -> dict[str, str]:
    """A new order in the venue's words."""
    instrument = order.instrument
    row = {
        "client_id": order.client_id,
        "symbol": instrument.venue_symbol,
        "side": SIDES[order.side],
        "kind": KINDS[order.type],
        "tif": TIFS[order.tif],
        "qty": instrument.format_lots(order.lots),
    }
    if order.type is not OrderType.MARKET:
        row["price"] = instrument.format_price(order.price_ticks)
    return row
