"""Several venues in one run as a user starts it: simulated, on paper and live; simulated venues stand for real ones."""

from __future__ import annotations

import asyncio
import base64
import json
import os
import re
import signal
import subprocess
import sys
import urllib.parse
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from decimal import Decimal
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from bloor.hookspecs import ExecutorContext
from bloor.host.account import ask
from bloor.host.rest import RestClient
from bloor.journal.follower import Follower
from bloor.journal.record import RecordKind
from bloor.native.clock import WallClock
from bloor.plugins.host import PluginHost
from bloor.venue.session import Endpoints

#: Every limit stated, as live mode wants it.
LIMITS = """
[risk.message-rate]
orders_per_second = 20
burst = 40
[risk.order-limits]
max_quantity = "1"
max_value = "5000"
[risk.position-limits]
max_position = "2"
max_position_value = "20000"
max_open_orders = 10
[risk.price-collar]
max_through_bps = "200"
max_away_bps = "2000"
max_age = "5s"
[risk.stale-book]
max_age = "5s"
"""
#: Rests an order far from the market in each instrument and does nothing else.
RESTING = '''
import json, sys
from pathlib import Path
from bloor.config import Mode
from bloor.host.options import RunOptions
from bloor.host.run import run
from bloor.strategy.api import Strategy

class Resting(Strategy):
    """An order that nobody meets."""
    name = "resting"
    placed: bool = False
    def on_book(self, book, orders):
        if not self.placed:
            self.placed = True
            orders.buy(book.best_bid - book.best_bid // 10, orders.lots_for(1000.0, book.best_bid))

options = RunOptions(
    strategies=(Resting,), venues=("kraken", "coinbase"), mode=Mode.LIVE, armed=("kraken:prod", "coinbase:prod"),
    config=Path("live.toml"), session=Path(sys.argv[1]),
)
print(json.dumps(run(options).document))
'''


@contextmanager
def served(venue: str, folder: Path) -> Iterator[dict[str, Any]]:
    """``bloor venue sim`` while inside; what it said when it was ready."""
    command = [sys.executable, "-m", "bloor", "venue", "sim", venue, "--json", "--seed", "77"]
    with (
        (folder / f"{venue}.log").open("wb") as errors,
        subprocess.Popen(command, stdout=subprocess.PIPE, stderr=errors, cwd=folder) as process,
    ):
        assert process.stdout is not None
        yield json.loads(process.stdout.readline())
        process.terminate()


