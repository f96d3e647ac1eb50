"""A strategy of several legs passes the cards, played in two legs and run at two venues."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from attrs import evolve

from bloor.testing import StrategyCards
from bloor.testing.bothforms import INSTRUMENT, BothForms
from bloor.testing.cards.base import cards_of
from bloor.testing.playing import Play, StageOrders

CROSSING = '''
from bloor.hookspecs import hookimpl
from bloor.market.view import BookState
from bloor.strategy.api import Strategy
from bloor.strategy.params import param


class Crossing(Strategy):
    """Buys where the ask is below the bid of another leg by so much, and sells there what it holds."""

    name = "crossing"
    compiled = True
    together = True

    gap: int = param(2, low=1, high=1000, doc="ticks between the two prices")
    last: int = 0
    bought: int = 0

    def on_book(self, book, orders):
        """Looks at every other leg."""
        for leg in range(orders.legs):
            other = orders.of(leg)
            if leg != orders.leg and other.quote == orders.quote and self.apart(orders, other):
                self.last = orders.now_ns
                orders.buy(book.best_ask, max(orders.min_lots, orders.lots_for(100.0, book.best_ask)), ioc=True)
                if other.sellable_lots >= other.min_lots:
                    other.sell(other.book.best_bid, other.sellable_lots, ioc=True)

    def apart(self, here, there):
        """Whether there is anything to gain, a second after the last time."""
        if here.book.state != BookState.SYNCED or there.book.state != BookState.SYNCED:
            return False
        if not here.book.two_sided or not there.book.two_sided or here.now_ns < self.last + 1_000_000_000:
            return False
        return there.book.best_bid * there.tick > here.book.best_ask * here.tick + self.gap * here.tick

    def on_fill(self, fill, book, orders):
        """Counts what was bought."""
        if fill.side > 0:
            self.bought += 1


@hookimpl
def bloor_strategy():
    return Crossing
'''


class CrossingCards(StrategyCards):
    """The cards, of a plug-in that is there while a test runs."""

    plugin = "crossing"


class CustomCards(CrossingCards):
    """In legs and instruments of its own choice."""

    legs = ((evolve(INSTRUMENT, lot_units=500), 700_000), (evolve(INSTRUMENT, venue="w"), 699_999))
    symbols = ("binance:BTC-USDT", "binance:ETH-USDT")


@pytest.fixture
def _installed(on_path: object) -> Iterator[None]:
    """The plug-in ``crossing``, found anew."""
    on_path.add(  # type: ignore[attr-defined]
        "bloor-crossing", {"crossing": "crossing"}, {"crossing.py": CROSSING}, manifest={"crossing": "strategy:api1"}
    )
    CrossingCards._host = CustomCards._host = None
    yield
    CrossingCards._host = CustomCards._host = None


def check(cards: StrategyCards, number: str, name: str) -> None:
    """One card, which must apply."""
    try:
        getattr(cards, name)()
    except pytest.skip.Exception as skipped:
        pytest.fail(f"{number}: {skipped}")


@pytest.mark.usefixtures("_installed")
def test_it_passes_the_cards() -> None:
    """Every card applies, with nothing said about legs; in a play it trades in both of them."""
    cards = CrossingCards()
    for card in cards_of(StrategyCards):
        check(cards, card.number, card.name)
    both = BothForms(cards.strategy, None, INSTRUMENT, StageOrders, others=[evolve(INSTRUMENT, venue="w")])
    play = Play(both, seed=3)
    play.run(600)
    assert not play.raised
    assert set(both.asked_on) == {0, 1}
    assert both.python.bought > 5


@pytest.mark.usefixtures("_installed")
def test_it_passes_in_legs_of_its_own() -> None:
    """Instruments and prices of each leg, and what is traded in a run, may be named by the class of the cards."""
    cards = CustomCards()
    for card in cards_of(StrategyCards):
        if card.number in ("S06", "S10", "S12", "S14"):
            check(cards, card.number, card.name)
