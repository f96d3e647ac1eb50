"""The contract cards of Coinbase."""

from __future__ import annotations

from bloor.testing import ExecutorCards, FeedCards, FeeModelCards, NormalizerCards, SimulatedVenueCards


class TestFeed(FeedCards):
    plugin = "coinbase"


class TestNormalizer(NormalizerCards):
    plugin = "coinbase"


class TestExecutor(ExecutorCards):
    plugin = "coinbase"


class TestSimulatedVenue(SimulatedVenueCards):
    plugin = "coinbase"


class TestFees(FeeModelCards):
    plugin = "coinbase"
