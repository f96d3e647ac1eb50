"""Positions, cash, profit and loss: exact, per strategy and instrument.

Two numbers, on purpose:

**Position** is the signed sum of fill quantities. Fees never change it; each fee is valued in the quote asset when its
fill arrives (``Fill.fee_quote``) and counted once, as money. So for every set of fills, exactly::

    pnl_net = sum(-side * price * quantity) - sum(fee_quote) + position * mark

**Inventory** is what can be sold beyond the position: what the strategy was given at the start, less fees that the
venue took in the base asset. It lives in :class:`~bloor.risk.check.Exposure` and bounds orders, never profit. A buy of
1 BTC with a fee of 0.001 BTC leaves a position of 1 and an inventory of -0.001: 0.999 BTC can be sold, and the fee of
0.001 BTC is in the profit as 0.001 times the price paid.

Cash is an integer of the instrument's value units; fees are decimals, added without rounding. Decimals appear at the
edges only.
"""

from __future__ import annotations

from decimal import Context, Decimal, Inexact

from bloor.model.instrument import Instrument
from bloor.model.orders import Fill

__all__ = ["EXACT", "PositionAccount"]

#: Decimal arithmetic that would rather raise than round: 120 digits hold any sum of exact fees and values.
EXACT = Context(prec=120, Emax=999_999, Emin=-999_999, traps=[Inexact])


def value(units: int, decimals: int) -> Decimal:
    """``units * 10**-decimals``, exactly."""
    return Decimal(units).scaleb(-decimals, EXACT)


def half(units: int, decimals: int) -> Decimal:
    """Half of ``units * 10**-decimals``, exactly."""
    return value(5 * units, decimals + 1)


class PositionAccount:
    """What one strategy did in one instrument.

    Attributes:
        instrument: What is traded.
        position: Signed sum of fill quantities, in units.
        cash_units: Money received less money paid for the base asset, fees left out, in value units.
        cost_units: What the open position cost by average price, in value units; negative for a short one.
        fees: Fees in the quote asset; less rebates.
        fills: How many fills.
        volume_units: Sum of price times quantity of all fills, in value units.
        wins: Round trips that earned money after fees: from flat to flat, or through zero. Flat is what cannot be
            closed any further: a venue that takes its fee in the base asset leaves a remainder of the position that
            is not there to be sold, which counts at the price of the last fill and begins the next trip.
        losses: Round trips that did not.
    """

    __slots__ = (
        "_base_fees",
        "_trip_cash_units",
        "_trip_fees",
        "cash_units",
        "cost_units",
        "fees",
        "fills",
        "instrument",
        "losses",
        "position",
        "volume_units",
        "wins",
    )

    def __init__(self, instrument: Instrument) -> None:
        self.instrument = instrument
        self.position = 0
        self.cash_units = 0
        self.cost_units = 0
        self.fees = Decimal(0)
        self.fills = 0
        self.volume_units = 0
        self.wins = 0
        self.losses = 0
        self._trip_cash_units = 0
        self._trip_fees = Decimal(0)
        self._base_fees = Decimal(0)

    def apply(self, fill: Fill) -> None:
        """Counts a fill. Give it each fill once: the blotter has already dropped duplicates."""
        amount = self.instrument.value_units(fill.price_ticks, fill.units)
        self.fills += 1
        self.volume_units += amount
        self.cash_units -= fill.side * amount
        self.fees = EXACT.add(self.fees, fill.fee_quote)
        if fill.fee_asset == self.instrument.base:
            self._base_fees = EXACT.add(self._base_fees, fill.fee)
        closing = self._closing_units(fill)
        # a fill through zero ends one round trip and begins another: its fee belongs to the one that ends
        if closing:
            self._close(fill, closing, fill.fee_quote)
        if closing < fill.units:
            self._open(fill, fill.units - closing, Decimal(0) if closing else fill.fee_quote)

    def _closing_units(self, fill: Fill) -> int:
        """How much of a fill brings the position nearer to zero."""
        return min(fill.units, abs(self.position)) if self.position * fill.side < 0 else 0

    def _close(self, fill: Fill, units: int, fee: Decimal) -> None:
        # the cost of the part that is closed, rounded towards zero to one value unit: what is rounded off stays in the
        # open part and is realised with it, so nothing is ever lost
        sign = 1 if self.cost_units >= 0 else -1
        self.cost_units -= sign * (abs(self.cost_units) * units // abs(self.position))
        self.position += fill.side * units
        self._trip_cash_units -= fill.side * self.instrument.value_units(fill.price_ticks, units)
        self._trip_fees = EXACT.add(self._trip_fees, fee)
        if self._is_flat():
            left = self.instrument.value_units(fill.price_ticks, self.position)
            earned = value(self._trip_cash_units + left, self.instrument.value_decimals)
            if earned > self._trip_fees:
                self.wins += 1
            else:
                self.losses += 1
            self._trip_cash_units, self._trip_fees = -left, Decimal(0)

    def _is_flat(self) -> bool:
        """Nothing is left that could be closed: less than a lot, once fees taken in the base asset are off."""
        held = EXACT.subtract(self.qty, self._base_fees)
        return self.position == 0 or abs(held) < self.instrument.lot_size

    def _open(self, fill: Fill, units: int, fee: Decimal) -> None:
        amount = fill.side * self.instrument.value_units(fill.price_ticks, units)
        self.position += fill.side * units
        self.cost_units += amount
        self._trip_cash_units -= amount
        self._trip_fees = EXACT.add(self._trip_fees, fee)

    # ---- what people read

    @property
    def qty(self) -> Decimal:
        """The position in the base asset, signed."""
        return value(self.position, self.instrument.qty_decimals)

    @property
    def avg_price(self) -> Decimal | None:
        """Average price of the open position, cut 12 decimals after those of a price; None when flat."""
        if self.position == 0:
            return None
        digits = self.instrument.price_decimals + 12
        scaled = abs(self.cost_units) * 10**12 // abs(self.position)
        return value(scaled, digits).normalize(EXACT)

    @property
    def volume(self) -> Decimal:
        """Traded value, in the quote asset."""
        return value(self.volume_units, self.instrument.value_decimals)

    @property
    def cash(self) -> Decimal:
        """Money received less money paid, fees left out, in the quote asset."""
        return value(self.cash_units, self.instrument.value_decimals)

    @property
    def realised(self) -> Decimal:
        """Profit of what was closed, by average cost, before fees, in the quote asset."""
        return value(self.cash_units + self.cost_units, self.instrument.value_decimals)

    def unrealised(self, mark2: int) -> Decimal:
        """Profit of the open position at a mark, in the quote asset.

        Args:
            mark2: Twice the mark, in ticks: the mid of a book may be half a tick
                (:attr:`~bloor.market.view.BookView.mid2`).
        """
        return half(self._marked2(mark2) - 2 * self.cost_units, self.instrument.value_decimals)

    def pnl_net(self, mark2: int) -> Decimal:
        """Cash less fees plus the position at its mark, in the quote asset, exact; ``mark2`` is twice the mark."""
        gross = half(2 * self.cash_units + self._marked2(mark2), self.instrument.value_decimals)
        return EXACT.subtract(gross, self.fees)

    def _marked2(self, mark2: int) -> int:
        return self.instrument.value_units(mark2, self.position)

    @property
    def round_trips(self) -> int:
        """How many round trips have ended."""
        return self.wins + self.losses

    @property
    def win_rate(self) -> float | None:
        """Share of round trips that earned money after fees; None before the first has ended."""
        return self.wins / self.round_trips if self.round_trips else None
