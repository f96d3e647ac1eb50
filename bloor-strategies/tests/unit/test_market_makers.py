"""Avellaneda-Stoikov and GLFT: the papers' numbers, and quotes on markets whose right answer is known."""

from __future__ import annotations

import math
from collections.abc import Callable
from random import Random
from typing import Any

import numpy as np
import pytest

from bloor.model.orders import OrderType
from bloor.strategy.api import Strategy
from bloor.strategy.memory import Handler
from bloor.strategy.params import config_class
from bloor_strategies import avellaneda_stoikov, glft
from bloor_strategies.avellaneda_stoikov import AvellanedaStoikov
from bloor_strategies.glft import GLFT
from bloor_strategies.quoting import ASK, BID, Quoting

MAKERS = (AvellanedaStoikov, GLFT)
#: Lots of an order of 1,000 at a price of 10,000.00 and some hundredths.
ORDER = 9_999


def told(cls: type[Quoting], sigma: float, **parameters: float) -> Quoting:
    """A market maker that is told A and k, and has seen a volatility."""
    maker = cls(config_class(cls)(learn=False, **parameters))
    maker.moves, maker.seconds = sigma * sigma, 1.0
    return maker


@pytest.mark.parametrize(("gamma", "average"), [(0.1, 1.49), (0.01, 1.35), (1.0, 3.02)])
def test_the_spreads_of_the_paper(gamma: float, average: float) -> None:
    """Tables 1 to 3 of Avellaneda and Stoikov, section 3.3: sigma 2, k 1.5, T 1; the average spread of a day."""
    steps = [
        told(AvellanedaStoikov, 2.0, gamma=gamma, decay=1.5, horizon_s=(n + 0.5) / 200).terms() for n in range(200)
    ]
    assert 2 * sum(half for half, _ in steps) / 200 == pytest.approx(average, abs=0.005)


def test_reservation_price_and_spread_by_hand() -> None:
    """gamma 0.1, sigma 2, k 1.5 and one unit of time: 0.4 + 20 ln(16/15) = 1.69077 apart, 0.4 lower for each order."""
    half, skew = told(AvellanedaStoikov, 2.0, gamma=0.1, decay=1.5, horizon_s=1.0).terms()
    assert 2 * half == pytest.approx(1.690770, abs=1e-6)
    assert skew == pytest.approx(0.4)


def test_the_asymptotic_quotes_by_hand() -> None:
    """The parameters of the figures of Guéant, Lehalle and Fernandez-Tapia: sigma 0.3, A 0.9, k 0.3, gamma 0.01.

    c1 = 100 ln(31/30) = 3.27898; (31/30)^31 = 2.76345, times 0.01 / 0.54, its root is c2 = 0.22622.
    """
    half, skew = told(GLFT, 0.3, gamma=0.01, decay=0.3, arrivals=0.9).terms()
    assert skew == pytest.approx(0.3 * 0.226218, abs=1e-5)
    assert half == pytest.approx(3.278982 + skew / 2, abs=1e-5)


def test_the_asymptotic_quotes_are_near_the_exact_ones() -> None:
    """The exact ones come from the eigenvector of the paper's matrix: alpha q^2 on its diagonal, -eta beside it."""
    sigma, a, k, gamma, most = 0.3, 0.9, 0.3, 0.01, 30
    alpha, eta = k / 2 * gamma * sigma**2, a * (1 + gamma / k) ** -(1 + k / gamma)
    q = np.arange(-most, most + 1)
    matrix = np.diag(alpha * q.astype(float) ** 2) - eta * (np.eye(len(q), k=1) + np.eye(len(q), k=-1))
    ground = np.abs(np.linalg.eigh(matrix)[1][:, 0])
    half, skew = told(GLFT, sigma, gamma=gamma, decay=k, arrivals=a).terms()
    for held in range(-5, 6):
        at = most + held
        exact = math.log(ground[at] / ground[at + 1]) / k + math.log(1 + gamma / k) / gamma
        assert half + skew * held == pytest.approx(exact, rel=0.01)


@pytest.mark.parametrize("cls", MAKERS)
def test_more_volatility_more_spread_and_more_skew(cls: type[Quoting]) -> None:
    """Both grow with the volatility; without any only the term of arrivals is left, and no skew."""
    calm, wild = told(cls, 1.0).terms(), told(cls, 3.0).terms()
    assert wild[0] > calm[0]
    assert wild[1] > calm[1] > 0.0
    still = told(cls, 0.0)
    assert still.terms() == pytest.approx((math.log(1 + still.gamma / still.decay) / still.gamma, 0.0))


