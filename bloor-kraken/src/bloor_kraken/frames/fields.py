"""Reading the fields of a frame, each with an error that names it.

Numbers that must be exact stay text. Version 2 sends them bare (:class:`~bloor_kraken.exact.Number`), version 1 as
JSON strings, and each is refused where the other is meant. An exponent, which Kraken uses in lists of instruments
(``1e-08``), is written out, exactly. Quantifiers are possessive, so a hostile text costs no more than its length.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import UTC, datetime
from decimal import Decimal
from functools import lru_cache
from itertools import chain
from typing import Any

from bloor.market.fields import LEVELS, MISSING, NUMBER, POSITIVE, wrong
from bloor.market.messages import Levels
from bloor.model.decimals import INT64_MAX
from bloor_kraken.exact import Number
from bloor_kraken.symbols import asset

__all__ = [
    "amount",
    "checked_levels",
    "epoch_ns",
    "integer",
    "objects",
    "pair",
    "positive",
    "seconds_ns",
    "side",
    "time_ns",
    "whole",
    "wrong",
]

_EXPONENT = re.compile(rf"{NUMBER.pattern}[eE][+-]?+[0-9]{{1,2}}+", re.ASCII)
_TIME = re.compile(r"([0-9-]{10}T[0-9:]{8})(?:\.([0-9]{1,9}))?+(?:Z|\+00:00)", re.ASCII)
_SECONDS = re.compile(r"([0-9]{1,10}+)(?:\.([0-9]{1,9}+))?+", re.ASCII)
_PAIR = re.compile(r"[^\s/]{1,31}+/[^\s/]{1,31}+")


def integer(kind: str, event: dict[str, Any], name: str) -> int:
    """A bare number from 0 to 2**63 - 1."""
    return whole(kind, name, event.get(name, MISSING), Number)


def whole(kind: str, name: str, value: Any, form: type[str] = str) -> int:
    """The same of a value at hand: bare (``Number``) or as text (``str``)."""
    if type(value) is not form or not value.isdecimal() or not value.isascii() or len(value) > 19:
        raise wrong(kind, name, "an integer from 0 to 2**63-1", value)
    number = int(value)
    if number > INT64_MAX:
        raise wrong(kind, name, "an integer from 0 to 2**63-1", value)
    return number


def pair(kind: str, value: Any, name: str = "symbol") -> str:
    """A name of version 2, also where version 1's came: ``BTC/USD`` for ``XBT/USD``."""
    if type(value) is not str or not _PAIR.fullmatch(value) or not value.isprintable():
        raise wrong(kind, name, "a symbol such as BTC/USD", value)
    base, _, quote = value.partition("/")
    return f"{asset(base)}/{asset(quote)}"


def side(kind: str, name: str, value: Any, buy: str, sell: str) -> int:
    """+1 for a buy, -1 for a sell."""
    if value == buy:
        return 1
    if value == sell:
        return -1
    raise wrong(kind, name, f"{buy!r} or {sell!r}", value)


def objects(kind: str, event: dict[str, Any]) -> Sequence[dict[str, Any]]:
    """The objects of ``data``."""
    data = event.get("data", MISSING)
    if type(data) is not list or any(type(each) is not dict for each in data):
        raise wrong(kind, "data", "a list of objects", data)
    return data


# ---- exact numbers --------------------------------------------------------------------------------------------------


def amount(kind: str, name: str, value: Any, form: type[str] = Number) -> str:
    """The plain text of a number that may be zero."""
    if type(value) is form:
        if NUMBER.fullmatch(value):
            return value
        if form is Number and _EXPONENT.fullmatch(value):
            return format(Decimal(value), "f")
    raise wrong(kind, name, f"a number of 0 or more{'' if form is Number else ' as text'}", value)


def positive(kind: str, name: str, value: Any, form: type[str] = Number) -> str:
    """The plain text of a number above zero."""
    text = amount(kind, name, value, form)
    if not POSITIVE.fullmatch(text):
        raise wrong(kind, name, "a number above 0", value)
    return text


def checked_levels(kind: str, name: str, rows: Sequence[tuple[Any, Any]], form: type[str]) -> Levels:
    """The levels of a side, as they are if all are plain; else each is looked at, to say which one is wrong.

    Args:
        kind: Kind of message.
        name: Name of the side.
        rows: ``(price, quantity)``.
        form: ``Number`` where bare numbers are meant, ``str`` where text is.
    """
    flat = list(chain.from_iterable(rows))
    if set(map(type, flat)) <= {form} and LEVELS.fullmatch("|".join([*flat, ""])):
        return rows
    return [
        (
            positive(kind, f"{name}[{n}]: price", price, form),
            amount(kind, f"{name}[{n}]: quantity", qty, form),
        )
        for n, (price, qty) in enumerate(rows)
    ]


# ---- times ----------------------------------------------------------------------------------------------------------


def time_ns(kind: str, event: dict[str, Any], name: str, *, optional: bool = False) -> int:
    """A time such as ``2026-08-24T22:21:58.343688Z`` as ns since the epoch; 0 when an optional one is not said."""
    value = event.get(name, MISSING)
    if value is MISSING and optional:
        return 0
    return epoch_ns(kind, name, value)


def epoch_ns(kind: str, name: str, value: Any) -> int:
    """The same of a value at hand."""
    match = _TIME.fullmatch(value) if type(value) is str else None
    seconds = _epoch(match[1]) if match else -1
    if match is None or seconds < 0:
        raise wrong(kind, name, "a time such as 2026-08-24T22:21:58.343688Z", value)
    return seconds * 1_000_000_000 + int((match[2] or "0").ljust(9, "0"))


@lru_cache(maxsize=64)
def _epoch(text: str) -> int:
    """Seconds since the epoch, or -1; most messages are of the same few seconds."""
    try:
        return int(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp())
    except ValueError:
        return -1


def seconds_ns(kind: str, name: str, value: Any) -> int:
    """A time such as ``"1693415327.935623"`` as ns since the epoch."""
    match = _SECONDS.fullmatch(value) if type(value) is str else None
    nanoseconds = int(match[1]) * 1_000_000_000 + int((match[2] or "0").ljust(9, "0")) if match else -1
    if not 0 <= nanoseconds <= INT64_MAX:
        raise wrong(kind, name, "a time in seconds as text", value)
    return nanoseconds
