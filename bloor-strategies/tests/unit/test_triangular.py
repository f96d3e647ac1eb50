"""Three instruments of one venue whose prices are known."""

from __future__ import annotations

from collections.abc import Callable
from itertools import permutations
from typing import Any

import pytest
from attrs import evolve

from bloor.strategy.memory import Handler
from bloor.testing.bothforms import INSTRUMENT, BothForms
from bloor_strategies.triangular import Triangular, bloor_strategy

Stages = Callable[..., Any]
#: ``A-B`` at 60,000, ``C-A`` at 0.05, ``C-B`` at 3,000: nothing to gain. Lots of 0.00001.
CROSS = evolve(INSTRUMENT, symbol="C-A", base="C", quote="A", price_decimals=6)
OTHER = evolve(INSTRUMENT, symbol="C-B", base="C")
MAIN_AT, CROSS_AT, OTHER_AT = 6_000_000, 50_000, 300_000
#: Quantity of every level, in units: 100.
DEEP = 10**10
FREE = {"fee_bps": 0.0, "received": 0}


def around(made: Any, leg: int, bid: int, ask: int, units: int = DEEP) -> None:
    """A book of one level on each side; what its fills do is told too."""
    before = len(made.log)
    made.show([(bid, units)], [(ask, units)], leg)
    tell(made, before)


def tell(made: Any, before: int) -> None:
    """The fills since then."""
    for (side, price, lots), leg in list(zip(made.log, made.legs, strict=True))[before:]:
        fill = made.both.fill
        fill.side, fill.price_ticks, fill.units = side, price, lots * made.both.legs[leg].desk.lot_units
        made.call(Handler.FILL, fill, leg)


def still(made: Any, last: int = 0) -> None:
    """All three books at their fair prices, a tick wide; those from ``last`` on."""
    for leg, price in list(enumerate((MAIN_AT, CROSS_AT, OTHER_AT)))[last:]:
        around(made, leg, price - 1, price)


def ready(stage: Stages, others: Any = (CROSS, OTHER), **parameters: float) -> Any:
    """Started in all legs, the inventory bought at fair prices; some 100 ms later."""
    made = stage(Triangular, others=list(others), **{**FREE, **parameters})
    for leg in range(3):
        made.call(Handler.START, leg=leg)
    for _ in range(4):
        still(made)
        made.wait(100)
    assert made.both.python.begun
    return made


def assets(made: Any) -> tuple[float, float, float]:
    """What all orders so far have made of ``B``, ``A`` and ``C``; without fees."""
    home = one = other = 0.0
    for (side, price, lots), leg in zip(made.log, made.legs, strict=True):
        amount = side * lots * 1e-5
        if leg == 0:
            one, home = one + amount, home - amount * price * 1e-2
        elif leg == 1:
            other, one = other + amount, one - amount * price * 1e-6
        else:
            other, home = other + amount, home - amount * price * 1e-2
    return home, one, other


def test_the_inventory_is_bought_in_each_instrument_first(stage: Stages) -> None:
    """Three thousand of each: 0.05 A to hold and 0.05 that buy 1 C at the cross, and 1 C for B."""
    made = ready(stage)
    home, one, other = assets(made)
    assert (made.holds(0), made.holds(1), made.holds(2)) == (10_000, 100_000, 100_000)
    assert (home, one, other) == pytest.approx((-9_000.0, 0.05, 2.0))
    assert made.both.python.target_main == pytest.approx(0.05)
    assert made.both.python.target_other == pytest.approx(2.0)


def test_a_cycle_forward_is_captured_exactly(stage: Stages) -> None:
    """C-B at 3,030: A is bought, C bought with it and sold; 1,000 of value gain 1 %, profit by hand."""
    made = ready(stage)
    before = assets(made)
    around(made, 2, 303_000, 303_001)
    # 1,000 / 3,030 C, that times 0.05 A
    assert made.log[-3:] == [(1, 6_000_000, 1_650), (1, 50_000, 33_003), (-1, 303_000, 33_003)]
    assert made.legs[-3:] == [0, 1, 2]
    gained = [now - then for now, then in zip(assets(made), before, strict=True)]
    assert gained == pytest.approx([0.33003 * 3_030 - 0.0165 * 60_000, 0.0165 - 0.0165015, 0.0], abs=1e-9)


def test_a_cycle_backward_is_captured_exactly(stage: Stages) -> None:
    """The cross at 0.0505: C is bought for B, turned into A, and that sold; profit by hand."""
    made = ready(stage)
    before = assets(made)
    around(made, 1, 50_500, 50_501)
    # 1,000 / 3,000 C, that times 0.0505 A
    assert made.log[-3:] == [(1, 300_000, 33_333), (-1, 50_500, 33_333), (-1, 5_999_999, 1_683)]
    assert made.legs[-3:] == [2, 1, 0]
    gained = [now - then for now, then in zip(assets(made), before, strict=True)]
    home = 0.01683 * 59_999.99 - 0.33333 * 3_000
    assert gained == pytest.approx([home, 0.33333 * 0.0505 - 0.01683, 0.0], abs=1e-9)


