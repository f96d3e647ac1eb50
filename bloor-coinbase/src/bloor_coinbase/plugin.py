"""The plug-in ``coinbase``: what this package hands to bloor."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bloor.hookspecs import hookimpl

if TYPE_CHECKING:
    from bloor_coinbase.config import CoinbaseConfig


@hookimpl
def bloor_venue_config() -> type[CoinbaseConfig]:
    """The section ``[venue.coinbase]``."""
    from bloor_coinbase.config import CoinbaseConfig

    return CoinbaseConfig
