"""The rules that prices and sizes of an order must pass ("Get Product": increments, smallest and largest sizes)."""

from __future__ import annotations

from decimal import Decimal

from bloor.model.instrument import Instrument
from bloor.model.orders import Side
from bloor_coinbase.simulated.errors import OrderRefusedError

__all__ = ["base_units", "check_band", "check_value", "price_ticks", "quote_value"]

#: How far a limit may reach through the last price: buys up to 1.5 times, sells down to half of it.
_BUY_BAND, _SELL_BAND = Decimal("1.5"), Decimal("0.5")
_MAX_TICKS = 10**12


def price_ticks(instrument: Instrument, price: Decimal, *, stop: bool = False) -> int:
    """A price in ticks.

    Raises:
        OrderRefusedError: It is not positive, or not on the price increment.
    """
    units = price.scaleb(instrument.price_decimals)
    ticks, rest = divmod(units, instrument.tick_units)
    if rest:
        raise OrderRefusedError("INVALID_PRICE_PRECISION", f"price must be a multiple of {instrument.tick_size}")
    if not 0 < ticks <= _MAX_TICKS:
        what = "stop" if stop else "limit"
        raise OrderRefusedError("INVALID_LIMIT_PRICE", f"invalid {what} price", f"PREVIEW_INVALID_{what.upper()}_PRICE")
    return int(ticks)


def base_units(instrument: Instrument, size: Decimal) -> int:
    """A quantity in units.

    Raises:
        OrderRefusedError: Not on the increment, too small, or too large.
    """
    units = size.scaleb(instrument.qty_decimals)
    if units % instrument.lot_units:
        raise OrderRefusedError("INVALID_SIZE_PRECISION", f"size must be a multiple of {instrument.lot_size}")
    lots = int(units) // instrument.lot_units
    if lots < instrument.min_lots:
        raise OrderRefusedError("INVALID_REQUEST", "size is too small", "PREVIEW_INVALID_BASE_SIZE_TOO_SMALL")
    if instrument.max_lots and lots > instrument.max_lots:
        raise OrderRefusedError("INVALID_REQUEST", "size is too large", "PREVIEW_INVALID_BASE_SIZE_TOO_LARGE")
    return int(units)


def quote_value(instrument: Instrument, amount: Decimal) -> Decimal:
    """An amount of the quote asset.

    Raises:
        OrderRefusedError: Not on the quote increment, too small, or too large.
    """
    if amount % instrument.tick_size:
        raise OrderRefusedError(
            "INVALID_SIZE_PRECISION",
            f"quote_size must be a multiple of {instrument.tick_size}",
            "PREVIEW_INVALID_QUOTE_SIZE_PRECISION",
        )
    _check_amount(instrument, amount)
    return amount


def check_value(instrument: Instrument, ticks: int, units: int) -> None:
    """Refuses an order that is worth too little or too much. Raises OrderRefusedError."""
    _check_amount(instrument, instrument.price(ticks) * instrument.qty(units))


def check_band(side: Side, ticks: int, last: int) -> None:
    """Refuses a limit that reaches far through the last price. Raises OrderRefusedError."""
    if not last:
        return
    if side is Side.BUY and ticks > last * _BUY_BAND:
        raise OrderRefusedError(
            "LIMIT_ORDER_PRICE_EXCEEDS_PRICE_BAND_ON_BUY", "limit price is far above the last price"
        )
    if side is Side.SELL and ticks < last * _SELL_BAND:
        raise OrderRefusedError(
            "LIMIT_ORDER_PRICE_EXCEEDS_PRICE_BAND_ON_SELL", "limit price is far below the last price"
        )


def _check_amount(instrument: Instrument, amount: Decimal) -> None:
    if amount < instrument.min_notional:
        raise OrderRefusedError("INVALID_REQUEST", "order is too small", "PREVIEW_INVALID_QUOTE_SIZE_TOO_SMALL")
    if instrument.max_notional and amount > instrument.max_notional:
        raise OrderRefusedError("INVALID_REQUEST", "order is too large", "PREVIEW_INVALID_QUOTE_SIZE_TOO_LARGE")
