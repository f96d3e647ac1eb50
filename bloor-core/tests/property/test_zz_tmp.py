"""What is stored is what a run saw, whatever the frames, and the book can be rebuilt from it."""

from __future__ import annotations

import json
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bloor.market.events import NO_PRICE, EventKind, EventView, Flag
from bloor.market.instruments import InstrumentTable
from bloor.market.pipeline import MarketPipeline
from bloor.model.instrument import Instrument
from bloor.model.orders import Side
from bloor.storage.cells import common_units, rescale
import sys; sys.path.insert(0,"/tmp"); from old_export import hftbacktest_events
from bloor.storage.formats import hftbacktest as hft
from bloor.storage.importing import ImportOptions, import_data
from bloor.storage.load import load
from bloor.storage.manifest import file_hash
from bloor.storage.parquet import read_parquet, write_parquet
from bloor.storage.restore import replay_books
from bloor.storage.staging import Staging

START = 1_700_000_000 * 10**9
HOUR = 3_600 * 10**9


@st.composite
def numbers(draw, low=1, high=400):
    """Text of a positive number with 0 to 3 decimals."""
    decimals = draw(st.integers(0, 3))
    value = draw(st.integers(low * 10**decimals, high * 10**decimals))
    return f"{value // 10**decimals}.{value % 10**decimals:0{decimals}d}" if decimals else str(value)


@st.composite
def frames(draw):
    """Recorded lines of two instruments over some hours: trades, quotes, changes with gaps, snapshots of both ways."""
    last = {"AB": 10, "CB": 10}
    time = START + draw(st.integers(0, 30)) * HOUR
    lines = []
    for _ in range(draw(st.integers(1, 30))):
        time += draw(st.sampled_from([0, 1_000, 10**9, HOUR, 7 * HOUR]))
        symbol = draw(st.sampled_from(["AB", "AB", "AB", "CB"]))
        what = draw(st.sampled_from("ttqbbbbbbbbsr"))
        bids = [[draw(numbers(1, 199)), draw(numbers(0, 9))] for _ in range(draw(st.integers(0, 4)))]
        asks = [[draw(numbers(200, 400)), draw(numbers(0, 9))] for _ in range(draw(st.integers(0, 4)))]
        if what == "t":
            frame = [
                "t",
                symbol,
                draw(st.integers(0, 99)),
                draw(numbers()),
                draw(numbers()),
                draw(st.sampled_from([1, -1])),
                time,
            ]
        elif what == "q":
            frame = ["q", symbol, 5, draw(numbers()), draw(numbers()), draw(numbers()), draw(numbers())]
        elif what == "r":
            frame = {"symbol": symbol, "last": last[symbol], "bids": bids, "asks": asks}
        else:
            first = last[symbol] + draw(st.sampled_from([1, 1, 1, 1, 1, 1, 3]))
            last[symbol] = first + draw(st.integers(0, 2))
            frame = ["b", symbol, what == "s", first, last[symbol], bids, asks, time - 5]
        lines.append((time, json.dumps(frame)))
    return lines


def live(spec, lines, assume_empty):
    """What a run sees: events as arrays by symbol, each with both sides of the book after it."""
    table = InstrumentTable()
    seen: dict[str, list] = {}

    def on_event(event, book):
        instrument = table[event.instrument]
        sides = None
        if event.kind == EventKind.BOOK:
            unit = book.instrument
            sides = [[(unit.price(t), unit.qty(q)) for t, q in book.depth(side)] for side in (Side.BUY, Side.SELL)]
        seen.setdefault(instrument.symbol, []).append((instrument, event.array.copy(), sides))

    pipeline = MarketPipeline(spec.build(), table, on_event, refetch=False, assume_empty=assume_empty)
    for time, text in lines:
        pipeline.frame(text.encode(), time)
    return seen


