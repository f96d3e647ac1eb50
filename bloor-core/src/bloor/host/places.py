"""Where a venue is: its environment's endpoints, or those that its configuration names instead."""

from __future__ import annotations

from typing import Any

from bloor.errors import UsageError, nearest
from bloor.hookspecs import FeedSpec
from bloor.venue.session import Endpoints

__all__ = ["DEFAULT_ENV", "endpoints_of", "overridden"]

#: The environment that is taken when none is named.
DEFAULT_ENV = "prod"


def endpoints_of(feed: FeedSpec, config: Any, env: str) -> Endpoints:
    """The endpoints of a venue.

    Args:
        feed: The venue.
        config: Its section; ``rest_url``, ``streams_url``, ``ws_api_url`` and ``level3_url`` override what they name.
        env: The environment.

    Raises:
        UsageError: The venue has no such environment.
    """
    place = feed.endpoints.get(env)
    if place is None:
        known = ", ".join(feed.endpoints)
        raise UsageError(f"--env: expected one of {known} for {feed.venue}, got {env!r}{nearest(env, feed.endpoints)}")
    return Endpoints(*(getattr(config, f"{name}_url", "") or getattr(place, name) for name in Endpoints._fields))


def overridden(config: Any) -> tuple[str, ...]:
    """The keys of a venue's section that name another endpoint."""
    names = (f"{name}_url" for name in Endpoints._fields)
    return tuple(name for name in names if getattr(config, name, ""))
