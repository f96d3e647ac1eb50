"""What Binance takes of fills of USD-M futures, by tier.

Binance changes its schedule now and then, and says to each account what it pays (``/fapi/v1/commissionRate``).
``tiers:file=...`` takes any other. Funding is no fee, and is not in it.
"""

from __future__ import annotations

from decimal import Decimal
from typing import ClassVar

from attrs import evolve, frozen

from bloor.backtesting.models import DOLLARS, FeeAsset, FeeModel, FeeSchedule, fee_tiers, parameter
from bloor.model.instrument import Instrument

__all__ = ["TIERS", "BinanceUsdmFees"]

#: Traded value of 30 days in dollars, maker, taker. Binance, "Fee schedule", USD-M futures in USDT, as of 2025, regular
#: user and VIP 1 to 9; a VIP must hold some BNB too, which is not looked at.
TIERS = fee_tiers(
    ("0", "0.0002", "0.0005"),
    ("15000000", "0.00016", "0.0004"),
    ("50000000", "0.00014", "0.00035"),
    ("100000000", "0.00012", "0.00032"),
    ("600000000", "0.0001", "0.0003"),
    ("1000000000", "0.00008", "0.00027"),
    ("2500000000", "0.00006", "0.00025"),
    ("5000000000", "0.00004", "0.00022"),
    ("12500000000", "0.00002", "0.0002"),
    ("25000000000", "0", "0.00017"),
)
#: What is left of a fee that is paid in BNB (Binance, "BNB fee discount", futures).
_BNB = Decimal("0.9")


@frozen(kw_only=True)
class BinanceUsdmFees(FeeModel):
    """Binance's schedule for USD-M futures, from the tier that ``volume`` gives."""

    name: ClassVar[str] = "binance-usdm"
    volume: Decimal = parameter(Decimal(0), low=Decimal(0), doc="traded in the 30 days before, in dollars")
    bnb: bool = parameter(False, doc="a tenth less, as when fees are paid in BNB; they count in the quote asset")

    @property
    def traded(self) -> Decimal:
        """The value traded before."""
        return self.volume

    def schedule(self, instrument: Instrument) -> FeeSchedule:
        """The tiers, taken in the quote asset."""
        left = _BNB if self.bnb else Decimal(1)
        tiers = tuple(evolve(tier, maker=tier.maker * left, taker=tier.taker * left) for tier in TIERS)
        return FeeSchedule(tiers=tiers, asset=FeeAsset.QUOTE, counts=instrument.quote in DOLLARS)
