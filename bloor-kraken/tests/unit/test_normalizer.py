"""Frames to messages: what the reference normalizer makes of each kind, and what it refuses."""

from __future__ import annotations

import json
from typing import Any

import pytest

from bloor.errors import RemoteProtocolError
from bloor.market.messages import BboMessage, BookMessage, KlineMessage, OtherMessage, TradeMessage
from bloor.market.normalizer import ChecksummedNormalizer, SequenceRule
from bloor_kraken.exact import Number, parsed
from bloor_kraken.normalizer import KrakenNormalizer

SECOND = 1_000_000_000


@pytest.fixture
def normalizer() -> KrakenNormalizer:
    """A new one."""
    return KrakenNormalizer()


def test_it_is_a_checksummed_normalizer(normalizer: KrakenNormalizer) -> None:
    """Nothing is numbered: the checksum is what says that something is missing."""
    assert isinstance(normalizer, ChecksummedNormalizer)
    assert (normalizer.venue, normalizer.rule) == ("kraken", SequenceRule.NONE)


# ---- exact text -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("text", ["0.00000000", "78871.50", "1e-08", "-0.240", "15113583034416118705", "1E+3"])
def test_a_number_keeps_its_text(text: str) -> None:
    """Trailing zeros, exponents and integers beyond 64 bits come out as they were sent."""
    (number,) = parsed(f"[{text}]".encode())
    assert type(number) is Number
    assert number == text


@pytest.mark.parametrize(
    "frame",
    [b"", b"{", b'{"a":NaN}', b'{"a":01}', b"[1]]", b'"\xff"', b"[" * 100_000, b'{"a":-Infinity}', b"{'a':1}", b"1 2"],
)
def test_what_is_no_json_is_refused(normalizer: KrakenNormalizer, frame: bytes) -> None:
    """Whatever the bytes, the answer is one kind of error."""
    with pytest.raises(RemoteProtocolError, match="expected JSON"):
        normalizer.decode(frame)


# ---- version 2 ------------------------------------------------------------------------------------------------------

BOOK = (
    b'{"channel":"book","type":"update","data":[{"symbol":"BTC/USD","bids":[{"price":78858.80,"qty":0.00000000},'
    b'{"qty":0.34775324,"price":78857.0}],"asks":[],"checksum":2416540570,"timestamp":"2026-08-24T22:21:58.343688Z"}]}'
)


def test_a_change_of_a_book(normalizer: KrakenNormalizer) -> None:
    """Levels keep their text, in the order in which they came."""
    assert normalizer.decode(BOOK) == [
        BookMessage(
            "BTC/USD", False, -1, -1, -1, [("78858.80", "0.00000000"), ("78857.0", "0.34775324")], [],
            1787610118_343688000, True, 2416540570,
        )
    ]  # fmt: skip


def test_a_snapshot_of_2023_has_no_time(normalizer: KrakenNormalizer) -> None:
    """Its event time is not known."""
    frame = b'{"channel":"book","type":"snapshot","data":[{"symbol":"A/B","bids":[],"asks":[],"checksum":0}]}'
    assert normalizer.decode(frame) == [BookMessage("A/B", True, -1, -1, -1, [], [], 0, True, 0)]


def test_trades(normalizer: KrakenNormalizer) -> None:
    """Several a frame; the side is the taker's; those of a snapshot are in order of their ids and may be repeats."""

    def trade(number: int, side: str) -> dict[str, Any]:
        return {
            "symbol": "BTC/USD", "side": side, "price": 105944.2, "qty": 5e-05, "ord_type": "limit",
            "trade_id": number, "timestamp": "2025-11-10T17:23:53.971744Z",
        }  # fmt: skip

    frame = {"channel": "trade", "type": "update", "data": [trade(8, "buy"), trade(7, "sell")]}
    at = 1762795433_971744000
    assert normalizer.decode(json.dumps(frame).encode()) == [
        TradeMessage("BTC/USD", "8", "105944.2", "0.00005", 1, at),
        TradeMessage("BTC/USD", "7", "105944.2", "0.00005", -1, at),
    ]
    again = normalizer.decode(json.dumps({**frame, "type": "snapshot"}).encode())
    assert [(message.trade_id, message.recent) for message in again] == [("7", True), ("8", True)]  # type: ignore[union-attr]


def test_a_ticker_is_a_best_bid_and_offer(normalizer: KrakenNormalizer) -> None:
    """What it says of the day is not kept."""
    event = b'"symbol":"BTC/USD","bid":105944.20,"bid_qty":2.5,"ask":105944.30,"ask_qty":3.2,"last":1,"change":-250.00'
    assert normalizer.decode(b'{"channel":"ticker","type":"update","data":[{%s}]}' % event) == [
        BboMessage("BTC/USD", -1, "105944.20", "2.5", "105944.30", "3.2", 0)
    ]


