"""Orders at the venue that are not of this run: remembered, so that their trades are not taken for ours."""

from __future__ import annotations

from collections.abc import Set as AbstractSet

__all__ = ["MOST", "Strangers"]

#: How many are remembered; the oldest are forgotten first, and a trade of theirs proves nothing then.
MOST = 10_000


class Strangers:
    """Venue order ids that were reported under client ids of others."""

    __slots__ = ("_ids",)

    def __init__(self) -> None:
        self._ids: dict[tuple[str, str], None] = {}

    def note(self, venue_symbol: str, venue_order_id: str) -> None:
        """An order of somebody else; without an id of the venue's it is not remembered."""
        if venue_order_id:
            self._ids[venue_symbol, venue_order_id] = None
            if len(self._ids) > MOST:
                del self._ids[next(iter(self._ids))]

    def know(self, venue_symbol: str, ids: AbstractSet[str]) -> bool:
        """Whether every one of these is known to be somebody else's."""
        return all((venue_symbol, number) in self._ids for number in ids)
