"""Coinbase's words for ours, and numbers and times as Coinbase prints them: decimals without trailing zeros."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from decimal import Decimal

from bloor.model.decimals import format_units
from bloor.model.instrument import Instrument
from bloor.model.orders import Side
from bloor.simulation.account import ATOM_DECIMALS

__all__ = [
    "SIDES",
    "amount_text",
    "clock_text",
    "decimal_text",
    "go_time",
    "parse_time",
    "plain",
    "price_text",
    "qty_text",
    "side_word",
    "stamp",
]

SIDES = {"BUY": Side.BUY, "SELL": Side.SELL}
_S = 1_000_000_000
_TIME = re.compile(
    r"(\d{4}-\d{2}-\d{2})[Tt ](\d{2}:\d{2}:\d{2})(?:\.(\d{1,9}))?(?:[Zz]|([+-]\d{2}:?\d{2}))?\Z", re.ASCII
)


def side_word(side: Side) -> str:
    """``BUY`` or ``SELL``."""
    return "BUY" if side is Side.BUY else "SELL"


def plain(text: str) -> str:
    """Decimal text without trailing zeros: ``68923``, ``0.5``."""
    return text.rstrip("0").rstrip(".") if "." in text else text


def price_text(instrument: Instrument, ticks: int) -> str:
    """Ticks as a price."""
    return plain(format_units(ticks * instrument.tick_units, instrument.price_decimals))


def qty_text(instrument: Instrument, units: int) -> str:
    """Units as a quantity."""
    return plain(format_units(units, instrument.qty_decimals))


def amount_text(atoms: int) -> str:
    """Atoms of an asset."""
    return plain(format_units(atoms, ATOM_DECIMALS))


def decimal_text(value: Decimal) -> str:
    """A number without exponent."""
    return plain(f"{value:f}")


# -- times --------------------------------------------------------------------------------------------------------


def clock_text(ns: int) -> str:
    """RFC 3339 in whole seconds."""
    return datetime.fromtimestamp(ns // _S, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def stamp(ns: int, decimals: int = 6) -> str:
    """RFC 3339 with up to ``decimals`` decimals of a second, trailing zeros cut as Coinbase cuts them."""
    fraction = f"{ns % _S:09d}"[:decimals].rstrip("0")
    whole = clock_text(ns)
    return f"{whole[:-1]}.{fraction}Z" if fraction else whole


def go_time(ns: int) -> str:
    """The way the heartbeats' ``current_time`` is printed."""
    whole = datetime.fromtimestamp(ns // _S, UTC)
    return f"{whole:%Y-%m-%d %H:%M:%S}.{ns % _S:09d} +0000 UTC m=+{ns % (3600 * _S) / _S:.9f}"


def parse_time(text: str) -> int | None:
    """RFC 3339 as ns since the epoch; None when it is none."""
    match = _TIME.match(text)
    if match is None:
        return None
    day, clock, fraction, offset = match.groups()
    try:
        moment = datetime.fromisoformat(f"{day}T{clock}{offset or '+00:00'}")
    except ValueError:
        return None
    return int(moment.timestamp()) * _S + int((fraction or "0").ljust(9, "0"))
