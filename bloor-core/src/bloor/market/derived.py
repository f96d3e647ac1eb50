"""Trades, quotes, candles and mark prices: messages to the numbers of their event records, exact."""

from __future__ import annotations

from bloor.errors import MoneyError
from bloor.market.events import MARK_DECIMALS, NO_PRICE
from bloor.market.messages import BboMessage, KlineMessage, MarkPriceMessage, TradeMessage
from bloor.model.decimals import decimals_of, parse_units
from bloor.model.instrument import Instrument

__all__ = ["bbo_sides", "kline_prices", "kline_volumes", "mark_prices", "trade_sizes"]

Four = tuple[int, int, int, int]


def trade_sizes(instrument: Instrument, message: TradeMessage) -> tuple[int, int]:
    """Price and quantity of a trade in ticks and units.

    Raises:
        MoneyError: One is not a positive number exact in this instrument.
    """
    price, qty = instrument.parse_price(message.price), instrument.parse_qty(message.qty)
    if price <= 0 or qty <= 0:
        raise MoneyError(f"{instrument.symbol}: no trade has price {message.price} and quantity {message.qty}")
    return price, qty


def bbo_sides(instrument: Instrument, message: BboMessage) -> Four:
    """Bid, its quantity, ask, its quantity; a side without a price is empty.

    Raises:
        MoneyError: One is not a plain number exact in this instrument.
    """
    bid, ask = instrument.parse_price(message.bid), instrument.parse_price(message.ask)
    return (
        bid or NO_PRICE,
        instrument.parse_qty(message.bid_qty) if bid else 0,
        ask or NO_PRICE,
        instrument.parse_qty(message.ask_qty) if ask else 0,
    )


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
    """Units, or -1 when the venue says none, or they are beyond 63 bits: the day's volume of a coin of tiny value is.

    Raises:
        MoneyError: It is not a plain number exact in this instrument.
    """
    if not text:
        return -1
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
