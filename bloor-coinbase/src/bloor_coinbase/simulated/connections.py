"""WebSocket connections: subscriptions, numbers, heartbeats, and the rules that end a connection.

Every frame of a connection has the next number, whatever its channel; a frame that an injected fault loses takes its
number with it, so that the client sees the hole. An acknowledgement has the whole set of subscriptions and comes a
moment after the first frames of what was subscribed to (as observed), numbered like them. ``client_id`` is empty: some
connections of the real exchange have it and some do not, and its official client needs it.

Source: docs.cdp.coinbase.com, "Advanced Trade WebSocket Overview" and "WebSocket Rate Limits".
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable
from typing import Protocol

import orjson
from attrs import define, field

from bloor.simulation.faults import Fault, Faults
from bloor.simulation.venue import Outbox
from bloor.venue.session import NEVER
from bloor_coinbase.simulated.keys import seeded_uuid
from bloor_coinbase.simulated.messages import CHANNELS, RefusedError, Wish, read_object, read_wish, shown
from bloor_coinbase.simulated.tokens import ApiKey, KeyRing
from bloor_coinbase.simulated.words import go_time, stamp

__all__ = ["USER_PATH", "Connection", "Connections", "Snapshots"]

SECOND = 1_000_000_000
#: Where the user's own connection is; market data are at the root.
USER_PATH = "/user"
_PATHS = ("", "/", USER_PATH, USER_PATH + "/")
#: How long a connection may wait before it subscribes to something.
SUBSCRIBE_NS = 5 * SECOND
#: Silence after which a connection is closed.
SILENCE_NS = 90 * SECOND
#: How long after a subscription it is acknowledged.
ACK_NS = 25_000_000
#: New connections in a second, and messages without a token in a second from one connection.
MAX_OPENED, MAX_MESSAGES = 8, 8
#: Books of one connection.
MAX_BOOKS = 31


@define(eq=False)
class Connection:
    """One connection.

    Attributes:
        number: The server's number of it.
        private: Whether it is at :data:`USER_PATH`, where there is no market data.
        opened_ns: When it was opened.
        subscriptions: Channel -> its products, in the order of subscription; one without a name stands for all.
        account: Whose orders it is told of; 0 for nobody's.
        sequence: Number of its next frame.
        beats: Heartbeats so far.
        sent_ns: When the latest frame left.
        messages: When its latest messages without a token came.
    """

    number: int
    private: bool
    opened_ns: int
    subscriptions: dict[str, dict[str, None]] = field(factory=dict)
    account: int = 0
    sequence: int = 0
    beats: int = 0
    sent_ns: int = 0
    messages: deque[int] = field(factory=lambda: deque(maxlen=MAX_MESSAGES))

    @property
    def user(self) -> str:
        """The id of whose orders it is told of."""
        return seeded_uuid(self.account, "user")


class Snapshots(Protocol):
    """What a new subscription begins with."""

    def book_of(self, product: str) -> str | None:
        """The product whose market data a product has; None for one that is not listed."""

    def market(self, channel: str, book: str, now_ns: int) -> bytes | None:
        """The first event of a market channel, as JSON; None for none."""

    def user(self, account: int, products: Iterable[str], now_ns: int) -> list[bytes]:
        """The first events of the channel ``user``, as JSON, one for each frame."""


class Connections:
    """All connections.

    Args:
        outbox: The way out.
        ring: The keys that the exchange knows.
        faults: What frames may meet.
        subscribed: Called when somebody begins to listen to market data.

    Attributes:
        snapshots: Makes first events; set before anybody connects.
        deadline_ns: When :meth:`advance` wants to be called next.
        now_ns: Wall time of what is happening, for those who publish without knowing it.
    """

    snapshots: Snapshots

    def __init__(self, outbox: Outbox, ring: KeyRing, faults: Faults, subscribed: Callable[[int], None]) -> None:
        self._outbox = outbox
        self._ring = ring
        self._faults = faults
        self._subscribed = subscribed
        self._connections: dict[int, Connection] = {}
        self._listeners: dict[tuple[str, str], dict[int, Connection]] = {}
        self._acks: deque[tuple[int, Connection]] = deque()
        self._opened: deque[int] = deque(maxlen=MAX_OPENED)
        self._beat_ns = NEVER
        self.deadline_ns = NEVER
        self.now_ns = 0

    @property
    def listening(self) -> bool:
        """Whether anybody listens to market data."""
        return any(channel not in ("user", "heartbeats") for channel, _ in self._listeners)

    def wants(self, channel: str, book: str = "") -> bool:
        """Whether anybody listens to a channel of a book."""
        return (channel, book) in self._listeners

    # -- life -------------------------------------------------------------------------------------------------------

    def opened(self, conn: int, path: str, now_ns: int) -> bool:
        """A connection; False when there is nothing at the path, or there were too many in a second."""
        if path not in _PATHS:
            return False
        if len(self._opened) == MAX_OPENED and now_ns - self._opened[0] < SECOND:
            return False
        self._opened.append(now_ns)
        private = path.startswith(USER_PATH)
        self._connections[conn] = Connection(conn, private, now_ns, sent_ns=now_ns)
        if self._beat_ns == NEVER:
            self._beat_ns = now_ns + SECOND
        self._set_deadline()
        return True

    def closed(self, conn: int) -> None:
        """A connection is gone."""
        connection = self._connections.pop(conn, None)
        if connection is None:
            return
        for channel, products in connection.subscriptions.items():
            for product in products:
                self._forget(connection, channel, product)
        self._acks = deque(entry for entry in self._acks if entry[1] is not connection)
        if not self._connections:
            self._beat_ns = NEVER
        self._set_deadline()

    def advance(self, now_ns: int) -> None:
        """Acknowledgements, heartbeats, and the ends of connections that are due."""
        while self._acks and self._acks[0][0] <= now_ns:
            due_ns, connection = self._acks.popleft()
            self._acknowledge(connection, due_ns)
        while self._beat_ns <= now_ns:
            for connection in list(self._connections.values()):
                self._beat(connection, self._beat_ns)
            # a process that was stopped for a while does not catch up beat by beat
            self._beat_ns = max(self._beat_ns + SECOND, now_ns - now_ns % SECOND)
        self._set_deadline()

    def _beat(self, connection: Connection, now_ns: int) -> None:
        if "heartbeats" in connection.subscriptions:
            connection.beats += 1
            event = {"current_time": go_time(now_ns), "heartbeat_counter": connection.beats}
            self._deliver(connection, b"heartbeats", orjson.dumps(event), now_ns)
        unused = not connection.subscriptions and now_ns - connection.opened_ns >= SUBSCRIBE_NS
        if unused or now_ns - connection.sent_ns >= SILENCE_NS:
            self._outbox(connection.number, None)

    def _set_deadline(self) -> None:
        self.deadline_ns = min(self._beat_ns, self._acks[0][0] if self._acks else NEVER)

    # -- what goes out ----------------------------------------------------------------------------------------------

    def publish(self, channel: str, book: str, event: Callable[[], bytes], now_ns: int) -> None:
        """Sends an event of a market channel to everybody who listens.

        Args:
            channel: By its name in subscriptions.
            book: The product.
            event: Makes the event, as JSON.
            now_ns: Wall time.
        """
        listeners = self._listeners.get((channel, book))
        if not listeners:
            return
        made, name = event(), CHANNELS[channel].encode()
        for connection in list(listeners.values()):
            lost = channel == "level2" and self._faults.happens(Fault.GAP)
            self._deliver(connection, name, made, now_ns, lost=lost)

    def tell(self, account: int, product: str, event: Callable[[], bytes], now_ns: int) -> None:
        """Sends an event of the channel ``user`` to everybody who follows the account."""
        listeners = {**self._listeners.get(("user", ""), {}), **self._listeners.get(("user", product), {})}
        if not listeners:
            return
        made = event()
        for connection in listeners.values():
            if connection.account == account:
                self._deliver(connection, b"user", made, now_ns, lost=self._faults.happens(Fault.LOST_REPORT))

    def _deliver(self, connection: Connection, name: bytes, event: bytes, now_ns: int, *, lost: bool = False) -> None:
        """Sends a frame with the connection's next number, unless a fault has it."""
        frame = b'{"channel":"%s","client_id":"","timestamp":"%s","sequence_num":%d,"events":[%s]}' % (
            name,
            stamp(now_ns, 9).encode(),
            connection.sequence,
            event,
        )
        connection.sequence += 1
        if lost:
            return
        connection.sent_ns = now_ns
        self._outbox(connection.number, frame)
        if self._faults.happens(Fault.DUPLICATE):
            self._outbox(connection.number, frame)

    def _acknowledge(self, connection: Connection, now_ns: int) -> None:
        listed = {
            channel: [product or (connection.user if channel == "user" else channel) for product in products]
            for channel, products in connection.subscriptions.items()
        }
        self._deliver(connection, b"subscriptions", orjson.dumps({"subscriptions": listed}), now_ns)

    # -- what comes in ----------------------------------------------------------------------------------------------

    def received(self, conn: int, payload: bytes, now_ns: int) -> None:
        """A message came from a connection."""
        connection = self._connections.get(conn)
        if connection is None:
            return
        try:
            message = read_object(payload)
            key = self._key(connection, message.get("jwt"), now_ns)
            wish = read_wish(message)
            products = self._products(connection, wish)
            if wish.subscribe:
                self._subscribe(connection, wish.channel, products, key, now_ns)
            else:
                self._unsubscribe(connection, wish.channel, products)
        except RefusedError as refused:
            self._outbox(conn, orjson.dumps({"type": "error", "message": str(refused)}))
            return
        self._acks.append((now_ns + ACK_NS, connection))
        self._set_deadline()

    def _key(self, connection: Connection, token: object, now_ns: int) -> ApiKey | None:
        """Whose token came with a message; None when there was none. Raises RefusedError."""
        if token not in (None, ""):
            key = self._ring.subscription(token, now_ns) if isinstance(token, str) else None
            if key is None:
                raise RefusedError("authentication failure")
            return key
        sent = connection.messages
        if len(sent) == MAX_MESSAGES and now_ns - sent[0] < SECOND:
            raise RefusedError(f"rate limit exceeded: more than {MAX_MESSAGES} unauthenticated messages in a second")
        sent.append(now_ns)
        return None

    def _products(self, connection: Connection, wish: Wish) -> list[str]:
        """The books of a message; one without a name where it names none. Raises RefusedError."""
        if connection.private and wish.channel not in ("user", "heartbeats"):
            raise RefusedError(f"failure to subscribe: channel {wish.channel} is not available on the user endpoint")
        found = []
        for name in wish.products:
            book = self.snapshots.book_of(name)
            if book is None:
                raise RefusedError(f"failure to subscribe: no product {shown(name)}")
            found.append(name if wish.channel == "user" else book)
        return found or [""]

    def _subscribe(
        self, connection: Connection, channel: str, products: list[str], key: ApiKey | None, now_ns: int
    ) -> None:
        if channel == "user" and key is None:
            raise RefusedError("authentication failure")
        known = connection.subscriptions.get(channel, {})
        if channel == "level2" and len({*known, *products}) > MAX_BOOKS:
            raise RefusedError("too many L2 streams requested in a single session")
        if channel == "user" and key is not None:
            connection.account = key.account
        connection.subscriptions.setdefault(channel, {}).update(dict.fromkeys(products))
        for product in products:
            self._listeners.setdefault((channel, product), {})[connection.number] = connection
        if channel != "heartbeats":
            self._begin(connection, channel, products, now_ns)

    def _begin(self, connection: Connection, channel: str, products: list[str], now_ns: int) -> None:
        """The first frames of a subscription."""
        if channel == "user":
            for event in self.snapshots.user(connection.account, [name for name in products if name], now_ns):
                self._deliver(connection, b"user", event, now_ns)
            return
        self._subscribed(now_ns)
        for product in products:
            first = self.snapshots.market(channel, product, now_ns)
            if first is not None:
                self._deliver(connection, CHANNELS[channel].encode(), first, now_ns)

    def _unsubscribe(self, connection: Connection, channel: str, products: list[str]) -> None:
        known = connection.subscriptions.get(channel)
        if known is None:
            return
        for product in list(known) if products == [""] else products:
            known.pop(product, None)
            self._forget(connection, channel, product)
        if not known:
            del connection.subscriptions[channel]

    def _forget(self, connection: Connection, channel: str, product: str) -> None:
        listeners = self._listeners.get((channel, product), {})
        listeners.pop(connection.number, None)
        if not listeners:
            self._listeners.pop((channel, product), None)
