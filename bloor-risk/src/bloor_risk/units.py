"""Decimal limits as integers of an instrument, rounded to the strict side, and what a limit may be."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import ROUND_FLOOR, Context, Decimal
from typing import Any, NamedTuple

from bloor.errors import UsageError
from bloor.model.decimals import INT64_MAX
from bloor.model.instrument import Instrument
from bloor.model.symbols import parse_symbol
from bloor.risk.compiled import WIDEST, wide_cells

__all__ = ["Bounds", "bounds", "floor_units", "floor_value", "for_symbol", "non_negative", "positive", "symbols"]

#: Digits enough for any limit (below 1e64) in any unit (1e-36).
_EXACT = Context(prec=120)


class Bounds(NamedTuple):
    """Limits in the integers of one instrument; quantities fit 63 bits, values 127.

    Attributes:
        max_units: Largest quantity, in units.
        tick_units: What a tick is worth.
        max_value: Largest value, in units of :meth:`Instrument.value_units`.
    """

    max_units: int
    tick_units: int
    max_value: int

    def cells(self) -> list[int]:
        """A row of :mod:`bloor_risk.kernels.bounds`."""
        return [self.max_units, self.tick_units, *wide_cells(self.max_value)]


def bounds(quantity: Decimal, value: Decimal, instrument: Instrument) -> Bounds:
    """Limits of an instrument; what is too large to be compared allows less, never more.

    Args:
        quantity: Limit in the base asset.
        value: Limit in the quote asset.
        instrument: In whose units they are wanted.
    """
    max_units = min(floor_units(quantity, instrument), INT64_MAX)
    if instrument.tick_units > INT64_MAX:
        return Bounds(max_units, 1, -1)  # no order has so small a value
    return Bounds(max_units, instrument.tick_units, min(floor_value(value, instrument), WIDEST))


def floor_units(quantity: Decimal, instrument: Instrument) -> int:
    """A quantity of the base asset in units, rounded down: a limit between two units allows the lower."""
    return _floor(quantity, instrument.qty_decimals)


def floor_value(value: Decimal, instrument: Instrument) -> int:
    """A value in the quote asset in units of :meth:`Instrument.value_units`, rounded down."""
    return _floor(value, instrument.value_decimals)


def _floor(number: Decimal, decimals: int) -> int:
    return int(number.scaleb(decimals, _EXACT).to_integral_value(ROUND_FLOOR, _EXACT))


def for_symbol(by_symbol: Mapping[str, Decimal], instrument: Instrument, default: Decimal) -> Decimal:
    """The limit of an instrument: the one for ``venue:SYMBOL``, else for ``SYMBOL``, else the default."""
    qualified = f"{instrument.venue}:{instrument.symbol}"
    return by_symbol.get(qualified, by_symbol.get(instrument.symbol, default))


# ---- validators: the text of their error is the expectation, after the name of the limit in quotes


def non_negative(_: Any, attribute: Any, value: Decimal | int | None) -> None:
    """Refuses a limit below zero; None is left to whoever needs the limit."""
    if value is not None and value < 0:
        raise ValueError(f"'{attribute.name}' must be zero or more: {value}")


def positive(_: Any, attribute: Any, value: Decimal | int | None) -> None:
    """Refuses a limit that is not above zero."""
    if value is not None and value <= 0:
        raise ValueError(f"'{attribute.name}' must be above zero: {value}")


def symbols(_: Any, attribute: Any, value: Mapping[str, Decimal]) -> None:
    """Refuses a table with a key that is no symbol, or a limit below zero."""
    for symbol, limit in value.items():
        try:
            venue, canonical = parse_symbol(symbol)
        except UsageError as error:
            raise ValueError(f"'{attribute.name}' must be keyed by symbols: {error}") from None
        written = f"{venue}:{canonical}" if venue else canonical
        if written != symbol:
            raise ValueError(f"'{attribute.name}' must be keyed by symbols as {written!r}, not {symbol!r}")
        if limit < 0:
            raise ValueError(f"'{attribute.name}' must be zero or more: {symbol} = {limit}")
