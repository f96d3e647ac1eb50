"""Fills of a backtest without partial fills are those of hftbacktest, to the nanosecond.

What hftbacktest gave is in a file beside this one: ``python bloor-core/bench/bench_backtest.py --write-expected``.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from attrs import evolve

from bloor.backtesting.kept import KeptWindows
from bloor.backtesting.room import Room
from bloor.backtesting.rows import StoredRows
from bloor.plugins import PluginHost
from bloor.strategy.api import Strategy
from bloor.testing.backtests import CROSSING, QUEUES, TOUCHING, fills_of, lane, ran
from bloor.testing.markets import made_market
from bloor.testing.ordermarkets import made_orders, stored_orders

EXPECTED: dict[str, Any] = json.loads(Path(__file__).with_name("hftbacktest_fills.json").read_text(encoding="utf-8"))
CASES = [
    pytest.param(cls, name, queue, id=f"{cls.name}-{queue.replace(' ', '-')}")
    for name, classes in (("touch", TOUCHING), ("trend", CROSSING))
    for queue in QUEUES
    for cls in classes
]


@pytest.mark.parametrize(("cls", "name", "queue"), CASES)
def test_fills_are_those_of_hftbacktest(cls: type[Strategy], name: str, queue: str) -> None:
    """Time, price, quantity, side and number of every fill are the same, whether events are skipped or visited."""
    instrument, rows = made_market(seed=EXPECTED["seed"], messages=EXPECTED["messages"])
    _, logs = ran(lane(instrument, rows, queue, 0), cls, EXPECTED["lots"], EXPECTED["most"])
    expected = EXPECTED[f"{name}, {queue}"]
    assert len(expected) > 50
    assert fills_of(logs, instrument).tolist() == expected


@pytest.mark.parametrize("cls", TOUCHING, ids=lambda cls: cls.name)
def test_fills_by_order_are_those_of_hftbacktest(cls: type[Strategy]) -> None:
    """Over order-level data, so are the fills of orders whose place in the queue is known."""
    given = made_orders(seed=EXPECTED["seed"], events=EXPECTED["messages"], empties=False)
    instrument, rows = stored_orders(given, PluginHost().normalizer("binance"))
    _, logs = ran(lane(instrument, rows, "fifo", 0), cls, EXPECTED["lots"], EXPECTED["most"])
    expected = EXPECTED["touch, fifo"]
    assert len(expected) > 100
    assert fills_of(logs, instrument).tolist() == expected


def test_room_changes_nothing_by_order_either() -> None:
    """With room for one order and one message at first, fills by order are joined as with room for all."""
    given = made_orders(seed=EXPECTED["seed"], events=EXPECTED["messages"], empties=False)
    instrument, rows = stored_orders(given, PluginHost().normalizer("binance"))
    spec = evolve(lane(instrument, rows, "fifo", 0), partial=True)
    _, usual = ran(spec, TOUCHING[0], 700, 1_000_000)
    _, tiny = ran(evolve(spec, room=Room(orders=1, messages=1, takes=1)), TOUCHING[0], 700, 1_000_000)
    assert len(usual.fills) > 100
    assert tiny.hash == usual.hash


def test_annotated_windows_serve_again() -> None:
    """Windows that were kept give the same fills and hash, time after time, as events annotated on the way."""
    instrument, rows = made_market(seed=3, messages=2_000)
    kept = KeptWindows.of(StoredRows([rows]), 0)
    cls = TOUCHING[0]
    _, fresh = ran(lane(instrument, rows, "risk-averse", 0), cls, 100, 10_000)
    for _ in range(2):
        _, again = ran(lane(instrument, rows, "risk-averse", 0, kept), cls, 100, 10_000)
        assert again.hash == fresh.hash
        assert again.fills.tolist() == fresh.fills.tolist()
