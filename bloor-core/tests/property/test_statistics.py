"""What holds of the statistics of any run."""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction

import numpy as np
import pytest
from attrs import evolve
from hypothesis import given
from hypothesis import strategies as st

from bloor.execution.position import PositionAccount
from bloor.model.orders import Fill, Liquidity, Side
from bloor.observe.equity import curve_of, drawdown_of, profit_of
from bloor.observe.exact import exactly, total
from bloor.observe.ledger import LedgerDesk, Marks
from bloor.observe.page.columns import columns_of
from bloor.observe.quality import FillsSeen
from bloor.observe.statistics import statistics
from bloor.observe.trips import trips_of
from bloor.testing.ledgers import ledger_of, made_ledger, quoted

MARKET = quoted("X-Y", price_decimals=2, qty_decimals=3, lot_units=5, tick_units=5)
large = st.sampled_from([10**3, 10**6, 10**10])
marks = st.lists(st.integers(1, 10**9), min_size=1, max_size=8)
trade = st.tuples(
    st.integers(0, 100), st.sampled_from([1, -1]), st.integers(1, 10**9), st.integers(1, 12), st.integers(-9, 9)
)
trades = st.lists(trade, max_size=25)


def ledger(rows, mids, size=1, times=None, desks=1, split=0):
    """Fills of one desk, or every ``split``-th of another one in the same book."""
    rows = sorted(rows, key=lambda row: row[0])
    book = Marks(time_ns=np.linspace(0, 100, len(mids)).astype(np.int64), mid2=mids)
    each = [LedgerDesk(strategy=f"s{n}", instrument=MARKET, marks=book) for n in range(desks)]
    fills = [
        (t, (n % split == 0) if split else 0, s, p, u * size, n % 2, n, f * size, 0, 0)
        for n, (t, s, p, u, f) in enumerate(rows)
    ]
    return ledger_of(each, fills, end_ns=100)


@given(rows=trades, mids=marks, size=large)
def test_profit_is_cash_less_fees_and_the_position_at_its_mark(rows, mids, size):
    """The sum in fractions, at any size of numbers; net is trading less fees, trading is edge and inventory."""
    run = ledger(rows, mids, size)
    profit = profit_of(run, 0)
    tick, unit = Fraction(5, 100), Fraction(1, 1000)
    cash = sum((-s * p * tick * u * size * unit for _, s, p, u, _ in rows), Fraction(0))
    fees = sum(f * size for *_, f in rows) * Fraction(1, 10**5)
    held = sum(s * u * size for _, s, _, u, _ in rows) * unit
    assert Fraction(profit.net) == cash - fees + held * mids[-1] * tick / 2
    assert profit.net == profit.trading - profit.fees
    assert profit.trading == profit.edge + profit.inventory
    assert float(profit.net) == pytest.approx(curve_of(run).equity[-1], rel=1e-9, abs=1e-3)


