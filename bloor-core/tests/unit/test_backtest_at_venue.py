"""What a venue knew: best prices between messages, own trades, times of a recording that is played."""

from __future__ import annotations

import numpy as np
import pytest

from bloor.backtesting.atvenue import FARTHEST_NS, is_played, played_rows, with_best_prices, without
from bloor.backtesting.rows import StoredRows
from bloor.backtesting.survey import Survey, survey
from bloor.market.events import EventKind, EventView
from bloor.storage.cells import Records

MS = 1_000_000
BASE = 1_700_000_000_000 * MS
TRADE, BBO, BOOK, LEVEL = EventKind.TRADE, EventKind.BBO, EventKind.BOOK, EventKind.LEVEL


def rows(*given: tuple[int, ...], ahead_ns: int = 0) -> Records:
    """Records of kind, side, number, venue's time, local time, and prices and quantities; times in ns from the base."""
    made: Records = np.zeros(len(given), EventView.DTYPE)
    for row, (kind, side, seq, exch, recv, *cells) in zip(made, given, strict=True):
        row["kind"], row["side"], row["seq"] = kind, side, seq
        row["exch_ns"], row["recv_ns"] = BASE + exch - ahead_ns if exch else 0, BASE + recv
        for name, value in zip(("price", "qty", "price2", "qty2"), cells, strict=False):
            row[name] = value
    return made


MARKET = (
    (BOOK, 0, 10, 100 * MS, 101 * MS, 50, 7, 52, 4),
    (LEVEL, 1, 10, 100 * MS, 101 * MS, 50, 7),
    (LEVEL, 1, 10, 100 * MS, 101 * MS, 49, 9),
    (LEVEL, -1, 10, 100 * MS, 101 * MS, 52, 4),
    (TRADE, 1, 77, 110 * MS, 111 * MS, 52, 1),
    (BBO, 0, 9, 0, 111 * MS, 50, 7, 52, 5),
    (BBO, 0, 12, 0, 113 * MS, 49, 8, 52, 4),
    (TRADE, -1, 78, 120 * MS, 121 * MS, 49, 2),
)


def looked_at(made: Records) -> tuple[StoredRows, Survey]:
    """The same, surveyed."""
    stored = StoredRows([made])
    return stored, survey("test", stored)


def test_a_best_price_is_a_message_of_the_book() -> None:
    """What is better is gone, what it says is there, and one that is older than the book says nothing."""
    found, heads = with_best_prices(rows(*MARKET))
    added = found[7:10]
    assert added["kind"].tolist() == [BOOK, LEVEL, LEVEL]
    assert added["price"].tolist() == [49, 50, 49]
    assert added["qty"].tolist() == [8, 0, 8]
    assert len(found) == len(MARKET) + 3
    assert np.flatnonzero(heads).tolist() == [7]


def test_own_trades_are_left_out() -> None:
    """A simulation makes them anew; trades of others stay."""
    found = without(rows(*MARKET), [77])
    assert found["seq"][found["kind"] == TRADE].tolist() == [78]


def test_a_recording_that_is_played_has_the_times_of_its_playing() -> None:
    """Its stamps are years old: what was received happened a little before."""
    stored, seen = looked_at(rows(*MARKET, ahead_ns=2 * FARTHEST_NS))
    assert is_played(seen)
    assert not is_played(looked_at(rows(*MARKET))[1])
    [found] = played_rows(stored, MS).pieces
    assert found["exch_ns"][0] == BASE + 100 * MS


@pytest.mark.parametrize(
    ("times", "wanted"),
    [
        ([100], [10]),
        ([140, 160], [10, 20]),
        ([200, 200, 200], [20, 30, 30]),
        ([190, 200, 300], [20, 30, 40]),
        ([50, 400, 50], [10, 20, 30]),
    ],
)
def test_a_latency_is_that_of_its_moment(times: list[int], wanted: list[int]) -> None:
    """The one measured next to it; several of one moment in turn; outside of all moments one after the other."""
    from bloor.backtesting import layout as at
    from bloor.backtesting.messages import latency

    table, moments = np.array([10, 20, 30, 40]), np.array([100, 200, 200, 300])
    lane = np.zeros(at.LANE_CELLS, np.int64)
    lane[[at.ENTRY // 8, at.ENTRY_COUNT // 8, at.ENTRY_MOMENTS // 8]] = table.ctypes.data, 4, moments.ctypes.data
    cells = at.ENTRY, at.ENTRY_COUNT, at.ENTRY_NEXT, at.ENTRY_MOMENTS
    assert [latency(lane.ctypes.data, *cells, ns) for ns in times] == wanted
