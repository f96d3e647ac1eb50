"""The plug-in ``kraken``: what this package hands to bloor."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bloor.hookspecs import hookimpl

if TYPE_CHECKING:
    from bloor_kraken.config import KrakenConfig


@hookimpl
def bloor_venue_config() -> type[KrakenConfig]:
    """The section ``[venue.kraken]``."""
    from bloor_kraken.config import KrakenConfig

    return KrakenConfig
