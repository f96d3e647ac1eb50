"""Where the market of a simulated venue comes from, and what the public sees of it.

A venue's package turns what is published into its own messages; whether a seed (:mod:`bloor.simulation.seeded`) or a
recording (:mod:`bloor.simulation.playback`) moves the market, it asks the same of it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol, TypeVar

from bloor.model.orders import Side
from bloor.simulation.exchange import Exchange, Market
from bloor.simulation.tape import Tape

__all__ = ["PublicView", "Source", "Top"]

#: Best bid and best ask as ``(ticks, units)``; zeros for an empty side.
Top = tuple[tuple[int, int], tuple[int, int]]


class PublicView(Protocol):
    """What the public sees of one market.

    Attributes:
        market: The market.
        tape: What was traded.
    """

    market: Market
    tape: Tape

    def levels(self, side: Side, limit: int) -> list[tuple[int, int]]:
        """Up to ``limit`` levels as ``(ticks, units)``, best first."""

    def top(self) -> Top:
        """Best bid and best ask."""

    def clock(self, now_ns: int) -> int:
        """The market's own time: now, or that of the recording."""


P_co = TypeVar("P_co", covariant=True)


class Source(Protocol[P_co]):
    """What moves the markets of a venue. Times are wall ns since the epoch.

    Attributes:
        markets: Venue symbol -> market.
    """

    markets: dict[str, Market]

    @property
    def published(self) -> Mapping[str, P_co]:
        """Venue symbol -> what the venue's package makes of the market for the public."""

    @property
    def deadline_ns(self) -> int:
        """When :meth:`advance` wants to be called next."""

    @property
    def finished(self) -> bool:
        """Whether it has come to its end; a seeded market never does."""

    def start(self, now_ns: int) -> None:
        """Opens the markets."""

    def subscribed(self, now_ns: int) -> None:
        """Somebody listens to a stream: a recording begins to play."""

    def looked(self, now_ns: int) -> None:
        """Somebody asked for market data: a recording at a pace begins to play."""

    def advance(self, exchange: Exchange, now_ns: int) -> None:
        """Everything that is due, in order of time."""

    def resume(self, now_ns: int) -> None:
        """The markets stood still, :meth:`advance` was not called, and now they go on from where they were."""

    def publish(self, now_ns: int) -> None:
        """Publishes what an account's request changed."""
