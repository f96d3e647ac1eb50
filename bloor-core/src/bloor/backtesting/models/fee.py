"""What a fee model is: what a venue takes of each fill, by how much was traded before.

A fee is a fraction of the value of a fill, in the quote asset; or a fraction of what is received, so that a buy pays in
the base asset. It is an exact integer of :data:`FEE_DECIMALS` decimals of that asset, and what is finer is cut off, as
venues do (Binance, "Commission Rates": 8 decimals) and as the simulated venues do.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from decimal import ROUND_FLOOR, Decimal
from enum import Enum
from itertools import pairwise
from typing import Any, ClassVar

import numpy as np
from attrs import Attribute, field, frozen

from bloor.backtesting.models import fee_kernel
from bloor.errors import MoneyError
from bloor.model.decimals import INT64_MAX
from bloor.model.instrument import Instrument
from bloor.native.entries import Entries, compiled_entries
from bloor.native.memory import Cells

__all__ = [
    "DOLLARS",
    "FEE_DECIMALS",
    "FeeAsset",
    "FeeEntries",
    "FeeModel",
    "FeeSchedule",
    "FeeTier",
    "fee_tiers",
    "traded_value",
]

#: Decimals of a fee.
FEE_DECIMALS = 8
#: Decimals of the value traded so far, by which tiers are chosen.
TRADED_DECIMALS = 4
#: Decimals of a rate.
RATE_DECIMALS = 9
#: Assets that count as dollars in a venue's tiers.
DOLLARS = frozenset({"USD", "USDT", "USDC", "FDUSD", "TUSD", "BUSD", "USDP", "DAI", "PYUSD", "RLUSD", "USDG"})
#: No fee is more than all, and no rebate is.
_WHOLE = Decimal(1)


class FeeAsset(Enum):
    """What a fee is taken in."""

    QUOTE = "quote"
    #: A buy pays in the base asset, a sell in the quote asset.
    RECEIVED = "received"


@frozen(kw_only=True)
class FeeTier:
    """The rates from some traded value on, as fractions of the value: 0.001 is 0.1 %; negative is a rebate.

    Attributes:
        from_value: The traded value of the last 30 days, in the quote asset, from which they count.
        maker: Of what a resting order receives.
        taker: Of what an order receives that trades at once.
    """

    from_value: Decimal = Decimal(0)
    maker: Decimal = field()
    taker: Decimal = field()

    @maker.validator
    @taker.validator
    def _fits(self, attribute: Attribute[Any], rate: Decimal) -> None:
        if not rate.is_finite() or abs(rate) > _WHOLE or rate != round(rate, RATE_DECIMALS):
            raise ValueError(f"'{attribute.name}' must be within -1 and 1 with at most 9 decimals: {rate}")


def fee_tiers(*rows: tuple[str, str, str]) -> tuple[FeeTier, ...]:
    """Tiers of a schedule from rows of ``(traded value, maker, taker)``, as decimal text."""
    return tuple(FeeTier(from_value=Decimal(v), maker=Decimal(m), taker=Decimal(t)) for v, m, t in rows)


def _are_tiers(_: Any, attribute: Attribute[Any], tiers: tuple[FeeTier, ...]) -> None:
    values = [tier.from_value for tier in tiers]
    if not tiers or values[0] != 0 or any(b <= a for a, b in pairwise(values)):
        raise ValueError(f"'{attribute.name}' must begin at a value of 0 and rise: {[str(v) for v in values]}")


@frozen(kw_only=True)
class FeeSchedule:
    """The fees of one instrument.

    Attributes:
        tiers: The rates, the first from a value of 0 on, each from more than the one before.
        asset: What fees are taken in.
        counts: Whether fills of this instrument bring the next tier nearer; false where its quote asset is not what
            the tiers count in. A value counts for the whole run, also beyond 30 days.
    """

    tiers: tuple[FeeTier, ...] = field(validator=_are_tiers)
    asset: FeeAsset = FeeAsset.QUOTE
    counts: bool = True

    def cells(self, instrument: Instrument, traded: Cells) -> Cells:
        """The cells of :mod:`~bloor.backtesting.models.fee_kernel`.

        Args:
            instrument: Whose fills are charged.
            traded: One cell, the value traded so far (:func:`traded_value`); instruments of one account share it, and
                it stays where it is for as long as the cells are used.

        Raises:
            MoneyError: A tick of the instrument is too large.
        """
        finer = instrument.value_decimals - TRADED_DECIMALS
        factor = instrument.tick_units * 10 ** max(0, -finer)
        if instrument.tick_units * 10**RATE_DECIMALS > INT64_MAX or factor > INT64_MAX:
            raise MoneyError(f"{instrument.symbol}: a tick of {instrument.tick_units} units is too large for fees")
        k = fee_kernel
        cells = np.zeros(k.TIERS + k.TIER_CELLS * len(self.tiers), np.int64)
        cells[k.RECEIVED] = self.asset is FeeAsset.RECEIVED
        cells[k.QUOTE_CUT] = instrument.value_decimals + RATE_DECIMALS - FEE_DECIMALS
        cells[k.BASE_CUT] = instrument.qty_decimals + RATE_DECIMALS - FEE_DECIMALS
        cells[k.TICK_UNITS] = instrument.tick_units
        cells[k.TRADED] = traded.ctypes.data if len(self.tiers) > 1 else 0
        cells[k.TRADED_FACTOR], cells[k.TRADED_CUT] = (factor if self.counts else 0), max(0, finer)
        cells[k.COUNT] = len(self.tiers)
        for number, tier in enumerate(self.tiers):
            at = k.TIERS + k.TIER_CELLS * number
            rates = [int(rate.scaleb(RATE_DECIMALS)) for rate in (tier.maker, tier.taker)]
            cells[at : at + k.TIER_CELLS] = [_threshold(tier.from_value), *rates]
        return cells


def _threshold(value: Decimal) -> int:
    return min(int(value.scaleb(TRADED_DECIMALS).to_integral_value(ROUND_FLOOR)), INT64_MAX)


def traded_value(start: Decimal = Decimal(0)) -> Cells:
    """The cell of the value that an account has traded, ``(1,)`` int64 of :data:`TRADED_DECIMALS` decimals.

    Args:
        start: The value of the 30 days before the run, in the quote asset.
    """
    return np.array([min(_threshold(start), fee_kernel.MOST)], np.int64)


@frozen(eq=False)
class FeeEntries:
    """The fees of an instrument as compiled code asks for them; the address is good for as long as this lives.

    Attributes:
        fee: Address of :func:`~bloor.backtesting.models.fee_kernel.fee` as a C function of five int64 that gives one.
        cells: Its first argument is their address.
        traded: The cell of the traded value.
        entries: The compiled code.
    """

    fee: int
    cells: Cells
    traded: Cells
    entries: Entries

    @property
    def params(self) -> int:
        """Address of the cells."""
        return int(self.cells.ctypes.data)

    @property
    def received(self) -> bool:
        """Whether a buy pays in the base asset."""
        return bool(self.cells[fee_kernel.RECEIVED])

    def fees(self, fills: Cells) -> Cells:
        """The fees of fills, one after the other; the traded value goes on.

        Args:
            fills: ``(n, 4)`` int64: side (+1 or -1), price in ticks, units, and not 0 for a maker.

        Returns:
            ``(n,)`` int64 of :data:`FEE_DECIMALS` decimals, in the base asset for the buys of a schedule that takes
            what is received, else in the quote asset.
        """
        rows = np.ascontiguousarray(fills, np.int64)
        paid = np.empty(len(rows), np.int64)
        self.entries.call["fees"](self.params, rows.ctypes.data, len(rows), paid.ctypes.data)
        return paid


class FeeModel(ABC):
    """Base of every fee model: an attrs class whose fields are its parameters.

    Its class is handed over by ``bloor_fee_model``, of a fee model or of a venue, and an instance is the model with its
    parameters.
    """

    #: What a user types after ``--fees``; a plug-in's name.
    name: ClassVar[str]

    @abstractmethod
    def schedule(self, instrument: Instrument) -> FeeSchedule:
        """The fees of an instrument.

        Raises:
            UsageError: What it is made from cannot be read.
        """

    @property
    def traded(self) -> Decimal:
        """The value that the account traded in the 30 days before the run, in the quote asset."""
        return Decimal(0)

    def entries(self, instruments: Sequence[Instrument]) -> list[FeeEntries]:
        """Compiles the kernel, or reads it from disk; one for each instrument of an account, which share its tier.

        Args:
            instruments: The instruments of one account, all of one venue.
        """
        traded = traded_value(self.traded)
        compiled = compiled_entries("fees", (fee_kernel,), (("fee", 5), ("fees", 4)))
        return [
            FeeEntries(compiled.address["fee"], self.schedule(i).cells(i, traded), traded, compiled)
            for i in instruments
        ]
