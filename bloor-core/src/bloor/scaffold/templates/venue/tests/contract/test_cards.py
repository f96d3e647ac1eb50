"""The numbered cards of :mod:`bloor.testing`, on this plug-in."""

from __future__ import annotations

from bloor.testing import ExecutorCards, FeedCards, NormalizerCards, SimulatedVenueCards


class TestFeed(FeedCards):
    """Market data."""

    plugin = "acme"


class TestNormalizer(NormalizerCards):
    """Frames to messages."""

    plugin = "acme"


class TestExecutor(ExecutorCards):
    """Order entry."""

    plugin = "acme"


class TestSimulatedVenue(SimulatedVenueCards):
    """The simulated venue."""

    plugin = "acme"
