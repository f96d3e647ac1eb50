"""Every book message is checked: what the venue says is believed to the last level, and a flipped digit is caught."""

from __future__ import annotations

import runpy
from collections.abc import Sequence
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bloor.market.compiled.pipeline import market_pipeline
from bloor.market.instruments import InstrumentTable
from bloor.market.pipeline import MarketPipeline
from bloor.model.orders import Side
from bloor_kraken.instruments import normalizer_spec

venue = runpy.run_path(str(Path(__file__).parents[1] / "venue_book.py"))
VenueBook: Any = venue["VenueBook"]
digits_of: Any = venue["digits_of"]

made = st.builds(
    lambda seed, depth, price, qty: VenueBook(seed, depth=depth, price_decimals=price, qty_decimals=qty),
    seed=st.integers(0, 1 << 32),
    depth=st.sampled_from([10, 10, 25, 100, 1000]),
    price=st.integers(0, 6),
    qty=st.integers(0, 8),
)


def pipeline(*, compiled: bool) -> MarketPipeline:
    """A pipeline that believes nothing but what it is sent."""
    return market_pipeline(normalizer_spec(), InstrumentTable(), lambda event, book: None, compiled=compiled)


def levels(run: MarketPipeline) -> tuple[list[tuple[int, int]], ...]:
    """Every level of the book, in the units of its instrument."""
    book = run.book("BTC/USD")
    assert book is not None
    return tuple(book.depth(side) for side in (Side.BUY, Side.SELL))


def feed(run: MarketPipeline, frames: Sequence[bytes]) -> None:
    for frame in frames:
        run.frame(frame, 0)


def caught(before: Sequence[bytes], frame: bytes, flipped: bytes, *, compiled: bool = True) -> bool:
    """Whether a changed message is known to be wrong when it comes; if not, the book must be the true one."""
    run, true = pipeline(compiled=compiled), pipeline(compiled=False)
    feed(run, before)
    feed(true, [*before, frame])
    run.frame(flipped, 0)
    counters = run.counters
    if counters.checksums_bad or counters.errors:
        return True
    assert [side[:10] for side in texts(run)] == [side[:10] for side in texts(true)], "a wrong book is believed"
    return False


@pytest.mark.parametrize("compiled", [False, True])
@settings(max_examples=15, deadline=None)
@given(book=made)
def test_a_sound_stream_is_believed(compiled: bool, book: Any) -> None:
    """Every checksum agrees, and after every message the book has just the levels of the venue's window."""
    run = pipeline(compiled=compiled)
    frames = list(book.frames(60))
    run.frame(frames[0], 0)
    for n, (frame, window) in enumerate(zip(frames[1:], book.windows, strict=True), 1):
        run.frame(frame, 0)
        assert (run.counters.checksums_ok, run.counters.checksums_bad, run.counters.errors) == (n, 0, 0)
        assert texts(run) == [[book.texts(level) for level in side] for side in window]


def texts(run: MarketPipeline) -> list[list[tuple[Decimal, Decimal]]]:
    """Every level of the book as numbers."""
    book = run.book("BTC/USD")
    assert book is not None
    unit = book.instrument
    return [[(unit.price(ticks), unit.qty(units)) for ticks, units in side] for side in levels(run)]


@settings(max_examples=50, deadline=None)
@given(book=made, data=st.data(), compiled=st.booleans())
def test_a_flipped_digit_is_caught(book: Any, data: st.DataObject, compiled: bool) -> None:
    """In a price, a quantity or the checksum of any message: at that message, or it has changed no level."""
    frames = list(book.frames(12))
    n = data.draw(st.integers(1, len(frames) - 1), label="message")
    frame = frames[n]
    at = data.draw(st.sampled_from(digits_of(frame)), label="digit")
    digit = data.draw(st.sampled_from([c for c in b"0123456789" if c != frame[at]]), label="instead")
    flipped = frame[:at] + bytes([digit]) + frame[at + 1 :]
    found = caught(frames[:n], frame, flipped, compiled=compiled)
    if at > frame.index(b'"checksum"'):
        assert found


@settings(max_examples=30, deadline=None)
@given(book=made, data=st.data(), compiled=st.booleans())
def test_a_lost_message_is_caught(book: Any, data: st.DataObject, compiled: bool) -> None:
    """At the next message, unless the ten best levels are right again after it."""
    frames = list(book.frames(12))
    n = data.draw(st.integers(2, len(frames) - 2), label="lost")
    run = pipeline(compiled=compiled)
    feed(run, [*frames[:n], frames[n + 1]])
    if not run.counters.checksums_bad:
        held = [side[:10] for side in texts(run)]
        assert held == [[book.texts(level) for level in side[:10]] for side in book.windows[n]]
