"""What a market frame leaves behind: without an order nothing, so that nothing has to be collected."""

from __future__ import annotations

import gc
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from bloor.engine.effects import feed_conn
from bloor.market.events import EventView
from bloor.market.view import BookView
from bloor.strategy.api import Orders, Strategy
from bloor.testing.virtual import VirtualRun

pytest.importorskip("bloor_binance")

FRAMES = 3_000
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


@pytest.fixture
def run(tmp_path: Path) -> Iterator[VirtualRun]:
    """A run that has begun to trade."""
    made = VirtualRun(strategies=[Counts], symbols=["BTC-USDT"], journal=tmp_path / "journal")
    made.for_seconds(2)
    if not made.engine.fusion.fused:
        pytest.skip("nothing is compiled here")
    yield made
    made.close()


def test_a_frame_without_an_order_leaves_nothing_behind(run: VirtualRun) -> None:
    """As many blocks of memory are in use after thousands of frames as before, and nothing was there to collect."""
    engine, start = run.engine, run.world.now_ns
    receive = engine.receiver(feed_conn(0))
    frames = [TRADE % (1 << 40 | n) for n in range(2 * FRAMES)]
    times = [start + n for n in range(2 * FRAMES)]
    took = iter(zip(frames, times, strict=True))
    for _ in range(FRAMES):
        receive(*next(took))
    [desk] = engine.desks
    seen, fused = desk.strategy.seen, engine.fusion.frames_fused  # type: ignore[attr-defined]
    gc.collect()
    collections = gc.get_stats()[0]["collections"]
    before = sys.getallocatedblocks()
    for payload, recv_ns in took:
        receive(payload, recv_ns)
    after = sys.getallocatedblocks()
    assert engine.fusion.frames_fused - fused == FRAMES
    assert desk.strategy.seen - seen == FRAMES  # type: ignore[attr-defined]
    assert after - before < 20
    assert gc.get_stats()[0]["collections"] == collections
