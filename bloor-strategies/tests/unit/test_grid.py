"""The grid on paths whose right answer is known."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise
from typing import Any

import pytest

from bloor.execution.life import Status
from bloor.model.orders import OrderType
from bloor.strategy.memory import Handler
from bloor_strategies.grid import Grid, bloor_strategy

CENTRE = 1_000_000
#: Lots of an order of 1,000 at the centre's ask.
ORDER = 9_999


def go(stage: Any, *path: int, half: int = 10) -> None:
    """The mid goes along a path in steps of five ticks; resting orders that the touch reaches fill."""
    mid = path[0]
    for turn in path:
        while True:
            mid += max(-5, min(5, turn - mid))
            meet(stage, mid, half)
            if mid == turn:
                break


def meet(stage: Any, mid: int, half: int = 10) -> None:
    """One mid: fills what the touch reaches, then shows the book often enough for every order to be asked for."""
    for number, order in list(stage.resting.items()):
        if number in stage.resting and (order.price - (mid + half * order.side)) * order.side >= 0:
            stage.trade(number)
    for _ in range(4):
        stage.wait(60)
        stage.show([(mid - half, 10**9)], [(mid + half, 10**9)])


def settle(stage: Any, mid: int = CENTRE) -> None:
    """Time for every order of the grid."""
    for _ in range(70):
        meet(stage, mid)


def prices(stage: Any, side: int) -> list[int]:
    """Resting orders of a side, the lowest first."""
    return sorted(order.price for order in stage.resting.values() if order.side == side)


def test_from_nothing_it_buys_below_the_market(stage: Callable[..., Any]) -> None:
    """Five buys a step apart, the highest at the centre less one step, and nothing to sell."""
    grid = stage(Grid, step_bps=2.0)
    settle(grid)
    assert prices(grid, 1) == [CENTRE - 200 * n for n in (5, 4, 3, 2, 1)]
    assert prices(grid, -1) == []


def test_lines_of_a_geometric_grid(stage: Callable[..., Any]) -> None:
    """Each is one percent above the one before, in whole ticks."""
    grid = stage(Grid, step_bps=100.0, geometric=True, levels=3)
    settle(grid)
    lines = list(grid.both.compiled.line)[:7]
    assert lines == [round(CENTRE * 1.01**n) for n in range(-3, 4)]


def test_lines_are_at_least_a_tick_apart(stage: Callable[..., Any]) -> None:
    """Where a step is less than a tick, it is a tick."""
    for geometric in (False, True):
        grid = stage(Grid, step_bps=0.01, geometric=geometric)
        grid.wait(60)
        meet(grid, 600, half=1)
        lines = list(grid.both.compiled.line)[:11]
        assert all(b - a == 1 for a, b in pairwise(lines)), lines


@pytest.mark.parametrize(("levels", "step"), [(1, 2.0), (3, 0.5), (5, 2.0)])
def test_an_oscillation_earns_its_steps_exactly(stage: Callable[..., Any], levels: int, step: float) -> None:
    """Over the whole grid and back: each way up earns cells x step x quantity, to the tick, and leaves nothing held.

    On the first way down only the lower half can be bought.
    """
    grid = stage(Grid, step_bps=step, levels=levels)
    settle(grid)
    ticks = round(step * 100)
    away = ticks * levels + 20
    go(grid, CENTRE, *[CENTRE - away, CENTRE + away] * 4)
    cells = levels + 3 * 2 * levels
    assert grid.held == 0
    assert grid.cash == cells * ticks * ORDER
    assert len(grid.log) == 2 * cells


def test_an_inventory_is_sold_above_the_market(stage: Callable[..., Any]) -> None:
    """What is held fills the cells above, the nearest first: three orders' worth, three sells; a rise sells them."""
    grid = stage(Grid, step_bps=2.0)
    grid.both.exposure.position = 3 * ORDER * grid.both.desk.lot_units
    settle(grid)
    assert prices(grid, -1) == [CENTRE + 200 * n for n in (1, 2, 3)]
    assert prices(grid, 1) == [CENTRE - 200 * n for n in (5, 4, 3, 2, 1)]
    go(grid, CENTRE, CENTRE + 650)
    assert [(side, price) for side, price, _ in grid.log] == [(-1, CENTRE + 200 * n) for n in (1, 2, 3)]
    assert grid.held == 0
    assert prices(grid, 1)[-4:] == [CENTRE, CENTRE + 200, CENTRE + 400, CENTRE + 600]


def test_a_rise_from_nothing_is_followed_by_buys(stage: Callable[..., Any]) -> None:
    """Cells whose lower lines the market has passed come into play."""
    grid = stage(Grid, step_bps=2.0)
    settle(grid)
    go(grid, CENTRE, CENTRE + 450)
    assert prices(grid, 1)[-3:] == [CENTRE, CENTRE + 200, CENTRE + 400]
    assert grid.log == []


def test_it_ends_beyond_its_range(stage: Callable[..., Any]) -> None:
    """All is cancelled, what is held is kept, and nothing begins again when the price returns."""
    grid = stage(Grid, step_bps=2.0, stop_bps=20.0)
    settle(grid)
    go(grid, CENTRE, CENTRE - 2_050)
    assert grid.resting == {}
    assert grid.held == 5 * ORDER
    asked = len(grid.both.asked)
    go(grid, CENTRE - 2_050, CENTRE)
    assert len(grid.both.asked) == asked