def candle(minute: int, close: str) -> bytes:
    return (
        '{"channel":"ohlc","type":"update","timestamp":"2023-10-04T16:26:30.524394914Z","data":[{"symbol":"A/B",'
        f'"open":106038.2,"high":106044.3,"low":106038.1,"close":{close},"trades":12,"volume":30927.6,"vwap":1,'
        f'"interval_begin":"2023-10-04T16:{minute:02}:00.000000000Z","interval":1}}]}}'
    ).encode()


def test_a_candle_is_closed_by_the_next(normalizer: KrakenNormalizer) -> None:
    """Kraken has no flag for it: the next candle of the same interval closes the one before."""
    [first] = normalizer.decode(candle(25, "106040.1"))
    assert isinstance(first, KlineMessage)
    assert (first.close, first.taker_buy_volume, first.final) == ("106040.1", "", False)
    assert first.close_ns - first.open_ns == 60 * SECOND - 1
    [again] = normalizer.decode(candle(25, "106041.0"))
    closed, second = normalizer.decode(candle(26, "106042.0"))
    assert closed == again._replace(final=True)  # type: ignore[union-attr]
    assert (second.close, second.final) == ("106042.0", False)  # type: ignore[union-attr]
    [late] = normalizer.decode(candle(25, "106041.0"))
    assert late.final  # type: ignore[union-attr]


@pytest.mark.parametrize(
    ("frame", "what"),
    [
        (b'{"channel":"heartbeat"}', "heartbeat"),
        (b'{"channel":"status","type":"update","data":[{"connection_id":15113583034416118705}]}', "status"),
        (b'{"channel":"instrument","type":"snapshot","data":{"assets":[],"pairs":[]}}', "instrument"),
        (b'{"method":"pong","req_id":42}', "pong"),
        (b'{"Error":"Exceeded msg rate"}', "error"),
        (b'{"error":[],"result":{}}', "answer"),
        (b'{"event":"heartbeat"}', "heartbeat"),
        (b'[119930881,[],"ohlc-5","XBT/USD"]', "ohlc-5"),
        (b'[[],"ownTrades",{"sequence":1}]', "ownTrades"),
        (b"[]", "list"),
    ],
)
def test_everything_else_is_another_message(normalizer: KrakenNormalizer, frame: bytes, what: str) -> None:
    """Valid, and not normalized."""
    assert list(normalizer.decode(frame)) == [OtherMessage(what)]


@pytest.mark.parametrize(
    ("old", "new", "names"),
    [
        (b'"checksum":2416540570', b'"checksum":"2416540570"', "'checksum'"),
        (b'"checksum":2416540570', b'"checksum":4294967296', "'checksum'"),
        (b'"checksum":2416540570,', b"", "'checksum': expected .*got nothing"),
        (b'"type":"update"', b'"type":"change"', "'type'"),
        (b'"BTC/USD"', b'"BTCUSD"', "'symbol'"),
        (b"78858.80", b"-78858.80", "'bids.0.: price'"),
        (b"78858.80", b"0.0", "'bids.0.: price'"),
        (b"78858.80", b'"78858.80"', "'bids.0.: price'"),
        (b"78858.80", b"1e999", "'bids.0.: price'"),
        (b"0.34775324", b"null", "'bids.1.: quantity'"),
        (b'"qty":0.34775324,', b"", "'bids'"),
        (b'"asks":[]', b'"asks":{}', "'asks'"),
        (b"22:21:58", b"22:61:58", "'timestamp'"),
        (b"22:21:58.343688Z", b"22:21:58.343688", "'timestamp'"),
    ],
)
def test_a_wrong_field_is_named(normalizer: KrakenNormalizer, old: bytes, new: bytes, names: str) -> None:
    """What was expected, and what came instead."""
    assert BOOK.count(old) == 1
    with pytest.raises(RemoteProtocolError, match=f"book: field {names}"):
        normalizer.decode(BOOK.replace(old, new))


# ---- version 1 ------------------------------------------------------------------------------------------------------


def test_a_change_in_two_objects_is_one_message(normalizer: KrakenNormalizer) -> None:
    """The checksum is in the last of them; the time is that of the newest level; a flag says nothing more."""
    frame = (
        b'[336,{"a":[["5541.30","2.50","1534614248.456738"]]},'
        b'{"b":[["5541.20","0.00","1534614335.345903","r"]],"c":"974947235"},"book-10","XBT/USD"]'
    )
    assert list(normalizer.decode(frame)) == [
        BookMessage(
            "BTC/USD", False, -1, -1, -1, [("5541.20", "0.00")], [("5541.30", "2.50")], 1534614335_345903000, True,
            974947235,
        )
    ]  # fmt: skip


def test_version_1_trades_and_quotes(normalizer: KrakenNormalizer) -> None:
    """Trades have no id; a ticker and a spread are a best bid and offer."""
    frame = (
        b'[1,[["5541.2","0.15","1534614057.321597","s","l",""],["6060.0","0.02","1534614057.32","b","m",""]],'
        b'"trade","XDG/USD"]'
    )
    assert list(normalizer.decode(frame)) == [
        TradeMessage("DOGE/USD", "", "5541.2", "0.15", -1, 1534614057_321597000),
        TradeMessage("DOGE/USD", "", "6060.0", "0.02", 1, 1534614057_320000000),
    ]
    quote = BboMessage("BTC/USD", -1, "5525.1", "2.000", "5525.4", "1.000", 0)
    ticker = b'[1,{"a":["5525.4",1,"1.000"],"b":["5525.1",2,"2.000"],"c":["1","1"]},"ticker","XBT/USD"]'
    assert list(normalizer.decode(ticker)) == [quote]
    spread = b'[1,["5525.1","5525.4","1542057299.5","2.000","1.000"],"spread","XBT/USD"]'
    assert list(normalizer.decode(spread)) == [quote._replace(exch_ns=1542057299_500000000)]


