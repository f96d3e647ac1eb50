"""The fills that a session wrote down, summed up again: what they say the run earned."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from pathlib import Path
from typing import Any

import orjson
from attrs import frozen

from bloor.errors import InputFileError
from bloor.execution.position import EXACT
from bloor.model.reporting import Reporting
from bloor.model.symbols import split_symbol

__all__ = ["Ledger", "read_ledger"]

Key = tuple[str, str]


@frozen(kw_only=True)
class Ledger:
    """Sums of the lines of ``fills.jsonl``.

    Attributes:
        rows: How many fills.
        cash: What sales brought less what purchases and fees cost, in the quote asset, per ``(venue, symbol)``.
        held: Quantity held, likewise.
        torn: Whether the last line is cut off, as a process that was killed leaves it.
    """

    rows: int
    cash: Mapping[Key, Decimal]
    held: Mapping[Key, Decimal]
    torn: bool

    def pnl_net(self, marks: Mapping[Key, Decimal], told: Reporting) -> Decimal:
        """Cash, and what is held at its marks, in the reporting currency.

        Raises:
            KeyError: A symbol's quote asset is none of the run.
        """
        total = Decimal(0)
        for key, qty in self.held.items():
            value = EXACT.add(self.cash[key], EXACT.multiply(qty, marks.get(key, Decimal(0))))
            total = EXACT.add(total, EXACT.multiply(value, told.rate(split_symbol(key[1])[1])))
        return total


def read_ledger(path: Path) -> Ledger | None:
    """Reads ``fills.jsonl`` line by line; None when there is none.

    Raises:
        InputFileError: A line, other than a last one that is cut off, is not a fill.
    """
    rows, torn = 0, False
    cash: dict[Key, Decimal] = {}
    held: dict[Key, Decimal] = {}
    try:
        file = path.open("rb")
    except FileNotFoundError:
        return None
    with file:
        for number, line in enumerate(file, start=1):
            if not line.endswith(b"\n"):
                torn = True
                break
            try:
                row: dict[str, Any] = orjson.loads(line)
                sign = 1 if row["side"] == "buy" else -1
                qty, key = sign * Decimal(row["qty"]), (row["venue"], row["symbol"])
                cost = EXACT.add(EXACT.multiply(qty, Decimal(row["price"])), Decimal(row["fee_quote"]))
            except (orjson.JSONDecodeError, KeyError, TypeError, ArithmeticError) as error:
                raise InputFileError(str(path), f"expected a fill: {type(error).__name__} {error}", number) from None
            rows += 1
            cash[key] = EXACT.subtract(cash.get(key, Decimal(0)), cost)
            held[key] = EXACT.add(held.get(key, Decimal(0)), qty)
    return Ledger(rows=rows, cash=cash, held=held, torn=torn)
