"""The promise to plug-ins: this API version and the one before load, others are refused with what to upgrade."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

from bloor.plugins import PluginHost
from bloor.plugins.promise import Deprecation, api_problem, api_warning, core_bounds, supported, told

HOOK = "from bloor.hookspecs import hookimpl\n"
STRATEGY = HOOK + (
    "from bloor.strategy.api import Strategy\n"
    "class Mine(Strategy):\n    name = 'mine'\n"
    "@hookimpl\ndef bloor_strategy(): return Mine\n"
)
#: bloor as it will be with other API versions: the number is patched before anything reads it.
LATER = """
import sys
import bloor.hookspecs
bloor.hookspecs.API_VERSION = int(sys.argv.pop(1))
from bloor.cli.main import main
main()
"""


def bloor_of(api, shelf, *arguments):
    """Runs the command of a bloor whose API has another version."""
    return subprocess.run(
        [sys.executable, "-c", LATER, str(api), *arguments],
        cwd=shelf.folder,
        env={"PYTHONPATH": str(shelf.folder)},
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.parametrize(("current", "loads"), [(1, [1]), (2, [1, 2]), (5, [4, 5])])
def test_this_version_and_the_one_before_it_are_loaded(current, loads):
    """There was none before the first."""
    assert list(supported(current)) == loads


def test_a_refusal_says_what_to_upgrade():
    """The plug-in when it is too old, bloor-core when it is too new."""
    assert "version 1, and this bloor supports versions 2 to 3; upgrade the plug-in" in api_problem(1, 3)
    assert "version 4, and this bloor supports versions 2 to 3; upgrade bloor-core" in api_problem(4, 3)
    assert api_problem(2, 3) == api_problem(3, 3) == ""


def test_the_version_before_is_told():
    """It works, and it will not for ever."""
    assert "the next will not load it; upgrade the plug-in" in api_warning(2, 3)
    assert api_warning(3, 3) == api_warning(None, 3) == api_warning(1, 3) == ""


@pytest.mark.parametrize(
    ("api", "state", "says"),
    [
        (1, "ok", ""),
        (2, "ok", "the one before this bloor's, and the next will not load it"),
        (3, "broken", "was written for API version 1, and this bloor supports versions 2 to 3; upgrade the plug-in"),
    ],
)
def test_a_plugin_of_today_meets_a_bloor_of_tomorrow(shelf, api, state, says):
    """Written for version 1, it is loaded by the next version too and refused by the one after, before its import."""
    shelf.add("shop", {"mine": "shop_mod"}, {"shop_mod.py": STRATEGY}, manifest={"mine": "strategy:api1"})
    rows = json.loads(bloor_of(api, shelf, "plugins", "list", "--json").stdout)["plugins"]
    (row,) = [row for row in rows if row["name"] == "mine"]
    assert row["state"] == state and says in row["reason"]
    done = bloor_of(api, shelf, "plugins", "info", "mine", "--json")
    assert done.returncode == (2 if state == "broken" else 0), done.stderr
    assert state == "ok" or says in done.stderr


def test_the_version_before_loads_with_a_word(shelf):
    """A host tells once, with name, distribution and version."""
    shelf.add("shop", {"mine": "shop_mod"}, {"shop_mod.py": STRATEGY}, manifest={"mine": "strategy:api1"})
    probe = (
        "import bloor.hookspecs as h; h.API_VERSION = 2\n"
        "from bloor.plugins import PluginHost\n"
        "host = PluginHost(); host.load('mine'); host.load('mine'); print(*host.warnings, sep='|')"
    )
    done = subprocess.run(
        [sys.executable, "-c", probe], env={"PYTHONPATH": str(shelf.folder)}, capture_output=True, text=True, check=True
    )
    start = "plug-in 'mine' from shop 1.0 (shop_mod) was written for API version 1, the one before this bloor's"
    assert done.stdout.startswith(start) and "|" not in done.stdout


OLD_HOOK = Deprecation(hook="bloor_strategy", since="0.4", until="1.0", instead="implement bloor_strategies")
OLD_ARGUMENT = Deprecation(
    hook="bloor_session_start", argument="mode", since="0.4", until="1.0", instead="ask the session's config.json"
)


def test_deprecations_name_hook_or_argument():
    """Only who uses it is told, and what to do stands there."""
    uses = {"bloor_strategy": (), "bloor_session_start": ("session",)}
    assert told(uses, (OLD_HOOK, OLD_ARGUMENT)) == [
        "uses bloor_strategy, deprecated since bloor-core 0.4 and gone in 1.0; implement bloor_strategies"
    ]
    (sentence,) = told({"bloor_session_start": ("session", "mode")}, (OLD_HOOK, OLD_ARGUMENT))
    assert sentence.startswith("uses the argument 'mode' of bloor_session_start, deprecated since bloor-core 0.4")
    assert sentence.endswith("gone in 1.0; ask the session's config.json")


def test_a_host_tells_of_deprecations_once(on_path, monkeypatch):
    """With the plug-in's name, distribution and version; the plug-in works."""
    monkeypatch.setattr("bloor.plugins.host.DEPRECATED", (OLD_HOOK,))
    on_path.add("shop", {"mine": "told_mod"}, {"told_mod.py": STRATEGY}, manifest={"mine": "strategy:api1"})
    host = PluginHost()
    assert host.strategy("mine").name == host.strategy("mine").name == "mine"
    (warning,) = host.warnings
    assert warning.startswith("plug-in 'mine' from shop 1.0 (told_mod) uses bloor_strategy, deprecated since")


def test_a_run_tells_of_deprecations(on_path, monkeypatch):
    """They are among the notices that a run begins with."""
    pytest.importorskip("bloor_binance")
    from bloor.host.options import RunOptions
    from bloor.host.setup import prepare

    monkeypatch.setattr("bloor.plugins.host.DEPRECATED", (OLD_HOOK,))
    on_path.add("shop", {"mine": "run_mod"}, {"run_mod.py": STRATEGY}, manifest={"mine": "strategy:api1"})
    setup = prepare(RunOptions(plugins=("mine",), venues=("binance",)), {})
    (notice,) = [notice for notice in setup.notices if "deprecated" in notice and "'mine'" in notice]
    assert notice.endswith("gone in 1.0; implement bloor_strategies")


@pytest.mark.parametrize(("version", "bounds"), [("0.1.0", ">=0.1,<2"), ("1.4.2", ">=1.4,<3")])
def test_a_plugin_of_today_is_good_for_the_next_major_version(version, bounds):
    """What is written for one major version loads in the next, so the requirement ends behind that."""
    assert core_bounds(version) == bounds
