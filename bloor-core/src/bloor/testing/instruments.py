"""Instruments of every shape, for what must work with any of them."""

from __future__ import annotations

from bloor.model.instrument import Instrument

__all__ = ["SHAPES", "TRADED", "shaped"]


def shaped(
    price_decimals: int, qty_decimals: int, *, tick_units: int = 1, lot_units: int = 1, number: int = 0
) -> Instrument:
    """An instrument of the venue ``test``: ``A0-B`` and so on."""
    return Instrument(
        venue="test", symbol=f"A{number}-B", venue_symbol=f"A{number}B", base=f"A{number}", quote="B",
        price_decimals=price_decimals, qty_decimals=qty_decimals, tick_units=tick_units, lot_units=lot_units,
    )  # fmt: skip


#: As far as decimals go: coarse and fine prices and quantities, ticks and lots of several units.
SHAPES = (
    shaped(2, 8, lot_units=1000, number=0),
    shaped(0, 0, number=1),
    shaped(8, 1, tick_units=5, number=2),
    shaped(4, 18, tick_units=25, lot_units=10**9, number=3),
    shaped(18, 4, number=4),
)

#: Precisions that venues have: a major pair, whole numbers, a coin of tiny price, ticks of 25 units.
TRADED = (
    shaped(2, 8, lot_units=1000, number=0),
    shaped(0, 0, number=1),
    shaped(8, 0, tick_units=5, number=2),
    shaped(4, 9, tick_units=25, lot_units=1000, number=3),
)
