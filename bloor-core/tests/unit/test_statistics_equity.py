"""Equity, profit and exposure of hand-made runs."""

from __future__ import annotations

from decimal import Decimal

import numpy as np
import pytest

from bloor.observe.equity import curve_of, exposure_of, profit_of
from bloor.observe.ledger import Fills, LedgerDesk, Marks
from bloor.observe.statistics import statistics
from bloor.testing.ledgers import ledger_of, made_ledger, quoted

PLAIN = quoted("X-Y", price_decimals=0, qty_decimals=0, lot_units=1)
MARKS = Marks(time_ns=[0, 10, 20, 30], mid2=[200, 204, 190, 210])
DESK = LedgerDesk(strategy="s", instrument=PLAIN, marks=MARKS)


def fill(time, side, price, units, fee=0, *, desk=0, maker=1, order=0, base=0, mid2=0):
    return (time, desk, side, price, units, maker, order, fee, base, mid2)


def test_the_equity_is_cash_and_positions_at_their_marks():
    """Bought 2 at 99, sold 3 at 101, fees of 1 each: worth what cash and mark say at every time."""
    ledger = ledger_of([DESK], [fill(5, 1, 99, 2, 1), fill(15, -1, 101, 3, 1)], end_ns=40)
    curve = curve_of(ledger)
    assert curve.time_ns.tolist() == [0, 5, 10, 15, 20, 30, 40]
    assert curve.equity.tolist() == [0, 1, 5, 1, 8, -2, -2]
    assert curve.net.tolist() == [0, 200, 204, -102, -95, -105, -105]
    assert curve.gross.tolist() == [0, 200, 204, 102, 95, 105, 105]


def test_profit_is_split_exactly():
    """Net is trading less fees; trading is what fills were better than the mid, and what the mid did afterwards."""
    ledger = ledger_of([DESK], [fill(5, 1, 99, 2, 1, mid2=201), fill(15, -1, 101, 3, -2)], end_ns=40)
    profit = profit_of(ledger, 0)
    assert (profit.net, profit.trading, profit.fees) == (1, 0, -1)
    assert (profit.edge, profit.inventory, profit.volume) == (0, 0, 501)
    assert profit.edge == Decimal("1.5") * 2 + (101 - 102) * 3


def test_money_is_told_in_the_reporting_currency():
    """A desk's rate multiplies its money, exactly."""
    desk = LedgerDesk(strategy="s", instrument=PLAIN, marks=MARKS, rate=Decimal("1.1"))
    profit = profit_of(ledger_of([desk], [fill(5, 1, 99, 2, 1)], end_ns=40), 0)
    assert (profit.net, profit.volume) == (Decimal("12.1"), Decimal("217.8"))


def test_numbers_beyond_64_bits_stay_exact():
    """Values that do not fit an int64 are summed as exactly as those that do."""
    instrument = quoted("X-Y", price_decimals=9, qty_decimals=9, lot_units=1)
    desk = LedgerDesk(strategy="s", instrument=instrument, marks=Marks(time_ns=[0], mid2=[2 * 10**12]))
    rows = [fill(n, 1, 10**12 - 7, 10**12 + n, 3) for n in range(50)]
    profit = profit_of(ledger_of([desk], rows, end_ns=60), 0)
    expected = sum(7 * (10**12 + n) for n in range(50)) - 150
    assert profit.net == Decimal(expected).scaleb(-18)
    assert profit.volume == Decimal(sum((10**12 - 7) * (10**12 + n) for n in range(50))).scaleb(-18)


def test_exposure_is_weighed_by_time():
    """Half of the time flat, a quarter long by 100, a quarter short by 200."""
    marks = Marks(time_ns=[0], mid2=[200])
    desk = LedgerDesk(strategy="s", instrument=PLAIN, marks=marks)
    ledger = ledger_of([desk], [fill(50, 1, 100, 1), fill(75, -1, 100, 3)], end_ns=100)
    exposure = exposure_of(curve_of(ledger))
    assert (exposure.in_market, exposure.gross_mean, exposure.net_mean) == (0.5, 75, -25)
    assert (exposure.gross_max, exposure.long_max, exposure.short_max) == (200, 100, 200)


