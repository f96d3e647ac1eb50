"""Market stream connections: who listens to what, and the control messages (web-socket-streams.md).

Paths: ``/ws``, ``/ws/<stream>``, ``/stream?streams=<stream>/<stream>``; ``timeUnit=MICROSECOND`` in the query.
"""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Callable
from typing import Any
from urllib.parse import parse_qs, unquote

import orjson
from attrs import define, field

from bloor.simulation.faults import Fault, Faults
from bloor.simulation.venue import Outbox

__all__ = ["StreamConnection", "StreamHub"]

MS, US = 1_000_000, 1_000
#: Control messages a connection may send per second, and streams it may listen to.
_MESSAGES_PER_S = 5
_MAX_STREAMS = 1024
_ID = re.compile(r"[A-Za-z0-9_-]{0,36}\Z", re.ASCII)
#: Streams of changes of a book.
_DIFF = re.compile(r"@depth(@|$)")
_METHODS = ("SUBSCRIBE", "UNSUBSCRIBE", "LIST_SUBSCRIPTIONS", "SET_PROPERTY", "GET_PROPERTY")


@define(eq=False)
class StreamConnection:
    """One connection.

    Attributes:
        number: The server's number of it.
        combined: Whether payloads are wrapped with the stream's name.
        unit: Time unit in ns.
        streams: What it listens to, in the order of subscription.
        sent: When its latest control messages came.
    """

    number: int
    combined: bool
    unit: int
    streams: dict[str, None] = field(factory=dict)
    sent: deque[int] = field(factory=lambda: deque(maxlen=_MESSAGES_PER_S))


class _ControlError(Exception):
    """A control message that is refused with a code and a text."""

    def __init__(self, code: int, msg: str) -> None:
        super().__init__(code, msg)
        self.code = code
        self.msg = msg


