"""The receive path at saturation, over loopback: picows alone, with decoding and book, and with events to Python.

    python bloor-binance/bench/bench_receive.py [--json]

A server in a process of its own writes frames in pieces of 256 kB, encoded before, so that the receiver is the slower
of the two and always has something to read. This process receives them in three ways by turns: only taking each
payload as bytes (picows alone); handing it to compiled code that decodes it, checks its sequence and changes the book,
which is all there is to do without a strategy; and handing it to the pipeline, which also calls Python with every
event. Compiled code reads the clock too; the garbage collector rests, as in a run. What counts is the CPU time of this
process per frame. Frames are a recording's (``$BLOOR_RECORDINGS``), or made up in the same mixture: seven best
bids and offers, two trades and a depth change of 20 levels.
"""

from __future__ import annotations

import asyncio
import gc
import json
import os
import sys
from multiprocessing import get_context
from multiprocessing.connection import Connection
from pathlib import Path
from statistics import median
from time import process_time_ns
from typing import Any

import picows
import uvloop
from bench_compiled_normalizer import INSTRUMENT, Messages

from bloor.market.book import OrderBook
from bloor.market.compiled.pipeline import CompiledPipeline
from bloor.market.instruments import InstrumentTable
from bloor.market.recording import RecordedLine, read_recording
from bloor.market.view import BookState
from bloor_binance.compiled.normalizer import compiled_spot
from bloor_binance.normalizer import BinanceSpotNormalizer

ROUNDS, MADE, PIECE = 9, 40_000, 256 << 10
TEXT = picows.WSMsgType.TEXT


def frames() -> tuple[bytes, list[bytes]]:
    """A snapshot, and the frames around it."""
    folder = os.environ.get("BLOOR_RECORDINGS")
    if folder:
        path = Path(folder) / "binance_spot" / "btcusdt_20240808.txt.gz"
        lines = [line.payload for line in read_recording([path]) if isinstance(line, RecordedLine)]
        (at,) = [n for n, payload in enumerate(lines) if b'"stream"' not in payload]
        return lines[at], lines[:at] + lines[at + 1 :]
    books, others = Messages(), Messages(2)
    kinds = [others.quote] * 7 + [others.trade] * 2 + [lambda: books.depth(20)]
    return books.snapshot(), [kinds[n % 10]() for n in range(MADE)]


def encoded(payload: bytes) -> bytes:
    """A text frame as a server writes it (RFC 6455, section 5.2)."""
    size = len(payload)
    if size < 126:
        return bytes((0x81, size)) + payload
    if size < 1 << 16:
        return b"\x81\x7e" + size.to_bytes(2, "big") + payload
    return b"\x81\x7f" + size.to_bytes(8, "big") + payload


# ---- the other process


class Flood(picows.WSListener):
    """Writes a stream of frames to its client, as fast as it takes them."""

    def __init__(self, stream: bytes) -> None:
        self.stream = stream
        self.free = asyncio.Event()
        self.free.set()

    def on_ws_connected(self, transport: picows.WSTransport) -> None:
        """Begins."""
        self.task = asyncio.get_running_loop().create_task(self.flood(transport.underlying_transport))

    async def flood(self, transport: asyncio.Transport) -> None:
        """Everything, in pieces."""
        for at in range(0, len(self.stream), PIECE):
            await self.free.wait()
            transport.write(self.stream[at : at + PIECE])

    def pause_writing(self) -> None:
        """The socket is full."""
        self.free.clear()

    def resume_writing(self) -> None:
        """The socket takes more."""
        self.free.set()


async def serving(stream: bytes, pipe: Connection) -> None:
    """Serves until the pipe says that it is over."""
    server = await picows.ws_create_server(lambda _: Flood(stream), "127.0.0.1", 0)
    pipe.send(server.sockets[0].getsockname()[1])
    await asyncio.get_running_loop().run_in_executor(None, pipe.recv)
    server.close()


def serve(pipe: Connection) -> None:
    """The server process."""
    uvloop.run(serving(b"".join(map(encoded, frames()[1])), pipe))


# ---- this process


class Alone(picows.WSListener):
    """Takes each payload."""

    def __init__(self, count: int) -> None:
        self.left = count
        self.over = asyncio.Event()

    def on_ws_frame(self, transport: picows.WSTransport, frame: picows.WSFrame) -> None:
        """One frame."""
        if frame.msg_type == TEXT:
            frame.get_payload_as_bytes()
            self.left -= 1
            if not self.left:
                self.over.set()


