"""The instruments of a strategy on a stage: a book, what is held, and the desk's cells of each."""

from __future__ import annotations

from collections.abc import Sequence

from bloor.market.book import OrderBook
from bloor.market.view import BookView
from bloor.model.instrument import Instrument
from bloor.risk.check import Exposure
from bloor.strategy.legs import Traits, describe, join, traits_of
from bloor.strategy.memory import OrdersRecord

__all__ = ["StageLeg", "stage_legs"]


class StageLeg:
    """One instrument.

    Attributes:
        instrument: It.
        traits: What tells it from the others.
        levels: Its book; change it before an event.
        exposure: What the strategy holds of it.
        desk: Time and everything else of ``orders``; what is called by it is for whoever answers to write.
    """

    def __init__(self, instrument: Instrument, traits: Traits) -> None:
        self.instrument = instrument
        self.traits = traits
        self.levels = OrderBook(instrument)
        self.exposure = Exposure()
        self.desk = OrdersRecord()
        self.desk.exposure, self.desk.book = self.exposure.address, self.book.address
        describe(self.desk, instrument, traits)

    @property
    def book(self) -> BookView:
        """The top of the book, which may be written to as well."""
        return self.levels.view

    def keep(self, table: object) -> None:
        """Keeps alive where compiled code finds the legs."""
        self._table = table


def stage_legs(instruments: Sequence[Instrument]) -> list[StageLeg]:
    """The legs of one strategy, joined."""
    legs = [StageLeg(i, traits) for i, traits in zip(instruments, traits_of(instruments), strict=True)]
    table = join([leg.desk for leg in legs])
    for leg in legs:
        leg.keep(table)
    return legs
