"""Typed accessors and life cycle: what a hook hands over is checked, and one plug-in's failure is its own."""

from __future__ import annotations

from pathlib import Path

import pytest

from bloor.errors import PluginError
from bloor.plugins import PluginHost

HEAD = "from bloor.hookspecs import hookimpl\n"

STRATEGY = """
from bloor.hookspecs import hookimpl
from bloor.strategy.api import Strategy
from bloor.strategy.params import param

class Mine(Strategy):
    name = "mine"
    level: int = param(3, low=1, doc="a level")

@hookimpl
def bloor_strategy():
    return Mine
"""

CHECK = """
from attrs import frozen
from bloor.hookspecs import hookimpl
from bloor.risk.check import RiskCheck

@frozen
class Limits:
    most: int = 3

class Check(RiskCheck):
    name = "watch"
    limits = Limits
    codes = {1: "WATCH_TOO_MUCH"}
    def __init__(self, limits, instruments): ...
    @classmethod
    def sim_limits(cls): return Limits()
    def check(self, order, book, exposure, now_ns): return 0

@hookimpl
def bloor_risk_check():
    return Check
"""


def host_of(on_path, text: str, name: str = "mine", kind: str = "strategy", **options) -> PluginHost:
    """A host that finds one plug-in of this text."""
    on_path.add("shop", {name: "shop_mod"}, {"shop_mod.py": text}, manifest={name: f"{kind}:api1"})
    return PluginHost(**options)


def test_a_strategy_is_handed_over(on_path):
    """The class comes back, and the hook is called once."""
    host = host_of(on_path, STRATEGY)
    assert host.strategy("mine") is host.strategy("mine")
    assert host.strategy("mine").__name__ == "Mine"


@pytest.mark.parametrize(
    ("returned", "says"),
    [
        ("3", "expected a subclass of bloor.strategy.api.Strategy, got 3 (int)"),
        ("dict", "expected a subclass of bloor.strategy.api.Strategy, got the class dict"),
        ("None", "got None (NoneType)"),
        ("1 / 0", "bloor_strategy() failed: ZeroDivisionError: division by zero"),
    ],
)
def test_a_wrong_answer_names_the_plugin(on_path, returned, says):
    """What is no strategy class, and a hook that raises, are the plug-in's failure."""
    host = host_of(on_path, HEAD + f"@hookimpl\ndef bloor_strategy():\n    return {returned}\n")
    with pytest.raises(PluginError) as caught:
        host.strategy("mine")
    assert says in str(caught.value) and "'mine' from shop 1.0" in str(caught.value)


def test_a_strategy_under_another_name_is_refused(on_path):
    """The name that a user types, the section and the class's own name are one."""
    host = host_of(on_path, STRATEGY.replace('name = "mine"', 'name = "yours"'))
    with pytest.raises(PluginError, match=r"expected Mine\.name to be 'mine', got 'yours'"):
        host.strategy("mine")


def test_what_a_venue_does_not_provide_is_said(on_path):
    """A venue without a feed says what it has."""
    host = host_of(on_path, HEAD + "@hookimpl\ndef bloor_session_start(): ...\n", "shop", "venue")
    with pytest.raises(PluginError, match=r"'shop' from shop 1.0 .*: provides no feed \(it provides: session start\)"):
        host.feed("shop")
    assert host.venue_config("shop") is None


def test_a_feed_of_another_type_or_venue_is_refused(on_path):
    """A feed is a FeedSpec of the plug-in's own venue."""
    text = HEAD + "from bloor.hookspecs import SimulatedVenueSpec\n@hookimpl\ndef bloor_feed(): return 'ws://'\n"
    text += "@hookimpl\ndef bloor_simulated_venue(): return SimulatedVenueSpec(venue='other', build=print)\n"
    host = host_of(on_path, text, "shop", "venue")
    with pytest.raises(PluginError, match=r"expected a FeedSpec, got 'ws://' \(str\)"):
        host.feed("shop")
    with pytest.raises(PluginError, match="expected the venue 'shop', got 'other'"):
        host.simulated_venue("shop")


def test_a_venue_section_needs_defaults(on_path):
    """[venue.<name>] must be complete without any configuration."""
    text = (
        HEAD
        + "from attrs import frozen\n@frozen\nclass C:\n    url: str\n@hookimpl\ndef bloor_venue_config(): return C\n"
    )
    with pytest.raises(PluginError, match="expected a default for every attribute of C; 'url' has none"):
        host_of(on_path, text, "shop", "venue").venue_config("shop")


def test_risk_checks_are_handed_over_unless_blocked(on_path, monkeypatch):
    """Every installed check takes part in a run, and blocking one by name takes it out."""
    host = host_of(on_path, CHECK, "watch", "risk_check")
    for name in host.catalog.names():
        if name != "watch":
            host.block(name)
    assert list(host.risk_checks()) == ["watch"]
    host = PluginHost(host.catalog, block=host.catalog.names())
    assert host.risk_checks() == {}


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ("    def check(self", "    def chek(self", "does not implement check"),
        ("limits = Limits", "limits = dict", "expected Check.limits to be an attrs class"),
        ('{1: "WATCH_TOO_MUCH"}', "{0: 'WATCH'}", "expected Check.codes to map numbers from 1 to reasons"),
        ("most: int = 3", "most: int", "expected a default for every attribute of Limits"),
        ("from attrs", "import gone\nfrom attrs", "No module named 'gone'"),
    ],
)
def test_a_broken_risk_check_stops_a_run(on_path, old, new, says):
    """A check that cannot be loaded may be the protection that somebody relies on."""
    host = host_of(on_path, CHECK.replace(old, new), "watch", "risk_check")
    for name in host.catalog.names():
        if name != "watch":
            host.block(name)
    with pytest.raises(PluginError) as caught:
        host.risk_checks()
    assert says in str(caught.value) and "-p no:watch runs without it" in str(caught.value)


def test_the_life_cycle_reaches_every_plugin(on_path):
    """An error at the start stops the run; errors at the end are collected and every plug-in is told."""
    start = HEAD + "@hookimpl\ndef bloor_session_start(mode):\n    assert mode == 'sim', mode\n"
    ends = HEAD + "@hookimpl\ndef bloor_session_finish(summary):\n    summary['fills'] = 0\n"
    told = (
        HEAD + "seen = []\n@hookimpl\ndef bloor_session_finish(session, summary):\n    seen.append(summary['fills'])\n"
    )
    files = {"shop_a.py": start, "shop_b.py": ends, "shop_c.py": told}
    on_path.add("shop", {"a": "shop_a", "b": "shop_b", "c": "shop_c"}, files)
    host = PluginHost()
    for name in "abc":
        host.load(name)
    host.session_start(Path("s"), "sim")
    with pytest.raises(PluginError, match=r"'a' from shop 1.0 .*bloor_session_start\(\) failed: AssertionError: live"):
        host.session_start(Path("s"), "live")
    (failure,) = host.session_finish(Path("s"), {"fills": 7})
    assert failure.name == "b" and "does not support item assignment" in str(failure)
    assert host.loaded["c"].plugin.seen == [7]
