"""Reading the fields of a frame, each with an error that names it: what reference normalizers have in common.

Numbers that must be exact come as text and stay text; what is checked here is their form: digits with at most one dot,
no sign, no exponent, no NaN. Quantifiers are possessive, so a hostile text costs no more than its length.
"""

from __future__ import annotations

import re
from typing import Any

from bloor.errors import RemoteProtocolError
from bloor.model.decimals import INT64_MAX

__all__ = ["LEVELS", "MISSING", "NUMBER", "POSITIVE", "integer", "positive", "printable", "quantity", "wrong"]

_PLAIN = r"[0-9]++(?:\.[0-9]++)?+"
#: A number that may be zero.
NUMBER = re.compile(_PLAIN, re.ASCII)
#: A number above zero.
POSITIVE = re.compile(rf"(?=[0.]*+[1-9]){_PLAIN}", re.ASCII)
#: All levels of a side, joined: price, which is above zero, and quantity in turn, each with a ``|`` behind it. One
#: expression over all levels costs a fifth of looking at each (20 levels: 4 us against 19).
LEVELS = re.compile(rf"(?:(?=[0.]*+[1-9]){_PLAIN}\|{_PLAIN}\|)*+", re.ASCII)

#: Stands for a field that is not there.
MISSING = object()
#: A name is no longer than this.
_LONGEST_NAME = 64


def wrong(kind: str, name: str, expected: str, got: Any) -> RemoteProtocolError:
    """The error for one field.

    Args:
        kind: Kind of message.
        name: Name of the field.
        expected: What would have been right.
        got: What came; :data:`MISSING` for nothing.
    """
    came = "nothing" if got is MISSING else f"{got!r:.60}"
    return RemoteProtocolError(f"{kind}: field {name!r}: expected {expected}, got {came}")


def integer(kind: str, event: dict[str, Any], name: str) -> int:
    """A number from 0 to 2**63 - 1.

    Raises:
        RemoteProtocolError: It is none; here and below.
    """
    value = event.get(name, MISSING)
    if type(value) is not int or not 0 <= value <= INT64_MAX:
        raise wrong(kind, name, "an integer from 0 to 2**63-1", value)
    return value


def printable(kind: str, event: dict[str, Any], name: str, what: str) -> str:
    """A name: letters of any script, digits, no white space.

    Args:
        kind: Kind of message.
        event: The object.
        name: Name of the field.
        what: What it names, for the error: ``"a symbol"``.
    """
    value = event.get(name, MISSING)
    if type(value) is not str or not 0 < len(value) <= _LONGEST_NAME or not value.isprintable() or " " in value:
        raise wrong(kind, name, what, value)
    return value


def positive(kind: str, event: dict[str, Any], name: str) -> str:
    """The text of a number above zero."""
    value = event.get(name, MISSING)
    if type(value) is not str or not POSITIVE.fullmatch(value):
        raise wrong(kind, name, "a positive plain number as text", value)
    return value


def quantity(kind: str, event: dict[str, Any], name: str) -> str:
    """The text of a number that may be zero."""
    value = event.get(name, MISSING)
    if type(value) is not str or not NUMBER.fullmatch(value):
        raise wrong(kind, name, "a plain number as text", value)
    return value