@pytest.mark.parametrize(
    ("frame", "names"),
    [
        (b'[1,{},"book-10","XBT/USD"]', "'payload'"),
        (b'[1,{"x":[]},"book-10","XBT/USD"]', "'x'"),
        (b'[1,{"b":[["1","1"]]},"book-10","XBT/USD"]', "'b.0.'"),
        (b'[1,{"b":[["1","1","x"]]},"book-10","XBT/USD"]', "'b.0.: time'"),
        (b'[1,{"b":[[1,"1","1.0"]]},"book-10","XBT/USD"]', "'b.0.: price'"),
        (b'[1,{"b":[],"as":[]},"book-10","XBT/USD"]', "'payload'"),
        (b'[1,{"b":[],"c":"4294967296"},"book-10","XBT/USD"]', "'c'"),
        (b'[1,{"b":[],"c":"1"},"book-10",7]', "'pair'"),
        (b'[1,{"as":[],"bs":[]},"book-x","XBT/USD"]', "'channel name'"),
        (b'[1,[["1","1","1.0","x","l",""]],"trade","XBT/USD"]', "'trade 0: side'"),
        (b'[1,{"a":["1",1,"1"]},"ticker","XBT/USD"]', "'b'"),
        (b'[1,["1"],"spread","XBT/USD"]', "'payload'"),
    ],
)
def test_a_wrong_field_of_version_1_is_named(normalizer: KrakenNormalizer, frame: bytes, names: str) -> None:
    """As of version 2."""
    with pytest.raises(RemoteProtocolError, match=rf"\(version 1\): field {names}"):
        normalizer.decode(frame)


# ---- depth ----------------------------------------------------------------------------------------------------------


def snapshot(levels: int) -> bytes:
    bids = ",".join(f'{{"price":{100 - n},"qty":1}}' for n in range(levels))
    event = f'{{"symbol":"A/B","bids":[{bids}],"asks":[],"checksum":0}}'
    return f'{{"channel":"book","type":"snapshot","data":[{event}]}}'.encode()


def test_how_deep_a_book_is(normalizer: KrakenNormalizer) -> None:
    """The acknowledgement says it; without one it is the least depth that the snapshot fits."""
    assert normalizer.depth("A/B") == 0
    normalizer.decode(snapshot(7))
    assert normalizer.depth("A/B") == 10
    normalizer.decode(snapshot(11))
    assert normalizer.depth("A/B") == 25
    ack = b'{"method":"subscribe","result":{"channel":"book","depth":100,"symbol":"A/B"},"success":true}'
    normalizer.decode(ack)
    normalizer.decode(snapshot(11))
    assert normalizer.depth("A/B") == 100
    normalizer.decode(ack.replace(b"100", b"10"))
    assert normalizer.depth("A/B") == 10
    normalizer.decode(ack.replace(b"100", b"77").replace(b"true", b"false"))
    assert normalizer.depth("A/B") == 10
    normalizer.decode(b'[1,{"as":[],"bs":[]},"book-25","A/B"]')
    assert normalizer.depth("A/B") == 25


# ---- REST -----------------------------------------------------------------------------------------------------------


def test_a_depth_answer(normalizer: KrakenNormalizer) -> None:
    """It is read under the name that was asked for, which is no stream's."""
    body = b'{"error":[],"result":{"XXBTZUSD":{"asks":[["105944.3","0.136",1762820248]],"bids":[]}}}'
    message = normalizer.decode_snapshot(body, "")
    assert message == BookMessage("XXBTZUSD", True, -1, -1, -1, [], [("105944.3", "0.136")], 0, False)
    assert normalizer.decode_snapshot(body, "XBTUSD").symbol == "XBTUSD"


@pytest.mark.parametrize(
    ("body", "says"),
    [
        (b'{"error":["EQuery:Unknown asset pair"]}', "Kraken answered 'EQuery:Unknown asset pair'"),
        (b"[]", "expected an object with error and result"),
        (b'{"error":[],"result":{}}', "expected one pair"),
        (b'{"error":[],"result":{"A":{"asks":[]}}}', "'bids'"),
        (b'{"error":[],"result":{"A":{"asks":[["1"]],"bids":[]}}}', "'asks'"),
    ],
)
def test_no_depth_answer(normalizer: KrakenNormalizer, body: bytes, says: str) -> None:
    """An error answer is told with Kraken's own words."""
    with pytest.raises(RemoteProtocolError, match=says):
        normalizer.decode_snapshot(body, "")
