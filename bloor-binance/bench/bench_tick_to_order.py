"""From a frame's bytes to the order's bytes in one process, gate and journal included, on real frames.

    python bloor-binance/bench/bench_tick_to_order.py [--environments FOLDER] [--rounds N] [--json]

A run in virtual time over a recording (``$BLOOR_RECORDINGS``; without it over a seeded market) gives the inputs: market
frames, and what a venue answers to the orders, one at every fourth event. They are played into new engines with a real
journal. Timed is the way from the call with the frame's bytes to the call that would write the order to the socket, in
three ways: one frame after the other with all that Python does after an order in between (engine); the same with a
pause before each frame, as in a quiet market (paced); and the compiled part alone, without what Python does afterwards
(hot). Beside them ``orjson.loads`` of the same frames, and nautilus_trader's live node from the same bytes to its
execution client, when it can be installed (see ``bench_peers.py``). All take turns; figures are medians over rounds.
What frames leave in memory, and what the garbage collector does about it when it is left alone, is told beside.
"""

from __future__ import annotations

import gc
import json
import os
import platform
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from statistics import median
from time import perf_counter_ns
from typing import Any, NamedTuple

import orjson
from bench_peers import HERE
from ordering import Quiet, plain, planned
from peering import environment

from bloor.engine.core import Engine
from bloor.engine.effects import feed_conn
from bloor.engine.fused import layout
from bloor.engine.inputs import INPUTS, Inputs
from bloor.engine.plan import EnginePlan
from bloor.engine.wire import unpack_response
from bloor.journal.record import Record, RecordKind
from bloor.journal.writer import Writer

K, SECONDS, FRAMES, PACED_FRAMES, PAUSE_S, ROUNDS = 4, 130.0, 14_000, 2_000, 0.001, 5
OURS = ("compiled", "python")
FEED = feed_conn(0)
FRAME_IN = int(RecordKind.FRAME_IN)
Rows = list[tuple[int, int, int, bytes]]


class Times(NamedTuple):
    """Times of a round, ns: of frames that cause an order, and of others."""

    orders: list[int]
    quiet: list[int]


class Wire:
    """Effects of an engine that go nowhere; notes when an order would have been written."""

    def __init__(self) -> None:
        self.at = 0

    def send(self, conn: int, payload: bytes) -> None:
        """An order."""
        self.at = perf_counter_ns()

    def __getattr__(self, name: str) -> Any:
        return lambda *_, **__: None


def inputs() -> tuple[EnginePlan, Rows]:
    """A plan, and what an engine of it was told."""
    folder = os.environ.get("BLOOR_RECORDINGS")
    data = [Path(folder) / "binance_spot" / "btcusdt_20240808.txt.gz"] if folder else []
    run = planned(K, data)
    run.for_seconds(SECONDS)
    rows, frames = [], 0
    for row in run.journal.records:
        frames += row[0] == FRAME_IN and row[1] == FEED
        if row[0] in INPUTS:
            rows.append(row)
        if frames == FRAMES:
            break
    return run.engine.plan, rows


def fresh(payload: bytes) -> bytes:
    """A copy, warm in the cache."""
    return bytes(memoryview(payload))


