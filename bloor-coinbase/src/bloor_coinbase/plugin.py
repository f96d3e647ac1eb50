"""The plug-in ``coinbase``: what this package hands to bloor.

Every import is inside its hook: loading the plug-in to read its configuration does not load what reads frames.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from bloor.hookspecs import hookimpl

if TYPE_CHECKING:
    from bloor.hookspecs import ExecutorSpec, FeedSpec, NormalizerSpec, SimulatedVenueSpec
    from bloor_coinbase.config import CoinbaseConfig
    from bloor_coinbase.fees import CoinbaseFees


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


@hookimpl
def bloor_executor() -> ExecutorSpec:
    """Order entry."""
    from bloor_coinbase.executor import executor_spec

    return executor_spec()


@hookimpl
def bloor_fee_model() -> type[CoinbaseFees]:
    """What fills cost in a backtest."""
    from bloor_coinbase.fees import CoinbaseFees

    return CoinbaseFees


@hookimpl
def bloor_simulated_venue() -> SimulatedVenueSpec:
    """The simulated Coinbase."""
    from bloor_coinbase.simulated import simulated_venue_spec

    return simulated_venue_spec()
