"""Arbitrage at simulated venues of one market, in virtual time."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

import orjson
import pytest

from bloor.host.replay.run import replay
from bloor.journal.record import RecordKind
from bloor.journal.writer import Writer
from bloor.observe.session import fill_row
from bloor.observe.summary import summary
from bloor.plugins import PluginHost
from bloor.testing.virtual import VirtualRun

APART = "sim.dislocations=10"
RATE = "run.rates.BTC=60000"


def session_of(run: VirtualRun, folder: Path) -> Path:
    """Writes a run as the host writes it."""
    rows = run.journal.records
    header = orjson.dumps({"config": run.setup.record(), "engine": run.engine.plan.record()})
    document = summary(run.engine, mode="sim", session=folder, duration_s=1.0, stale_ns={}, versions={}, notices=())
    with Writer(folder / "journal", epoch=1, clock=lambda: 0, header=header, wall_ns=rows[0][2]) as writer:
        for row in rows:
            writer.append(*row)
            writer.tend()
        writer.append(RecordKind.STATUS, 0, rows[-1][2], orjson.dumps({"summary": document}))
        writer.close(rows[-1][2])
    (folder / "summary.json").write_bytes(orjson.dumps(document))
    (folder / "fills.jsonl").write_bytes(b"".join(orjson.dumps(fill_row(f)) + b"\n" for f in run.fills))
    return folder


def least_held(run: VirtualRun, instruments: Iterable[int]) -> list[int]:
    """The least that was held of each instrument after any fill, in units."""
    least = []
    for index in instruments:
        held, low = 0, 0
        for fill in run.fills:
            if fill.instrument == run.engine.desks[index].instrument:
                held += fill.side * fill.units
                low = min(low, held)
        least.append(low)
    return least


@pytest.mark.parametrize(
    ("name", "venues", "symbols", "sets"),
    [
        ("arbitrage", ("binance", "kraken"), ("binance:BTC-USDT", "kraken:BTC-USDT"), (APART,)),
        ("triangular", ("binance",), ("BTC-USDT", "ETH-BTC", "ETH-USDT"), (APART, RATE)),
    ],
)
def test_it_trades_what_is_apart_and_replays(
    tmp_path: Path, name: str, venues: Sequence[str], symbols: Sequence[str], sets: Sequence[str]
) -> None:
    """Three quarters of a minute of markets that stray: it buys and sells, nothing is denied or short, and a
    replay decides the same."""
    run = VirtualRun([name], venue=venues, symbols=symbols, seed=1, sets=sets)
    run.for_seconds(45)
    run.finish()
    tally = run.engine.blotter.tally()
    assert {fill.side for fill in run.fills} == {1, -1}
    assert tally.denied == tally.rejected == 0
    assert least_held(run, range(len(symbols))) == [0] * len(symbols)
    assert not [desk.halted for desk in run.engine.desks if desk.halted]
    result = replay(session_of(run, tmp_path), PluginHost(), verify=True)
    assert result.failure == ""
    assert result.document["hash"] == run.engine.log.hexdigest()


@pytest.mark.parametrize(
    ("name", "venues", "symbols", "orders"),
    [
        ("arbitrage", ("binance", "kraken"), ("binance:BTC-USDT", "kraken:BTC-USDT"), 4),
        ("triangular", ("binance",), ("BTC-USDT", "ETH-BTC", "ETH-USDT"), 6),
    ],
)
def test_a_market_without_dislocations_is_left_alone(
    name: str, venues: Sequence[str], symbols: Sequence[str], orders: int
) -> None:
    """Ten seconds of venues that agree: it buys its inventory and does nothing more."""
    run = VirtualRun([name], venue=venues, symbols=symbols, seed=2, sets=["sim.dislocations=0", RATE])
    run.for_seconds(10)
    run.finish()
    assert {fill.side for fill in run.fills} == {1}
    assert len(symbols) <= run.engine.blotter.tally().sent <= orders
