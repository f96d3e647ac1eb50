"""The plug-in ``acme``: what this package hands to bloor.

Every import is inside its hook: loading the plug-in to read its configuration does not load its simulator.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from bloor.hookspecs import hookimpl

if TYPE_CHECKING:
    from bloor.hookspecs import ExecutorSpec, FeedSpec, NormalizerSpec, SimulatedVenueSpec

    from bloor_acme.config import AcmeConfig


@hookimpl
def bloor_venue_config() -> type[AcmeConfig]:
    """The section ``[venue.acme]``."""
    from bloor_acme.config import AcmeConfig

    return AcmeConfig


@hookimpl
def bloor_feed() -> FeedSpec:
    """Market data."""
    from bloor_acme.feed import feed_spec

    return feed_spec()


@hookimpl
def bloor_normalizer() -> NormalizerSpec:
    """Frames to messages."""
    from bloor_acme.normalizer import normalizer_spec

    return normalizer_spec()


@hookimpl
def bloor_executor() -> ExecutorSpec:
    """Order entry."""
    from bloor_acme.executor import executor_spec

    return executor_spec()


@hookimpl
def bloor_simulated_venue() -> SimulatedVenueSpec:
    """The simulated Acme."""
    from bloor_acme.simulated import simulated_venue_spec

    return simulated_venue_spec()
