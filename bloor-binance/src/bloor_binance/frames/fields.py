"""Reading the fields of one JSON object, each with an error that names it.

Numbers that must be exact come as text and stay text; what is checked here is their form: digits with at most one dot,
no sign, no exponent, no NaN. Quantifiers are possessive, so a hostile text costs no more than its length.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import chain
from typing import Any

from bloor.errors import RemoteProtocolError

__all__ = ["flag", "integer", "levels", "positive", "quantity", "symbol", "time_ns", "trade_id"]

_PLAIN = r"[0-9]++(?:\.[0-9]++)?+"
_NUMBER = re.compile(_PLAIN, re.ASCII)
_POSITIVE = re.compile(rf"(?=[0.]*+[1-9]){_PLAIN}", re.ASCII)
#: All levels of a side, joined: price and quantity in turn.
_LEVELS = re.compile(rf"(?:(?=[0.]*+[1-9]){_PLAIN}\|{_PLAIN}\|)*+", re.ASCII)

INT64_MAX = (1 << 63) - 1
#: Times from here on are microseconds: 10**14 ms is the year 5138, 10**14 us was in 1973.
MICROSECONDS_FROM = 10**14
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


def time_ns(kind: str, event: dict[str, Any], name: str) -> int:
    """A time in ms, or in us when the stream was opened with ``timeUnit=MICROSECOND``, as ns since the epoch."""
    value = integer(kind, event, name)
    scaled = value * (1_000_000 if value < MICROSECONDS_FROM else 1_000)
    if scaled > INT64_MAX:
        raise wrong(kind, name, "a time in ms or us", value)
    return scaled


def trade_id(kind: str, event: dict[str, Any], name: str) -> str:
    """An id, as text."""
    return str(integer(kind, event, name))


def symbol(kind: str, event: dict[str, Any], name: str = "s") -> str:
    """The venue's name of an instrument: letters of any script (since 2025-12), digits, no white space."""
    value = event.get(name, _MISSING)
    if type(value) is not str or not value or len(value) > 64 or not value.isprintable() or " " in value:
        raise wrong(kind, name, "a symbol", value)
    return value


def flag(kind: str, event: dict[str, Any], name: str) -> bool:
    """True or false."""
    value = event.get(name, _MISSING)
    if value is not True and value is not False:
        raise wrong(kind, name, "true or false", value)
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


def levels(kind: str, event: dict[str, Any], name: str) -> Sequence[Sequence[str]]:
    """A list of ``[price text, quantity text]``, prices positive.

    One expression over all levels costs a fifth of looking at each (20 levels: 4 us against 19); each is looked at only
    to say which one is wrong, and in payloads from before 2019, whose levels had an empty list as a third member.
    """
    value = event.get(name, _MISSING)
    if type(value) is not list:
        raise wrong(kind, name, "a list of levels", value)
    if not value:
        return value
    try:
        pairs = set(map(len, value)) == _PAIR and set(map(type, value)) == _LIST
        if pairs and _LEVELS.fullmatch("|".join(chain.from_iterable(value)) + "|"):
            return value
    except TypeError:
        pass
    return [_level(kind, name, n, level) for n, level in enumerate(value)]


_PAIR = {2}
_LIST = {list}


def _level(kind: str, name: str, n: int, level: Any) -> Sequence[str]:
    if type(level) is not list or not (len(level) == 2 or (len(level) == 3 and level[2] == [])):
        raise wrong(kind, f"{name}[{n}]", "[price, quantity]", level)
    price, qty = level[0], level[1]
    if type(price) is not str or not _POSITIVE.fullmatch(price):
        raise wrong(kind, f"{name}[{n}][0]", "a positive plain number as text", price)
    if type(qty) is not str or not _NUMBER.fullmatch(qty):
        raise wrong(kind, f"{name}[{n}][1]", "a plain number as text", qty)
    return price, qty
