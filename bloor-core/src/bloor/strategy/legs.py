"""The instruments of one strategy side by side: what tells them apart, and their desks as compiled code finds them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from decimal import Decimal
from typing import NamedTuple

import numpy as np

from bloor.model.instrument import Instrument
from bloor.native.memory import Cells
from bloor.strategy.memory import OrdersRecord

__all__ = ["Traits", "describe", "join", "traits_of"]


class Traits(NamedTuple):
    """What :class:`~bloor.strategy.api.Orders` says of its instrument.

    Attributes:
        venue: Number of the venue; equal numbers in one run are one venue.
        base: Number of the base asset.
        quote: Number of the quote asset; base and quote assets are numbered together.
        tick: A tick, in the quote asset.
        lot: A lot, in the base asset.
        unit: A unit, in the base asset.
    """

    venue: int
    base: int
    quote: int
    tick: float
    lot: float
    unit: float


def traits_of(instruments: Iterable[Instrument]) -> list[Traits]:
    """The traits of every instrument of a run; venues and assets are numbered from 0 as they come."""
    venues: dict[str, int] = {}
    assets: dict[str, int] = {}
    return [
        Traits(
            venue=venues.setdefault(i.venue, len(venues)),
            base=assets.setdefault(i.base, len(assets)),
            quote=assets.setdefault(i.quote, len(assets)),
            tick=float(i.tick_size),
            lot=float(i.lot_size),
            unit=float(Decimal(1).scaleb(-i.qty_decimals)),
        )
        for i in instruments
    ]


def describe(orders: OrdersRecord, instrument: Instrument, traits: Traits) -> None:
    """Writes every cell of a desk that its instrument decides."""
    orders.lot_units, orders.min_lots = instrument.lot_units, instrument.min_lots
    orders.tick_units, orders.value_scale = instrument.tick_units, float(10**instrument.value_decimals)
    orders.venue, orders.base, orders.quote = traits.venue, traits.base, traits.quote
    orders.tick, orders.lot, orders.unit = traits.tick, traits.lot, traits.unit


def join(desks: Sequence[OrdersRecord]) -> Cells:
    """Makes desks the legs of one strategy, in this order; one desk alone is joined too.

    Returns:
        The addresses of the desks, ``(legs,)``: compiled code finds them there, so keep it, and the desks, alive.
    """
    table = np.array([orders.address for orders in desks], np.int64)
    for leg, orders in enumerate(desks):
        orders.leg, orders.legs, orders.desks = leg, len(desks), int(table.ctypes.data)
    return table
