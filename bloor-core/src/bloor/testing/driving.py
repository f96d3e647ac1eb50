"""A feed's session driven by hand, against a venue that is silent, or answers as it is told: without a simulation."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from bloor.hookspecs import FeedContext, FeedSpec
from bloor.model.instrument import Instrument
from bloor.testing.watching import Watch, watched
from bloor.venue.session import Endpoints, Get, Reconnect, Send, Tell

__all__ = ["SECOND", "Drive", "names", "shape_of", "strange_symbol", "text_of"]

SECOND = 1_000_000_000
_START_NS = 1_700_000_000_000_000_000
#: How long a lost connection takes to be opened again.
_BACKOFF_NS = SECOND


class Drive:
    """One session and its clock.

    Args:
        feed: The feed.
        config: The venue's configuration, or None.
        instruments: What to subscribe to.
        endpoints: Where the venue is believed to be.
        seed: Seeds the jitter of time-outs.
        answer: What is answered to a request: ``(status, body)``; None for no answer at all (status 0).

    Attributes:
        session: The session, watched.
        watch: What was seen of it.
        now_ns: The time.
        up: Whether the connection is open.
        reconnects: When it asked for another connection.
    """

    def __init__(
        self,
        feed: FeedSpec,
        config: Any,
        instruments: Sequence[Instrument],
        endpoints: Endpoints,
        *,
        seed: int = 1,
        answer: Callable[[str], tuple[int, bytes]] = lambda _tag: (0, b""),
    ) -> None:
        self.watch = Watch()
        context = FeedContext(config=config, endpoints=endpoints, instruments=tuple(instruments), seed=seed)
        self.session = watched(feed.build(context), self.watch)
        self.now_ns = _START_NS
        self.up = False
        self.reconnects: list[int] = []
        self._answer = answer
        self._answers: list[tuple[int, str]] = []
        self._opens_at = 0

    # ---- what happens -----------------------------------------------------------------------------------------------

    def connect(self) -> None:
        """The connection is open."""
        self.up = True
        self._do(self.session.connected(self.now_ns))

    def disconnect(self, reason: str = "cut by the card") -> None:
        """It is gone."""
        self.up = False
        self._answers.clear()
        self._do(self.session.disconnected(self.now_ns, reason))

    def run(self, seconds: float, *, alive: bool = False) -> None:
        """Lets time go on: timers are called when they are due, lost connections are opened again after a second.

        Args:
            seconds: How long.
            alive: Whether something is heard each second, so that the connection is not silent.
        """
        until = self.now_ns + round(seconds * SECOND)
        while True:
            heard_at = self.now_ns // SECOND * SECOND + SECOND if alive and self.up else until + 1
            answer_at = self._answers[0][0] if self._answers else until + 1
            opens_at = self._opens_at if self._opens_at and not self.up else until + 1
            at = min(max(self.session.deadline_ns, self.now_ns), heard_at, answer_at, opens_at)
            if at > until:
                break
            self.now_ns = at
            if at == opens_at:
                self._opens_at = 0
                self.connect()
            elif at == answer_at:
                tag = self._answers.pop(0)[1]
                self._do(self.session.responded(tag, *self._answer(tag), at)[0])
            elif at == heard_at:
                self.session.touched(at)
            else:
                self._do(self.session.timer(at))
                if self.session.deadline_ns <= at:
                    break  # it would be called for ever: the watch has said so
        self.now_ns = max(self.now_ns, until)

    def _do(self, actions: Sequence[Any]) -> None:
        for action in actions:
            if isinstance(action, Get):
                self._answers.append((self.now_ns + SECOND // 10, action.tag))
            elif isinstance(action, Reconnect) and self.up:
                self.reconnects.append(self.now_ns)
                self.disconnect(action.reason)
                self._opens_at = self.now_ns + _BACKOFF_NS

    # ---- what was seen ----------------------------------------------------------------------------------------------

    def asked(self, since_ns: int = 0) -> list[Any]:
        """Every frame and every request that left since then."""
        return [action for at, action in self.watch.actions if at >= since_ns and isinstance(action, Send | Get)]

    @property
    def told(self) -> list[Tell]:
        """What it told a person."""
        return [action for _, action in self.watch.actions if isinstance(action, Tell)]


def text_of(action: Any) -> str:
    """What an action says, to look names up in."""
    if isinstance(action, Send):
        return action.payload.decode(errors="replace")
    return action.path if isinstance(action, Get) else ""


def names(said: str, symbol: str) -> bool:
    """Whether a symbol stands in a text by itself, and not as a part of another."""
    at = said.find(symbol)
    while at >= 0:
        before, after = said[at - 1 : at], said[at + len(symbol) : at + len(symbol) + 1]
        if not before.isalnum() and not after.isalnum():
            return True
        at = said.find(symbol, at + 1)
    return False


def shape_of(asked: list[Any]) -> list[str]:
    """What was asked for, without the numbers of requests."""
    return sorted("".join(c for c in text_of(a) if not c.isdigit()) for a in asked)


def strange_symbol(real: Instrument) -> str:
    """A name that the venue could have and does not, made like one that it has."""
    return real.venue_symbol.upper().replace(real.base.upper(), "QQQQ", 1).replace(real.quote.upper(), "ZZZZ", 1)
