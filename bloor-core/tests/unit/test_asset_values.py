"""What assets are worth: a pure function of seed and time, common to venues, consistent across pairs."""

from __future__ import annotations

import math
from itertools import pairwise
from random import Random
from statistics import fmean, pstdev

import pytest

from bloor.model.instrument import Instrument
from bloor.simulation.assets import AssetValue
from bloor.simulation.courses import BLOCK_S, DAY_S, STEP_NS
from bloor.simulation.dislocations import Dislocation
from bloor.simulation.fairvalue import FairValue

SECOND = 1_000_000_000
STEPS = SECOND // STEP_NS
BP = 1e-4


def pair(base, quote, venue="x"):
    """An instrument of a venue."""
    return Instrument(
        venue=venue, symbol=f"{base}-{quote}", venue_symbol=base + quote, base=base, quote=quote, price_decimals=2,
        qty_decimals=8,
    )  # fmt: skip


def fair(base, quote, price=1.0, venue="x", *, seed=1, lag_ns=0, dislocations=0.0):
    """The fair value of a pair at a venue."""
    return FairValue(pair(base, quote, venue), price, seed, lag_ns=lag_ns, dislocations=dislocations)


@pytest.mark.parametrize("asset", ["BTC", "SOL", "LTC", "USDT", "EUR", "UNHEARD"])
def test_a_value_is_the_same_whatever_was_asked_before(asset):
    """In any order, by anybody, at any distance from the opening."""
    steps = [Random(1).randrange(3 * DAY_S * STEPS) for _ in range(20)] + [0, 1, 1_700_000_000 * STEPS]
    asked = AssetValue(asset, 1)
    found = {step: asked.at(step) for step in steps}
    for step in sorted(steps):
        assert AssetValue(asset, 1).at(step) == found[step] == asked.at(step)
    assert AssetValue(asset, 2).at(steps[0]) != found[steps[0]]


@pytest.mark.parametrize("asset", ["BTC", "SOL", "USDT", "EUR"])
def test_values_do_not_jump(asset):
    """Neither inside a block nor where blocks and days meet; each day begins with the value of the opening."""
    value = AssetValue(asset, 1)
    for begins in (0, BLOCK_S, 7 * BLOCK_S, DAY_S, 20_000 * DAY_S):
        first = begins * STEPS
        around = [value.at(step) for step in range(max(0, first - 50), first + 50)]
        assert max(abs(b - a) for a, b in pairwise(around)) < 0.5 * BP
    assert (value.at(0), value.at(DAY_S * STEPS)) == pytest.approx((0.0, 0.0), abs=1e-12)
    assert max(abs(value.at(second * STEPS)) for second in range(0, DAY_S, 600)) < 0.2


def test_pairs_of_three_assets_agree():
    """ETH in BTC is ETH in dollars over BTC in dollars, and in euros likewise."""
    for dollar in ("USD", "USDT", "EUR"):
        for seconds in (0, 1, 77, 5_000):
            btc, eth = fair("BTC", dollar, 60_000.0), fair("ETH", dollar, 3_000.0)
            expected = eth.at(seconds * SECOND) / btc.at(seconds * SECOND)
            assert fair("ETH", "BTC", 0.05).at(seconds * SECOND) == pytest.approx(expected, rel=1e-12)


def test_venues_share_the_value_and_hear_of_it_late():
    """What one venue believes is what another will; without a lag and dislocations both believe the same."""
    first, second = fair("BTC", "USD", venue="a"), fair("BTC", "USD", venue="b")
    late = fair("BTC", "USD", venue="b", lag_ns=45_000_000)
    for ns in range(0, 20 * SECOND, 7_000_000):
        assert first.at(ns) == second.at(ns)
        assert late.at(ns + 45_000_000) == first.at(ns)
    assert late.at(-5) == first.at(-5) == first.at(0) == 1.0


def test_each_venue_strays_by_itself():
    """By a deviation of its own, the same for the same seed, which does not change the common value."""
    plain = fair("BTC", "USDC")
    times = range(0, 100 * SECOND, SECOND // 10)
    strayed = {}
    for venue in ("a", "b"):
        one, again = (fair("BTC", "USD", venue=venue, dislocations=1.0) for _ in range(2))
        strayed[venue] = [math.log(one.at(ns) / plain.at(ns)) for ns in times]
        assert [math.log(again.at(ns) / plain.at(ns)) for ns in times] == strayed[venue]
    assert strayed["a"] != strayed["b"]
    assert abs(fmean(strayed["a"])) < 3 * BP


def test_dollars_differ_by_a_small_basis():
    """Basis points that return, and nothing without dislocations."""
    seconds = range(0, DAY_S, 120)
    tether = [AssetValue("USDT", 1).at(second * STEPS) for second in seconds]
    assert 2 * BP < pstdev(tether) < 4 * BP and abs(fmean(tether)) < BP
    assert pstdev([AssetValue("USDC", 1).at(second * STEPS) for second in seconds]) < BP
    assert {AssetValue("USDT", 1, 0.0).at(second * STEPS) for second in seconds} == {0.0}
    assert {AssetValue("USD", 1).at(second * STEPS) for second in seconds} == {0.0}


def spreads(asset, other, share, seed):
    """Values of one less a share of another, every quarter of an hour, and what they are five and thirty minutes on."""
    one, two = AssetValue(asset, seed), AssetValue(other, seed)
    return [
        [one.at(second * STEPS) - share * two.at(second * STEPS) for second in (at, at + 300, at + 1800)]
        for at in range(1200, DAY_S - 3600, 900)
    ]


def growth(found):
    """How much further apart values half an hour apart are than values five minutes apart: 1 if they return."""
    return fmean((late - now) ** 2 for now, _, late in found) / fmean((soon - now) ** 2 for now, soon, _ in found)


@pytest.mark.parametrize(("asset", "other", "share"), [("SOL", "ETH", 1.0), ("ADA", "XRP", 1.0), ("LTC", "BTC", 0.8)])
def test_followers_are_cointegrated(asset, other, share):
    """The spread has 30 basis points around nothing, and does not grow with time."""
    found = [row for seed in (1, 2) for row in spreads(asset, other, share, seed)]
    values = [now for now, _, _ in found]
    assert 25 * BP < pstdev(values) < 35 * BP and abs(fmean(values)) < 8 * BP
    assert growth(found) < 1.6


@pytest.mark.parametrize(("asset", "other"), [("BTC", "ETH"), ("ETH", "XRP"), ("DOGE", "BTC"), ("SOL", "BTC")])
def test_other_assets_are_not(asset, other):
    """What they are apart grows with time."""
    assert growth([row for seed in (1, 2) for row in spreads(asset, other, 1.0, seed)]) > 2


def test_dislocations_are_small_with_rare_shocks():
    """A third of a basis point but for shocks, which are above ten in a few thousandths of the time; scaled, many."""
    steps = range(0, 3600 * STEPS, 5)
    usual = [abs(d) for d in map(Dislocation("k", 1.0).at, steps)]
    ordered = sorted(usual)
    assert 0.1 * BP < ordered[len(ordered) // 2] < 0.4 * BP and ordered[len(ordered) * 9 // 10] < BP
    assert 0.001 < sum(d > 10 * BP for d in usual) / len(usual) < 0.02
    assert 40 * BP < ordered[-1] <= 142 * BP
    many = [abs(d) for d in map(Dislocation("k", 10.0).at, steps)]
    assert sum(d > 10 * BP for d in many) > 5 * sum(d > 10 * BP for d in usual)
    assert not any(map(Dislocation("k", 0.0).at, steps))
