"""The plug-in ``binance-usdm``: market data of Binance USD-M futures.

Every import is inside its hook, as in :mod:`bloor_binance.plugin`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from bloor.hookspecs import hookimpl

if TYPE_CHECKING:
    from bloor.hookspecs import FeedSpec, NormalizerSpec
    from bloor_binance.config import BinanceUsdmConfig
    from bloor_binance.usdm.fees import BinanceUsdmFees


@hookimpl
def bloor_venue_config() -> type[BinanceUsdmConfig]:
    """The section ``[venue.binance-usdm]``."""
    from bloor_binance.config import BinanceUsdmConfig

    return BinanceUsdmConfig


@hookimpl
def bloor_feed() -> FeedSpec:
    """Market data."""
    from bloor_binance.usdm.feed import feed_spec

    return feed_spec()


@hookimpl
def bloor_normalizer() -> NormalizerSpec:
    """Frames to messages."""
    from bloor_binance.usdm.instruments import normalizer_spec

    return normalizer_spec()


@hookimpl
def bloor_fee_model() -> type[BinanceUsdmFees]:
    """What fills cost in a backtest."""
    from bloor_binance.usdm.fees import BinanceUsdmFees

    return BinanceUsdmFees
