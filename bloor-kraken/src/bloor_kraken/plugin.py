"""The plug-in ``kraken``: what this package hands to bloor.

Every import is inside its hook: loading the plug-in to read its configuration does not load its normalizer.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from bloor.hookspecs import hookimpl

if TYPE_CHECKING:
    from bloor.hookspecs import ExecutorSpec, FeedSpec, NormalizerSpec, SimulatedVenueSpec
    from bloor_kraken.config import KrakenConfig
    from bloor_kraken.fees import KrakenFees


@hookimpl
def bloor_venue_config() -> type[KrakenConfig]:
    """The section ``[venue.kraken]``."""
    from bloor_kraken.config import KrakenConfig

    return KrakenConfig


@hookimpl
def bloor_feed() -> FeedSpec:
    """Market data."""
    from bloor_kraken.market_data import feed_spec

    return feed_spec()


@hookimpl
def bloor_normalizer() -> NormalizerSpec:
    """Frames to messages."""
    from bloor_kraken.instruments import normalizer_spec

    return normalizer_spec()


@hookimpl
def bloor_executor() -> ExecutorSpec:
    """Order entry."""
    from bloor_kraken.executor import executor_spec

    return executor_spec()


@hookimpl
def bloor_fee_model() -> type[KrakenFees]:
    """What fills cost in a backtest."""
    from bloor_kraken.fees import KrakenFees

    return KrakenFees


@hookimpl
def bloor_simulated_venue() -> SimulatedVenueSpec:
    """The simulated exchange."""
    from bloor_kraken.simulated import simulated_venue_spec

    return simulated_venue_spec()
