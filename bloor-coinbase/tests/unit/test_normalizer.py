"""Frames of both feeds to messages, with payloads as the venue documents them."""

from __future__ import annotations

from typing import Any

import orjson
import pytest

from bloor.errors import RemoteProtocolError
from bloor.market.messages import (
    BboMessage,
    BookMessage,
    ConnectionMessage,
    FaultMessage,
    KlineMessage,
    OtherMessage,
    TradeMessage,
)
from bloor_coinbase.normalizer import CoinbaseNormalizer

NORMALIZER = CoinbaseNormalizer()
SENT = "2026-08-24T22:34:13.813365299Z"
SENT_NS = 1_787_610_853_813_365_299


def frame(channel: str, *events: Any, seq: int | None = 7, **more: Any) -> bytes:
    """A frame of Advanced Trade."""
    document: dict[str, Any] = {"channel": channel, "timestamp": SENT, "events": list(events), **more}
    return orjson.dumps(document if seq is None else {**document, "sequence_num": seq})


def level(side: str, price: Any, qty: Any, time: str = "2026-08-24T22:34:13.592233Z") -> dict[str, Any]:
    """One entry of ``updates``."""
    return {"side": side, "event_time": time, "price_level": price, "new_quantity": qty}


def book(kind: str, *levels: dict[str, Any], product: str = "BTC-USD") -> dict[str, Any]:
    """One event of ``level2``."""
    return {"type": kind, "product_id": product, "updates": list(levels)}


def trade(number: str, side: str = "BUY", product: str = "BTC-USD") -> dict[str, Any]:
    """One entry of ``trades``."""
    time = "2026-04-07T14:30:02.789012Z"
    return {
        "trade_id": number,
        "product_id": product,
        "price": "68900.50",
        "size": "0.0015",
        "side": side,
        "time": time,
    }


# ---- Advanced Trade -------------------------------------------------------------------------------------------------


def test_an_update_of_a_book() -> None:
    """Bids and offers apart, the frame's number, and the time of the newest level."""
    newer = "2026-08-24T22:34:13.7Z"
    event = book("update", level("bid", "78856.05", "0.048"), level("offer", "78856.06", "0", newer))
    assert NORMALIZER.decode(frame("l2_data", event, client_id="")) == (
        ConnectionMessage(7),
        BookMessage(
            "BTC-USD", False, 7, 7, -1, [("78856.05", "0.048")], [("78856.06", "0")], 1_787_610_853_700_000_000
        ),
    )


def test_a_snapshot_has_the_time_of_its_frame() -> None:
    """Its levels may be as old as they are, and older than anything."""
    event = book(
        "snapshot", level("bid", "10", "1", "1970-01-01T00:00:00Z"), level("offer", "11", "2", "0001-01-01T00:00:00Z")
    )
    _, message = NORMALIZER.decode(frame("l2_data", event))
    assert message == BookMessage("BTC-USD", True, 7, 7, -1, [("10", "1")], [("11", "2")], SENT_NS)


def test_an_update_without_levels() -> None:
    """It is a book message all the same."""
    _, message = NORMALIZER.decode(frame("l2_data", book("update")))
    assert message == BookMessage("BTC-USD", False, 7, 7, -1, [], [], SENT_NS)


def test_a_frame_has_one_message_for_each_book() -> None:
    """Events of one product are one message, a snapshot makes void what came before it, other products stand apart."""
    events = [
        book("update", level("bid", "9", "9")),
        book("snapshot", level("bid", "10", "1"), level("offer", "12", "1")),
        book("update", level("bid", "1", "1"), product="ETH-USD"),
        book("update", level("bid", "10", "0"), level("bid", "10.5", "2")),
    ]
    _, btc, eth = NORMALIZER.decode(frame("l2_data", *events))
    assert isinstance(btc, BookMessage)
    assert isinstance(eth, BookMessage)
    assert (btc.snapshot, btc.bids, btc.asks) == (True, [("10", "1"), ("10", "0"), ("10.5", "2")], [("12", "1")])
    assert (eth.symbol, eth.snapshot, eth.bids) == ("ETH-USD", False, [("1", "1")])


def test_the_side_of_a_trade_is_the_makers() -> None:
    """Where the maker bought, the taker sold; trades come in the order of their ids."""
    event = {"type": "update", "trades": [trade("1000", "SELL"), trade("999", "BUY")]}
    numbered, *trades = NORMALIZER.decode(frame("market_trades", event))
    time_ns = 1_775_572_202_789_012_000
    assert numbered == ConnectionMessage(7)
    assert trades == [
        TradeMessage("BTC-USD", "999", "68900.50", "0.0015", -1, time_ns),
        TradeMessage("BTC-USD", "1000", "68900.50", "0.0015", 1, time_ns),
    ]


