"""Instruments and their three integer units."""

from __future__ import annotations

from decimal import Decimal

import pytest

from bloor.errors import MoneyError
from bloor.model.instrument import Instrument, inferred_instrument


def btc(**changes: object) -> Instrument:
    """BTCUSDT as Binance lists it."""
    fields: dict[str, object] = {
        "venue": "binance",
        "symbol": "BTC-USDT",
        "venue_symbol": "BTCUSDT",
        "base": "BTC",
        "quote": "USDT",
        "price_decimals": 2,
        "qty_decimals": 8,
        "lot_units": 1000,
    }
    return Instrument(**{**fields, **changes})  # type: ignore[arg-type]


def test_book_quantities_are_finer_than_lots() -> None:
    """A depth row of 25.42618900 is exact in units although the lot is 0.00001."""
    i = btc()
    assert i.parse_qty("25.42618900") == 2_542_618_900
    assert i.format_qty(2_542_618_900) == "25.42618900"
    assert i.lot_size == Decimal("0.00001")
    assert i.format_lots(7) == "0.00007000"


def test_prices_are_ticks() -> None:
    """Price text and ticks convert both ways, trailing zeros free."""
    i = btc()
    assert i.parse_price("61837.64000000") == 6_183_764
    assert i.format_price(6_183_764) == "61837.64"
    assert i.price(6_183_764) == Decimal("61837.64")


def test_a_tick_that_is_no_power_of_ten() -> None:
    """A tick of 0.05 counts in steps of five cents and refuses what lies between."""
    i = btc(tick_units=5)
    assert i.tick_size == Decimal("0.05")
    assert i.parse_price("1.15") == 23
    assert i.format_price(23) == "1.15"
    with pytest.raises(MoneyError, match="multiple of the tick"):
        i.parse_price("1.16")
    with pytest.raises(MoneyError, match="multiple of the tick"):
        i.ticks_of(Decimal("1.16"))


def test_value_is_exact_beyond_sixty_four_bits() -> None:
    """Price times quantity is exact where the product of the integers passes 2**63."""
    i = btc()
    ticks, units = i.parse_price("61837.64"), i.parse_qty("9000000.00000001")
    assert ticks * units > 1 << 63
    assert i.value(ticks, units) == Decimal("61837.64") * Decimal("9000000.00000001")


def test_quantities_become_whole_lots_or_nothing() -> None:
    """A quantity between lots is refused with the lot in the message."""
    i = btc()
    assert i.lots_of(Decimal("0.00012")) == 12
    with pytest.raises(MoneyError, match=r"lot 0\.00001"):
        i.lots_of(Decimal("0.000125"))


def test_inferred_precision_is_raised_by_the_text() -> None:
    """An inferred instrument takes the finest decimals seen, and never falls back."""
    i = inferred_instrument("binance", "NEXO-USDT", "NEXOUSDT")
    i = i.refined("1.21400000", "63.38000000")
    assert (i.price_decimals, i.qty_decimals) == (3, 2)
    assert i.refined("1.2", "6.0") is i


def test_an_instrument_refuses_wrong_fields() -> None:
    """Precision and lots have bounds."""
    with pytest.raises(ValueError, match="price_decimals"):
        btc(price_decimals=19)
    with pytest.raises(ValueError, match="lot_units"):
        btc(lot_units=0)


def test_a_record_reads_back_and_a_wrong_one_is_refused() -> None:
    """An instrument survives being written as plain data, exactly."""
    i = btc(min_notional=Decimal("5.00"), max_lots=9)
    assert Instrument.from_record(i.record()) == i
    with pytest.raises(MoneyError, match="expected an instrument record"):
        Instrument.from_record({**i.record(), "colour": "red"})