@pytest.mark.parametrize("received", [0, 1])
def test_the_gain_is_counted_after_three_fees(stage: Stages, received: int) -> None:
    """Fee 10, edge 1, margin 3: it trades from the first tick that pays all of it, and not one below."""
    needed = OTHER_AT * (1 + 4e-4) / (1 - 10e-4) ** 3
    made = ready(stage, fee_bps=10.0, received=received)
    traded = len(made.log)
    around(made, 2, int(needed), int(needed) + 1)
    assert len(made.log) == traded
    made.wait(100)
    around(made, 2, int(needed) + 1, int(needed) + 2)
    assert made.legs[traded:] == [0, 1, 2]


def test_fees_are_bought_along(stage: Stages) -> None:
    """A fee of 1 % from what is received: each purchase brings, less its fee, what the next order needs."""
    made = ready(stage, fee_bps=100.0, received=1)
    around(made, 2, 315_000, 315_001)
    (_, _, main), (_, _, cross), (_, _, other) = made.log[-3:]
    assert cross * 0.99 == pytest.approx(other, abs=1)
    assert main * 0.99 == pytest.approx(cross * 0.05, abs=1)


def test_fees_in_the_quote_are_paid_along(stage: Stages) -> None:
    """A fee of 1 % in the quote asset: what is bought of A pays the cross and the fee on it."""
    made = ready(stage, fee_bps=100.0)
    around(made, 2, 315_000, 315_001)
    (_, _, main), (_, _, cross), (_, _, other) = made.log[-3:]
    assert cross == other
    assert main == pytest.approx(cross * 0.05 * 1.01, abs=1)


@pytest.mark.parametrize("order", list(permutations(range(3))))
def test_instruments_may_come_in_any_order(stage: Stages, order: tuple[int, ...]) -> None:
    """Which is main, cross and other is found by their assets."""
    named = [(INSTRUMENT, CROSS, OTHER)[which] for which in order]
    both = BothForms(Triangular, None, named[0], others=named[1:])
    assert both.call(Handler.START) is None
    strategy: Any = both.python
    assert (order[strategy.main], order[strategy.cross], order[strategy.other]) == (0, 1, 2)


def test_nothing_left_in_one_direction(stage: Stages) -> None:
    """After three cycles more forward than backward `other` is empty; backward cycles bring it back."""
    made = ready(stage)
    for _ in range(6):
        around(made, 2, 303_000, 303_001)
        made.wait(100)
    assert made.holds(2) < 2_000
    asked = len(made.both.asked)
    for _ in range(3):
        around(made, 2, 303_000, 303_001)
        made.wait(100)
    assert len(made.both.asked) == asked
    around(made, 2, OTHER_AT - 1, OTHER_AT)
    around(made, 1, 50_500, 50_501)
    assert made.holds(2) > 30_000


@pytest.mark.parametrize("dead", [0, 1, 2])
@pytest.mark.parametrize("forward", [True, False])
def test_a_leg_that_fails_is_unwound(stage: Stages, dead: int, forward: bool) -> None:
    """One of three orders trades nothing: both assets go back to their targets, against the home asset."""
    made = ready(stage)
    _, one, other = assets(made)
    made.dead = {dead}
    asked = len(made.both.asked)
    if forward:
        around(made, 2, 303_000, 303_001)
    else:
        around(made, 1, 50_500, 50_501)
    assert len(made.both.asked) == asked + 3
    made.dead = set()
    still(made)
    assert len(made.both.asked) == asked + 3
    for _ in range(3):
        made.wait(100)
        still(made)
    assert set(made.both.asked_on[asked + 3 :]) <= {0, 2}
    assert assets(made)[1:] == pytest.approx((one, other), abs=4e-5)
    assert made.both.python.failures == 1


def test_no_more_than_the_smallest_top_is_traded(stage: Stages) -> None:
    """A top of 0.05 C at the cross: 5,000 lots of it, 250 of A."""
    made = ready(stage)
    around(made, 1, CROSS_AT - 1, CROSS_AT, 5_000_900)
    around(made, 2, 303_000, 303_001)
    assert [lots for _, _, lots in made.log[-3:]] == [250, 5_000, 5_000]


def test_old_books_are_not_traded_on(stage: Stages) -> None:
    """Nothing while one of the three is older than `stale_ms`."""
    made = ready(stage)
    traded = len(made.log)
    made.wait(2_001)
    around(made, 0, MAIN_AT - 1, MAIN_AT)
    around(made, 2, 303_000, 303_001)
    assert len(made.log) == traded
    around(made, 1, CROSS_AT - 1, CROSS_AT)
    assert len(made.log) == traded + 3


def test_what_is_too_good_is_not_believed(stage: Stages) -> None:
    """Beyond `believe_bps` it is a broken book, not a gift."""
    made = ready(stage)
    traded = len(made.log)
    around(made, 2, 330_000, 330_001)
    assert len(made.log) == traded


@pytest.mark.parametrize(
    ("others", "text"),
    [
        ([CROSS], "three instruments"),
        ([evolve(CROSS, venue="w"), OTHER], "one venue"),
        ([OTHER, evolve(OTHER, base="D", symbol="D-B")], "in a circle"),
        ([evolve(OTHER, base="B", quote="C"), evolve(OTHER, base="C", quote="A")], "in a circle"),
    ],
)
def test_what_is_no_triangle_is_refused(others: Any, text: str) -> None:
    """Two instruments, two venues, assets that do not close a circle: the strategy ends with a message."""
    raised = BothForms(Triangular, others=others).call(Handler.START)
    assert isinstance(raised, ValueError)
    assert text in str(raised)


def test_it_is_the_plug_in() -> None:
    """The hook returns the class."""
    assert bloor_strategy() is Triangular
