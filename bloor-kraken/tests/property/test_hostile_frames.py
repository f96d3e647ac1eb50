"""Whatever is sent, the reference answers with messages or with one kind of error, and the session lives on."""

from __future__ import annotations

import copy
import json
from contextlib import suppress
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from bloor.errors import RemoteProtocolError
from bloor.hookspecs import FeedContext
from bloor.market.compiled.pipeline import market_pipeline
from bloor.market.instruments import InstrumentTable
from bloor.model.instrument import inferred_instrument
from bloor.venue.session import Endpoints, Send, Tell
from bloor_kraken.exact import parsed
from bloor_kraken.feed import KrakenFeed
from bloor_kraken.instruments import listed_pairs, normalizer_spec, parse_instruments
from bloor_kraken.normalizer import KrakenNormalizer

TIME = "2026-08-24T22:21:58.343688Z"
LEVEL = {"price": 78858.8, "qty": 0.5}
ORDER = {"order_id": "OOZP53-FUXQT-BM3262", "limit_price": 78858.8, "order_qty": 0.5, "timestamp": TIME}
FRAMES: list[Any] = [
    {
        "channel": "book",
        "type": "snapshot",
        "data": [{"symbol": "BTC/USD", "bids": [LEVEL], "asks": [], "checksum": 5, "timestamp": TIME}],
    },
    {
        "channel": "level3",
        "type": "snapshot",
        "data": [{"symbol": "C/D", "bids": [ORDER], "asks": [], "checksum": 5}],
    },
    {
        "channel": "level3",
        "type": "update",
        "data": [
            {"symbol": "C/D", "bids": [{"event": "modify", **ORDER}, {"event": "delete", **ORDER}],
             "asks": [{"event": "add", **ORDER}], "checksum": 5, "timestamp": TIME}
        ],
    },
    {
        "channel": "trade",
        "type": "snapshot",
        "data": [{"symbol": "A/B", "side": "buy", "price": 1.5, "qty": 2, "trade_id": 7, "timestamp": TIME}],
    },
    {"channel": "ticker", "data": [{"symbol": "A/B", "bid": 1, "bid_qty": 1, "ask": 2, "ask_qty": 1}]},
    {
        "channel": "ohlc",
        "data": [
            {"symbol": "A/B", "open": 1, "high": 2, "low": 1, "close": 2, "volume": 3, "trades": 4,
             "interval_begin": TIME, "interval": 1}
        ],
    },
    {"channel": "status", "data": [{"system": "online"}]},
    {"channel": "instrument", "data": {"pairs": [{"symbol": "A/B", "price_precision": 1, "qty_precision": 8}]}},
    {"method": "subscribe", "result": {"channel": "book", "depth": 10, "symbol": "BTC/USD"}, "success": True},
    {"method": "subscribe", "result": {"channel": "level3", "symbol": "C/D"}, "success": True},
    {"method": "unsubscribe", "result": {"channel": "book", "symbol": "BTC/USD"}, "success": True},
    {"method": "subscribe", "error": "Already subscribed", "symbol": "BTC/USD", "success": False},
    {"Error": "Exceeded msg rate"},
    [336, {"as": [["1.5", "2.0", "1.0"]], "bs": []}, "book-10", "XBT/USD"],
    [336, {"a": [["1.5", "2.0", "1.0", "r"]]}, {"b": [], "c": "5"}, "book-10", "XBT/USD"],
    [337, [["1.5", "2.0", "1.0", "s", "l", ""]], "trade", "XBT/USD"],
    [338, {"a": ["1.5", 1, "1.0"], "b": ["1.4", 1, "1.0"]}, "ticker", "XBT/USD"],
    [339, ["1.4", "1.5", "1.0", "1.0", "1.0"], "spread", "XBT/USD"],
    {"error": [], "result": {"XXBTZUSD": {"asks": [["1.5", "0.1", 1]], "bids": []}}},
    {"error": [], "result": {"XXBTZUSD": {"wsname": "XBT/USD", "pair_decimals": 1, "lot_decimals": 8}}},
]  # fmt: skip
values = st.recursive(
    st.none() | st.booleans() | st.integers(-5, 1 << 70) | st.floats() | st.text(max_size=3)
    | st.sampled_from(["1.5", "BTC/USD", TIME, "update", 1e-9, 1e300, "-1", "²", "1" * 30, "1e5"]),
    lambda of: st.lists(of, max_size=2) | st.dictionaries(st.sampled_from(["price", "c", "data", "b"]), of, max_size=2),
    max_leaves=3,
)  # fmt: skip


def places(node: Any) -> list[tuple[Any, Any]]:
    """Every container and key in a document."""
    found = []
    keys = list(node) if isinstance(node, dict) else range(len(node)) if isinstance(node, list) else ()
    for key in keys:
        found += [(node, key), *places(node[key])]
    return found


@st.composite
def documents(draw: st.DrawFn) -> bytes:
    """A frame with one or two values that are others, or gone."""
    document = copy.deepcopy(draw(st.sampled_from(FRAMES)))
    for _ in range(draw(st.integers(0, 2))):
        where = places(document)
        if where:
            node, key = draw(st.sampled_from(where))
            if draw(st.booleans()):
                node[key] = draw(values)
            else:
                del node[key]
    return json.dumps(document, separators=(",", ":")).encode()


frames = documents() | st.binary(max_size=40)


@settings(max_examples=400, deadline=None)
@given(sent=st.lists(frames, min_size=1, max_size=6))
def test_nothing_that_is_sent_breaks_anything(sent: list[bytes]) -> None:
    """The normalizer, the list of instruments, the pipeline and the session, one frame after the other."""
    normalizer = KrakenNormalizer()
    pipeline = market_pipeline(normalizer_spec(), InstrumentTable(), lambda *_: None, compiled=False)
    pair = inferred_instrument("kraken", "BTC-USD", "BTC/USD", "BTC", "USD")
    feed = KrakenFeed(FeedContext(config=None, endpoints=Endpoints("", "ws://x", ""), instruments=[pair]))
    feed.connected(0)
    for now, frame in enumerate(sent):
        for read in (
            normalizer.decode,
            parse_instruments,
            lambda body: normalizer.decode_snapshot(body, ""),
            lambda body: listed_pairs(document) if isinstance(document := parsed(body), dict) else None,
        ):
            with suppress(RemoteProtocolError):
                read(frame)
        answer = pipeline.frame(frame, now)
        assert answer >= -1
        feed.heard(frame, now)
        assert all(isinstance(action, Send | Tell) for action in feed.control(frame, now))
        feed.timer(now)
    counters = pipeline.counters
    assert counters.messages + counters.errors >= len(sent)
