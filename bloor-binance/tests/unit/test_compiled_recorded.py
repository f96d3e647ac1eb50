"""Recordings through the compiled normalizer: the same events as by the reference, byte for byte."""

from __future__ import annotations

from itertools import chain
from pathlib import Path
from typing import Any

import pytest

from bloor.hookspecs import NormalizerSpec
from bloor.market.book import OrderBook
from bloor.market.compiled.pipeline import market_pipeline
from bloor.market.events import EventView
from bloor.market.instruments import InstrumentTable
from bloor.market.normalize import is_depth, normalize, symbol_in
from bloor.market.pipeline import MarketPipeline
from bloor.market.recording import RecordedLine, read_recording
from bloor_binance import instruments as spot
from bloor_binance.usdm import instruments as usdm

SPOT, USDM = spot.normalizer_spec(), usdm.normalizer_spec()
RECORDINGS: list[tuple[NormalizerSpec, list[str]]] = [
    (SPOT, ["binance_spot/btcusdt_20240808.txt.gz", "binance_spot/btcusdt_20240809.txt.gz"]),
    (SPOT, ["binance_spot/nexousdt_20240723.txt.gz", "binance_spot/nexousdt_20240724.txt.gz"]),
    (SPOT, ["binance_spot/btcusdt_20230405.txt.gz"]),
    (SPOT, ["cryptofeed/binance/BINANCE.http.0.0.gz", "cryptofeed/binance/BINANCE.ws.1.0.gz"]),
    (USDM, ["binance_usdm/btcusdt_20240808.txt.gz"]),
    (USDM, ["cryptofeed/binance_futures/BINANCE_FUTURES.http.0.0.gz",
            "cryptofeed/binance_futures/BINANCE_FUTURES.ws.1.0.gz"]),
]  # fmt: skip


def name(value: Any) -> str:
    """Names a test by its first file."""
    return value[0] if isinstance(value, list) else value.venue


def events(spec: NormalizerSpec, files: list[Path], compiled: bool) -> Any:
    """Everything that a pipeline says of recordings, and how many frames its reference took."""
    said: list[Any] = []

    def on_event(event: EventView, book: OrderBook | None) -> None:
        said.append((event.array.tobytes(), None if book is None else book.top.tolist()))

    symbol = files[0].name.partition("_")[0].upper()
    pipeline: MarketPipeline = market_pipeline(
        spec,
        InstrumentTable(),
        on_event,
        compiled=compiled,
        on_error=said.append,
        refetch=False,
        resolve=lambda: symbol,
    )
    decode, asked = pipeline._decode, [0]

    def counted(frame: bytes) -> Any:
        asked[0] += 1
        return decode(frame)

    pipeline._decode = counted
    for line in read_recording(files):
        if isinstance(line, RecordedLine):
            if line.url is not None and is_depth(line.url):
                said.append(pipeline.snapshot(line.payload, symbol_in(line.url), line.recv_ns or 0))
            else:
                said.append(pipeline.frame(line.payload, line.recv_ns or 0))
    return said, pipeline.counters, asked[0]


@pytest.mark.recorded
@pytest.mark.parametrize(("spec", "names"), RECORDINGS, ids=name)
def test_the_same_events(recordings: Path, spec: NormalizerSpec, names: list[str]) -> None:
    """Every event, top, error and count is the same; in a sound stream the reference has next to nothing to do."""
    files = [recordings / name for name in names]
    compiled, reference = events(spec, files, True), events(spec, files, False)
    assert compiled[1] == reference[1]
    assert len(compiled[0]) == len(reference[0])
    for ours, theirs in zip(compiled[0], reference[0], strict=True):
        assert ours == theirs
    if "20230405" not in names[0]:  # without a snapshot, every change is held by the reference
        assert compiled[2] < 10


@pytest.mark.recorded
@pytest.mark.parametrize(("spec", "names"), RECORDINGS[3:], ids=name)
def test_the_same_lines(recordings: Path, spec: NormalizerSpec, names: list[str]) -> None:
    """The lines of ``bloor data normalize`` are the same with and without the compiled form."""
    files = [recordings / name for name in names]
    written: list[list[Any]] = [[], []]
    for compiled, lines in zip((True, False), written, strict=True):
        normalize(spec, files, write=lines.append, depth=3, compiled=compiled)
    for ours, theirs in zip(chain(written[0]), chain(written[1]), strict=True):
        assert ours == theirs
