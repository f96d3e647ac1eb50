"""Sessions: one conversation with a venue each, sans I/O.

A session never opens a socket and never reads a clock. It is told what happened and when (``now_ns``, wall time in ns
since the epoch), and answers with *actions* for whoever carries it: the host over real sockets, the virtual-time
simulation in one thread, or a replay. The caller must

1. call :meth:`Session.connected` when the connection is open, :meth:`Session.disconnected` when it is gone;
2. call :meth:`Session.timer` once ``now_ns >= deadline_ns``, and look at ``deadline_ns`` again after every call;
3. carry out the returned actions in order.

Two kinds. A :class:`FeedSession` subscribes to market data, fetches snapshots and keeps the stream healthy; market
frames themselves go to the normalizer and only what it does not know comes here. An :class:`OrderSession`
authenticates, encodes orders and turns what the venue answers into :class:`~bloor.model.orders.VenueReport`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple, Protocol, runtime_checkable

from attrs import field, frozen

from bloor.model.instrument import Instrument
from bloor.model.orders import AmendRequest, CancelRequest, OrderRequest, OrderType, ReplaceRequest, VenueReport

__all__ = [
    "NEVER",
    "Action",
    "BatchSession",
    "ConcludingSession",
    "DiscreetFeed",
    "DiscreetSession",
    "Endpoints",
    "FeedSession",
    "Get",
    "Listed",
    "ListingSession",
    "OrderSession",
    "Outgoing",
    "Reconnect",
    "Replace",
    "ReplaceableFeed",
    "Request",
    "SelectiveSession",
    "Send",
    "Session",
    "SnapshotBody",
    "Tell",
    "WatchfulFeed",
]

#: A ``deadline_ns`` that never comes.
NEVER = (1 << 63) - 1
#: How long a request may wait for the rate limit, unless it says otherwise.
PATIENCE_NS = 10_000_000_000


class Endpoints(NamedTuple):
    """Base URLs of one venue environment, without a trailing slash; a simulated venue prints the same.

    ``level3`` is where market data by order are; empty where the venue has none.
    """

    rest: str
    streams: str
    ws_api: str
    level3: str = ""


class Send(NamedTuple):
    """Write one text frame."""

    payload: bytes


class Get(NamedTuple):
    """Fetch ``path`` (with its query) from the REST endpoint; the answer comes back under ``tag``.

    The tag of a request for a book is ``depth:<venue symbol>``: whoever reads a record of the session later learns from
    it whose book an answer is.
    """

    tag: str
    path: str


class Reconnect(NamedTuple):
    """Close the connection and open it again, after the caller's backoff."""

    reason: str


class Replace(NamedTuple):
    """Open a second connection beside this one, and let it take over once nothing can be lost by it.

    Only a :class:`ReplaceableFeed` asks for it. Asked again while a replacement is under way, it changes nothing.
    """

    reason: str


class Tell(NamedTuple):
    """Something that a person should know: an alert of the given code."""

    code: str
    text: str


@frozen(kw_only=True)
class Request:
    """Make one signed REST request; the answer comes back under ``tag`` to :meth:`OrderSession.responded`.

    Nothing of the key is shown or recorded: :meth:`record` is what may be.

    Attributes:
        tag: Name of the answer.
        method: ``GET``, ``POST``, ``PUT`` or ``DELETE``.
        path: Path, without a query.
        params: Query, percent-encoded, without signature.
        signature: What follows ``params`` in the query, from its ``&`` on; empty where headers sign.
        headers: What the venue wants in the head of the request: the key, or a token; the type of the body.
        body: What it carries. It is recorded, so nothing in it may be secret.
        sign: Gives more headers for the moment, by our clock, at which the request is written. For signatures that
            soon expire, since a request may have waited for those before it or for the rate limit. It must depend on
            nothing that changes but that time: nothing is decided from it, and a replay does not call it.
        about: Requests about the same are carried out one after the other, in the order in which they were made.
        urgent: Whether it takes risk away: it may use the part of the rate limit that is kept for cancels.
        patience_ns: How long it may wait for the rate limit. After that it is not sent, and the answer has status 429.
    """

    tag: str
    method: str
    path: str
    params: str
    signature: str = field(default="", repr=False)
    headers: Mapping[str, str] = field(factory=dict, repr=False)
    body: bytes = b""
    sign: Callable[[int], Mapping[str, str]] | None = field(default=None, repr=False, eq=False)
    about: str = ""
    urgent: bool = False
    patience_ns: int = PATIENCE_NS

    @property
    def query(self) -> str:
        """The whole query, as it is sent."""
        return self.params + self.signature

    @property
    def target(self) -> str:
        """Path and query, as they are sent."""
        return f"{self.path}?{self.query}" if self.query else self.path

    def head(self, now_ns: int) -> Mapping[str, str]:
        """The headers of the request when it is written at ``now_ns``, our wall time."""
        return self.headers if self.sign is None else {**self.headers, **self.sign(now_ns)}

    def record(self) -> bytes:
        """What the journal keeps of it: tag, method, path, parameters, body; no key, no signature."""
        head = f"{self.tag} {self.method} {self.path}?{self.params}".encode()
        return head + b" " + self.body if self.body else head


