"""Reading the fields of one JSON object, each with an error that names it: what Coinbase adds to the core's.

The quantifiers of the form of a time are possessive, so a hostile text costs no more than its length.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import date
from itertools import chain
from typing import Any

from bloor.market.fields import LEVELS, MISSING, NUMBER, POSITIVE, integer, positive, printable, quantity, wrong
from bloor.model.decimals import INT64_MAX

__all__ = [
    "SECOND",
    "integer",
    "levels",
    "listed",
    "objects",
    "plain",
    "positive",
    "product",
    "quantity",
    "time_ns",
    "wrong",
]

_TIME = re.compile(
    r"([0-9]{4})-([0-9]{2})-([0-9]{2})T([0-9]{2}):([0-9]{2}):([0-9]{2})(?:\.([0-9]{1,9}))?+(?:Z|\+00:00)", re.ASCII
)

SECOND = 1_000_000_000
_EPOCH = date(1970, 1, 1).toordinal()


def listed(kind: str, event: dict[str, Any], name: str) -> list[Any]:
    """A list."""
    value = event.get(name, MISSING)
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
    """The id of a product."""
    return printable(kind, event, name, "the id of a product")


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
        if LEVELS.fullmatch("|".join(chain(_flat(rows), ("",)))):
            return rows
    except TypeError:
        pass
    for n, (price, qty) in enumerate(rows):
        if type(price) is not str or not POSITIVE.fullmatch(price):
            raise wrong(kind, f"{name}[{n}]", "a positive plain number as text for its price", price)
        if type(qty) is not str or not NUMBER.fullmatch(qty):
            raise wrong(kind, f"{name}[{n}]", "a plain number as text for its quantity", qty)
    return rows


def _flat(rows: list[tuple[str, str]]) -> Iterable[str]:
    return chain.from_iterable(rows)
