"""The numbers of a connection: whether a frame of any channel is missing before this one.

Some venues number no book but every frame of a connection, whatever its channel, from 0 (Coinbase). A number that is
not the next one says that something was lost and not what: no book of the connection can be believed any more. A
connection begins with 0; of a recording that begins later, the first number is taken as it is. A frame that comes
twice in a row is passed over the second time (:meth:`ConnectionNumbers.repeats`).

======================  ======================  ====================================================
number                  ``last``                meaning
======================  ======================  ====================================================
any                     -1 (nothing came yet)   ``CONTINUES``
``last + 1``            0 or more               ``CONTINUES``
``last``                1 or more               a repetition: nothing of the frame is taken
0                       0 or more               ``BEGINS``: another connection; books start empty
any other               0 or more               ``HOLE``
======================  ======================  ====================================================

Source: Coinbase Advanced Trade, "WebSocket overview", ``sequence_num``.
"""

from __future__ import annotations

from enum import Enum

from bloor.market.messages import ConnectionMessage, Message
from bloor.model.decimals import INT64_MAX

__all__ = ["NOTHING_YET", "ConnectionNumbers", "Place"]

#: ``last`` while no frame of the connection has come.
NOTHING_YET = -1


class Place(Enum):
    """How a frame stands to the one before it on its connection."""

    CONTINUES = "continues"
    BEGINS = "begins"
    HOLE = "hole"


class ConnectionNumbers:
    """How far a connection has come.

    Attributes:
        last: Number of the newest frame; :data:`NOTHING_YET` before the first one.
    """

    __slots__ = ("last",)

    def __init__(self) -> None:
        self.last = NOTHING_YET

    @property
    def expected(self) -> int:
        """The number that continues the connection; an event cannot hold one beyond 63 bits."""
        return min(self.last + 1, INT64_MAX)

    def take(self, seq: int) -> Place:
        """The place of the next frame, which repeats none; the connection has come to it."""
        last, self.last = self.last, seq
        if last == NOTHING_YET or seq == last + 1:
            return Place.CONTINUES
        return Place.BEGINS if seq == 0 else Place.HOLE

    def repeats(self, first: Message) -> bool:
        """Whether the frame with this first message is the one before it once more; 0 begins another connection."""
        return type(first) is ConnectionMessage and 0 < first.seq == self.last

    def reset(self) -> None:
        """The connection is gone."""
        self.last = NOTHING_YET
