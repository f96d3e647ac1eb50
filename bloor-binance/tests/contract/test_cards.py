"""The contract cards of Binance."""

from __future__ import annotations

from bloor.testing import ExecutorCards, FeedCards, FeeModelCards, NormalizerCards, SimulatedVenueCards


class TestFeed(FeedCards):
    plugin = "binance"
    symbols = ("BTC-USDT", "ETH-USDT")


class TestNormalizer(NormalizerCards):
    plugin = "binance"


class TestSimulatedVenue(SimulatedVenueCards):
    plugin = "binance"


class TestExecutor(ExecutorCards):
    plugin = "binance"


class TestFees(FeeModelCards):
    plugin = "binance"
