"""What the package hands to bloor."""

from __future__ import annotations

import pytest

from bloor.errors import ConfigError, PluginError
from bloor.plugins import PluginHost


def test_the_section_of_the_venue_is_typed():
    """[venue.coinbase] has URLs, each empty unless it overrides."""
    cls = PluginHost().venue_config("coinbase")
    assert cls is not None and cls().rest_url == ""


def test_a_url_of_another_scheme_is_refused():
    """A WebSocket URL where REST is meant is named with its path."""
    from bloor.config import read_layers

    raw = read_layers(None, {}, ["venue.coinbase.rest_url=wss://example.org"])
    with pytest.raises(ConfigError, match=r"venue\.coinbase\.rest_url"):
        raw.section("venue.coinbase", PluginHost().venue_config("coinbase"))


def test_it_has_market_data():
    """A feed and a normalizer of one venue."""
    host = PluginHost()
    assert host.feed("coinbase").venue == host.normalizer("coinbase").venue == "coinbase"
    assert host.feed("coinbase").default_symbol == "BTC-USD"


def test_what_it_does_not_have_is_said():
    """Asking for order entry names plug-in and distribution."""
    with pytest.raises(PluginError, match=r"'coinbase' from bloor-coinbase .*provides no executor"):
        PluginHost().executor("coinbase")
