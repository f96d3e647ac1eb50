"""What the private stream says of the account's holdings (sans I/O).

The channel ``balances`` tells totals, with what moved them; how much of them open orders hold is not said. What trades
move is known already. Anything else that moves while a run trades is a surprise that a person should know of: a
deposit, a withdrawal, an adjustment. Source: docs.kraken.com, Spot WebSocket v2, "Balances".
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from bloor_kraken.exact import Number
from bloor_kraken.executions import text
from bloor_kraken.frames.fields import amount, objects, wrong
from bloor_kraken.symbols import balance_asset

__all__ = ["Balances"]

KIND = "balances"
#: What trading itself moves.
_EXPECTED = frozenset({"trade", "margin", "rollover", "settled"})


class Balances:
    """The account's totals.

    Attributes:
        totals: By asset, what the spot wallet holds.
    """

    def __init__(self) -> None:
        self.totals: dict[str, Decimal] = {}

    def take(self, message: Mapping[str, Any]) -> list[str]:
        """One frame.

        Returns:
            What was moved by something else than trading, in words.

        Raises:
            RemoteProtocolError: A field is missing or wrong; the message names it.
        """
        rows = objects(KIND, dict(message))
        if message.get("type") == "snapshot":
            self.totals = {balance_asset(text(KIND, row, "asset"))[0]: _number(row, "balance") for row in rows}
            return []
        surprises: list[str] = []
        for row in rows:
            asset, _ = balance_asset(text(KIND, row, "asset"))
            self.totals[asset] = _number(row, "balance")
            kind = row.get("type")
            if kind not in _EXPECTED and row.get("category") != "trade":
                surprises.append(f"{kind!s:.40} of {_number(row, 'amount'):f} {asset}")
        return surprises


def _number(row: Mapping[str, Any], name: str) -> Decimal:
    value = row.get(name)
    if type(value) is not Number:
        raise wrong(KIND, name, "a number", value)
    if value.startswith("-"):
        return -Decimal(amount(KIND, name, Number(value[1:])))
    return Decimal(amount(KIND, name, value))
