"""What the WebSocket endpoints have in common: their connections, and the way of a request to its answer."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from typing import Generic, TypeVar

from bloor.simulation.exchange import Market
from bloor.simulation.venue import Outbox
from bloor_kraken.simulated.errors import ApiError
from bloor_kraken.simulated.names import Names
from bloor_kraken.simulated.sockets import HEARTBEAT, Connection, Message, failure, read, status

__all__ = ["Endpoint"]

Client = TypeVar("Client", bound=Connection)


class Endpoint(ABC, Generic[Client]):
    """The connections of one endpoint.

    Args:
        outbox: The way out.
        client: Makes what is kept of a connection, from its number.
    """

    def __init__(self, outbox: Outbox, client: Callable[[int], Client]) -> None:
        self._outbox = outbox
        self._client = client
        self._clients: dict[int, Client] = {}

    def opened(self, conn: int, state: str) -> None:
        """A connection was opened."""
        self._clients[conn] = self._client(conn)
        self._outbox(conn, status(conn, state))

    def closed(self, conn: int) -> None:
        """A connection is gone."""
        client = self._clients.pop(conn, None)
        if client is not None:
            self._forget(client)

    def holds(self, conn: int) -> bool:
        """Whether a connection is one of these."""
        return conn in self._clients

    def announce(self, state: str) -> None:
        """The engine's state changed."""
        for conn in self._clients:
            self._outbox(conn, status(conn, state))

    def beat(self) -> None:
        """A second is over."""
        for conn, client in list(self._clients.items()):
            if self._listens(client):
                self._outbox(conn, HEARTBEAT)

    def received(self, conn: int, payload: bytes, now_ns: int) -> None:
        """A request came from a connection."""
        client = self._clients[conn]
        if not client.admits(now_ns, self._outbox):
            return
        message: Message | None = None
        answers: list[bytes]
        try:
            message = read(payload)
            answers = self._carry_out(client, message, now_ns)
        except ApiError as error:
            answers = [failure(message, error, now_ns)]
        self._before_answers()
        for answer in answers:
            self._outbox(conn, answer)

    @abstractmethod
    def _carry_out(self, client: Client, message: Message, now_ns: int) -> list[bytes]:
        """Does what a request asks for; the answers that are not sent yet. Raises ApiError."""

    @abstractmethod
    def _listens(self, client: Client) -> bool:
        """Whether a connection listens to anything."""

    @abstractmethod
    def _forget(self, client: Client) -> None:
        """A connection is gone: nothing is told to it any more."""

    def _for_each(
        self, client: Client, message: Message, symbols: Sequence[str], names: Names, do: Callable[[Market], None],
        now_ns: int,
    ) -> None:  # fmt: skip
        """Does something for each of some symbols; what is refused is answered for that symbol alone."""
        for symbol in symbols:
            try:
                do(_market(names, symbol))
            except ApiError as error:
                self._outbox(client.number, failure(message, ApiError(error.text, symbol[:100]), now_ns))

    def _before_answers(self) -> None:
        """A request was carried out, and its answers wait."""


def _market(names: Names, symbol: str) -> Market:
    market = names.symbol(symbol)
    if market is None:
        raise ApiError(f"Currency pair not supported {symbol}"[:200])
    return market
