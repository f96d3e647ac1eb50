"""What a connection is subscribed to, and what still has to prove itself (sans I/O).

A subscription is asked for, acknowledged for each symbol, and, for a book, proved by a snapshot: an acknowledgement
alone is no proof that anything comes. What has not proved itself when its time is up is asked for again, a few times,
with growing waits; a book that was acknowledged is left first, since a second subscription to it would be refused.
"""

from __future__ import annotations

from collections.abc import Sequence
from enum import Enum
from typing import NamedTuple

from attrs import define

__all__ = ["ASK_NS", "TRIES", "Channel", "Stage", "Subscription", "Topic", "by_channel"]

SECOND = 1_000_000_000
#: How long an answer may take, and a snapshot after it; twice as long each further time.
ASK_NS = 5 * SECOND
#: How often something is asked for before a person is told.
TRIES = 4


class Channel(Enum):
    """The channels of market data that bloor subscribes to."""

    BOOK = "book"
    TRADE = "trade"
    TICKER = "ticker"
    #: The book by its orders, on a connection of its own.
    LEVEL3 = "level3"

    @property
    def is_book(self) -> bool:
        """Whether it has to prove itself by a snapshot."""
        return self in (Channel.BOOK, Channel.LEVEL3)


class Topic(NamedTuple):
    """One channel of one instrument."""

    channel: Channel
    symbol: str


class Stage(Enum):
    """How far a subscription is."""

    #: To be asked for at its time.
    WAITING = "waiting"
    #: Asked for; no answer yet.
    ASKED = "asked"
    #: A book that was acknowledged; its snapshot has not come yet.
    ACKNOWLEDGED = "acknowledged"
    #: A book that is left in order to be subscribed to again.
    LEAVING = "leaving"
    #: Up.
    UP = "up"
    #: Given up: the venue refuses it, or never answers.
    FAILED = "failed"


@define
class Subscription:
    """One topic's state.

    Attributes:
        topic: What it is.
        stage: How far it is.
        due_ns: When something has to happen: the wait or the patience ends; meaningless when up or failed.
        tries: How often it was asked for since it was last up.
        asked_ns: When it was last asked for; 0 before.
    """

    topic: Topic
    stage: Stage = Stage.WAITING
    due_ns: int = 0
    tries: int = 0
    asked_ns: int = 0

    @property
    def settled(self) -> bool:
        """Whether nothing is awaited."""
        return self.stage in (Stage.UP, Stage.FAILED)

    def ask(self, now_ns: int) -> None:
        """It is asked for now."""
        self.stage = Stage.ASKED
        self.due_ns = now_ns + (ASK_NS << min(self.tries, 6))
        self.tries += 1
        self.asked_ns = now_ns

    def leave(self, now_ns: int) -> None:
        """It is left now, to be asked for when that is acknowledged."""
        self.stage = Stage.LEAVING
        self.due_ns = now_ns + ASK_NS

    def wait(self, until_ns: int) -> None:
        """It is asked for later."""
        self.stage = Stage.WAITING
        self.due_ns = until_ns

    def up(self) -> None:
        """It has proved itself."""
        self.stage = Stage.UP
        self.tries = 0


def by_channel(topics: Sequence[Topic]) -> dict[Channel, list[str]]:
    """The symbols of each channel, in the order of the topics."""
    found: dict[Channel, list[str]] = {}
    for topic in topics:
        found.setdefault(topic.channel, []).append(topic.symbol)
    return found
