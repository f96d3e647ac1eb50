"""What Kraken lists: ``GET /0/public/AssetPairs`` to instruments, and the channel ``instrument`` to the same.

``pair_decimals`` and ``lot_decimals`` are the decimals of prices and quantities; ``tick_size``, ``ordermin`` and
``costmin`` are missing for old pairs, which then have the step of their decimals and no minimum. Pairs without
``wsname`` (past ones, dark pools) have no stream and are left out. Quantities have no maximum. The channel says the
same by other names, steps as bare numbers, with exponents.

Sources: docs.kraken.com, Spot REST "Get Tradable Asset Pairs" and WebSocket v2 "Instruments".
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from bloor.hookspecs import NormalizerSpec
from bloor.market.listed import checked, read_list
from bloor.model.decimals import MAX_DECIMALS, decimals_of, parse_units
from bloor.model.instrument import Instrument
from bloor.model.symbols import canonical
from bloor_kraken.exact import Number, parsed
from bloor_kraken.frames.fields import amount, integer, pair, wrong
from bloor_kraken.frames.snapshot import result
from bloor_kraken.normalizer import KrakenNormalizer
from bloor_kraken.symbols import to_venue

if TYPE_CHECKING:
    from bloor.market.normalizer import CompiledNormalizer

__all__ = ["instruments_path", "listed_pairs", "normalizer_spec", "parse_instruments", "read_instrument_file"]

KIND = "AssetPairs"
#: States in which orders are taken: all kinds of them, or limit orders only.
_TRADING = ("online", "limit_only", "post_only")


def normalizer_spec() -> NormalizerSpec:
    """What the plug-in hands over."""
    return NormalizerSpec(venue="kraken", build=KrakenNormalizer, instruments=read_instrument_file, compiled=_compiled)


def _compiled() -> CompiledNormalizer:
    from bloor_kraken.compiled.normalizer import compiled_kraken

    return compiled_kraken()


def instruments_path(symbols: Sequence[str]) -> str:
    """The REST path that lists the instruments of these canonical symbols; of all without any.

    Raises:
        UsageError: One is not a canonical symbol.
    """
    if not symbols:
        return "/0/public/AssetPairs"
    return f"/0/public/AssetPairs?pair={quote(','.join(map(to_venue, symbols)), safe=',')}"


def read_instrument_file(path: Path) -> Sequence[Instrument]:
    """The instruments of a file that holds an answer of AssetPairs, or a snapshot of the channel ``instrument``.

    Raises:
        InputFileError: The file cannot be read or is neither.
    """
    return read_list(path, _of_either, "Kraken's AssetPairs")


def _of_either(body: bytes) -> Sequence[Instrument]:
    document = parsed(body)
    by_channel = type(document) is dict and document.get("channel") == "instrument"
    return listed_pairs(document) if by_channel else parse_instruments(body)


def parse_instruments(body: bytes) -> list[Instrument]:
    """The instruments of an AssetPairs answer.

    Raises:
        RemoteProtocolError: It is none, or an entry of it is wrong; the message names pair and field.
    """
    return [
        _checked(KIND, name, entry, _of_rest)
        for name, entry in result(KIND, parsed(body)).items()
        if type(entry) is not dict or "wsname" in entry
    ]


def listed_pairs(frame: dict[str, Any]) -> list[Instrument]:
    """The instruments of a frame of the channel ``instrument``, as :func:`~bloor_kraken.exact.parsed` gave it.

    Raises:
        RemoteProtocolError: An entry of it is wrong; the message names pair and field.
    """
    data = frame.get("data")
    pairs = data.get("pairs") if type(data) is dict else None
    if type(pairs) is not list:
        raise wrong("instrument", "data", "an object with pairs", data)
    return [_checked("instrument", f"pair {n}", entry, _of_channel) for n, entry in enumerate(pairs, 1)]


def _checked(kind: str, name: str, entry: Any, make: Callable[[dict[str, Any]], Instrument]) -> Instrument:
    if type(entry) is not dict:
        raise wrong(kind, name, "an object", entry)
    return checked(kind, name, lambda: make(entry))


def _of_rest(entry: dict[str, Any]) -> Instrument:
    price_decimals, qty_decimals = _decimals(KIND, entry, "pair_decimals"), _decimals(KIND, entry, "lot_decimals")
    texts = {
        name: amount(KIND, name, entry[name], str) for name in ("tick_size", "ordermin", "costmin") if name in entry
    }
    return _instrument(
        pair(KIND, entry.get("wsname"), "wsname"),
        price_decimals,
        qty_decimals,
        tick=texts.get("tick_size", "0"),
        lot="0",
        smallest=texts.get("ordermin", "0"),
        cost=texts.get("costmin", "0"),
        status=entry.get("status", "online"),
    )


def _of_channel(entry: dict[str, Any]) -> Instrument:
    kind = "instrument"
    names = ("price_increment", "qty_increment", "qty_min", "cost_min")
    texts: Mapping[str, str] = {name: amount(kind, name, entry[name], Number) for name in names if name in entry}
    return _instrument(
        pair(kind, entry.get("symbol")),
        _decimals(kind, entry, "price_precision"),
        _decimals(kind, entry, "qty_precision"),
        tick=texts.get("price_increment", "0"),
        lot=texts.get("qty_increment", "0"),
        smallest=texts.get("qty_min", "0"),
        cost=texts.get("cost_min", "0"),
        status=entry.get("status", "online"),
    )


def _decimals(kind: str, entry: dict[str, Any], name: str) -> int:
    value = integer(kind, entry, name)
    if value > MAX_DECIMALS:
        raise wrong(kind, name, f"at most {MAX_DECIMALS} decimals", value)
    return value


def _instrument(
    name: str,
    price_decimals: int,
    qty_decimals: int,
    *,
    tick: str,
    lot: str,
    smallest: str,
    cost: str,
    status: Any,
) -> Instrument:
    """An instrument from the texts that say its steps; a step of zero is that of the decimals."""
    base, quote_asset = name.split("/")
    price_decimals, qty_decimals = max(price_decimals, _needed(tick)), max(qty_decimals, _needed(lot))
    lot_units = parse_units(lot, qty_decimals) or 1
    return Instrument(
        venue="kraken",
        symbol=canonical(base, quote_asset),
        venue_symbol=name,
        base=base,
        quote=quote_asset,
        price_decimals=price_decimals,
        tick_units=parse_units(tick, price_decimals) or 1,
        qty_decimals=qty_decimals,
        lot_units=lot_units,
        min_lots=max(1, -(-parse_units(smallest, qty_decimals) // lot_units)),
        min_notional=Decimal(cost),
        trading=status in _TRADING,
    )


def _needed(step: str) -> int:
    """Decimals that a step needs; trailing zeros are no need."""
    return decimals_of(step.rstrip("0").rstrip(".") if "." in step else step)
