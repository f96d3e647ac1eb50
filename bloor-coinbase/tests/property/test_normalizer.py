"""No bytes make the normalizer or a pipeline fail in a way that was not foreseen."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import orjson
from hypothesis import given
from hypothesis import strategies as st

from bloor.errors import RemoteProtocolError
from bloor.market.book import OrderBook
from bloor.market.events import EventKind, EventView
from bloor.market.instruments import InstrumentTable
from bloor.market.pipeline import MarketPipeline
from bloor.model.orders import Side
from bloor_coinbase.normalizer import CoinbaseNormalizer

SEEDS = [
    b'{"channel":"l2_data","timestamp":"2026-08-24T22:34:13Z","sequence_num":0,"events":[{"type":"snapshot","product_id":"A-B","updates":[{"side":"bid","event_time":"1970-01-01T00:00:00Z","price_level":"1.5","new_quantity":"2"}]}]}',
    b'{"channel":"l2_data","timestamp":"2026-08-24T22:34:13.8Z","sequence_num":1,"events":[{"type":"update","product_id":"A-B","updates":[{"side":"offer","event_time":"2026-08-24T22:34:13.59Z","price_level":"1.6","new_quantity":"0"}]}]}',
    b'{"channel":"market_trades","timestamp":"2026-08-24T22:34:13.8Z","sequence_num":2,"events":[{"type":"update","trades":[{"trade_id":"9","product_id":"A-B","price":"1.5","size":"1","side":"BUY","time":"2026-08-24T22:34:13.8Z"}]}]}',
    b'{"channel":"ticker","timestamp":"2026-08-24T22:34:13.8Z","sequence_num":3,"events":[{"type":"update","tickers":[{"product_id":"A-B","best_bid":"1","best_bid_quantity":"2","best_ask":"3","best_ask_quantity":"4"}]}]}',
    b'{"channel":"candles","timestamp":"2026-08-24T22:34:13.8Z","sequence_num":4,"events":[{"type":"update","candles":[{"start":"1775521800","high":"3","low":"1","open":"1","close":"2","volume":"9","product_id":"A-B"}]}]}',
    b'{"type":"snapshot","product_id":"A-B","bids":[["1","2"]],"asks":[["3","4"]]}',
    b'{"type":"l2update","product_id":"A-B","changes":[["buy","1","0"]],"time":"2026-08-24T22:34:13.8Z"}',
    b'{"type":"match","trade_id":5,"side":"buy","size":"1","price":"1.5","product_id":"A-B","time":"2026-08-24T22:34:13Z"}',
]  # fmt: skip

json_values = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**70), 2**70) | st.floats() | st.text(max_size=8)
    | st.sampled_from(["0", "1e400", "NaN", "-1", "1.5", "update", "snapshot", "2026-13-01T00:00:00Z", "9" * 30]),
    lambda inner: st.lists(inner, max_size=3)
    | st.dictionaries(st.sampled_from(["type", "product_id", "updates", "side", "trades", "start"]), inner, max_size=5),
    max_leaves=12,
)  # fmt: skip


@st.composite
def mutated(draw: st.DrawFn) -> bytes:
    """A frame with some bytes replaced, taken out or doubled."""
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


def places(document: Any) -> list[tuple[Any, Any]]:
    """Every ``(container, key)`` in a document."""
    if isinstance(document, dict):
        return [place for key in document for place in ((document, key), *places(document[key]))]
    if isinstance(document, list):
        return [place for n in range(len(document)) for place in ((document, n), *places(document[n]))]
    return []


@st.composite
def replaced(draw: st.DrawFn) -> bytes:
    """A frame with one of its values, however deep, replaced by any other."""
    document = orjson.loads(draw(st.sampled_from(SEEDS)))
    container, key = draw(st.sampled_from(places(document)))
    container[key] = draw(json_values)
    try:
        return orjson.dumps(document)
    except (TypeError, orjson.JSONEncodeError):
        return repr(document).encode("utf-8", "replace")


frames = st.one_of(st.sampled_from(SEEDS), mutated(), replaced())


@given(frames)
def test_every_frame_is_read_or_refused(frame: bytes) -> None:
    """A list of messages, or RemoteProtocolError."""
    try:
        messages = CoinbaseNormalizer().decode(frame)
    except RemoteProtocolError:
        return
    assert messages


@given(st.lists(frames, max_size=12))
def test_a_pipeline_survives_anything(sequence: list[bytes]) -> None:
    """Each frame counts once, as read or as an error; no book that is believed is crossed."""

    def on_event(event: EventView, book: OrderBook | None) -> None:
        if event.kind == EventKind.BOOK:
            assert book is not None
            assert not (event.price > 0 and event.price2 > 0) or event.price < event.price2

    pipeline = MarketPipeline(CoinbaseNormalizer(), InstrumentTable(), on_event)
    for frame in sequence:
        pipeline.frame(frame, 1)
    assert pipeline.counters.messages + pipeline.counters.errors >= len(sequence)
    assert pipeline.counters.messages <= len(sequence)


prices = st.integers(1, 40)
changes = st.lists(st.tuples(st.sampled_from(["bid", "offer"]), prices, st.integers(0, 5)), max_size=6)


@given(st.lists(changes, min_size=1, max_size=12), st.integers(1, 30))
def test_a_book_holds_what_it_was_told(updates: list[list[tuple[str, int, int]]], lost: int) -> None:
    """The levels after any changes are those of two dicts; from the frame after a lost one on there are none."""
    pipeline = MarketPipeline(CoinbaseNormalizer(), InstrumentTable(), lambda *_: None)
    sides: dict[str, dict[int, int]] = {"bid": {}, "offer": {}}
    for seq, rows in enumerate(updates):
        if seq == lost:
            continue
        levels = []
        for side, price, qty in rows:
            quarters = price + 100 * (side == "offer")
            sides[side][quarters] = qty
            levels.append({"side": side, "price_level": f"{quarters / 4}", "new_quantity": f"{qty}.00"})
        event = {"type": "update" if seq else "snapshot", "product_id": "A-B", "updates": levels}
        pipeline.frame(orjson.dumps({"channel": "l2_data", "sequence_num": seq, "events": [event]}), 1)
    book = pipeline.book("A-B")
    assert book is not None
    unit = book.instrument
    for side, ours in (("bid", Side.BUY), ("offer", Side.SELL)):
        held = {unit.price(ticks): unit.qty(units) for ticks, units in book.depth(ours)}
        told = {Decimal(quarters) / 4: Decimal(qty) for quarters, qty in sides[side].items() if qty}
        assert held == ({} if lost < len(updates) - 1 else told)
