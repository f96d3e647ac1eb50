"""Arbitrage between two venues whose prices are known."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from attrs import evolve

from bloor.market.view import BookState
from bloor.strategy.memory import Handler
from bloor.testing.bothforms import INSTRUMENT, BothForms
from bloor_strategies.arbitrage import Arbitrage, bloor_strategy

Stages = Callable[..., Any]
OTHER = evolve(INSTRUMENT, venue="w")
#: A price in ticks: 6,000; an inventory of 2,000 is 33,333 lots.
FAIR, HELD = 600_000, 33_333
#: Quantity of every level, in units: 100.
DEEP = 10**10


def around(made: Any, leg: int, bid: int, ask: int, units: int = DEEP) -> None:
    """A book of one level on each side."""
    made.show([(bid, units)], [(ask, units)], leg)


def ready(stage: Stages, others: Any = (OTHER,), **parameters: float) -> Any:
    """Started in all legs, the inventory bought at the fair price; 100 ms later."""
    made = stage(Arbitrage, others=list(others), **parameters)
    for leg in range(len(made.both.legs)):
        made.call(Handler.START, leg=leg)
    for _ in range(3):
        for leg in range(len(made.both.legs)):
            around(made, leg, FAIR - 1, FAIR)
        made.wait(100)
    assert made.both.python.begun
    return made


def test_the_inventory_is_bought_at_every_venue_first(stage: Stages) -> None:
    """Two thousand of each at 6,000, once; then nothing as long as prices are the same."""
    made = ready(stage)
    assert [(side, price, lots) for side, price, lots in made.log] == [(1, FAIR, HELD)] * 2
    assert made.legs == [0, 1]
    assert made.both.python.target == pytest.approx(2 * HELD * 1e-5)


def test_a_dislocation_is_captured_exactly(stage: Stages) -> None:
    """A hundred basis points between the venues: 1,000 is bought at one and sold at the other, profit by hand."""
    made = ready(stage)
    cash = made.cash
    around(made, 1, 606_000, 606_001)
    lots = 16_666  # 1,000 / 6,000 / 0.00001
    assert made.log[2:] == [(1, 600_000, lots), (-1, 606_000, lots)]
    assert made.legs[2:] == [0, 1]
    assert made.cash - cash == lots * 6_000
    assert made.holds(0) == HELD + lots
    assert made.holds(1) == HELD - lots


@pytest.mark.parametrize("cheap", [0, 1])
def test_the_edge_is_counted_after_both_fees(stage: Stages, cheap: int) -> None:
    """Fees 10 and 40, edge 1, margin 2: it trades from the first tick that pays all four, and not one below."""
    fees = (10e-4, 40e-4)
    dear = 1 - cheap
    needed = FAIR * (1 + fees[cheap]) * (1 + 3e-4) / (1 - fees[dear])
    made = ready(stage)
    around(made, dear, int(needed), int(needed) + 1)
    assert len(made.log) == 2
    made.wait(100)
    around(made, dear, int(needed) + 1, int(needed) + 2)
    assert made.legs[2:] == [cheap, dear]


def test_orders_reach_through_the_touch_by_half_of_the_margin(stage: Stages) -> None:
    """With a margin of 4 bps they pay 2 bps more and take 2 bps less at most, immediate-or-cancel."""
    made = ready(stage, margin_bps=4.0)
    around(made, 1, 606_000, 606_001)
    assert [order[:2] for order in made.both.asked[2:]] == [(1, 600_120), (-1, 605_879)]


@pytest.mark.parametrize("leg", [0, 1])
def test_no_more_than_the_smaller_top_is_traded(stage: Stages, leg: int) -> None:
    """A top of 0.05 at either venue is 5,000 lots at both."""
    made = ready(stage)
    around(made, 0, FAIR - 1, FAIR, 5_000_900 if leg == 0 else DEEP)
    around(made, 1, 606_000, 606_001, 5_000_900 if leg == 1 else DEEP)
    assert [lots for _, _, lots in made.log[2:4]] == [5_000, 5_000]


def test_lots_of_both_venues_are_whole(stage: Stages) -> None:
    """Lots of 0.00001 and 0.0007: both amounts are whole multiples of the coarser one, and the same."""
    made = ready(stage, others=[evolve(OTHER, lot_units=70_000)], imbalance=1_000.0)
    around(made, 1, 606_000, 606_001)
    one, other = [lots for _, _, lots in made.log[2:4]]
    assert one == other * 70 == 16_660


def test_what_is_not_held_is_not_sold(stage: Stages) -> None:
    """It sells the dear venue empty and no further; the other way around it goes back, also beyond the start."""
    made = ready(stage, inventory=1.5)
    for _ in range(5):
        around(made, 1, 606_000, 606_001)
        made.wait(100)
    assert made.holds(1) < 10
    traded = len(made.log)
    for _ in range(5):
        around(made, 1, 600_000, 600_001)
        around(made, 0, 609_999, 610_000)
        made.wait(100)
    assert len(made.log) > traded
    assert made.holds(0) < 10
    assert made.holds(0) + made.holds(1) == 2 * 25_000


def test_with_nothing_held_nothing_is_done(stage: Stages) -> None:
    """With `inventory = 0` it buys nothing first, and has nothing to sell."""
    made = ready(stage, inventory=0.0)
    around(made, 1, 606_000, 606_001)
    assert made.both.asked == []


def test_it_trades_what_it_was_given(stage: Stages) -> None:
    """With `inventory = 0` and 0.1 at the dear venue at the start, 0.1 is traded."""
    made = stage(Arbitrage, others=[OTHER], inventory=0.0)
    made.both.legs[1].exposure.inventory = 10_000_000
    for leg in range(2):
        made.call(Handler.START, leg=leg)
        around(made, leg, FAIR - 1, FAIR)
    made.wait(100)
    # the stage counts positions, not what was given: the sale is only asked for
    made.dead = {1}
    around(made, 1, 606_000, 606_001)
    assert [order[0] * order[2] for order in made.both.asked] == [10_000, -10_000]


def test_a_leg_that_fails_is_hedged(stage: Stages) -> None:
    """The sale fails: after `patience_ms` what was bought is sold at the best venue; until then nothing is added."""
    made = ready(stage, patience_ms=100)
    made.dead = {1}
    around(made, 1, 606_000, 606_001)
    assert made.holds(0) == HELD + 16_666
    asked = len(made.both.asked)
    made.wait(99)
    around(made, 1, 606_000, 606_001)
    assert len(made.both.asked) == asked
    made.wait(1)
    around(made, 1, 606_000, 606_001)
    assert (made.both.asked[-1][:3], made.both.asked_on[-1]) == ((-1, 605_878, 16_666), 1)
    assert made.holds(0) == HELD + 16_666
    made.wait(100)
    around(made, 1, 599_000, 599_001)
    assert (made.log[-1], made.legs[-1]) == ((-1, FAIR - 1, 16_666), 0)
    assert made.holds(0) == HELD
    assert made.holds(1) == HELD


def test_a_purchase_that_fails_is_hedged(stage: Stages) -> None:
    """The purchase fails: what was sold is bought where that costs least, fees included."""
    made = ready(stage)
    made.dead = {0}
    around(made, 1, 606_000, 606_001)
    assert made.holds(1) == HELD - 16_666
    made.dead = set()
    made.wait(100)
    around(made, 1, 599_000, 599_001)
    assert (made.log[-1], made.legs[-1]) == ((1, FAIR, 16_666), 0)


def test_failures_in_a_row_double_the_wait(stage: Stages) -> None:
    """After two failures it waits four times as long as `cooldown_ms` for the next arbitrage."""
    made = ready(stage, cooldown_ms=100, patience_ms=0)
    for _ in range(2):
        made.dead = {1}
        around(made, 1, 606_000, 606_001)
        made.dead = set()
        around(made, 1, FAIR - 1, FAIR)
        assert made.holds(0) + made.holds(1) == 2 * HELD
        around(made, 1, FAIR - 1, FAIR)
        made.wait(200)
    made.wait(199)
    asked = len(made.both.asked)
    around(made, 1, 606_000, 606_001)
    assert len(made.both.asked) == asked
    made.wait(1)
    around(made, 1, 606_000, 606_001)
    assert len(made.both.asked) == asked + 2


def test_books_that_are_old_or_lost_are_not_traded_on(stage: Stages) -> None:
    """Nothing from a book of 2 s and a millisecond ago, nor from one that is not in sync."""
    made = ready(stage)
    made.wait(2_001)
    around(made, 1, 606_000, 606_001)
    assert len(made.log) == 2
    around(made, 0, FAIR - 1, FAIR)
    made.wait(100)
    assert len(made.log) == 4
    made.both.legs[0].book.state = int(BookState.UNSYNCED)
    around(made, 1, 606_000, 606_001)
    assert len(made.log) == 4


def test_the_best_bid_and_offer_counts_as_soon_as_it_is_told(stage: Stages) -> None:
    """A venue's own best bid at 606,000 is sold to before its book says so; the book's next change counts again."""
    made = ready(stage, fee0_bps=40.0, fee1_bps=10.0)
    made.tell_bbo(606_000, 5_000_000, 606_001, 5_000_000)
    assert [(order[0], order[2]) for order in made.both.asked[2:]] == [(1, 5_000), (-1, 5_000)]
    assert made.both.asked_on[2:] == [1, 0]
    made.wait(1_000)
    around(made, 0, FAIR - 1, FAIR)
    assert made.both.python.bid[0] == FAIR - 1


def test_what_is_too_good_is_not_believed(stage: Stages) -> None:
    """Beyond `believe_bps` it is a broken book, not a gift."""
    made = ready(stage)
    around(made, 1, 630_000, 630_001)
    assert len(made.log) == 2


def test_another_dollar_is_counted_at_its_basis(stage: Stages) -> None:
    """A leg in a token of 1.006: after `basis_s` that is no opportunity, and 1.016 is; at par 1.006 is one."""
    token = evolve(OTHER, quote="T", symbol="A-T")
    at_par = ready(stage, others=[token], basis_s=0.0, fee1_bps=10.0)
    around(at_par, 1, 603_600, 603_601)
    assert len(at_par.log) == 4
    made = ready(stage, others=[token], basis_s=2.0, fee1_bps=10.0)
    for _ in range(100):
        made.wait(100)
        around(made, 0, FAIR - 1, FAIR)
        around(made, 1, 603_600, 603_601)
    assert made.both.python.basis[1] == pytest.approx(0.006, rel=0.02)
    assert len(made.log) == 2
    around(made, 1, 609_636, 609_637)
    assert made.legs[2:] == [0, 1]


def test_a_dollar_far_from_par_is_left_alone(stage: Stages) -> None:
    """With a basis beyond `believe_bps` the leg is not traded, whatever its price does."""
    made = ready(stage, others=[evolve(OTHER, quote="T", symbol="A-T")], basis_s=2.0)
    for price in [640_000] * 60 + [650_000] * 3:
        made.wait(100)
        around(made, 0, FAIR - 1, FAIR)
        around(made, 1, price, price + 1)
    assert made.both.python.basis[1] > 0.03
    assert len(made.log) == 2


def test_of_three_venues_the_best_two_trade(stage: Stages) -> None:
    """Cheapest and dearest after fees; a venue with a higher fee needs a better price."""
    third = evolve(INSTRUMENT, venue="x")
    made = ready(stage, others=[OTHER, third], fee2_bps=10.0)
    around(made, 2, 605_000, 605_001)
    assert made.legs[3:] == [0, 2]
    made.wait(100)
    around(made, 2, FAIR - 1, FAIR)
    around(made, 1, 606_000, 606_001)
    around(made, 2, 605_999, 606_000)
    made.wait(100)
    around(made, 1, 606_000, 606_001)
    assert made.legs[-2:] == [0, 2]


@pytest.mark.parametrize(
    ("others", "text"), [([], "two or three"), ([OTHER] * 3, "two or three"), ([evolve(OTHER, base="X")], "base asset")]
)
def test_other_instruments_are_refused(others: Any, text: str) -> None:
    """One, four, or another base asset: the strategy ends with a message."""
    both = BothForms(Arbitrage, others=others)
    raised = both.call(Handler.START, leg=len(others))
    assert isinstance(raised, ValueError)
    assert text in str(raised)


def test_it_is_the_plug_in() -> None:
    """The hook returns the class."""
    assert bloor_strategy() is Arbitrage
