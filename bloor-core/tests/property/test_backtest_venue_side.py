"""Annotated rows of the venue's side say what a plain book, kept beside them, says."""

from __future__ import annotations

from typing import Any

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from bloor.backtesting import layout as at
from bloor.backtesting.rows import StoredRows
from bloor.backtesting.venueside import VenueWindows
from bloor.market.events import EventKind
from bloor.native.memory import rows_at
from bloor.testing.markets import made_market


def annotated(rows: Any, room: int) -> tuple[list[list[int]], int]:
    """All rows, one window after the other, and how many windows they were; the changes of levels are checked."""
    windows, found, count = VenueWindows(StoredRows([rows], window=500), 0, room=room), [], 0
    while windows.advance():
        out, count = windows.out[: windows.count], count + 1
        changes: dict[int, list[tuple[int, int]]] = {}
        for number, (ns, what, after, before, *best) in enumerate(out.tolist()):
            code, price = what & at.CODE_MASK, what >> at.CODE_BITS
            found.append([ns, code, price, after, before, *best])
            if code <= at.ASK_LEVEL:
                changes.setdefault(price * 2 + (code == at.BID_LEVEL), []).append((number, after))
        for level in windows.table.levels[: windows.table.count].tolist():
            listed = rows_at(level[at.LEVEL_CHANGES // 8], level[at.LEVEL_CHANGED // 8])
            assert listed.tolist() == [list(each) for each in changes.pop(level[at.LEVEL_KEY // 8], [])]
        assert not changes
        marked = out[:: 1 << at.MARK_BITS, at.ROW_NS // 8]
        assert windows.marks[: len(marked)].tolist() == marked.tolist()
    assert windows.late == 0
    return found, count


@settings(max_examples=15, deadline=None)
@given(seed=st.integers(0, 10_000), room=st.sampled_from([16, 700, 1 << 14]))
def test_rows_are_those_of_a_plain_book(seed: int, room: int) -> None:
    """Times rise, quantities before and after chain up, and the last best prices of a time are the stored ones."""
    _, rows = made_market(seed=seed, messages=600)
    found, count = annotated(rows, room)
    assert count > 1 or room > 1_000
    book: dict[tuple[int, int], int] = {}
    for row in found:
        if row[1] <= at.ASK_LEVEL:
            level = (row[1], row[2])
            assert book.get(level, 0) == row[4]
            book[level] = row[3]
    times = [row[0] for row in found]
    assert times == sorted(times)
    assert sum(row[1] > at.ASK_LEVEL for row in found) == int((rows["kind"] == EventKind.TRADE).sum())
    books = rows[rows["kind"] == EventKind.BOOK]
    venue_ns = np.maximum.accumulate(books["exch_ns"])
    for place, message in enumerate(books):
        last = np.searchsorted(times, venue_ns[place], side="right") - 1
        if place + 1 == len(books) or venue_ns[place + 1] > venue_ns[place]:
            best = ["price", "price2"], ["qty", "qty2"]
            assert found[last][5:7] == [int(message[name]) for name in best[0]]
            assert found[last][7:] == [int(message[name]) for name in best[1]]


def venue_times(rows: Any) -> Any:
    """``(n,)`` the venue's times when its clock is learned on the way."""
    windows, found = VenueWindows(StoredRows([rows], window=500), None), []
    while windows.advance():
        found.append(windows.out[: windows.count, at.ROW_NS // 8].copy())
    return np.concatenate(found)


@settings(max_examples=10, deadline=None)
@given(seed=st.integers(0, 10_000), ahead=st.integers(0, 2_000), share=st.floats(0.1, 0.9))
def test_a_clock_is_learned_from_what_was_received_so_far(seed: int, ahead: int, share: float) -> None:
    """Venue's times are before those of receipt, and data that end earlier have the same ones."""
    _, rows = made_market(seed=seed, messages=400)
    rng = np.random.default_rng(seed)
    timed = rows["exch_ns"] > 0
    rows["exch_ns"] += np.where(timed, rng.integers(0, ahead * 1_000_000 + 1, len(rows)), 0)
    heads = np.flatnonzero(rows["kind"] == EventKind.BOOK)
    cut = int(heads[int(len(heads) * share)])
    whole, part = venue_times(rows), venue_times(rows[:cut])
    sure = int((part < rows["recv_ns"][:cut].max() - (ahead + 500) * 1_000_000).sum())
    assert sure or share < 0.5
    assert (whole[:sure] == part[:sure]).all()
    assert whole.max() <= rows["recv_ns"].max()
