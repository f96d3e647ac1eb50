"""Fees: exact, cut as venues cut them, by tier, and the same in both forms."""

from __future__ import annotations

from decimal import ROUND_DOWN, Context, Decimal
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bloor.backtesting.models import FEE_DECIMALS, FeeAsset, FeeSchedule, FeeTier, Flat, Tiers, fee_tiers
from bloor.backtesting.models import fee_kernel as kernel
from bloor.backtesting.models.fee import FeeEntries, traded_value
from bloor.errors import InputFileError, MoneyError
from bloor.model.instrument import Instrument
from bloor.native.caching import jit_is_off
from bloor.simulation.account import Fees, base_atoms, quote_atoms

EXACT = Context(prec=200, rounding=ROUND_DOWN)
rates = st.integers(-1_000_000_000, 1_000_000_000).map(lambda ppb: Decimal(ppb).scaleb(-9))
small_rates = st.integers(-1000, 5000).map(lambda ppm: Decimal(ppm).scaleb(-6))
prices = st.one_of(st.integers(1, 10**7), st.integers(1, (1 << 63) - 1))
fills = st.lists(st.tuples(st.sampled_from([1, -1]), prices, prices, st.sampled_from([0, 1])), min_size=1, max_size=8)


def instrument(price_decimals: int = 2, qty_decimals: int = 8, tick_units: int = 1) -> Instrument:
    """An instrument with these units."""
    return Instrument(
        venue="v", symbol="X-Y", venue_symbol="XY", base="X", quote="Y", price_decimals=price_decimals,
        qty_decimals=qty_decimals, tick_units=tick_units,
    )  # fmt: skip


def entries(schedule: FeeSchedule, of: Instrument, start: Decimal = Decimal(0)) -> FeeEntries:
    """The schedule as a run asks for it, compiled where that is possible."""
    compiled = Flat().entries([of])[0].entries if not jit_is_off() else None
    traded = traded_value(start)
    return FeeEntries(0, schedule.cells(of, traded), traded, compiled)  # type: ignore[arg-type]


def plain(of: FeeEntries, rows: list[tuple[int, int, int, int]]) -> list[int]:
    """What the kernel says as it stands."""
    return [kernel.fee(of.params, *row) for row in rows]


def exact(rate: Decimal, amount: Decimal) -> int:
    """A fraction of an amount, cut to the decimals of a fee."""
    fee = EXACT.multiply(rate, amount).scaleb(FEE_DECIMALS, EXACT)
    return int(max(min(fee, Decimal(kernel.MOST)), Decimal(-kernel.MOST)))


@given(
    rates,
    rates,
    st.sampled_from(FeeAsset),
    st.integers(0, 18),
    st.integers(0, 18),
    st.sampled_from([1, 5, 10**9]),
    fills,
)
def test_exact_of_any_fill(
    maker: Decimal, taker: Decimal, asset: FeeAsset, price_decimals: int, qty_decimals: int, tick: int,
    rows: list[tuple[int, int, int, int]],
) -> None:  # fmt: skip
    """The fee is the rate times what it is taken of, whatever the sizes, cut towards zero at eight decimals."""
    of = instrument(price_decimals, qty_decimals, tick)
    asked = entries(FeeSchedule(tiers=(FeeTier(maker=maker, taker=taker),), asset=asset), of)
    expected = []
    for side, ticks, units, is_maker in rows:
        qty = Decimal(units).scaleb(-qty_decimals, EXACT)
        price = EXACT.multiply(Decimal(ticks), Decimal(tick)).scaleb(-price_decimals, EXACT)
        base = asset is FeeAsset.RECEIVED and side > 0
        expected.append(exact(maker if is_maker else taker, qty if base else EXACT.multiply(price, qty)))
    assert plain(asked, rows) == expected
    if not jit_is_off():
        assert asked.fees(np.array(rows, np.int64)).tolist() == expected


