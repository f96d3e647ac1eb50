"""The contract cards of the strategies that trade one thing against itself."""

from __future__ import annotations

from typing import ClassVar

from attrs import evolve

from bloor.model.instrument import Instrument
from bloor.testing import StrategyCards
from bloor.testing.bothforms import INSTRUMENT


class TestArbitrage(StrategyCards):
    plugin = "arbitrage"
    symbols = ("binance:BTC-USDT", "kraken:BTC-USDT")


class TestTriangular(StrategyCards):
    plugin = "triangular"
    symbols = ("binance:BTC-USDT", "binance:ETH-BTC", "binance:ETH-USDT")
    sets = ("run.rates.BTC=60000",)
    legs: ClassVar[tuple[tuple[Instrument, int], ...]] = (
        (INSTRUMENT, 6_000_000),
        (evolve(INSTRUMENT, symbol="C-A", base="C", quote="A", price_decimals=6), 50_000),
        (evolve(INSTRUMENT, symbol="C-B", base="C"), 300_000),
    )