def test_trades_from_before_the_subscription_are_marked() -> None:
    """They may have been said on another connection."""
    _, message = NORMALIZER.decode(frame("market_trades", {"type": "snapshot", "trades": [trade("5")]}))
    assert isinstance(message, TradeMessage)
    assert message.recent


def test_the_best_bid_and_offer() -> None:
    """With the frame's time, since it has none; an empty side is zero."""
    tick = {
        "type": "ticker", "product_id": "BTC-USD", "price": "68900.50", "best_bid": "68900.00",
        "best_bid_quantity": "1.5", "best_ask": "", "best_ask_quantity": "",
    }  # fmt: skip
    _, message = NORMALIZER.decode(frame("ticker", {"type": "snapshot", "tickers": [tick]}))
    assert message == BboMessage("BTC-USD", -1, "68900.00", "1.5", "0", "0", SENT_NS)


def test_a_ticker_without_best_prices_is_another_message() -> None:
    """Those of ticker_batch have none."""
    event = {"type": "update", "tickers": [{"type": "ticker", "product_id": "BTC-USD", "price": "1"}]}
    assert NORMALIZER.decode(frame("ticker_batch", event)) == (ConnectionMessage(7), OtherMessage("ticker_batch"))


def test_a_candle_is_closed_when_a_later_one_is_beside_it() -> None:
    """Oldest first, five minutes each."""
    one = {"high": "3", "low": "1", "open": "1.5", "close": "2", "volume": "42", "product_id": "BTC-USD"}
    rows = [{"start": str(start), **one} for start in (1_775_521_800, 1_775_521_500)]
    _, old, new = NORMALIZER.decode(frame("candles", {"type": "snapshot", "candles": rows}))
    start_ns = 1_775_521_500_000_000_000
    assert old == KlineMessage(
        "BTC-USD", SENT_NS, start_ns, start_ns + 299_999_999_999, "1.5", "3", "1", "2", "42", "", 0, True
    )
    assert isinstance(new, KlineMessage)
    assert not new.final


@pytest.mark.parametrize("channel", ["subscriptions", "heartbeats", "status", "user", "futures_balance_summary"])
def test_other_channels_count_on_the_connection(channel: str) -> None:
    """Whatever a frame is about, it has a number."""
    assert NORMALIZER.decode(frame(channel, {"anything": 1})) == (ConnectionMessage(7), OtherMessage(channel))


def test_a_frame_without_a_number() -> None:
    """Then nothing is known of the connection."""
    assert NORMALIZER.decode(frame("heartbeats", seq=None)) == (OtherMessage("heartbeats"),)


# ---- Exchange -------------------------------------------------------------------------------------------------------


def test_a_book_of_the_exchange_feed() -> None:
    """Snapshot and change, without numbers; any zero removes a level."""
    whole = {
        "type": "snapshot",
        "product_id": "BTC-USD",
        "bids": [["10101.10", "0.45"]],
        "asks": [["10102.55", "0.57"]],
    }
    assert NORMALIZER.decode(orjson.dumps(whole)) == (
        BookMessage("BTC-USD", True, -1, -1, -1, [("10101.10", "0.45")], [("10102.55", "0.57")], 0),
    )
    changes = [["buy", "10101.80", "0.162567"], ["sell", "10102.55", "0.00000000"]]
    change = {"type": "l2update", "product_id": "BTC-USD", "changes": changes, "time": "2019-08-14T20:42:27.966Z"}
    assert NORMALIZER.decode(orjson.dumps(change)) == (
        BookMessage(
            "BTC-USD", False, -1, -1, -1, [("10101.80", "0.162567")], [("10102.55", "0.00000000")],
            1_565_815_347_966_000_000,
        ),
    )  # fmt: skip


@pytest.mark.parametrize(("kind", "recent"), [("match", False), ("last_match", True)])
def test_a_match(kind: str, recent: bool) -> None:
    """The maker sold, so the taker bought."""
    event = {
        "type": kind, "trade_id": 10, "sequence": 50, "maker_order_id": "ac92", "taker_order_id": "132f",
        "time": "2014-11-07T08:19:27.028459Z", "product_id": "BTC-USD", "size": "5.23512", "price": "400.23",
        "side": "sell",
    }  # fmt: skip
    (message,) = NORMALIZER.decode(orjson.dumps(event))
    assert message == TradeMessage("BTC-USD", "10", "400.23", "5.23512", 1, 1_415_348_367_028_459_000, recent=recent)


