"""Candles and mark prices as events."""

from __future__ import annotations

import pytest

from bloor.errors import MoneyError
from bloor.market.derived import kline_prices, kline_volumes, mark_prices
from bloor.market.events import NO_PRICE
from bloor.market.messages import KlineMessage, MarkPriceMessage
from bloor.model.instrument import Instrument

INSTRUMENT = Instrument(
    venue="v", symbol="A-B", venue_symbol="AB", base="A", quote="B", price_decimals=2, qty_decimals=8
)
CANDLE = KlineMessage("AB", 5, 1, 2, "1.00", "1.5", "0.50", "1.25", "1000.5", "500.25", 7, True)
MARK = MarkPriceMessage("AB", 5, "11794.15000000", "11784.62659091", "-0.00038167", 9)


def test_candle_in_ticks_and_units() -> None:
    """Prices are ticks, volumes units, times and counts as they came."""
    assert kline_prices(INSTRUMENT, CANDLE) == (100, 150, 50, 125)
    assert kline_volumes(INSTRUMENT, CANDLE) == (2, 100_050_000_000, 7, 50_025_000_000)


def test_volume_beyond_63_bits() -> None:
    """A volume that does not fit is -1, and no error: tiny coins trade that much in a day."""
    assert kline_volumes(INSTRUMENT, CANDLE._replace(volume="10000000000000.00000000")) == (2, -1, 7, 50_025_000_000)


@pytest.mark.parametrize("change", [{"low": "0.00"}, {"high": "1.001"}, {"open": "x"}])
def test_candle_with_an_impossible_price(change: dict[str, str]) -> None:
    """No candle has a price of zero or off the tick."""
    with pytest.raises(MoneyError):
        kline_prices(INSTRUMENT, CANDLE._replace(**change))


@pytest.mark.parametrize("volume", ["0.000000001", "x", "-1"])
def test_candle_with_an_impossible_volume(volume: str) -> None:
    """A volume finer than the unit is an error, as it is everywhere."""
    with pytest.raises(MoneyError):
        kline_volumes(INSTRUMENT, CANDLE._replace(volume=volume))


def test_mark_price_in_its_own_units() -> None:
    """Mark, rate and index in 1e-8, since they are finer than ticks; the rate has a sign."""
    assert mark_prices(MARK) == (1_179_415_000_000, -38_167, 1_178_462_659_091, 9)
    assert mark_prices(MARK._replace(rate="0.0001", next_funding_ns=0)) == (
        1_179_415_000_000,
        10_000,
        1_178_462_659_091,
        0,
    )


def test_no_funding() -> None:
    """A contract without funding says so with a price that is none."""
    assert mark_prices(MARK._replace(rate=""))[1] == NO_PRICE


@pytest.mark.parametrize("rate", ["--1", "-", "1e-5", "0.000000001"])
def test_impossible_rate(rate: str) -> None:
    """A rate that is not exact in 1e-8 is an error."""
    with pytest.raises(MoneyError):
        mark_prices(MARK._replace(rate=rate))
