"""Samples of Coinbase's private answers: every row of them can be read."""

from __future__ import annotations

import json
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from bloor.model.instrument import Instrument
from bloor.model.orders import Liquidity
from bloor_coinbase.instruments import parse_product
from bloor_coinbase.rows import OrderStatus, fill_row, listed_row, user_row

pytestmark = pytest.mark.recorded

FOLDER = "shapes/nautilus_trader/coinbase"


@pytest.fixture
def samples(recordings: Path) -> Path:
    """Where they are."""
    return recordings / FOLDER


def read(path: Path) -> Any:
    """One of them."""
    return json.loads(path.read_text())


def instrument(symbol: str) -> Instrument:
    """What they are about."""
    base, quote = symbol.split("-")
    return Instrument(
        venue="coinbase", symbol=symbol, venue_symbol=symbol, base=base, quote=quote, price_decimals=2, qty_decimals=8
    )


def test_orders_of_rest(samples: Path) -> None:
    """An order alone and orders in a list, open and filled, by size and by value."""
    rows = [read(samples / "http_order.json")["order"], *read(samples / "http_orders_list.json")["orders"]]
    found = [listed_row(row, instrument(row["product_id"])) for row in rows]
    assert [row.status for row in found] == [OrderStatus.OPEN, OrderStatus.OPEN, OrderStatus.FILLED]
    assert [row.ordered for row in found] == [100_000, 1_000_000, -1]
    assert (found[0].mark.units, found[0].mark.average, found[0].mark.fees) == (100_000, "50", Decimal("5.00"))
    assert found[0].mark.exch_ns == 1_622_457_000 * 10**9
    assert all(row.reason == "" for row in found)


def test_orders_of_the_stream(samples: Path) -> None:
    """A snapshot of open orders."""
    (event,) = read(samples / "ws_user.json")["events"]
    (row,) = event["orders"]
    found = user_row(row, instrument("BTC-USD"), 5)
    assert (found.status, found.ordered, found.mark.units, found.mark.fees) == (OrderStatus.OPEN, 100_000, 0, 0)


def test_fills_of_rest(samples: Path) -> None:
    """Exact, with the side of liquidity."""
    rows = [fill_row(row, instrument(row["product_id"])) for row in read(samples / "http_fills.json")["fills"]]
    assert [(row.fill.price_ticks, row.fill.units, row.fill.liquidity) for row in rows] == [
        (4_512_345, 500_000, Liquidity.MAKER),
        (307_692, 3_250_000, Liquidity.TAKER),
    ]


def test_the_rules_of_a_product(samples: Path) -> None:
    """Increments, the smallest and the largest order, by size and by value."""
    product = parse_product(read(samples / "http_product.json"))
    assert (product.tick_size, product.lot_size) == (Decimal("0.01"), Decimal("1E-8"))
    assert (product.min_lots, product.max_lots) == (1, 340_000_000_000)
    assert (product.min_notional, product.max_notional) == (Decimal(1), Decimal(150_000_000))
