"""USD-M futures: frames, instruments, symbols and the session, where they differ from spot."""

from __future__ import annotations

import json
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from bloor.config import read_layers
from bloor.errors import ConfigError, InputFileError, RemoteProtocolError
from bloor.hookspecs import FeedContext
from bloor.market.messages import BboMessage, BookMessage, Message, OtherMessage, TradeMessage
from bloor.market.normalizer import SequenceRule
from bloor.plugins.catalog import Catalog, discover
from bloor.plugins.host import PluginHost
from bloor.venue.session import Endpoints, Get
from bloor_binance.config import BinanceUsdmConfig
from bloor_binance.usdm.feed import build, feed_spec
from bloor_binance.usdm.instruments import normalizer_spec, parse_instruments, read_instrument_file
from bloor_binance.usdm.normalizer import BinanceUsdmNormalizer
from bloor_binance.usdm.symbols import split, venue_symbol

MS = 1_000_000
T0 = 1_700_000_000_000
LEVELS = {"b": [["100.10", "1.5"]], "a": [["100.20", "0"]]}
DEPTH = {"e": "depthUpdate", "E": T0, "T": T0 - 1, "s": "BTCUSDT", "U": 157, "u": 160, "pu": 149, **LEVELS}
TRADE = {
    "e": "trade", "E": T0, "T": T0 - 1, "s": "BTCUSDT", "t": 7, "p": "100.1", "q": "0.5", "X": "MARKET", "m": True,
}  # fmt: skip
TICKER = {
    "e": "bookTicker", "u": 400, "E": T0, "T": T0 - 1, "s": "BTCUSDT", "b": "100.1", "B": "1", "a": "100.2", "A": "2",
}  # fmt: skip


@pytest.fixture
def normalizer() -> BinanceUsdmNormalizer:
    """The reference normalizer."""
    return BinanceUsdmNormalizer()


def one(normalizer: BinanceUsdmNormalizer, event: Any, stream: str = "") -> Message:
    """The one message of a frame, bare or combined."""
    frame = {"stream": stream, "data": event} if stream else event
    (message,) = normalizer.decode(json.dumps(frame).encode())
    return message


@pytest.mark.parametrize("stream", ["", "btcusdt@depth@100ms", "btcusdt@depth", "btcusdt@depth@0ms"])
def test_a_change_names_the_change_before_it(normalizer: BinanceUsdmNormalizer, stream: str) -> None:
    """Update ids are the whole venue's, so what continues is told by pu; the time is that of the event."""
    assert normalizer.rule is SequenceRule.PREVIOUS
    message = one(normalizer, DEPTH, stream)
    assert message == BookMessage("BTCUSDT", False, 157, 160, 149, LEVELS["b"], LEVELS["a"], T0 * MS)


@pytest.mark.parametrize("stream", ["btcusdt@depth20@100ms", "btcusdt@depth5", "btcusdt@depth10@500ms"])
def test_the_best_levels_are_a_snapshot(normalizer: BinanceUsdmNormalizer, stream: str) -> None:
    """They have the fields of a change; only the stream's name tells them."""
    message = one(normalizer, DEPTH, stream)
    assert isinstance(message, BookMessage)
    assert (message.snapshot, message.over_stream, message.last_seq) == (True, True, 160)


def test_only_trades_of_the_book_are_trades(normalizer: BinanceUsdmNormalizer) -> None:
    """The insurance fund and deleveraging print at prices that no book showed."""
    trade = TradeMessage("BTCUSDT", "7", "100.1", "0.5", -1, (T0 - 1) * MS)
    assert one(normalizer, TRADE, "btcusdt@trade") == trade
    assert one(normalizer, {k: v for k, v in TRADE.items() if k != "X"}) == trade
    for origin in ("INSURANCE_FUND", "ADL", "NA", ""):
        odd = {**TRADE, "X": origin, "p": "0", "q": "0"}
        assert isinstance(one(normalizer, odd), OtherMessage)
    with pytest.raises(RemoteProtocolError, match="field 'X'"):
        one(normalizer, {**TRADE, "X": 1})


