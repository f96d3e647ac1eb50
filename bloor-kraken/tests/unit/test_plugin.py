"""What the package hands to bloor."""

from __future__ import annotations

import pytest

from bloor.errors import ConfigError, PluginError
from bloor.plugins import PluginHost


def test_the_section_of_the_venue_is_typed():
    """[venue.kraken] overrides URLs and says how deep books are."""
    cls = PluginHost().venue_config("kraken")
    assert cls is not None
    assert (cls().rest_url, cls().book_depth) == ("", 10)


def test_a_url_of_another_scheme_is_refused():
    """A WebSocket URL where REST is meant is named with its path."""
    from bloor.config import read_layers

    raw = read_layers(None, {}, ["venue.kraken.rest_url=wss://example.org"])
    with pytest.raises(ConfigError, match=r"venue\.kraken\.rest_url"):
        raw.section("venue.kraken", PluginHost().venue_config("kraken"))


def test_a_depth_that_kraken_does_not_have_is_refused():
    """The message says which there are."""
    from bloor.config import read_layers

    raw = read_layers(None, {}, ["venue.kraken.book_depth=20"])
    with pytest.raises(ConfigError, match=r"venue\.kraken\.book_depth"):
        raw.section("venue.kraken", PluginHost().venue_config("kraken"))


def test_market_data_is_handed_over():
    """A feed and a normalizer, of the same venue."""
    feed, normalizer = PluginHost().feed("kraken"), PluginHost().normalizer("kraken")
    assert (feed.venue, normalizer.venue, feed.default_symbol) == ("kraken", "kraken", "BTC-USD")


def test_what_it_does_not_have_is_said():
    """Asking for order entry names plug-in and distribution."""
    with pytest.raises(PluginError, match=r"'kraken' from bloor-kraken .*provides no executor"):
        PluginHost().executor("kraken")