def test_a_run_without_fills_has_statistics():
    """Nothing happened: zeros, and None where a number has no meaning."""
    whole = statistics(ledger_of([DESK], [], end_ns=40)).as_dict()
    assert whole["profit"]["net"] == "0" and whole["fills"] == 0
    assert whole["drawdown"] is None and whole["maker_ratio"] is None and whole["trips"]["win_rate"] is None
    assert whole["exposure"]["in_market"] == 0 and whole["orders"]["fill_ratio"] is None


def test_as_dict_is_plain_data_without_columns():
    """What goes into JSON has text for money, no array and no NaN."""
    orjson = pytest.importorskip("orjson")
    whole = statistics(made_ledger(fills=50, seconds=600)).as_dict()
    assert orjson.loads(orjson.dumps(whole)) == whole
    assert "curve" not in whole and "round_trips" not in whole
    assert isinstance(whole["profit"]["net"], str)


def test_desks_add_up_to_the_whole():
    """The profits of all desks are the profit of the run, exactly."""
    ledger = made_ledger([quoted("BTC-USDT"), quoted("ETH-USDT")], strategies=("a", "b"), fills=60, seconds=600)
    whole = statistics(ledger)
    assert sum((d.profit.net for d in whole.desks), Decimal(0)) == whole.profit.net
    assert sum(d.fills for d in whole.desks) == whole.fills == 240
    assert sum(d.trips.count for d in whole.desks) == whole.trips.count
    assert float(whole.profit.net) == pytest.approx(whole.curve.equity[-1])


def test_columns_are_checked():
    """Rows out of order, of different lengths, of a wrong type or of no desk are refused, and it is said why."""
    none = {
        name: [] for name in ("exch_ns", "desk", "side", "price", "units", "maker", "order", "fee", "fee_base", "mid2")
    }
    with pytest.raises(ValueError, match="columns of one length"):
        Fills(recv_ns=[1], **none)
    with pytest.raises(ValueError, match="a column of int64, came one of float64"):
        Fills(recv_ns=np.array([1.5]), **none)
    with pytest.raises(ValueError, match="a column of int8, came numbers from 300"):
        Fills(recv_ns=[1], **none | {"side": [300]})
    with pytest.raises(ValueError, match="in the order of time_ns, row 1 has 1 after 2"):
        Marks(time_ns=[2, 1], mid2=[1, 1])
    with pytest.raises(ValueError, match="expected mid2 of Marks between 1 and 9223372036854775807, row 1 has 0"):
        Marks(time_ns=[1, 2], mid2=[1, 0])
    with pytest.raises(ValueError, match="sides 1 and -1 in Fills, row 0 has 2"):
        ledger_of([DESK], [fill(5, 2, 99, 2)], end_ns=40)
    with pytest.raises(ValueError, match="expected status of Orders between 1 and 12, row 0 has 0"):
        ledger_of([DESK], [], end_ns=40, orders=[(1, 0, 1, 99, 1, 5, 0, 0, 0)])
    with pytest.raises(ValueError, match="desks from 0 to 0 in fills, came 0 to 3"):
        ledger_of([DESK], [fill(5, 1, 99, 2), fill(6, 1, 99, 2, desk=3)], end_ns=40)
    with pytest.raises(ValueError, match="a run around its fills"):
        ledger_of([DESK], [fill(50, 1, 99, 2)], end_ns=40)
    with pytest.raises(ValueError, match="expected marks, came none"):
        ledger_of(
            [LedgerDesk(strategy="s", instrument=PLAIN, marks=Marks(time_ns=[], mid2=[]))], [fill(5, 1, 9, 2)], end_ns=9
        )
    desk = LedgerDesk(strategy="s", instrument=PLAIN, marks=MARKS, position=3)
    with pytest.raises(ValueError, match="the fills add up to 2 units, the position is 3"):
        ledger_of([desk], [fill(5, 1, 99, 2)], end_ns=40)
