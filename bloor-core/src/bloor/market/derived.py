"""Candles and mark prices: messages to the numbers of their event records, exact."""

from __future__ import annotations

from bloor.errors import MoneyError
from bloor.market.events import MARK_DECIMALS, NO_PRICE
from bloor.market.messages import KlineMessage, MarkPriceMessage
from bloor.model.decimals import decimals_of, parse_units
from bloor.model.instrument import Instrument

__all__ = ["kline_prices", "kline_volumes", "mark_prices"]

Four = tuple[int, int, int, int]


def kline_prices(instrument: Instrument, message: KlineMessage) -> Four:
    """Open, high, low and close in ticks.

    Raises:
        MoneyError: One is not a positive number exact in this instrument.
    """
    prices = [instrument.parse_price(text) for text in (message.open, message.high, message.low, message.close)]
    if min(prices) <= 0:
        raise MoneyError(f"{instrument.symbol}: no candle has a price of zero")
    first, high, low, last = prices
    return first, high, low, last


def kline_volumes(instrument: Instrument, message: KlineMessage) -> Four:
    """Close time, volume, number of trades and the takers' buy volume; volumes in units, -1 when beyond 63 bits.

    Raises:
        MoneyError: A volume is not a plain number exact in this instrument.
    """
    return (
        message.close_ns,
        volume(instrument, message.volume),
        message.trades,
        volume(instrument, message.taker_buy_volume),
    )


def volume(instrument: Instrument, text: str) -> int:
    """Units, or -1 when they are beyond 63 bits: the day's volume of a coin of tiny value is.

    Raises:
        MoneyError: It is not a plain number exact in this instrument.
    """
    try:
        return instrument.parse_qty(text)
    except MoneyError:
        if decimals_of(text) > instrument.qty_decimals:
            raise
        return -1


def mark_prices(message: MarkPriceMessage) -> Four:
    """Mark price, funding rate and index in units of ``10**-MARK_DECIMALS``, and the next funding time.

    Raises:
        MoneyError: One is not a plain number of that many decimals.
    """
    mark, index = parse_units(message.mark, MARK_DECIMALS), parse_units(message.index_price, MARK_DECIMALS)
    rate = NO_PRICE
    if message.rate:
        size = parse_units(message.rate.removeprefix("-"), MARK_DECIMALS)
        rate = -size if message.rate.startswith("-") else size
    return mark, rate, index, message.next_funding_ns
