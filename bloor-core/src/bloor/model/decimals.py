"""Exact conversion between decimal text and integers of a fixed number of decimals.

``units = value * 10**decimals``. Nothing here rounds: a value that is not a whole number of units raises
:class:`~bloor.errors.MoneyError`. Exponents are refused (``Decimal("1e983000")`` takes seconds to expand), and so are
signs, NaN and infinities: no price or quantity on a market-data wire has one.
"""

from __future__ import annotations

import re
from decimal import Decimal

from bloor.errors import MoneyError

__all__ = ["INT64_MAX", "MAX_DECIMALS", "decimals_of", "format_units", "parse_units", "units_of"]

INT64_MAX = (1 << 63) - 1
#: More decimals than any venue prints; bounds the work a hostile number can cause.
MAX_DECIMALS = 18
#: More characters than any exact price or quantity needs.
MAX_CHARS = 64

_PLAIN = re.compile(r"([0-9]+)(?:\.([0-9]+))?\Z", re.ASCII)


def parse_units(text: str, decimals: int) -> int:
    """Decimal text as an integer of ``10**-decimals``.

    Args:
        text: Digits with at most one dot between digits: no sign, no exponent, no white space.
        decimals: Decimals of the unit, 0 to :data:`MAX_DECIMALS`.

    Returns:
        The exact integer, at most :data:`INT64_MAX`.

    Raises:
        MoneyError: The text is not such a number, is not whole in the unit, or is too large.
    """
    whole, dot, fraction = text.partition(".")  # half the time of a regular expression
    if not (whole.isdigit() and (fraction.isdigit() or not dot) and text.isascii() and len(text) <= MAX_CHARS):
        raise MoneyError(f"expected a plain decimal number such as 61837.64, got {text[:40]!r}")
    if len(fraction) > decimals:
        if fraction[decimals:].strip("0"):
            raise MoneyError(f"expected at most {decimals} decimals, got {text!r}")
        fraction = fraction[:decimals]
    units: int = int(whole + fraction) * 10 ** (decimals - len(fraction))
    if units > INT64_MAX:
        raise MoneyError(f"{text!r} in units of 1e-{decimals} does not fit 63 bits")
    return units


def decimals_of(text: str) -> int:
    """How many decimals ``text`` needs, trailing zeros not counted.

    Raises:
        MoneyError: The text is not a plain decimal number, or needs more than :data:`MAX_DECIMALS`.
    """
    match = _PLAIN.match(text) if len(text) <= MAX_CHARS else None
    if match is None:
        raise MoneyError(f"expected a plain decimal number such as 61837.64, got {text[:40]!r}")
    needed: int = len((match.group(2) or "").rstrip("0"))
    if needed > MAX_DECIMALS:
        raise MoneyError(f"expected at most {MAX_DECIMALS} decimals, got {text!r}")
    return needed


def format_units(units: int, decimals: int) -> str:
    """The decimal text of ``units * 10**-decimals``, with exactly ``decimals`` decimals and no exponent."""
    if decimals == 0:
        return str(units)
    sign, digits = ("-", str(-units)) if units < 0 else ("", str(units))
    digits = digits.rjust(decimals + 1, "0")
    return f"{sign}{digits[:-decimals]}.{digits[-decimals:]}"


def units_of(value: Decimal, decimals: int) -> int:
    """A finite :class:`~decimal.Decimal` as an exact integer of ``10**-decimals``; may be negative.

    Raises:
        MoneyError: The value is not finite, not whole in the unit, or too large.
    """
    exponent = value.as_tuple().exponent
    if not isinstance(exponent, int) or value.adjusted() > MAX_CHARS or exponent < -MAX_CHARS:
        raise MoneyError(f"expected a finite number of at most {MAX_CHARS} digits, got {value}")
    numerator, denominator = value.as_integer_ratio()
    units: int
    units, rest = divmod(numerator * 10**decimals, denominator)
    if rest:
        raise MoneyError(f"expected at most {decimals} decimals, got {value}")
    if abs(units) > INT64_MAX:
        raise MoneyError(f"{value} in units of 1e-{decimals} does not fit 63 bits")
    return units
