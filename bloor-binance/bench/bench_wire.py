"""From a venue writing a frame to it reading the order that the frame caused, over loopback, beside a bare echo.

    python bloor-binance/bench/bench_wire.py [--spin] [--seconds S] [--rounds N] [--json]

This process is the venue: it writes frames at 1,000 and at 5,000 a second at times fixed beforehand (an open loop: a
slow answer does not slow the frames down) and notes when each order has arrived. Another process is the client. In it
are, on one event loop, the host's own shell with real sockets, a journal and an engine, once with a compiled strategy
and once with the same as an ordinary Python strategy, both behind every installed risk check; and beside them a bare
picows client that answers with a constant of an order's size. They are measured by turns, in segments of 0.4 s, with
the same frames: seven best bids and offers, two trades and a change of 20 levels, an order at every fourth. Each order
is answered as a venue does, and the answer is dealt with between frames.

A time is from the moment a frame was due to the moment its order was read. The venue spins, so that it sees its own
stalls: what was on its way during one is left out, and the share that is kept is told. Figures are over all times that
are kept, with the quartiles of those of single segments, and ratios to the echo's. With --spin the client's event loop
never sleeps.
"""

from __future__ import annotations

import asyncio
import gc
import json
import os
import platform
import sys
import tempfile
import time
from bisect import bisect_left
from importlib.metadata import version
from multiprocessing import get_context
from multiprocessing.connection import Connection
from pathlib import Path
from statistics import median
from time import perf_counter_ns
from typing import Any, cast

import attrs
import orjson
import picows
import uvloop
from bench_compiled_normalizer import Messages
from ordering import Quiet, plain, planned

from bloor.engine.core import Engine
from bloor.engine.plan import EnginePlan
from bloor.host.loop import spinning
from bloor.host.shell import Shell
from bloor.journal.record import RecordKind
from bloor.journal.writer import Writer
from bloor.observe.summary import live_status
from bloor.venue.session import Endpoints

#: As many rounds as a p99 needs: some 3,700 orders a client and rate. Nine rounds have 570, of which six decide.
RATES, K, SEGMENT_S, ROUNDS = (1_000, 5_000), 4, 0.4, 60
CLIENTS = ("echo", "compiled", "python")
STALL_NS, MARGIN_NS = 100_000, 500_000
#: Kept times that make a round; as many more rounds are tried as this.
ENOUGH, MOST = 60, 3
TEXT = picows.WSMsgType.TEXT
#: As long as the order that the strategy writes.
ORDER = b"x" * 276


# ---- the venue


class Client:
    """What the venue knows of one client: where its frames go, and when its orders came."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.market: picows.WSTransport | None = None
        self.books, self.others = Messages(), Messages(2)
        self.snapshot = self.books.snapshot()
        self.orders: list[int] = []
        self.bytes = 0
        self.ready = name == "echo"
        kinds = [self.others.quote] * 7 + [self.others.trade] * 2
        self.kinds = [*kinds[:4], lambda: self.books.depth(20), *kinds[4:]]
        self.made = 0

    def frames(self, count: int) -> list[bytes]:
        """The next frames of its stream."""
        made = [self.kinds[(self.made + n) % 10]() for n in range(count)]
        self.made += count
        return made


class Socket(picows.WSListener):
    """A client's connection: its stream, or the one that its orders come by."""

    def __init__(self, clients: dict[str, Client], path: str) -> None:
        _, name, what, *_ = path.split("?", maxsplit=1)[0].split("/")
        self.client, self.market = clients[name], what == "stream"

    def on_ws_connected(self, transport: picows.WSTransport) -> None:
        """Frames can be written."""
        if self.market:
            self.client.market = transport

    def on_ws_frame(self, transport: picows.WSTransport, frame: picows.WSFrame) -> None:
        """An order; or a step of what comes before orders."""
        now = perf_counter_ns()
        if frame.msg_type != TEXT:
            return
        client, payload = self.client, frame.get_payload_as_bytes()
        if client.name == "echo":
            client.orders.append(now)
            return
        request = orjson.loads(payload)
        method, ms = request["method"], time.time_ns() // 1_000_000
        result: dict[str, Any] = {"serverTime": ms}
        if method == "order.place":
            client.orders.append(now)
            client.bytes = len(payload)
            params = request["params"]
            result = {
                "symbol": params["symbol"], "orderId": 12_569_099_453 + len(client.orders), "orderListId": -1,
                "clientOrderId": params["newClientOrderId"], "transactTime": ms, "price": params["price"],
                "origQty": params["quantity"], "executedQty": "0.00000000", "cummulativeQuoteQty": "0.00000000",
                "status": "EXPIRED", "timeInForce": "IOC", "type": "LIMIT", "side": params["side"], "fills": [],
            }  # fmt: skip
        elif method == "userDataStream.subscribe":
            client.ready = True
        transport.send(TEXT, orjson.dumps({"id": request["id"], "status": 200, "result": result}))


