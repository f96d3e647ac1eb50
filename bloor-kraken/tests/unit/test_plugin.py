"""What the package hands to bloor."""

from __future__ import annotations

import pytest

from bloor.errors import ConfigError, PluginError
from bloor.plugins import PluginHost


def test_the_section_of_the_venue_is_typed():
    """[venue.kraken] has URLs, and a default for each."""
    cls = PluginHost().venue_config("kraken")
    assert cls is not None and cls().rest_url == "https://api.kraken.com"


def test_a_url_of_another_scheme_is_refused():
    """A WebSocket URL where REST is meant is named with its path."""
    from bloor.config import read_layers

    raw = read_layers(None, {}, ["venue.kraken.rest_url=wss://example.org"])
    with pytest.raises(ConfigError, match=r"venue\.kraken\.rest_url"):
        raw.section("venue.kraken", PluginHost().venue_config("kraken"))


def test_what_it_does_not_have_is_said():
    """Asking for market data names plug-in and distribution."""
    with pytest.raises(PluginError, match=r"'kraken' from bloor-kraken .*provides no feed"):
        PluginHost().feed("kraken")
