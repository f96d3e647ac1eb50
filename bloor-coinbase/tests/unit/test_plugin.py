"""What the package hands to bloor."""

from __future__ import annotations

import pytest

from bloor.errors import ConfigError
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


def test_it_has_order_entry_and_says_what_it_does_without() -> None:
    """An executor with what live mode and replays need; nothing cancels open orders when we fall silent."""
    spec = PluginHost().executor("coinbase")
    assert spec.venue == "coinbase"
    assert spec.account is not None and spec.stand_in is not None
    assert spec.searches_trades
    assert spec.dead_man is not None and not spec.dead_man.supported
