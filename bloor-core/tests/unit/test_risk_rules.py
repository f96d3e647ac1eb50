"""The instrument's own rules, each at its boundary."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from attrs import evolve

from bloor.market.events import NO_PRICE
from bloor.market.view import BookState, BookView
from bloor.model.instrument import Instrument
from bloor.model.orders import OrderType, TimeInForce
from bloor.risk.check import Exposure, OrderIntent
from bloor.risk.rules import InstrumentRules, Rule

#: Tick 0.05, lot 0.001, at least 2 lots and 5 USDT, at most 5000 lots and 1000 USDT.
ETH = Instrument(
    venue="binance",
    symbol="ETH-USDT",
    venue_symbol="ETHUSDT",
    base="ETH",
    quote="USDT",
    price_decimals=2,
    tick_units=5,
    qty_decimals=5,
    lot_units=100,
    min_lots=2,
    max_lots=5_000,
    min_notional=Decimal(5),
    max_notional=Decimal(1000),
)


def rule(traded: Instrument = ETH, book: BookView | None = None, **fields: Any) -> str:
    """The code for an order of 100 lots at 50.00 with some fields replaced; empty when it passes."""
    order = OrderIntent()
    lots = fields.get("lots", 100)
    values = {"side": 1, "type": OrderType.LIMIT, "tif": TimeInForce.GTC, "price": 1000, "lots": lots}
    values |= {"units": lots * traded.lot_units, **fields}
    for name, value in values.items():
        setattr(order, name, value)
    rules = InstrumentRules(InstrumentRules.sim_limits(), (traded,))
    number = rules.check(order, book or BookView(), Exposure(), 0)
    return rules.codes[number] if number else ""


@pytest.mark.parametrize(
    ("fields", "code"),
    [
        ({}, ""),
        ({"instrument": 1}, "INSTRUMENT_UNKNOWN"),
        ({"instrument": -1}, "INSTRUMENT_UNKNOWN"),
        ({"side": 0}, "SIDE_INVALID"),
        ({"side": 2}, "SIDE_INVALID"),
        ({"type": 0}, "TYPE_INVALID"),
        ({"tif": 9}, "TYPE_INVALID"),
        ({"lots": 2, "price": 50_000}, ""),
        ({"lots": 1, "price": 50_000}, "QUANTITY_BELOW_MIN"),
        ({"lots": 0}, "QUANTITY_BELOW_MIN"),
        ({"lots": -100}, "QUANTITY_BELOW_MIN"),
        ({"lots": 5_000, "price": 100}, ""),
        ({"lots": 5_001, "price": 100}, "QUANTITY_ABOVE_VENUE_MAX"),
        ({"units": 9_999}, "QUANTITY_INCONSISTENT"),
        ({"price": 0}, "PRICE_NOT_POSITIVE"),
        ({"price": -1}, "PRICE_NOT_POSITIVE"),
        ({"lots": 100, "price": 1000}, ""),  # exactly 5 USDT
        ({"lots": 100, "price": 999}, "NOTIONAL_BELOW_MIN"),
        ({"lots": 100, "price": 200_000}, ""),  # exactly 1000 USDT
        ({"lots": 100, "price": 200_001}, "NOTIONAL_ABOVE_VENUE_MAX"),
    ],
)
def test_each_rule_at_its_boundary(fields: dict[str, Any], code: str) -> None:
    """The last allowed value passes, the first forbidden one has its own code."""
    assert rule(**fields) == code


def test_instruments_that_carry_no_orders() -> None:
    """A halted one, and one whose precision was guessed."""
    assert rule(evolve(ETH, trading=False)) == "INSTRUMENT_NOT_TRADING"
    assert rule(evolve(ETH, inferred=True)) == "INSTRUMENT_INFERRED"


def test_a_venue_without_maxima_is_bounded_by_63_bits() -> None:
    """No maximum stated means none of the venue's, but never a number that does not fit."""
    free = evolve(ETH, max_lots=0, max_notional=Decimal(0))
    assert rule(free, lots=10**15, price=10**9) == ""
    assert rule(free, lots=(1 << 63) // 100 + 1, units=0) == "QUANTITY_ABOVE_VENUE_MAX"


@pytest.mark.parametrize(
    ("side", "price", "crosses"), [(1, 1000, False), (1, 1001, True), (-1, 1000, False), (-1, 999, True)]
)
def test_post_only_never_crosses(side: int, price: int, crosses: bool) -> None:
    """A post-only order at or through the other side's best price is denied, others may take."""
    book = BookView()
    book.best_bid, book.best_ask, book.state = 999, 1001, BookState.SYNCED
    order = {"side": side, "price": price, "lots": 101}
    assert rule(book=book, type=OrderType.POST_ONLY, **order) == ("POST_ONLY_WOULD_CROSS" if crosses else "")
    assert rule(book=book, type=OrderType.LIMIT, **order) == ""
    book.best_bid = book.best_ask = NO_PRICE
    assert rule(book=book, type=OrderType.POST_ONLY, **order) == ""


def test_every_code_is_a_category_and_a_condition() -> None:
    """Codes are words in capitals, and each has one number."""
    assert InstrumentRules.codes == {r.value: r.name for r in Rule}
    assert all("_" in code and code == code.upper() for code in InstrumentRules.codes.values())
