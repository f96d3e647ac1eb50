"""The compiled normalizer and the reference: the same events, books, counts and errors, whatever comes."""

from __future__ import annotations

import runpy
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bloor.market.compiled.answers import UNSURE
from bloor.market.compiled.pipeline import CompiledPipeline
from bloor.model.instrument import Instrument
from bloor.testing.bothpipelines import BothPipelines, WatchedPipeline
from bloor_kraken.instruments import normalizer_spec

venue = runpy.run_path(str(Path(__file__).parents[1] / "venue_book.py"))
VenueBook: Any = venue["VenueBook"]
digits_of: Any = venue["digits_of"]


def listed(price_decimals: int, qty_decimals: int, tick_units: int) -> Instrument:
    return Instrument(
        venue="kraken", symbol="BTC-USD", venue_symbol="BTC/USD", base="BTC", quote="USD",
        price_decimals=price_decimals, qty_decimals=qty_decimals, tick_units=tick_units,
    )  # fmt: skip


books = st.builds(
    lambda seed, depth, price, qty: VenueBook(seed, depth=depth, price_decimals=price, qty_decimals=qty),
    seed=st.integers(0, 1 << 32),
    depth=st.sampled_from([10, 10, 25, 100]),
    price=st.integers(0, 6),
    qty=st.integers(0, 8),
)
instruments = st.one_of(
    st.just([]),
    st.builds(lambda *of: [listed(*of)], st.integers(0, 8), st.integers(0, 9), st.sampled_from([1, 1, 1, 5, 25])),
)
changes = st.lists(
    st.tuples(
        st.integers(0, 45), st.sampled_from(["flip", "drop", "twice", "byte", "cut", "space", "rename", "swap"]),
        st.integers(0, 1 << 16),
    ),
    max_size=6,
)  # fmt: skip
RENAMED = [
    (b'"price"', b'"prize"'), (b"BTC/USD", b"ETH/USD"), (b"BTC/USD", b"XBT/USD"), (b"2026-08-24", b"2023-02-29"),
    (b"2026-08-24T22:21", b"2024-02-29T00:00"), (b"2026-08-24T22:21", b"1999-12-31T23:59"), (b'"asks"', b'"bids"'),
    (b".343688Z", b".34368Z"), (b'"update"', b'"snapshot"'), (b'"checksum":', b'"checksum":0'), (b'"qty":', b'"qty":-'),
    (b'"price":', b'"price":0'), (b'"bids":[{', b'"bids":[{"a":1,'), (b"}]}", b'}],"req_id":1}'), (b"Z", b"+00:00"),
    (b'"qty":0.', b'"qty":00.'), (b'"data":[', b'"data":[]'), (b"}", b"},"), (b":58.", b":60."), (b"[{", b"[ {"),
]  # fmt: skip


def changed(frames: list[bytes], what: list[tuple[int, str, int]]) -> list[bytes]:
    """The frames with something done to some of them."""
    found = list(frames)
    for n, how, pick in what:
        n = min(n, len(found) - 1)
        frame = found[n]
        at = pick % max(1, len(frame))
        if how == "flip":
            digits = digits_of(frame)
            if digits:
                at = digits[pick % len(digits)]
                found[n] = frame[:at] + b"%d" % (pick % 10) + frame[at + 1 :]
        elif how == "drop":
            found[n] = b'{"channel":"heartbeat"}'
        elif how == "twice":
            found.insert(n, frame)
        elif how == "byte":
            found[n] = frame[:at] + bytes([pick % 256]) + frame[at + 1 :]
        elif how == "cut":
            found[n] = frame[:at]
        elif how == "space":
            found[n] = frame.replace(b",", b", ", 1 + pick % 3) if pick % 2 else frame + b" \n"
        elif how == "rename":
            old, new = RENAMED[pick % len(RENAMED)]
            found[n] = frame.replace(old, new, 1 + pick % 2)
        else:
            other = min(len(found) - 1, n + 1)
            found[n], found[other] = found[other], found[n]
    return found


@settings(max_examples=250, deadline=None)
@given(book=books, known=instruments, what=changes)
def test_both_forms_say_the_same(book: Any, known: list[Instrument], what: list[tuple[int, str, int]]) -> None:
    """After every frame: the answer, the events, every level, every count and every error."""
    ways = BothPipelines(normalizer_spec(), known)
    frames = list(book.frames(45))
    for frame in [*changed(frames, what), *frames[1:2]]:
        ways.frame(frame)
    ways.settle()


@pytest.mark.parametrize("compiled", [False, True])
def test_a_listed_instrument_is_taken_by_compiled_code(compiled: bool) -> None:
    """Everything after the snapshot: without a question to the reference."""
    pipeline = WatchedPipeline(normalizer_spec(), [listed(1, 8, 1)], compiled=compiled).pipeline
    frames = list(VenueBook(3).frames(400))
    for frame in frames[:3]:
        pipeline.frame(frame, 0)
    if compiled:
        assert isinstance(pipeline, CompiledPipeline)
        answers = [pipeline.step(frame, 0) for frame in frames[3:]]
        assert UNSURE not in answers
        assert pipeline.counters.checksums_ok == len(frames) - 1
