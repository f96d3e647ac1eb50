"""What a reference normalizer says a frame holds: the venue's words in one form, numbers still as their exact text.

A normalizer knows a venue's JSON and nothing of ticks; :mod:`bloor.market.pipeline` knows instruments, sequence rules
and books and nothing of JSON. These tuples are what passes between them.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from bloor.market.orders import OrderQueues

__all__ = [
    "BboMessage",
    "BookMessage",
    "ConnectionMessage",
    "FaultMessage",
    "KlineMessage",
    "Levels",
    "MarkPriceMessage",
    "Message",
    "OrderRow",
    "Orders",
    "OtherMessage",
    "TradeMessage",
    "is_normalized",
    "is_rest_snapshot",
]

#: ``(price text, quantity text)`` of each level; a quantity of zero removes the level.
Levels = Sequence[Sequence[str]]


class TradeMessage(NamedTuple):
    """A public trade, or several trades of one taker order at one price when ``aggregated``.

    ``taker_side`` is +1 when the taker bought, -1 when it sold. ``exch_ns`` is the trade's time. ``recent`` says that
    it is one of the newest trades that a subscription begins with (Coinbase): it may have been said before, and counts
    only when its number is above that of the newest trade of its instrument.
    """

    symbol: str
    trade_id: str
    price: str
    qty: str
    taker_side: int
    exch_ns: int
    aggregated: bool = False
    first_id: int = 0
    last_id: int = 0
    recent: bool = False


class BboMessage(NamedTuple):
    """The venue's own best bid and offer. ``seq`` is -1 and ``exch_ns`` 0 where the venue says none."""

    symbol: str
    seq: int
    bid: str
    bid_qty: str
    ask: str
    ask_qty: str
    exch_ns: int = 0


class OrderRow(NamedTuple):
    """Whose order a changed level of a book message is of, in order-level data.

    Attributes:
        number: The order's, in the sequence in which orders joined a queue; 0 where the level is emptied.
        place: The place of the change in the sequence in which the message's changes happened, from 0.
        executed: How much of the order was executed with it.
        gone: By how much the order became smaller. Where the data do not say why, it was executed if there is a trade
            of it, else cancelled.
    """

    number: int
    place: int
    executed: str = "0"
    gone: str = "0"


class Orders(NamedTuple):
    """Whose orders the levels of a book message are of.

    Attributes:
        rows: One for each level, the bids first.
        queues: The orders of the instrument after the message.
        tells_executions: Whether the data say what was executed; else its trades do.
    """

    rows: Sequence[OrderRow]
    queues: OrderQueues
    tells_executions: bool


class BookMessage(NamedTuple):
    """A snapshot of a book or a change to it.

    Attributes:
        symbol: The venue's name of the instrument; empty when the message does not say (Binance REST depth).
        snapshot: True when the levels replace the book, False when they change it.
        first_seq: First update id covered; -1 when the venue has none.
        last_seq: Last update id covered; -1 when the venue has none.
        prev_seq: Last update id of the message before, where the venue says it; -1 otherwise.
        bids: Changed levels.
        asks: Changed levels.
        exch_ns: Event time, ns since the epoch; 0 when not said.
        over_stream: False for a REST answer: it gives no ``top`` of its own.
        checksum: The venue's checksum of the book after this message; -1 when it has none.
        orders: Whose orders the levels are of, where the venue tells orders; None where it tells levels.
    """

    symbol: str
    snapshot: bool
    first_seq: int
    last_seq: int
    prev_seq: int
    bids: Levels
    asks: Levels
    exch_ns: int = 0
    over_stream: bool = True
    checksum: int = -1
    orders: Orders | None = None


class KlineMessage(NamedTuple):
    """A candle as it is now. Times are ns since the epoch; volumes are of the base asset.

    Attributes:
        symbol: The venue's name of the instrument.
        exch_ns: Event time.
        open_ns: When the candle began.
        close_ns: The last moment that belongs to it, as the venue says it.
        open: Price of the first trade.
        high: Highest price.
        low: Lowest price.
        close: Price of the newest trade.
        volume: Traded quantity.
        taker_buy_volume: The part of it that takers bought; empty when the venue does not say (Kraken).
        trades: Number of trades.
        final: Whether the candle is closed.
    """

    symbol: str
    exch_ns: int
    open_ns: int
    close_ns: int
    open: str
    high: str
    low: str
    close: str
    volume: str
    taker_buy_volume: str
    trades: int
    final: bool


class MarkPriceMessage(NamedTuple):
    """Mark price, index and funding of a derivative. ``rate`` may begin with a minus, and is empty without funding."""

    symbol: str
    exch_ns: int
    mark: str
    index_price: str
    rate: str
    next_funding_ns: int


class OtherMessage(NamedTuple):
    """A valid frame of a kind that is not normalized: an acknowledgement, a heartbeat, a statistic."""

    what: str


class ConnectionMessage(NamedTuple):
    """The number of a frame among all frames of its connection, from 0; the first message of its frame.

    For a venue that numbers its connections (Coinbase): whatever channel a missing frame was of, any book may lack a
    change (:mod:`bloor.market.connection`).
    """

    seq: int


class FaultMessage(NamedTuple):
    """What is wrong about a frame that can change no book: it is an error, and what else the frame says stays true.

    A normalizer raises instead wherever a change of a book may be in what it cannot read.
    """

    reason: str


Message = (
    TradeMessage
    | BboMessage
    | BookMessage
    | KlineMessage
    | MarkPriceMessage
    | OtherMessage
    | ConnectionMessage
    | FaultMessage
)


def is_normalized(messages: Sequence[Message]) -> bool:
    """Whether the messages of a frame are of a kind that is normalized."""
    return any(type(message) not in (OtherMessage, ConnectionMessage) for message in messages)


def is_rest_snapshot(messages: Sequence[Message]) -> bool:
    """Whether they are the answer to a request for a book."""
    return any(type(message) is BookMessage and not message.over_stream for message in messages)