@pytest.mark.examples(daily=60, soak=1_000)
@given(lines=frames(), short=st.booleans(), assume_empty=st.booleans(), chunk=st.sampled_from([1, 2, 7, 1 << 12]))
def test_the_store_has_what_a_run_saw(list_venue, lines, short, assume_empty, chunk):
    """Every event of a run is in the store, in order and exact; replayed, the levels give the same books."""
    spec = list_venue.SHORT if short else list_venue.SPEC
    seen = live(spec, lines, assume_empty)
    with TemporaryDirectory() as folder:
        source, catalogue = Path(folder) / "r.txt", Path(folder) / "catalogue"
        source.write_text("".join(f"{time} {text}\n" for time, text in lines))
        (done,) = import_data(catalogue, spec, [source], ImportOptions(chunk_rows=chunk, assume_empty=assume_empty))
        stored = {part.instrument.symbol for part in done.manifest.parts}
        assert set(seen) <= stored
        for symbol, events in seen.items():
            rows = load("lists", symbol, catalogue=catalogue)
            instrument = rows.instrument
            kept = np.array(rows[(rows["kind"] != EventKind.LEVEL) & (rows["flags"] & Flag.UNSEEN == 0)])
            kept["flags"] &= ~np.uint16(Flag.LAST)
            expected = np.concatenate([counted(array, unit, instrument) for unit, array, _ in events])
            assert kept.tobytes() == expected.tobytes()
            books = {
                place: [
                    [(instrument.price(t), instrument.qty(q)) for t, q in book.depth(side)]
                    for side in (Side.BUY, Side.SELL)
                ]
                for place, book in replay_books(rows, instrument, begins_empty=assume_empty)
                if not rows["flags"][place] & Flag.UNSEEN
            }
            assert list(books.values()) == [sides for _, _, sides in events if sides is not None]
            for place, (bids, asks) in books.items():
                top = tuple(int(rows[name][place]) for name in ("price", "price2"))
                assert top == tuple(instrument.ticks_of(side[0][0]) if side else NO_PRICE for side in (bids, asks))


def counted(array, unit, instrument):
    """An event in the units that the store counts in, without the run's number of its instrument."""
    rescale(array, unit, instrument)
    array["instrument"] = 0
    return array


@pytest.mark.examples(daily=30, soak=1_000)
@given(lines=frames(), chunk=st.integers(1, 50))
def test_files_do_not_depend_on_the_chunk(list_venue, lines, chunk):
    """Any size of the memory between reader and files gives the same files, byte for byte."""
    with TemporaryDirectory() as folder:
        source = Path(folder) / "r.txt"
        source.write_text("".join(f"{time} {text}\n" for time, text in lines))
        made = []
        for size in (chunk, 1 << 14):
            options = ImportOptions(chunk_rows=size, parquet=False)
            (done,) = import_data(Path(folder) / str(size), list_venue.SPEC, [source], options)
            made.append(done.manifest)
        assert made[0] == made[1]


def book_of(events, instrument, side):
    """The book at the end, as hftbacktest builds it from the rows for the venue's side or ours."""
    levels = {hft.BUY: {}, hft.SELL: {}}
    for event in events[events["ev"] & np.uint64(side) != 0]:
        kind = int(event["ev"]) & hft.KIND
        if kind == hft.CLEAR:
            levels = {hft.BUY: {}, hft.SELL: {}}
        elif kind in (hft.DEPTH, hft.SNAPSHOT):
            of_side = levels[hft.BUY if int(event["ev"]) & hft.BUY else hft.SELL]
            of_side[event["px"].item()] = event["qty"].item()
    return [sorted((px, qty) for px, qty in levels[side].items() if qty) for side in (hft.BUY, hft.SELL)]


@given(lines=frames())
@pytest.mark.examples(daily=60, soak=1_000)
def test_hftbacktest_builds_the_same_book(list_venue, lines):
    """In the order of its side's times each side sees every row once, and ends with our book."""
    with TemporaryDirectory() as folder:
        source, catalogue = Path(folder) / "r.txt", Path(folder) / "catalogue"
        source.write_text("".join(f"{time} {text}\n" for time, text in lines))
        (done,) = import_data(catalogue, list_venue.SPEC, [source], ImportOptions(parquet=False))
        for part in {part.instrument.symbol: part for part in done.manifest.parts}.values():
            rows = load("lists", part.instrument.symbol, catalogue=catalogue)
            events = hftbacktest_events(rows, rows.instrument)
            replayed = list(replay_books(rows, rows.instrument))
            lost = np.flatnonzero(np.isin(rows["kind"], (EventKind.GAP, EventKind.CLEARED)))
            believed = bool(replayed) and (not len(lost) or lost[-1] < replayed[-1][0])
            book = [replayed[-1][1].depth(side) if believed else [] for side in (Side.BUY, Side.SELL)]
            unit = rows.instrument
            expected = [sorted((float(unit.price(t)), float(unit.qty(q))) for t, q in side) for side in book]
            assert (events["local_ts"] >= events["exch_ts"]).all()
            for side, times in ((hft.LOCAL, "local_ts"), (hft.EXCHANGE, "exch_ts")):
                mine = events[events["ev"] & np.uint64(side) != 0]
                assert (np.diff(mine[times]) >= 0).all()
                found = [
                    [(pytest.approx(px), pytest.approx(qty)) for px, qty in rows]
                    for rows in book_of(events, unit, side)
                ]
                assert expected == found


class Interrupted(BaseException):
    """What ends an import in the middle."""


def interrupted(catalogue, spec, sources, options, death):
    """An import that dies at the n-th moment that it could continue from; returns what it gave, None if it died."""
    left = death

    def keep(stage, key, said, keep=Staging.keep):
        nonlocal left
        keep(stage, key, said)
        left -= 1
        if left < 0:
            raise Interrupted

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Staging, "keep", keep)
        try:
            (done,) = import_data(catalogue, spec, sources, options)
        except Interrupted:
            return None
        return done


