"""What Binance takes of fills, by tier.

Binance changes its schedule now and then, and says to each account what it pays (``account.commission``).
``tiers:file=...`` takes any other.
"""

from __future__ import annotations

from decimal import Decimal
from typing import ClassVar

from attrs import evolve, frozen

from bloor.backtesting.models import DOLLARS, FeeAsset, FeeModel, FeeSchedule, fee_tiers, parameter
from bloor.model.instrument import Instrument

__all__ = ["TIERS", "BinanceFees"]

#: Traded value of 30 days in dollars, maker, taker. Binance, "Fee schedule", spot, as of 2025,
#: regular user and VIP 1 to 9; a VIP must hold some BNB too, which is not looked at.
TIERS = fee_tiers(
    ("0", "0.001", "0.001"),
    ("1000000", "0.0009", "0.001"),
    ("5000000", "0.0008", "0.001"),
    ("20000000", "0.0004", "0.0006"),
    ("100000000", "0.0004", "0.00052"),
    ("150000000", "0.00025", "0.00031"),
    ("400000000", "0.0002", "0.00029"),
    ("800000000", "0.00019", "0.00028"),
    ("2000000000", "0.00016", "0.00025"),
    ("4000000000", "0.00011", "0.00023"),
)
#: What is left of a fee that is paid in BNB (Binance, "BNB fee discount").
_BNB = Decimal("0.75")


@frozen(kw_only=True)
class BinanceFees(FeeModel):
    """Binance's schedule for spot, from the tier that ``volume`` gives.

    Markets that are not quoted in dollars have the rates of the tier too, and bring no higher one nearer.
    """

    name: ClassVar[str] = "binance"
    volume: Decimal = parameter(Decimal(0), low=Decimal(0), doc="traded in the 30 days before, in dollars")
    bnb: bool = parameter(False, doc="a quarter less, as when fees are paid in BNB; they then count in the quote asset")

    @property
    def traded(self) -> Decimal:
        """The value traded before."""
        return self.volume

    def schedule(self, instrument: Instrument) -> FeeSchedule:
        """The tiers, taken of what is received, or in the quote asset in place of BNB."""
        counts = instrument.quote in DOLLARS
        if not self.bnb:
            return FeeSchedule(tiers=TIERS, asset=FeeAsset.RECEIVED, counts=counts)
        less = tuple(evolve(tier, maker=tier.maker * _BNB, taker=tier.taker * _BNB) for tier in TIERS)
        return FeeSchedule(tiers=less, asset=FeeAsset.QUOTE, counts=counts)