@pytest.mark.parametrize("cls", MAKERS)
def test_steeper_arrivals_tighter_quotes(cls: type[Quoting]) -> None:
    """Where orders do not reach far, quotes are near."""
    assert told(cls, 1.0, decay=5.0).terms()[0] < told(cls, 1.0, decay=0.5).terms()[0]


# ---- orders


def ready(
    stage: Callable[..., Any], cls: type[Strategy], held: int = 0, sigma: float = 1.0, **parameters: float
) -> Any:
    """A market maker at a mid of 1,000,000 ticks that has measured long enough, and holds so many lots."""
    found = stage(cls, **{"learn": False, "warm_s": 0.0, "memory_s": 86_400.0, **parameters})
    for form in (found.both.python, found.both.compiled):
        form.moves, form.seconds = sigma * sigma * 1e6, 1e6
    found.both.exposure.position = held * found.both.desk.lot_units
    found.wait(1_000)
    return found


def look(stage: Any, mid: int = 1_000_000, half: int = 100) -> dict[int, int]:
    """Shows a book about a mid; the prices of the resting orders by their side."""
    stage.show([(mid - half, 10**9)], [(mid + half, 10**9)])
    return {order.side: order.price for order in stage.resting.values()}


@pytest.mark.parametrize("cls", MAKERS)
def test_the_quotes_are_where_the_model_says(stage: Callable[..., Any], cls: type[Quoting]) -> None:
    """At its target both are as far from the mid; each order more moves both down by the skew, each less up."""
    half, skew = told(cls, 1.0, gamma=0.1).terms()
    for orders in (1, 2, 3):
        maker = ready(stage, cls, held=orders * ORDER, gamma=0.1)
        quotes = look(maker)
        shift = skew * (orders - 2)
        assert quotes[1] == math.floor(1e6 - (half + shift) * 100.0)
        assert quotes[-1] == math.ceil(1e6 + (half - shift) * 100.0)


@pytest.mark.parametrize("cls", MAKERS)
def test_an_empty_account_begins_with_a_buy_order(stage: Callable[..., Any], cls: type[Quoting]) -> None:
    """Nothing is sold that is not held; the buy order is nearer to the mid than at the target, and sells follow it."""
    maker = ready(stage, cls)
    (bid,) = (order for order in look(maker).items())
    assert bid[0] == 1
    assert bid[1] > look(ready(stage, cls, held=2 * ORDER))[1]
    maker.wait(1_000)
    maker.trade(next(iter(maker.resting)))
    assert set(look(maker)) == {1, -1}


@pytest.mark.parametrize("cls", MAKERS)
def test_a_full_account_only_sells(stage: Callable[..., Any], cls: type[Quoting]) -> None:
    """Another order would take it past the most it may hold."""
    assert set(look(ready(stage, cls, held=4 * ORDER))) == {-1}


