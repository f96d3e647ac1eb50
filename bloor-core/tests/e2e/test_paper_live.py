"""Paper and live runs as a user starts them; a simulated venue on loopback stands for the real one."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import os
import signal
import subprocess
import sys
import time
import urllib.parse
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from bloor.journal.follower import Follower
from bloor.journal.record import RecordKind

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
SEED = 77
#: Rests two orders far from the market and does nothing else.
RESTING = '''
import json, sys
from pathlib import Path
from bloor.config import Mode
from bloor.host.options import RunOptions
from bloor.host.run import run
from bloor.strategy.api import Strategy

class Resting(Strategy):
    """Two orders that nobody meets."""
    name = "resting"
    placed: int = 0
    def on_book(self, book, orders):
        while self.placed < 2:
            self.placed += 1
            orders.buy(book.best_bid - book.best_bid // (10 + self.placed), orders.lots_for(1000.0, book.best_bid))

options = RunOptions(
    strategies=(Resting,), venues=("binance",), mode=Mode.LIVE, armed=("binance:prod",),
    config=Path("live.toml"), session=Path(sys.argv[1]),
)
print(json.dumps(run(options).document))
'''


class Venue:
    """A simulated Binance in its own process, and a client of it that signs by hand."""

    def __init__(self, ready: dict[str, Any]) -> None:
        self.ready = ready
        self.rest: str = ready["rest"]
        self.credentials: dict[str, dict[str, str]] = ready["credentials"]

    @property
    def urls(self) -> dict[str, str]:
        """What makes bloor go here instead of to the real venue."""
        names = {"rest": "REST_URL", "streams": "STREAMS_URL", "ws_api": "WS_API_URL"}
        assert all("127.0.0.1" in self.ready[key] for key in names)
        return {f"BLOOR_VENUE__BINANCE__{name}": self.ready[key] for key, name in names.items()}

    def signed(self, method: str, path: str, **params: str) -> Any:
        """One signed request."""
        key = self.credentials["hmac"]
        query = urllib.parse.urlencode({**params, "timestamp": str(int(time.time() * 1000))})
        signature = hmac.new(key["secret"].encode(), query.encode(), hashlib.sha256).hexdigest()
        request = urllib.request.Request(
            f"{self.rest}{path}?{query}&signature={signature}", method=method, headers={"X-MBX-APIKEY": key["api_key"]}
        )
        with urllib.request.urlopen(request) as answer:
            return json.load(answer)

    def open_orders(self) -> list[str]:
        """Client ids of every open order."""
        return [order["clientOrderId"] for order in self.signed("GET", "/api/v3/openOrders")]


def serve(log: Path, *arguments: str) -> Iterator[Venue]:
    """``bloor venue sim binance`` until the end of the tests that use it."""
    command = [sys.executable, "-m", "bloor", "venue", "sim", "binance", "--json", "--seed", str(SEED), *arguments]
    with (
        log.open("wb") as errors,
        subprocess.Popen(command, stdout=subprocess.PIPE, stderr=errors, cwd=log.parent) as process,
    ):
        assert process.stdout is not None
        yield Venue(json.loads(process.stdout.readline()))
        process.terminate()


@pytest.fixture(scope="module")
def venue(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Venue]:
    """The venue, over plain HTTP."""
    yield from serve(tmp_path_factory.mktemp("venue") / "log.txt")


@pytest.fixture(scope="module")
def tls_venue(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Venue]:
    """The venue with a certificate of its own authority."""
    yield from serve(tmp_path_factory.mktemp("tls") / "log.txt", "--tls")


class Place:
    """An empty folder in which the command is run, everything of the venue overridden."""

    def __init__(self, folder: Path, venue: Venue, run_until: Any) -> None:
        self.folder = folder
        self._run_until = run_until
        clean = {key: value for key, value in os.environ.items() if not key.startswith("BLOOR_")}
        state, home = str(folder / "state"), str(folder / "config")
        self.env = {**clean, "BLOOR_STATE": state, "XDG_CONFIG_HOME": home, **venue.urls}
        (folder / "live.toml").write_text(LIMITS)

    def keys(self, kind: str, venue: Venue, mode: int = 0o600) -> Path:
        """Writes a key file and names it by the environment."""
        path = self.folder / f"{kind}.json"
        path.write_text(json.dumps({kind: venue.credentials[kind]}))
        path.chmod(mode)
        self.env["BLOOR_KEYS__BINANCE__PROD__FILE"] = str(path)
        return path

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

    def traded(self) -> bool:
        """Whether the session ``here`` has a fill."""
        fills = self.folder / "here" / "fills.jsonl"
        return fills.is_file() and fills.stat().st_size > 0

    def trade(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Runs the command until it had a fill, and ends it as Ctrl-C does; the session is ``here``."""
        words = [sys.executable, "-m", "bloor", *arguments, "--duration", "1h", "--json", "--session", "here"]
        done: subprocess.CompletedProcess[str] = self._run_until(self.traded, words, cwd=self.folder, env=self.env)
        return done


