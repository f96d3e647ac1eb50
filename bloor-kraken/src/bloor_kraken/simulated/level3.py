"""The WebSocket of market data by order: tokens, subscriptions, what they cost (docs.kraken.com, "Level3").

A subscription costs 5, 25 or 100 by its depth, of 200 in a second; a connection has 200 symbols at most, each in one
depth. Kraken's words for what is beyond that are not in the documents.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Mapping
from typing import Any

from attrs import Factory, define

from bloor.simulation.exchange import Market
from bloor.simulation.venue import Outbox
from bloor_kraken.exact import Number
from bloor_kraken.simulated.channels import Channel, Topic
from bloor_kraken.simulated.endpoint import Endpoint
from bloor_kraken.simulated.errors import ApiError, Text
from bloor_kraken.simulated.keys import Permission, Tokens
from bloor_kraken.simulated.names import Names
from bloor_kraken.simulated.published import Published
from bloor_kraken.simulated.sockets import Connection, Message, flag, pong, success, symbols_of

__all__ = ["PREFIX", "Level3Sockets"]

#: What its path begins with, instead of a host of its own.
PREFIX = "/l3"
#: Depth -> what a subscription costs; what may be spent in a second.
COSTS, BUDGET = {"10": 5, "100": 25, "1000": 100}, 200
MOST_SYMBOLS = 200
_SECOND = 1_000_000_000


@define(eq=False)
class _Client(Connection):
    """One connection: what it listens to, and what it spent lately, when and how much."""

    topics: dict[str, Topic] = Factory(dict)
    spent: deque[tuple[int, int]] = Factory(deque)

    def spend(self, cost: int, now_ns: int) -> None:
        """Raises ApiError: it would be more than may be spent in a second."""
        while self.spent and now_ns - self.spent[0][0] >= _SECOND:
            self.spent.popleft()
        if sum(each for _, each in self.spent) + cost > BUDGET:
            raise ApiError(Text.API_RATE_LIMIT)
        self.spent.append((now_ns, cost))


class Level3Sockets(Endpoint[_Client]):
    """Connections of market data by order.

    Args:
        outbox: The way out.
        tokens: Who is asking.
        published: What there is to listen to.
        names: Finds markets.
        subscribed: Called when somebody begins to listen, with the time.
    """

    def __init__(
        self,
        outbox: Outbox,
        tokens: Tokens,
        published: Mapping[str, Published],
        names: Names,
        subscribed: Callable[[int], None],
    ) -> None:
        super().__init__(outbox, _Client)
        self._tokens = tokens
        self._published = published
        self._names = names
        self._subscribed = subscribed

    # -- connections ------------------------------------------------------------------------------------------------

    def _forget(self, client: _Client) -> None:
        for symbol, topic in client.topics.items():
            self._published[symbol].channels.unsubscribe(client.number, topic)
        self._tokens.release(client.number)

    def _listens(self, client: _Client) -> bool:
        return bool(client.topics)

    def _carry_out(self, client: _Client, message: Message, now_ns: int) -> list[bytes]:
        if message.method == "ping":
            return [pong(message, now_ns)]
        if message.method in ("subscribe", "unsubscribe"):
            self._subscription(client, message, now_ns)
            return []
        raise ApiError(Text.METHOD)

    # -- subscriptions ----------------------------------------------------------------------------------------------

    def _subscription(self, client: _Client, message: Message, now_ns: int) -> None:
        params = message.params
        self._tokens.key(params.get("token"), now_ns).require(Permission.WEBSOCKETS)
        if params.get("channel") != Channel.LEVEL3.value:
            raise ApiError(Text.CHANNEL)
        symbols = symbols_of(params)
        depth = params.get("depth", Number("10"))
        if type(depth) is not Number or depth not in COSTS:
            raise ApiError(Text.DEPTH)
        topic = Topic(Channel.LEVEL3, str(depth))

        def do(market: Market) -> None:
            if message.method == "subscribe":
                self._subscribe(client, message, market, topic, now_ns)
            else:
                self._unsubscribe(client, message, market, now_ns)

        self._for_each(client, message, symbols, self._names, do, now_ns)

    def _subscribe(self, client: _Client, message: Message, market: Market, topic: Topic, now_ns: int) -> None:
        symbol = market.instrument.venue_symbol
        channels = self._published[symbol].channels
        snapshot = flag(message.params, "snapshot", default=True)
        if symbol in client.topics:
            raise ApiError(Text.ALREADY_SUBSCRIBED)
        if not channels.has_orders:  # a recording of levels moves the market
            raise ApiError(Text.UNAVAILABLE)
        if len(client.topics) >= MOST_SYMBOLS:
            raise ApiError(Text.SYMBOLS_LIMIT)
        client.spend(COSTS[topic.option], now_ns)
        client.topics[symbol] = topic
        self._tokens.hold(message.params["token"], client.number)
        result = {"channel": topic.channel.value, "depth": int(topic.option), "snapshot": snapshot, "symbol": symbol}
        self._outbox(client.number, success(message, result, now_ns))
        frame = channels.subscribe(client.number, topic, now_ns, snapshot=snapshot)
        if frame is not None:
            self._outbox(client.number, frame)
        self._subscribed(now_ns)

    def _unsubscribe(self, client: _Client, message: Message, market: Market, now_ns: int) -> None:
        symbol = market.instrument.venue_symbol
        known = client.topics.pop(symbol, None)
        if known is None:
            raise ApiError(Text.NOT_SUBSCRIBED)
        self._published[symbol].channels.unsubscribe(client.number, known)
        if not client.topics:
            self._tokens.release(client.number)
        result: dict[str, Any] = {"channel": known.channel.value, "depth": int(known.option), "symbol": symbol}
        self._outbox(client.number, success(message, result, now_ns))
