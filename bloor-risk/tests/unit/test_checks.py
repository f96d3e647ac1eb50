"""Every check of bloor-risk: each denial code, each limit at its boundary."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from attrs import evolve

from bloor.config.duration import Duration
from bloor.market.events import NO_PRICE
from bloor.market.view import BookState, BookView
from bloor.model.instrument import Instrument
from bloor.model.orders import OrderType, TimeInForce
from bloor.risk.check import Exposure, OrderIntent, RiskCheck
from bloor_risk.message_rate import MessageRate, MessageRateConfig
from bloor_risk.order_limits import OrderLimits, OrderLimitsConfig
from bloor_risk.position_limits import PositionLimits, PositionLimitsConfig
from bloor_risk.price_collar import PriceCollar, PriceCollarConfig
from bloor_risk.stale_book import StaleBook, StaleBookConfig

#: Tick 0.5, lot 0.001 of which a unit is 0.00001.
BTC = Instrument(
    venue="kraken",
    symbol="BTC-USD",
    venue_symbol="BTC/USD",
    base="BTC",
    quote="USD",
    price_decimals=1,
    tick_units=5,
    qty_decimals=5,
    lot_units=100,
)
DOGE = evolve(BTC, symbol="DOGE-USD", venue_symbol="DOGE/USD", base="DOGE", price_decimals=5, tick_units=1)
NOW = 1_700_000_000_000_000_000


def intent(side: int = 1, lots: int = 1, price: int = 100_000, **fields: int) -> OrderIntent:
    order = OrderIntent()
    values = {"type": OrderType.LIMIT, "tif": TimeInForce.GTC, "units": lots * 100, **fields}
    order.side, order.lots, order.price = side, lots, price
    for name, value in values.items():
        setattr(order, name, value)
    return order


def book(bid: int = 99_990, ask: int = 100_010, age_ns: int = 0, state: BookState = BookState.SYNCED) -> BookView:
    view = BookView()
    view.best_bid, view.best_ask, view.recv_ns, view.state = bid, ask, NOW - age_ns, state
    return view


def exposure(**fields: int) -> Exposure:
    record = Exposure()
    for name, value in fields.items():
        setattr(record, name, value)
    return record


def ask(
    check: RiskCheck, order: OrderIntent, view: BookView | None = None, held: Exposure | None = None, now_ns: int = NOW
) -> str:
    number = check.check(order, view or book(), held or Exposure(), now_ns)
    return check.codes[number] if number else ""


# ---- order-limits


def order_limits(**limits: Any) -> OrderLimits:
    given = {"max_quantity": Decimal("0.01"), "max_value": Decimal(400), **limits}
    return OrderLimits(OrderLimitsConfig(**given), (BTC, DOGE))


@pytest.mark.parametrize(
    ("lots", "price", "code"),
    [
        (10, 80_000, ""),  # 0.01 at 40,000: exactly both limits
        (11, 1, "QUANTITY_ABOVE_MAX"),
        (10, 80_001, "VALUE_ABOVE_MAX"),
        (1, 800_000, ""),
        (1, 800_001, "VALUE_ABOVE_MAX"),
    ],
)
def test_order_limits_at_their_boundaries(lots: int, price: int, code: str) -> None:
    """An order exactly at a limit passes, the next lot or tick does not; both sides alike."""
    for side in (1, -1):
        assert ask(order_limits(), intent(side, lots, price)) == code


def test_a_limit_between_units_allows_the_lower() -> None:
    """A limit that is no whole number of units is never rounded up."""
    check = order_limits(max_quantity=Decimal("0.0109999999"), max_value=Decimal(10**9))
    assert ask(check, intent(lots=10)) == ""
    assert ask(check, intent(lots=11)) == "QUANTITY_ABOVE_MAX"


def test_quantities_by_symbol() -> None:
    """A symbol may have its own quantity; one with the venue's name wins."""
    by_symbol = {"DOGE-USD": Decimal(1000), "kraken:DOGE-USD": Decimal(2000), "binance:BTC-USD": Decimal(7)}
    check = order_limits(max_quantity_by_symbol=by_symbol)
    assert ask(check, intent(lots=2_000_000, price=1, instrument=1)) == ""
    assert ask(check, intent(lots=2_000_001, price=1, instrument=1)) == "QUANTITY_ABOVE_MAX"
    assert ask(check, intent(lots=11, price=1)) == "QUANTITY_ABOVE_MAX"


