"""The channel ``book``: windows of 10 to 1000 levels a side, and what changes in them (docs.kraken.com, "Book").

A window is what subscribers of that depth have: the server never deletes a level that was pushed out of it, since they
cut their books to the depth themselves, and sends a level anew when it comes back. Every message carries the checksum
of the ten best levels a side after it.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from zlib import crc32

from bloor.model.decimals import format_units
from bloor.model.instrument import Instrument
from bloor.model.orders import Side
from bloor_kraken.checksum import LEVELS
from bloor_kraken.simulated.words import rfc3339

__all__ = ["Window"]

#: ``levels(side, limit)``: up to ``limit`` levels as ``(ticks, units)``, best first.
Levels = Callable[[Side, int], list[tuple[int, int]]]


class Window:
    """The books of everybody who subscribed to one depth of one market.

    Args:
        instrument: What is traded.
        depth: Levels a side.
        levels: The market's levels.
    """

    def __init__(self, instrument: Instrument, depth: int, levels: Levels) -> None:
        self._symbol = instrument.venue_symbol
        self._depth = depth
        self._levels = levels
        self._shown: dict[Side, dict[int, int]] = {}
        price, qty, tick = instrument.price_decimals, instrument.qty_decimals, instrument.tick_units
        # prices and quantities come again and again
        self._price = lru_cache(4096)(lambda ticks: format_units(ticks * tick, price))
        self._qty = lru_cache(4096)(lambda units: format_units(units, qty))
        self._tick = tick
        self.refresh()

    def refresh(self) -> None:
        """Takes the market's levels as they are, without telling anybody."""
        self._shown = {side: dict(self._levels(side, self._depth)) for side in (Side.BUY, Side.SELL)}

    def snapshot(self, ns: int) -> bytes:
        """What a new subscriber begins with."""
        return self._message("snapshot", {side: list(shown.items()) for side, shown in self._shown.items()}, ns)

    def change(self, ns: int) -> bytes | None:
        """What subscribers are told of what happened since the last call; None when nothing did."""
        changes: dict[Side, list[tuple[int, int]]] = {}
        for side, shown in self._shown.items():
            fresh = dict(self._levels(side, self._depth))
            changes[side] = self._gone(side, shown, fresh) + [
                (price, units) for price, units in fresh.items() if shown.get(price) != units
            ]
            self._shown[side] = fresh
        return self._message("update", changes, ns) if any(changes.values()) else None

    def _gone(self, side: Side, shown: dict[int, int], fresh: dict[int, int]) -> list[tuple[int, int]]:
        """Levels that are deleted: those that left while the window was not full of better ones."""
        left = [price for price in shown if price not in fresh]
        if not left:
            return []
        worst = min(price * side for price in fresh) if len(fresh) == self._depth else None
        return [(price, 0) for price in left if worst is None or price * side > worst]

    def _message(self, kind: str, changes: dict[Side, list[tuple[int, int]]], ns: int) -> bytes:
        return (
            f'{{"channel":"book","type":"{kind}","data":[{{"symbol":"{self._symbol}",'
            f'"bids":[{self._text(changes[Side.BUY])}],"asks":[{self._text(changes[Side.SELL])}],'
            f'"checksum":{self._checksum()},"timestamp":"{rfc3339(ns)}"}}]}}'
        ).encode()

    def _text(self, levels: list[tuple[int, int]]) -> str:
        return ",".join(f'{{"price":{self._price(price)},"qty":{self._qty(units)}}}' for price, units in levels)

    def _checksum(self) -> int:
        """Of the ten best levels a side: their digits without the point and without leading zeros."""
        digits = []
        for side in (Side.SELL, Side.BUY):
            for (price, units), _ in zip(self._shown[side].items(), range(LEVELS), strict=False):
                digits.append(f"{price * self._tick}{units}")
        return crc32("".join(digits).encode())
