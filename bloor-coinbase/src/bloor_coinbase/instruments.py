"""What Coinbase lists: ``GET /api/v3/brokerage/market/products`` to instruments.

Prices lie on ``price_increment``, quantities, of books as of orders, on ``base_increment``. The market data of a
product with an ``alias`` comes under that name: the book of ``BTC-USDC`` is that of ``BTC-USD``. So the venue symbol of
an instrument is the name of its book, and orders go to the product of its canonical symbol
(:func:`bloor_coinbase.symbols.to_venue`). An instrument file may also hold what the Exchange lists, ``GET /products``.

Sources: docs.cdp.coinbase.com, "List Public Products" of Advanced Trade, and "Get all known trading pairs".
"""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from bloor.errors import RemoteProtocolError
from bloor.hookspecs import NormalizerSpec
from bloor.market.listed import checked, read_list
from bloor.model.decimals import decimals_of, parse_units
from bloor.model.instrument import Instrument
from bloor.model.symbols import canonical
from bloor_coinbase.frames.fields import positive, product, quantity, wrong
from bloor_coinbase.normalizer import CoinbaseNormalizer, parsed
from bloor_coinbase.symbols import to_venue

if TYPE_CHECKING:
    from bloor.market.normalizer import CompiledNormalizer

__all__ = ["PREFIX", "instruments_path", "normalizer_spec", "parse_instruments", "read_instrument_file"]

#: What every path of Advanced Trade begins with.
PREFIX = "/api/v3/brokerage"

KIND = "products"


def normalizer_spec() -> NormalizerSpec:
    """What ``bloor_normalizer`` hands over."""
    return NormalizerSpec(
        venue="coinbase", build=CoinbaseNormalizer, instruments=read_instrument_file, compiled=_compiled
    )


def _compiled() -> CompiledNormalizer:
    from bloor_coinbase.compiled.normalizer import compiled

    return compiled()


def instruments_path(symbols: Sequence[str]) -> str:
    """The REST path that lists the instruments of these canonical symbols; of all spot products without any.

    Raises:
        UsageError: One is not a canonical symbol.
    """
    names = "".join(f"&product_ids={quote(to_venue(symbol), safe='')}" for symbol in symbols)
    return f"{PREFIX}/market/products?product_type=SPOT{names}"


def read_instrument_file(path: Path) -> Sequence[Instrument]:
    """The instruments of a file that holds an answer of ``/market/products``, or of the Exchange's ``/products``.

    Raises:
        InputFileError: The file cannot be read or is no such answer.
    """
    return read_list(path, parse_instruments, "Coinbase's list of products")


def parse_instruments(body: bytes) -> list[Instrument]:
    """The spot instruments of a list of products.

    Raises:
        RemoteProtocolError: It is none, or an entry of it is wrong; the message names product and field.
    """
    document = parsed(body)
    entries = document.get(KIND) if type(document) is dict else document
    if type(entries) is not list:
        said = (document.get("message") or document.get("error")) if type(document) is dict else None
        raise RemoteProtocolError(f"{KIND}: expected a list, got {'none' if said is None else repr(said)[:200]}")
    return [parse_product(entry) for entry in entries if type(entry) is not dict or _is_spot(entry)]


def parse_product(entry: Any) -> Instrument:
    """One entry of the list, of either interface.

    Raises:
        RemoteProtocolError: It is wrong; the message names product and field.
    """
    if type(entry) is not dict:
        raise wrong(KIND, KIND, "objects", entry)
    advanced = "product_id" in entry
    name = product(KIND, entry, "product_id" if advanced else "id")
    return checked(KIND, name, lambda: _advanced(name, entry) if advanced else _exchange(name, entry))


def _is_spot(entry: dict[str, Any]) -> bool:
    return entry.get("product_type") in (None, "SPOT")


def _advanced(name: str, entry: dict[str, Any]) -> Instrument:
    base, quote_asset = product(KIND, entry, "base_currency_id"), product(KIND, entry, "quote_currency_id")
    lot = positive(KIND, entry, "base_increment")
    return Instrument(
        venue="coinbase",
        symbol=canonical(base, quote_asset),
        venue_symbol=entry.get("alias") or name,
        base=base,
        quote=quote_asset,
        **_units(positive(KIND, entry, "price_increment"), lot),
        min_lots=max(1, -(-_lots_units(entry, "base_min_size", lot) // _lot_units(lot))),
        max_lots=_lots_units(entry, "base_max_size", lot) // _lot_units(lot),
        min_notional=_amount(entry, "quote_min_size"),
        max_notional=_amount(entry, "quote_max_size"),
        trading=entry.get("status") == "online" and not any(entry.get(flag) for flag in _CLOSED),
    )


#: Flags of a product that takes no ordinary orders.
_CLOSED = ("is_disabled", "trading_disabled", "cancel_only", "view_only", "auction_mode")


def _exchange(name: str, entry: dict[str, Any]) -> Instrument:
    base, quote_asset = product(KIND, entry, "base_currency"), product(KIND, entry, "quote_currency")
    lot = positive(KIND, entry, "base_increment")
    return Instrument(
        venue="coinbase",
        symbol=canonical(base, quote_asset),
        venue_symbol=name,
        base=base,
        quote=quote_asset,
        **_units(positive(KIND, entry, "quote_increment"), lot),
        min_notional=_amount(entry, "min_market_funds"),
        trading=entry.get("status") == "online" and not any(entry.get(flag) for flag in _CLOSED),
    )


def _units(tick: str, lot: str) -> dict[str, Any]:
    price_decimals = decimals_of(tick)
    return {
        "price_decimals": price_decimals,
        "tick_units": parse_units(tick, price_decimals),
        "qty_decimals": decimals_of(lot),
        "lot_units": _lot_units(lot),
    }


def _lot_units(lot: str) -> int:
    return parse_units(lot, decimals_of(lot))


def _lots_units(entry: dict[str, Any], name: str, lot: str) -> int:
    """A size in the units of the lot, cut to whole ones; 0 where the venue states none."""
    if entry.get(name) in (None, ""):
        return 0
    return int(Decimal(quantity(KIND, entry, name)).scaleb(decimals_of(lot)))


def _amount(entry: dict[str, Any], name: str) -> Decimal:
    """An optional amount of the quote asset, 0 without."""
    return Decimal(quantity(KIND, entry, name)) if entry.get(name) not in (None, "") else Decimal(0)