def test_values_beyond_64_bits_are_compared_exactly() -> None:
    """Price times quantity may pass 2**63; the comparison does not wrap."""
    check = order_limits(max_quantity=Decimal(10**13), max_value=Decimal(10**15))
    assert ask(check, intent(lots=10**15, price=10**15)) == "VALUE_ABOVE_MAX"


# ---- price-collar


def collar() -> PriceCollar:
    limits = PriceCollarConfig(max_through_bps=Decimal(10), max_away_bps=Decimal(100), max_age=Duration(1_000))
    return PriceCollar(limits, (BTC,))


@pytest.mark.parametrize(
    ("side", "price", "code"),
    [
        (1, 100_000, ""),
        (1, 100_100, ""),  # 10 bps above the mid of 100,000
        (1, 100_101, "PRICE_THROUGH_COLLAR"),
        (1, 99_000, ""),  # 100 bps below
        (1, 98_999, "PRICE_AWAY_FROM_COLLAR"),
        (-1, 99_900, ""),
        (-1, 99_899, "PRICE_THROUGH_COLLAR"),
        (-1, 101_000, ""),
        (-1, 101_001, "PRICE_AWAY_FROM_COLLAR"),
    ],
)
def test_the_collar_at_its_edges(side: int, price: int, code: str) -> None:
    """A price exactly at the edge passes, the next tick does not."""
    assert ask(collar(), intent(side, price=price)) == code


@pytest.mark.parametrize(
    ("view", "code"),
    [
        (book(age_ns=1_000), ""),
        (book(age_ns=1_001), "REFERENCE_STALE"),
        (book(age_ns=-1), "REFERENCE_STALE"),
        (book(bid=NO_PRICE), "REFERENCE_ONE_SIDED"),
        (book(ask=NO_PRICE), "REFERENCE_ONE_SIDED"),
        (book(bid=100_000, ask=100_000), "REFERENCE_CROSSED"),
        (book(bid=100_001, ask=100_000), "REFERENCE_CROSSED"),
        (book(state=BookState.UNSYNCED), "REFERENCE_UNSYNCHRONISED"),
        (book(state=BookState.SPLICING), "REFERENCE_UNSYNCHRONISED"),
    ],
)
def test_a_collar_without_a_reference_denies(view: BookView, code: str) -> None:
    """A stale, one-sided, crossed or unsynchronised book is no reference."""
    assert ask(collar(), intent(), view) == code


def test_the_mid_may_be_half_a_tick() -> None:
    """The edge is compared exactly where the mid is no tick: 10 bps of 10,000.5 are 10.0005."""
    view = book(10_000, 10_001)
    assert ask(collar(), intent(price=10_010), view) == ""
    assert ask(collar(), intent(price=10_011), view) == "PRICE_THROUGH_COLLAR"


# ---- position-limits


def position_limits(**limits: Any) -> PositionLimits:
    given = {
        "max_position": Decimal("0.1"),
        "max_position_value": Decimal(10_000),
        "max_open_orders": 3,
        **limits,
    }
    return PositionLimits(PositionLimitsConfig(**given), (BTC, DOGE))


@pytest.mark.parametrize(
    ("side", "lots", "held", "code"),
    [
        (1, 100, {}, ""),
        (1, 101, {}, "POSITION_ABOVE_MAX"),
        (1, 60, {"position": 4_000}, ""),
        (1, 61, {"position": 4_000}, "POSITION_ABOVE_MAX"),
        (1, 60, {"open_buy": 4_000}, ""),
        (1, 61, {"open_buy": 4_000}, "POSITION_ABOVE_MAX"),
        (1, 61, {"open_buy": 4_000, "open_sell": 9_000, "inventory": 9_000}, "POSITION_ABOVE_MAX"),
        (1, 1, {"position": 20_000}, "POSITION_ABOVE_MAX"),
        (1, 100, {"position": -20_000}, ""),  # reduces a short that is too large
        (-1, 100, {"position": 20_000}, ""),  # reduces a long that is too large
        (-1, 1, {}, "POSITION_SHORT"),
        (-1, 10, {"position": 1_000}, ""),
        (-1, 11, {"position": 1_000}, "POSITION_SHORT"),
        (-1, 10, {"position": 1_000, "inventory": -1}, "POSITION_SHORT"),  # a fee was taken in the base asset
        (-1, 15, {"position": 1_000, "inventory": 500}, ""),
        (-1, 11, {"position": 2_000, "open_sell": 1_000}, "POSITION_SHORT"),
        (-1, 10, {"position": 2_000, "open_sell": 1_000}, ""),
        (-1, 100, {"inventory": 10**9}, ""),
        (-1, 101, {"inventory": 10**9}, "POSITION_ABOVE_MAX"),
        (1, 1, {"open_orders": 2}, ""),
        (1, 1, {"open_orders": 3}, "OPEN_ORDERS_ABOVE_MAX"),
    ],
)
def test_positions_in_the_worst_case(side: int, lots: int, held: dict[str, int], code: str) -> None:
    """Open orders of the same side count whole, those of the other never as relief; nothing is sold short."""
    assert ask(position_limits(), intent(side, lots), held=exposure(**held)) == code


