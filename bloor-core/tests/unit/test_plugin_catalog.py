"""Discovery: names, kinds and versions come from metadata alone."""

from __future__ import annotations

import sys

import pytest

from bloor.errors import PluginError
from bloor.plugins import Kind, PluginHost, discover


def test_discovery_imports_nothing(on_path):
    """A plug-in's module is not imported to learn its name, kind and API version."""
    on_path.add("shop", {"mine": "shop_mod"}, {"shop_mod.py": "raise SystemExit"}, manifest={"mine": "strategy:api1"})
    (found,) = discover().entries["mine"]
    assert (found.kind, found.api, found.distribution, found.version) == (Kind.STRATEGY, 1, "shop", "1.0")
    assert found.origin == "shop 1.0 (shop_mod)"
    assert "shop_mod" not in sys.modules


def test_without_a_manifest_the_kind_is_unknown_and_loading_warns(on_path):
    """A plug-in that states nothing may be loaded when it is named, and a warning says what it does not state."""
    on_path.add("shop", {"mine": "shop_mod"}, {"shop_mod.py": ""})
    host = PluginHost()
    assert host.catalog.find("mine").kind is Kind.UNKNOWN
    host.load("mine")
    assert host.warnings == ["plug-in 'mine' from shop 1.0 (shop_mod) does not say its kind and API version"]


@pytest.mark.parametrize(
    ("manifest", "says"),
    [
        ("strategy:api0", "was written for API version 0, and this bloor supports version 1; upgrade the plug-in"),
        ("strategy:api99", "was written for API version 99, and this bloor supports version 1; upgrade bloor-core"),
        (
            "strategi:api1",
            (
                "expected one of venue, feed, normalizer, strategy, risk_check, queue_model, latency_model, fee_model, "
                "got 'strategi'; did you mean 'strategy'?"
            ),
        ),
        ("strategy", "expected one value such as strategy:api1, got 'strategy'"),
    ],
)
def test_a_manifest_that_does_not_fit_is_refused_before_import(on_path, manifest, says):
    """Another API version, an unknown kind or a malformed value keep the module from being imported."""
    on_path.add("shop", {"mine": "shop_mod"}, {"shop_mod.py": "raise SystemExit"}, manifest={"mine": manifest})
    with pytest.raises(PluginError) as caught:
        PluginHost().load("mine")
    assert "'mine' from shop 1.0 (shop_mod)" in str(caught.value)
    assert says in str(caught.value)
    assert "shop_mod" not in sys.modules


def test_two_distributions_with_one_name_break_only_that_name(on_path):
    """A conflict names both distributions when the name is used, and nothing else suffers."""
    on_path.add("shop-a", {"mine": "shop_a", "other": "shop_c"}, {"shop_a.py": "", "shop_c.py": ""})
    on_path.add("shop-b", {"mine": "shop_b"}, {"shop_b.py": ""})
    host = PluginHost()
    assert host.load("other").installed.distribution == "shop-a"
    with pytest.raises(PluginError, match=r"registered by shop-a 1\.0 \(shop_a\) and shop-b 1\.0 \(shop_b\)"):
        host.load("mine")


def test_a_misspelt_name_gets_the_nearest(on_path):
    """A typo is answered with the installed name that is most like it."""
    on_path.add("shop", {"mean-reversion": "shop_mod"}, {"shop_mod.py": ""})
    with pytest.raises(PluginError, match=r"'mean-revertion': is not installed; did you mean 'mean-reversion'\?"):
        PluginHost().load("mean-revertion")


def test_a_published_name_gets_its_package():
    """A name from the documentation is answered with the package that brings it."""
    from bloor.plugins import Catalog

    with pytest.raises(PluginError, match="it comes with bloor-kraken: pip install bloor-kraken"):
        PluginHost(Catalog({})).load("kraken")


def test_kinds_select_names(on_path):
    """Venues are listed without loading them."""
    manifest = {"v": "venue:api1", "s": "strategy:api1"}
    on_path.add("shop", {"v": "shop_v", "s": "shop_s", "u": "shop_u"}, {}, manifest=manifest)
    host = PluginHost(block=["v"])
    assert "v" in host.catalog.names(Kind.VENUE) and "v" not in host.installed_venues()
    sections = host.section_names()
    assert "s" in sections["strategy"] and "s" not in sections["risk"]
    assert all("u" in names for names in sections.values())