def test_a_ticker_of_2021_says_no_sizes() -> None:
    """They are zero; the first one of a subscription may have no time either."""
    event = {"type": "ticker", "sequence": 9, "product_id": "BTC-USD", "best_bid": "14.75", "best_ask": "14.80"}
    assert NORMALIZER.decode(orjson.dumps(event)) == (BboMessage("BTC-USD", 9, "14.75", "0", "14.80", "0", 0),)


@pytest.mark.parametrize(
    "kind", ["received", "open", "done", "change", "activate", "subscriptions", "heartbeat", "error"]
)
def test_other_kinds_of_the_exchange_feed(kind: str) -> None:
    """Orders one by one are not kept as a book."""
    event = {"type": kind, "product_id": "BTC-USD", "sequence": 10, "price": None, "side": "buy"}
    assert NORMALIZER.decode(orjson.dumps(event)) == (OtherMessage(kind),)


@pytest.mark.parametrize(("frame", "what"), [(b"[]", "list"), (b"1", "int"), (b"{}", "unknown object")])
def test_what_is_no_frame(frame: bytes, what: str) -> None:
    """JSON without a meaning is another message."""
    assert NORMALIZER.decode(frame) == (OtherMessage(what),)


# ---- what is wrong --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (b'{"channel":', "expected JSON"),
        (frame("l2_data", seq=-1), "sequence_num"),
        (frame("l2_data", 5), "events"),
        (frame("l2_data", book("whole")), "'type': expected 'snapshot' or 'update'"),
        (frame("l2_data", book("update", product="")), "product_id"),
        (frame("l2_data", book("update", level("ask", "1", "1"))), "'side': expected 'bid' or 'offer', got 'ask'"),
        (frame("l2_data", book("update", level("bid", "1", "1"), level("bid", "-1", "1"))), r"bid\[1\]"),
        (frame("l2_data", book("update", level("offer", "0.0", "1"))), r"offer\[0\].*positive"),
        (frame("l2_data", book("update", level("bid", "1", "1e5"))), r"bid\[0\].*quantity"),
        (frame("l2_data", book("update", level("bid", 1, "1"))), r"bid\[0\].*price, got 1"),
        (frame("l2_data", book("update", level("bid", "1", "1", "yesterday"))), "event_time"),
        (frame("l2_data", book("update", level("bid", "1", "1", "2026-02-30T00:00:00Z"))), "event_time"),
        (b'{"type":"l2update","product_id":"A-B","changes":[["bid","1","1"]]}', r"changes\[0\]"),
        (b'{"type":"snapshot","product_id":"A-B","bids":[["1","1"]],"asks":[["2"]]}', r"asks\[0\]"),
    ],
)
def test_what_a_book_depends_on_must_be_right(text: bytes, words: str) -> None:
    """The message names the field."""
    with pytest.raises(RemoteProtocolError, match=words):
        NORMALIZER.decode(text)


def test_a_fault_elsewhere_leaves_the_number() -> None:
    """What is wrong about a trade does not make a hole in the books."""
    event = {"type": "update", "trades": [{**trade("1"), "side": "HOLD"}]}
    numbered, fault = NORMALIZER.decode(frame("market_trades", event))
    assert numbered == ConnectionMessage(7)
    assert fault == FaultMessage("market_trades: field 'side': expected 'BUY' or 'SELL', got 'HOLD'")


# ---- REST -----------------------------------------------------------------------------------------------------------


def test_a_product_book() -> None:
    """REST names product and time."""
    sides = {"bids": [{"price": "10", "size": "1"}], "asks": [{"price": "11", "size": "2"}]}
    body = orjson.dumps(
        {"pricebook": {"product_id": "BTC-USD", **sides, "time": "2026-04-07T14:30:00Z"}, "last": "10.5"}
    )
    message = NORMALIZER.decode_snapshot(body, "")
    assert message == BookMessage(
        "BTC-USD", True, -1, -1, -1, [("10", "1")], [("11", "2")], 1_775_572_200_000_000_000, False
    )


def test_a_book_of_the_exchange_interface() -> None:
    """Its levels also have the number of orders; whose it is, the request says."""
    body = b'{"bids":[["10","1",3]],"asks":[["11","2",1]],"sequence":5}'
    message = NORMALIZER.decode_snapshot(body, "BTC-USD")
    assert (message.symbol, message.bids, message.asks, message.over_stream) == (
        "BTC-USD", [("10", "1")], [("11", "2")], False,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("body", "words"), [(b'{"error":"NOT_FOUND","message":"no such product"}', "no such product"), (b"[]", "an object")]
)
def test_an_answer_that_is_no_book(body: bytes, words: str) -> None:
    """Coinbase's own text is told."""
    with pytest.raises(RemoteProtocolError, match=words):
        NORMALIZER.decode_snapshot(body, "BTC-USD")