def test_a_quote_has_a_time(normalizer: BinanceUsdmNormalizer) -> None:
    """That of the event."""
    assert one(normalizer, TICKER) == BboMessage("BTCUSDT", 400, "100.1", "1", "100.2", "2", T0 * MS)


@pytest.mark.parametrize("event", [DEPTH, TRADE, TICKER])
def test_a_missing_field_is_named(normalizer: BinanceUsdmNormalizer, event: dict[str, Any]) -> None:
    """Whatever is missing of what is needed, the frame is refused with its name."""
    unneeded = {"T"} if event is not TRADE else {"E", "X"}
    for name in set(event) - unneeded - {"e"}:
        with pytest.raises(RemoteProtocolError, match=f"'{name}'"):
            one(normalizer, {k: v for k, v in event.items() if k != name})
    with pytest.raises(RemoteProtocolError, match="'e'"):
        one(normalizer, {k: v for k, v in event.items() if k != "e"})


def test_a_snapshot_has_a_time_where_the_venue_says_one(normalizer: BinanceUsdmNormalizer) -> None:
    """Answers with and without E; an error answer says Binance's words."""
    answer = {"lastUpdateId": 9, "E": T0, "T": T0, "bids": LEVELS["b"], "asks": []}
    message = normalizer.decode_snapshot(json.dumps(answer).encode(), "BTCUSDT")
    assert message == BookMessage("BTCUSDT", True, 9, 9, -1, LEVELS["b"], [], T0 * MS, False)
    del answer["E"]
    assert normalizer.decode_snapshot(json.dumps(answer).encode(), "BTCUSDT").exch_ns == 0
    with pytest.raises(RemoteProtocolError, match="-1121"):
        normalizer.decode_snapshot(b'{"code":-1121,"msg":"Invalid symbol."}', "BTCUSDT")


@pytest.mark.parametrize(
    "frame", [b'{"result":null,"id":1}', b"[]", b'{"stream":"!ticker@arr","data":[]}', b'{"e":"forceOrder"}']
)
def test_other_frames_are_none_of_ours(normalizer: BinanceUsdmNormalizer, frame: bytes) -> None:
    """Acknowledgements, lists and kinds that are not normalized are handed on."""
    (message,) = normalizer.decode(frame)
    assert isinstance(message, OtherMessage)


@pytest.mark.parametrize("frame", [b"", b"\xff", b"{", b'{"stream":1,"data":{}}', b'{"stream":"a@trade","data":[]}'])
def test_garbage_is_refused(normalizer: BinanceUsdmNormalizer, frame: bytes) -> None:
    """With the one exception that is meant for it."""
    with pytest.raises(RemoteProtocolError):
        normalizer.decode(frame)


@pytest.mark.parametrize(
    ("name", "symbol"),
    [("BTCUSDT", "BTC-USDT"), ("BTCUSDT_260327", "BTC_260327-USDT"), ("1000SHIBUSDC", "1000SHIB-USDC")],
)
def test_symbols_both_ways(name: str, symbol: str) -> None:
    """A delivery contract has its day in both."""
    assert "-".join(split(name)) == symbol
    assert venue_symbol(symbol) == name


def contract(name: str = "BTCUSDT", **changes: Any) -> dict[str, Any]:
    """An entry of exchangeInfo."""
    return {
        "symbol": name, "status": "TRADING", "contractType": "PERPETUAL", "baseAsset": "BTC", "quoteAsset": "USDT",
        "pricePrecision": 2, "quantityPrecision": 3, "baseAssetPrecision": 8,
        "filters": [
            {"filterType": "PRICE_FILTER", "minPrice": "556.80", "maxPrice": "4529764", "tickSize": "0.10"},
            {"filterType": "LOT_SIZE", "minQty": "0.001", "maxQty": "1000", "stepSize": "0.001"},
            {"filterType": "MIN_NOTIONAL", "notional": "100"},
            {"filterType": "POSITION_RISK_CONTROL"},
        ],
        **changes,
    }  # fmt: skip


