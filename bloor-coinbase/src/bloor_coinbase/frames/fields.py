"""Reading the fields of one JSON object, each with an error that names it.

Numbers that must be exact come as text and stay text; what is checked here is their form: digits with at most one dot,
no sign, no exponent, no NaN. Quantifiers are possessive, so a hostile text costs no more than its length.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import date
from itertools import chain
from typing import Any

from bloor.errors import RemoteProtocolError

__all__ = ["integer", "levels", "listed", "objects", "plain", "positive", "product", "quantity", "time_ns", "wrong"]

_PLAIN = r"[0-9]++(?:\.[0-9]++)?+"
_NUMBER = re.compile(_PLAIN, re.ASCII)
_POSITIVE = re.compile(rf"(?=[0.]*+[1-9]){_PLAIN}", re.ASCII)
#: All levels of a message, joined: price and quantity in turn.
_LEVELS = re.compile(rf"(?:(?=[0.]*+[1-9]){_PLAIN}\|{_PLAIN}\|)*+", re.ASCII)
_TIME = re.compile(
    r"([0-9]{4})-([0-9]{2})-([0-9]{2})T([0-9]{2}):([0-9]{2}):([0-9]{2})(?:\.([0-9]{1,9}))?+(?:Z|\+00:00)", re.ASCII
)

INT64_MAX = (1 << 63) - 1
SECOND = 1_000_000_000
_EPOCH = date(1970, 1, 1).toordinal()
_MISSING = object()


def wrong(kind: str, name: str, expected: str, got: Any) -> RemoteProtocolError:
    """The error for one field."""
    came = "nothing" if got is _MISSING else f"{got!r:.60}"
    return RemoteProtocolError(f"{kind}: field {name!r}: expected {expected}, got {came}")


def integer(kind: str, event: dict[str, Any], name: str) -> int:
    """A number from 0 to 2**63 - 1."""
    value = event.get(name, _MISSING)
    if type(value) is not int or not 0 <= value <= INT64_MAX:
        raise wrong(kind, name, "an integer from 0 to 2**63-1", value)
    return value


def listed(kind: str, event: dict[str, Any], name: str) -> list[Any]:
    """A list."""
    value = event.get(name, _MISSING)
    if type(value) is not list:
        raise wrong(kind, name, "a list", value)
    return value


def objects(kind: str, event: dict[str, Any], name: str) -> list[dict[str, Any]]:
    """A list of objects."""
    value = listed(kind, event, name)
    if set(map(type, value)) - {dict}:
        raise wrong(kind, name, "a list of objects", value)
    return value


def product(kind: str, event: dict[str, Any], name: str = "product_id") -> str:
    """The id of a product: printable, no white space."""
    value = event.get(name, _MISSING)
    if type(value) is not str or not value or len(value) > 64 or not value.isprintable() or " " in value:
        raise wrong(kind, name, "the id of a product", value)
    return value


def positive(kind: str, event: dict[str, Any], name: str) -> str:
    """The text of a positive number."""
    value = event.get(name, _MISSING)
    if type(value) is not str or not _POSITIVE.fullmatch(value):
        raise wrong(kind, name, "a positive plain number as text", value)
    return value


def quantity(kind: str, event: dict[str, Any], name: str) -> str:
    """The text of a number that may be zero."""
    value = event.get(name, _MISSING)
    if type(value) is not str or not _NUMBER.fullmatch(value):
        raise wrong(kind, name, "a plain number as text", value)
    return value


def plain(kind: str, event: dict[str, Any], name: str) -> str:
    """:func:`quantity`, and ``0`` where the field is missing or empty."""
    return quantity(kind, event, name) if event.get(name) not in (None, "") else "0"


def time_ns(kind: str, event: dict[str, Any], name: str) -> int:
    """An RFC 3339 time of 0 to 9 decimals as ns since the epoch; 0 where it is missing, empty or before 1970.

    Go writes a time that it does not know as the year 1.
    """
    value = event.get(name)
    if value is None or value == "":
        return 0
    match = _TIME.fullmatch(value) if type(value) is str else None
    if match is None:
        raise wrong(kind, name, "a time such as 2026-01-02T03:04:05.678Z", value)
    year, month, day, hour, minute, second = map(int, match.groups()[:6])
    try:
        days = date(year, month, day).toordinal() - _EPOCH
    except ValueError:
        raise wrong(kind, name, "a time such as 2026-01-02T03:04:05.678Z", value) from None
    if hour > 23 or minute > 59 or second > 60:
        raise wrong(kind, name, "a time such as 2026-01-02T03:04:05.678Z", value)
    whole = days * 86_400 + hour * 3_600 + minute * 60 + second
    result = whole * SECOND + int((match[7] or "0").ljust(9, "0"))
    if result > INT64_MAX:
        raise wrong(kind, name, "a time before the year 2262", value)
    return max(0, result)


def levels(kind: str, name: str, rows: list[tuple[str, str]]) -> list[tuple[str, str]]:
    """Rows of price text and quantity text, prices positive; one expression over all of them.

    Raises:
        RemoteProtocolError: Names the row and the number that is wrong.
    """
    try:
        if _LEVELS.fullmatch("|".join(chain(_flat(rows), ("",)))):
            return rows
    except TypeError:
        pass
    for n, (price, qty) in enumerate(rows):
        if type(price) is not str or not _POSITIVE.fullmatch(price):
            raise wrong(kind, f"{name}[{n}]", "a positive plain number as text for its price", price)
        if type(qty) is not str or not _NUMBER.fullmatch(qty):
            raise wrong(kind, f"{name}[{n}]", "a plain number as text for its quantity", qty)
    return rows


def _flat(rows: list[tuple[str, str]]) -> Iterable[str]:
    return chain.from_iterable(rows)