class Line:
    """A new engine with a journal, and its inputs."""

    def __init__(self, plan: EnginePlan, rows: Rows, folder: Path) -> None:
        self.rows = rows
        self.wire = Wire()
        self.writer = Writer(folder, epoch=1, clock=time.monotonic_ns)
        self.engine = Engine(plan, self.wire, self.writer, Quiet(), time.monotonic_ns)  # type: ignore[arg-type]
        self.inputs = Inputs(self.engine)
        self.receive = self.engine.receiver(FEED)

    def tell(self, row: tuple[int, int, int, bytes]) -> None:
        """An input that is not timed."""
        kind, conn, wall_ns, payload = row
        head = dict.fromkeys(Record._fields, 0)
        self.inputs.play(Record(**{**head, "kind": kind, "conn": conn, "wall_ns": wall_ns, "payload": payload}))  # type: ignore[arg-type]

    def play(self, frames: int, pause_s: float, *, loads: bool) -> Times:
        """Everything, up to a number of market frames; ``loads`` times ``orjson.loads`` in the place of each instead.

        A frame is a new bytes object, made just before, as a socket makes it.
        """
        times, wire, receive, taken = Times([], []), self.wire, self.receive, 0
        for row in self.rows:
            if row[0] != FRAME_IN or row[1] != FEED:
                self.tell(row)
                continue
            wall_ns, wire.at, took = row[2], 0, 0
            if pause_s:
                time.sleep(pause_s)
            payload = fresh(row[3])
            if loads:
                began = perf_counter_ns()
                orjson.loads(payload)
                took = perf_counter_ns() - began
                payload = fresh(row[3])
            began = perf_counter_ns()
            receive(payload, wall_ns)
            over = perf_counter_ns()
            sent = wire.at
            took = took or (sent or over) - began
            (times.orders if sent else times.quiet).append(took)
            taken += 1
            if taken % 100 == 0:
                self.writer.tend()
            if taken == frames:
                break
        return times

    def hot(self, frames: int, *, loads: bool) -> Times:
        """Market frames alone, straight into compiled code; orders are handed to a dictionary, and then forgotten."""
        engine = self.engine
        desk = engine.desks[0]
        line, cells = engine.fusion._lines[0], engine.fusion._desks[0, 0].cells
        rest = iter(self.rows)
        for row in rest:
            self.tell(row)
            if desk.started and cells[layout.OPEN_COUNT] == 0 and engine.tally()["sent"] > 200:
                break
        exposure = desk.exposure
        before = exposure.open_buy, exposure.open_orders
        taken_over: dict[int, bytes] = {}
        line.bind(0, taken_over.setdefault, [].clear, lambda *_: None)
        step, times = line.step, Times([], [])
        stream = [(row[3], row[2]) for row in rest if row[0] == FRAME_IN and row[1] == FEED]
        if loads:
            for n, (frame, _) in enumerate(stream[:frames]):
                payload = fresh(frame)
                began = perf_counter_ns()
                orjson.loads(payload)
                (times.quiet if n % K else times.orders).append(perf_counter_ns() - began)
            return times
        for taken, (frame, wall_ns) in enumerate(stream[:frames]):
            line.cells[layout.DEADLINE] = (1 << 63) - 1
            payload = fresh(frame)
            began = perf_counter_ns()
            step(payload, wall_ns)
            over = perf_counter_ns()
            if taken_over:
                times.orders.append(over - began)
                taken_over.clear()
                cells[layout.OPEN_COUNT] = 0
                exposure.open_buy, exposure.open_orders = before
            else:
                times.quiet.append(over - began)
            self.writer.make_room(layout.RESERVE + 2 * len(payload))
            if taken % 100 == 0:
                self.writer.tend()
        return times


def ours(name: str, way: str, plan: EnginePlan, rows: Rows) -> Times:
    """One round of one of ours."""
    with tempfile.TemporaryDirectory() as folder:
        line = Line(plain(plan) if name == "python" else plan, rows, Path(folder) / "journal")
        assert (line.engine.fusion.fused == []) == (name == "python"), line.engine.fusion.reasons
        loads = name == "orjson.loads"
        gc.collect()
        gc.freeze()
        gc.disable()
        try:
            if way == "hot":
                return line.hot(FRAMES, loads=loads)
            frames, pause_s = (PACED_FRAMES, PAUSE_S) if way == "paced" else (FRAMES, 0.0)
            return line.play(frames, pause_s, loads=loads)
        finally:
            gc.enable()
            gc.unfreeze()
            line.writer.close()


def leavings(plan: EnginePlan, rows: Rows) -> dict[str, Any]:
    """What a compiled strategy's frames leave in memory, and what the garbage collector does meanwhile, left alone."""
    pauses: list[int] = []
    began = [0]

    def collected(phase: str, _: dict[str, int]) -> None:
        if phase == "start":
            began[0] = perf_counter_ns()
        else:
            pauses.append(perf_counter_ns() - began[0])

    with tempfile.TemporaryDirectory() as folder:
        line = Line(plan, rows, Path(folder) / "journal")
        gc.collect()
        gc.freeze()
        gc.callbacks.append(collected)
        blocks: dict[bool, list[int]] = {True: [], False: []}
        for row in rows:
            if row[0] != FRAME_IN or row[1] != FEED:
                line.tell(row)
                continue
            line.wire.at = 0
            before = sys.getallocatedblocks()
            line.receive(row[3], row[2])
            blocks[line.wire.at != 0].append(sys.getallocatedblocks() - before)
        gc.callbacks.remove(collected)
        gc.unfreeze()
        line.writer.close()
    return {
        "blocks_of_quiet_frames": sum(blocks[False]), "quiet_frames": len(blocks[False]),
        "blocks_an_order": round(sum(blocks[True]) / len(blocks[True]), 1),
        "collections": len(pauses), "longest_pause_us": round(max(pauses, default=0) / 1e3),
    }  # fmt: skip


