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
from bloor.testing.markets import made_market


def annotated(rows: Any, room: int) -> tuple[list[list[int]], int]:
    """All rows, one window after the other, and how many windows they were; links are checked."""
    windows, found, count = VenueWindows(StoredRows([rows], window=500), 0, room=room), [], 0
    while windows.advance():
        out, count = windows.out[: windows.count], count + 1
        newest: dict[int, int] = {}
        for number, row in enumerate(out.tolist()):
            if row[1] <= at.ASK_LEVEL:
                key = row[2] * 2 + (row[1] == at.BID_LEVEL)
                if key in newest:
                    assert out[newest[key], at.ROW_NEXT // 8] == number
                newest[key] = number
        assert all(out[number, at.ROW_NEXT // 8] == at.NO_ROW for number in newest.values())
        found += out.tolist()
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
            assert found[last][5:7] == [int(message["price"]), int(message["price2"])]
