"""Loading: whatever a plug-in does wrong is said with its name, its origin and its line."""

from __future__ import annotations

import pytest

from bloor.errors import PluginError
from bloor.plugins import PluginHost

HEAD = "from bloor.hookspecs import hookimpl\n"


def broken(on_path, text: str) -> str:
    """The message that loading a module of this text ends with."""
    on_path.add("shop", {"mine": "shop_mod"}, {"shop_mod.py": text}, manifest={"mine": "strategy:api1"})
    with pytest.raises(PluginError) as caught:
        PluginHost().load("mine")
    message = str(caught.value)
    assert message.startswith("plug-in 'mine' from shop 1.0 (shop_mod): ")
    return message


@pytest.mark.parametrize(
    ("text", "cause", "line"),
    [
        ("import nothing_like_this\n", "ModuleNotFoundError: No module named 'nothing_like_this'", 1),
        ("x = 1\nx / 0\n", "ZeroDivisionError: division by zero", 2),
        ("x = 1\n\ndef (:\n", "SyntaxError: ", 3),
        ("import sys\nsys.exit(3)\n", "SystemExit: 3", 2),
        ("def deep():\n    raise KeyError('k')\ndeep()\n", "KeyError: 'k'", 2),
    ],
)
def test_a_failing_import_names_its_line(on_path, text, cause, line):
    """Cause, file and line of the plug-in itself are in the message, whatever was raised."""
    message = broken(on_path, text)
    assert f"cannot be imported: {cause}" in message
    assert f"shop_mod.py:{line})" in message


def test_an_entry_point_to_nothing_is_named(on_path):
    """A module without the attribute that the entry point names is the plug-in's failure."""
    on_path.add("shop", {"mine": "shop_mod:gone"}, {"shop_mod.py": ""})
    with pytest.raises(
        PluginError, match="cannot be imported: AttributeError: module 'shop_mod' has no attribute 'gone'"
    ):
        PluginHost().load("mine")


def test_an_unknown_hook_gets_the_nearest(on_path):
    """A hook that bloor never calls would be silently without effect, so it is refused."""
    message = broken(on_path, HEAD + "@hookimpl\ndef bloor_strategi(): ...\n")
    assert "there is no hook 'bloor_strategi'; did you mean 'bloor_strategy'?" in message
    assert "shop_mod.py:2)" in message


def test_an_unmarked_hook_is_refused(on_path):
    """A forgotten @hookimpl is not a hook that is silently never called."""
    message = broken(on_path, "def bloor_strategy(): ...\n")
    assert "bloor_strategy()" in message and "not marked as a hook; mark it with @hookimpl" in message


def test_an_argument_that_the_hook_does_not_have_is_named(on_path):
    """The arguments that the hook has are listed."""
    message = broken(on_path, HEAD + "@hookimpl\ndef bloor_session_start(session, colour): ...\n")
    assert "bloor_session_start has no argument 'colour' (its arguments: session, mode)" in message


def test_wrappers_are_refused(on_path):
    """A plug-in cannot put itself around the hooks of another one."""
    message = broken(on_path, HEAD + "@hookimpl(wrapper=True)\ndef bloor_strategy():\n    return (yield)\n")
    assert "cannot be wrapped" in message


def test_a_class_is_not_a_plugin(on_path):
    """The hooks of a class would have no self."""
    on_path.add("shop", {"mine": "shop_mod:Plugin"}, {"shop_mod.py": "class Plugin: ..."})
    with pytest.raises(PluginError, match="expected a module or an object with hooks, got the class Plugin"):
        PluginHost().load("mine")


def test_one_module_cannot_be_two_plugins(on_path):
    """Two names for one module could not be told apart in what they register."""
    on_path.add("shop", {"a": "shop_mod", "b": "shop_mod"}, {"shop_mod.py": ""})
    host = PluginHost()
    host.load("a")
    with pytest.raises(PluginError, match="names the same object as the plug-in 'a'"):
        host.load("b")


def test_a_refused_plugin_leaves_the_host_usable(on_path):
    """After a bad signature the others load, and the bad one is refused again."""
    files = {"shop_a.py": HEAD + "@hookimpl\ndef bloor_feed(x): ...\n", "shop_b.py": ""}
    on_path.add("shop", {"a": "shop_a", "b": "shop_b"}, files)
    host = PluginHost()
    for _ in range(2):
        with pytest.raises(PluginError, match="has no argument 'x'"):
            host.load("a")
    assert list(host.loaded) == []
    host.load("b")
    assert list(host.loaded) == ["b"]


def test_a_blocked_plugin_is_not_loaded(on_path):
    """-p no:NAME wins over naming it, and a misspelt block is an error since it would block nothing."""
    on_path.add("shop", {"mine": "shop_mod"}, {"shop_mod.py": ""})
    host = PluginHost(block=["mine"])
    with pytest.raises(PluginError, match="is blocked"):
        host.load("mine")
    with pytest.raises(PluginError, match=r"did you mean 'mine'\?"):
        host.block("minee")
