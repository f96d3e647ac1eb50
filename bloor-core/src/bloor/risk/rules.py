"""The instrument's own rules, as the gate's first check: an order the venue must refuse is never sent.

Control 14 of the list of pre-trade controls: tick, lot, minimum and maximum quantity and value, trading status,
post-only orders that would cross. Prices and quantities are integers of ticks and lots, so that the grid itself cannot
be missed; what is checked here is that they are in range and agree with each other.
"""

from __future__ import annotations

from decimal import ROUND_CEILING, ROUND_FLOOR, Context, Decimal
from enum import IntEnum
from typing import Any, ClassVar, NamedTuple

import numpy as np
from attrs import frozen

from bloor.market.events import NO_PRICE
from bloor.market.view import BookView
from bloor.model.decimals import INT64_MAX
from bloor.model.instrument import Instrument
from bloor.model.orders import OrderType, Side, TimeInForce
from bloor.risk import rules_kernel
from bloor.risk.check import Exposure, OrderIntent, RiskCheck
from bloor.risk.compiled import WIDEST, CompiledCheck, wide_cells

__all__ = ["InstrumentRules", "Rule", "RulesLimits"]


class Rule(IntEnum):
    """What an order can break; the names are the denial codes."""

    INSTRUMENT_UNKNOWN = 1
    INSTRUMENT_NOT_TRADING = 2
    #: Its precision was guessed from recorded text: good for reading, not for orders.
    INSTRUMENT_INFERRED = 3
    SIDE_INVALID = 4
    TYPE_INVALID = 5
    QUANTITY_BELOW_MIN = 6
    QUANTITY_ABOVE_VENUE_MAX = 7
    #: ``units`` is not ``lots`` in units.
    QUANTITY_INCONSISTENT = 8
    PRICE_NOT_POSITIVE = 9
    NOTIONAL_BELOW_MIN = 10
    NOTIONAL_ABOVE_VENUE_MAX = 11
    POST_ONLY_WOULD_CROSS = 12


@frozen
class RulesLimits:
    """The rules have no limits of their own: the instruments hold them."""


class _Bounds(NamedTuple):
    """An instrument in the integers that one order needs; quantities fit 63 bits, values 127."""

    refused: int
    lot_units: int
    min_lots: int
    max_lots: int
    value_scale: int
    min_value: int
    max_value: int

    def cells(self) -> list[int]:
        """A row of :mod:`bloor.risk.rules_kernel`."""
        refused, lot_units, min_lots, max_lots, value_scale, min_value, max_value = self
        return [
            refused, lot_units, min_lots, max_lots, value_scale, *wide_cells(min_value - 1), *wide_cells(max_value)
        ]  # fmt: skip


class InstrumentRules(RiskCheck):
    """Denies what the venue's own rules forbid. Costs about 0.7 us."""

    name: ClassVar[str] = "instrument-rules"
    limits: ClassVar[type[Any]] = RulesLimits
    codes: ClassVar[dict[int, str]] = {rule.value: rule.name for rule in Rule}

    _TYPES: ClassVar[frozenset[int]] = frozenset(OrderType)
    _TIFS: ClassVar[frozenset[int]] = frozenset(TimeInForce)

    def __init__(self, limits: Any, instruments: tuple[Instrument, ...]) -> None:
        self._bounds: list[_Bounds] = []
        self._cells = np.zeros(rules_kernel.ROWS + rules_kernel.ROW_CELLS * len(instruments), np.int64)
        self._cells[rules_kernel.COUNT] = len(instruments)
        for index, instrument in enumerate(instruments):
            self._bounds.append(_bounds(instrument))
            self._write(index)

    @classmethod
    def sim_limits(cls) -> RulesLimits:
        """Nothing to state."""
        return RulesLimits()

    def replace(self, index: int, instrument: Instrument) -> None:
        """Takes over new rules of an instrument while the run goes on: a trading halt, a changed filter."""
        self._bounds[index] = _bounds(instrument)
        self._write(index)

    def _write(self, index: int) -> None:
        """Writes the bounds of an instrument where compiled code reads them."""
        at = rules_kernel.ROWS + rules_kernel.ROW_CELLS * index
        self._cells[at : at + rules_kernel.ROW_CELLS] = self._bounds[index].cells()

    def compiled(self) -> CompiledCheck:
        """The same rules over the same bounds; :meth:`replace` changes both."""
        return CompiledCheck((rules_kernel,), self._cells)

    def check(self, order: OrderIntent, book: BookView, exposure: Exposure, now_ns: int) -> int:
        """The first rule the order breaks, or 0."""
        index = order.instrument
        if not 0 <= index < len(self._bounds):
            return Rule.INSTRUMENT_UNKNOWN
        bounds = self._bounds[index]
        if bounds.refused:
            return bounds.refused
        side, lots, price = order.side, order.lots, order.price
        if side != 1 and side != -1:
            return Rule.SIDE_INVALID
        if order.type not in self._TYPES or order.tif not in self._TIFS:
            return Rule.TYPE_INVALID
        if lots < bounds.min_lots:
            return Rule.QUANTITY_BELOW_MIN
        if lots > bounds.max_lots:
            return Rule.QUANTITY_ABOVE_VENUE_MAX
        if order.units != lots * bounds.lot_units:
            return Rule.QUANTITY_INCONSISTENT
        if price <= 0:
            return Rule.PRICE_NOT_POSITIVE
        value = price * bounds.value_scale * order.units
        if value < bounds.min_value:
            return Rule.NOTIONAL_BELOW_MIN
        if value > bounds.max_value:
            return Rule.NOTIONAL_ABOVE_VENUE_MAX
        if order.type == OrderType.POST_ONLY and _crosses(side, price, book):
            return Rule.POST_ONLY_WOULD_CROSS
        return 0


def _crosses(side: int, price: int, book: BookView) -> bool:
    if side == Side.BUY:
        return book.best_ask != NO_PRICE and price >= book.best_ask
    return book.best_bid != NO_PRICE and price <= book.best_bid


def _bounds(instrument: Instrument) -> _Bounds:
    largest = INT64_MAX // instrument.lot_units
    min_value = value_units(instrument.min_notional, instrument, ROUND_CEILING)
    max_value = value_units(instrument.max_notional, instrument, ROUND_FLOOR) if instrument.max_notional else 1 << 126
    return _Bounds(
        _refused(instrument, min_value),
        min(instrument.lot_units, INT64_MAX),
        min(instrument.min_lots, INT64_MAX),
        min(instrument.max_lots or largest, largest),
        min(instrument.tick_units, INT64_MAX),
        min(min_value, WIDEST),
        min(max_value, WIDEST),
    )


def _refused(instrument: Instrument, min_value: int) -> int:
    """The rule that every order in an instrument breaks; 0 when there is none."""
    if instrument.inferred:
        return Rule.INSTRUMENT_INFERRED
    if not instrument.trading:
        return Rule.INSTRUMENT_NOT_TRADING
    # what cannot be counted cannot be compared
    if instrument.min_lots > INT64_MAX:
        return Rule.QUANTITY_BELOW_MIN
    if min_value > WIDEST:
        return Rule.NOTIONAL_BELOW_MIN
    return Rule.NOTIONAL_ABOVE_VENUE_MAX if instrument.tick_units > INT64_MAX else 0


def value_units(value: Decimal, instrument: Instrument, rounding: str) -> int:
    """A value in the quote asset in units of :meth:`Instrument.value_units`, rounded to the safe side."""
    exact = Context(prec=120)
    return int(value.scaleb(instrument.value_decimals, exact).to_integral_value(rounding, exact))