class WithBook(Alone):
    """Decodes, checks and applies; what compiled code is not sure of goes to the reference."""

    def __init__(self, count: int, pipeline: CompiledPipeline) -> None:
        super().__init__(count)
        self.step, self.reference, self.clock = pipeline.step, pipeline.frame, pipeline.context.clock

    def on_ws_frame(self, transport: picows.WSTransport, frame: picows.WSFrame) -> None:
        """One frame."""
        if frame.msg_type == TEXT:
            payload = frame.get_payload_as_bytes()
            if self.step(payload) < 0:
                self.reference(payload, self.clock.last)
            self.left -= 1
            if not self.left:
                self.over.set()


class WithEvents(Alone):
    """The same, and an event to Python for each message."""

    def __init__(self, count: int, pipeline: CompiledPipeline) -> None:
        super().__init__(count)
        self.take = pipeline.frame_now

    def on_ws_frame(self, transport: picows.WSTransport, frame: picows.WSFrame) -> None:
        """One frame."""
        if frame.msg_type == TEXT:
            self.take(frame.get_payload_as_bytes())
            self.left -= 1
            if not self.left:
                self.over.set()


async def cpu_ns(port: int, listener: Alone) -> float:
    """CPU time of this process per frame, from the connection to the last frame."""
    count = listener.left
    began = process_time_ns()
    transport, _ = await picows.ws_connect(lambda: listener, f"ws://127.0.0.1:{port}/", max_frame_size=1 << 24)
    await listener.over.wait()
    spent = process_time_ns() - began
    transport.disconnect()
    await transport.wait_disconnected()
    return spent / count


def ready_pipeline(snapshot: bytes) -> tuple[CompiledPipeline, OrderBook]:
    """A pipeline whose book waits for the first frame."""
    pipeline = CompiledPipeline(
        BinanceSpotNormalizer(), compiled_spot(), InstrumentTable([INSTRUMENT]), lambda *_: None, infer=False
    )
    book = pipeline.track(INSTRUMENT)
    pipeline.snapshot(snapshot, "BTCUSDT", 1)
    return pipeline, book


async def measure(port: int) -> dict[str, Any]:
    """Rounds of all three, by turns."""
    snapshot, made = frames()
    gc.collect()  # as a run does when it begins
    gc.freeze()
    gc.disable()
    rounds: dict[str, list[float]] = {"alone": [], "book": [], "events": []}
    for _ in range(ROUNDS):
        rounds["alone"].append(await cpu_ns(port, Alone(len(made))))
        for name, kind in (("book", WithBook), ("events", WithEvents)):
            pipeline, book = ready_pipeline(snapshot)
            rounds[name].append(await cpu_ns(port, kind(len(made), pipeline)))
            assert book.view.state == BookState.SYNCED, "changes were lost"
            assert pipeline.counters.gaps == 0
    row: dict[str, Any] = {"frames": len(made), "bytes": round(sum(map(len, made)) / len(made))}
    for name, spent in rounds.items():
        row[f"{name}_ns"] = round(median(spent))
        row[f"{name}_ratio"] = round(median(ns / alone for ns, alone in zip(spent, rounds["alone"], strict=True)), 2)
    return row


def main() -> None:
    """Prints the table, or JSON."""
    spawn = get_context("spawn")
    here, there = spawn.Pipe()
    server = spawn.Process(target=serve, args=(there,), daemon=True)
    server.start()
    row = uvloop.run(measure(here.recv()))
    here.send(None)
    server.join(5)
    if "--json" in sys.argv:
        print(json.dumps(row))
        return
    print("receive path at saturation, CPU time of the receiving process per frame")
    print(f"  {row['frames']:,} frames of {row['bytes']} bytes on average, median of {ROUNDS} rounds by turns")
    print(f"  picows alone                     {row['alone_ns']:>6} ns")
    print(f"  and decoding, checks, book       {row['book_ns']:>6} ns   {row['book_ratio']} times")
    print(f"  and an event to Python for each  {row['events_ns']:>6} ns   {row['events_ratio']} times")


if __name__ == "__main__":
    main()