class Nautilus:
    """nautilus_trader's node, a process for each round."""

    def __init__(self, python: Path, rows: Rows, folder: Path) -> None:
        self.python, self.file, self.version = python, folder / "frames.txt", ""
        lines = [row[3] for row in rows if row[0] == FRAME_IN and row[1] == FEED]
        bodies = [unpack_response(row[3]) for row in rows if row[0] == RecordKind.RESPONSE]
        body = next(body for tag, _, body in bodies if tag.startswith("depth:"))
        self.file.write_bytes(b"\n".join([body, *lines]))

    def round(self, way: str) -> Times:
        """A round."""
        frames, pause_s = (PACED_FRAMES, PAUSE_S) if way == "paced" else (FRAMES // 2, 0.0)
        worker = HERE / "peers" / "nautilus_order_worker.py"
        done = subprocess.run(
            [self.python, worker, self.file, str(K), str(frames), str(pause_s)], capture_output=True, text=True,
            env={k: v for k, v in os.environ.items() if not k.startswith("PYTHON")}, check=False, timeout=300,
        )  # fmt: skip
        if done.returncode:
            raise SystemExit(f"nautilus_trader: its process ended: {done.stderr[-2000:]}")
        said = json.loads(done.stdout.splitlines()[-1])
        self.version = said["version"]
        return Times(said["times"], [])


def at(times: list[int], percent: int) -> float:
    """A percentile in us."""
    return sorted(times)[len(times) * percent // 100] / 1e3


def compare(plan: EnginePlan, rows: Rows, peer: Nautilus | None, rounds: int) -> list[dict[str, Any]]:
    """Rounds by turns; a row for each way and each who takes it."""
    found = []
    for way, names in (("hot", OURS[:1]), ("engine", OURS), ("paced", OURS)):
        got: dict[str, list[Times]] = {name: [] for name in (*names, "orjson.loads")}
        if peer is not None and way != "hot":
            got["nautilus"] = []
        for _ in range(rounds):
            for name, series in got.items():
                series.append(peer.round(way) if name == "nautilus" and peer else ours(name, way, plan, rows))
        for name, series in got.items():
            row: dict[str, Any] = {"way": way, "who": name, "orders": len(series[0].orders)}
            for percent in (50, 99):
                values = [at(times.orders, percent) for times in series]
                row[f"p{percent}_us"] = round(median(values), 2)
                row[f"p{percent}_range"] = [round(min(values), 2), round(max(values), 2)]
                if series[0].quiet:
                    row[f"quiet_p{percent}_us"] = round(median(at(times.quiet, percent) for times in series), 2)
            if "nautilus" in got and name in OURS:
                pairs = zip(got["nautilus"], series, strict=True)
                row["nautilus_ratio"] = round(median(at(n.orders, 50) / at(o.orders, 50) for n, o in pairs), 1)
            found.append(row)
    return found


def main() -> None:
    """Prints the table, or JSON."""
    given = HERE.parents[1] / ".nox" / "peers"
    if "--environments" in sys.argv:
        given = Path(sys.argv[sys.argv.index("--environments") + 1])
    rounds = int(sys.argv[sys.argv.index("--rounds") + 1]) if "--rounds" in sys.argv else ROUNDS
    plan, rows = inputs()
    load = os.getloadavg()[0]
    with tempfile.TemporaryDirectory() as folder:
        python = environment(given, "nautilus_trader")
        peer = None if isinstance(python, str) else Nautilus(python, rows, Path(folder))
        table = compare(plan, rows, peer, rounds)
        about = {
            "machine": platform.processor() or platform.machine(), "python": platform.python_version(),
            "nautilus_trader": python if isinstance(python, str) else peer and peer.version,
            "load": [round(load, 1), round(os.getloadavg()[0], 1)], "rounds": rounds, "memory": leavings(plan, rows),
        }  # fmt: skip
    if "--json" in sys.argv:
        print(json.dumps({"about": about, "rows": table}))
        return
    print("frame bytes -> order bytes, gate and journal included, us")
    for name, value in about.items():
        print(f"  {name}: {value}")
    for row in table:
        print("  " + "  ".join(f"{name} {value}" for name, value in row.items()))


if __name__ == "__main__":
    main()
