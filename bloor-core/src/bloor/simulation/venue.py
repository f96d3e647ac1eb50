"""A simulated venue: the venue's real wire protocol as a sans-I/O core.

The same core is driven by a real server on loopback (``bloor venue sim NAME``) and, in virtual time, by
:mod:`bloor.simulation.world` in one thread. It never reads a clock and draws random numbers only from its seed, so that
in virtual time a seed fixes everything.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple, Protocol

from attrs import field, frozen, validators

__all__ = ["HttpAnswer", "HttpRequest", "Outbox", "SimulatedVenue", "SimulationOptions"]

#: ``outbox(conn, payload)`` delivers a text frame to a connection; ``outbox(conn, None)`` closes it.
Outbox = Callable[[int, bytes | None], None]


class HttpRequest(NamedTuple):
    """A request as a server received it; ``query`` is the raw query string, header names are lower case."""

    method: str
    path: str
    query: str
    headers: Mapping[str, str]
    body: bytes


class HttpAnswer(NamedTuple):
    """What to answer: JSON bytes unless the headers say otherwise."""

    status: int
    body: bytes
    headers: Mapping[str, str] = {}


@frozen(kw_only=True)
class SimulationOptions:
    """What a simulated venue is asked to be.

    Attributes:
        seed: Fixes everything that the market does by itself, and the credentials. Venues of one seed have one market:
            the same values of assets at the same time.
        opened_ns: When the values of assets began, wall ns since the epoch: venues with the same see the same. None
            for when the venue starts.
        dislocations: Factor on how far prices stray from each other and return: a venue's from the common value,
            dollars from each other, assets that are cointegrated; 0 for not at all.
        symbols: Canonical symbols to list; empty for the venue's default.
        recordings: Recording files that drive the market instead of the seeded model.
        speed: How many recorded seconds pass in one; 0 means flat out (as fast as frames are taken).
        faults: Fault specification, empty for none.
        fee_asset: A third asset, such as BNB, that commissions are taken in where the venue has that; empty for none.
    """

    seed: int = 1
    opened_ns: int | None = None
    dislocations: float = field(default=1.0, validator=[validators.ge(0), validators.le(100)])
    symbols: Sequence[str] = ()
    recordings: Sequence[Path] = ()
    speed: float = field(default=1.0)
    faults: str = ""
    fee_asset: str = ""


class SimulatedVenue(Protocol):
    """The core of one simulated venue. Times are wall ns since the epoch, given by whoever drives it."""

    @property
    def deadline_ns(self) -> int:
        """When :meth:`advance` wants to be called next."""

    def start(self, now_ns: int) -> None:
        """Opens the market."""

    def opened(self, conn: int, path: str, query: str, now_ns: int) -> bool:
        """A WebSocket connection to ``path?query`` was accepted; False refuses it (404)."""

    def received(self, conn: int, payload: bytes, now_ns: int) -> None:
        """A text frame came from a connection."""

    def closed(self, conn: int, now_ns: int) -> None:
        """A connection is gone."""

    def request(self, request: HttpRequest, now_ns: int) -> HttpAnswer:
        """A REST request."""

    def advance(self, now_ns: int) -> None:
        """Lets the market move up to ``now_ns``."""

    def credentials(self) -> dict[str, Any]:
        """What a client needs to trade here, as the command line's contract prints it."""

    def paths(self) -> dict[str, str]:
        """``{"rest": "", "streams": "", "ws_api": "/ws-api/v3"}``: paths to append to the base URLs.

        Where there are market data by order, also ``level3``.
        """

    @property
    def finished(self) -> bool:
        """Whether the recording has been played to its end; never true of a seeded market."""
