"""What Acme lists: symbols, steps and smallest orders."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal
from pathlib import Path
from typing import Any
from urllib.parse import quote

from bloor.errors import BloorError, InputFileError, RemoteProtocolError
from bloor.model.decimals import decimals_of, parse_units
from bloor.model.instrument import Instrument
from bloor.model.symbols import canonical, split_symbol

from bloor_acme.protocol import flag, number, parsed, text, wrong

__all__ = ["instruments_path", "load_instruments", "parse_instruments", "split", "venue_symbol"]

_WHAT = "instruments"


def venue_symbol(symbol: str) -> str:
    """``BTC_USDT`` for ``BTC-USDT``. Raises UsageError for what is no canonical symbol."""
    return "_".join(split_symbol(symbol))


def split(symbol: str) -> tuple[str, str]:
    """Base and quote of a venue symbol, from its text alone."""
    base, _, other = symbol.partition("_")
    return base, other or base


def instruments_path(symbols: Sequence[str]) -> str:
    """The path that lists these canonical symbols, or all of them."""
    named = ",".join(quote(venue_symbol(symbol)) for symbol in symbols)
    return f"/instruments?symbols={named}" if named else "/instruments"


def parse_instruments(body: bytes) -> list[Instrument]:
    """The answer to it.

    Raises:
        RemoteProtocolError: It is no such answer, or an entry of it is wrong; the message names symbol and field.
    """
    document = parsed(body)
    rows = document.get("instruments")
    if type(rows) is not list:
        said = f": the venue said {document['text']!r:.200}" if "text" in document else ""
        raise RemoteProtocolError(f"{_WHAT}: field 'instruments': expected a list, got {rows!r:.60}{said}")
    return [_instrument(row) for row in rows]


def load_instruments(path: Path) -> Sequence[Instrument]:
    """The same from a file. Raises InputFileError."""
    try:
        return parse_instruments(path.read_bytes())
    except OSError as error:
        raise InputFileError(str(path), f"cannot be read: {error.strerror}") from None
    except RemoteProtocolError as error:
        raise InputFileError(str(path), f"expected Acme's list of instruments: {error}") from None


def _instrument(row: Any) -> Instrument:
    if type(row) is not dict:
        raise wrong(_WHAT, "instruments", "objects", row)
    name = text(_WHAT, row, "symbol")
    what = f"{_WHAT}: {name}"
    try:
        return _made(what, name, row)
    except RemoteProtocolError:
        raise
    except (BloorError, ValueError) as error:  # what the instrument itself refuses
        raise RemoteProtocolError(f"{what}: {error}") from None


def _made(what: str, name: str, row: Mapping[str, Any]) -> Instrument:
    base, other = text(what, row, "base"), text(what, row, "quote")
    price_step = number(what, row, "price_step", positive=True)
    qty_step = number(what, row, "qty_step", positive=True)
    price_decimals, qty_decimals = decimals_of(price_step), decimals_of(qty_step)
    lot_units = parse_units(qty_step, qty_decimals)
    instrument = Instrument(
        venue="acme",
        symbol=canonical(base, other),
        venue_symbol=name,
        base=base,
        quote=other,
        price_decimals=price_decimals,
        tick_units=parse_units(price_step, price_decimals),
        qty_decimals=qty_decimals,
        lot_units=lot_units,
        min_lots=max(1, -(-parse_units(number(what, row, "min_qty"), qty_decimals) // lot_units)),
        min_notional=Decimal(number(what, row, "min_value")),
        trading=flag(what, row, "trading"),
    )
    instrument.check()
    return instrument
