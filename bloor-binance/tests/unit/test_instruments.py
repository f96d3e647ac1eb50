"""exchangeInfo to instruments."""

from __future__ import annotations

import json
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from bloor.errors import InputFileError, RemoteProtocolError, UsageError
from bloor_binance.instruments import instruments_path, normalizer_spec, parse_instruments

FILTERS = [
    {"filterType": "PRICE_FILTER", "minPrice": "0.01000000", "maxPrice": "1000000.00000000", "tickSize": "0.01000000"},
    {"filterType": "LOT_SIZE", "minQty": "0.00001000", "maxQty": "9000.00000000", "stepSize": "0.00001000"},
    {"filterType": "MARKET_LOT_SIZE", "minQty": "0.00000000", "maxQty": "50.1", "stepSize": "0.00000000"},
    {
        "filterType": "NOTIONAL", "minNotional": "5.00000000", "applyMinToMarket": True, "maxNotional": "9000000.0",
        "applyMaxToMarket": False, "avgPriceMins": 5,
    },
    {"filterType": "SOMETHING_NEW", "x": [1]},
]  # fmt: skip
ENTRY = {
    "symbol": "BTCUSDT", "status": "TRADING", "baseAsset": "BTC", "baseAssetPrecision": 8, "quoteAsset": "USDT",
    "quotePrecision": 8, "quoteAssetPrecision": 8, "filters": FILTERS, "permissions": [],
}  # fmt: skip


def parse(**change: Any) -> Any:
    (found,) = parse_instruments(json.dumps({"timezone": "UTC", "symbols": [{**ENTRY, **change}]}).encode())
    return found


def without(kind: str) -> list[dict[str, Any]]:
    return [one for one in FILTERS if one["filterType"] != kind]


def test_instrument() -> None:
    """Filters become units and limits; book quantities keep the printed precision."""
    found = parse()
    assert found.key == ("binance", "BTC-USDT")
    assert (found.price_decimals, found.tick_units, found.qty_decimals, found.lot_units) == (2, 1, 8, 1_000)
    assert (found.min_lots, found.max_lots) == (1, 900_000_000)
    assert (found.min_notional, found.max_notional) == (Decimal(5), Decimal(9_000_000))
    assert found.trading
    assert not found.inferred


def test_older_filter_and_status() -> None:
    """MIN_NOTIONAL serves where NOTIONAL is not there; any status but TRADING means no orders."""
    older = [*without("NOTIONAL"), {"filterType": "MIN_NOTIONAL", "minNotional": "10.0"}]
    found = parse(filters=older, status="BREAK")
    assert (found.min_notional, found.max_notional, found.trading) == (Decimal(10), 0, False)


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"symbol": None}, "field 'symbol'"),
        ({"baseAsset": 5}, "BTCUSDT: exchangeInfo: field 'baseAsset'"),
        ({"baseAssetPrecision": "8"}, "field 'baseAssetPrecision'"),
        ({"baseAssetPrecision": 30}, "BTCUSDT"),
        ({"filters": None}, "field 'filters'"),
        ({"filters": without("PRICE_FILTER")}, "one of the type PRICE_FILTER"),
        ({"filters": without("LOT_SIZE")}, "one of the type LOT_SIZE"),
        ({"filters": [*FILTERS, {"filterType": "PRICE_FILTER", "tickSize": "0.00"}]}, "a positive step"),
        ({"filters": [*FILTERS, {"filterType": "PRICE_FILTER", "tickSize": "1e-2"}]}, "'tickSize'"),
        ({"filters": [*FILTERS, {"filterType": "LOT_SIZE", "stepSize": "1", "minQty": "1"}]}, "'maxQty'"),
        (
            {"filters": [*FILTERS, {"filterType": "LOT_SIZE", "stepSize": "1", "minQty": "1", "maxQty": "9" * 15}]},
            "does not fit 63 bits",
        ),
    ],
)
def test_wrong_entries(change: dict[str, Any], reason: str) -> None:
    """What is wrong is named."""
    with pytest.raises(RemoteProtocolError) as error:
        parse(**change)
    assert reason in str(error.value)


@pytest.mark.parametrize("body", [b"", b"[]", b"{}", b'{"symbols":{}}', b'{"symbols":[5]}', b'{"code":-1,"msg":"no"}'])
def test_other_documents(body: bytes) -> None:
    """A document that is no exchangeInfo is refused."""
    with pytest.raises(RemoteProtocolError):
        parse_instruments(body)


def test_path() -> None:
    """The request names the venue's symbols, encoded."""
    assert instruments_path([]) == "/api/v3/exchangeInfo"
    expected = "/api/v3/exchangeInfo?symbols=%5B%22BTCUSDT%22%2C%22ETHBTC%22%5D"
    assert instruments_path(["BTC-USDT", "ETH-BTC"]) == expected
    with pytest.raises(UsageError):
        instruments_path(["BTCUSDT"])


def test_file(tmp_path: Path) -> None:
    """An answer kept in a file is read; anything else is an error with the file's name."""
    spec = normalizer_spec()
    path = tmp_path / "info.json"
    path.write_text(json.dumps({"symbols": [ENTRY]}))
    assert [i.symbol for i in spec.instruments(path)] == ["BTC-USDT"]
    path.write_text("[]")
    with pytest.raises(InputFileError, match=r"info\.json: expected Binance's exchangeInfo"):
        spec.instruments(path)
    with pytest.raises(InputFileError, match="cannot be read"):
        spec.instruments(tmp_path / "missing")
