"""What a pipeline keeps for each instrument."""

from __future__ import annotations

from typing import NamedTuple

from attrs import define

from bloor.market.book import OrderBook
from bloor.market.messages import BookMessage
from bloor.market.sync import BookSync
from bloor.model.instrument import Instrument

__all__ = ["Channel", "Held"]


class Held(NamedTuple):
    """A change that waits for a snapshot, and when it was received."""

    message: BookMessage
    recv_ns: int


@define(eq=False)
class Channel:
    """One instrument in a pipeline.

    Attributes:
        index: Its index in the table.
        instrument: The instrument as it is now.
        sync: The synchronisation of its book.
        book: Its book, once there was a book message or the instrument was tracked.
        depth: Levels a side that the venue's book keeps; 0 for all.
    """

    index: int
    instrument: Instrument
    sync: BookSync[Held]
    book: OrderBook | None = None
    depth: int = 0
