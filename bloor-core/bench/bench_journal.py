"""What a record costs: appending 300 bytes, reading back, following. Prints ns; run by ``nox -s bench -- journal``."""

from __future__ import annotations

import os
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from bloor.journal.follower import Follower
from bloor.journal.reader import Reader
from bloor.journal.record import RecordKind
from bloor.journal.writer import Writer

RECORDS = 200_000
PAYLOAD = os.urandom(300)


def timed(call: Callable[[], object]) -> int:
    begun = time.perf_counter_ns()
    call()
    return time.perf_counter_ns() - begun


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
        for what, source in (("read", Reader(Path(folder))), ("follow", Follower(Path(folder)))):
            cost = timed(lambda: sum(1 for _ in source))  # noqa: B023
            print(f"{what:<12} mean {cost // RECORDS:>9,} ns")


if __name__ == "__main__":
    main()