class StreamHub:
    """All market stream connections.

    Args:
        outbox: The way out.
        subscribed: Called with every stream's name that somebody begins to listen to.
        faults: What frames may meet.
    """

    def __init__(self, outbox: Outbox, subscribed: Callable[[str], None], faults: Faults) -> None:
        self._outbox = outbox
        self._faults = faults
        self._subscribed = subscribed
        self._connections: dict[int, StreamConnection] = {}
        self._listeners: dict[str, dict[int, StreamConnection]] = {}

    def opened(self, conn: int, path: str, query: str) -> bool:
        """A connection to a stream path; False when the path is none."""
        options = parse_qs(query)
        unit = US if options.get("timeUnit", [""])[0].upper() == "MICROSECOND" else MS
        if path in ("/ws", "/ws/") or path.startswith("/ws/"):
            names = [unquote(name) for name in path.removeprefix("/ws").split("/") if name]
            connection = StreamConnection(conn, combined=False, unit=unit)
        elif path in ("/stream", "/stream/"):
            names = [name for text in options.get("streams", []) for name in text.split("/") if name]
            connection = StreamConnection(conn, combined=True, unit=unit)
        else:
            return False
        self._connections[conn] = connection
        for name in names[:_MAX_STREAMS]:
            self._listen(connection, name)
        return True

    def closed(self, conn: int) -> None:
        """A connection is gone."""
        connection = self._connections.pop(conn, None)
        if connection is not None:
            for name in list(connection.streams):
                self._leave(connection, name)

    @property
    def listening(self) -> bool:
        """Whether anybody listens to anything."""
        return bool(self._listeners)

    def wants(self, stream: str) -> bool:
        """Whether anybody listens to a stream."""
        return stream in self._listeners

    def publish(self, stream: str, payload: Callable[[int], bytes]) -> None:
        """Sends a payload, made for a time unit, to everybody who listens."""
        listeners = self._listeners.get(stream)
        if not listeners:
            return
        made: dict[tuple[int, bool], bytes] = {}
        for connection in list(listeners.values()):
            form = (connection.unit, connection.combined)
            frame = made.get(form)
            if frame is None:
                frame = payload(connection.unit)
                if connection.combined:
                    frame = b'{"stream":"%s","data":%s}' % (stream.encode(), frame)
                made[form] = frame
            self._deliver(connection.number, stream, frame)

    def publish_recorded(self, stream: str, combined: bytes, raw: bytes) -> None:
        """Sends a recorded frame as it was, in the form each listener asked for."""
        for connection in list(self._listeners.get(stream, {}).values()):
            self._deliver(connection.number, stream, combined if connection.combined else raw)

    def _deliver(self, conn: int, stream: str, frame: bytes) -> None:
        """Sends a frame, unless a fault has it."""
        if _DIFF.search(stream) and self._faults.happens(Fault.GAP):
            return
        self._outbox(conn, frame)
        if self._faults.happens(Fault.DUPLICATE):
            self._outbox(conn, frame)

    # -- control messages -------------------------------------------------------------------------------------------

    def received(self, conn: int, payload: bytes, now_ns: int) -> None:
        """A control message came from a connection."""
        connection = self._connections.get(conn)
        if connection is None:
            return
        sent = connection.sent
        if len(sent) == _MESSAGES_PER_S and now_ns - sent[0] < 1_000_000_000:
            self._outbox(conn, None)
            return
        sent.append(now_ns)
        self._outbox(conn, orjson.dumps(self._answer(connection, payload)))

    def _answer(self, connection: StreamConnection, payload: bytes) -> dict[str, Any]:
        try:
            message = orjson.loads(payload)
        except orjson.JSONDecodeError as error:
            return {"code": 3, "msg": f"Invalid JSON: expected value at line {error.lineno} column {error.colno}"}
        if not isinstance(message, dict):
            return {"code": 2, "msg": "Invalid request: expected an object"}
        try:
            return {"result": self._control(connection, message), "id": message["id"]}
        except _ControlError as error:
            answer = {"code": error.code, "msg": error.msg}
            return {**answer, "id": message["id"]} if "id" in message else answer

    def _control(self, connection: StreamConnection, message: dict[str, Any]) -> Any:
        method, params = message.get("method"), message.get("params")
        _check_shape(message)
        if method == "LIST_SUBSCRIPTIONS":
            return list(connection.streams)
        if method in ("SUBSCRIBE", "UNSUBSCRIBE"):
            if not isinstance(params, list) or not all(isinstance(name, str) for name in params):
                raise _ControlError(2, "Invalid request: params must be a list of stream names")
            for name in params:
                if method == "UNSUBSCRIBE":
                    self._leave(connection, name)
                elif len(connection.streams) < _MAX_STREAMS or name in connection.streams:
                    self._listen(connection, name)
                else:
                    raise _ControlError(2, f"Invalid request: too many streams, at most {_MAX_STREAMS}")
            return None
        return _property(connection, str(method), params)

    def _listen(self, connection: StreamConnection, name: str) -> None:
        connection.streams[name] = None
        self._listeners.setdefault(name, {})[connection.number] = connection
        self._subscribed(name)

    def _leave(self, connection: StreamConnection, name: str) -> None:
        if connection.streams.pop(name, 0) is None:
            listeners = self._listeners[name]
            del listeners[connection.number]
            if not listeners:
                del self._listeners[name]


def _check_shape(message: dict[str, Any]) -> None:
    """Refuses what every control message must not be: without a known method or a proper id."""
    if "method" not in message:
        raise _ControlError(2, "Invalid request: missing field `method`")
    if message["method"] not in _METHODS:
        known = ", ".join(f"`{name}`" for name in _METHODS)
        raise _ControlError(2, f"Invalid request: unknown variant `{message['method']}`, expected one of {known}")
    if "id" not in message:
        raise _ControlError(2, "Invalid request: missing field `id`")
    number = message["id"]
    if isinstance(number, bool) or not (
        number is None or isinstance(number, int) or (isinstance(number, str) and _ID.match(number))
    ):
        message.pop("id")
        raise _ControlError(
            2, "Invalid request: request ID must be an unsigned integer or a text of at most 36 characters"
        )
    extra = set(message) - {"method", "params", "id"}
    if extra:
        raise _ControlError(2, f"Invalid request: unknown field `{min(extra)}`")


def _property(connection: StreamConnection, method: str, params: Any) -> bool | None:
    wanted = 1 if method == "GET_PROPERTY" else 2
    if not isinstance(params, list) or not params:
        raise _ControlError(2, "Invalid request: missing field `params`")
    if len(params) > wanted:
        raise _ControlError(2, "Invalid request: too many parameters")
    if params[0] != "combined":
        raise _ControlError(0, "Unknown property")
    if method == "GET_PROPERTY":
        return connection.combined
    if len(params) < wanted:
        raise _ControlError(2, "Invalid request: missing value of the property")
    if not isinstance(params[1], bool):
        raise _ControlError(1, "Invalid value type: expected Boolean")
    connection.combined = params[1]
    return None
