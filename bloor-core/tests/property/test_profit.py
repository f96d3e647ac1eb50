"""Profit and loss of any sequence of fills: the contract's identity, exactly."""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction

from hypothesis import given
from hypothesis import strategies as st

from bloor.execution.fees import base_fee_units, fee_in_quote
from bloor.execution.position import PositionAccount
from bloor.model.instrument import Instrument
from bloor.model.orders import Fill, Liquidity, Side, VenueFill

instruments = st.builds(
    Instrument,
    venue=st.just("v"),
    symbol=st.just("X-Y"),
    venue_symbol=st.just("XY"),
    base=st.just("X"),
    quote=st.just("Y"),
    price_decimals=st.integers(0, 18),
    tick_units=st.sampled_from([1, 5, 25, 1000]),
    qty_decimals=st.integers(0, 18),
)
trades = st.lists(
    st.tuples(
        st.sampled_from(Side),
        st.integers(1, 10**12),
        st.integers(1, 10**12),
        st.decimals(-1000, 1000, places=18),
    ),
    max_size=20,
)


def made(instrument: Instrument, side: Side, ticks: int, units: int, fee: Decimal) -> Fill:
    return Fill(
        client_id="B",
        instrument=instrument,
        side=side,
        trade_id="1",
        price_ticks=ticks,
        units=units,
        fee=fee,
        fee_asset="Y",
        fee_quote=fee,
        liquidity=Liquidity.MAKER,
        exch_ns=0,
        recv_ns=0,
    )


@given(instrument=instruments, trades=trades, mark2=st.integers(0, 2 * 10**12))
def test_profit_is_cash_less_fees_plus_the_position_at_its_mark(
    instrument: Instrument, trades: list[tuple[Side, int, int, Decimal]], mark2: int
) -> None:
    """pnl_net == sum(-side * price * quantity) - sum(fee_quote) + position * mark, in exact fractions."""
    account = PositionAccount(instrument)
    cash = fees = Fraction(0)
    for side, ticks, units, fee in trades:
        account.apply(made(instrument, side, ticks, units, fee))
        price = Fraction(instrument.parse_price(instrument.format_price(ticks)) * instrument.tick_units) / Fraction(
            10**instrument.price_decimals
        )
        cash -= side * price * Fraction(units, 10**instrument.qty_decimals)
        fees += Fraction(fee)
    position = Fraction(account.qty)
    mark = Fraction(mark2 * instrument.tick_units, 2 * 10**instrument.price_decimals)
    assert Fraction(account.pnl_net(mark2)) == cash - fees + position * mark
    assert account.position == sum(side * units for side, _, units, _ in trades)
    assert Fraction(account.realised) + Fraction(account.unrealised(mark2)) - Fraction(account.fees) == Fraction(
        account.pnl_net(mark2)
    )


@given(instrument=instruments, trades=trades)
def test_cost_belongs_to_the_open_position(
    instrument: Instrument, trades: list[tuple[Side, int, int, Decimal]]
) -> None:
    """Flat has no cost, cost has the position's sign, and the average price lies between the prices paid."""
    account = PositionAccount(instrument)
    prices = []
    for side, ticks, units, fee in trades:
        account.apply(made(instrument, side, ticks, units, fee))
        prices.append(instrument.price(ticks))
        assert (account.cost_units > 0) == (account.position > 0)
        assert (account.cost_units < 0) == (account.position < 0)
        if account.avg_price is not None:
            assert min(prices) - Decimal("1e-6") <= account.avg_price <= max(prices) + instrument.price(units)
    assert account.round_trips <= len(trades)


@given(instrument=instruments, fees=st.lists(st.decimals(-1, 1, places=20), max_size=30))
def test_base_fees_are_never_counted_short(instrument: Instrument, fees: list[Decimal]) -> None:
    """Whole units taken from the inventory are at least the fees, and less than one unit more."""
    total = sum(fees, Decimal(0))
    units = base_fee_units(total, instrument)
    exact = Fraction(total) * 10**instrument.qty_decimals
    assert exact <= units < exact + 1


@given(instrument=instruments, ticks=st.integers(1, 10**12), fee=st.decimals(-10, 10, places=18))
def test_a_base_fee_is_worth_its_price(instrument: Instrument, ticks: int, fee: Decimal) -> None:
    """Exactly the fee times the price of its fill."""
    fill = VenueFill(
        trade_id="1",
        price_ticks=ticks,
        units=1,
        fee=fee,
        fee_asset="X",
        liquidity=Liquidity.TAKER,
        exch_ns=0,
    )
    worth = fee_in_quote(fill, instrument, lambda asset, quote: None)
    assert worth is not None and Fraction(worth) == Fraction(fee) * Fraction(instrument.price(ticks))
