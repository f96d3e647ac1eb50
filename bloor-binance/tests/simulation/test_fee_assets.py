"""Fees in a third asset: what the venue takes, what they are worth, and what is said when nobody knows."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from bloor.errors import UsageError
from bloor.execution.position import EXACT
from bloor.observe.summary import summary
from bloor.simulation.venue import SimulationOptions
from bloor.testing.virtual import VirtualRun
from bloor_binance.simulated import SimulatedBinance


def document(run: VirtualRun) -> dict[str, Any]:
    """The document of a run."""
    return summary(
        run.engine, mode="sim", session=Path("/nowhere"), duration_s=1.0, stale_ns={}, versions={}, notices=[]
    )


def bought(trading: Any, **options: Any) -> tuple[VirtualRun, Any]:
    """A run whose venue takes its fees in BNB, which has bought 0.01 BTC at the ask."""
    run, desk, _ = trading.idle(fee_asset="BNB", **options)
    assert desk.instrument.symbol == "BTC-USDT"
    assert desk.buy(desk.book.best_ask + 1_000, 1000, ioc=True)
    run.for_seconds(1)
    assert desk.position == 1000 * desk.lot_units
    assert {fill.fee_asset for fill in run.fills} == {"BNB"}
    return run, desk


def test_the_venue_takes_its_fees_in_the_third_asset(trading: Any) -> None:
    """Three quarters of the usual fee, at the price of BNB, from its balance; the whole quantity is received."""
    run, desk = bought(trading)
    venue: Any = run.world.venue
    balances = trading.account(run).balances
    paid = sum(fill.fee for fill in run.fills)
    assert balances["BNB"].total == 10 * 10**18 - int(paid * 10**18)
    assert balances["BTC"].total == 10 * 10**18 + 10**16
    bnb = venue.exchange.markets["BNBUSDT"]
    price = bnb.instrument.price(bnb.last_price)
    value = sum(desk.instrument.value(f.price_ticks, f.units) for f in run.fills)
    assert abs(paid - value * Decimal("0.00075") / price) < value * Decimal("0.0001") / price


def test_a_fee_nobody_can_value_counts_as_nothing_and_is_told(trading: Any) -> None:
    """No book, nothing configured: 0 in the profit, the amount in the document, and a notice."""
    run, _ = bought(trading)
    paid = sum((fill.fee for fill in run.fills), Decimal(0))
    told = document(run)
    assert told["fees"] == "0"
    assert told["fees_unvalued"] == {"fills": len(run.fills), "amounts": {"BNB": f"{paid:f}"}}
    (notice,) = told["notices"]
    assert notice.startswith(f"the fees of {len(run.fills)} fills, in BNB, count as 0")
    assert notice.endswith("set fee_rates of the venue, or trade BNB too")


def test_a_configured_rate_values_fees_to_the_last_digit(trading: Any) -> None:
    """Profit by hand: cash of the fills, less each fee times 600, plus the position at its mark."""
    run, desk = bought(trading, sets=["venue.binance.fee_rates.BNB=600.0"])
    i = desk.instrument
    assert desk.sell(desk.book.best_bid - 1_000, 1000, ioc=True)
    run.for_seconds(1)
    assert desk.position == 0
    paid = [fill.fee for fill in run.fills]
    assert [fill.fee_quote for fill in run.fills] == [600 * fee for fee in paid]
    cash = sum((-f.side * i.value(f.price_ticks, f.units) for f in run.fills), Decimal(0))
    told = document(run)
    assert Decimal(told["pnl_net"]) == cash - 600 * sum(paid, Decimal(0))
    assert Decimal(told["fees"]) == 600 * sum(paid, Decimal(0))
    assert told["fees_unvalued"] == {"fills": 0, "amounts": {}}
    assert told["notices"] == []


def test_a_book_of_the_run_comes_before_what_is_configured(trading: Any) -> None:
    """The mid of BNB-USDT at the moment of the fill, exactly; half a tick is a price too."""
    sets = ["venue.binance.fee_rates.BNB=1.0"]
    run, desk, _ = trading.idle(fee_asset="BNB", symbols=["BTC-USDT", "BNB-USDT"], sets=sets)
    bnb = next(other for other in run.engine.desks if other.instrument.base == "BNB")
    mids: list[Decimal] = []
    take = run.filled

    def filled(fill: Any) -> None:
        mids.append(EXACT.divide(bnb.instrument.price(bnb.book.mid2), Decimal(2)))
        take(fill)

    run.filled = filled  # type: ignore[method-assign]
    assert desk.buy(desk.book.best_ask + 1_000, 1000, ioc=True)
    run.for_seconds(1)
    assert mids
    assert [fill.fee_quote for fill in run.fills] == [fill.fee * mid for fill, mid in zip(run.fills, mids, strict=True)]
    assert all(500 < mid < 700 for mid in mids)
    assert document(run)["fees_unvalued"]["fills"] == 0


def test_with_too_little_of_it_the_fee_is_taken_as_usual(trading: Any) -> None:
    """In what is received, at the full rate."""
    run, desk, _ = trading.idle(fee_asset="BNB")
    trading.account(run).balance("BNB").free = 10
    assert desk.buy(desk.book.best_ask + 1_000, 1000, ioc=True)
    run.for_seconds(1)
    assert {fill.fee_asset for fill in run.fills} == {"BTC"}
    assert sum(fill.fee for fill in run.fills) == Decimal("0.00001")


def test_a_run_with_such_fees_is_replayed(trading: Any) -> None:
    """What a fee was worth is decided from the journal alone."""
    symbols = ["BTC-USDT", "BNB-USDT"]
    run = VirtualRun(strategies=[trading.Quoter], fee_asset="BNB", symbols=symbols, seed=4)
    run.for_seconds(12)
    run.finish()
    before = [fill.fee_quote for fill in run.fills]
    assert before
    run.fills.clear()
    trading.assert_replays(run)
    assert [fill.fee_quote for fill in run.fills] == before


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"fee_asset": "XYZ"}, "--fee-asset XYZ: expected an asset with a simulated market in USDT, such as BNB"),
        ({"fee_asset": "BNB", "recordings": (Path("any"),)}, "--fee-asset BNB: a recording does not say"),
    ],
)
def test_an_asset_without_a_price_is_refused(options: dict[str, Any], message: str) -> None:
    """Nobody could say how much of it a fee is."""
    with pytest.raises(UsageError, match=message):
        SimulatedBinance(SimulationOptions(**options), lambda *_: None)
