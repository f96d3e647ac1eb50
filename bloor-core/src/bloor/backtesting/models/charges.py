"""The fee models that come with bloor; the schedules of venues come with their packages."""

from __future__ import annotations

from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Any, ClassVar

import orjson
from attrs import frozen

from bloor.backtesting.models.fee import FeeAsset, FeeModel, FeeSchedule, FeeTier
from bloor.backtesting.models.parameters import parameter
from bloor.errors import InputFileError
from bloor.model.instrument import Instrument

__all__ = ["FEE_MODELS", "Flat", "Tiers"]


@frozen(kw_only=True)
class Flat(FeeModel):
    """The same rates always; 0.1 % by default. Negative rates are rebates."""

    name: ClassVar[str] = "flat"
    maker: Decimal = parameter(
        Decimal("0.001"), low=Decimal(-1), high=Decimal(1), doc="fraction of the value, of a resting order"
    )
    taker: Decimal = parameter(
        Decimal("0.001"), low=Decimal(-1), high=Decimal(1), doc="fraction of the value, of an order that trades at once"
    )
    asset: FeeAsset = parameter(FeeAsset.QUOTE, doc="quote, or received: then a buy pays in the base asset")

    def __attrs_post_init__(self) -> None:
        FeeTier(maker=self.maker, taker=self.taker)

    def schedule(self, instrument: Instrument) -> FeeSchedule:
        """One tier."""
        return FeeSchedule(tiers=(FeeTier(maker=self.maker, taker=self.taker),), asset=self.asset, counts=False)


@frozen(kw_only=True)
class Tiers(FeeModel):
    """Rates by tier, from a JSON file: a list of ``{"from": "0", "maker": "0.001", "taker": "0.001"}``."""

    name: ClassVar[str] = "tiers"
    file: Path = parameter(doc="the JSON file")
    volume: Decimal = parameter(Decimal(0), low=Decimal(0), doc="traded in the 30 days before, in the quote asset")
    asset: FeeAsset = parameter(FeeAsset.QUOTE, doc="quote, or received: then a buy pays in the base asset")

    @property
    def traded(self) -> Decimal:
        """The value traded before."""
        return self.volume

    def schedule(self, instrument: Instrument) -> FeeSchedule:
        """The tiers of the file."""
        try:
            tiers = tuple(_tier(row) for row in orjson.loads(self.file.read_bytes()))
            return FeeSchedule(tiers=tiers, asset=self.asset)
        except OSError as error:
            raise InputFileError(str(self.file), f"cannot be read: {error.strerror}") from None
        except (ValueError, TypeError, KeyError, InvalidOperation) as error:
            expected = 'expected a list of rows such as {"from": "0", "maker": "0.001", "taker": "0.001"}'
            raise InputFileError(str(self.file), f"{expected}: {type(error).__name__}: {error}") from None


def _tier(row: dict[str, Any]) -> FeeTier:
    return FeeTier(from_value=_decimal(row["from"]), maker=_decimal(row["maker"]), taker=_decimal(row["taker"]))


def _decimal(value: Any) -> Decimal:
    if not isinstance(value, str | int) or isinstance(value, bool):
        raise TypeError(f"expected a decimal number in quotes, got {value!r}")
    return Decimal(value)


#: Name -> class of every fee model that comes with bloor.
FEE_MODELS: dict[str, type[FeeModel]] = {cls.name: cls for cls in (Flat, Tiers)}
