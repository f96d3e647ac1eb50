"""What Coinbase takes of fills, by tier.

Coinbase changes its schedule now and then, has another in some countries, and says to each account what it pays
(``/api/v3/brokerage/transaction_summary``). ``tiers:file=...`` takes any other.
"""

from __future__ import annotations

from decimal import Decimal
from typing import ClassVar

from attrs import frozen

from bloor.backtesting.models import DOLLARS, FeeAsset, FeeModel, FeeSchedule, fee_tiers, parameter
from bloor.model.instrument import Instrument

__all__ = ["TIERS", "CoinbaseFees"]

#: Traded value of 30 days in dollars, maker, taker. Coinbase, "Advanced VIP", as of 2026,
#: without the tiers above VIP 2.
TIERS = fee_tiers(
    ("0", "0.006", "0.012"),
    ("10000", "0.004", "0.008"),
    ("25000", "0.0025", "0.005"),
    ("75000", "0.00125", "0.0025"),
    ("250000", "0.00075", "0.0015"),
    ("500000", "0.0006", "0.00125"),
    ("1000000", "0.0005", "0.001"),
)


@frozen(kw_only=True)
class CoinbaseFees(FeeModel):
    """Coinbase's schedule for spot, from the tier that ``volume`` gives.

    Markets that are not quoted in dollars have the rates of the tier too, and bring no higher one nearer.
    """

    name: ClassVar[str] = "coinbase"
    volume: Decimal = parameter(Decimal(0), low=Decimal(0), doc="traded in the 30 days before, in dollars")

    @property
    def traded(self) -> Decimal:
        """The value traded before."""
        return self.volume

    def schedule(self, instrument: Instrument) -> FeeSchedule:
        """The tiers, taken in the quote asset."""
        return FeeSchedule(tiers=TIERS, asset=FeeAsset.QUOTE, counts=instrument.quote in DOLLARS)