#: How something about an order leaves: as a frame of the order connection, or over REST.
Outgoing = bytes | Request


class Listed(NamedTuple):
    """The venue has listed every order of ours that was open in an instrument when it was asked, at ``asked_ns``.

    Whatever we believe to be open, was sent before, and is not in the list, must be asked about.
    """

    venue_symbol: str
    client_ids: frozenset[str]
    asked_ns: int


Action = Send | Get | Request | Reconnect | Replace | Tell | Listed


class SnapshotBody(NamedTuple):
    """A REST answer that the normalizer should read as a book snapshot of ``venue_symbol``."""

    venue_symbol: str
    body: bytes


class Session(Protocol):
    """What feed and order sessions share."""

    #: The WebSocket URL to connect to.
    url: str

    @property
    def deadline_ns(self) -> int:
        """When :meth:`timer` wants to be called, wall ns since the epoch; :data:`NEVER` if it does not."""

    @property
    def ready(self) -> bool:
        """True while the session does what it is for: subscribed, or authenticated."""

    def connected(self, now_ns: int) -> Sequence[Action]:
        """The connection is open."""

    def disconnected(self, now_ns: int, reason: str) -> Sequence[Action]:
        """The connection is gone."""

    def timer(self, now_ns: int) -> Sequence[Action]:
        """``deadline_ns`` has come."""


@runtime_checkable
class FeedSession(Session, Protocol):
    """Market data of some instruments over one connection."""

    def control(self, frame: bytes, now_ns: int) -> Sequence[Action]:
        """A frame that the normalizer called :class:`~bloor.market.messages.OtherMessage`."""

    def touched(self, now_ns: int) -> None:
        """Any frame arrived: the connection is alive."""

    def resync(self, venue_symbol: str, now_ns: int) -> Sequence[Action]:
        """The book of one instrument lost its synchronisation and needs a snapshot."""

    def responded(
        self, tag: str, status: int, body: bytes, now_ns: int
    ) -> tuple[Sequence[Action], SnapshotBody | None]:
        """The answer to a :class:`Get`; ``status`` 0 means that none came."""


@runtime_checkable
class WatchfulFeed(FeedSession, Protocol):
    """A feed that looks at market frames for a while.

    That a stream was subscribed to is no proof that it brings anything: venues acknowledge streams that do not exist.
    """

    #: Whether :meth:`heard` wants to see market frames at present.
    watching: bool

    def heard(self, frame: bytes, now_ns: int) -> None:
        """A market frame arrived, while :attr:`watching`."""


@runtime_checkable
class DiscreetFeed(FeedSession, Protocol):
    """A feed that has secrets: its venue gives these market data to accounts only.

    It may ask for a :class:`Request` too; the answer comes to :meth:`FeedSession.responded`.
    """

    def redacted(self, frame: bytes) -> bytes:
        """A frame that is sent, as it may be recorded: without key, token and signature."""

    def take_secrets(self, tag: str, status: int, body: bytes) -> bytes:
        """As :meth:`DiscreetSession.take_secrets`."""


@runtime_checkable
class ReplaceableFeed(FeedSession, Protocol):
    """A feed whose connection can be replaced before it ends; see :class:`Replace`.

    Both connections have the same :attr:`url`. What the old one brings is used until the switch, what the new one
    brings is kept; at the switch, what the old one already brought is taken out by sequence numbers.
    """

    def replacement_connected(self, now_ns: int) -> Sequence[Action]:
        """The second connection is open; what is returned goes to it."""

    def replacement_failed(self, now_ns: int, reason: str) -> Sequence[Action]:
        """The second connection could not be had, was lost, or did not get in sync; the first one goes on."""

    def replaced(self, now_ns: int) -> Sequence[Action]:
        """The second connection has taken over and is the only one; everything it is to bring has come."""


