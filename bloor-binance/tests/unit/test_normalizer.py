"""Binance spot frames: real shapes, old shapes, and everything that can be wrong with them."""

from __future__ import annotations

import inspect
import json
from typing import Any

import orjson
import pytest

from bloor.errors import RemoteProtocolError
from bloor.market.messages import BboMessage, BookMessage, OtherMessage, TradeMessage
from bloor_binance.frames import agg_trade, book_ticker, depth, snapshot, trade
from bloor_binance.normalizer import BinanceSpotNormalizer
from bloor_binance.symbols import split, venue_symbol

NORMALIZER = BinanceSpotNormalizer()


def decode(document: Any) -> Any:
    text = document if isinstance(document, bytes) else json.dumps(document).encode()
    (message,) = NORMALIZER.decode(text)
    return message


def example(module: Any) -> dict[str, Any]:
    """The payload in a module's docstring."""
    lines = (inspect.getdoc(module) or "").splitlines()
    (payload,) = [line.strip() for line in lines if line.strip().startswith("{")]
    return dict(orjson.loads(payload))


TRADE, AGG, TICKER, DEPTH, SNAPSHOT = map(example, (trade, agg_trade, book_ticker, depth, snapshot))
MS = 1_000_000


@pytest.mark.parametrize(
    ("payload", "expected"),
    [
        (TRADE, TradeMessage("BNBBTC", "12345", "0.001", "100", -1, 1672515782136 * MS)),
        (AGG, TradeMessage("BNBBTC", "12345", "0.001", "100", -1, 1672515782136 * MS, True, 100, 105)),
        (TICKER, BboMessage("BNBUSDT", 400900217, "25.35190000", "31.21000000", "25.36520000", "40.66000000")),
        (
            DEPTH,
            BookMessage(
                "BNBBTC", False, 157, 160, -1, [["0.0024", "10"]], [["0.0026", "100"]], 1672515782136 * MS
            ),
        ),
        (
            SNAPSHOT,
            BookMessage(
                "", True, 1027024, 1027024, -1,
                [["4.00000000", "431.00000000"]], [["4.00000200", "12.00000000"]], 0, False,
            ),
        ),
    ],
)  # fmt: skip
def test_documented_payloads(payload: dict[str, Any], expected: Any) -> None:
    """The payload that each module shows is read as it says, bare and in an envelope."""
    assert decode(payload) == expected
    if payload is not SNAPSHOT:
        assert decode({"stream": "x@y", "data": payload}) == expected


def test_partial_depth_takes_its_symbol_from_the_stream() -> None:
    """Only the name of the stream says whose best levels these are."""
    message = decode({"stream": "bnbbtc@depth20@100ms", "data": SNAPSHOT})
    assert (message.symbol, message.snapshot, message.over_stream, message.last_seq) == ("BNBBTC", True, True, 1027024)


def test_old_payloads() -> None:
    """Order ids in trades, and a third member in levels, are no obstacle."""
    assert decode({**TRADE, "a": 1, "b": 2}) == decode(TRADE)
    assert decode({**DEPTH, "b": [["0.0024", "10", []]]}).bids == [("0.0024", "10")]


def test_times_in_microseconds() -> None:
    """Streams with timeUnit=MICROSECOND give the same times, finer."""
    assert decode({**TRADE, "T": 1672515782136123}).exch_ns == 1672515782136123000


def test_buyer_took() -> None:
    """When the buyer is not the maker, the taker bought."""
    assert decode({**TRADE, "m": False}).taker_side == 1


def test_symbol_in_another_script() -> None:
    """Symbols may hold any letters."""
    assert decode({**TRADE, "s": "这是测试币456USDT"}).symbol == "这是测试币456USDT"


def test_empty_side_of_a_ticker() -> None:
    """Price and quantity of zero are an empty side."""
    assert decode({**TICKER, "a": "0.00000000", "A": "0.00000000"}).ask == "0.00000000"


@pytest.mark.parametrize(
    ("document", "what"),
    [
        ({"result": None, "id": 1}, "answer"),
        ({"result": ["btcusdt@trade"], "id": 3}, "answer"),
        ({"code": 2, "msg": "Invalid request", "id": 1}, "error"),
        ({"error": {"code": 2, "msg": "Invalid request"}, "id": 1}, "error"),
        ({"e": "serverShutdown", "E": 1770123456789}, "serverShutdown"),
        ({"stream": "!serverShutdown", "data": {"e": "serverShutdown", "E": 1}}, "serverShutdown"),
        ({"e": "kline", "E": 1, "s": "BNBBTC", "k": {"t": 1}}, "kline"),
        ({"stream": "bnbbtc@avgPrice", "data": {"e": "avgPrice"}}, "avgPrice"),
        ({"stream": "!miniTicker@arr", "data": [{"e": "24hrMiniTicker"}]}, "!miniTicker@arr"),
        ([{"e": "24hrTicker"}], "list"),
        ({"subscriptionId": 0, "event": {"e": "executionReport"}}, "event of another connection"),
        ({}, "unknown object"),
    ],
)
def test_frames_of_other_kinds(document: Any, what: str) -> None:
    """A valid frame that is not market data is said to be so."""
    assert decode(document) == OtherMessage(what)


@pytest.mark.parametrize("payload", [TRADE, AGG, TICKER, DEPTH])
@pytest.mark.parametrize("wrapped", [False, True])
def test_every_needed_field(payload: dict[str, Any], wrapped: bool) -> None:
    """A missing field is named; fields that are not used may be missing."""
    unused = {"M"} | ({"E"} if payload is not DEPTH else set())
    for name in payload:
        less = {key: value for key, value in payload.items() if key != name}
        document = {"stream": "bnbbtc@x", "data": less} if wrapped else less
        if name in unused:
            decode(document)
        else:
            with pytest.raises(RemoteProtocolError, match="expected"):
                decode(document)


