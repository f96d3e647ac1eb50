"""What the package hands to bloor."""

from __future__ import annotations

import pytest

from bloor.errors import ConfigError
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


def test_order_entry_is_handed_over():
    """An executor of the same venue, with an account to look at, a dead-man switch and keys for a replay."""
    spec = PluginHost().executor("kraken")
    assert spec.venue == "kraken"
    assert spec.searches_trades and spec.dead_man is not None and spec.dead_man.supported
    assert spec.account is not None and spec.stand_in is not None


@pytest.mark.parametrize(
    ("setting", "allowed"),
    [
        ("dead_man=0s", True), ("dead_man=15s", True), ("dead_man=14s", False),
        ("order_deadline=500ms", True), ("order_deadline=499ms", False), ("order_deadline=6s", False),
        ("rest_orders=all", True), ("rest_orders=some", False), ("tier=pro", True), ("tier=gold", False),
        ("self_trade=cancel_both", True), ("fee_rates.KFEE=0.01", True), ("fee_rates.KFEE=0", False),
    ],
)  # fmt: skip
def test_settings_of_order_entry(setting, allowed):
    """What would leave orders unguarded, or lost too late, is refused by its path."""
    from bloor.config import read_layers

    raw = read_layers(None, {}, [f"venue.kraken.{setting}"])
    section = PluginHost().venue_config("kraken")
    if allowed:
        assert raw.section("venue.kraken", section) != section()
        return
    with pytest.raises(ConfigError, match=r"venue\.kraken\."):
        raw.section("venue.kraken", section)
