"""Orders over REST while the WebSocket API is down (sans I/O).

What may go this way is configured (:class:`~bloor_binance.config.RestOrders`). Besides, open orders are looked up every
:data:`LOOK_NS`, one request for each instrument, because fills of what rests are not heard of without the private
stream. Source: binance-spot-api-docs, "REST API: Trading endpoints", "Timing security".
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import orjson

from bloor.errors import RemoteProtocolError
from bloor.model.instrument import Instrument
from bloor.model.orders import VenueReport
from bloor.venue.rest import VenueClock
from bloor.venue.session import NEVER, Action, Listed, Request
from bloor_binance.config import RestOrders
from bloor_binance.order_requests import Operation, Params
from bloor_binance.reports import listed_reports
from bloor_binance.signing import BinanceCredentials

__all__ = ["TIME_TAG", "RestWay", "is_bad_time", "parsed_answer"]

SECOND = 1_000_000_000
#: Pause before the first look at open orders after the connection was lost, and between the others.
FIRST_LOOK_NS, LOOK_NS = SECOND, 5 * SECOND
_MS = 1_000_000
#: The request was older, or newer, than the venue accepts: our idea of its clock is wrong.
_BAD_TIME = -1021
#: Begins the tag of a request for the time, which goes on with when it was made; no operation has this letter.
TIME_TAG = "@"


def parsed_answer(status: int, body: bytes) -> Mapping[str, Any]:
    """A REST answer in the form of one of the WebSocket API: ``result``, or ``error`` (empty when it says nothing).

    Raises:
        RemoteProtocolError: The status is 200 and the body is not JSON.
    """
    try:
        document = orjson.loads(body)
    except orjson.JSONDecodeError as error:
        if status == 200:
            raise RemoteProtocolError(f"not JSON: {error}") from error
        document = None  # a gateway's page
    if status == 200:
        return {"result": document}
    return {"error": document if isinstance(document, dict) else {}}


def is_bad_time(message: Mapping[str, Any]) -> bool:
    """Whether an answer says that our idea of the venue's clock is wrong."""
    return (message.get("error") or {}).get("code") == _BAD_TIME


class RestWay:
    """Makes requests and reads what only REST answers.

    Attributes:
        allowed: What may go this way.
        known: Whether the account was ever reached; before that there is nothing to ask about.
    """

    def __init__(
        self,
        keys: BinanceCredentials,
        allowed: RestOrders,
        recv_window_ms: int,
        instruments: Sequence[Instrument],
        clock: VenueClock,
    ) -> None:
        self.allowed = allowed
        self.known = False
        self._clock = clock
        self._keys = keys
        self._window = recv_window_ms
        self._symbols = [i.venue_symbol for i in instruments]

    def carries(self, operation: Operation) -> bool:
        """Whether an operation may go this way now."""
        if not self.known or self.allowed is RestOrders.OFF:
            return False
        return self.allowed is RestOrders.ALL or not operation.value.opens

    def request(self, operation: Operation, tag: str, params: Params, now_ns: int, *, about: str) -> Request:
        """A signed request."""
        route = operation.value
        stamped: Params = {
            **params,
            "timestamp": (now_ns + self._clock.offset_ns(now_ns)) // _MS,
            "recvWindow": self._window,
        }
        query, signature = self._keys.signed_query(stamped)
        return Request(
            tag=tag, method=route.verb, path=route.path, params=query, signature=signature, headers=self._keys.headers,
            about=about, urgent=route.urgent,
        )  # fmt: skip

    # ---- looking at open orders

    def first_look_ns(self, now_ns: int) -> int:
        """When to look for the first time after the connection was lost."""
        return now_ns + FIRST_LOOK_NS if self.carries(Operation.LIST) else NEVER

    def next_look_ns(self, now_ns: int) -> int:
        """When to look again."""
        return now_ns + LOOK_NS

    def look(self, now_ns: int) -> Sequence[Action]:
        """Asks for the open orders of every instrument."""
        return [
            self.request(Operation.LIST, f"o{now_ns}:{symbol}", {"symbol": symbol}, now_ns, about=f"open {symbol}")
            for symbol in self._symbols
        ]

    def listed(
        self, status: int, message: Mapping[str, Any], instruments: Mapping[str, Instrument]
    ) -> Sequence[VenueReport]:
        """The orders of an answer to :meth:`look`; none of one that failed."""
        return listed_reports(message.get("result"), instruments) if status == 200 else ()

    # ---- besides reports

    def answered(self, tag: str, status: int, message: Mapping[str, Any], now_ns: int) -> Sequence[Action]:
        """What else an answer says: which orders are gone, or that our idea of the venue's clock is wrong.

        Raises:
            KeyError, TypeError, ValueError: A field is missing or of the wrong type.
        """
        if tag.startswith(Operation.LIST.value.letter) and status == 200:
            asked, _, symbol = tag[1:].partition(":")
            ids = frozenset(str(row["clientOrderId"]) for row in message["result"])
            return (Listed(symbol, ids, int(asked)),)
        if is_bad_time(message):
            return (Request(tag=f"{TIME_TAG}{now_ns}", method="GET", path="/api/v3/time", params="", about="time"),)
        return ()
