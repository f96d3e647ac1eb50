"""No bytes make the normalizer or a pipeline fail in a way that was not foreseen."""

from __future__ import annotations

import orjson
from hypothesis import given
from hypothesis import strategies as st

from bloor.errors import RemoteProtocolError
from bloor.market.book import OrderBook
from bloor.market.events import EventKind, EventView
from bloor.market.instruments import InstrumentTable
from bloor.market.pipeline import MarketPipeline
from bloor_binance.normalizer import BinanceSpotNormalizer

SEEDS = [
    b'{"stream":"bnbbtc@trade","data":{"e":"trade","E":1,"s":"BNBBTC","t":1,"p":"0.1","q":"1","T":1,"m":true}}',
    b'{"e":"aggTrade","E":1,"s":"BNBBTC","a":1,"p":"0.001","q":"100","f":100,"l":105,"T":1,"m":true,"M":true}',
    b'{"u":400900217,"s":"BNBBTC","b":"25.3","B":"31.2","a":"25.4","A":"40.6"}',
    b'{"e":"depthUpdate","E":1,"s":"BNBBTC","U":157,"u":160,"b":[["0.0024","10"]],"a":[["0.0026","100"]]}',
    b'{"stream":"bnbbtc@depth20","data":{"lastUpdateId":156,"bids":[["4.0","4"]],"asks":[["5.0","1"]]}}',
]

json_values = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**70), 2**70) | st.floats() | st.text(max_size=8)
    | st.sampled_from(["0", "1e400", "NaN", "-1", "1.5", "trade", "depthUpdate"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from("eEsUubapqtTmBA"), inner, max_size=5),
    max_leaves=12,
)  # fmt: skip


@st.composite
def mutated(draw: st.DrawFn) -> bytes:
    """A real frame with some bytes replaced, taken out or doubled."""
    frame = bytearray(draw(st.sampled_from(SEEDS)))
    for _ in range(draw(st.integers(0, 4))):
        at = draw(st.integers(0, len(frame) - 1))
        how = draw(st.sampled_from(["replace", "cut", "double"]))
        if how == "replace":
            frame[at] = draw(st.integers(0, 255))
        elif how == "cut":
            del frame[at : at + draw(st.integers(1, 9))]
        else:
            frame[at:at] = frame[at : at + draw(st.integers(1, 9))]
        if not frame:
            return b""
    return bytes(frame)


@st.composite
def replaced(draw: st.DrawFn) -> bytes:
    """A real frame with one of its fields replaced by any JSON value."""
    document = orjson.loads(draw(st.sampled_from(SEEDS)))
    inner = document.get("data", document)
    inner[draw(st.sampled_from(sorted(inner)))] = draw(json_values)
    return bytes(repr(document), "utf-8") if draw(st.booleans()) else dumps(document)


def dumps(document: object) -> bytes:
    try:
        return orjson.dumps(document)
    except TypeError:  # an integer beyond 64 bits
        return b"{}"


frames = st.one_of(st.binary(max_size=60), mutated(), replaced())


@given(frames)
def test_decode_reads_or_refuses(frame: bytes) -> None:
    """Whatever comes is read, or refused with the one error that says so."""
    normalizer = BinanceSpotNormalizer()
    try:
        messages = normalizer.decode(frame)
    except RemoteProtocolError:
        return
    assert len(messages) == 1


@given(st.lists(frames, max_size=12))
def test_pipeline_never_raises_and_never_shows_a_crossed_book(received: list[bytes]) -> None:
    """Every frame is counted once, and no event shows a bid at or above the ask or a price of zero."""
    seen: list[int] = []

    def on_event(event: EventView, book: OrderBook | None) -> None:
        seen.append(event.kind)
        if event.kind == EventKind.BOOK:
            assert event.price < event.price2 or event.qty2 == 0
        if event.kind in (EventKind.TRADE, EventKind.AGG_TRADE):
            assert event.price > 0
            assert event.qty > 0

    pipeline = MarketPipeline(BinanceSpotNormalizer(), InstrumentTable(), on_event, assume_empty=True)
    for frame in received:
        pipeline.frame(frame, 1)
    assert pipeline.counters.messages + pipeline.counters.errors >= len(received)
