"""What a record costs: appending 300 bytes, also from compiled code, reading back, following.

Prints ns; run by ``nox -s bench -- journal``.
"""

from __future__ import annotations

import ctypes
import os
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numba

from bloor.journal import kernel
from bloor.journal.follower import Follower
from bloor.journal.reader import Reader
from bloor.journal.record import HEADER_BYTES, RecordKind, aligned
from bloor.journal.writer import Writer
from bloor.native.linking import linked
from bloor.native.twins import twins

RECORDS = 200_000
PAYLOAD = os.urandom(300)


def timed(call: Callable[[], object]) -> int:
    begun = time.perf_counter_ns()
    call()
    return time.perf_counter_ns() - begun


def compiled_loop() -> Any:
    """Appends one payload some times, as compiled code does."""
    append = linked((kernel,), numba.njit(error_model="numpy", _nrt=False), twins())[kernel.append]

    @numba.njit
    def fill(journal: int, payload: int, size: int, times: int) -> int:
        done = 0
        for number in range(times):
            done += append(journal, 2, 1, number, payload, size) > 0
        return done

    return fill


def compiled_cost(folder: Path, size: int) -> float:
    """ns for one record of so many bytes, median of batches."""
    fill, payload = compiled_loop(), os.urandom(size)
    at, batch, costs = ctypes.cast(payload, ctypes.c_void_p).value, 1000, []
    with Writer(folder, epoch=1, clock=time.monotonic_ns) as writer:
        fill(writer.cells.ctypes.data, at, size, 1)
        for _ in range(100):
            assert writer.make_room(batch * aligned(HEADER_BYTES + size))
            begun = time.perf_counter_ns()
            assert fill(writer.cells.ctypes.data, at, size, batch) == batch
            costs.append((time.perf_counter_ns() - begun) / batch)
            writer.tend()
    return sorted(costs)[50]


def main() -> None:
    overhead = sorted(timed(lambda: None) for _ in range(10_000))[5_000]
    with tempfile.TemporaryDirectory(dir=".") as folder:
        with Writer(Path(folder), epoch=1, clock=time.monotonic_ns) as writer:
            costs = []
            for number in range(RECORDS):
                costs.append(timed(lambda: writer.append(RecordKind.FRAME_IN, 1, number, PAYLOAD)) - overhead)  # noqa: B023
                if number % 10_000 == 0:
                    writer.tend()
        costs.sort()
        for name, share in (("p50", 0.5), ("p99", 0.99), ("p999", 0.999)):
            print(f"append 300 B  {name:>5} {costs[int(RECORDS * share)]:>9,} ns")
        print(f"append 300 B    max {costs[-1]:>9,} ns")
        for size in (40, 300, 1300, 20_000):
            with tempfile.TemporaryDirectory(dir=".") as other:
                print(f"compiled {size:>6} B  p50 {compiled_cost(Path(other), size):>9,.0f} ns")
        for what, source in (("read", Reader(Path(folder))), ("follow", Follower(Path(folder)))):
            cost = timed(lambda: sum(1 for _ in source))  # noqa: B023
            print(f"{what:<12} mean {cost // RECORDS:>9,} ns")


if __name__ == "__main__":
    main()
