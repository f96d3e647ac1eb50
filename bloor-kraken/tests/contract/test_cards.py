"""The contract cards of Kraken."""

from __future__ import annotations

from bloor.testing import ExecutorCards, FeedCards, FeeModelCards, NormalizerCards, SimulatedVenueCards


class TestFeed(FeedCards):
    plugin = "kraken"


class TestNormalizer(NormalizerCards):
    plugin = "kraken"


class TestExecutor(ExecutorCards):
    plugin = "kraken"


class TestSimulatedVenue(SimulatedVenueCards):
    plugin = "kraken"


class TestFees(FeeModelCards):
    plugin = "kraken"
