"""Mark-outs, spreads, slippage and fill ratios of hand-made runs."""

from __future__ import annotations

import numpy as np
import pytest

from bloor.execution.life import Status
from bloor.observe.ledger import LedgerDesk, Marks
from bloor.observe.quality import FillsSeen, order_statistics, weighted_mean, weighted_quantiles
from bloor.testing.ledgers import ledger_of, quoted

SECOND = 1_000_000_000
INSTRUMENT = quoted("X-Y", price_decimals=0, qty_decimals=0, lot_units=2)


def desk(gaps=()):
    marks = Marks(
        time_ns=np.arange(7) * SECOND, mid2=[20_000, 20_000, 20_040, 20_040, 20_000, 19_980, 20_000], gaps=gaps
    )
    return LedgerDesk(strategy="s", instrument=INSTRUMENT, marks=marks)


def fill(seconds, side, price, units, *, maker, order=0, mid2=0):
    return (int(seconds * SECOND), 0, side, price, units, maker, order, 0, 0, mid2)


def seen(*rows, gaps=(), orders=()):
    return FillsSeen(ledger_of([desk(gaps)], rows, end_ns=7 * SECOND, orders=orders))


def test_a_mark_out_is_positive_when_the_mid_moves_our_way():
    """A resting buy gains when the mid rises, a resting sell when it falls; weighed by value."""
    fills = seen(fill(1, 1, 10_000, 1, maker=1), fill(3, -1, 10_000, 3, maker=1), fill(3, 1, 10_000, 1, maker=0))
    after = fills.mark_out(1.0)
    assert after.maker.bps == pytest.approx((20 * 1 + 0 * 3) / 4)
    assert after.taker.bps == pytest.approx(0)
    assert (after.maker.count, after.taker.count, after.left_out) == (2, 1, 0)
    assert fills.mark_out(2.0).maker.bps == pytest.approx((20 * 1 + 10 * 3) / 4)


def test_a_mark_out_needs_data_up_to_its_end():
    """Fills whose horizon is beyond the end of the run or touches a gap are left out, and counted."""
    rows = (fill(1, 1, 10_000, 1, maker=1), fill(3, 1, 10_000, 1, maker=1), fill(6, 1, 10_000, 1, maker=1))
    after = seen(*rows, gaps=((int(3.5 * SECOND), int(3.9 * SECOND)),)).mark_out(2.0)
    assert (after.maker.count, after.left_out) == (1, 2)


def test_the_effective_spread_is_what_is_left_and_what_the_market_took():
    """A resting buy 10 below a mid of 10,000 earns 20 bps; the mid falls by 5 meanwhile: 10 remain."""
    fills = seen(fill(0.5, 1, 9_990, 1, maker=1, mid2=20_000), fill(0.5, 1, 10_010, 1, maker=0))
    earned = fills.spread(fills.maker, 5.0)
    assert (earned.effective_bps, earned.realised_bps, earned.impact_bps) == pytest.approx((20, 0, 20), abs=1e-9)
    paid = fills.spread(~fills.maker, 4.0)
    assert (paid.effective_bps, paid.realised_bps) == pytest.approx((-20, -20), abs=1e-9)
    assert fills.spread(fills.maker & False).effective_bps is None


def test_slippage_is_a_cost_against_the_mid_at_the_decision():
    """A buy 5 above and a sell 10 below a mid of 10,000: 5 and 10 bps, weighed by value; resting fills do not count."""
    orders = [(n, 0, side, 0, 2, 0, Status.FILLED, 2, 20_000) for n, side in ((4, 1), (2, -1), (9, 1))]
    rows = (
        fill(1, 1, 10_005, 3, maker=0, order=4),
        fill(2, -1, 9_990, 1, maker=0, order=2),
        fill(2, 1, 9_000, 1, maker=1, order=9),
        fill(2, 1, 10_000, 1, maker=0, order=5),  # nothing is known of this order
    )
    slippage = seen(*rows, orders=orders).slippage
    assert (slippage.count, slippage.mean_bps, slippage.cost) == (2, pytest.approx(6.25), pytest.approx(25))
    assert slippage.quantiles_bps == {"0.05": 5, "0.25": 5, "0.5": 5, "0.75": 5, "0.95": 10}


def test_fill_ratios_count_orders_and_quantities():
    """Two of three orders had a fill; the quantity is weighed by price, a market order's by the mid it saw."""
    orders = [
        (1, 0, 1, 100, 5, 0, Status.FILLED, 10, 0),
        (2, 0, 1, 100, 5, 0, Status.CANCELLED, 5, 0),
        (3, 0, 1, 0, 10, 0, Status.REJECTED, 0, 400),
    ]
    told = order_statistics(ledger_of([desk()], [], end_ns=7 * SECOND, orders=orders))
    assert (told.sent, told.with_fill, told.fill_ratio) == (3, 2, pytest.approx(2 / 3))
    assert told.quantity_ratio == pytest.approx(1500 / (1000 + 1000 + 4000))
    assert told.by_status == {"filled": 1, "cancelled": 1, "rejected": 1}


def test_the_maker_ratio_is_by_value():
    """Three of four parts of the value rested."""
    fills = seen(fill(1, 1, 100, 3, maker=1), fill(1, -1, 100, 1, maker=0))
    assert fills.maker_ratio_of(np.ones(2, bool)) == 0.75
    assert fills.maker_ratio_of(np.zeros(2, bool)) is None


@pytest.mark.parametrize("seed", range(3))
def test_weighted_quantiles_are_those_of_numpy(seed):
    """The inverted distribution function, as numpy has it for weights."""
    chance = np.random.default_rng(seed)
    values, weights = chance.normal(size=200), chance.integers(1, 9, 200).astype(float)
    levels = (0.05, 0.25, 0.5, 0.75, 0.95)
    expected = np.quantile(values, levels, method="inverted_cdf", weights=weights)
    assert weighted_quantiles(values, weights, levels) == pytest.approx(expected)


def test_the_error_of_an_unweighted_mean_is_the_usual_one():
    """With equal weights it is the sample deviation by the root of the count."""
    values = np.random.default_rng(1).normal(size=50)
    told = weighted_mean(values, np.full(50, 3.0))
    assert told.bps == pytest.approx(values.mean())
    assert told.error_bps == pytest.approx(values.std(ddof=1) / np.sqrt(50))