@pytest.mark.examples(daily=60, soak=1_000)
@given(
    lines=frames(), short=st.booleans(), assume_empty=st.booleans(), chunk=st.sampled_from([1, 3, 1 << 12]),
    every=st.sampled_from([1, 5]), deaths=st.lists(st.integers(0, 12), min_size=1, max_size=3), cut=st.integers(0, 30),
)  # fmt: skip
def test_an_interrupted_import_continues(list_venue, lines, short, assume_empty, chunk, every, deaths, cut):
    """Interrupted at any moments, it goes on from the last one that was kept, to the same files and manifest."""
    spec = list_venue.SHORT if short else list_venue.SPEC
    with TemporaryDirectory() as folder:
        sources = [Path(folder) / "a.txt", Path(folder) / "b.txt"]
        for source, part in zip(sources, (lines[:cut], lines[cut:]), strict=True):
            source.write_text("".join(f"{time} {text}\n" for time, text in part) or "\n")
        options = ImportOptions(chunk_rows=chunk, keep_rows=every, assume_empty=assume_empty, parquet=False)
        (whole,) = import_data(Path(folder) / "whole", spec, sources, options)
        results = [interrupted(Path(folder) / "broken", spec, sources, options, n) for n in (*deaths, 1 << 30)]
        done = next(result for result in results if result is not None)
        assert done.manifest == whole.manifest
        assert (done.resumed is not None) is (done is not results[0])
        for part in done.manifest.parts:
            assert file_hash(Path(folder) / "broken" / part.events.path) == part.events.sha256
        assert list((Path(folder) / "broken" / ".staging").iterdir()) == []


cells = st.one_of(st.integers(-(1 << 63), (1 << 63) - 1), st.integers(0, 50))
records = st.lists(
    st.tuples(st.sampled_from([1, 2, 3, 4, 5, 6, 7, 16, 200]), st.integers(-1, 1), st.integers(0, 15), *[cells] * 7),
    max_size=60,
)
UNIT = Instrument(venue="v", symbol="A-B", venue_symbol="AB", base="A", quote="B", price_decimals=2, qty_decimals=3)


@given(records=records, block=st.integers(1, 20))
def test_parquet_gives_the_records_back(records, block):
    """The form for keeping loses nothing: any records, any block size."""
    rows = np.zeros(len(records), EventView.DTYPE)
    for name, column in zip(
        ("kind", "side", "flags", "seq", "exch_ns", "recv_ns", "price", "qty", "price2", "qty2"),
        zip(*records, strict=True),
        strict=False,
    ):
        rows[name] = column
    with TemporaryDirectory() as folder:
        path = Path(folder) / "x.parquet"
        write_parquet(rows, path, UNIT, block_rows=block)
        assert read_parquet(path).tobytes() == rows.tobytes()


@given(
    st.integers(0, 4), st.integers(0, 4), st.integers(0, 4), st.integers(0, 4),
    st.sampled_from([1, 5, 25]), st.lists(st.integers(1, 10**9), min_size=1),
)  # fmt: skip
def test_finer_units_keep_the_value(d1, d2, q1, q2, tick, ticks):
    """Counting in common units changes no price and no quantity."""
    a = Instrument(
        venue="v",
        symbol="A-B",
        venue_symbol="AB",
        base="A",
        quote="B",
        price_decimals=d1,
        tick_units=tick,
        qty_decimals=q1,
    )
    b = Instrument(venue="v", symbol="A-B", venue_symbol="AB", base="A", quote="B", price_decimals=d2, qty_decimals=q2)
    common = common_units([a, b])
    rows = np.zeros(len(ticks), EventView.DTYPE)
    rows["kind"] = EventKind.BBO
    rows["price"] = rows["qty"] = ticks
    rows["price2"] = NO_PRICE
    made = rows.copy()
    rescale(made, a, common)
    assert [common.price(p) for p in made["price"].tolist()] == [a.price(p) for p in ticks]
    assert [common.qty(q) for q in made["qty"].tolist()] == [a.qty(q) for q in ticks]
    assert (made["price2"] == NO_PRICE).all()


@pytest.mark.parametrize("missing", ["exch_ns", "recv_ns"])
def test_a_record_without_a_time_belongs_to_the_day_before_it(missing):
    """Times that order never fall and fall back on the venue's."""
    from bloor.storage.cells import times

    rows = np.zeros(4, EventView.DTYPE)
    rows["exch_ns" if missing == "recv_ns" else "recv_ns"] = [0, 5, 3, 9]
    assert times(rows).tolist() == [0, 5, 5, 9]
    assert times(rows, 7).tolist() == [7, 7, 7, 9]
