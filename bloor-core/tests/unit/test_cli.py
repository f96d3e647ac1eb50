"""The commands: messages on stderr, documents on stdout, exit codes 0, 1 and 2, never a traceback."""

from __future__ import annotations

import json
import re

import pytest
import typer
from typer.testing import CliRunner

from bloor.cli.main import app
from bloor.cli.shell import _spread

runner = CliRunner()


# ---- the shell ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("args", "spread"),
    [
        ("--data a b", "--data a --data b"),
        ("--data a b --seed 3", "--data a --data b --seed 3"),
        ("--data a --data b c", "--data a --data b --data c"),
        ("binance --data a b --json", "binance --data a --data b --json"),
        ("--seed 3 a --data", "--seed 3 a --data"),
        ("--seed -3 --data a", "--seed -3 --data a"),
        ("--data a -- b", "--data a -- b"),
        ("--data=a b", "--data=a b"),
    ],
)
def test_an_option_takes_the_values_up_to_the_next_option(args, spread):
    """--data A B is --data A --data B, and nothing else changes its meaning."""
    assert _spread(args.split(), ("--data",)) == spread.split()


def test_every_command_has_an_example():
    """Help ends with lines to try, and each begins with the command itself."""

    def walk(command, path):
        for name, below in getattr(command, "commands", {}).items():
            yield from walk(below, f"{path} {name}")
        if not hasattr(command, "commands"):
            yield path, command

    found = dict(walk(typer.main.get_command(app), "bloor"))
    assert {"bloor run", "bloor plugins list", "bloor plugins info", "bloor plugins doctor"} <= set(found)
    for path, command in found.items():
        lines = [line.strip() for line in command.epilog.splitlines() if line.strip().startswith("bloor ")]
        assert lines and all(line.startswith(path) for line in lines), path
        assert command.help, path


@pytest.mark.parametrize("args", [["plugins", "list", "--nope"], ["nope"], ["plugins", "info"], ["run", "--seed", "x"]])
def test_bad_usage_is_2(args):
    """An option, command, argument or value that cannot be is exit code 2, and stdout is empty."""
    result = runner.invoke(app, args)
    assert (result.exit_code, result.stdout) == (2, "")
    assert "Error" in result.stderr


@pytest.mark.parametrize(
    ("args", "says"),
    [
        (["run", "--mode", "simm"], "run.mode (from --mode): expected one of 'sim', 'paper', 'live', got 'simm'"),
        (["run", "--duration", "30"], "run.duration (from --duration): expected a duration with a unit"),
        (["run", "--set", "rum.x=1"], "did you mean 'run'?"),
        (["run", "--config", "gone.toml"], "gone.toml: cannot be read"),
        (["--log-level", "loud", "plugins", "list"], "log.level (from --log-level): expected one of 'debug'"),
        (["plugins", "info", "momentun", "--json"], "plug-in 'momentun': is not installed; did you mean 'momentum'?"),
        (["plugins", "list", "-p", "momentum"], "-p: expected no:NAME"),
        (["plugins", "list", "-p", "no:momentun"], "did you mean 'momentum'?"),
    ],
)
def test_bad_input_is_one_message_and_2(args, says):
    """What a person got wrong is one message without a traceback, also with --json."""
    result = runner.invoke(app, args)
    assert (result.exit_code, result.stdout) == (2, "")
    assert result.stderr.startswith("error: ") and says in result.stderr
    assert "Traceback" not in result.stderr


def fail_with(monkeypatch, error: BaseException):
    """Runs a command that ends with this exception."""

    def fail(*_):
        raise error

    monkeypatch.setattr("bloor.cli.plugins._host", fail)
    return runner.invoke(app, ["plugins", "list"])


def test_our_own_bug_is_1_and_leaves_a_log(monkeypatch):
    """The traceback is in a private file, and the message says where."""
    result = fail_with(monkeypatch, RuntimeError("boom"))
    assert result.exit_code == 1
    assert result.stderr.startswith("bug: RuntimeError: boom\n") and "Traceback" not in result.stderr
    from pathlib import Path

    log = Path(re.search(r"details are in (\S+)", result.stderr)[1])
    assert "Traceback" in log.read_text() and log.stat().st_mode & 0o077 == 0
    log.unlink()