@runtime_checkable
class OrderSession(Session, Protocol):
    """Order entry and the private stream of one account over one connection.

    What it is asked to encode it returns as a frame, or, while its connection is not to be used and the venue can be
    reached over REST, as a :class:`Request`. It raises LocalProtocolError when it can do neither, and when the venue
    has no such thing; then nothing was asked, and nothing has changed.
    """

    @property
    def accepting(self) -> bool:
        """Whether new orders can be sent now, in whichever way."""

    def place(self, order: OrderRequest, now_ns: int) -> Outgoing:
        """Submits ``order``."""

    def cancel(self, order: CancelRequest, now_ns: int) -> Outgoing:
        """Cancels an order."""

    def replace(self, both: ReplaceRequest, now_ns: int) -> Outgoing:
        """Cancels an order and, if that succeeds, submits another; each gets its own reports."""

    def amend(self, change: AmendRequest, now_ns: int) -> Outgoing:
        """Reduces the quantity of an order, which keeps its id: ``REPLACED``, or a refusal."""

    def query(self, client_id: str, instrument: Instrument, now_ns: int) -> Outgoing:
        """Asks for the state of an order."""

    def fetch_fills(self, order: CancelRequest, now_ns: int) -> Outgoing:
        """Asks for every fill of an order; each comes back as a ``FILL`` report."""

    def search_trades(self, order: CancelRequest, from_ns: int, to_ns: int, now_ns: int) -> Outgoing:
        """Asks for the account's trades in the order's instrument in a time window: one ``TRADES_SEEN`` report.

        It is part of the proof that an order which is nowhere found has never traded
        (:attr:`~bloor.hookspecs.ExecutorSpec.searches_trades`).
        """

    def received(self, frame: bytes, now_ns: int) -> tuple[Sequence[VenueReport], Sequence[Action]]:
        """A frame of the venue: what it says of our orders, and what to do."""

    def responded(
        self, tag: str, status: int, body: bytes, now_ns: int
    ) -> tuple[Sequence[VenueReport], Sequence[Action]]:
        """The answer to a :class:`Request`; ``status`` 0 means that none came."""

    def redacted(self, frame: bytes) -> bytes:
        """A frame, sent or received, as it may be recorded: without key, token and signature.

        What is received is used as it is recorded, so that a replay sees the same.
        """


@runtime_checkable
class DiscreetSession(OrderSession, Protocol):
    """An order session that is told secrets in REST answers, such as the token of a connection."""

    def take_secrets(self, tag: str, status: int, body: bytes) -> bytes:
        """Keeps what is secret in the answer to a :class:`Request` and gives the answer as it may be recorded.

        It is called once for each answer, before it is recorded and before :meth:`responded`, which is then given what
        was recorded. A replay calls it with the recorded answer: it must return that unchanged, and keep whatever
        stands in the place of the secret there, so that every later decision is the same. It must not raise: of an
        answer that it cannot read, it returns nothing that may be secret.
        """


@runtime_checkable
class SelectiveSession(OrderSession, Protocol):
    """An order session that at times takes some new orders and not others."""

    def refusal(self, instrument: Instrument, order_type: OrderType, now_ns: int) -> str:
        """Why a new order, or a change of one, is not to be sent now although :attr:`accepting`.

        It is asked before the gate. What is already known to be refused by the venue, by its state or by a rate limit
        that is used up, is a denial of ours and costs nothing; cancels are never asked about.

        Returns:
            The code of the denial, ``CATEGORY_CONDITION``; empty when it can be sent.
        """


@runtime_checkable
class ListingSession(OrderSession, Protocol):
    """An order session that, by becoming ready, has said which orders of ours are open.

    It has reported each of them as ``FOUND_OPEN`` and given a :class:`Listed` for every instrument, so nothing is asked
    about order by order when the connection is back.
    """

    @property
    def lists_open_orders(self) -> bool:
        """True."""


@runtime_checkable
class BatchSession(OrderSession, Protocol):
    """An order session that can cancel several orders by one request."""

    def cancel_all(self, orders: Sequence[CancelRequest], now_ns: int) -> Sequence[Outgoing]:
        """Cancels every one of these orders by as few requests as the venue takes; each gets its own reports.

        Raises:
            LocalProtocolError: There is no way to send them by; then none was asked for.
        """


@runtime_checkable
class ConcludingSession(OrderSession, Protocol):
    """An order session that takes something back from the venue at the orderly end of a run: a dead-man switch."""

    @property
    def concluded(self) -> bool:
        """Whether nothing is left to take back, or to wait for."""

    def conclude(self, now_ns: int) -> Sequence[Action]:
        """The run is over and nothing of ours is open; the connection will be closed once :attr:`concluded`."""
