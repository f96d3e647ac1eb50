"""The wall clock that Python and compiled code share."""

from __future__ import annotations

from bloor.native import clock as clock_module
from bloor.native.clock import WallClock, wall_now
from bloor.native.entries import compiled_entries
from bloor.native.memory import put_cell


def test_it_never_goes_back() -> None:
    """Whoever reads it, plain kernel, compiled kernel or Python: each time is at least the one before."""
    clock = WallClock()
    assert clock.last == 0
    compiled = compiled_entries("clock", (clock_module,), (("wall_now", 1),)).call["wall_now"]
    times = []
    for _ in range(5):
        for read in (clock, lambda: wall_now(clock.address), lambda: int(compiled(clock.address))):
            times.append(read())
            assert clock.last == times[-1]
    assert times == sorted(times)


def test_a_system_clock_set_back_is_not_followed() -> None:
    """Time stands still until the system has caught up."""
    clock = WallClock()
    ahead = clock() + 3_600_000_000_000
    put_cell(clock.address, ahead)
    compiled = compiled_entries("clock", (clock_module,), (("wall_now", 1),)).call["wall_now"]
    assert [clock(), wall_now(clock.address), compiled(clock.address), clock.last] == [ahead] * 4