class Rest(asyncio.Protocol):
    """Answers REST requests: the time, and the snapshot of the client that the path names."""

    def __init__(self, clients: dict[str, Client]) -> None:
        self.clients = clients

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keeps where answers go."""
        self.transport = cast(asyncio.Transport, transport)

    def data_received(self, data: bytes) -> None:
        """A request, whole."""
        path = data.split(b" ", 2)[1].decode()
        body = orjson.dumps({"serverTime": time.time_ns() // 1_000_000})
        if "/depth" in path:
            body = self.clients[path.split("/")[1]].snapshot
        head = f"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
        self.transport.write(head.encode() + body)


class Venue:
    """Writes frames when they are due, and sees its own stalls."""

    def __init__(self, clients: dict[str, Client]) -> None:
        self.clients = clients
        self.loop = asyncio.get_running_loop()
        self.stalls: list[tuple[int, int]] = []

    async def write(self, client: Client, frames: list[bytes], rate: int) -> list[int]:
        """Writes frames at a rate; when each was due."""
        assert client.market is not None
        count, send = len(frames), client.market.send
        start = perf_counter_ns() + 2_000_000
        due = [start + n * 1_000_000_000 // rate for n in range(count)]
        over = self.loop.create_future()
        self.stalls = []
        sent, last = 0, perf_counter_ns()

        def tick() -> None:
            nonlocal sent, last
            now = perf_counter_ns()
            if now - last > STALL_NS:
                self.stalls.append((last, now))
            last = now
            if sent < count and due[sent] <= now:
                send(TEXT, frames[sent])
                sent += 1
            if sent < count or now < due[-1] + 2_000_000:
                self.loop.call_soon(tick)
            else:
                over.set_result(None)

        tick()
        await over
        return due

    async def warm(self, client: Client) -> None:
        """Single frames until orders come, and further to the frame that causes one."""
        while not client.ready or client.market is None:  # noqa: ASYNC110 (once, before anything is measured)
            await asyncio.sleep(0.01)
        quiet = 0
        for _ in range(2_000):
            had = len(client.orders)
            await self.write(client, client.frames(1), 1_000)
            await asyncio.sleep(0.05)
            if len(client.orders) == had:
                quiet += 1
                continue
            if had > 3 and quiet == K - 1:
                return
            quiet = 0
        raise SystemExit(f"{client.name}: no order came")

    async def segment(self, client: Client, rate: int, seconds: float) -> tuple[list[int], float]:
        """A segment: sorted times from due to read, ns, and the share of them that is kept."""
        frames = client.frames(int(rate * seconds) // K * K)
        client.orders.clear()
        due = (await self.write(client, frames, rate))[K - 1 :: K]
        for _ in range(200):
            if len(client.orders) >= len(due):
                break
            await asyncio.sleep(0.005)
        if len(client.orders) != len(due):
            raise SystemExit(f"{client.name}: expected {len(due)} orders, got {len(client.orders)}")
        ends = [end for _, end in self.stalls]
        if any(end < begin for begin, end in zip(due, client.orders, strict=True)):
            raise SystemExit(f"{client.name}: an order came before the frame that should cause it")
        kept = []
        for begin, end in list(zip(due, client.orders, strict=True))[len(due) // 20 :]:
            at = bisect_left(ends, begin - MARGIN_NS)
            if at == len(ends) or self.stalls[at][0] > end:
                kept.append(end - begin)
        return sorted(kept), len(kept) / (len(due) - len(due) // 20)


async def measure(pipe: Connection, rounds: int, seconds: float) -> dict[str, Any]:
    """Everything, with the client that is at the other end of the pipe."""
    clients = {name: Client(name) for name in CLIENTS}
    loop = asyncio.get_running_loop()
    sockets = await picows.ws_create_server(
        lambda request: Socket(clients, request.path.decode()), "127.0.0.1", 0, websocket_handshake_timeout=10
    )
    rest = await loop.create_server(lambda: Rest(clients), "127.0.0.1", 0)
    pipe.send([server.sockets[0].getsockname()[1] for server in (rest, sockets)])
    venue = Venue(clients)
    await loop.run_in_executor(None, pipe.recv)
    for client in clients.values():
        await venue.warm(client)
    gc.collect()
    gc.freeze()
    gc.disable()
    rows = []
    for rate in RATES:
        times: dict[str, list[list[int]]] = {name: [] for name in CLIENTS}
        kept: dict[str, list[float]] = {name: [] for name in CLIENTS}
        for _ in range(rounds * MOST):
            for name, client in clients.items():
                got, share = await venue.segment(client, rate, seconds)
                times[name].append(got)
                kept[name].append(share)
            if min(sum(map(len, series)) for series in times.values()) >= rounds * ENOUGH:
                break
        rows += [row(rate, name, times, kept) for name in CLIENTS]
    pipe.send(None)
    about: dict[str, Any] = await loop.run_in_executor(None, pipe.recv)
    rest.close()
    sockets.close()
    return {"about": about | {"order_bytes": clients["compiled"].bytes}, "rows": rows}


def row(rate: int, name: str, times: dict[str, list[list[int]]], kept: dict[str, list[float]]) -> dict[str, Any]:
    """Percentiles of everything that is kept, their quartiles over segments of 20 and more, and ratios to the echo."""
    share = round(sum(kept[name]) / len(kept[name]), 2)
    pooled, echo = (sorted(ns for got in times[which] for ns in got) for which in (name, "echo"))
    found: dict[str, Any] = {"rate": rate, "client": name, "orders": len(pooled), "kept": share}
    for percent in (50, 99):
        if min(len(pooled), len(echo)) >= (20 if percent == 50 else 100):
            value = pooled[len(pooled) * percent // 100] / 1e3
            values = [got[len(got) * percent // 100] / 1e3 for got in times[name] if len(got) >= 20] or [value]
            found[f"p{percent}_us"] = round(value, 1)
            found[f"p{percent}_ratio"] = round(value * 1e3 / echo[len(echo) * percent // 100], 2)
            found[f"p{percent}_quartiles"] = [
                round(v, 1) for v in (quartile(values, 1), median(values), quartile(values, 3))
            ]
    return found


def quartile(values: list[float], which: int) -> float:
    """The first or third quartile."""
    return sorted(values)[len(values) * which // 4]


# ---- the client


class Echo(picows.WSListener):
    """Answers every fourth frame with a constant."""

    def __init__(self) -> None:
        self.seen = 0

    def on_ws_frame(self, transport: picows.WSTransport, frame: picows.WSFrame) -> None:
        """One frame."""
        if frame.msg_type == TEXT:
            frame.get_payload_as_bytes()
            self.seen += 1
            if not self.seen % K:
                transport.send(TEXT, ORDER)


class Ours:
    """The host's shell around an engine, with a journal."""

    def __init__(self, plan: EnginePlan, name: str, ports: list[int], folder: Path) -> None:
        rest, sockets = ports
        base = f"ws://127.0.0.1:{sockets}/{name}"
        endpoints = Endpoints(f"http://127.0.0.1:{rest}/{name}", base, f"{base}/orders")
        plan = attrs.evolve(plan, venues=(attrs.evolve(plan.venues[0], endpoints=endpoints),))
        self.observer = Quiet()
        self.shell = Shell(plan.venues)
        self.writer = Writer(folder / name, epoch=1, clock=time.monotonic_ns)
        self.engine = Engine(plan, self.shell, self.writer, self.observer, time.perf_counter_ns)
        self.looks = 0
        self.pauses: list[int] = []

    async def open(self) -> None:
        """Opens its connections."""
        self.tending = asyncio.get_running_loop().create_task(self.shell.tend(self.look))
        await self.shell.open(self.engine)

    def look(self) -> None:
        """Slow work between frames, as a run does it."""
        self.writer.tend()
        self.looks += 1
        if self.looks % 3 == 0:
            status = live_status(self.engine, elapsed_s=1.0, duration_s=None)
            self.writer.append(RecordKind.STATUS, 0, self.shell.now(), orjson.dumps(status))
            began = perf_counter_ns()
            gc.collect(1)
            self.pauses.append(perf_counter_ns() - began)

    async def close(self) -> dict[str, Any]:
        """Ends it; what it has done."""
        self.tending.cancel()
        await self.shell.close()
        self.writer.close()
        fusion = self.engine.fusion
        told = sorted({code for code, _ in self.observer.alerts})
        return {
            "sent": self.engine.tally()["sent"], "fused": fusion.fused, "frames": fusion.frames_fused, "told": told,
            "collections": len(self.pauses), "median_pause_us": round(median(self.pauses) / 1e3),
            "longest_pause_us": round(max(self.pauses) / 1e3),
        }  # fmt: skip


