"""An event loop that never sleeps: it goes round for as long as it is asked to, and does its other work meanwhile."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from bloor.errors import UsageError
from bloor.host import loop as rooms
from bloor.host import setup
from bloor.host.options import RunOptions
from bloor.host.setup import prepare


def asked(monkeypatch: pytest.MonkeyPatch, *, wanted: bool, rounds: int) -> tuple[int, int]:
    """How often a loop is asked to go round again at once, in so many rounds inside and as many afterwards."""
    ready: deque[Callable[[], None]] = deque()
    loop: Any = SimpleNamespace(call_soon=ready.append)
    monkeypatch.setattr(rooms, "asyncio", SimpleNamespace(get_running_loop=lambda: loop))

    def turns() -> int:
        count = 0
        for _ in range(rounds):
            if ready:
                count += 1
                ready.popleft()()
        return count

    with rooms.spinning(wanted):
        inside = turns()
    return inside, turns()


def test_the_loop_spins_while_it_is_asked_to(monkeypatch: pytest.MonkeyPatch) -> None:
    """In every round it is asked to go round again; what was asked for last is the end of it."""
    assert asked(monkeypatch, wanted=True, rounds=50) == (50, 1)


def test_the_loop_sleeps_unless_it_is_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing keeps it awake."""
    assert asked(monkeypatch, wanted=False, rounds=50) == (0, 0)


def test_other_work_goes_on() -> None:
    """A loop that spins still runs what waits for its time."""

    async def work() -> str:
        with rooms.spinning(True):
            return await asyncio.sleep(0.001, "done")

    assert asyncio.run(work()) == "done"


def test_spinning_needs_two_cpus(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """With one there is nobody left to write frames: it is refused with what to do."""
    pytest.importorskip("bloor_binance")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(setup, "cpus", lambda: 1)
    with pytest.raises(UsageError, match="run without --spin"):
        prepare(RunOptions(plugins=("momentum",), venues=("binance",), spin=True), {})
    monkeypatch.setattr(setup, "cpus", lambda: 2)
    assert prepare(RunOptions(plugins=("momentum",), venues=("binance",), spin=True), {}).run.spin