def test_it_sells_out_when_told_to(stage: Callable[..., Any]) -> None:
    """Beyond the range everything is sold through the touch, once the orders are gone."""
    grid = stage(Grid, step_bps=2.0, stop_bps=20.0, sell_out=True)
    settle(grid)
    go(grid, CENTRE, CENTRE - 2_100)
    grid.wait(2_000)
    meet(grid, CENTRE - 2_100)
    assert grid.held == 0
    assert grid.resting == {}
    assert grid.log[-1][0] == -1


def test_it_follows_when_told_to(stage: Callable[..., Any]) -> None:
    """A market that leaves the grid upwards gets a new one about its mid."""
    grid = stage(Grid, step_bps=2.0, follow=True)
    settle(grid)
    go(grid, CENTRE, CENTRE + 1_005)
    settle(grid, CENTRE + 1_005)
    assert prices(grid, 1)[-1] == round(CENTRE + 1_005 - (CENTRE + 1_005) * 2e-4)
    assert len(prices(grid, 1)) == 5
    still = stage(Grid, step_bps=2.0)
    settle(still)
    go(still, CENTRE, CENTRE + 1_005)
    assert prices(still, 1)[-1] == CENTRE + 800


def test_it_buys_no_more_than_it_may_hold(stage: Callable[..., Any]) -> None:
    """Two orders' worth, resting ones counted."""
    grid = stage(Grid, step_bps=2.0, most=2.0)
    settle(grid)
    assert prices(grid, 1) == [CENTRE - 400, CENTRE - 200]
    go(grid, CENTRE, CENTRE - 1_200)
    assert grid.held == 2 * ORDER


def test_what_is_far_away_is_not_asked_for_yet(stage: Callable[..., Any]) -> None:
    """Lines ten percent apart: the first below is within fifteen percent of the market, the next ones wait for it."""
    grid = stage(Grid, step_bps=1_000.0, levels=3, stop_bps=5_000.0)
    settle(grid)
    assert prices(grid, 1) == [CENTRE - 100_000]
    settle(grid, CENTRE - 60_000)
    assert prices(grid, 1) == [CENTRE - 200_000, CENTRE - 100_000]


def test_it_does_not_meet_itself(stage: Callable[..., Any]) -> None:
    """A market that touches its sell without trading it: the cell above asks for nothing at that price, until it has.

    Its buy a step lower is gone into a sell at the centre; the next cell's lower line is the centre, too.
    """
    grid = stage(Grid, step_bps=2.0, levels=2)
    settle(grid)
    go(grid, CENTRE, CENTRE - 210)
    assert prices(grid, -1) == [CENTRE]
    for _ in range(40):
        grid.wait(60)
        grid.show([(CENTRE, 10**9)], [(CENTRE + 10, 10**9)])
    assert prices(grid, -1) == [CENTRE]
    assert CENTRE not in prices(grid, 1)
    settle(grid, CENTRE + 20)
    assert CENTRE in prices(grid, 1)


def test_one_request_at_a_time(stage: Callable[..., Any]) -> None:
    """Never are two asked for within the interval."""
    grid = stage(Grid, step_bps=2.0, interval_ms=500)
    for n in range(40):
        grid.wait(50)
        grid.show([(CENTRE - 10, 10**9)], [(CENTRE + 10, 10**9)])
        assert len(grid.both.asked) <= n // 10 + 1


def test_a_part_that_was_bought_is_sold(stage: Callable[..., Any]) -> None:
    """A buy that ends after most of it has filled leaves that part to be sold a step higher."""
    grid = stage(Grid, step_bps=2.0, levels=1)
    settle(grid)
    (number,) = grid.resting
    units = 7_000 * grid.both.desk.lot_units
    grid.both.exposure.position = units
    grid.end(number, filled=units)
    settle(grid)
    assert [(o.side, o.price, o.lots) for o in grid.resting.values()] == [(-1, CENTRE, 7_000)]


def test_a_refused_order_is_waited_for(stage: Callable[..., Any]) -> None:
    """After a refusal nothing is asked for during a second: no storm."""
    grid = stage(Grid, step_bps=2.0, levels=1)
    meet(grid, CENTRE)
    (number,) = grid.resting
    order = grid.resting.pop(number)
    grid.reserve(order, -1)
    told = grid.both.order
    told.number, told.side, told.filled, told.status, told.closed = number, 1, 0, int(Status.REJECTED), 1
    grid.call(Handler.ORDER, told)
    for _ in range(3):
        meet(grid, CENTRE)
    assert len(grid.both.asked) == 1
    settle(grid)
    assert len(grid.both.asked) == 2


def test_all_but_the_last_sale_are_post_only(stage: Callable[..., Any]) -> None:
    """It never takes while the grid is there."""
    grid = stage(Grid, step_bps=2.0)
    settle(grid)
    go(grid, CENTRE, CENTRE - 900, CENTRE + 500)
    assert {order[3] for order in grid.both.asked} == {OrderType.POST_ONLY}


def test_nothing_is_asked_for_after_the_end(stage: Callable[..., Any]) -> None:
    """The cancels at the end of a run bring no new orders."""
    grid = stage(Grid)
    settle(grid)
    grid.call(Handler.STOP)
    asked = len(grid.both.asked)
    for number in list(grid.resting):
        grid.end(number)
    settle(grid)
    assert len(grid.both.asked) == asked


def test_the_plug_in_hands_over_the_class() -> None:
    """What is typed after -p."""
    assert bloor_strategy() is Grid
