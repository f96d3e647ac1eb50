"""Trading as a user starts it, over real sockets: simulated, checked, and live against a venue on loopback."""

from __future__ import annotations

import base64
import json
import os
import subprocess
import sys
import urllib.parse
import urllib.request
from collections.abc import Callable, Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from bloor.journal.follower import Follower
from bloor.journal.record import RecordKind
from bloor_coinbase.signing import Tokens, read_credentials

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


#: Rests two orders far from the market and does nothing else.
RESTING = """
import sys
from pathlib import Path
from bloor.config import Mode
from bloor.host.options import RunOptions
from bloor.host.run import run
from bloor.strategy.api import Strategy

class Resting(Strategy):
    name = "resting"
    placed: int = 0
    def on_book(self, book, orders):
        while self.placed < 2:
            self.placed += 1
            orders.buy(book.best_bid - book.best_bid // (10 + self.placed), orders.lots_for(1000.0, book.best_bid))

options = RunOptions(
    strategies=(Resting,), venues=("coinbase",), mode=Mode.LIVE, armed=("coinbase:prod",), config=Path("live.toml"),
    session=Path(sys.argv[1]),
)
run(options)
"""


class Venue:
    """A simulated Coinbase in its own process, and a client of it."""

    def __init__(self, ready: dict[str, Any], folder: Path) -> None:
        self.ready = ready
        self.folder = folder
        self.credentials: dict[str, str] = ready["credentials"]

    @property
    def urls(self) -> dict[str, str]:
        """What makes bloor go here instead of to the real venue."""
        names = {"rest": "REST_URL", "streams": "STREAMS_URL", "ws_api": "WS_API_URL"}
        assert all("127.0.0.1" in self.ready[key] for key in names)
        return {f"BLOOR_VENUE__COINBASE__{name}": self.ready[key] for key, name in names.items()}

    def get(self, path: str, query: str = "") -> Any:
        """A private request."""
        rest: str = self.ready["rest"]
        tokens = Tokens(read_credentials(self.credentials), urllib.parse.urlsplit(rest).netloc)
        with urllib.request.urlopen(rest + "/api/v3/brokerage/time") as answer:
            now_ns = int(json.load(answer)["epochMillis"]) * 1_000_000
        whole = "/api/v3/brokerage" + path
        head = tokens.of_request("GET", whole, now_ns)
        request = urllib.request.Request(f"{rest}{whole}?{query}", headers=head)
        with urllib.request.urlopen(request) as answer:
            return json.load(answer)

    def open_orders(self) -> list[str]:
        """Client ids of every open order."""
        rows = self.get("/orders/historical/batch", "order_status=OPEN")["orders"]
        return [row["client_order_id"] for row in rows]


@pytest.fixture(scope="module")
def venue(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Venue]:
    """``bloor venue sim coinbase`` until the end of these tests."""
    folder = tmp_path_factory.mktemp("venue")
    command = [sys.executable, "-m", "bloor", "venue", "sim", "coinbase", "--json", "--seed", "77"]
    with (
        (folder / "log.txt").open("wb") as errors,
        subprocess.Popen(command, stdout=subprocess.PIPE, stderr=errors, cwd=folder) as process,
    ):
        assert process.stdout is not None
        yield Venue(json.loads(process.stdout.readline()), folder)
        process.terminate()


