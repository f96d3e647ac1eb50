"""Best prices of the last while, for the REST request ``Spread``."""

from __future__ import annotations

from collections import deque
from typing import NamedTuple

from bloor.simulation.source import PublicView

__all__ = ["Spread", "Spreads"]

#: Entries that are kept of each market.
_ENTRIES = 200


class Spread(NamedTuple):
    """Best prices in ticks, and since when."""

    ns: int
    bid: int
    ask: int


class Spreads:
    """Best prices of every market, as they were when somebody looked: at least once a second."""

    def __init__(self) -> None:
        self._entries: dict[str, deque[Spread]] = {}

    def look(self, view: PublicView, ns: int) -> None:
        """Notes the best prices, if they are others than the last."""
        (bid, _), (ask, _) = view.top()
        entries = self._entries.setdefault(view.market.instrument.venue_symbol, deque(maxlen=_ENTRIES))
        if not entries or entries[-1][1:] != (bid, ask):
            entries.append(Spread(ns, bid, ask))

    def of(self, symbol: str) -> list[Spread]:
        """Those of a market, oldest first."""
        return list(self._entries.get(symbol, ()))
