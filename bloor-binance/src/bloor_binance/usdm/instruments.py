"""What Binance USD-M lists: ``GET /fapi/v1/exchangeInfo`` to instruments.

As on spot (:mod:`bloor_binance.instruments`), but a book quantity is printed with ``quantityPrecision`` decimals, the
smallest value of an order is called ``notional``, and a delivery contract has its day in its symbol. The endpoint
takes no symbols: it always lists everything. Source: USD-M documentation, "Exchange Information".
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bloor.hookspecs import NormalizerSpec
from bloor.market.listed import read_list
from bloor.model.instrument import Instrument
from bloor.model.symbols import canonical
from bloor_binance.frames.fields import integer, symbol
from bloor_binance.instruments import EXPECTED, KIND, amount, filters_of, listed, parse_instrument, units
from bloor_binance.usdm.normalizer import BinanceUsdmNormalizer

if TYPE_CHECKING:
    from bloor.market.normalizer import CompiledNormalizer

__all__ = ["instruments_path", "normalizer_spec", "parse_instruments", "read_instrument_file"]


def normalizer_spec() -> NormalizerSpec:
    """What the plug-in hands over for ``binance-usdm``."""
    return NormalizerSpec(
        venue="binance-usdm", build=BinanceUsdmNormalizer, instruments=read_instrument_file, compiled=_compiled
    )


def _compiled() -> CompiledNormalizer:
    from bloor_binance.compiled.normalizer import compiled_usdm

    return compiled_usdm()


def instruments_path(_: Sequence[str]) -> str:
    """The REST path that lists the instruments, whatever is wanted of them."""
    return "/fapi/v1/exchangeInfo"


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
    return [parse_instrument(entry, _contract) for entry in listed(body)]


def _contract(name: str, entry: dict[str, Any]) -> Instrument:
    day = name.partition("_")[2]
    asset, quote = symbol(KIND, entry, "baseAsset"), symbol(KIND, entry, "quoteAsset")
    base = f"{asset}_{day}" if day else asset
    filters = filters_of(entry)
    return Instrument(
        venue="binance-usdm",
        symbol=canonical(base, quote),
        venue_symbol=name,
        base=base,
        quote=quote,
        **units(filters, integer(KIND, entry, "quantityPrecision")),
        min_notional=amount(filters.get("MIN_NOTIONAL", {}), "notional"),
        trading=entry.get("status") == "TRADING",
    )