class Place:
    """An empty folder in which the command is run."""

    def __init__(self, folder: Path, run_until: Any) -> None:
        self.folder = folder
        self._run_until = run_until
        clean = {key: value for key, value in os.environ.items() if not key.startswith("BLOOR_")}
        self.env = {**clean, "BLOOR_STATE": str(folder / "state"), "XDG_CONFIG_HOME": str(folder / "config")}

    def aim(self, venue: Venue) -> None:
        """Makes ``--mode live`` go to a venue, with its keys and one state, so that no order id is made twice."""
        self.env |= {**venue.urls, "BLOOR_STATE": str(venue.folder / "state")}
        (self.folder / "live.toml").write_text(LIMITS)
        path = self.folder / "keys.json"
        path.write_text(json.dumps(venue.credentials))
        path.chmod(0o600)
        self.env["BLOOR_KEYS__COINBASE__PROD__FILE"] = str(path)

    def bloor(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Runs the command to its end."""
        command = [sys.executable, "-m", "bloor", *arguments]
        return subprocess.run(command, cwd=self.folder, env=self.env, text=True, capture_output=True)

    def trade(self, fills: int, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Runs momentum until it had so many fills, and ends it as Ctrl-C does; the session is ``here``."""
        words = ["run", "-p", "momentum", "--venue", "coinbase", "--duration", "1h", "--json", "--session", "here"]
        file = self.folder / "here" / "fills.jsonl"
        done: subprocess.CompletedProcess[str] = self._run_until(
            lambda: file.is_file() and file.read_text().count("\n") >= fills,
            [sys.executable, "-m", "bloor", *words, *arguments], cwd=self.folder, env=self.env,
        )  # fmt: skip
        return done


@pytest.fixture
def place(tmp_path: Path, run_until: Any) -> Place:
    """A folder."""
    return Place(tmp_path, run_until)


def files(*folders: Path) -> dict[str, bytes]:
    """Everything below some folders."""
    return {str(path): path.read_bytes() for folder in folders for path in folder.rglob("*") if path.is_file()}


def acknowledged(session: Path, count: int) -> Callable[[], bool]:
    """Tells of a session, without asking a venue, whether so many of its orders were acknowledged."""
    journal = Follower(session / "journal")

    def enough() -> bool:
        told = [json.loads(record.payload) for record in journal if record.kind == RecordKind.STATUS]
        return any("orders" in status and status["orders"]["acked"] >= count for status in told)

    return enough


def forms(secret: str) -> Iterator[bytes]:
    """A secret as it is, quoted, in base64 wherever it begins, and in hex."""
    raw = secret.encode()
    yield raw
    yield urllib.parse.quote(secret, safe="").encode()
    yield raw.hex().encode()
    for begin in range(3):
        whole = raw[begin : begin + (len(raw) - begin) // 3 * 3]
        yield base64.b64encode(whole)
        yield base64.urlsafe_b64encode(whole)


def assert_nowhere(credentials: dict[str, str], texts: dict[str, bytes]) -> None:
    """Neither the name nor the key is in any of these outputs, nor is a token of any kind."""
    lines = [line for line in credentials["private_key_pem"].splitlines() if "-----" not in line]
    secrets = {"key_name": credentials["key_name"], **{f"key.{n}": line for n, line in enumerate(lines)}}
    for where, text in texts.items():
        assert b"eyJ" not in text, f"a token is in {where}"
        assert b"Bearer" not in text, where
        for name, secret in secrets.items():
            assert not any(form in text for form in forms(secret)), f"{name} is in {where}"


def outputs(done: subprocess.CompletedProcess[str], session: Path) -> dict[str, bytes]:
    """Everything that a run has written."""
    return {"stdout": done.stdout.encode(), "stderr": done.stderr.encode(), **files(session)}


def test_momentum_trades_over_the_wire(place: Place) -> None:
    """Orders fill; the session replays bit for bit and holds no key and no token."""
    done = place.trade(4)
    assert done.returncode == 0, done.stderr
    document = json.loads(done.stdout)
    assert document["fills"] >= 1
    assert document["orders"]["unknown"] == document["orders"]["rejected"] == 0
    fills = [json.loads(line) for line in (place.folder / "here/fills.jsonl").read_text().splitlines()]
    assert len(fills) == document["fills"]
    assert sum(Decimal(fill["fee_quote"]) for fill in fills) == Decimal(document["fees"])
    assert all(fill["fee_asset"] == "USD" and "@" not in fill["trade_id"] for fill in fills)
    credentials = {"key_name": "organizations/", "private_key_pem": "BEGIN EC PRIVATE KEY"}
    assert_nowhere(credentials, outputs(done, place.folder / "here"))
    replayed = place.bloor("replay", "here", "--verify")
    assert replayed.returncode == 0, replayed.stdout + replayed.stderr


def test_a_check_looks_at_everything(place: Place, venue: Venue) -> None:
    """Round trip, clocks, products, market data, key, account, a preview, order entry; and no dead man's switch."""
    place.aim(venue)
    done = place.bloor("check", "coinbase", "--json")
    assert done.returncode == 0, done.stdout + done.stderr
    steps = {step["step"]: step for step in json.loads(done.stdout)["steps"]}
    passed = {"rest", "clock", "instruments", "market-data", "keys", "rights", "account", "open-orders", "test-order",
              "order-entry"}  # fmt: skip
    assert {name for name, step in steps.items() if step["result"] == "pass"} >= passed, steps
    dead_man = steps["dead-man" if "dead-man" in steps else "dead-man-switch"]
    assert dead_man["result"] == "warn"
    assert "stay in the market" in dead_man["text"]
    assert_nowhere(venue.credentials, {"stdout": done.stdout.encode(), "stderr": done.stderr.encode()})


def test_a_live_run_trades_and_leaves_nothing(place: Place, venue: Venue) -> None:
    """Real orders, the venue's own fills, nothing open at the end, no secret anywhere, and a replay without the key."""
    place.aim(venue)
    keys = {**venue.credentials, "private_key_pem": venue.credentials["private_key_pem"].replace("\n", "\\n")}
    (place.folder / "keys.json").write_text(json.dumps(keys))
    before = venue.get("/orders/historical/fills", "limit=1000")["fills"]
    done = place.trade(2, "--mode", "live", "--arm", "coinbase:prod", "--config", "live.toml")
    assert done.returncode == 0, done.stderr
    document = json.loads(done.stdout)
    assert (document["mode"], document["env"], document["failure"]) == ("live", "prod", None)
    assert document["fills"] >= 1
    after = venue.get("/orders/historical/fills", "limit=1000")["fills"]
    known = {row["trade_id"] for row in before}
    true = {row["trade_id"]: row for row in after if row["trade_id"] not in known}
    fills = [json.loads(line) for line in (place.folder / "here/fills.jsonl").read_text().splitlines()]
    assert {fill["trade_id"] for fill in fills} == set(true)
    for fill in fills:
        row = true[fill["trade_id"]]
        assert [Decimal(fill[name]) for name in ("price", "qty", "fee_quote")] == [
            Decimal(row[name]) for name in ("price", "size", "commission")
        ]
    assert venue.open_orders() == []
    assert_nowhere(venue.credentials, outputs(done, place.folder / "here"))
    replayed = place.bloor("replay", "here", "--verify")
    assert replayed.returncode == 0, replayed.stdout + replayed.stderr


def test_what_a_killed_run_left_is_cancelled_by_the_next(place: Place, venue: Venue, wait_for: Any) -> None:
    """There is no dead man's switch: open orders stay after kill -9, and the next live start takes them away."""
    place.aim(venue)
    command = [sys.executable, "-c", RESTING, "first"]
    with subprocess.Popen(command, cwd=place.folder, env=place.env, stderr=subprocess.PIPE, text=True) as process:
        try:
            wait_for(acknowledged(place.folder / "first", 2), process)
        finally:
            process.kill()
    left = venue.open_orders()
    assert len(left) == 2
    done = place.bloor(
        "run", "-p", "momentum", "--venue", "coinbase", "--mode", "live", "--arm", "coinbase:prod", "--config",
        "live.toml", "--duration", "1s", "--json", "--session", "second",
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert venue.open_orders() == []
    (account,) = json.loads((place.folder / "second/accounts.json").read_text())["accounts"]
    assert sorted(order["client_id"] for order in account["cancelled_orders"]) == sorted(left)