async def trading(pipe: Connection, ports: list[int], folder: Path, *, spin: bool) -> None:
    """The client's process, until the pipe says that it is over."""
    loop = asyncio.get_running_loop()
    plan = planned(K).engine.plan
    ours = {"compiled": Ours(plan, "compiled", ports, folder), "python": Ours(plain(plan), "python", ports, folder)}
    await picows.ws_connect(Echo, f"ws://127.0.0.1:{ports[1]}/echo/stream")
    for one in ours.values():
        await one.open()
    await asyncio.sleep(0.5)

    gc.collect()
    gc.freeze()
    gc.disable()
    with spinning(spin):
        pipe.send(None)
        await loop.run_in_executor(None, pipe.recv)
    pipe.send({name: await one.close() for name, one in ours.items()})


def trade(pipe: Connection, spin: bool) -> None:
    """The client's process."""
    cpus = sorted(os.sched_getaffinity(0))
    os.sched_setaffinity(0, {cpus[-1]})
    with tempfile.TemporaryDirectory() as folder:
        uvloop.run(trading(pipe, pipe.recv(), Path(folder), spin=spin))


def main() -> None:
    """Prints the table, or JSON."""
    spin = "--spin" in sys.argv
    seconds = float(sys.argv[sys.argv.index("--seconds") + 1]) if "--seconds" in sys.argv else SEGMENT_S
    rounds = int(sys.argv[sys.argv.index("--rounds") + 1]) if "--rounds" in sys.argv else ROUNDS
    load = os.getloadavg()[0]
    spawn = get_context("spawn")
    here, there = spawn.Pipe()
    client = spawn.Process(target=trade, args=(there, spin), daemon=True)
    client.start()
    there.close()
    cpus = sorted(os.sched_getaffinity(0))
    os.sched_setaffinity(0, {cpus[0]})
    result = uvloop.run(measure(here, rounds, seconds))
    client.join(10)
    versions = {
        "python": platform.python_version(),
        "picows": version("picows"),
        "load": [round(load, 1), os.getloadavg()[0]],
    }
    result["about"] |= versions | {"spin": spin, "rounds": rounds, "segment_s": seconds}
    if "--json" in sys.argv:
        print(json.dumps(result))
        return
    print(f"venue writes a frame -> venue reads its order, us; segments of {seconds} s by turns")
    for name, value in result["about"].items():
        print(f"  {name}: {value}")
    for r in result["rows"]:
        print("  " + "  ".join(f"{name} {value}" for name, value in r.items()))


if __name__ == "__main__":
    main()
