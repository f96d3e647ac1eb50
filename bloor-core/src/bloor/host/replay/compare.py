"""What an engine makes of recorded inputs, held against what the journal has, record by record."""

from __future__ import annotations

from collections import deque
from typing import NamedTuple

from bloor.engine.inputs import OUTPUTS
from bloor.journal.record import Record
from bloor.venue.session import Request

__all__ = ["Comparison", "Made", "Nowhere"]


class Made(NamedTuple):
    """One record that the engine made."""

    kind: int
    conn: int
    wall_ns: int
    payload: bytes


class Nowhere:
    """Effects without an effect: whatever came of them is in the journal."""

    def send(self, conn: int, payload: bytes) -> None:
        """Nothing is written; the frame is compared as it is recorded."""

    def get(self, conn: int, tag: str, path: str) -> None:
        """The answer is in the journal."""

    def request(self, conn: int, request: Request) -> None:
        """The answer is in the journal."""

    def reconnect(self, conn: int, reason: str) -> None:
        """The loss is in the journal."""

    def open_standby(self, conn: int) -> None:
        """What it brought is in the journal."""

    def promote(self, conn: int) -> None:
        """The engine decides it again."""

    def abandon(self, conn: int) -> None:
        """The engine decides it again."""


class Comparison:
    """The recorder of a replayed engine. It holds what was made of one input, never more.

    Frames are compared as they are recorded, without key and signature
    (:meth:`~bloor.venue.session.OrderSession.redacted`).

    Attributes:
        identical: How many records were equal, byte for byte.
    """

    __slots__ = ("_made", "identical")

    def __init__(self) -> None:
        self._made: deque[Made] = deque()
        self.identical = 0

    def append(self, kind: int, conn: int, wall_ns: int, payload: bytes) -> None:
        """Keeps what the engine makes; the input itself comes by too."""
        if kind in OUTPUTS:
            self._made.append(Made(int(kind), conn, wall_ns, payload))

    def take(self) -> Made | None:
        """The next record that was made, or None."""
        return self._made.popleft() if self._made else None

    def equal(self, record: Record, made: Made) -> bool:
        """Whether a recorded output is what was made."""
        same = (record.kind, record.conn, record.wall_ns, record.payload) == made
        self.identical += same
        return same
