"""An import through the compiled loop stores what the reference stores, whatever is in the recordings."""

from __future__ import annotations

import json
from contextlib import suppress
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bloor.plugins import PluginHost
from bloor.storage.importing import ImportOptions, import_data
from bloor.storage.staging import Staging

START = 1_700_000_000 * 10**9
UNITS = {"s": 10**9, "ms": 10**6, "us": 10**3, "ns": 1}


@st.composite
def recordings(draw):
    """One to three files of lines: every kind of frame, two instruments, odd lines, times in any unit and order."""
    last = {"BTCUSDT": 100, "ETHUSDT": 100}
    files = [[] for _ in range(draw(st.integers(1, 3)))]
    now = START + draw(st.sampled_from([0, 80_000 * 10**9]))
    for _ in range(draw(st.integers(1, 40))):
        now += draw(st.sampled_from([0, 1_000_000, 10**9, 3_600 * 10**9]))
        symbol = draw(st.sampled_from(["BTCUSDT", "BTCUSDT", "ETHUSDT"]))
        price, qty = f"{draw(st.integers(1, 99))}.{draw(st.integers(0, 99)):02d}", f"{draw(st.integers(1, 9))}.5000"
        levels = [
            [[f"{draw(st.integers(low, high))}.{draw(st.sampled_from('05'))}", f"{draw(st.integers(0, 3))}.5"]
             for _ in range(draw(st.integers(0, 3)))]
            for low, high in ((1, 50), (51, 99))
        ]  # fmt: skip
        what = draw(st.sampled_from("tttqqdddddddddssaxopk"))
        stamp = now // 10**6
        if what == "t":
            data = {
                "e": "trade",
                "E": stamp,
                "s": symbol,
                "t": 7,
                "p": price,
                "q": qty,
                "T": stamp,
                "m": True,
                "M": True,
            }
        elif what == "a":
            data = {
                "e": "aggTrade",
                "E": stamp,
                "s": symbol,
                "a": 7,
                "p": price,
                "q": qty,
                "f": 1,
                "l": 2,
                "T": stamp,
                "m": False,
                "M": True,
            }
        elif what == "q":
            data = {"u": 5, "s": symbol, "b": price, "B": qty, "a": "100.00", "A": "1.0"}
        elif what == "d":
            first = last[symbol] + draw(st.sampled_from([1, 1, 1, 1, 1, 0, 4]))
            last[symbol] = max(last[symbol], first)
            data = {"e": "depthUpdate", "E": stamp, "s": symbol, "U": first, "u": first, "b": levels[0], "a": levels[1]}
        elif what == "s":
            data = None
            line = f"https://api.binance.com/api/v3/depth?symbol={symbol} -> %s: " + json.dumps(
                {"lastUpdateId": last[symbol], "bids": levels[0], "asks": levels[1]}
            )
        elif what == "p":
            data = {"e": "depthUpdate", "E": stamp, "s": symbol, "U": last[symbol], "u": 0, "b": [["0", "x"]], "a": []}
        elif what == "k":
            data = {"e": "kline", "E": stamp, "s": symbol}
        else:
            data = None
            line = draw(st.sampled_from(["", "nonsense", "%s {", "%s []", "{}", "wss://x", "%s.5 {}", "00%s {}"]))
        if data is not None:
            frame = json.dumps(data, separators=draw(st.sampled_from([(",", ":"), (", ", ": ")])))
            if draw(st.booleans()):
                frame = f'{{"stream":"{symbol.lower()}@x","data":{frame}}}'
            line = draw(st.sampled_from(["%s "] * 8 + ["%s: ", "", "  %s  "])) + frame.replace("%", "%%")
        unit = UNITS[draw(st.sampled_from(["ns", "ns", "us", "ms", "s"]))]
        text = line.replace("%s", str(now // unit)).replace("%%", "%")
        draw(st.sampled_from(files)).append(text + draw(st.sampled_from(["", "", "", "\r", " "])))
    return files


@pytest.mark.examples(daily=50, soak=2_000)
@given(files=recordings())
def test_the_loop_stores_what_the_reference_stores(files):
    """The same parts, hashes of files among them, the same counts and the same errors at the same lines."""
    spec = PluginHost().normalizer("binance")
    with TemporaryDirectory() as folder:
        paths = []
        for number, lines in enumerate(files):
            paths.append(Path(folder) / f"{number}.txt")
            paths[-1].write_bytes("\n".join(lines).encode())
        made = [
            list(import_data(Path(folder) / str(how), spec, paths, ImportOptions(compiled=how, parquet=False)))
            for how in (True, False)
        ]
        (fast,), (slow,) = made
        assert fast.manifest == slow.manifest


class Interrupted(BaseException):
    """What ends an import in the middle."""


@pytest.mark.examples(daily=50, soak=2_000)
@given(files=recordings(), every=st.sampled_from([1, 7]), death=st.integers(0, 15), compiled=st.booleans())
def test_an_interrupted_loop_continues(files, every, death, compiled):
    """The books, the held changes and the places in the files are as they were: the rest is stored the same."""
    spec = PluginHost().normalizer("binance")
    left = death

    def keep(stage, key, said, keep=Staging.keep):
        nonlocal left
        keep(stage, key, said)
        left -= 1
        if left < 0:
            raise Interrupted

    with TemporaryDirectory() as folder:
        paths = []
        for number, lines in enumerate(files):
            paths.append(Path(folder) / f"{number}.txt")
            paths[-1].write_bytes("\n".join(lines).encode())
        options = ImportOptions(compiled=compiled, keep_rows=every, parquet=False)
        (whole,) = import_data(Path(folder) / "whole", spec, paths, options)
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(Staging, "keep", keep)
            with suppress(Interrupted):
                list(import_data(Path(folder) / "broken", spec, paths, options))
        for done in import_data(Path(folder) / "broken", spec, paths, options):
            assert done.manifest == whole.manifest
            assert done.new is (left < 0)
            assert (done.resumed is not None) is done.new
