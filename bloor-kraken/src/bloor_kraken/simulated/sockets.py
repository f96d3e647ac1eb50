"""What both WebSockets have in common: requests, answers, status, heartbeats, the limit on messages.

Source: docs.kraken.com, WebSocket v2, "Introduction", "Status", "Heartbeat", "Ping".
"""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping
from typing import Any

import orjson
from attrs import Factory, define, frozen

from bloor.errors import RemoteProtocolError
from bloor.simulation.venue import Outbox
from bloor_kraken.exact import Number, parsed
from bloor_kraken.simulated.errors import ApiError, Text
from bloor_kraken.simulated.words import bare, rfc3339

__all__ = [
    "HEARTBEAT",
    "HEARTBEAT_NS",
    "Connection",
    "Message",
    "failure",
    "flag",
    "pong",
    "read",
    "status",
    "success",
    "symbols_of",
]

HEARTBEAT = b'{"channel":"heartbeat"}'
HEARTBEAT_NS = 1_000_000_000
#: Messages that a connection may send in a second. Kraken's limit is dynamic and not published.
_MESSAGES_PER_S = 200
_TOO_MANY = b'{"Error":"Exceeded msg rate"}'
#: Connection ids are larger than 2**53, as Kraken's are.
_FIRST_CONNECTION = 15_113_583_034_416_118_705


@define(eq=False)
class Connection:
    """One connection.

    Attributes:
        number: Its number.
        sent: When its latest messages came.
    """

    number: int
    sent: deque[int] = Factory(lambda: deque(maxlen=_MESSAGES_PER_S))

    def admits(self, now_ns: int, outbox: Outbox) -> bool:
        """Whether a message is taken; one that is too many is only said to be."""
        if len(self.sent) == _MESSAGES_PER_S and now_ns - self.sent[0] < 1_000_000_000:
            outbox(self.number, _TOO_MANY)
            return False
        self.sent.append(now_ns)
        return True


@frozen
class Message:
    """A request.

    Attributes:
        method: What is asked for; empty when it is not said.
        params: Its parameters, numbers as text.
        req_id: The client's number of it, digits; empty for none.
    """

    method: str
    params: Mapping[str, Any]
    req_id: str


def read(payload: bytes) -> Message:
    """A request that came. Raises ApiError Malformed request."""
    try:
        message = parsed(payload)
    except RemoteProtocolError:
        raise ApiError(Text.MALFORMED) from None
    if type(message) is not dict:
        raise ApiError(Text.MALFORMED)
    method, params, req_id = message.get("method"), message.get("params", {}), message.get("req_id", Number(""))
    if type(method) is not str or type(params) is not dict:
        raise ApiError(Text.MALFORMED)
    if type(req_id) is not Number or not (req_id == "" or (req_id.isdigit() and len(req_id) <= 19)):
        raise ApiError(Text.MALFORMED)
    return Message(method, params, str(req_id))


def flag(params: Mapping[str, Any], name: str, *, default: bool) -> bool:
    """A parameter that is true or false. Raises ApiError Malformed request."""
    value = params.get(name, default)
    if type(value) is not bool:
        raise ApiError(Text.MALFORMED)
    return value


def symbols_of(params: Mapping[str, Any]) -> list[str]:
    """The symbols of a subscription, at least one. Raises ApiError Malformed request."""
    symbols = params.get("symbol")
    if type(symbols) is not list or not symbols or not all(type(symbol) is str for symbol in symbols):
        raise ApiError(Text.MALFORMED)
    return symbols


def success(message: Message, result: Any, now_ns: int, **more: Any) -> bytes:
    """The answer to a request that was carried out; ``result`` None for one without."""
    document: dict[str, Any] = {"method": message.method}
    if result is not None:
        document["result"] = result
    return _answer({**document, **more, "success": True}, message.req_id, now_ns)


def failure(message: Message | None, error: ApiError, now_ns: int) -> bytes:
    """The answer to a request that was refused, or that could not be read."""
    document: dict[str, Any] = {"error": error.text}
    if message is not None:
        document["method"] = message.method
    document["success"] = False
    if error.symbol:
        document["symbol"] = error.symbol
    return _answer(document, message.req_id if message is not None else "", now_ns)


def pong(message: Message, now_ns: int) -> bytes:
    """The answer to ``ping``."""
    return _answer({"method": "pong"}, message.req_id, now_ns)


def _answer(document: dict[str, Any], req_id: str, now_ns: int) -> bytes:
    at = rfc3339(now_ns)
    document |= {"time_in": at, "time_out": at}
    if req_id:
        document["req_id"] = bare(str(int(req_id)))
    return orjson.dumps(document)


def status(conn: int, state: str) -> bytes:
    """What a new connection hears first, and every connection when the engine's state changes."""
    row = {
        "version": "2.0.10",
        "system": state,
        "api_version": "v2",
        "connection_id": bare(str(_FIRST_CONNECTION + conn)),
    }
    return orjson.dumps({"channel": "status", "type": "update", "data": [row]})