@given(rows=trades, mids=marks, size=large)
def test_round_trips_and_the_open_position_are_the_whole_profit(rows, mids, size):
    """Closed at the last mark without a fee, all trips together bring the profit of the run, exactly."""
    rows = [(t, s, 2 * p, u, f) for t, s, p, u, f in rows]
    mids = [2 * m for m in mids]
    run = ledger(rows, mids, size)
    held = sum(s * u for _, s, _, u, _ in rows)
    closing = [(100, -1 if held > 0 else 1, mids[-1] // 2, abs(held), 0)] if held else []
    trips = trips_of(ledger([*rows, *closing], mids, size))
    assert Decimal(total(trips.net_units)).scaleb(-5) == profit_of(run, 0).net


@given(rows=trades, base=st.lists(st.integers(0, 4), min_size=25, max_size=25))
def test_trips_are_those_of_the_account_of_a_run(rows, base):
    """Wins and losses are counted as while trading, with fees taken in the base asset too."""
    rows = sorted(rows, key=lambda row: row[0])
    desk = LedgerDesk(strategy="s", instrument=MARKET, marks=Marks(time_ns=[0], mid2=[2]))
    account = PositionAccount(MARKET)
    for (_, side, price, units, fee), taken in zip(rows, base, strict=False):
        account.apply(
            Fill(
                client_id="1",
                instrument=MARKET,
                side=Side(side),
                trade_id="1",
                price_ticks=price,
                units=units,
                fee=Decimal(taken).scaleb(-3),
                fee_asset="X",
                fee_quote=Decimal(fee).scaleb(-5),
                liquidity=Liquidity.MAKER,
                exch_ns=0,
                recv_ns=0,
            )
        )
    fills = [(t, 0, s, p, u, 1, 0, f, b, 0) for (t, s, p, u, f), b in zip(rows, base, strict=False)]
    trips = trips_of(ledger_of([desk], fills, end_ns=100))
    assert (int((trips.net_units > 0).sum()), len(trips)) == (account.wins, account.round_trips)
    assert (trips.begin_ns <= trips.end_ns).all()


@given(rows=trades, mids=marks, factor=st.integers(2, 50))
def test_quantities_scale_money_and_leave_ratios(rows, mids, factor):
    """Ten times the quantity is ten times the money; prices, mark-outs and drawdown times stay what they are."""
    one, many = ledger(rows, mids), ledger([(t, s, p, u * factor, f * factor) for t, s, p, u, f in rows], mids)
    profit, scaled = profit_of(one, 0), profit_of(many, 0)
    assert (scaled.net, scaled.volume, scaled.edge) == (
        profit.net * factor,
        profit.volume * factor,
        profit.edge * factor,
    )
    if rows:
        bps, again = (FillsSeen(run).mark_out(1e-9).maker.bps for run in (one, many))
        assert again == pytest.approx(bps)
    fall, deeper = drawdown_of(curve_of(one)), drawdown_of(curve_of(many))
    assert (fall is None) == (deeper is None)
    if fall is not None and deeper is not None:
        assert deeper.depth == pytest.approx(fall.depth * factor)


@given(rows=trades, mids=marks, split=st.integers(2, 4))
def test_fills_of_one_strategy_or_of_two_are_the_same_money(rows, mids, split):
    """The equity of a run does not depend on which of two strategies in one instrument did what."""
    alone, parted = ledger(rows, mids), ledger(rows, mids, desks=2, split=split)
    assert profit_of(alone, 0).net == profit_of(parted, 0).net + profit_of(parted, 1).net
    assert curve_of(parted).equity == pytest.approx(curve_of(alone).equity, rel=1e-9, abs=1e-2)
    assert FillsSeen(alone).mark_out(0).maker == FillsSeen(parted).mark_out(0).maker


@pytest.mark.parametrize("seed", range(3))
def test_the_order_of_desks_does_not_matter(seed):
    """Desks named in another order give the same numbers."""
    run = made_ledger([quoted("A-USDT"), quoted("B-USDT")], fills=80, seconds=600, seed=seed)
    swapped = evolve(
        run,
        desks=run.desks[::-1],
        fills=evolve(run.fills, desk=1 - run.fills.desk),
        orders=evolve(run.orders, desk=1 - run.orders.desk),
    )
    first, second = statistics(run), statistics(swapped)
    assert first.profit == second.profit and first.orders == second.orders
    assert first.trips.count == second.trips.count and first.exposure == second.exposure
    assert first.curve.equity == pytest.approx(second.curve.equity)


@given(pairs=st.lists(st.tuples(st.integers(-(2**62), 2**62), st.integers(-(2**40), 2**40)), max_size=20))
def test_sums_of_products_are_exact_at_any_size(pairs):
    """Whether they fit 64 bits or not, running sums of products are what Python integers give."""
    left, right = np.array(pairs, np.int64).reshape(len(pairs), 2).T
    sums = exactly(lambda kind: np.cumsum(left.astype(kind) * right.astype(kind)))
    assert [int(each) for each in sums] == [sum(a * b for a, b in pairs[: n + 1]) for n in range(len(pairs))]
    assert total(left) == sum(a for a, _ in pairs)


@given(
    values=st.lists(st.integers(-1000, 1000), min_size=1, max_size=60),
    count=st.integers(1, 30),
    step=st.integers(1, 7),
)
def test_columns_of_a_curve_lose_no_extreme(values, count, step):
    """Whatever the width of the columns, the lowest and the highest value of the curve are in them, and its end."""
    times, curve = np.arange(len(values), dtype=np.int64) * step, np.array(values, float)
    columns = columns_of(times, curve, 0, max(int(times[-1]), 1), count)
    assert (columns.low.min(), columns.high.max()) == (curve.min(), curve.max())
    assert columns.last[-1] == curve[-1] and (columns.low <= columns.high).all()
    assert len(columns.low) == count