class Place:
    """An empty folder in which the command is run; what is at a real venue is at a simulated one.

    Accounts outlive a test, so what bloor remembers of them (``state``) has to as well: ids of orders never repeat.
    """

    def __init__(self, folder: Path, venues: dict[str, dict[str, Any]], state: Path, run_until: Any) -> None:
        self.folder = folder
        self._run_until = run_until
        self.venues = venues
        self.state = state
        clean = {key: value for key, value in os.environ.items() if not key.startswith("BLOOR_")}
        self.env = {**clean, "BLOOR_STATE": str(state), "XDG_CONFIG_HOME": str(folder / "config")}
        (folder / "live.toml").write_text(LIMITS)
        for venue, ready in venues.items():
            name = venue.upper()
            for key in ("rest", "streams", "ws_api"):
                assert "127.0.0.1" in ready[key]
                self.env[f"BLOOR_VENUE__{name}__{key.upper()}_URL"] = ready[key]
            keys = folder / f"{venue}.json"
            keys.touch(0o600)
            keys.write_text(json.dumps(ready["credentials"]))
            self.env[f"BLOOR_KEYS__{name}__PROD__FILE"] = str(keys)

    @contextmanager
    def start(self, *arguments: str, script: str = "") -> Iterator[subprocess.Popen[str]]:
        """Starts the command, or a script; what has not ended inside is killed."""
        what = ["-c", script] if script else ["-m", "bloor"]
        with subprocess.Popen(
            [sys.executable, *what, *arguments], cwd=self.folder, env=self.env, text=True,
            stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        ) as process:  # fmt: skip
            try:
                yield process
            finally:
                process.kill()

    def bloor(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Runs the command to its end."""
        with self.start(*arguments) as process:
            out, err = process.communicate()
        return subprocess.CompletedProcess(process.args, process.returncode, out, err)

    def traded(self) -> set[str]:
        """Which venues the fills of the session ``here`` are of, so far."""
        fills = self.folder / "here" / "fills.jsonl"
        return set(re.findall(r'"venue":"(\w+)"', fills.read_text())) if fills.is_file() else set()

    def trade(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Runs momentum at some venues until each had a fill, and ends it as Ctrl-C does; the session is ``here``."""
        words = ["run", "-p", "momentum", "--duration", "1h", "--json", "--session", "here", *arguments]
        venues = {word for option, word in pairwise(arguments) if option == "--venue"}
        done: subprocess.CompletedProcess[str] = self._run_until(
            lambda: self.traded() == venues, [sys.executable, "-m", "bloor", *words], cwd=self.folder, env=self.env
        )
        return done

    def open_orders(self) -> dict[str, int]:
        """How many orders are open at each venue, asked of its REST interface.

        Not while a run uses the same key: Kraken wants the nonces of all requests to rise.
        """
        return {venue: asyncio.run(open_orders(venue, ready)) for venue, ready in self.venues.items()}


async def open_orders(venue: str, ready: dict[str, Any]) -> int:
    """How many orders of its account a venue says are open."""
    plugins = PluginHost()
    feed, executor, config = plugins.feed(venue), plugins.executor(venue), plugins.venue_config(venue)
    assert config is not None and executor.account is not None
    client = RestClient(venue, ready["rest"], feed.rest, WallClock())
    try:
        listed = feed.parse_instruments(await client.fetch(feed.instruments_path(())))
        context = ExecutorContext(
            config=config(), endpoints=Endpoints(ready["rest"], ready["streams"], ready["ws_api"]),
            credentials=executor.credentials(ready["credentials"]), instruments=listed,
        )  # fmt: skip
        await client.ask_time()
        return len(await ask(client, executor.account(context).open_orders(client.venue_ns())))
    finally:
        await client.close()


@pytest.fixture
def alone(tmp_path: Path, run_until: Any) -> Place:
    """A folder without any venue but those that a run starts itself."""
    return Place(tmp_path, {}, tmp_path / "state", run_until)


@pytest.fixture(scope="module")
def venues(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, dict[str, Any]]]:
    """Kraken and Coinbase, simulated."""
    folder = tmp_path_factory.mktemp("venues")
    with ExitStack() as stack:
        yield {venue: stack.enter_context(served(venue, folder)) for venue in ("kraken", "coinbase")}


