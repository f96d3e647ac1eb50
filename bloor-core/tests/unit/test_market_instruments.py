"""The instrument table, and instrument files in bloor's own form."""

from __future__ import annotations

import json
from collections.abc import Sequence
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from bloor.errors import InputFileError, MoneyError, UsageError
from bloor.hookspecs import NormalizerSpec
from bloor.market.instruments import InstrumentTable, load_instruments
from bloor.model.instrument import Instrument

ENTRY = {
    "venue": "fake",
    "symbol": "BTC-USDT",
    "venue_symbol": "BTCUSDT",
    "tick_size": "0.05",
    "lot_size": "0.0010",
    "qty_decimals": 8,
    "min_qty": "0.0015",
    "max_qty": "9000",
    "min_notional": "5",
}


def venues_own(path: Path) -> Sequence[Instrument]:
    raise InputFileError(str(path), "the venue's own form was tried")


def build() -> Any:
    raise AssertionError("no normalizer is needed to read a file")


SPEC = NormalizerSpec(venue="fake", build=build, instruments=venues_own)


def load(folder: Path, document: Any) -> Sequence[Instrument]:
    path = folder / "instruments.json"
    path.write_text(document if isinstance(document, str) else json.dumps(document))
    return load_instruments(path, SPEC)


def test_own_form(tmp_path: Path) -> None:
    """Decimal texts become exact units; the smallest order is a whole number of lots."""
    (found,) = load(tmp_path, [ENTRY, {**ENTRY, "venue": "other"}])
    assert (found.price_decimals, found.tick_units, found.qty_decimals, found.lot_units) == (2, 5, 8, 100_000)
    assert (found.min_lots, found.max_lots, found.min_notional) == (2, 9_000_000, Decimal(5))
    assert (found.base, found.quote, found.trading, found.inferred) == ("BTC", "USDT", True, False)


def test_required_fields_are_enough(tmp_path: Path) -> None:
    """Everything else has a meaning when it is not there."""
    names = ("venue", "symbol", "venue_symbol", "tick_size", "lot_size")
    (found,) = load(tmp_path, [{name: ENTRY[name] for name in names} | {"tick_size": "10"}])
    assert (found.price_decimals, found.tick_units, found.qty_decimals, found.lot_units) == (0, 10, 3, 1)
    assert (found.min_lots, found.max_lots, found.max_notional) == (1, 0, 0)


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"symbol": "BTCUSDT"}, "expected BASE-QUOTE"),
        ({"venue_symbol": 5}, "venue_symbol: expected a text, got 5"),
        ({"tick_size": None}, "tick_size: expected a text"),
        ({"tick_size": "0"}, "tick_size: expected a positive number"),
        ({"tick_size": "1e-2"}, "expected a plain decimal number"),
        ({"lot_size": "-1"}, "expected a plain decimal number"),
        ({"qty_decimals": 2}, "qty_decimals: expected an integer from the lot's 3 to 18, got 2"),
        ({"qty_decimals": "8"}, "qty_decimals: expected an integer"),
        ({"qty_decimals": 19}, "to 18, got 19"),
        ({"min_qty": 1}, "min_qty: expected a decimal text"),
        ({"max_qty": "99999999999999"}, "does not fit 63 bits"),
        ({"min_notional": "NaN"}, "expected a plain decimal number"),
        ({"trading": "yes"}, "trading: expected true or false"),
        ({"tick": "0.01"}, "did you mean 'tick_size'"),
    ],
)
def test_wrong_entry(tmp_path: Path, change: dict[str, Any], reason: str) -> None:
    """What is wrong is named with the entry's number."""
    with pytest.raises(InputFileError, match="instrument 2: ") as error:
        load(tmp_path, [ENTRY, {**ENTRY, **change}])
    assert reason in str(error.value)


def test_venues_own_form(tmp_path: Path) -> None:
    """Any other JSON is the venue's business."""
    with pytest.raises(InputFileError, match="own form was tried"):
        load(tmp_path, {"symbols": []})


def test_unusable_files(tmp_path: Path) -> None:
    """No file, no JSON, or nothing for this venue: the message says which."""
    with pytest.raises(InputFileError, match="cannot be read: No such file"):
        load_instruments(tmp_path / "missing", SPEC)
    with pytest.raises(InputFileError, match="got no JSON"):
        load(tmp_path, "[")
    with pytest.raises(InputFileError, match="expected instruments of fake, got none"):
        load(tmp_path, [{**ENTRY, "venue": "other"}])


def test_table() -> None:
    """Instruments are found by number, by both names, and keep their number when replaced."""
    table = InstrumentTable()
    index = table.infer("fake", "BTCUSDT", "BTC", "USDT")
    table.infer("fake", "ETHUSDT", "ETH", "USDT")
    assert (index, len(table), table.index_of("fake", "ETHUSDT"), table.index_of("other", "ETHUSDT")) == (0, 2, 1, -1)
    refined = table.refine(0, ["1.50", "1.25"], ["0.100"])
    assert (refined.price_decimals, refined.qty_decimals) == (2, 1)
    assert table[0] is refined is table.find("fake", "BTC-USDT")
    assert [i.symbol for i in table] == ["BTC-USDT", "ETH-USDT"]
    with pytest.raises(MoneyError):
        table.refine(0, ["NaN"], [])
    with pytest.raises(UsageError, match="fake does not list 'BTC-USD'; did you mean 'BTC-USDT'"):
        table.get("fake", "BTC-USD")
