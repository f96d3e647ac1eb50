"""What is traded: an instrument and the units its integers count in.

Three integer units, all exact:

==============  ===============================================  =======================================
unit            one of them is worth                             used for
==============  ===============================================  =======================================
**ticks**       ``tick_units / 10**price_decimals`` of the quote  every price, in books, events and orders
**units**       ``1 / 10**qty_decimals`` of the base              quantities in books, events, fills, positions
**lots**        ``lot_units`` units                               quantities of our own orders
==============  ===============================================  =======================================

Book quantities are finer than order lots on real venues (a BTCUSDT depth row reads ``25.42618900`` where the order
lot is 0.00001), which is why they have a unit of their own: the venue's printed precision. A product of ticks and
units can pass 2**63: multiply as Python integers, or check first.
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from attrs import evolve, field, fields, frozen, validators

from bloor.errors import MoneyError
from bloor.model.decimals import INT64_MAX, MAX_DECIMALS, decimals_of, format_units, parse_units, units_of

__all__ = ["Instrument", "InstrumentKey", "inferred_instrument"]

#: ``(venue, canonical symbol)``.
InstrumentKey = tuple[str, str]

_decimals = [validators.instance_of(int), validators.ge(0), validators.le(MAX_DECIMALS)]
_positive = [validators.instance_of(int), validators.ge(1)]


@frozen(kw_only=True)
class Instrument:
    """One listed pair on one venue.

    Attributes:
        venue: The venue's plug-in name, e.g. ``binance``.
        symbol: Canonical symbol, e.g. ``BTC-USDT``.
        venue_symbol: The venue's own name, e.g. ``BTCUSDT``.
        base: Base asset.
        quote: Quote asset.
        price_decimals: Decimals that a price needs.
        tick_units: The tick in units of ``10**-price_decimals``; 1 unless the tick is like 0.05 or 0.5.
        qty_decimals: Decimals of a book quantity (the venue's printed precision).
        lot_units: The order lot in units of ``10**-qty_decimals``.
        min_lots: Smallest order quantity, in lots.
        max_lots: Largest order quantity, in lots; 0 when the venue states none.
        min_notional: Smallest order value, in the quote asset; 0 when the venue states none.
        max_notional: Largest order value, in the quote asset; 0 when the venue states none.
        trading: Whether the venue accepts orders for it now.
        inferred: True when precision was read off the recorded text; such an instrument may be refined and never
            carries orders.
    """

    venue: str
    symbol: str
    venue_symbol: str
    base: str
    quote: str
    price_decimals: int = field(validator=_decimals)
    tick_units: int = field(default=1, validator=_positive)
    qty_decimals: int = field(validator=_decimals)
    lot_units: int = field(default=1, validator=_positive)
    min_lots: int = field(default=1, validator=_positive)
    max_lots: int = field(default=0, validator=[validators.instance_of(int), validators.ge(0)])
    min_notional: Decimal = Decimal(0)
    max_notional: Decimal = Decimal(0)
    trading: bool = True
    inferred: bool = False

    @property
    def key(self) -> InstrumentKey:
        """``(venue, symbol)``."""
        return (self.venue, self.symbol)

    @property
    def tick_size(self) -> Decimal:
        """The price step, in the quote asset."""
        return Decimal(self.tick_units).scaleb(-self.price_decimals)

    @property
    def lot_size(self) -> Decimal:
        """The order quantity step, in the base asset."""
        return Decimal(self.lot_units).scaleb(-self.qty_decimals)

    def record(self) -> dict[str, Any]:
        """Every field as plain data, decimals as text; :meth:`from_record` reads it back."""
        return {f.name: str(v) if isinstance(v := getattr(self, f.name), Decimal) else v for f in fields(Instrument)}

    @classmethod
    def from_record(cls, record: Mapping[str, Any]) -> Instrument:
        """What :meth:`record` made.

        Raises:
            MoneyError: A field is missing, unknown, or not of its type.
        """
        money = {name: Decimal(record[name]) for name in ("min_notional", "max_notional") if name in record}
        try:
            return cls(**{**record, **money})
        except (TypeError, ValueError) as error:
            raise MoneyError(f"expected an instrument record, got {dict(record)!r:.200}: {error}") from error

    def parse_price(self, text: str) -> int:
        """Price text as ticks, exact.

        Raises:
            MoneyError: Not a plain number, or not on the tick grid.
        """
        units = parse_units(text, self.price_decimals)
        if self.tick_units == 1:
            return units
        ticks, rest = divmod(units, self.tick_units)
        if rest:
            raise MoneyError(f"{self.symbol}: price {text} is not a multiple of the tick {self.tick_size}")
        return ticks

    def parse_qty(self, text: str) -> int:
        """Quantity text as units, exact.

        Raises:
            MoneyError: Not a plain number, or finer than the book's precision.
        """
        return parse_units(text, self.qty_decimals)

    def format_price(self, ticks: int) -> str:
        """Ticks as decimal text with ``price_decimals`` decimals."""
        return format_units(ticks * self.tick_units, self.price_decimals)

    def format_qty(self, units: int) -> str:
        """Units as decimal text with ``qty_decimals`` decimals."""
        return format_units(units, self.qty_decimals)

    def format_lots(self, lots: int) -> str:
        """An order quantity in lots as decimal text."""
        return format_units(lots * self.lot_units, self.qty_decimals)

    def ticks_of(self, price: Decimal) -> int:
        """A decimal price as ticks, exact.

        Raises:
            MoneyError: Not on the tick grid.
        """
        ticks, rest = divmod(units_of(price, self.price_decimals), self.tick_units)
        if rest:
            raise MoneyError(f"{self.symbol}: price {price} is not a multiple of the tick {self.tick_size}")
        return ticks

    def lots_of(self, qty: Decimal) -> int:
        """A decimal quantity as whole lots, exact.

        Raises:
            MoneyError: Not a whole number of lots.
        """
        lots, rest = divmod(units_of(qty, self.qty_decimals), self.lot_units)
        if rest:
            raise MoneyError(f"{self.symbol}: quantity {qty} is not a multiple of the lot {self.lot_size}")
        return lots

    def price(self, ticks: int) -> Decimal:
        """Ticks as a decimal price in the quote asset."""
        return Decimal(ticks * self.tick_units).scaleb(-self.price_decimals)

    def qty(self, units: int) -> Decimal:
        """Units as a decimal quantity of the base asset."""
        return Decimal(units).scaleb(-self.qty_decimals)

    @property
    def value_decimals(self) -> int:
        """Decimals of :meth:`value_units`."""
        return self.price_decimals + self.qty_decimals

    def value_units(self, ticks: int, units: int) -> int:
        """``price * quantity`` in units of ``10**-value_decimals`` of the quote asset, exact and unbounded."""
        return ticks * self.tick_units * units

    def value(self, ticks: int, units: int) -> Decimal:
        """``price * quantity`` in the quote asset, exact.

        Raises:
            MoneyError: The product passes 2**96, which no account can hold.
        """
        product = self.value_units(ticks, units)
        if abs(product) >> 96:
            raise MoneyError(f"{self.symbol}: the value of {ticks} ticks times {units} units is out of range")
        return Decimal(f"{product}E-{self.value_decimals}")

    def refined(self, price_text: str, qty_text: str) -> Instrument:
        """The same instrument, with decimals raised as far as these texts need; only for inferred ones.

        Raises:
            MoneyError: A text is not a plain decimal number, or needs more than 18 decimals.
        """
        price_decimals = max(self.price_decimals, decimals_of(price_text))
        qty_decimals = max(self.qty_decimals, decimals_of(qty_text))
        if price_decimals == self.price_decimals and qty_decimals == self.qty_decimals:
            return self
        return evolve(self, price_decimals=price_decimals, qty_decimals=qty_decimals)

    def check(self) -> None:
        """Refuses an instrument whose own limits do not fit.

        Raises:
            MoneyError: The largest order does not fit 63 bits of units.
        """
        if self.max_lots * self.lot_units > INT64_MAX:
            raise MoneyError(
                f"{self.symbol}: the largest order does not fit 63 bits in units of 1e-{self.qty_decimals}"
            )


def inferred_instrument(venue: str, symbol: str, venue_symbol: str, base: str = "", quote: str = "") -> Instrument:
    """An instrument of which only the name is known; decimals start at 0 and are refined from the text that comes."""
    return Instrument(
        venue=venue,
        symbol=symbol,
        venue_symbol=venue_symbol,
        base=base,
        quote=quote,
        price_decimals=0,
        qty_decimals=0,
        inferred=True,
    )