@pytest.fixture(scope="module")
def state(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What bloor remembers between runs."""
    return tmp_path_factory.mktemp("state")


@pytest.fixture
def place(tmp_path: Path, venues: dict[str, dict[str, Any]], state: Path, run_until: Any) -> Place:
    """A folder whose paper and live runs go to ``venues``."""
    return Place(tmp_path, venues, state, run_until)


def acknowledged(session: Path, count: int) -> Callable[[], bool]:
    """Tells of a session, without asking a venue, whether so many of its orders were acknowledged."""
    journal = Follower(session / "journal")

    def enough() -> bool:
        told = [json.loads(record.payload) for record in journal if record.kind == RecordKind.STATUS]
        return any("orders" in status and status["orders"]["acked"] >= count for status in told)

    return enough


def check_money(document: dict[str, Any]) -> None:
    """Totals are the sums by venue and by position, and what the fills say at the rates of the run."""
    rates = {document["currency"]: Decimal(1)} | {asset: Decimal(rate) for asset, rate in document["rates"].items()}
    for name in ("pnl_net", "fees", "volume_quote"):
        for rows in (document["by_venue"], document["positions"]):
            assert sum(Decimal(row[name]) for row in rows) == Decimal(document[name])
    rows = [json.loads(line) for line in (Path(document["session"]) / "fills.jsonl").read_text().splitlines()]
    assert len(rows) == document["fills"] == sum(row["fills"] for row in document["by_venue"])
    total = Decimal(0)
    for row in rows:
        sign = 1 if row["side"] == "buy" else -1
        cash = sign * Decimal(row["price"]) * Decimal(row["qty"]) + Decimal(row["fee_quote"])
        total -= cash * rates[row["symbol"].split("-")[1]]
    for row in document["positions"]:
        total += Decimal(row["qty"]) * Decimal(row["mark"]) * rates[row["symbol"].split("-")[1]]
    assert total == Decimal(document["pnl_net"])


def forms(secret: str) -> Iterator[bytes]:
    """A secret as it is, quoted, in hex, and in base64 wherever it begins."""
    raw = secret.encode()
    yield from (raw, urllib.parse.quote(secret, safe="").encode(), raw.hex().encode())
    for begin in range(3):
        whole = raw[begin : begin + (len(raw) - begin) // 3 * 3]
        yield from (base64.b64encode(whole), base64.urlsafe_b64encode(whole))


def assert_nowhere(venues: dict[str, dict[str, Any]], texts: dict[str, bytes]) -> None:
    """No key of any venue is in any of these, in any form."""
    for venue, ready in venues.items():
        for name, value in ready["credentials"].items():
            for line in value.splitlines():
                for form in forms(line) if len(line) > 12 and "-----" not in line else ():
                    assert not [where for where, text in texts.items() if form in text], f"{venue} {name}"


def files(folder: Path) -> dict[str, bytes]:
    """Everything below a folder."""
    return {str(path): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


# ---- simulated ------------------------------------------------------------------------------------------------------


def test_momentum_trades_at_three_venues_in_one_run(alone: Place) -> None:
    """Fills at each; money of two currencies is told in one, with a notice; every decision is made again."""
    names = ("kraken", "coinbase", "binance")
    wanted = [part for name in names for part in ("--venue", name)]
    done = alone.trade(*wanted)
    assert done.returncode == 0, done.stderr
    document = json.loads(done.stdout)
    assert document["instruments"] == ["kraken:BTC-USD", "coinbase:BTC-USD", "binance:BTC-USDT"]
    assert (document["currency"], document["rates"], document["failure"]) == ("USD", {"USDT": "1"}, None)
    assert any("one USDT as one USD" in notice for notice in document["notices"])
    assert [row["venue"] for row in document["by_venue"]] == list(names)
    for row in document["by_venue"]:
        assert row["fills"] >= 1
        assert row["order_to_ack_ns"]["count"] >= 1
        assert row["data_quality"]["checksum_failures"] == 0
    assert document["orders"]["unknown"] == document["orders"]["rejected"] == 0
    check_money(document)
    logs = {path.name for path in (alone.folder / "here").glob("venue-*.log")}
    assert logs == {f"venue-{name}.log" for name in names}
    replayed = alone.bloor("replay", "here", "--verify", "--json")
    assert replayed.returncode == 0, replayed.stderr
    assert json.loads(replayed.stdout)["hash"] == document["hash"]


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (
            ("--venue", "binance", "--venue", "kraken", "--symbol", "BNB-USDT"),
            r"kraken: --symbol BNB-USDT: .* a symbol without a venue is asked of every venue of the run",
        ),
        (
            ("--symbol", "binance:BTC-EUR", "--symbol", "kraken:BTC-USD"),
            r"run\.rates\.EUR: expected what one EUR is worth in USD",
        ),
        (
            ("--venue", "kraken", "--venue", "coinbase", "--data", "here.txt"),
            r"--data: a recording drives one venue; name it with --venue",
        ),
        (
            ("--venue", "kraken", "--venue", "coinbase", "--mode", "live", "--arm", "kraken:prod"),
            r"coinbase:prod is not armed .armed: kraken:prod.; to trade there with real orders say --arm coinbase:prod",
        ),
    ],
)  # fmt: skip
def test_what_cannot_be_is_refused_with_what_to_do(
    tmp_path: Path, invoked: Any, arguments: tuple[str, ...], words: str
) -> None:
    """Exit code 2, one message, and no session is left behind."""
    done = invoked("run", "-p", "momentum", *arguments, "--session", "here")
    assert done.exit_code == 2, done.stderr
    assert re.search(words, done.stderr), done.stderr
    assert "Traceback" not in done.stderr
    assert not (tmp_path / "here").exists()


def test_a_recording_is_of_one_venue(invoked: Any) -> None:
    """A second --venue is refused, and not taken in the place of the first."""
    done = invoked("record", "--venue", "kraken", "--venue", "coinbase", "--out", "here")
    assert done.exit_code == 2
    assert "a recording is of one venue" in done.stderr


# ---- paper and live -------------------------------------------------------------------------------------------------


def test_momentum_trades_on_paper_at_two_venues(place: Place) -> None:
    """Public data of both; each has an account of its own, with the fees of its venue."""
    done = place.trade("--venue", "kraken", "--venue", "coinbase", "--mode", "paper")
    assert done.returncode == 0, done.stderr
    document = json.loads(done.stdout)
    assert (document["mode"], document["currency"], document["failure"]) == ("paper", "USD", None)
    assert all(row["fills"] >= 1 for row in document["by_venue"])
    assert document["orders"]["unknown"] == document["orders"]["rejected"] == 0
    assert [account["venue"] for account in document["accounts"]] == ["kraken", "coinbase"]
    assert all(0 < float(account["balances"]["USD"]["free"]) < 100_000 for account in document["accounts"])
    check_money(document)
    replayed = place.bloor("replay", "here", "--verify")
    assert replayed.returncode == 0, replayed.stdout + replayed.stderr
    assert place.open_orders() == {"kraken": 0, "coinbase": 0}


def test_momentum_trades_live_at_two_venues_and_shows_no_key(place: Place) -> None:
    """Real orders at both; nothing of keys, tokens and signatures is in the session or in what is said."""
    done = place.trade(
        "--venue", "kraken", "--venue", "coinbase", "--mode", "live", "--config", "live.toml",
        "--arm", "kraken:prod", "--arm", "coinbase:prod",
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    document = json.loads(done.stdout)
    assert document["failure"] is None
    assert all(row["fills"] >= 1 for row in document["by_venue"])
    assert document["orders"]["unknown"] == 0
    assert [account["venue"] for account in document["accounts"]] == ["kraken", "coinbase"]
    check_money(document)
    session = files(place.folder / "here")
    said = {"stdout": done.stdout.encode(), "stderr": done.stderr.encode()}
    assert_nowhere(place.venues, said | session | files(place.state))
    for where, content in session.items():
        assert b"Bearer" not in content, where
        assert b"API-Sign" not in content, where
    journal = b"".join(content for where, content in session.items() if where.endswith(".journal"))
    assert journal.count(b'"token":"') == journal.count(b'"token":"***"') > 0
    assert journal.count(b'"jwt":"') == journal.count(b'"jwt":"***"') > 0
    replayed = place.bloor("replay", "here", "--verify")
    assert replayed.returncode == 0, replayed.stdout + replayed.stderr


def test_ctrl_c_cancels_what_is_open_at_every_venue(place: Place, wait_for: Any) -> None:
    """Resting orders do not outlive the run, over the socket of the one and over REST at the other."""
    with place.start("here", script=RESTING) as process:
        wait_for(acknowledged(place.folder / "here", 2), process)
        process.send_signal(signal.SIGINT)
        out, err = process.communicate()
    assert process.returncode == 0, err
    document = json.loads(out)
    assert [row["venue"] for row in document["by_venue"]] == ["kraken", "coinbase"]
    assert document["orders"]["acked"] == document["orders"]["cancelled"] == 2
    assert document["failure"] is None
    assert place.open_orders() == {"kraken": 0, "coinbase": 0}


def children(pid: int) -> dict[int, str]:
    """The processes that a process has started, with their command lines."""
    found = {}
    for name in Path(f"/proc/{pid}/task/{pid}/children").read_text().split():
        found[int(name)] = Path(f"/proc/{name}/cmdline").read_text().replace("\0", " ")
    return found


@pytest.mark.skipif(not Path("/proc/self/task").is_dir(), reason="processes are found in /proc")
def test_a_simulated_venue_that_dies_ends_the_run_by_its_name(alone: Place, wait_for: Any) -> None:
    """The run fails and says which one it was; what is open elsewhere is cancelled, and no process stays."""
    with alone.start(
        "run", "-p", "momentum", "--venue", "kraken", "--venue", "coinbase", "--duration", "1h", "--json",
        "--session", "here",
    ) as process:  # fmt: skip
        wait_for(lambda: alone.traded() == {"coinbase", "kraken"}, process)
        started = children(process.pid)
        (dying,) = (pid for pid, words in started.items() if "venue sim coinbase" in words)
        os.kill(dying, signal.SIGKILL)
        out, err = process.communicate()
    assert process.returncode == 1
    assert "the simulated coinbase ended by itself; see venue-coinbase.log in the session folder" in err
    document = json.loads(out)
    assert document["failure"].startswith("the simulated coinbase ended by itself")
    assert [row["fills"] > 0 for row in document["by_venue"]] == [True, True]
    assert not any(Path(f"/proc/{pid}").exists() for pid in started)
    replayed = alone.bloor("replay", "here", "--verify")
    assert replayed.returncode == 0, replayed.stdout + replayed.stderr
