"""What Kraken takes of fills, by tier.

Kraken changes its schedule now and then, and publishes it for each pair as ``fees`` and ``fees_maker`` of
``/0/public/AssetPairs``. ``tiers:file=...`` takes any other.
"""

from __future__ import annotations

from decimal import Decimal
from typing import ClassVar

from attrs import frozen

from bloor.backtesting.models import DOLLARS, FeeAsset, FeeModel, FeeSchedule, fee_tiers, parameter
from bloor.model.instrument import Instrument

__all__ = ["TIERS", "KrakenFees"]

#: Traded value of 30 days in dollars, maker, taker. Kraken, "Fee schedule", crypto pairs, as of 2025.
TIERS = fee_tiers(
    ("0", "0.0025", "0.004"),
    ("10000", "0.002", "0.0035"),
    ("50000", "0.0014", "0.0024"),
    ("100000", "0.0012", "0.0022"),
    ("250000", "0.001", "0.002"),
    ("500000", "0.0008", "0.0018"),
    ("1000000", "0.0006", "0.0016"),
    ("2500000", "0.0004", "0.0014"),
    ("5000000", "0.0002", "0.0012"),
    ("10000000", "0", "0.001"),
)


@frozen(kw_only=True)
class KrakenFees(FeeModel):
    """Kraken's schedule for spot, from the tier that ``volume`` gives.

    Markets that are not quoted in dollars have the rates of the tier too, and bring no higher one nearer.
    """

    name: ClassVar[str] = "kraken"
    volume: Decimal = parameter(Decimal(0), low=Decimal(0), doc="traded in the 30 days before, in dollars")

    @property
    def traded(self) -> Decimal:
        """The value traded before."""
        return self.volume

    def schedule(self, instrument: Instrument) -> FeeSchedule:
        """The tiers, taken in the quote asset."""
        return FeeSchedule(tiers=TIERS, asset=FeeAsset.QUOTE, counts=instrument.quote in DOLLARS)
