"""The cards of a fee model: a schedule for every instrument, and always the same one."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from decimal import Decimal
from typing import Any, ClassVar

import attrs

from bloor.backtesting.models import FeeModel, FeeSchedule
from bloor.backtesting.models.fee import traded_value
from bloor.backtesting.models.fee_kernel import fee
from bloor.model.instrument import Instrument
from bloor.testing.cards.base import Cards
from bloor.testing.instruments import SHAPES
from bloor.testing.modelling import check_class, check_parameters, variants

__all__ = ["FeeModelCards"]


class FeeModelCards(Cards):
    """What every fee model promises, a venue's too.

    Attributes:
        parameters: Values of the parameters that have no default.
    """

    kind: ClassVar[str] = "fee model"
    hook: ClassVar[str] = "bloor_fee_model"
    parameters: ClassVar[Mapping[str, Any]] = {}

    @property
    def model(self) -> type[FeeModel]:
        """The plug-in's class."""
        cls: type[FeeModel] = self.host.answers(self.plugin)[self.hook]
        return cls

    def capabilities(self) -> dict[str, bool | str]:
        """Its parameters, and how many tiers it has."""
        known: Any = self.model
        tiers = len(known(**self.parameters).schedule(SHAPES[0]).tiers)
        return {"fees": ", ".join(field.name for field in attrs.fields(known)) or "no parameters", "tiers": str(tiers)}

    def test_c01_its_class_says_what_it_is(self) -> None:
        """The class has the plug-in's name, a docstring, and cannot be changed.

        Results name the model by it; a venue's schedule is named by the venue.
        """
        check_class(self.model, self.plugin, self.parameters)

    def test_c02_its_parameters_are_documented_and_bounded(self) -> None:
        """Every parameter says what it means; every number has bounds, and what is beyond them is refused.

        A mistyped zero should be refused when the backtest starts.
        """
        check_parameters(self.model, self.parameters)

    def test_c03_every_instrument_has_a_schedule(self) -> None:
        """There is one for whatever may be traded, with each parameter at its bounds, and it is the same each time.

        Else the same backtest would cost something else.
        """
        for model, instrument in self._asked():
            one, other = model.schedule(instrument), model.schedule(instrument)
            assert isinstance(one, FeeSchedule), f"{model}: expected a FeeSchedule of {instrument.symbol}, got {one!r}"
            assert one == other, f"{model}: expected the same schedule of {instrument.symbol} twice"

    def test_c04_what_was_traded_before_is_an_amount(self) -> None:
        """The value of the 30 days before is finite and not below 0, and chooses a tier.

        It is where the run begins in the schedule.
        """
        for model, _ in self._asked():
            value: Any = model.traded
            assert isinstance(value, Decimal) and value.is_finite() and value >= 0, (
                f"{model}.traded: expected a Decimal of at least 0, got {value!r}"
            )

    def test_c05_a_fill_is_never_dearer_than_itself(self) -> None:
        """The fee of a fill is at most what it is worth, and a rebate too.

        Tried with a fill of each side, as maker and as taker, in every instrument.
        """
        for model, instrument in self._asked():
            traded = traded_value(model.traded)
            cells = model.schedule(instrument).cells(instrument, traded)
            worth = instrument.value_units(1000, 10**6) * 10**8 // 10**instrument.value_decimals
            for side in (1, -1):
                for maker in (0, 1):
                    paid = fee(int(cells.ctypes.data), side, 1000, 10**6, maker)
                    most = worth if side < 0 or not cells[0] else 10**14 // 10**instrument.qty_decimals
                    assert abs(paid) <= most, f"{model}: {instrument.symbol}: a fee of {paid}, the fill is worth {most}"

    def _asked(self) -> Iterator[tuple[FeeModel, Instrument]]:
        for model in variants(self.model, self.parameters):
            for instrument in SHAPES:
                yield model, instrument
