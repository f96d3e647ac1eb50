"""Lists of products to instruments."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path
from typing import Any

import orjson
import pytest

from bloor.errors import InputFileError, RemoteProtocolError, UsageError
from bloor_coinbase.instruments import instruments_path, parse_instruments, read_instrument_file


def listed(name: str = "BTC-USD", **more: Any) -> dict[str, Any]:
    """A product as Advanced Trade lists it."""
    base, _, quote = name.partition("-")
    return {
        "product_id": name, "base_currency_id": base, "quote_currency_id": quote, "price_increment": "0.01",
        "base_increment": "0.00000001", "quote_increment": "0.01", "base_min_size": "0.00000001",
        "base_max_size": "3400", "quote_min_size": "1", "quote_max_size": "150000000", "status": "online",
        "product_type": "SPOT", "alias": "", "is_disabled": False, **more,
    }  # fmt: skip


def answer(*products: Any) -> bytes:
    """The answer that lists them."""
    return orjson.dumps({"products": products, "num_products": len(products)})


def test_a_product() -> None:
    """Prices on the price increment, quantities on the base increment, limits in lots and in the quote asset."""
    (made,) = parse_instruments(answer(listed()))
    assert (made.venue, made.symbol, made.venue_symbol, made.base, made.quote) == (
        "coinbase", "BTC-USD", "BTC-USD", "BTC", "USD",
    )  # fmt: skip
    assert (made.tick_size, made.lot_size, made.min_lots, made.max_lots) == (
        Decimal("0.01"), Decimal("1e-8"), 1, 340_000_000_000,
    )  # fmt: skip
    assert (made.min_notional, made.max_notional, made.trading) == (Decimal(1), Decimal(150_000_000), True)


def test_an_alias_is_where_its_book_comes() -> None:
    """Market data of BTC-USDC come as BTC-USD; the instrument keeps its own name."""
    (made,) = parse_instruments(answer(listed("BTC-USDC", alias="BTC-USD")))
    assert (made.symbol, made.venue_symbol) == ("BTC-USDC", "BTC-USD")


@pytest.mark.parametrize("more", [{"status": "offline"}, {"trading_disabled": True}, {"cancel_only": True}])
def test_a_product_that_takes_no_orders(more: dict[str, Any]) -> None:
    """It is listed, and does not trade."""
    assert not parse_instruments(answer(listed(**more)))[0].trading


def test_futures_are_left_out() -> None:
    """Their names are no pairs."""
    assert parse_instruments(answer({"product_id": "BIT-28JUL23-CDE", "product_type": "FUTURE"})) == []


def test_the_list_of_the_exchange() -> None:
    """A bare list, with other names."""
    entry = {
        "id": "SKL-EUR", "base_currency": "SKL", "quote_currency": "EUR", "quote_increment": "0.0001",
        "base_increment": "0.1", "min_market_funds": "5.0", "status": "online",
    }  # fmt: skip
    (made,) = parse_instruments(orjson.dumps([entry]))
    assert (made.symbol, made.tick_size, made.lot_size) == ("SKL-EUR", Decimal("0.0001"), Decimal("0.1"))
    assert (made.min_notional, made.trading) == (Decimal(5), True)


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (b"{", "expected JSON"),
        (b'{"error":"unauthorized","message":"invalid key"}', "invalid key"),
        (b'{"products":[5]}', "objects"),
        (answer(listed(price_increment="0")), "price_increment.*positive"),
        (answer(listed(base_increment=None)), "base_increment"),
        (answer(listed(base_max_size="1e5")), "BTC-USD.*base_max_size"),
        (answer(listed(base_max_size="9" * 20)), "BTC-USD.*63 bits"),
    ],
)
def test_a_wrong_list_is_refused(body: bytes, words: str) -> None:
    """The message names product and field."""
    with pytest.raises(RemoteProtocolError, match=words):
        parse_instruments(body)


def test_the_path_names_the_products_that_are_wanted() -> None:
    """Of all spot products without any; only canonical symbols."""
    assert instruments_path(()) == "/api/v3/brokerage/market/products?product_type=SPOT"
    wanted = instruments_path(("btc-usd", "ETH-USDC"))
    assert wanted.endswith("?product_type=SPOT&product_ids=BTC-USD&product_ids=ETH-USDC")
    with pytest.raises(UsageError):
        instruments_path(("BTCUSD",))


def test_an_instrument_file(tmp_path: Path) -> None:
    """An answer kept as a file; any other file is refused by its name."""
    (tmp_path / "products.json").write_bytes(answer(listed()))
    assert read_instrument_file(tmp_path / "products.json")[0].symbol == "BTC-USD"
    (tmp_path / "other.json").write_bytes(b"{}")
    with pytest.raises(InputFileError, match=r"other\.json.*Coinbase"):
        read_instrument_file(tmp_path / "other.json")
    with pytest.raises(InputFileError, match="cannot be read"):
        read_instrument_file(tmp_path / "missing.json")
