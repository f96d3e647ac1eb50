"""The allow-list decides from metadata, before any code of a plug-in runs."""

from __future__ import annotations

import hashlib
import sys

import pytest

from bloor.config import AllowedDistribution
from bloor.errors import PluginError
from bloor.plugins import PluginHost


def load(on_path, allow: list[AllowedDistribution]) -> None:
    PluginHost(allow=allow).load("mine")


@pytest.fixture
def info(on_path):
    """The dist-info of an installed plug-in ``mine``."""
    return on_path.add("Shop.Front", {"mine": "shop_mod"}, {"shop_mod.py": "x = 1\n"}, version="2.1")


def digest(info) -> str:
    return hashlib.sha256((info / "RECORD").read_bytes()).hexdigest()


def test_a_named_distribution_may_be_imported(info, on_path):
    """Names are compared as packaging compares them."""
    load(on_path, [AllowedDistribution(distribution="shop-front")])
    load(on_path, [AllowedDistribution(distribution="shop_front", version="2.1", record_sha256=digest(info).upper())])


@pytest.mark.parametrize(
    ("entry", "says"),
    [
        ({"distribution": "other"}, "Shop.Front is not in the allow-list"),
        ({"distribution": "shop-front", "version": "2.0"}, "pins version 2.0, installed is 2.1"),
        ({"distribution": "shop-front", "record_sha256": "a" * 64}, f"pins RECORD {'a' * 64}, installed is "),
    ],
)
def test_anything_else_is_refused_before_import(info, on_path, entry, says):
    """Another distribution, version or RECORD keeps the module from being imported."""
    with pytest.raises(PluginError, match=says):
        load(on_path, [AllowedDistribution(**entry)])
    assert "shop_mod" not in sys.modules


def test_an_empty_list_allows_nothing(info, on_path):
    """An empty list is a list."""
    with pytest.raises(PluginError, match="not in the allow-list"):
        load(on_path, [])


def test_a_changed_file_is_refused(info, on_path):
    """A RECORD that is the pinned one does not vouch for a file with another content."""
    (on_path.folder / "shop_mod.py").write_text("x = 2\n")
    with pytest.raises(PluginError, match=r"shop_mod\.py is not the file that its RECORD describes"):
        load(on_path, [AllowedDistribution(distribution="shop-front", record_sha256=digest(info))])


def test_an_editable_installation_cannot_be_pinned(info, on_path):
    """The RECORD of an editable installation says nothing about the code that runs."""
    (info / "direct_url.json").write_text('{"url": "file:///x", "dir_info": {"editable": true}}')
    with pytest.raises(PluginError, match="editable"):
        load(on_path, [AllowedDistribution(distribution="shop-front", record_sha256=digest(info))])
