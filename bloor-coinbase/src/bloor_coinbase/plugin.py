"""The plug-in ``coinbase``: what this package hands to bloor.

Every import is inside its hook: loading the plug-in to read its configuration does not load what reads frames.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from bloor.hookspecs import hookimpl

if TYPE_CHECKING:
    from bloor.hookspecs import FeedSpec, NormalizerSpec
    from bloor_coinbase.config import CoinbaseConfig


@hookimpl
def bloor_venue_config() -> type[CoinbaseConfig]:
    """The section ``[venue.coinbase]``."""
    from bloor_coinbase.config import CoinbaseConfig

    return CoinbaseConfig


@hookimpl
def bloor_feed() -> FeedSpec:
    """Market data."""
    from bloor_coinbase.feed import feed_spec

    return feed_spec()


@hookimpl
def bloor_normalizer() -> NormalizerSpec:
    """Frames to messages."""
    from bloor_coinbase.instruments import normalizer_spec

    return normalizer_spec()
