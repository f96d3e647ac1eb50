"""Ids as Kraken makes them: ``OUF4EM-FRGI2-MQMWZD`` of an order, ``T...`` of a trade and an amendment, ``L...``."""

from __future__ import annotations

from functools import lru_cache
from itertools import count

from bloor.simulation.exchange import AccountFill, AccountOrder
from bloor.simulation.keys import seeded_text

__all__ = ["Ids"]

_LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"


class Ids:
    """Ids of one venue, fixed by its seed.

    Args:
        seed: Fixes them.
    """

    def __init__(self, seed: int) -> None:
        self._made = lru_cache(1 << 16)(lambda letter, what: _id(seed, letter, what))
        self._orders: dict[str, int] = {}
        self._amendments = count(1)
        self._entries = count(1)

    def order(self, order: AccountOrder) -> str:
        """The id of an order."""
        text = self.numbered(order.id)
        self._orders.setdefault(text, order.id)
        return text

    def numbered(self, number: int) -> str:
        """The id of an order by its number, an account's or a participant's; it is not remembered."""
        text: str = self._made("O", f"order {number}")
        return text

    def order_number(self, text: str) -> int:
        """The exchange's number of an order; 0 when no order has the id."""
        return self._orders.get(text, 0)

    def execution(self, order: AccountOrder, fill: AccountFill) -> str:
        """The id of an execution: the same in the channel ``executions`` and in the history of trades."""
        text: str = self._made("T", f"execution {order.market.instrument.symbol} {fill.trade_id} {order.id}")
        return text

    def amendment(self) -> str:
        """A new id of an amendment."""
        text: str = self._made("T", f"amendment {next(self._amendments)}")
        return text

    def ledger_entry(self) -> str:
        """A new id of an entry of the ledger."""
        text: str = self._made("L", f"ledger {next(self._entries)}")
        return text


def _id(seed: int, letter: str, what: str) -> str:
    text = letter + seeded_text("kraken", seed, what, 16, _LETTERS)
    return f"{text[:6]}-{text[6:11]}-{text[11:]}"
