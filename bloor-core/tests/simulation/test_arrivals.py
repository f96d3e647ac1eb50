"""Frames that are received now: compiled code takes their time, and they are journaled and handled as all others."""

from __future__ import annotations

from pathlib import Path

import pytest

from bloor.engine.effects import STANDBY, feed_conn
from bloor.journal.reader import Reader
from bloor.journal.record import RecordKind
from bloor.market.events import EventView
from bloor.market.view import BookView
from bloor.native.clock import WallClock
from bloor.strategy.api import Orders, Strategy
from bloor.testing.virtual import VirtualRun

pytest.importorskip("bloor_binance")

TRADE = (
    b'{"stream":"btcusdt@trade","data":{"e":"trade","E":1700000002000,"s":"BTCUSDT","t":%d,"p":"60000.01000000",'
    b'"q":"0.00100000","T":1700000002000,"m":true,"M":true}}'
)


class Counts(Strategy):
    """Counts trades and never orders."""

    name = "counts"
    compiled = True

    seen: int = 0

    def on_trade(self, trade: EventView, book: BookView, orders: Orders) -> None:
        """One more."""
        self.seen += 1


class PlainCounts(Counts):
    """The same in Python."""

    compiled = False


@pytest.mark.parametrize("strategy", [Counts, PlainCounts])
def test_a_frame_that_arrives_now_has_the_time_of_the_clock(tmp_path: Path, strategy: type[Counts]) -> None:
    """Its time lies between our own looks at the clock, in compiled code as in Python, and stands in the journal."""
    run = VirtualRun(strategies=[strategy], symbols=["BTC-USDT"], journal=tmp_path / "journal")
    run.for_seconds(2)
    clock, conn = WallClock(), feed_conn(0)
    [desk] = run.engine.desks
    seen = desk.strategy.seen  # type: ignore[attr-defined]
    arrive, also = run.engine.arrivals(conn, clock), run.engine.arrivals(conn | STANDBY, clock)
    times = [clock()]
    for n in range(20):
        arrive(TRADE % (1 << 40 | n))
        times.append(clock())
    also(TRADE % (1 << 41))
    run.close()
    assert desk.strategy.seen - seen == 20  # type: ignore[attr-defined]
    journaled = [r for r in Reader(tmp_path / "journal") if r.kind == RecordKind.FRAME_IN and r.wall_ns >= times[0]]
    assert [r.conn for r in journaled] == [conn] * 20 + [conn | STANDBY]
    assert all(a <= r.wall_ns <= b for a, r, b in zip(times, journaled, times[1:], strict=False))
