"""``bloor`` from Python, inside a running event loop and outside, over loopback."""

from __future__ import annotations

import asyncio
import json
import linecache
import os
import re
import signal
import threading
import urllib.request
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from loguru import logger

import bloor
from bloor.errors import BloorError, ConfigError, PluginError, RunError, UsageError
from bloor.journal.follower import Follower
from bloor.journal.record import RecordKind


class EveryTenth(bloor.Strategy):
    """Buys a little at every tenth trade."""

    every: int = bloor.param(10, low=1, doc="trades between two orders")
    seen: int = 0

    def on_trade(self, trade: Any, book: Any, orders: Any) -> None:
        """Counts."""
        self.seen += 1
        if self.seen % self.every == 0:
            orders.buy(book.best_ask + 10, orders.min_lots * 100, ioc=True)


@pytest.fixture(autouse=True)
def in_a_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """An empty folder and a state of its own; loguru as it was."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("BLOOR_STATE", str(tmp_path / "state"))
    yield
    logger.remove()


@contextmanager
def interrupting(when: Callable[[], bool]) -> Iterator[None]:
    """Sends this process what Ctrl-C sends, once something has happened inside."""
    over = threading.Event()

    def send() -> None:
        while not over.wait(0.05):
            if when():
                os.kill(os.getpid(), signal.SIGINT)
                break

    sending = threading.Thread(target=send)
    sending.start()
    try:
        yield
    finally:
        over.set()
        sending.join()


def has_lines(path: Path, count: int) -> bool:
    """Whether a file is there and has so many lines."""
    return path.is_file() and path.read_text().count("\n") >= count


def run_inside_a_loop(**options: Any) -> Any:
    """Calls ``bloor.run`` from a coroutine, as a notebook's cell does."""

    async def cell() -> Any:
        asyncio.get_running_loop()
        return bloor.run(**options)

    return asyncio.run(cell())


def test_a_run_inside_a_running_loop_gives_its_result() -> None:
    """A class that belongs to no plug-in trades; fills, orders and decisions tell one story, exactly.

    It is ended by what a notebook's stop button and Ctrl-C send: in order, and the result is there.
    """
    before = signal.getsignal(signal.SIGINT)
    with interrupting(lambda: has_lines(Path("here/fills.jsonl"), 3)):
        result = run_inside_a_loop(
            strategies=EveryTenth, venues="binance", symbols=["BTC-USDT", "ETH-USDT"], duration="1h", seed=2,
            set={"strategy": {"every-tenth": {"every": 20}}}, session="here", progress=False,
        )  # fmt: skip
    assert signal.getsignal(signal.SIGINT) is before
    assert result.ok
    assert 0 < result.duration_s < 3600
    assert result.tally["unknown"] == 0
    assert result.session == Path("here").resolve()
    assert json.loads((result.session / "summary.json").read_text()) == result.document
    config = json.loads((result.session / "config.json").read_text())
    assert config["sections"]["strategy.every-tenth"] == {"every": 20}
    assert len(result.fills) == result.document["fills"] > 0
    cash = sum((f["price"] * f["qty"] * (-1 if f["side"] == "buy" else 1) for f in result.fills), Decimal(0))
    fees = sum(result.fills.column("fee_quote"), Decimal(0))
    held = sum((p["qty"] * p["mark"] for p in result.positions), Decimal(0))
    assert result.pnl_net == cash - fees + held
    assert len(result.orders) == result.tally["sent"]
    assert {order["strategy"] for order in result.orders} == {"every-tenth"}
    assert sum(result.orders.column("filled"), Decimal(0)) == sum(result.fills.column("qty"), Decimal(0))
    assert len(result.decisions) == result.document["decisions"]
    assert result.decisions[-1]["decision"] == "stop"
    frame = result.fills.to_pandas()
    assert list(frame.columns) == list(result.fills.columns)
    assert result.fills.to_polars()["price"].to_list() == frame["price"].to_list()
    assert result.fills.to_numpy()["price"].tolist() == frame["price"].to_list()
    assert str(result.pnl_net) in result._repr_html_()
    again = bloor.replay(result.session, verify=True, strategies=[EveryTenth])
    assert (again.ok, again.hash, again.changes) == (True, result.hash, ())
    assert list(again.fills) == list(result.fills)
    assert list(again.orders) == list(result.orders)
    with pytest.raises(PluginError, match="give the class itself"):
        bloor.replay(result.session)


def test_outside_a_loop_and_off_the_main_thread(capfd: pytest.CaptureFixture[str]) -> None:
    """It works from any thread; progress goes to stderr when it is asked for."""
    found: list[Any] = []

    def work() -> None:
        found.append(bloor.run("momentum", venues="binance", duration=1.0, progress=True))

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert found[0].ok
    said = capfd.readouterr()
    assert said.out == ""
    assert "cancelling open orders" in said.err
    assert "P&L net" in said.err