def test_instruments_of_the_listing(tmp_path: Path) -> None:
    """Steps and limits come from the filters, and books have the contract's quantity precision."""
    body = json.dumps({"symbols": [contract(), contract("BTCUSDT_260327", status="PENDING_TRADING")]}).encode()
    perpetual, delivery = parse_instruments(body)
    assert (perpetual.venue, perpetual.symbol, perpetual.venue_symbol) == ("binance-usdm", "BTC-USDT", "BTCUSDT")
    assert (perpetual.tick_size, perpetual.lot_size) == (Decimal("0.1"), Decimal("0.001"))
    assert (perpetual.qty_decimals, perpetual.min_notional, perpetual.trading) == (3, Decimal(100), True)
    assert (delivery.symbol, delivery.trading) == ("BTC_260327-USDT", False)
    path = tmp_path / "exchangeInfo.json"
    path.write_bytes(body)
    assert normalizer_spec().instruments(path) == [perpetual, delivery]
    path.write_bytes(b"{}")
    with pytest.raises(InputFileError, match="exchangeInfo"):
        read_instrument_file(path)


def test_the_session_has_the_streams_of_usdm() -> None:
    """Another base, another depth path; the speeds have the venue's names."""
    (instrument,) = parse_instruments(json.dumps({"symbols": [contract()]}).encode())
    place = feed_spec().endpoints["prod"]
    names = {"0ms": "@depth@0ms", "100ms": "@depth@100ms", "250ms": "@depth", "500ms": "@depth@500ms"}
    for speed, stream in names.items():
        config = BinanceUsdmConfig(depth_speed=speed)
        feed = build(FeedContext(config=config, endpoints=place, instruments=[instrument]))
        kinds = f"btcusdt{stream}/btcusdt@trade/btcusdt@bookTicker"
        assert feed.url == f"wss://fstream.binance.com/stream?streams={kinds}"
    other = Endpoints("http://a", "ws://b", "ws://c")
    feed = build(FeedContext(config=None, endpoints=other, instruments=[instrument]))
    assert feed.connected(0) == [Get("depth:BTCUSDT", "/fapi/v1/depth?symbol=BTCUSDT&limit=1000")]


def test_weights_follow_the_number_of_levels() -> None:
    """As documented for the depth endpoint; an unknown request counts as a heavy one."""
    rules = feed_spec().rest
    assert rules is not None
    (limit,) = rules.limits
    weights = {n: limit.counts(f"/fapi/v1/depth?symbol=BTCUSDT&limit={n}") for n in (5, 50, 100, 500, 1000)}
    assert weights == {5: 2, 50: 2, 100: 5, 500: 10, 1000: 20}
    assert limit.counts("/fapi/v1/exchangeInfo") == 1
    assert limit.counts("/fapi/v1/unknown") == 40
    assert rules.parse_time is not None
    assert rules.parse_time(b'{"serverTime":1700000000000}') == T0 * MS
    with pytest.raises(RemoteProtocolError):
        rules.parse_time(b"[]")


def test_it_is_a_feed_and_not_a_venue_to_trade_on() -> None:
    """It is never taken as the default of a run, its section is known, and asking it for orders says what it has."""
    host = PluginHost()
    assert "binance-usdm" not in host.installed_venues()
    assert "binance" in host.installed_venues()
    assert "binance-usdm" in host.section_names()["venue"]
    assert host.feed("binance-usdm").venue == host.normalizer("binance-usdm").venue == "binance-usdm"
    with pytest.raises(Exception, match="provides no executor"):
        host.executor("binance-usdm")


def test_with_this_package_alone_a_run_takes_spot_without_being_told() -> None:
    """Two names are installed, and one of them can be traded on: no question, no notice."""
    installed = discover().entries
    ours = {name: found for name, found in installed.items() if found[0].distribution == "bloor-binance"}
    assert sorted(ours) == ["binance", "binance-usdm"]
    assert PluginHost(Catalog(ours)).installed_venues() == ["binance"]


def test_a_value_that_the_venue_does_not_have_is_refused() -> None:
    """With the dotted path of the key."""
    raw = read_layers(None, {}, ["venue.binance-usdm.depth_limit=7"])
    with pytest.raises(ConfigError, match=r"venue\.binance-usdm"):
        raw.section(("venue", "binance-usdm"), BinanceUsdmConfig)
