"""The WebSocket API: sessions, signed requests, answers, subscriptions to user data (web-socket-api.md)."""

from __future__ import annotations

from typing import Any
from urllib.parse import parse_qs

import orjson
from attrs import define

from bloor.simulation.venue import Outbox
from bloor_binance.simulated.errors import ApiError, missing
from bloor_binance.simulated.operations import Operation, Operations, Security
from bloor_binance.simulated.params import Params
from bloor_binance.simulated.rate_limits import RateLimits
from bloor_binance.simulated.signatures import ApiKey, KeyRing, check_time, ws_payload
from bloor_binance.simulated.user_stream import Subscription, UserStream

__all__ = ["PATH", "WsApi"]

PATH = "/ws-api/v3"
#: Weight of opening a connection, and of a session or subscription request.
_CONNECT_WEIGHT, _SESSION_WEIGHT = 2, 2


@define(eq=False)
class _Session:
    """One connection and who is logged on to it."""

    conn: int
    unit: int
    limits_shown: bool
    connected_ns: int
    key: ApiKey | None = None
    authorised_ns: int = 0
    subscriptions: int = 0


class WsApi:
    """Answers the requests of WebSocket API connections."""

    def __init__(
        self, operations: Operations, keys: KeyRing, limits: RateLimits, user_stream: UserStream, outbox: Outbox
    ) -> None:
        self._operations = operations
        self._keys = keys
        self._limits = limits
        self._user_stream = user_stream
        self._outbox = outbox
        self._sessions: dict[int, _Session] = {}
        self._own = {
            "session.logon": self._logon,
            "session.status": self._status,
            "session.logout": self._logout,
            "session.subscriptions": self._subscriptions,
            "userDataStream.subscribe": self._subscribe,
            "userDataStream.subscribe.signature": self._subscribe_signature,
            "userDataStream.unsubscribe": self._unsubscribe,
        }

    def opened(self, conn: int, query: str, now_ns: int) -> None:
        """A connection was opened."""
        options = {name: values[-1] for name, values in parse_qs(query).items()}
        unit = 1_000 if options.get("timeUnit", "").upper() == "MICROSECOND" else 1_000_000
        self._sessions[conn] = _Session(conn, unit, options.get("returnRateLimits") != "false", now_ns)
        self._limits.weight.used = self._limits.weight.at(now_ns) + _CONNECT_WEIGHT

    def closed(self, conn: int) -> None:
        """A connection is gone."""
        self._sessions.pop(conn, None)
        self._user_stream.unsubscribe(conn)

    def holds(self, conn: int) -> bool:
        """Whether a connection is one of this API."""
        return conn in self._sessions

    def received(self, conn: int, payload: bytes, now_ns: int) -> None:
        """A request came from a connection."""
        session = self._sessions[conn]
        number: Any = None
        shown, orders, lost = session.limits_shown, False, False
        try:
            number, method, params = _read(payload)
            flag = params.get("returnRateLimits")
            shown = shown if flag is None else flag == "true"
            operation = self._operations.table.get(method)
            orders = operation is not None and operation.orders
            answer = {"id": number, "status": 200, "result": self._call(session, method, operation, params, now_ns)}
            lost = operation is not None and self._operations.fail_after(operation)
        except ApiError as error:
            body = error.document()
            if error.retry_after_s:
                body["data"] = {
                    **(error.data or {}),
                    "serverTime": now_ns // session.unit,
                    "retryAfter": (now_ns + error.retry_after_s * 1_000_000_000) // session.unit,
                }
            answer = {"id": number, "status": error.status, "error": body}
        if shown:
            answer["rateLimits"] = self._limits.document(now_ns, orders=orders)
        if not lost:
            self._outbox(conn, orjson.dumps(answer))

    def _call(self, session: _Session, method: str, operation: Operation | None, params: Params, now_ns: int) -> Any:
        own = self._own.get(method)
        if own is not None:
            self._limits.spend(_SESSION_WEIGHT, now_ns)
            return own(session, params, now_ns)
        if operation is None:
            raise ApiError(-1000, f"Unknown method '{method}'.")
        self._operations.fail_before(operation)
        self._limits.spend(operation.weight, now_ns)
        account = 0
        if operation.security is Security.SIGNED:
            account = self._authorised(session, params, now_ns)
        result = operation.handler(params, account, now_ns, session.unit)
        self._operations.done(operation, now_ns)
        return result

    # -- who is asking ----------------------------------------------------------------------------------------------

    def _authorised(self, session: _Session, params: Params, now_ns: int) -> int:
        """The account of a request: by its own signature, or by the session's log-on."""
        if "apiKey" in params or "signature" in params:
            account = self._signed(params, now_ns).account
        elif session.key is not None:
            check_time(params, now_ns)
            account = session.key.account
        else:
            raise missing("apiKey")
        for extra in ("apiKey", "signature", "timestamp", "recvWindow", "returnRateLimits"):
            params.pop(extra, None)
        return account

    def _signed(self, params: Params, now_ns: int) -> ApiKey:
        key = self._keys.find(params.text("apiKey"))
        signature = params.text("signature")
        check_time(params, now_ns)
        key.verify(ws_payload(params), signature)
        return key

    def _logon(self, session: _Session, params: Params, now_ns: int) -> dict[str, Any]:
        key = self._keys.find(params.text("apiKey"))
        if not key.can_log_on:
            kind = "HMAC_SHA256" if key.public is None else "RSA"
            raise ApiError(-4056, f"{kind} API key is not supported.")
        session.key = self._signed(params, now_ns)
        session.authorised_ns = now_ns
        return self._status(session, params, now_ns)

    def _status(self, session: _Session, _params: Params, now_ns: int) -> dict[str, Any]:
        key = session.key
        return {
            "apiKey": key.name if key else None,
            "authorizedSince": session.authorised_ns // session.unit if key else None,
            "connectedSince": session.connected_ns // session.unit,
            "returnRateLimits": session.limits_shown,
            "serverTime": now_ns // session.unit,
            "userDataStream": bool(self._user_stream.of(session.conn)),
        }

    def _logout(self, session: _Session, params: Params, now_ns: int) -> dict[str, Any]:
        session.key = None
        return self._status(session, params, now_ns)

    # -- user data --------------------------------------------------------------------------------------------------

    def _subscriptions(self, session: _Session, _params: Params, _now_ns: int) -> list[dict[str, int]]:
        return [{"subscriptionId": subscription.number} for subscription in self._user_stream.of(session.conn)]

    def _subscribe(self, session: _Session, _params: Params, _now_ns: int) -> dict[str, int]:
        if session.key is None:
            raise ApiError(-1106, "Request requires an authenticated session; use session.logon first.", 401)
        return self._add(session, session.key.account)

    def _subscribe_signature(self, session: _Session, params: Params, now_ns: int) -> dict[str, int]:
        return self._add(session, self._signed(params, now_ns).account)

    def _add(self, session: _Session, account: int) -> dict[str, int]:
        if any(subscription.account == account for subscription in self._user_stream.of(session.conn)):
            raise ApiError(-2035, "Subscription is already active for this account.")
        number = session.subscriptions
        session.subscriptions += 1
        self._user_stream.subscribe(Subscription(session.conn, number, account, session.unit))
        return {"subscriptionId": number}

    def _unsubscribe(self, session: _Session, params: Params, _now_ns: int) -> dict[str, Any]:
        if not self._user_stream.unsubscribe(session.conn, params.integer("subscriptionId")):
            raise ApiError(-2036, "Subscription is not active.")
        return {}


def _read(payload: bytes) -> tuple[Any, str, Params]:
    """``(id, method, parameters as text)`` of a request.

    Raises:
        ApiError: It is none; without its id, as the exchange answers.
    """
    try:
        message = orjson.loads(payload)
    except orjson.JSONDecodeError as error:
        raise ApiError(-1135, f"Invalid JSON Request: {error}") from None
    if not isinstance(message, dict) or not isinstance(message.get("method"), str):
        raise ApiError(-1135, "Invalid JSON Request: expected an object with a method.")
    number, params = message.get("id"), message.get("params", {})
    if isinstance(number, bool) or not (number is None or isinstance(number, int | str)):
        raise ApiError(-1135, "Invalid JSON Request: id must be an integer, a text or null.")
    if not isinstance(params, dict):
        raise ApiError(-1135, "Invalid JSON Request: params must be an object.")
    return number, message["method"], Params({name: _as_text(value) for name, value in params.items()})


def _as_text(value: Any) -> str:
    """A JSON value as the signed text has it."""
    if isinstance(value, str):
        return value
    return orjson.dumps(value).decode()
