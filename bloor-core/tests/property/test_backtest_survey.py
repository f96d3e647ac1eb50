"""The look over stored events finds what a plain loop over the same records finds."""

from __future__ import annotations

from statistics import median
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bloor.backtesting import survey as survey_module
from bloor.backtesting.rows import StoredRows
from bloor.backtesting.survey import survey
from bloor.errors import InputFileError
from bloor.market.events import NO_PRICE, EventKind, EventView, Flag
from bloor.testing.markets import made_market

T0 = 1_700_000_000_000_000_000
LOST = (EventKind.GAP, EventKind.CHECKSUM, EventKind.CLEARED)
TRADES = (EventKind.TRADE, EventKind.AGG_TRADE)
KINDS = [EventKind.TRADE, EventKind.AGG_TRADE, EventKind.BOOK, EventKind.BOOK, EventKind.BOOK, EventKind.BBO, *LOST]
FLAGS = [0, 0, 0, int(Flag.SNAPSHOT), int(Flag.BUFFERED), int(Flag.UNSEEN), int(Flag.UNSEEN | Flag.SNAPSHOT)]
PRICES = st.sampled_from([90, 95, 99, 100, 101, NO_PRICE])


def said(rows: Any, window: int, grid: int) -> dict[str, Any]:
    """Everything, one record at a time. Marks are cut where windows end."""
    local = begin = lost = books = trades = crossed = 0
    took: list[list[int]] = []
    gaps: list[tuple[int, int]] = []
    marks: list[tuple[int, int]] = []
    for start in range(0, len(rows), window):
        held: dict[int, tuple[int, int]] = {}
        took.append([])
        for row in rows[start : start + window]:
            kind, flags, recv, exch = (int(row[name]) for name in ("kind", "flags", "recv_ns", "exch_ns"))
            local = max(local, recv or exch)
            begin = begin or local
            timed = kind in TRADES or kind == EventKind.BOOK
            if timed and recv and exch and not flags & (Flag.UNSEEN | Flag.BUFFERED | Flag.SNAPSHOT):
                took[-1].append(recv - exch)
            trades += kind in TRADES
            if kind in LOST:
                lost = lost or local
            if kind == EventKind.BOOK:
                books += 1
                if lost:
                    gaps.append((lost, local))
                    lost = 0
                bid, ask = int(row["price"]), int(row["price2"])
                if NO_PRICE not in {bid, ask}:
                    crossed += bid >= ask
                    held[local // grid] = (local, bid + ask)
        marks += held.values()
    every = [time for window_of in took for time in window_of]
    fastest = min(every, default=None)
    offset = 1_000_000 - fastest if fastest is not None and fastest < 0 else 0
    return {
        "rows": len(rows), "books": books, "trades": trades, "begin_ns": begin, "end_ns": local,
        "clock_offset_ns": offset, "crossed": crossed, "gaps": tuple(gaps + ([(lost, local)] if lost else [])),
        "feed_ns": round(median([median(each) for each in took if each])) + offset if every else None,
        "marks": marks,
    }  # fmt: skip


@st.composite
def records(draw: st.DrawFn) -> Any:
    """Records in order, of any kind."""
    count = draw(st.integers(1, 40))
    rows = np.zeros(count, EventView.DTYPE)
    ns = T0
    for row in rows:
        ns += draw(st.sampled_from([0, 1, 1_000, 40_000_000, 300_000_000]))
        row["kind"], row["flags"] = int(draw(st.sampled_from(KINDS))), draw(st.sampled_from(FLAGS))
        recv = draw(st.sampled_from([True, True, True, False]))
        row["recv_ns"] = ns if recv else 0
        row["exch_ns"] = ns - draw(st.integers(-3_000_000, 5_000_000)) if draw(st.booleans()) or not recv else 0
        row["price"], row["price2"] = draw(PRICES), draw(PRICES)
        row["qty"], row["qty2"] = 1, 1
        if row["kind"] in (*TRADES, EventKind.LEVEL):
            row["price"] = 100
    return rows


def check(rows: Any, window: int) -> None:
    """Both say the same."""
    found, expected = survey("it", StoredRows([rows], window=window)), said(rows, window, survey_module.GRID_NS)
    marks = expected.pop("marks")
    assert {name: getattr(found, name) for name in expected} == expected
    assert list(zip(found.mark_ns.tolist(), found.mark_mid2.tolist(), strict=True)) == marks


@settings(max_examples=300, deadline=None)
@given(rows=records(), window=st.sampled_from([3, 7, 100]))
def test_it_finds_what_a_plain_loop_finds(rows: Any, window: int) -> None:
    """Counts, times, gaps, the venue's clock and marks, whatever the windows."""
    check(rows, window)


def test_it_finds_the_same_in_a_market() -> None:
    """Of thousands of records."""
    _, rows = made_market(seed=5, messages=3_000)
    check(rows, len(rows))


def test_marks_are_thinned_out(monkeypatch: pytest.MonkeyPatch) -> None:
    """A long run keeps fewer marks, further apart, the last of each step."""
    rows = np.zeros(5_000, EventView.DTYPE)
    rows["kind"], rows["price"], rows["price2"] = int(EventKind.BOOK), 100, 102
    rows["recv_ns"] = T0 + np.arange(5_000) * survey_module.GRID_NS
    monkeypatch.setattr(survey_module, "MOST_MARKS", 1_000)
    found = survey("it", StoredRows([rows], window=500))
    assert 500 <= len(found.mark_ns) <= 1_000
    assert (np.diff(found.mark_ns) > 0).all()
    assert found.mark_ns[-1] == rows["recv_ns"][-1]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (("recv_ns", T0 - 1), "in the order in which they were received, record 7 is earlier"),
        (("price", 0), "expected a price above 0 and a quantity of at least 0, record 7 has 0 ticks and 1 units"),
        (("qty", -1), "record 7 has 100 ticks and -1 units"),
    ],
)
@pytest.mark.parametrize("window", [3, 100])
def test_a_bad_record_is_named(change: tuple[str, int], message: str, window: int) -> None:
    """By its number over all windows."""
    rows = np.zeros(10, EventView.DTYPE)
    rows["kind"], rows["price"], rows["qty"] = int(EventKind.TRADE), 100, 1
    rows["recv_ns"] = T0 + np.arange(10)
    rows[7][change[0]] = change[1]
    with pytest.raises(InputFileError, match=message):
        survey("it", StoredRows([rows], window=window))


def test_no_record_is_told() -> None:
    """There is nothing to look at."""
    with pytest.raises(InputFileError, match="expected market data, got no record"):
        survey("it", StoredRows([np.zeros(0, EventView.DTYPE)]))