@pytest.fixture
def place(tmp_path: Path, venue: Venue, run_until: Any) -> Place:
    """A folder whose runs trade at ``venue``."""
    return Place(tmp_path, venue, run_until)


LIVE = ("run", "-p", "momentum", "--venue", "binance", "--mode", "live", "--config", "live.toml")


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
    yield raw.hex().upper().encode()
    for begin in range(3):
        whole = raw[begin : begin + (len(raw) - begin) // 3 * 3]
        yield base64.b64encode(whole)
        yield base64.urlsafe_b64encode(whole)


def assert_nowhere(venue: Venue, texts: dict[str, bytes]) -> None:
    """No key of the venue is in any of these outputs, in any form."""
    secrets: dict[str, str] = {}
    for kind, section in venue.credentials.items():
        for name, value in section.items():
            lines = [line for line in value.splitlines() if "-----" not in line]
            secrets |= {f"{kind}.{name}.{number}": line for number, line in enumerate(lines) if len(line) > 12}
    for name, secret in secrets.items():
        for form in forms(secret):
            for where, text in texts.items():
                assert form not in text, f"{name} is in {where}"


def files(*folders: Path) -> dict[str, bytes]:
    """Everything below some folders."""
    return {str(path): path.read_bytes() for folder in folders for path in folder.rglob("*") if path.is_file()}


# ---- paper ----------------------------------------------------------------------------------------------------------


def test_momentum_trades_on_paper(place: Place, venue: Venue) -> None:
    """Public data of the venue, orders matched here after the configured latency; the journal replays bit for bit."""
    before = venue.signed("GET", "/api/v3/account")["balances"]
    done = place.trade(
        "run", "-p", "momentum", "--venue", "binance", "--mode", "paper", "--set", "paper.order_latency=20ms",
        "--set", "paper.balances={USDT=50000}", "--set", "paper.jitter=0ms",
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    document = json.loads(done.stdout)
    assert (document["mode"], document["env"], document["failure"]) == ("paper", "prod", None)
    assert document["fills"] >= 1
    assert document["orders"]["unknown"] == document["orders"]["rejected"] == 0
    assert "Traceback" not in done.stderr
    assert document["latency_ns"]["order_to_ack"]["p50"] >= 24_500_000  # 20 there and 5 back, as exact as a histogram
    (account,) = document["accounts"]
    assert (account["venue"], account["env"]) == ("binance", "paper")
    assert 0 < float(account["balances"]["USDT"]["free"]) < 50_000
    assert "[risk.order-limits] states no limit for max_quantity, max_value: paper takes" in done.stderr
    assert venue.signed("GET", "/api/v3/account")["balances"] == before
    replayed = place.bloor("replay", "here", "--verify")
    assert replayed.returncode == 0, replayed.stdout + replayed.stderr


def test_paper_ends_with_ctrl_c_and_never_by_itself(place: Place, wait_for: Any) -> None:
    """Without a duration it runs until it is told to stop, and then ends in order."""
    with place.start(
        "run", "-p", "momentum", "--venue", "binance", "--mode", "paper", "--json", "--session", "here"
    ) as process:
        wait_for(place.traded, process)
        process.send_signal(signal.SIGINT)
        out, err = process.communicate()
    assert process.returncode == 0, err
    assert json.loads(out)["fills"] >= 1


# ---- live -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["ed25519", "hmac", "rsa"])
def test_momentum_trades_live_and_shows_no_key(place: Place, venue: Venue, kind: str, wait_for: Any) -> None:
    """Real orders at the venue, with each kind of key; no output of any kind holds a key in any form."""
    place.keys(kind, venue)
    arguments: list[str] = []
    with place.start(*LIVE, "--arm", "binance:prod", "--json", "--session", "here") as process:
        wait_for(place.traded, process)
        words = Path(f"/proc/{process.pid}/cmdline")
        if words.is_file():
            arguments.append(words.read_text())
        process.send_signal(signal.SIGINT)
        out, err = process.communicate()
    assert process.returncode == 0, err
    document = json.loads(out)
    assert (document["mode"], document["env"], document["failure"]) == ("live", "prod", None)
    assert document["fills"] >= 1
    assert document["orders"]["unknown"] == 0
    (account,) = document["accounts"]
    assert account["key"] == {"trade": True, "withdraw": False}
    assert abs(account["clock_offset_ms"]) <= account["clock_error_ms"]  # it is the same clock
    assert json.loads((place.folder / "here" / "accounts.json").read_text()) == {"accounts": [account]}
    trades = {str(t["id"]) for t in venue.signed("GET", "/api/v3/myTrades", symbol="BTCUSDT", limit="1000")}
    rows = [json.loads(line) for line in (place.folder / "here" / "fills.jsonl").read_text().splitlines()]
    assert len(rows) == document["fills"] and {row["trade_id"] for row in rows} <= trades
    assert "live at binance prod: orders are real" in err
    said = {"stdout": out.encode(), "stderr": err.encode(), "arguments": "".join(arguments).encode()}
    assert_nowhere(venue, said | files(place.folder / "here", place.folder / "state"))
    replayed = place.bloor("replay", "here", "--verify")
    assert replayed.returncode == 0, replayed.stdout + replayed.stderr
    assert_nowhere(venue, {"replay": (replayed.stdout + replayed.stderr).encode()})


@pytest.mark.parametrize("mode", ["sim", "paper"])
def test_no_key_is_shown_in_other_modes_either(place: Place, venue: Venue, mode: str) -> None:
    """In sim mode the simulated account's keys, the same for the same seed; on paper those of a file nobody needs."""
    place.keys("ed25519", venue)
    done = place.trade("run", "-p", "momentum", "--venue", "binance", "--mode", mode, "--seed", str(SEED))
    assert done.returncode == 0, done.stderr
    unused = "[venue.binance] rest_url, streams_url, ws_api_url: not used in sim mode"
    assert (unused in done.stderr) == (mode == "sim")
    listed = place.bloor("plugins", "info", "binance", "--json")
    said = {"stdout": done.stdout, "stderr": done.stderr, "plugins info": listed.stdout + listed.stderr}
    texts = {name: text.encode() for name, text in said.items()}
    assert_nowhere(venue, texts | files(place.folder / "here", place.folder / "state"))


def test_ctrl_c_cancels_what_is_open_at_the_venue(place: Place, venue: Venue, wait_for: Any) -> None:
    """Resting orders do not outlive the run."""
    place.keys("ed25519", venue)
    with place.start("here", script=RESTING) as process:
        wait_for(acknowledged(place.folder / "here", 2), process)
        assert len(venue.open_orders()) == 2
        process.send_signal(signal.SIGINT)
        out, err = process.communicate()
    assert process.returncode == 0, err
    assert json.loads(out)["orders"]["cancelled"] == 2
    assert venue.open_orders() == []


def test_what_a_killed_run_left_is_cancelled_by_the_next_and_others_are_left_alone(
    place: Place, venue: Venue, wait_for: Any
) -> None:
    """Own orders of an earlier start are cancelled before the first order; a foreign one is told and stays."""
    place.keys("hmac", venue)
    bid = float(venue.signed("GET", "/api/v3/ticker/bookTicker", symbol="BTCUSDT")["bidPrice"])
    foreign = {
        "symbol": "BTCUSDT", "side": "BUY", "type": "LIMIT", "timeInForce": "GTC", "quantity": "0.01",
        "price": f"{bid * 0.9:.2f}", "newClientOrderId": "somebody-else",
    }  # fmt: skip
    venue.signed("POST", "/api/v3/order", **foreign)
    try:
        with place.start("killed", script=RESTING) as process:
            wait_for(acknowledged(place.folder / "killed", 2), process)
            second = place.bloor(*LIVE, "--arm", "binance:prod")
            assert second.returncode == 2
            assert f"another run trades at binance prod with these keys (process {process.pid})" in second.stderr
            process.kill()
            process.communicate()
        left = [order for order in venue.open_orders() if order != "somebody-else"]
        assert len(left) == 2
        done = place.bloor(*LIVE, "--arm", "binance:prod", "--duration", "1s", "--json")
        assert done.returncode == 0, done.stderr
        (account,) = json.loads(done.stdout)["accounts"]
        assert sorted(order["client_id"] for order in account["cancelled_orders"]) == sorted(left)
        assert [order["client_id"] for order in account["foreign_orders"]] == ["somebody-else"]
        assert "an open order that is not ours stays untouched" in done.stderr
        assert json.loads(done.stdout)["notices"] == [
            "binance prod: 2 open orders of an earlier start were cancelled",
            "binance prod: 1 open orders that are not ours were left alone",
        ]
        assert venue.open_orders() == ["somebody-else"]
    finally:
        venue.signed("DELETE", "/api/v3/order", symbol="BTCUSDT", origClientOrderId="somebody-else")


def test_a_live_run_that_is_not_ready_says_everything_at_once(place: Place) -> None:
    """No keys, no limits, no arm: one message, exit 2, no session folder, nothing connected."""
    done = place.bloor("run", "-p", "momentum", "--venue", "binance", "--mode", "live", "--json")
    assert done.returncode == 2
    for words in (
        "--mode live does not start; it needs, and has not:",
        "keys.binance.prod: expected keys of binance for prod",
        "[risk.message-rate] must state orders_per_second, burst",
        "[risk.order-limits] must state max_quantity, max_value",
        "[risk.position-limits] must state",
        "[risk.price-collar] must state",
        "[risk.stale-book] must state max_age",
        "to trade there with real orders say --arm binance:prod",
    ):
        assert words in done.stderr
    assert done.stdout == "" and "Traceback" not in done.stderr
    assert not (place.folder / "sessions").exists()


def test_keys_that_others_can_read_and_an_arm_for_elsewhere_are_refused(place: Place, venue: Venue) -> None:
    """With the command to run, and what is armed instead."""
    path = place.keys("ed25519", venue, 0o640)
    done = place.bloor(*LIVE, "--arm", "binance:testnet")
    assert done.returncode == 2
    assert f"got mode 0640; run: chmod 600 {path}" in done.stderr
    assert "binance:prod is not armed (armed: binance:testnet)" in done.stderr


def test_keys_that_the_venue_refuses_end_the_run_before_any_order(place: Place, venue: Venue) -> None:
    """The venue's own words, exit 1."""
    path = place.keys("hmac", venue)
    path.write_text(json.dumps({"hmac": {**venue.credentials["hmac"], "secret": "wrong" * 12}}))
    done = place.bloor(*LIVE, "--arm", "binance:prod", "--json")
    assert done.returncode == 1
    assert "-1022" in done.stderr
    assert json.loads(done.stdout)["orders"]["sent"] == 0


def test_an_unknown_environment_is_refused(invoked: Any) -> None:
    """With the nearest one."""
    done = invoked("run", "-p", "momentum", "--venue", "binance", "--mode", "paper", "--env", "tesnet")
    assert done.exit_code == 2
    assert "did you mean 'testnet'?" in done.stderr


# ---- check ----------------------------------------------------------------------------------------------------------

STEPS = [
    "rest", "clock", "instruments", "market-data", "keys", "rights", "account", "open-orders", "test-order",
    "order-entry", "dead-man",
]  # fmt: skip


def test_check_looks_at_everything_and_trades_nothing(place: Place, venue: Venue) -> None:
    """Each step with its result; exit 0; no order was placed and no key is shown."""
    place.keys("ed25519", venue)
    before = venue.signed("GET", "/api/v3/allOrders", symbol="BTCUSDT")
    done = place.bloor("check", "binance", "--json")
    assert done.returncode == 0, done.stdout + done.stderr
    document = json.loads(done.stdout)
    assert document["passed"] is True and document["endpoints"]["rest"] == venue.rest
    results = {step["step"]: step["result"] for step in document["steps"]}
    assert list(results) == STEPS
    told = {"rights", "dead-man"}
    assert all(result == ("warn" if name in told else "pass") for name, result in results.items())
    by_name = {step["step"]: step for step in document["steps"]}
    assert by_name["rights"]["trade"] is True and by_name["rights"]["withdraw"] is False
    assert by_name["order-entry"]["round_trip_ms_p50"] > 0
    assert by_name["dead-man"]["supported"] is False
    assert venue.signed("GET", "/api/v3/allOrders", symbol="BTCUSDT") == before
    assert_nowhere(venue, {"stdout": done.stdout.encode(), "stderr": done.stderr.encode()})


def test_check_without_keys_says_what_to_do(place: Place) -> None:
    """What needs no keys is looked at all the same; exit 1."""
    done = place.bloor("check", "binance")
    assert done.returncode == 1
    results = {line.split()[1]: line.split()[0] for line in done.stdout.splitlines() if not line.startswith(" ")}
    assert results["keys"] == "fail" and results["market-data"] == "pass" and results["test-order"] == "skip"
    assert "mode 0600" in done.stdout


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["binanse"], "did you mean 'binance'"),
        (["binance", "--env", "moon"], "expected one of prod, testnet"),
        (["binance", "--symbol", "BTCUSDT"], "expected BASE-QUOTE"),
        (["binance", "--set", "keys.binance.prod.api_key=SECRET"], "unknown key 'api_key'"),
    ],
)
def test_check_refuses_bad_input(invoked: Any, arguments: list[str], said: str) -> None:
    """Exit 2 with what was expected."""
    done = invoked("check", *arguments)
    assert done.exit_code == 2
    assert said in done.stderr and "SECRET" not in done.stderr


def test_a_venue_that_is_not_there_fails_the_check(place: Place) -> None:
    """Exit 1, and what to look at."""
    place.env["BLOOR_VENUE__BINANCE__REST_URL"] = "http://127.0.0.1:9"
    done = place.bloor("check", "binance", "--json")
    assert done.returncode == 1
    first = json.loads(done.stdout)["steps"][0]
    assert first["result"] == "fail" and "--env" in first["advice"]


def test_over_tls_the_authority_must_be_trusted(tmp_path: Path, tls_venue: Venue, run_until: Any) -> None:
    """With ``--ca`` everything works as in the open; without it no connection is made."""
    place = Place(tmp_path, tls_venue, run_until)
    place.keys("ed25519", tls_venue)
    authority = tls_venue.ready["ca"]
    done = place.bloor("check", "binance", "--json", "--ca", authority)
    assert done.returncode == 0, done.stdout + done.stderr
    refused = place.bloor("check", "binance", "--json")
    assert refused.returncode == 1
    assert "certificate" in refused.stderr
    lived = place.trade(*LIVE, "--arm", "binance:prod", "--ca", authority)
    assert lived.returncode == 0, lived.stderr
