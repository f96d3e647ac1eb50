"""What Binance lists: ``GET /api/v3/exchangeInfo`` to instruments.

The filters ``PRICE_FILTER``, ``LOT_SIZE``, ``NOTIONAL`` and ``MIN_NOTIONAL`` make the units and limits; other filters,
unknown ones among them, are ignored. A book quantity is printed with ``baseAssetPrecision`` decimals, which is finer
than the order lot. Source: binance-spot-api-docs, filters.md and rest-api.md of 2026-07.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import orjson

from bloor.errors import RemoteProtocolError
from bloor.hookspecs import NormalizerSpec
from bloor.market.listed import checked, read_list
from bloor.model.decimals import decimals_of, parse_units
from bloor.model.instrument import Instrument
from bloor.model.symbols import canonical
from bloor_binance.frames.fields import integer, quantity, symbol, wrong
from bloor_binance.normalizer import BinanceSpotNormalizer, parsed
from bloor_binance.symbols import venue_symbols

if TYPE_CHECKING:
    from bloor.market.normalizer import CompiledNormalizer

__all__ = ["instruments_path", "normalizer_spec", "parse_instruments", "read_instrument_file"]

KIND = "exchangeInfo"
#: What a file of instruments is to hold.
EXPECTED = "Binance's exchangeInfo"


def normalizer_spec() -> NormalizerSpec:
    """What the plug-in hands over for ``binance``."""
    return NormalizerSpec(
        venue="binance", build=BinanceSpotNormalizer, instruments=read_instrument_file, compiled=_compiled
    )


def _compiled() -> CompiledNormalizer:
    from bloor_binance.compiled.normalizer import compiled_spot

    return compiled_spot()


def instruments_path(symbols: Sequence[str]) -> str:
    """The REST path that lists the instruments of these canonical symbols; of all without any.

    Raises:
        UsageError: One is not a canonical symbol.
    """
    if not symbols:
        return "/api/v3/exchangeInfo"
    names = orjson.dumps(venue_symbols(symbols)).decode()
    return f"/api/v3/exchangeInfo?symbols={quote(names, safe='')}"


def read_instrument_file(path: Path) -> Sequence[Instrument]:
    """The instruments of a file that holds an answer of exchangeInfo.

    Raises:
        InputFileError: The file cannot be read or is no such answer.
    """
    return read_list(path, parse_instruments, EXPECTED)


def parse_instruments(body: bytes) -> list[Instrument]:
    """The instruments of an exchangeInfo answer.

    Raises:
        RemoteProtocolError: It is none, or an entry of it is wrong; the message names symbol and field.
    """
    return [parse_instrument(entry) for entry in listed(body)]


def listed(body: bytes) -> list[Any]:
    """The entries of ``symbols`` of an exchangeInfo answer.

    Raises:
        RemoteProtocolError: It is none.
    """
    document = parsed(body)
    entries = document.get("symbols") if type(document) is dict else None
    if type(entries) is not list:
        code = f": {document['code']} {document.get('msg')}" if type(document) is dict and "code" in document else ""
        raise RemoteProtocolError(f"{KIND}: field 'symbols': expected a list{code or ', got none'}")
    return entries


def parse_instrument(entry: Any, make: Callable[[str, dict[str, Any]], Instrument] | None = None) -> Instrument:
    """One entry of ``symbols``.

    Args:
        entry: The object.
        make: Makes the instrument from its venue symbol and the object; None makes one of spot.

    Raises:
        RemoteProtocolError: It is wrong; the message names symbol and field.
    """
    if type(entry) is not dict:
        raise wrong(KIND, "symbols", "objects", entry)
    name = symbol(KIND, entry, "symbol")
    return checked(KIND, name, lambda: (make or _spot)(name, entry))


def _spot(name: str, entry: dict[str, Any]) -> Instrument:
    base, quote_asset = symbol(KIND, entry, "baseAsset"), symbol(KIND, entry, "quoteAsset")
    filters = filters_of(entry)
    notional = filters.get("NOTIONAL") or filters.get("MIN_NOTIONAL") or {}
    return Instrument(
        venue="binance",
        symbol=canonical(base, quote_asset),
        venue_symbol=name,
        base=base,
        quote=quote_asset,
        **units(filters, integer(KIND, entry, "baseAssetPrecision")),
        min_notional=amount(notional, "minNotional"),
        max_notional=amount(notional, "maxNotional"),
        trading=entry.get("status") == "TRADING",
    )


def units(filters: dict[str, dict[str, Any]], printed_decimals: int) -> dict[str, Any]:
    """The decimals, steps and limits that the filters ``PRICE_FILTER`` and ``LOT_SIZE`` give an instrument.

    Args:
        filters: By their type.
        printed_decimals: Decimals that a book quantity is printed with.

    Raises:
        RemoteProtocolError: A filter is missing or wrong.
        MoneyError: A number of it does not fit.
    """
    tick = _step(filters, "PRICE_FILTER", "tickSize")
    lot = _step(filters, "LOT_SIZE", "stepSize")
    price_decimals = decimals_of(tick)
    qty_decimals = max(printed_decimals, decimals_of(lot))
    lot_units = parse_units(lot, qty_decimals)
    sizes = filters["LOT_SIZE"]
    smallest = parse_units(quantity("LOT_SIZE", sizes, "minQty"), qty_decimals)
    return {
        "price_decimals": price_decimals,
        "tick_units": parse_units(tick, price_decimals),
        "qty_decimals": qty_decimals,
        "lot_units": lot_units,
        "min_lots": max(1, -(-smallest // lot_units)),
        "max_lots": parse_units(quantity("LOT_SIZE", sizes, "maxQty"), qty_decimals) // lot_units,
    }


def filters_of(entry: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """The filters by their type."""
    listed = entry.get("filters")
    if type(listed) is not list or not all(type(one) is dict for one in listed):
        raise wrong(KIND, "filters", "a list of objects", listed)
    return {one["filterType"]: one for one in listed if type(one.get("filterType")) is str}


def _step(filters: dict[str, dict[str, Any]], kind: str, name: str) -> str:
    """The text of a step; a step of zero would mean any price, which no integer grid can hold."""
    if kind not in filters:
        raise wrong(KIND, "filters", f"one of the type {kind}", sorted(filters))
    text = quantity(kind, filters[kind], name)
    if not text.strip("0."):
        raise wrong(kind, name, "a positive step", text)
    return text


def amount(filter_: dict[str, Any], name: str) -> Decimal:
    """An optional amount of the quote asset, 0 without."""
    return Decimal(quantity("NOTIONAL", filter_, name)) if name in filter_ else Decimal(0)
