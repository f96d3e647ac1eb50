"""A frame that is read by the shape of one before says what a full scan of it says, whatever was changed in it."""

from __future__ import annotations

from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bloor.market.compiled.binding import Call
from bloor.market.compiled.pipeline import CompiledPipeline
from bloor.market.instruments import InstrumentTable
from bloor.model.instrument import Instrument
from bloor_binance.compiled.layout import MISSES
from bloor_binance.compiled.normalizer import compiled_spot, compiled_usdm
from bloor_binance.normalizer import BinanceSpotNormalizer
from bloor_binance.usdm.normalizer import BinanceUsdmNormalizer

TRADE: dict[str, Any] = {
    "e": "trade", "E": 1723161565356, "s": "BTCUSDT", "t": 3742, "p": "61709.99000000", "q": "0.00100000",
    "T": 1723161565355, "m": True, "M": True,
}  # fmt: skip
AGG_TRADE: dict[str, Any] = {
    "e": "aggTrade", "E": 1723161565356, "s": "BTCUSDT", "a": 12, "p": "61709.99000000", "q": "1.5", "f": 1, "l": 5,
    "T": 1723161565355, "m": False,
}  # fmt: skip
QUOTE: dict[str, Any] = {
    "u": 50093408711, "s": "BTCUSDT", "b": "61709.99000000", "B": "1.81000000", "a": "61710.00000000", "A": "2.3",
}  # fmt: skip
USDM_QUOTE = {"e": "bookTicker", **QUOTE, "T": 1568014460891, "E": 1568014460893}
FRAMES = {
    "spot": [
        {"stream": "btcusdt@trade", "data": TRADE}, {"stream": "btcusdt@bookTicker", "data": QUOTE},
        {"stream": "btcusdt@aggTrade", "data": AGG_TRADE}, QUOTE, {"data": TRADE, "stream": "btcusdt@trade"},
        {"stream": "btcusdt@trade", "data": TRADE | {"new": [1, {"a": "}"}], "Z": "12", "st": 2}},
    ],
    "usdm": [
        {"stream": "btcusdt@trade", "data": TRADE | {"X": "MARKET"}},
        {"stream": "btcusdt@bookTicker", "data": USDM_QUOTE}, USDM_QUOTE,
        {"stream": "btcusdt@aggTrade", "data": AGG_TRADE},
    ],
}  # fmt: skip
NORMALIZERS: dict[str, Any] = {
    "spot": (BinanceSpotNormalizer, compiled_spot), "usdm": (BinanceUsdmNormalizer, compiled_usdm),
}  # fmt: skip
CASES = [(venue, number) for venue, frames in FRAMES.items() for number in range(len(frames))]
#: Bytes put in the place of others: what numbers, words and their ends are made of, and what is none of it.
ODD = [*b'0123456789."-+eE,:{}[] trufalsn\\\x00\x1f\x7f\x80\xc3']

changes = st.lists(
    st.tuples(st.integers(0, 400), st.sampled_from(["set", "insert", "delete", "digit"]), st.sampled_from(ODD)),
    max_size=4,
)


def instrument(base: str, venue: str = "spot") -> Instrument:
    return Instrument(
        venue=NORMALIZERS[venue][0].venue, symbol=f"{base}-USDT", venue_symbol=f"{base}USDT", base=base, quote="USDT",
        price_decimals=2, qty_decimals=8,
    )  # fmt: skip


def pipeline(venue: str, call: Call = Call.BUILTIN, bases: tuple[str, ...] = ("BTC",)) -> CompiledPipeline:
    """A pipeline that knows its instruments already."""
    reference, compiled = NORMALIZERS[venue]
    known = [instrument(base, venue) for base in bases]
    made = CompiledPipeline(reference(), compiled(), InstrumentTable(known), lambda *_: None, call=call)
    for each in known:
        made.track(each)
    return made


def answer(made: CompiledPipeline, frame: bytes) -> tuple[int, bytes]:
    """What a step answers, and the event it has written."""
    made.event.array[:] = 0
    found = made.step(frame, 7)
    return found, made.event.array.tobytes() if found >= 0 else b""


def changed(frame: bytes, edits: list[tuple[int, str, int]]) -> bytes:
    text = bytearray(frame)
    for at, how, byte in edits:
        at %= len(text)
        if how == "set":
            text[at] = byte
        elif how == "insert":
            text.insert(at, byte)
        elif how == "delete":
            del text[at]
        else:
            places = [n for n, c in enumerate(text) if 48 <= c <= 57]
            if places:
                text[places[at % len(places)]] = 48 + byte % 10
    return bytes(text)


@pytest.mark.parametrize("call", [Call.BUILTIN, Call.PLAIN])
@pytest.mark.parametrize(("venue", "number"), CASES)
def test_a_shape_is_learned(venue: str, number: int, call: Call) -> None:
    """From the first frame on, frames of that shape need no full scan, and give the same event."""
    frame = orjson.dumps(FRAMES[venue][number])
    made = pipeline(venue, call)
    first = answer(made, frame)
    assert first[0] >= 0
    assert made.context.cells[MISSES] == 1
    for digit in b"123456789":
        other = frame.replace(b"61709.99", b"6170%c.9%c" % (digit, digit))
        assert answer(made, other) == answer(pipeline(venue, call), other)
    assert answer(made, frame) == first
    assert made.context.cells[MISSES] == 1


@given(st.sampled_from(CASES), st.lists(changes, min_size=1, max_size=12))
def test_changed_frames_are_read_as_a_full_scan_reads_them(case: tuple[str, int], edits: Any) -> None:
    """Numbers of other lengths and forms, broken text, other keys: never another answer or another event."""
    venue, number = case
    frame = orjson.dumps(FRAMES[venue][number])
    learned, scanning = pipeline(venue), pipeline(venue)
    answer(learned, frame)
    for edit in edits:
        other = changed(frame, edit)
        scanning.context._memory[:] = 0  # it never has a shape
        assert answer(learned, other) == answer(scanning, other)


def test_a_new_instrument_makes_shapes_void() -> None:
    """Slots may have moved then: the next frame is scanned in full and finds where its instrument is now."""
    frame = orjson.dumps(FRAMES["spot"][0])
    made = pipeline("spot")
    first = answer(made, frame)
    for number in range(20):
        made.track(instrument(f"N{number}"))
    assert answer(made, frame) == first
    assert made.context.cells[MISSES] == 2


def test_many_shapes_in_turns() -> None:
    """More instruments than there are places: every frame is read, by shape or by scan, to its own instrument."""
    made = pipeline("spot", bases=tuple(f"A{n}" for n in range(100)))
    for turn in range(30):
        for n in range(100):
            data = TRADE | {"s": f"A{n}USDT", "t": turn * 100 + n, "p": f"{n + 1}.25"}
            answer(made, orjson.dumps({"stream": f"a{n}usdt@trade", "data": data}))
            assert (made.event.instrument, made.event.seq, made.event.price) == (n, turn * 100 + n, n * 100 + 125)
    assert made.context.cells[MISSES] < 2500
