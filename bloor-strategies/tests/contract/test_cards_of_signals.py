"""The contract cards of the strategies that follow a signal of the book or of the price."""

from __future__ import annotations

from bloor.testing import StrategyCards


class TestImbalance(StrategyCards):
    plugin = "imbalance"


class TestMicroPrice(StrategyCards):
    plugin = "micro-price"


class TestMeanReversion(StrategyCards):
    plugin = "mean-reversion"


class TestPairs(StrategyCards):
    plugin = "pairs"
    symbols = ("binance:ETH-USDT", "binance:SOL-USDT")