@given(st.integers(0, (1 << 63) - 1), st.integers(0, (1 << 63) - 1), st.integers(0, (1 << 63) - 1), st.integers(0, 60))
def test_products_are_exact(a: int, b: int, c: int, decimals: int) -> None:
    """The digits of a product are those of the integers, as far as an amount goes."""
    cells = np.zeros(kernel.TIERS, np.int64)
    expected = min(a * b * c // 10**decimals, kernel.MOST)
    assert kernel.cut_product(int(cells.ctypes.data), a, b, c, decimals) == expected


@given(small_rates.filter(lambda r: r >= 0), prices, st.integers(1, 10**12), st.booleans(), st.booleans())
def test_as_the_simulated_venues_charge(rate: Decimal, ticks: int, units: int, in_quote: bool, buy: bool) -> None:
    """A backtest takes what the simulated venues take of the same fill."""
    ticks = ticks % 10**9 + 1
    of = instrument(2, 6)
    asset = FeeAsset.QUOTE if in_quote else FeeAsset.RECEIVED
    asked = entries(FeeSchedule(tiers=(FeeTier(maker=rate, taker=rate),), asset=asset), of)
    received = base_atoms(of, units) if buy and not in_quote else quote_atoms(of, ticks, units)
    charged = Fees(taker_ppm=int(rate.scaleb(6)), in_quote=in_quote).commission(received, maker=False)
    assert plain(asked, [(1 if buy else -1, ticks, units, 0)]) == [charged // 10**10]


TIERS = fee_tiers(("0", "0.002", "0.003"), ("100", "0.001", "0.002"), ("1000", "0", "0.001"))


@given(fills, st.decimals(0, 2000, places=4))
def test_tiers_follow_what_was_traded(rows: list[tuple[int, int, int, int]], start: Decimal) -> None:
    """Each fill pays the rates of what was traded before it, and the two forms go on from the same cells."""
    of = instrument()
    schedule = FeeSchedule(tiers=TIERS)
    asked, other = entries(schedule, of, start), entries(schedule, of, start)
    traded = start
    for row in rows:
        _, ticks, units, is_maker = row
        tier = [tier for tier in TIERS if tier.from_value <= traded][-1]
        value = EXACT.multiply(of.price(ticks), of.qty(units))
        expected = exact(tier.maker if is_maker else tier.taker, value)
        assert plain(asked, [row]) == [expected]
        if not jit_is_off():
            assert other.fees(np.array([row], np.int64)).tolist() == [expected]
            assert other.traded.tolist() == asked.traded.tolist()
        most = Decimal(kernel.MOST).scaleb(-4)
        traded = min(EXACT.add(traded, EXACT.quantize(min(value, most), Decimal("0.0001"))), most)


def test_instruments_of_an_account_share_their_tier() -> None:
    """What one of them trades brings the next tier nearer for all."""
    first, second = Tiers(file=Path("unused")), instrument(0, 0)
    traded = traded_value(first.traded)
    schedule = FeeSchedule(tiers=TIERS)
    one, two = schedule.cells(instrument(2, 2), traded), schedule.cells(second, traded)
    assert kernel.fee(int(two.ctypes.data), 1, 10, 1, 0) == 3_000_000
    assert kernel.fee(int(one.ctypes.data), 1, 9000, 100, 0) == 27_000_000  # 90.00, paid on the first tier
    assert kernel.fee(int(two.ctypes.data), -1, 10, 1, 0) == 2_000_000


def test_markets_in_another_quote_asset_do_not_count() -> None:
    """They have the rates of the tier and bring no other one nearer."""
    traded = traded_value(Decimal(100))
    cells = FeeSchedule(tiers=TIERS, counts=False).cells(instrument(0, 0), traded)
    assert kernel.fee(int(cells.ctypes.data), 1, 10**6, 10**6, 1) == 10**12 * 10**8 // 1000
    assert traded.tolist() == [1_000_000]


def test_tiers_of_a_file(tmp_path: Path) -> None:
    """Decimals in quotes, so that no rate passes through binary floating point."""
    path = tmp_path / "fees.json"
    path.write_text(
        '[{"from": "0", "maker": "0.002", "taker": "0.003"}, {"from": "100", "maker": "0.001", "taker": "0.002"},'
        ' {"from": "1000", "maker": "0", "taker": "0.001"}]',
        encoding="utf-8",
    )
    model = Tiers(file=path, volume=Decimal(150))
    assert model.schedule(instrument()).tiers == TIERS
    assert model.traded == 150


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("[", "expected a list of rows such as"),
        ("[]", "'tiers' must begin at a value of 0 and rise"),
        ('[{"from": "1", "maker": "0", "taker": "0"}]', "'tiers' must begin at a value of 0 and rise"),
        ('[{"from": "0", "maker": 0.001, "taker": "0"}]', "expected a decimal number in quotes, got 0.001"),
        ('[{"from": "0", "maker": "2", "taker": "0"}]', "'maker' must be within -1 and 1"),
        ('[{"from": "0", "maker": "NaN", "taker": "0"}]', "'maker' must be within -1 and 1"),
        ('[{"from": "0", "maker": "x", "taker": "0"}]', "InvalidOperation"),
        ('[{"from": "0", "maker": "0"}]', "KeyError: 'taker'"),
        ("[3]", "expected a list of rows such as"),
    ],
)
def test_a_file_without_tiers_is_refused(tmp_path: Path, text: str, says: str) -> None:
    """The message shows what a row looks like."""
    path = tmp_path / "fees.json"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(InputFileError) as caught:
        Tiers(file=path).schedule(instrument())
    assert says in str(caught.value)
    with pytest.raises(InputFileError, match="cannot be read"):
        Tiers(file=tmp_path / "none").schedule(instrument())


def test_a_tick_beyond_the_integers_is_refused() -> None:
    """A rate and a tick have to fit one integer."""
    with pytest.raises(MoneyError, match="a tick of 10000000000 units is too large for fees"):
        Flat().schedule(instrument()).cells(instrument(tick_units=10**10), traded_value())


@pytest.mark.skipif(jit_is_off(), reason="compiled code")
def test_entries_of_several_instruments() -> None:
    """One for each, of one account; a buy says what its fee is taken in."""
    model = Flat(maker=Decimal("-0.0001"), taker=Decimal("0.0005"), asset=FeeAsset.RECEIVED)
    one, two = model.entries([instrument(), instrument(0, 0)])
    assert one.received and one.traded is two.traded and one.fee == two.fee
    rows = np.array([(1, 100, 10**8, 0), (-1, 100, 10**8, 1)], np.int64)
    assert one.fees(rows).tolist() == [50_000, -10_000]  # of the base asset, and of 1.00
