"""How closely a host keeps to its engine's deadlines, without waiting for any."""

from __future__ import annotations

import asyncio
from types import SimpleNamespace
from typing import Any

import pytest

from bloor.host import shell as rooms
from bloor.host.shell import SHORTEST_S, TICK_S, Shell
from bloor.venue.session import NEVER


class Engine:
    """Deadlines as a test wants them; a timer moves on to the next."""

    def __init__(self, deadlines: list[int]) -> None:
        self._deadlines = deadlines
        self.called: list[int] = []

    @property
    def deadline_ns(self) -> int:
        """The next one."""
        return self._deadlines[0]

    def timer(self, now_ns: int) -> None:
        """Its time has come."""
        self.called.append(now_ns)
        self._deadlines.pop(0)


def tended(monkeypatch: pytest.MonkeyPatch, deadlines: list[int], naps: int) -> tuple[Engine, list[float], int]:
    """Lets a host tend an engine for so many sleeps, each of exactly the time asked for, from time 0 on."""
    engine = Engine(deadlines)
    slept: list[float] = []
    slow: list[int] = []
    shell = Shell([])
    shell._engine = engine  # type: ignore[assignment]
    now = 0.0

    async def sleep(seconds: float) -> None:
        nonlocal now
        if len(slept) == naps:
            raise asyncio.CancelledError
        slept.append(seconds)
        now += seconds

    shell.now = lambda: round(now * 1e9)  # type: ignore[assignment]
    loop: Any = SimpleNamespace(time=lambda: now)
    monkeypatch.setattr(rooms, "asyncio", SimpleNamespace(sleep=sleep, get_running_loop=lambda: loop))
    tending = shell.tend(lambda: slow.append(1))
    with pytest.raises(asyncio.CancelledError):
        tending.send(None)
    return engine, slept, len(slow)


def test_a_deadline_is_met_when_it_comes(monkeypatch: pytest.MonkeyPatch) -> None:
    """The host sleeps to the next one, not past it."""
    engine, slept, _ = tended(monkeypatch, [3_000_000, 25_000_000, NEVER], 6)
    assert engine.called == [3_000_000, 25_000_000]
    assert slept == pytest.approx([0.003, TICK_S, TICK_S, 0.002, TICK_S, TICK_S])


def test_a_deadline_that_does_not_move_keeps_nobody_busy(monkeypatch: pytest.MonkeyPatch) -> None:
    """Between two looks there is always a sleep; work that may be slow has its own pace."""
    engine, slept, slow = tended(monkeypatch, [0] * 300, 250)
    assert len(engine.called) == 250
    assert set(slept) == {SHORTEST_S}
    assert slow == 2