@pytest.mark.parametrize(
    ("options", "kind", "said"),
    [
        ({"plugins": "momentm"}, PluginError, "did you mean 'momentum'"),
        ({"plugins": "momentum", "set": {"strategy.momentum.fasst": 1}}, ConfigError, "did you mean 'fast'"),
        ({"plugins": "momentum", "set": {"strategy.momentum.fast": "many"}}, ConfigError, "expected an integer"),
        ({"plugins": "momentum", "duration": "soon"}, ConfigError, "'soon'"),
        ({"plugins": "momentum", "duration": -1}, UsageError, "expected seconds above 0"),
        ({"plugins": "momentum", "mode": "dream"}, ConfigError, "'dream'"),
        ({"strategies": [int]}, UsageError, "expected subclasses of"),
        ({}, UsageError, "at least one strategy"),
        ({"plugins": "momentum", "venues": "binance", "symbols": "BTC-USTD"}, UsageError, "did you mean 'BTC-USDT'"),
    ],
)
def test_what_is_wrong_is_raised_as_bloors_own(options: dict[str, Any], kind: type[BloorError], said: str) -> None:
    """Never SystemExit, and nothing is left behind."""
    with pytest.raises(kind, match=said):
        bloor.run(**options, progress=False)
    assert not list(Path("sessions").glob("*"))


def test_two_classes_of_one_name_are_refused() -> None:
    """A plug-in's name, or another's, would make results ambiguous."""

    class Momentum(bloor.Strategy):
        """Not the one that is installed."""

    for classes in ([Momentum], [EveryTenth, EveryTenth]):
        with pytest.raises(UsageError, match="is the name of another"):
            bloor.run(strategies=classes, venues="binance", duration="1s")


def test_a_simulated_venue_is_there_while_inside() -> None:
    """URLs and credentials; the process is gone afterwards, also when the body raises."""
    pids = []

    def body() -> None:
        with bloor.simulated_venue("binance", seed=3, symbols="ETH-USDT") as venue:
            pids.append(venue.pid)
            with urllib.request.urlopen(f"{venue.rest}/api/v3/exchangeInfo") as answer:
                assert [symbol["symbol"] for symbol in json.load(answer)["symbols"]] == ["ETHUSDT"]
            assert set(venue.credentials) >= {"hmac", "ed25519"}
            assert "secret" not in repr(venue)
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        body()
    with pytest.raises(ProcessLookupError):
        os.kill(pids[0], 0)
    with pytest.raises(UsageError, match="lost-akk"), bloor.simulated_venue("binance", faults="lost-akk:1"):
        raise AssertionError("it must not start")
    with pytest.raises(UsageError, match="did you mean 'binance'"), bloor.simulated_venue("binanse"):
        raise AssertionError("it must not start")


def test_market_data_is_recorded_normalized_and_imported() -> None:
    """From a venue to a folder, from there to events, and to a catalogue that ``bloor.load`` reads."""
    journal, seen_in_journal = Follower(Path("kept/journal")), Counter[str]()

    def enough() -> bool:
        for record in journal:
            seen_in_journal["snapshots"] += record.kind == RecordKind.RESPONSE
            seen_in_journal["trades"] += b'"e":"trade"' in record.payload
        return seen_in_journal["snapshots"] > 0 and seen_in_journal["trades"] > 20

    with bloor.simulated_venue("binance", seed=5) as venue, interrupting(enough):
        urls = {"rest_url": venue.rest, "streams_url": venue.streams}
        made = bloor.record("binance", "kept", symbols="BTC-USDT", duration="1h", set={"venue.binance": urls})
    assert made.ok
    assert made.document["frames"] > 10
    assert "frames" in made._repr_html_()
    data = bloor.normalize("binance", made.out)
    assert data.summary["messages"] >= made.document["frames"]
    tops = data.kind("top")
    assert tops[0]["symbol"] == "BTC-USDT"
    assert len(tops) == sum(event["kind"] == "top" for event in data.events)
    seen: list[Any] = []
    assert len(bloor.normalize("binance", [made.out], write=seen.append).events) == 0
    assert len(seen) == len(data.events)
    (imported,) = bloor.import_data("binance", made.out, into="catalogue")
    assert imported.new
    assert len(bloor.load("binance", "BTC-USDT")) > 10
    with pytest.raises(UsageError, match="expected symbols of binance"):
        bloor.import_data("binance", made.out, symbols=["kraken:BTC-USDT"])


def test_a_machine_that_refuses_is_told_in_bloors_words(tmp_path: Path) -> None:
    """An error of the operating system becomes a RunError with the place."""
    (tmp_path / "file").write_text("")
    with pytest.raises((RunError, UsageError), match="file"):
        bloor.run("momentum", venues="binance", session=tmp_path / "file" / "below")


def test_what_the_page_on_notebooks_shows_works() -> None:
    """Its cells, one after the other, inside a running loop as in a notebook."""
    page = Path(__file__).parents[3] / "docs" / "how-to" / "notebooks.md"
    cells = re.findall(r"^```python\n(.*?)^```$", page.read_text("utf-8"), re.MULTILINE | re.DOTALL)
    assert len(cells) >= 4

    async def notebook() -> dict[str, Any]:
        names: dict[str, Any] = {"__name__": "notebook"}
        for number, cell in enumerate(cells):
            name = f"<cell {number}>"
            linecache.cache[name] = (len(cell), None, cell.splitlines(keepends=True), name)
            exec(compile(cell, name, "exec"), names)
        return names

    names = asyncio.run(notebook())
    assert names["result"].ok and names["again"].ok
    assert "taker_side" in names["trades"].columns
