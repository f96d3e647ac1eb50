"""Position accounts: cash, cost, fees and round trips, to the last digit."""

from __future__ import annotations

from decimal import Decimal

import pytest
from attrs import evolve

from bloor.execution.position import PositionAccount
from bloor.model.instrument import Instrument
from bloor.model.orders import Fill, Liquidity, Side

#: Tick 0.05, unit 0.001.
XY = Instrument(
    venue="v", symbol="X-Y", venue_symbol="XY", base="X", quote="Y", price_decimals=2, tick_units=5, qty_decimals=3
)


def fill(side: Side, qty: str, price: str, fee: str = "0") -> Fill:
    return Fill(
        client_id="B",
        instrument=XY,
        side=side,
        trade_id="1",
        price_ticks=XY.parse_price(price),
        units=XY.parse_qty(qty),
        fee=Decimal(fee),
        fee_asset="Y",
        fee_quote=Decimal(fee),
        liquidity=Liquidity.TAKER,
        exch_ns=0,
        recv_ns=0,
    )


def account(*fills: Fill) -> PositionAccount:
    made = PositionAccount(XY)
    for one in fills:
        made.apply(one)
    return made


def test_nothing_yet() -> None:
    """Flat, no money, no average price, no rate."""
    empty = account()
    assert (empty.qty, empty.avg_price, empty.win_rate, empty.pnl_net(2000)) == (0, None, None, 0)


def test_a_long_position_by_hand() -> None:
    """Buy 1 at 100 and 3 at 102, sell 2 at 104: average 101.5, realised 5, the rest marked."""
    a = account(fill(Side.BUY, "1", "100", "0.1"), fill(Side.BUY, "3", "102", "0.3"), fill(Side.SELL, "2", "104"))
    assert (a.qty, a.avg_price, a.realised, a.fees) == (2, Decimal("101.5"), 5, Decimal("0.4"))
    mark2 = 2 * XY.parse_price("103")
    assert a.unrealised(mark2) == 3
    assert a.pnl_net(mark2) == Decimal("7.6")
    assert a.cash == -198 and a.volume == 614


def test_a_short_position_by_hand() -> None:
    """Sell 2 at 100, buy 1 at 90: realised 10, the rest at its mark."""
    a = account(fill(Side.SELL, "2", "100"), fill(Side.BUY, "1", "90", "0.5"))
    assert (a.qty, a.avg_price, a.realised) == (-1, 100, 10)
    mark2 = 2 * XY.parse_price("95")
    assert (a.unrealised(mark2), a.pnl_net(mark2)) == (5, Decimal("14.5"))


def test_half_a_tick_of_mark_is_exact() -> None:
    """A mid between two ticks values the position exactly."""
    a = account(fill(Side.BUY, "0.001", "100"))
    assert a.pnl_net(2 * 2000 + 1) == Decimal("0.000025")


def test_a_fill_through_zero_ends_one_trip_and_begins_another() -> None:
    """Long 1 from 100, sell 3 at 110: one win, short 2 at 110; its fee belongs to the trip that ended."""
    a = account(fill(Side.BUY, "1", "100"), fill(Side.SELL, "3", "110", "9.99"))
    assert (a.qty, a.avg_price, a.wins, a.losses, a.realised) == (-2, 110, 1, 0, 10)
    a.apply(fill(Side.BUY, "2", "110", "0.01"))
    assert (a.wins, a.losses, a.win_rate, a.round_trips) == (1, 1, 0.5, 2)


@pytest.mark.parametrize(("fee", "won"), [("0.99", 1), ("1", 0), ("1.01", 0), ("-0.5", 1)])
def test_a_round_trip_is_won_after_fees(fee: str, won: int) -> None:
    """It must earn more than it paid; breaking even is not a win."""
    a = account(fill(Side.BUY, "1", "100", fee), fill(Side.SELL, "1", "101"))
    assert (a.wins, a.losses) == (won, 1 - won)


def test_a_trip_may_have_many_fills() -> None:
    """From flat to flat is one trip, however often it was added to and reduced."""
    a = account(
        fill(Side.BUY, "1", "100"),
        fill(Side.BUY, "1", "102"),
        fill(Side.SELL, "1", "90"),
        fill(Side.BUY, "1", "80"),
        fill(Side.SELL, "2", "97"),
    )
    assert (a.round_trips, a.wins, a.realised, a.cost_units) == (1, 1, 2, 0)


def test_average_prices_that_do_not_end() -> None:
    """A third is cut after 12 decimals beyond those of a price, and nothing of the cost is lost."""
    a = account(fill(Side.BUY, "0.001", "100"), fill(Side.BUY, "0.002", "100.05"))
    assert a.avg_price == Decimal("100.03333333333333")
    for _ in range(3):
        a.apply(fill(Side.SELL, "0.001", "100"))
    assert (a.cost_units, a.realised, a.pnl_net(0)) == (0, Decimal("-0.0001"), Decimal("-0.0001"))


def base_fee(one: Fill, fee: str) -> Fill:
    """The same fill, its fee taken in the base asset."""
    return evolve(one, fee=Decimal(fee), fee_asset="X", fee_quote=Decimal(fee) * XY.price(one.price_ticks))


def test_what_a_base_asset_fee_leaves_behind_ends_no_trip_and_starts_none_anew() -> None:
    """Buy 1 less a fee of 0.001, sell 0.999: flat, for nothing is left to sell; its worth is in neither trip twice."""
    a = account(base_fee(fill(Side.BUY, "1", "100"), "0.001"), fill(Side.SELL, "0.999", "101"))
    assert (a.qty, a.round_trips, a.wins) == (Decimal("0.001"), 1, 1)
    a.apply(base_fee(fill(Side.BUY, "1", "101"), "0.001"))
    a.apply(fill(Side.SELL, "0.999", "101"))
    assert (a.round_trips, a.wins, a.losses) == (2, 1, 1)
    assert a.pnl_net(2 * XY.parse_price("101")) == Decimal(-100) + Decimal("100.899") - Decimal(101) + Decimal(
        "100.899"
    ) - Decimal("0.201") + Decimal("0.202")