def test_an_interrupt_is_1_and_quiet(monkeypatch):
    """Ctrl-C where nothing has to be wound up ends with a word."""
    result = fail_with(monkeypatch, KeyboardInterrupt())
    assert (result.exit_code, result.stderr) == (1, "interrupted\n")


def test_a_file_that_is_refused_is_named(monkeypatch):
    """A permission that is missing is no bug of ours."""
    result = fail_with(monkeypatch, PermissionError(13, "Permission denied", "/x/y"))
    assert (result.exit_code, result.stderr) == (1, "error: /x/y: Permission denied\n")


def test_versions_are_one_document():
    """bloor version --json is JSON."""
    assert runner.invoke(app, ["--version"]).stdout.startswith("bloor ")
    assert {"bloor", "python", "numba"} <= set(json.loads(runner.invoke(app, ["version", "--json"]).stdout))


# ---- run ------------------------------------------------------------------------------------------------------------


def test_run_hands_over_what_was_asked(monkeypatch, tmp_path):
    """Every option of the contract arrives, typed, and wins over the configuration."""
    monkeypatch.chdir(tmp_path)
    import sys
    from types import ModuleType, SimpleNamespace

    asked = []
    fake = ModuleType("bloor.host.run")
    failed = SimpleNamespace(document={"mode": "paper"}, failure="no data came", exit_code=1)
    fake.run = lambda options: asked.append(options) or failed
    monkeypatch.setitem(sys.modules, "bloor.host.run", fake)
    args = "run -p momentum arbitrage -p no:price-collar --venue binance --venue kraken --symbol BTC-USDT --mode paper"
    args += " --env testnet --duration 5m --set run.seed=3 --data a.gz b.gz --speed 0 --seed 9 --session s --json"
    result = runner.invoke(app, args.split())
    assert (result.exit_code, json.loads(result.stdout)) == (1, {"mode": "paper"})
    assert result.stderr == "error: the run failed: no data came\n"
    (options,) = asked
    assert (options.plugins, options.blocked) == (("momentum", "arbitrage"), ("price-collar",))
    assert (options.duration_s, options.json) == (300.0, True)
    run = options.layers({"BLOOR_RUN__SPEED": "4", "BLOOR_RUN__ENV": "prod"}).core().run
    assert (run.mode.value, run.env, run.seed, run.speed) == ("paper", "testnet", 9, 0.0)
    assert (run.venues, run.symbols) == (("binance", "kraken"), ("BTC-USDT",))
    assert [str(path) for path in run.data] == ["a.gz", "b.gz"] and str(run.session) == "s"
    assert run.duration.seconds == 300.0


# ---- plugins --------------------------------------------------------------------------------------------------------

HOOK = "from bloor.hookspecs import hookimpl\n"
STRATEGY = (
    HOOK
    + """from bloor.strategy.api import Strategy
from bloor.strategy.params import param
class Mine(Strategy):
    \"\"\"Does [nothing].\"\"\"
    name = "mine"
    level: int = param(3, low=1, doc="a level [ticks]")
@hookimpl
def bloor_strategy(): return Mine
"""
)


@pytest.fixture
def shop(shelf):
    """A good plug-in, a broken one, an old one, and two with one name."""
    files = {"good_mod.py": STRATEGY, "bad_mod.py": "import [\n", "old_mod.py": ""}
    points = {"mine": "good_mod", "bad": "bad_mod", "old": "old_mod", "twice": "good_mod"}
    kinds = {"mine": "strategy:api1", "bad": "strategy:api1", "old": "venue:api0"}
    shelf.add("shop-a", points, files, manifest=kinds)
    shelf.add("shop-b", {"twice": "other_mod"}, {})
    return shelf


