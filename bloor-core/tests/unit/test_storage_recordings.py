"""Recordings of real venues: the store has what the normalizer says, and the books come back."""

from __future__ import annotations

import numpy as np
import pytest

from bloor.market.events import EventKind, Flag
from bloor.market.normalize import normalize
from bloor.model.orders import Side
from bloor.plugins import PluginHost
from bloor.storage.importing import ImportOptions, import_data
from bloor.storage.load import load
from bloor.storage.manifest import read_imports
from bloor.storage.restore import replay_books

pytestmark = pytest.mark.recorded

SETS = {
    "btcusdt": ("binance", ["binance_spot/btcusdt_20240808.txt.gz"], None),
    "nexousdt": ("binance", ["binance_spot/nexousdt_20240723.txt.gz", "binance_spot/nexousdt_20240724.txt.gz"], None),
    "cryptofeed": ("binance", ["cryptofeed/binance/BINANCE.http.0.0.gz", "cryptofeed/binance/BINANCE.ws.1.0.gz"], None),
    "usdm": ("binance-usdm", ["binance_usdm/btcusdt_20240808.txt.gz"], None),
    "no-snapshot": ("binance", ["binance_spot/btcusdt_20230405.txt.gz"], None),
}


@pytest.mark.parametrize("name", SETS)
def test_the_store_of_a_recording(recordings, tmp_path, name):
    """Trades, quotes and tops are those of ``bloor data normalize``; so are the books that are rebuilt."""
    venue, files, _ = SETS[name]
    spec = PluginHost().normalizer(venue)
    paths = [recordings / file for file in files]
    lines: list[dict] = []
    summary = normalize(spec, paths, write=lines.append)
    (done,) = import_data(tmp_path, spec, paths, ImportOptions(chunk_rows=40_000))
    counts = done.manifest.counts
    for key in ("messages", "book_messages", "trades", "bbos", "other", "gaps", "errors"):
        assert counts[key] == getattr(summary, key), key
    symbols = {line["symbol"] for line in lines if line["kind"] in ("top", "trade", "agg_trade", "bbo")}
    assert symbols and symbols == {part.instrument.symbol for part in done.manifest.parts}
    for symbol in symbols:
        mine = [line for line in lines if line.get("symbol") == symbol]
        rows = load(venue, symbol, catalogue=tmp_path)
        unit = rows.instrument
        seen = rows[rows["flags"] & Flag.UNSEEN == 0]
        for kind, word in ((EventKind.BOOK, "top"), (EventKind.BBO, "bbo")):
            of = seen[seen["kind"] == kind]
            said = [line for line in mine if line["kind"] == word]
            assert of["recv_ns"].tolist() == [line["recv_ns"] or 0 for line in said]
            for price, qty, side in (("price", "qty", "bid"), ("price2", "qty2", "ask")):
                expected = [
                    line[side] and (unit.parse_price(line[side][0]), unit.parse_qty(line[side][1])) for line in said
                ]
                assert list(zip(of[price].tolist(), of[qty].tolist(), strict=True)) == expected
        trades = seen[np.isin(seen["kind"], (EventKind.TRADE, EventKind.AGG_TRADE))]
        said = [line for line in mine if line["kind"] in ("trade", "agg_trade")]
        assert trades["seq"].tolist() == [int(line["id"]) for line in said]
        assert trades["price"].tolist() == [unit.parse_price(line["price"]) for line in said]
        assert trades["qty"].tolist() == [unit.parse_qty(line["qty"]) for line in said]
        tops = 0
        for place, book in replay_books(rows, unit):
            view = book.view
            row = rows[place]
            assert (view.best_bid, view.bid_qty, view.best_ask, view.ask_qty) == (
                row["price"], row["qty"], row["price2"], row["qty2"]
            )  # fmt: skip
            tops += not row["flags"] & Flag.UNSEEN
        assert tops == sum(line["kind"] == "top" for line in mine)


@pytest.mark.parametrize("name", ["btcusdt", "nexousdt"])
def test_the_ways_to_a_store(recordings, tmp_path, name):
    """Compiled or not, in one import or in two: the same records; a day read alone ends with the same book."""
    venue, files, _ = SETS[name]
    spec = PluginHost().normalizer(venue)
    paths = [recordings / file for file in files]
    made = []
    for compiled in (True, False):
        (done,) = import_data(tmp_path / str(compiled), spec, paths, ImportOptions(compiled=compiled, parquet=False))
        made.append(done.manifest)
    assert made[0].parts == made[1].parts and made[0].counts == made[1].counts
    if len(paths) > 1:
        list(import_data(tmp_path / "two", spec, paths[:1], ImportOptions(parquet=False)))
        list(import_data(tmp_path / "two", spec, paths, ImportOptions(parquet=False)))
        assert len(read_imports(tmp_path / "two")) == 2
    symbol = made[0].parts[0].instrument.symbol
    whole = load(venue, symbol, catalogue=tmp_path / "True")
    last = load(venue, symbol, start=made[0].parts[-1].day, catalogue=tmp_path / "True")
    for rows in (last, *([load(venue, symbol, catalogue=tmp_path / "two")] if len(paths) > 1 else [])):
        assert ends(rows) == ends(whole)


def ends(rows):
    """The whole book at the end."""
    for _, last in replay_books(rows, rows.instrument):
        book = last
    return book.depth(Side.BUY), book.depth(Side.SELL)
