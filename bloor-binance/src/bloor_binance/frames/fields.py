"""Reading the fields of one JSON object, each with an error that names it: what Binance adds to the core's."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import chain
from typing import Any

from bloor.market.fields import LEVELS, MISSING, NUMBER, POSITIVE, integer, positive, printable, quantity, wrong
from bloor.model.decimals import INT64_MAX

__all__ = ["flag", "integer", "levels", "positive", "quantity", "symbol", "time_ns", "trade_id", "wrong"]

#: Times from here on are microseconds: 10**14 ms is the year 5138, 10**14 us was in 1973.
MICROSECONDS_FROM = 10**14


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
    return printable(kind, event, name, "a symbol")


def flag(kind: str, event: dict[str, Any], name: str) -> bool:
    """True or false."""
    value = event.get(name, MISSING)
    if value is not True and value is not False:
        raise wrong(kind, name, "true or false", value)
    return value


def levels(kind: str, event: dict[str, Any], name: str) -> Sequence[Sequence[str]]:
    """A list of ``[price text, quantity text]``, prices positive.

    Each is looked at only to say which one is wrong, and in payloads from before 2019, whose levels had an empty list
    as a third member.
    """
    value = event.get(name, MISSING)
    if type(value) is not list:
        raise wrong(kind, name, "a list of levels", value)
    if not value:
        return value
    try:
        pairs = set(map(len, value)) == _PAIR and set(map(type, value)) == _LIST
        if pairs and LEVELS.fullmatch("|".join(chain.from_iterable(value)) + "|"):
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
    if type(price) is not str or not POSITIVE.fullmatch(price):
        raise wrong(kind, f"{name}[{n}][0]", "a positive plain number as text", price)
    if type(qty) is not str or not NUMBER.fullmatch(qty):
        raise wrong(kind, f"{name}[{n}][1]", "a plain number as text", qty)
    return price, qty
