"""The plug-in ``binance``: what this package hands to bloor.

Every import is inside its hook: loading the plug-in to read its configuration does not load its simulator.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from bloor.hookspecs import hookimpl

if TYPE_CHECKING:
    from bloor.hookspecs import ExecutorSpec, FeedSpec, NormalizerSpec, SimulatedVenueSpec
    from bloor_binance.config import BinanceConfig
    from bloor_binance.fees import BinanceFees


@hookimpl
def bloor_venue_config() -> type[BinanceConfig]:
    """The section ``[venue.binance]``."""
    from bloor_binance.config import BinanceConfig

    return BinanceConfig


@hookimpl
def bloor_feed() -> FeedSpec:
    """Market data."""
    from bloor_binance.feed import feed_spec

    return feed_spec()


@hookimpl
def bloor_normalizer() -> NormalizerSpec:
    """Frames to messages."""
    from bloor_binance.instruments import normalizer_spec

    return normalizer_spec()


@hookimpl
def bloor_executor() -> ExecutorSpec:
    """Order entry."""
    from bloor_binance.executor import executor_spec

    return executor_spec()


@hookimpl
def bloor_fee_model() -> type[BinanceFees]:
    """What fills cost in a backtest."""
    from bloor_binance.fees import BinanceFees

    return BinanceFees


@hookimpl
def bloor_simulated_venue() -> SimulatedVenueSpec:
    """The simulated Binance."""
    from bloor_binance.simulated import simulated_venue_spec

    return simulated_venue_spec()