def test_a_remainder_of_less_than_half_an_order_is_kept(stage: Callable[..., Any]) -> None:
    """What is left of fees is no order; half an order is."""
    assert set(look(ready(stage, GLFT, held=ORDER // 2 - 1))) == {1}
    assert set(look(ready(stage, GLFT, held=ORDER // 2 + 1))) == {1, -1}


def test_a_quote_near_enough_stays_and_one_too_far_is_made_anew(stage: Callable[..., Any]) -> None:
    """Within the tolerance nothing is asked for; beyond it both are cancelled, and placed once they are gone."""
    maker = ready(stage, GLFT, held=2 * ORDER, tolerance_bps=1.0)
    first = look(maker)
    maker.wait(1_000)
    assert look(maker, 1_000_090) == first
    assert maker.cancels == 0
    maker.wait(1_000)
    look(maker, 1_000_300)
    assert maker.cancels == 2
    maker.wait(1_000)
    assert look(maker, 1_000_300)[1] > first[1]


def test_requests_keep_their_pace(stage: Callable[..., Any]) -> None:
    """However the market jumps, each side is asked for at most once in the interval."""
    maker = ready(stage, GLFT, held=2 * ORDER, interval_ms=100, tolerance_bps=0.0)
    chance = Random(5)
    for _ in range(1_000):
        maker.wait(10)
        look(maker, 1_000_000 + chance.randrange(-500, 500))
    assert 100 < len(maker.both.asked) <= 2 * 101


def test_a_quote_that_alone_is_the_best_price_does_not_move_the_mid(stage: Callable[..., Any]) -> None:
    """Else the quotes would follow themselves; the next level below counts instead."""
    maker = ready(stage, GLFT, held=2 * ORDER, tolerance_bps=0.0)
    first = look(maker)
    units = maker.both.exposure.open_buy
    maker.wait(1_000)
    maker.show([(first[1], units), (999_900, 10**9)], [(1_000_100, 10**9)])
    assert {order.side: order.price for order in maker.resting.values()} == first
    assert maker.cancels == 0


@pytest.mark.parametrize("cls", MAKERS)
def test_too_far_is_not_quoted(stage: Callable[..., Any], cls: type[Quoting]) -> None:
    """In a market that is too wild to make, there is no quote at all."""
    assert look(ready(stage, cls, held=2 * ORDER, sigma=1e4)) == {}


def test_a_least_distance_beyond_the_farthest_is_no_quote(stage: Callable[..., Any]) -> None:
    """Both hold: no quote is nearer than the one, none is farther than the other."""
    assert look(ready(stage, GLFT, held=2 * ORDER, least_bps=50.0, farthest_bps=40.0)) == {}
    quotes = look(ready(stage, GLFT, held=2 * ORDER, least_bps=50.0, farthest_bps=60.0))
    assert quotes == {1: 995_000, -1: 1_005_000}


@pytest.mark.parametrize("cls", MAKERS)
def test_a_target_beyond_the_most_is_the_most(stage: Callable[..., Any], cls: type[Quoting]) -> None:
    """It does not quote far away for an inventory that it will never have."""
    full = look(ready(stage, cls, held=4 * ORDER, target=1_000.0))
    assert full == look(ready(stage, cls, held=4 * ORDER, target=4.0))
    assert set(full) == {-1}


def test_nothing_is_asked_for_after_the_end(stage: Callable[..., Any]) -> None:
    """The cancels at the end of a run bring no new quotes."""
    maker = ready(stage, GLFT, held=2 * ORDER)
    look(maker)
    maker.call(Handler.STOP)
    maker.wait(10_000)
    for number in list(maker.resting):
        maker.end(number)
    assert look(maker) == {}


def test_it_measures_before_it_quotes(stage: Callable[..., Any]) -> None:
    """For as long as it is to warm up it only looks on."""
    maker = ready(stage, GLFT, held=2 * ORDER, warm_s=3.0)
    seen = []
    for _ in range(5):
        seen.append(bool(look(maker)))
        maker.wait(1_000)
    assert seen == [False, False, False, True, True]


@pytest.mark.parametrize("cls", MAKERS)
def test_inventory_returns_to_its_target(stage: Callable[..., Any], cls: type[Quoting]) -> None:
    """A walk without drift that fills both sides alike: above the target it mostly sells, below it mostly buys."""
    maker = ready(stage, cls, held=4 * ORDER, gamma=0.1, decay=20.0, interval_ms=1, memory_s=60.0)
    chance, mid, toward, away, held = Random(11), 1_000_000, 0, 0, []
    for _ in range(3_000):
        mid += chance.randrange(-60, 61)
        maker.wait(100)
        for number, order in list(maker.resting.items()):
            if number in maker.resting and (order.price - mid) * order.side >= 0:
                before = maker.held / ORDER - 2
                maker.trade(number)
                toward += before * order.side < -0.5
                away += before * order.side > 0.5
        look(maker, mid, 10)
        held.append(maker.held / ORDER)
    assert sum(held[500:]) / len(held[500:]) == pytest.approx(2.0, abs=0.5)
    assert max(held) <= 4.1
    assert toward > 2 * away
    assert toward > 20


def test_all_orders_are_post_only(stage: Callable[..., Any]) -> None:
    """It never takes."""
    maker = ready(stage, GLFT, held=2 * ORDER)
    look(maker)
    assert {order[3] for order in maker.both.asked} == {OrderType.POST_ONLY}
    assert (BID, ASK) == (0, 1)


def test_the_plug_ins_hand_over_their_classes() -> None:
    """What is typed after -p."""
    assert avellaneda_stoikov.bloor_strategy().name == "avellaneda-stoikov"
    assert glft.bloor_strategy().name == "glft"
