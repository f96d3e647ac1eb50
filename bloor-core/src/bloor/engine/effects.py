"""What the decision core asks of the world, and the names of its connections."""

from __future__ import annotations

from typing import Protocol

from bloor.model.orders import Fill
from bloor.venue.session import Request

__all__ = ["LEVEL3", "STANDBY", "Effects", "Observer", "Recorder", "feed_conn", "level3_conn", "line_of", "order_conn"]

#: Added to the number of a connection: the second connection that is to replace it.
STANDBY = 0x8000
#: Added to the number of the market data's connection: the one beside it that brings orders.
LEVEL3 = 0x4000


def feed_conn(line: int) -> int:
    """The connection number of the market data of the ``line``-th venue of a run; 0 is no connection."""
    return 2 * line + 2


def level3_conn(line: int) -> int:
    """The connection number of the market data by order of the ``line``-th venue of a run."""
    return feed_conn(line) | LEVEL3


def order_conn(line: int) -> int:
    """The connection number of the order entry of the ``line``-th venue of a run."""
    return 2 * line + 3


def line_of(conn: int) -> tuple[int, bool]:
    """``(line, is it order entry)`` of a connection number, a standby's or not."""
    return ((conn & ~(STANDBY | LEVEL3)) >> 1) - 1, bool(conn & 1)


class Effects(Protocol):
    """Carries out what the core decides: real sockets, a virtual network, or nothing but a comparison in replay."""

    def send(self, conn: int, payload: bytes) -> None:
        """Writes a frame now.

        A frame for a connection that is not open is lost, as on the wire; its loss is told by ``disconnected``, so
        that what is decided depends on inputs alone.
        """

    def get(self, conn: int, tag: str, path: str) -> None:
        """Fetches from the venue's REST endpoint; the answer comes back as an input."""

    def request(self, conn: int, request: Request) -> None:
        """Makes a signed request of the venue's REST endpoint; the answer comes back as an input of ``conn``.

        Requests to a venue about the same thing reach it in the order in which they were made.
        """

    def reconnect(self, conn: int, reason: str) -> None:
        """Closes the connection and opens it again after a backoff."""

    def open_standby(self, conn: int) -> None:
        """Opens a second connection to the same URL. It is number ``conn + STANDBY``, and is not opened again."""

    def promote(self, conn: int) -> None:
        """The second connection becomes ``conn``; the first one is closed, and nothing more is told of it."""

    def abandon(self, conn: int) -> None:
        """Closes the second connection, and nothing more is told of it."""


class Recorder(Protocol):
    """Where every input and decision is written before it has an effect: the journal, or nothing."""

    def append(self, kind: int, conn: int, wall_ns: int, payload: bytes) -> object:
        """Appends one record; ``kind`` is a :class:`~bloor.journal.record.RecordKind`."""


class Observer(Protocol):
    """Who is told of what happened; it decides nothing and must return at once."""

    def filled(self, fill: Fill) -> None:
        """A fill entered a position."""

    def alert(self, code: str, text: str) -> None:
        """Something a person should know."""
