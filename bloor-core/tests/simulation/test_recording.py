"""A recorder in virtual time: what its journal says is what the venue sent, whatever happened to its connections."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import orjson
import pytest

from bloor.engine.effects import STANDBY, feed_conn
from bloor.engine.recording import Recording, RecordingPlan
from bloor.journal.reader import Reader
from bloor.journal.record import RecordKind
from bloor.journal.writer import Writer
from bloor.market.events import EventKind
from bloor.market.normalize import normalize
from bloor.market.recording import RecordedLine, read_recording
from bloor.plugins.host import PluginHost
from bloor.simulation.venue import SimulationOptions
from bloor.simulation.world import Latency, VirtualWorld
from bloor.venue.session import Endpoints

SECOND = 1_000_000_000
FEED = feed_conn(0)
HOST = "virtual://"


class Recorded:
    """A recorder of the simulated Binance, on a journal in a folder."""

    def __init__(self, folder: Path, *, life: str = "", seed: int = 1) -> None:
        plugins = PluginHost()
        self.spec = plugins.simulated_venue("binance")
        self.normalizer = plugins.normalizer("binance")
        feed = plugins.feed("binance")
        config_type = plugins.venue_config("binance")
        assert config_type is not None
        config = config_type(**({"connection_life": duration(life)} if life else {}))
        options = SimulationOptions(seed=seed, symbols=("BTC-USDT", "ETH-USDT"))
        self.world = VirtualWorld(
            lambda outbox: self.spec.build(options, outbox), latency=Latency(50_000, 80_000_000), seed=seed
        )
        listed = feed.parse_instruments(self.world.fetch(feed.instruments_path(("BTC-USDT", "ETH-USDT"))))
        places = Endpoints(HOST, HOST, HOST)
        self.plan = RecordingPlan(
            feed=feed, normalizer=self.normalizer, config=config, endpoints=places, instruments=tuple(listed), seed=seed
        )
        self.folder = folder
        self.alerts: list[str] = []
        self.writer = Writer(
            folder / "journal",
            epoch=0,
            clock=lambda: self.world.now_ns,
            header=orjson.dumps({"record": self.plan.record()}),
            segment_bytes=1 << 20,
        )
        self.recording = Recording(self.plan, self.world, self.writer, lambda code, _: self.alerts.append(code))
        self.world.attach(self.recording, {FEED: self.recording.url(FEED).removeprefix(HOST)})

    def run(self, seconds: float) -> None:
        """Lets virtual time pass."""
        self.world.run(self.world.now_ns + round(seconds * SECOND))

    def read(self) -> tuple[dict[str, list[int]], list[dict[str, Any]]]:
        """Trade ids of each instrument as they stand in the folder, and what normalizing it gives."""
        self.writer.close()
        trades: dict[str, list[int]] = {}
        for line in read_recording([self.folder]):
            assert isinstance(line, RecordedLine)
            try:
                event = orjson.loads(line.payload).get("data", {})
            except orjson.JSONDecodeError:
                continue
            if event.get("e") == "trade":
                trades.setdefault(event["s"], []).append(event["t"])
        lines: list[dict[str, Any]] = []
        normalize(self.normalizer, [self.folder], write=lines.append)
        return trades, lines


def duration(text: str) -> Any:
    """A span of time as the configuration has it."""
    from bloor.config import parse_duration

    return parse_duration(text)


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_a_recording_over_several_connections_is_one_stream(tmp_path: Path, seed: int) -> None:
    """No trade is missing or twice; what was counted while recording is what reading it gives."""
    recorded = Recorded(tmp_path, life="12s", seed=seed)
    recorded.run(60)
    live = recorded.recording
    assert live.market.replaced >= 3
    assert set(recorded.alerts) == {"replacing"}
    trades, lines = recorded.read()
    for ids in trades.values():
        assert ids == list(range(ids[0], ids[0] + len(ids)))
    kinds = [line["kind"] for line in lines]
    counters = live.market.pipeline.counters
    assert (kinds.count("trade"), kinds.count("bbo")) == (counters.trades, counters.bbos)
    assert kinds.count("top") == live.events[EventKind.BOOK]
    assert (lines[-1]["gaps"], lines[-1]["errors"]) == (0, 0)


def test_a_recording_that_ends_anywhere_in_a_replacement_is_whole(tmp_path: Path) -> None:
    """Stopped at each of many moments around the switch: what the first connection brought is there to the last."""
    for number in range(8):
        recorded = Recorded(tmp_path / str(number), life="5s")
        recorded.run(4.0 + number * 0.6)
        trades, lines = recorded.read()
        for ids in trades.values():
            assert ids == list(range(ids[0], ids[0] + len(ids)))
        assert lines[-1]["gaps"] == 0
        assert lines[-1]["trades"] == recorded.recording.market.pipeline.counters.trades


def test_a_lost_connection_leaves_a_gap_that_is_told_and_healed(tmp_path: Path) -> None:
    """Both books are fetched anew; reading the folder finds a gap where an update came first, and none in the end."""
    recorded = Recorded(tmp_path)
    for _ in range(8):
        recorded.run(3)
        recorded.world.cut(FEED)
    recorded.run(10)
    assert recorded.recording.synchronised == 2
    _, lines = recorded.read()
    gaps = [line["symbol"] for line in lines if line["kind"] == "gap"]
    assert all(1 <= gaps.count(symbol) <= 8 for symbol in ("BTC-USDT", "ETH-USDT"))
    late = [line for line in lines if line["kind"] == "top" and line["recv_ns"] > recorded.world.now_ns - 5 * SECOND]
    assert {line["symbol"] for line in late} == {"BTC-USDT", "ETH-USDT"}


def test_frames_that_cannot_be_read_are_kept(tmp_path: Path) -> None:
    """They are what came; whoever reads the folder counts them too."""
    recorded = Recorded(tmp_path)
    recorded.run(5)
    recorded.world.inject(FEED, b'{"stream":"btcusdt@trade","data":{"e":"trade"')
    recorded.run(1)
    assert recorded.alerts == ["bad_frame"]
    _, lines = recorded.read()
    assert lines[-1]["errors"] == 1
    kinds = [record.kind for record in Reader(tmp_path / "journal")]
    assert kinds.count(RecordKind.FRAME_IN) == recorded.recording.frames
    assert STANDBY | FEED not in recorded.world._open