def test_broken_plugins_break_nothing_else(shop):
    """Help and the list work whatever is installed, and the list says what metadata can tell."""
    assert shop.bloor("--help").returncode == 0
    done = shop.bloor("plugins", "list", "--json")
    assert (done.returncode, done.stderr) == (0, "")
    rows = {(row["name"], row["distribution"]): row for row in json.loads(done.stdout)["plugins"]}
    assert rows["mine", "shop-a"]["state"] == rows["bad", "shop-a"]["state"] == "ok"
    assert rows["old", "shop-a"]["state"] == "broken" and "API version 0" in rows["old", "shop-a"]["reason"]
    assert rows["twice", "shop-a"]["state"] == rows["twice", "shop-b"]["state"] == "conflict"
    table = shop.bloor("plugins", "list").stdout.splitlines()
    assert table[0].split()[:5] == ["name", "kind", "api", "distribution", "version"]
    assert not [line for line in table if line != line.rstrip()]


def test_the_doctor_names_what_is_broken(shop):
    """Every plug-in is imported and asked, and the exit code is 1."""
    done = shop.bloor("plugins", "doctor", "mine", "bad", "--json")
    document = json.loads(done.stdout)
    rows = {row["name"]: row for row in document["plugins"]}
    assert (done.returncode, document["ok"]) == (1, False)
    assert rows["mine"]["state"] == "ok" and rows["mine"]["import_ms"] > 0
    assert rows["bad"]["state"] == "broken" and re.search(r"SyntaxError: .*bad_mod\.py:1\)", rows["bad"]["reason"])
    assert "bad_mod.py:1)" in shop.bloor("plugins", "doctor", "bad").stdout


def test_the_doctor_takes_names(shop):
    """Two plug-ins of one name are a conflict; a name that nobody has is bad usage."""
    done = shop.bloor("plugins", "doctor", "twice", "--json")
    assert done.returncode == 1
    assert {row["state"] for row in json.loads(done.stdout)["plugins"]} == {"conflict"}
    done = shop.bloor("plugins", "doctor", "twicee")
    assert (done.returncode, done.stdout) == (2, "")
    assert "is not installed; did you mean 'twice'?" in done.stderr


def test_a_blocked_plugin_does_not_trouble_the_doctor(shop):
    """-p no:NAME takes a plug-in out, also from the configuration."""
    done = shop.bloor(
        "plugins", "doctor", "mine", "bad", "old", "--json", "-p", "no:bad", "no:old", BLOOR_PLUGINS__BLOCK="twice"
    )
    states = {row["name"]: row["state"] for row in json.loads(done.stdout)["plugins"]}
    assert (states["bad"], states["old"]) == ("blocked", "blocked")


def test_using_a_broken_plugin_names_it(shop):
    """Distribution, version, entry point and cause, and exit code 2."""
    done = shop.bloor("plugins", "info", "bad")
    assert (done.returncode, done.stdout) == (2, "")
    start = "error: plug-in 'bad' from shop-a 1.0 (bad_mod): cannot be imported: SyntaxError: "
    assert done.stderr.startswith(start) and "bad_mod.py:1)" in done.stderr


def test_info_shows_what_can_be_configured(shop):
    """Settings have a type, a default and a meaning; brackets stay as they are."""
    document = json.loads(shop.bloor("plugins", "info", "mine", "--json").stdout)
    assert (document["section"], document["hooks"]) == ("strategy.mine", ["bloor_strategy"])
    assert document["settings"] == [{"key": "level", "type": "an integer", "default": "3", "doc": "a level [ticks]"}]
    text = shop.bloor("plugins", "info", "mine").stdout
    assert "Does [nothing]." in text and "a level [ticks]" in text
    assert document["record_sha256"] in text


def test_the_allow_list_of_the_file_is_obeyed(shop):
    """./bloor.toml can forbid all but some distributions, and the list says so."""
    (shop.folder / "bloor.toml").write_text('[plugins]\nallow = ["shop-a==2.0"]\n')
    rows = {row["name"]: row for row in json.loads(shop.bloor("plugins", "list", "--json").stdout)["plugins"]}
    assert rows["mine"]["reason"] == "the allow-list pins version 2.0, installed is 1.0"
    done = shop.bloor("plugins", "info", "mine")
    assert done.returncode == 2 and "pins version 2.0" in done.stderr


def test_a_reader_that_goes_away_is_no_error(shop):
    """bloor ... | head ends without a traceback."""
    import subprocess
    import sys

    done = subprocess.run(
        f"{sys.executable} -m bloor plugins list --json | true",
        shell=True,
        cwd=shop.folder,
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")
