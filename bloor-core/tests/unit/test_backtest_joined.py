"""Parts of one instrument that tell of different things become one, by time; of the same, they are refused."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from bloor.errors import InputFileError
from bloor.host.backtest.joined import groups, joined
from bloor.market.events import EventKind
from bloor.storage.cells import times
from bloor.storage.load import StoredPart
from bloor.storage.manifest import Import, Part, StoredFile
from bloor.testing.markets import made_market


def stored(begin: int, end: int, **kinds: int) -> tuple[Path, StoredPart]:
    """A part of so many records of each kind, from one time to another."""
    instrument, _ = made_market(seed=1, messages=1)
    part: Any = Part(
        instrument=instrument, day="2023-11-14", rows=sum(kinds.values()), kinds=kinds, first_ns=begin, last_ns=end,
        gaps=(), events=StoredFile(path=f"{begin}.events", bytes=0, sha256=""),
    )  # fmt: skip
    made: Any = Import(
        id="",
        venue="binance",
        source_format="tardis",
        symbols=None,
        assume_empty=False,
        sources=(),
        counts={},
        errors=(),
    )
    return Path("catalogue"), StoredPart(part, made)


def test_trades_go_between_the_messages_of_the_book() -> None:
    """Every record is there once, in the order of time, and no book message is divided."""
    _, rows = made_market(seed=3, messages=400)
    trades = rows["kind"] == EventKind.TRADE
    found = joined([rows[~trades], rows[trades]])
    assert (np.diff(times(found)) >= 0).all()
    assert sorted(map(bytes, found)) == sorted(map(bytes, rows))
    assert [bytes(row) for row in found[found["kind"] != EventKind.TRADE]] == [bytes(row) for row in rows[~trades]]
    levels = np.flatnonzero(found["kind"] == EventKind.LEVEL)
    assert np.isin(found["kind"][levels - 1], (EventKind.LEVEL, EventKind.BOOK)).all()


def test_parts_at_the_same_time_belong_together() -> None:
    """Those one after the other stand alone, those at the same time are one group."""
    parts = [stored(1, 10, book=3, level=9), stored(2, 9, trade=4), stored(10, 20, book=2), stored(11, 30, trade=1)]
    assert [[len(part.part.kinds) for _, part in group] for group in groups(parts)] == [[2, 1], [1, 1]]


def test_the_same_twice_is_refused() -> None:
    """Parts at the same time with records of one kind: the file and the kind are named."""
    with pytest.raises(InputFileError, match=r"2\.events: expected data that do not overlap, .* of the kind trade"):
        list(groups([stored(1, 10, book=3, trade=9), stored(2, 9, trade=4)]))
