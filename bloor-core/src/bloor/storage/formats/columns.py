"""Columns of decimal text to integers, exactly and many at a time."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from bloor.errors import MoneyError
from bloor.market.instruments import InstrumentTable
from bloor.model.decimals import INT64_MAX, MAX_DECIMALS

__all__ = ["column_decimals", "integers", "refine_to"]

Integers = np.ndarray[Any, np.dtype[np.int64]]


def column_decimals(texts: Sequence[bytes]) -> int:
    """How many decimals these numbers need, trailing zeros not counted.

    Raises:
        ValueError: What stands behind a dot is no number.
    """
    needed = 0
    for text in texts:
        fraction = text.partition(b".")[2].rstrip(b"0")
        if len(fraction) > needed:
            if not fraction.isdigit():
                raise ValueError("expected plain decimal numbers")
            needed = len(fraction)
    return needed


def refine_to(table: InstrumentTable, index: int, price_decimals: int, qty_decimals: int) -> None:
    """Raises the decimals of an inferred instrument to these; leaves a known one as it is.

    Raises:
        MoneyError: More than 18 decimals.
    """
    instrument = table[index]
    if instrument.inferred and (price_decimals > instrument.price_decimals or qty_decimals > instrument.qty_decimals):
        if max(price_decimals, qty_decimals) > MAX_DECIMALS:
            raise MoneyError(f"expected at most {MAX_DECIMALS} decimals, got {max(price_decimals, qty_decimals)}")
        table.refine(index, [_smallest(price_decimals)], [_smallest(qty_decimals)])


def _smallest(decimals: int) -> str:
    """``0.001`` for 3."""
    return "0." + "1".rjust(decimals, "0") if decimals else "1"


def integers(texts: Sequence[bytes], decimals: int, step: int) -> Integers:
    """Decimal texts as integers of ``step * 10**-decimals``.

    Args:
        texts: Plain numbers: digits with at most one dot.
        decimals: Decimals of the unit.
        step: How many units one is.

    Raises:
        ValueError: A text is no plain number, or is not a whole number of steps.
        MoneyError: A number does not fit 63 bits.
    """
    printed = len(texts[0].partition(b".")[2])
    if not all(text[-printed - 1 : -printed] == b"." for text in texts) if printed else any(b"." in t for t in texts):
        return np.array([_integer(text, decimals, step) for text in texts], np.int64)
    digits = b",".join(texts).replace(b".", b"").split(b",") if printed else texts
    if not all(map(bytes.isdigit, digits)) or any(text.count(b".") > 1 for text in texts):
        raise ValueError("expected plain decimal numbers")
    values = np.array(list(map(int, digits)), np.int64)
    if printed > decimals:
        values, rest = np.divmod(values, 10 ** (printed - decimals))
        if rest.any():
            raise ValueError(f"expected at most {decimals} decimals")
    elif printed < decimals:
        if int(values.max()) > INT64_MAX // 10 ** (decimals - printed):
            raise MoneyError(f"a number in units of 1e-{decimals} does not fit 63 bits")
        values *= 10 ** (decimals - printed)
    return _stepped(values, step)


def _stepped(values: Integers, step: int) -> Integers:
    if step == 1:
        return values
    values, rest = np.divmod(values, step)
    if rest.any():
        raise ValueError("a price is not a multiple of the tick")
    return values


def _integer(text: bytes, decimals: int, step: int) -> int:
    whole, dot, fraction = text.partition(b".")
    if not whole.isdigit() or (dot and not fraction.isdigit()) or fraction[decimals:].strip(b"0"):
        raise ValueError("expected a plain decimal number of the instrument's precision")
    value, rest = divmod(int(whole + fraction[:decimals].ljust(decimals, b"0")), step)
    if rest:
        raise ValueError("a price is not a multiple of the tick")
    return value
