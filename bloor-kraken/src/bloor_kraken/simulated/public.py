"""The public WebSocket: subscriptions, one answer a symbol, and the channels (docs.kraken.com, WebSocket v2)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import orjson
from attrs import Factory, define

from bloor.simulation.exchange import Market
from bloor.simulation.faults import Fault, Faults
from bloor.simulation.venue import Outbox
from bloor_kraken.exact import Number
from bloor_kraken.simulated.channels import Channel, Topic
from bloor_kraken.simulated.endpoint import Endpoint
from bloor_kraken.simulated.errors import ApiError, Text
from bloor_kraken.simulated.intervals import INTERVALS
from bloor_kraken.simulated.names import Names
from bloor_kraken.simulated.published import Published
from bloor_kraken.simulated.reference import instrument_frame
from bloor_kraken.simulated.sockets import Connection, Message, flag, pong, success, symbols_of

__all__ = ["PATH", "PublicSockets"]

PATH = "/v2"
_DEPTHS = ("10", "25", "100", "500", "1000")
_CHANNELS = {channel.value: channel for channel in Channel}
_INSTRUMENT = "instrument"
#: Private channels and methods, which have an endpoint of their own.
_PRIVATE = frozenset(
    (
        "executions", "balances", "level3", "add_order", "amend_order", "edit_order", "cancel_order", "cancel_all",
        "cancel_all_orders_after", "batch_add", "batch_cancel",
    )
)  # fmt: skip


@define(eq=False)
class _Client(Connection):
    """One public connection and what it listens to."""

    topics: dict[tuple[str, Channel], Topic] = Factory(dict)
    candles: dict[tuple[str, str], Topic] = Factory(dict)
    instruments: bool = False

    @property
    def subscribed(self) -> bool:
        """Whether it listens to anything."""
        return bool(self.topics or self.candles or self.instruments)


class PublicSockets(Endpoint[_Client]):
    """Public connections.

    Args:
        outbox: The way out.
        faults: What market data may meet.
        subscribed: Called when somebody begins to listen, with the time.
    """

    def __init__(self, outbox: Outbox, faults: Faults, subscribed: Callable[[int], None]) -> None:
        super().__init__(outbox, _Client)
        self._faults = faults
        self._subscribed = subscribed
        self._published: Mapping[str, Published] = {}
        self._names = Names(())

    def serve(self, published: Mapping[str, Published], names: Names) -> None:
        """Says what there is to listen to."""
        self._published = published
        self._names = names

    def deliver(self, conn: int, frame: bytes, channel: Channel) -> None:
        """Sends a frame of a channel, unless a fault has it."""
        if channel in (Channel.BOOK, Channel.LEVEL3) and self._faults.happens(Fault.GAP):
            return
        self._outbox(conn, frame)
        if self._faults.happens(Fault.DUPLICATE):
            self._outbox(conn, frame)

    # -- connections ------------------------------------------------------------------------------------------------

    def _forget(self, client: _Client) -> None:
        for (symbol, _), topic in (*client.topics.items(), *client.candles.items()):
            self._published[symbol].channels.unsubscribe(client.number, topic)

    def _listens(self, client: _Client) -> bool:
        return client.subscribed

    def _carry_out(self, client: _Client, message: Message, now_ns: int) -> list[bytes]:
        if message.method == "ping":
            return [pong(message, now_ns)]
        if message.method in ("subscribe", "unsubscribe"):
            self._subscription(client, message, now_ns)
            return []
        raise ApiError(Text.PUBLIC_ENDPOINT if message.method in _PRIVATE else Text.METHOD)

    # -- subscriptions ----------------------------------------------------------------------------------------------

    def _subscription(self, client: _Client, message: Message, now_ns: int) -> None:
        name = message.params.get("channel")
        if name in _PRIVATE:
            raise ApiError(Text.PUBLIC_ENDPOINT)
        if name == _INSTRUMENT:
            self._instruments(client, message, now_ns)
            return
        if type(name) is not str or name not in _CHANNELS:
            raise ApiError(Text.CHANNEL)
        symbols = symbols_of(message.params)
        topic = _topic(_CHANNELS[name], message.params)
        subscribe = self._subscribe if message.method == "subscribe" else self._unsubscribe

        def do(market: Market) -> None:
            subscribe(client, message, market, topic, now_ns)

        self._for_each(client, message, symbols, self._names, do, now_ns)

    def _subscribe(self, client: _Client, message: Message, market: Market, topic: Topic, now_ns: int) -> None:
        symbol = market.instrument.venue_symbol
        snapshot = flag(message.params, "snapshot", default=topic.channel is not Channel.TRADE)
        if _known(client, symbol, topic):
            raise ApiError(Text.ALREADY_SUBSCRIBED)
        if topic.channel is Channel.OHLC:
            client.candles[symbol, topic.option] = topic
        else:
            client.topics[symbol, topic.channel] = topic
        self._outbox(client.number, success(message, _result(topic, symbol, snapshot=snapshot), now_ns))
        frame = self._published[symbol].channels.subscribe(client.number, topic, now_ns, snapshot=snapshot)
        if frame is not None:
            self._outbox(client.number, frame)
        self._subscribed(now_ns)

    def _unsubscribe(self, client: _Client, message: Message, market: Market, topic: Topic, now_ns: int) -> None:
        symbol = market.instrument.venue_symbol
        if topic.channel is Channel.OHLC:
            known = client.candles.pop((symbol, topic.option), None)
        else:
            known = client.topics.pop((symbol, topic.channel), None)
        if known is None:
            raise ApiError(Text.NOT_SUBSCRIBED)
        self._published[symbol].channels.unsubscribe(client.number, known)
        self._outbox(client.number, success(message, _result(known, symbol), now_ns))

    def _instruments(self, client: _Client, message: Message, now_ns: int) -> None:
        """The channel ``instrument``: everything that is listed, which never changes here."""
        subscribes = message.method == "subscribe"
        snapshot = flag(message.params, "snapshot", default=True)
        if client.instruments is subscribes:
            raise ApiError(Text.ALREADY_SUBSCRIBED if subscribes else Text.NOT_SUBSCRIBED)
        client.instruments = subscribes
        result: dict[str, Any] = {"channel": _INSTRUMENT, **({"snapshot": snapshot} if subscribes else {})}
        self._outbox(client.number, success(message, result, now_ns))
        if subscribes and snapshot:
            markets = [published.market for published in self._published.values()]
            self._outbox(client.number, orjson.dumps(instrument_frame(markets)))


def _known(client: _Client, symbol: str, topic: Topic) -> bool:
    if topic.channel is Channel.OHLC:
        return (symbol, topic.option) in client.candles
    return (symbol, topic.channel) in client.topics


def _topic(channel: Channel, params: Mapping[str, Any]) -> Topic:
    """What is asked for. Raises ApiError: there is no such depth or interval, or nothing that a ticker is told by."""
    if channel is Channel.BOOK:
        return Topic(channel, _choice(params, "depth", "10", _DEPTHS, Text.DEPTH))
    if channel is Channel.OHLC:
        return Topic(channel, _choice(params, "interval", "1", INTERVALS, Text.INTERVAL))
    if channel is Channel.TICKER:
        trigger = params.get("event_trigger", "trades")
        if type(trigger) is not str or trigger not in ("trades", "bbo"):
            raise ApiError(Text.MALFORMED)
        return Topic(channel, trigger)
    return Topic(channel)


def _choice(params: Mapping[str, Any], name: str, default: str, known: Any, text: Text) -> str:
    value = params.get(name, Number(default))
    if type(value) is not Number or value not in known:
        raise ApiError(text)
    return str(value)


def _result(topic: Topic, symbol: str, *, snapshot: bool | None = None) -> dict[str, Any]:
    result: dict[str, Any] = {"channel": topic.channel.value}
    if topic.channel is Channel.BOOK:
        result["depth"] = int(topic.option)
    elif topic.channel is Channel.OHLC:
        result["interval"] = int(topic.option)
    elif topic.channel is Channel.TICKER:
        result["event_trigger"] = topic.option
    if snapshot is not None:
        result["snapshot"] = snapshot
    return {**result, "symbol": symbol}