BAD_NUMBERS: list[Any] = [
    "-1", "+1", "1e400", "1E5", "NaN", "Infinity", "", ".", "1.", ".5", " 1", "1 ", "0x1", "1,5", "1|2", "\u0661",
    1, 1.5, None, True, [], {},
]  # fmt: skip


@pytest.mark.parametrize("value", ["0", "0.00000000", *BAD_NUMBERS])
def test_bad_prices(value: Any) -> None:
    """No price but a positive plain number as text is let in, wherever it stands."""
    for document, name in (
        ({**TRADE, "p": value}, "'p'"),
        ({**AGG, "p": value}, "'p'"),
        ({**TICKER, "b": value}, "'b'"),
        ({**TICKER, "a": value}, "'a'"),
        ({**DEPTH, "b": [["0.1", "1"], [value, "1"]]}, r"'b\[1\]\[0\]'"),
        ({**SNAPSHOT, "asks": [[value, "1"]]}, r"'asks\[0\]\[0\]'"),
    ):
        with pytest.raises(RemoteProtocolError, match=name):
            decode(document)


@pytest.mark.parametrize("value", BAD_NUMBERS)
def test_bad_quantities(value: Any) -> None:
    """No quantity but a plain number as text is let in."""
    for document, name in (
        ({**TRADE, "q": value}, "'q'"),
        ({**TICKER, "B": value}, "'B'"),
        ({**DEPTH, "a": [["0.1", value]]}, r"'a\[0\]\[1\]'"),
        ({**SNAPSHOT, "bids": [["0.1", value]]}, r"'bids\[0\]\[1\]'"),
    ):
        with pytest.raises(RemoteProtocolError, match=name):
            decode(document)


@pytest.mark.parametrize(
    "levels", [None, {}, "ab", [1], [None], [["1"]], ["12"], [{"1": 1, "2": 2}], [["1", "1", "1"]]]
)
def test_bad_levels(levels: Any) -> None:
    """Levels are a list of pairs."""
    with pytest.raises(RemoteProtocolError, match="field 'b"):
        decode({**DEPTH, "b": levels})


@pytest.mark.parametrize("value", [-1, 1.5, "157", None, True, 1 << 63, 1 << 80])
def test_bad_integers(value: Any) -> None:
    """Ids and times are integers that fit 63 bits."""
    text = json.dumps
    for payload, name in ((TRADE, "t"), (TRADE, "T"), (TICKER, "u"), (DEPTH, "U"), (DEPTH, "u"), (DEPTH, "E")):
        with pytest.raises(RemoteProtocolError):
            decode(text({**payload, name: value}).encode())


def test_update_ids_in_the_wrong_order() -> None:
    """The first update of a change is not after the last."""
    with pytest.raises(RemoteProtocolError, match="'U': expected a first update id of at most u = 160, got 161"):
        decode({**DEPTH, "U": 161})


@pytest.mark.parametrize(
    "frame",
    [
        b"", b"{", b"nonsense", b'{"e":"trade"', b'{"e":"trade","s":"\xe4\xb8"}', b'{"e":NaN}', b"\x00", b'{"e":5}',
        b'{"stream":"a@trade"}', b'{"stream":5,"data":{}}', b'{"stream":"a@trade","data":[1,[2]]}',
        b'{"stream":"a@trade","data":{}}', b'{"stream":"a@depth20","data":{}}', b'{"lastUpdateId":1}',
        b'{"s":"A","E":1}', b'{"e":"trade","s":"' + b"A" * 100 + b'"}', b'{"e":"trade","s":"A B"}', b"[" * 5000,
    ],
)  # fmt: skip
def test_garbage(frame: bytes) -> None:
    """Anything else is an error with a reason, never a guess and never another exception."""
    with pytest.raises(RemoteProtocolError):
        decode(frame)


def test_rest_snapshot() -> None:
    """A REST answer is a snapshot of the symbol that was asked for; an error answer says what Binance said."""
    message = NORMALIZER.decode_snapshot(orjson.dumps(SNAPSHOT), "BNBBTC")
    assert (message.symbol, message.over_stream, message.snapshot) == ("BNBBTC", False, True)
    with pytest.raises(RemoteProtocolError, match=r"Binance answered -1121: 'Invalid symbol\.'"):
        NORMALIZER.decode_snapshot(b'{"code":-1121,"msg":"Invalid symbol."}', "X")
    with pytest.raises(RemoteProtocolError, match="expected an object, got list"):
        NORMALIZER.decode_snapshot(b"[]", "X")


@pytest.mark.parametrize(
    ("symbol", "pair"),
    [
        ("BTCUSDT", ("BTC", "USDT")),
        ("ETHBTC", ("ETH", "BTC")),
        ("BTCFDUSD", ("BTC", "FDUSD")),
        ("RUNEEUR", ("RUNE", "EUR")),
        ("USDTTRY", ("USDT", "TRY")),
        ("USDCUSDT", ("USDC", "USDT")),
        ("BTC", ("BT", "C")),
        ("这是测试币456USDT", ("这是测试币456", "USDT")),
        ("ABCDEFGHIJ", ("ABCDEF", "GHIJ")),
    ],
)
def test_split(symbol: str, pair: tuple[str, str]) -> None:
    """A symbol is cut before its longest known quote asset, or somewhere sensible."""
    assert split(symbol) == pair


def test_venue_symbol() -> None:
    """A canonical symbol without its dash is Binance's name."""
    assert venue_symbol("BTC-USDT") == "BTCUSDT"
