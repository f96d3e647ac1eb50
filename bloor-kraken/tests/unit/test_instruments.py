"""What Kraken lists, by REST and over the stream."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path
from typing import Any

import orjson
import pytest

from bloor.errors import InputFileError, RemoteProtocolError, UsageError
from bloor_kraken.instruments import instruments_path, normalizer_spec, parse_instruments, read_instrument_file
from bloor_kraken.limits import rest_rules
from bloor_kraken.symbols import split

ENTRY: dict[str, Any] = {
    "altname": "XBTUSD", "wsname": "XBT/USD", "base": "XXBT", "quote": "ZUSD", "pair_decimals": 1,
    "lot_decimals": 8, "cost_decimals": 5, "ordermin": "0.00005", "costmin": "0.5", "tick_size": "0.1",
    "status": "online",
}  # fmt: skip


def answer(**changes: Any) -> bytes:
    entry = {**ENTRY, **changes}
    return orjson.dumps({"error": [], "result": {"XXBTZUSD": {k: v for k, v in entry.items() if v is not None}}})


def test_an_instrument_of_rest() -> None:
    """Names of version 2, steps exact, minimum as lots."""
    [pair] = parse_instruments(answer())
    assert (pair.symbol, pair.venue_symbol, pair.base, pair.quote) == ("BTC-USD", "BTC/USD", "BTC", "USD")
    assert (pair.tick_size, pair.lot_size, pair.min_lots) == (Decimal("0.1"), Decimal("1E-8"), 5000)
    assert (pair.min_notional, pair.max_lots, pair.trading) == (Decimal("0.5"), 0, True)


def test_an_old_entry_has_no_steps() -> None:
    """Then the decimals are the steps, and there is no minimum."""
    [pair] = parse_instruments(answer(tick_size=None, ordermin=None, costmin=None, status=None, pair_decimals=5))
    assert (pair.tick_size, pair.min_lots, pair.min_notional) == (Decimal("0.00001"), 1, 0)


@pytest.mark.parametrize(("tick", "decimals", "units"), [("0.5", 1, 5), ("0.05", 2, 5), ("0.100", 1, 1), ("5", 1, 50)])
def test_steps_of_every_kind(tick: str, decimals: int, units: int) -> None:
    """A tick finer than the decimals raises them; trailing zeros do not."""
    [pair] = parse_instruments(answer(tick_size=tick))
    assert (pair.price_decimals, pair.tick_units) == (decimals, units)


def test_what_has_no_stream_and_what_does_not_trade() -> None:
    """The first is left out, the second is listed and not traded."""
    assert parse_instruments(answer(wsname=None)) == []
    [pair] = parse_instruments(answer(status="cancel_only"))
    assert not pair.trading


@pytest.mark.parametrize(
    ("body", "says"),
    [
        (answer(pair_decimals="1"), "XXBTZUSD.*|AssetPairs: field 'pair_decimals'"),
        (answer(pair_decimals=40), "at most 18 decimals"),
        (answer(wsname="XBTUSD"), "'wsname'"),
        (answer(tick_size="-1"), "'tick_size'"),
        (b'{"error":["EGeneral:Too many requests"]}', "Kraken answered 'EGeneral:Too many requests'"),
        (b'{"error":[],"result":{"A":3}}', "'A': expected an object"),
    ],
)
def test_a_wrong_entry_is_named(body: bytes, says: str) -> None:
    """Pair and field, or Kraken's own words."""
    with pytest.raises(RemoteProtocolError, match=says):
        parse_instruments(body)


def test_the_stream_says_the_same(tmp_path: Path) -> None:
    """A snapshot of the channel instrument, exponents and all, gives the same instrument as REST."""
    path = tmp_path / "instruments.json"
    path.write_text(
        '{"channel":"instrument","type":"snapshot","data":{"assets":[],"pairs":[{"symbol":"BTC/USD","base":"BTC",'
        '"quote":"USD","status":"online","qty_precision":8,"qty_increment":1e-08,"price_precision":1,'
        '"cost_precision":5,"price_increment":0.1,"cost_min":0.5,"qty_min":5e-05}]}}'
    )
    assert read_instrument_file(path) == parse_instruments(answer())
    path.write_bytes(answer())
    assert normalizer_spec().instruments(path) == parse_instruments(answer())


@pytest.mark.parametrize("content", ["", "[]", '{"channel":"instrument","data":[]}'])
def test_a_file_that_is_none(tmp_path: Path, content: str) -> None:
    """It is named, with what was expected."""
    path = tmp_path / "instruments.json"
    path.write_text(content)
    with pytest.raises(InputFileError, match="expected Kraken's AssetPairs"):
        read_instrument_file(path)


def test_the_path() -> None:
    """All, or some by their names of version 2."""
    assert instruments_path([]) == "/0/public/AssetPairs"
    assert instruments_path(["BTC-USD", "eth-usdt"]) == "/0/public/AssetPairs?pair=BTC%2FUSD,ETH%2FUSDT"
    with pytest.raises(UsageError):
        instruments_path(["XBTUSD"])


def test_the_clock_of_the_venue() -> None:
    """It is said in whole seconds."""
    parse = rest_rules().parse_time
    assert parse is not None
    assert parse(b'{"error":[],"result":{"unixtime":1762820224,"rfc1123":""}}') == 1762820224_000000000
    with pytest.raises(RemoteProtocolError, match="Time"):
        parse(b"[]")


@pytest.mark.parametrize(
    ("name", "parts"),
    [
        ("BTC/USD", ("BTC", "USD")),
        ("XBT/EUR", ("BTC", "EUR")),
        ("XXBTZUSD", ("BTC", "USD")),
        ("XBTUSDT", ("BTC", "USDT")),
        ("XDGXBT", ("DOGE", "BTC")),
        ("SOLXYZ", ("SOL", "XYZ")),
        ("A", ("A", "A")),
    ],
)
def test_a_name_without_a_table(name: str, parts: tuple[str, str]) -> None:
    """A slash decides; a joined name is a guess."""
    assert split(name) == parts