@pytest.mark.parametrize(("lots", "price", "code"), [(50, 400_000, ""), (50, 400_001, "POSITION_VALUE_ABOVE_MAX")])
def test_the_value_of_a_position(lots: int, price: int, code: str) -> None:
    """The worst-case position is valued at the order's price."""
    assert ask(position_limits(), intent(1, lots, price)) == code
    assert ask(position_limits(), intent(-1, lots, price), held=exposure(inventory=10**9)) == code


def test_positions_by_symbol() -> None:
    """A symbol may have its own position limit."""
    check = position_limits(max_position_by_symbol={"DOGE-USD": Decimal(1000)})
    assert ask(check, intent(lots=1_000_000, price=1, instrument=1)) == ""
    assert ask(check, intent(lots=1_000_001, price=1, instrument=1)) == "POSITION_ABOVE_MAX"


# ---- stale-book


@pytest.mark.parametrize(
    ("view", "code"),
    [
        (book(), ""),
        (book(age_ns=5_000), ""),
        (book(age_ns=5_001), "BOOK_STALE"),
        (book(age_ns=-1), "BOOK_FROM_FUTURE"),
        (book(state=BookState.SPLICING), "BOOK_UNSYNCHRONISED"),
        (book(state=BookState.UNSYNCED, age_ns=9_999), "BOOK_UNSYNCHRONISED"),
        (BookView(), "BOOK_UNSYNCHRONISED"),
    ],
)
def test_stale_books_deny(view: BookView, code: str) -> None:
    """Only a synchronised book of the allowed age is traded on."""
    check = StaleBook(StaleBookConfig(max_age=Duration(5_000)), (BTC,))
    assert ask(check, intent(), view) == code


# ---- message-rate


def rate(per_second: int = 10, burst: int = 3) -> MessageRate:
    return MessageRate(MessageRateConfig(orders_per_second=per_second, burst=burst), (BTC, DOGE))


def test_a_burst_and_then_the_rate() -> None:
    """Three at once, then one every 100 ms and not a nanosecond earlier."""
    check, second = rate(), 1_000_000_000
    assert [ask(check, intent()) for _ in range(4)] == ["", "", "", "MESSAGE_RATE_ABOVE_MAX"]
    assert ask(check, intent(), now_ns=NOW + second // 10 - 1) == "MESSAGE_RATE_ABOVE_MAX"
    assert ask(check, intent(), now_ns=NOW + second // 10) == ""
    assert ask(check, intent(), now_ns=NOW + second // 10) == "MESSAGE_RATE_ABOVE_MAX"
    assert [ask(check, intent(), now_ns=NOW + second) for _ in range(4)][2:] == ["", "MESSAGE_RATE_ABOVE_MAX"]


def test_each_strategy_and_instrument_has_its_own_rate() -> None:
    """One that is too fast does not take from another."""
    check = rate(burst=1)
    keys = [(strategy, instrument) for strategy in (0, 1) for instrument in (0, 1)]
    for answer in ("", "MESSAGE_RATE_ABOVE_MAX"):
        assert {ask(check, intent(strategy=s, instrument=i)) for s, i in keys} == {answer}


def test_a_clock_that_steps_back_gives_nothing_away() -> None:
    """Orders after a step back are denied until the old time has come again."""
    check = rate(burst=1)
    assert ask(check, intent(), now_ns=NOW) == ""
    assert ask(check, intent(), now_ns=NOW - 10**9) == "MESSAGE_RATE_ABOVE_MAX"
    assert ask(check, intent(), now_ns=NOW + 10**8) == ""


# ---- all of them

CHECKS = (OrderLimits, PriceCollar, PositionLimits, StaleBook, MessageRate)


@pytest.mark.parametrize("cls", CHECKS)
def test_codes_are_a_category_and_a_condition(cls: type[RiskCheck]) -> None:
    """Numbers from 1 on, texts in capitals, each once."""
    assert sorted(cls.codes) == list(range(1, len(cls.codes) + 1))
    assert all("_" in code and code == code.upper() for code in cls.codes.values())
    assert len(set(cls.codes.values())) == len(cls.codes)
