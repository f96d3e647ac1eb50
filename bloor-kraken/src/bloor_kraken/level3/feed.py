"""Market data by order of Kraken spot, over a connection of its own to WebSocket v2 (sans I/O).

It is the feed of :mod:`bloor_kraken.feed` with one channel, ``level3``, in the place of ``book``: a book proves itself
by a snapshot, and one whose checksum fails is left and subscribed to again, alone. Only what is different is here: the
connection needs a token, which comes over REST, a fresh one for each connection; what a subscription costs depends on
its depth; and a connection has no more than :data:`MOST_SYMBOLS` of them.

Source: docs.kraken.com, WebSocket v2, "Level3" (limits of subscriptions), "Authentication".
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from bloor.errors import RemoteProtocolError, UsageError
from bloor.hookspecs import FeedContext
from bloor.venue.session import NEVER, Action, SnapshotBody, Tell
from bloor_kraken.feed import SECOND, KrakenFeed
from bloor_kraken.order_requests import Operation
from bloor_kraken.private_rest import private_answer, private_request
from bloor_kraken.refusals import Refusal, meaning
from bloor_kraken.signing import KrakenCredentials
from bloor_kraken.subscriptions import Channel
from bloor_kraken.tokens import without, without_token

__all__ = ["MOST_SYMBOLS", "Level3Feed"]

#: Symbols that a connection may have.
MOST_SYMBOLS = 200
#: What a subscription costs by depth, and what may be spent in a second (docs.kraken.com, the standard rate).
COSTS, BUDGET = {10: 5, 100: 25, 1000: 100}, 200
#: How long a token may take, and first and longest wait before it is asked for again.
TOKEN_NS, AGAIN_NS, AGAIN_MAX_NS = 25 * SECOND, SECOND, 30 * SECOND

_TAG, _PATH = Operation.TOKEN.value.letter, Operation.TOKEN.value.path


class Level3Feed(KrakenFeed):
    """One connection; see :class:`bloor.venue.session.DiscreetFeed`.

    Raises:
        UsageError: There are too many instruments, or no keys.
    """

    book_channel = Channel.LEVEL3
    send_every_ns = SECOND
    burst = 1

    def __init__(self, context: FeedContext) -> None:
        super().__init__(context)
        if not isinstance(context.credentials, KrakenCredentials):
            raise UsageError(
                "venue.kraken.book = 'orders': expected keys of the account, which Kraken wants for market data by "
                "order, got none: state where they are in [keys.kraken.prod]"
            )
        if len(self._symbols) > MOST_SYMBOLS:
            raise UsageError(
                f"venue.kraken.book = 'orders': expected at most {MOST_SYMBOLS} symbols, got {len(self._symbols)}"
            )
        self.url = context.endpoints.level3
        self._channels = (Channel.LEVEL3,)
        self.symbols_a_request = BUDGET // COSTS[self._depth]
        self._keys = context.credentials
        self._token = self._offered = ""
        self._token_ns = NEVER
        self._wait_ns = AGAIN_NS

    # ---- the token --------------------------------------------------------------------------------------------------

    def connected(self, now_ns: int) -> Sequence[Action]:
        """Asks for a token; it opens the subscriptions."""
        self._token = self._offered = ""
        self._token_ns = now_ns
        return [*super().connected(now_ns), *self._ask_token(now_ns)]

    def disconnected(self, now_ns: int, reason: str) -> Sequence[Action]:
        """Forgets everything, the token too."""
        self._token = self._offered = ""
        self._token_ns = NEVER
        return super().disconnected(now_ns, reason)

    def timer(self, now_ns: int) -> Sequence[Action]:
        """As of any feed; and asks for the token again when it is time."""
        told = super().timer(now_ns)
        return [*told, *self._ask_token(now_ns)] if self.ready else told

    def _subscribe(self, now_ns: int) -> None:
        """Nothing can be subscribed to before the token is here: every topic waits for it."""
        for subscription in self._topics.values():
            subscription.wait(NEVER)

    def _ask_token(self, now_ns: int) -> list[Action]:
        if now_ns < self._token_ns:
            return []
        self._token_ns = now_ns + TOKEN_NS
        self._set_deadline()
        return [private_request(self._keys, _TAG, _PATH, {}, now_ns)]

    def responded(
        self, tag: str, status: int, body: bytes, now_ns: int
    ) -> tuple[Sequence[Action], SnapshotBody | None]:
        """The answer to the request for a token."""
        if tag != _TAG or not self.ready or self._token_ns == NEVER:
            return (), None
        try:
            refusal, words = private_answer(tag, status, body)[1:]
        except RemoteProtocolError as error:
            refusal, words = Refusal.UNCERTAIN, str(error)
        if refusal is Refusal.NONCE:
            self._keys.nonces.leap()
        if refusal is not None or not self._offered:
            return [*self._later(now_ns), Tell("no_token", f"Kraken gave no token: {words or 'an empty one'}")], None
        self._token, self._offered = self._offered, ""
        self._token_ns, self._wait_ns = NEVER, AGAIN_NS
        self._ask(self._topics.values(), now_ns)
        return self._carry(now_ns, burst=self.burst), None

    def _later(self, now_ns: int) -> list[Action]:
        """The token is asked for later, with growing waits."""
        self._token_ns = now_ns + self._wait_ns
        self._wait_ns = min(2 * self._wait_ns, AGAIN_MAX_NS)
        self._set_deadline()
        return []

    def take_secrets(self, tag: str, status: int, body: bytes) -> bytes:
        """Keeps the token, and gives the answer without it."""
        if tag != _TAG:
            return body
        self._offered, kept = without_token(tag, status, body)
        return kept

    def redacted(self, frame: bytes) -> bytes:
        """The frame without the token, and without the key, should it ever be in one."""
        return without(frame, self._token, self._offered, self._keys.api_key)

    # ---- subscriptions ----------------------------------------------------------------------------------------------

    def _params(self, channel: Channel, symbols: Sequence[str]) -> dict[str, Any]:
        return {**super()._params(channel, symbols), "token": self._token}

    def _left(self, channel: Channel, symbols: Sequence[str]) -> dict[str, Any]:
        return {**super()._left(channel, symbols), "token": self._token}

    def _refused(self, message: dict[str, Any], now_ns: int) -> list[Action]:
        """As of any feed; a token that is not accepted is replaced."""
        if meaning(str(message.get("error"))) is Refusal.TOKEN and self._token:
            self._token = ""
            self._subscribe(now_ns)
            return [*self._later(now_ns), Tell("no_token", f"Kraken refused a token: {message.get('error')!s:.100}")]
        return super()._refused(message, now_ns)

    def _due_ns(self) -> int:
        return min(super()._due_ns(), self._token_ns)
