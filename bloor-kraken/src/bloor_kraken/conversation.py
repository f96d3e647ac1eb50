"""One authenticated connection: its token, its subscriptions, whether it still lives, what the venue's clock says.

Theory of operation (sans I/O)
==============================

::

    DOWN -> TOKEN -> SUBSCRIBING -> UP <-> RESYNC

A new connection has nothing. The token comes over REST (``GetWebSocketsToken``), a fresh one for each connection; it
must be used within 15 minutes and stays valid while a private subscription lives. Then ``executions`` and ``balances``
are subscribed to. The snapshot of ``executions`` says what is open: with it the session is up. (Should none come after
the acknowledgement, that is taken for an empty one; whatever we believe to be open is asked about then.)

A hole in the numbering of ``executions`` means that something was missed: the channel is left and subscribed to again,
and until its snapshot is here no new order is sent. Heartbeats come every second; silence is met by a ping, and a
longer one by a new connection. Answers say when the venue read the question: so the clocks are compared.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import Enum
from typing import Any

from bloor.errors import AccessRefusedError, RemoteProtocolError
from bloor.venue.rest import VenueClock
from bloor.venue.session import NEVER, Action, Reconnect, Send, Tell
from bloor_kraken.frames.fields import epoch_ns
from bloor_kraken.order_requests import frame
from bloor_kraken.refusals import Refusal, meaning

__all__ = ["ANSWER_NS", "PROBE_NS", "Conversation", "Numbering", "Stage"]

SECOND = 1_000_000_000
#: How long an answer to a subscription may take, and a snapshot after it.
ANSWER_NS, SNAPSHOT_NS = 5 * SECOND, 2 * SECOND
#: How long the token may take: as long as a REST request waits for its turn and for its answer, and a bit.
TOKEN_NS = 25 * SECOND
#: First and longest wait before a token is asked for again; twice as long each time.
TOKEN_AGAIN_NS, TOKEN_AGAIN_MAX_NS = SECOND, 30 * SECOND
#: Tokens that are refused in a row before the keys are given up.
MOST_REFUSED = 3
#: Silence after which a connection is pinged, and after which it is taken for dead; heartbeats come every second.
PROBE_NS, IDLE_NS = 3 * SECOND, 8 * SECOND
#: How often the venue's clock is asked.
CLOCK_NS = 15 * SECOND
#: Requests whose answers are awaited; the oldest are given up.
MOST_ASKED = 10_000


class Stage(Enum):
    """How far a connection is."""

    DOWN = "down"
    TOKEN = "token"  # noqa: S105 (a word)
    SUBSCRIBING = "subscribing"
    UP = "up"
    RESYNC = "resync"


class Numbering:
    """The numbers of one subscription's frames: one more each time, from whatever its snapshot has."""

    def __init__(self) -> None:
        self._next: int | None = None

    def restart(self) -> None:
        """Whatever comes next is the first."""
        self._next = None

    def has_hole(self, number: int | None, *, snapshot: bool) -> bool:
        """Takes the number of a frame; whether frames before it are missing. A repeated one is no hole."""
        expected, before = self._next, self._next or 0
        if number is None:
            return False
        self._next = number + 1 if snapshot else max(before, number + 1)
        return not snapshot and expected is not None and number > expected


class Conversation:
    """One connection; every method gives what is to be done.

    Attributes:
        stage: How far it is.
        clock: The venue's clock.
        offset_ns: How far it was ahead of ours when it was last compared.
        token: What opens the private part; :data:`~bloor_kraken.tokens.HIDDEN` in a replay.
        deadline_ns: When :meth:`timer` wants to be called.
        stepped: Whether the last answer showed that a clock was stepped.
        most_points: The maximum of the rate counters, once the venue has named it; 0 before.
    """

    def __init__(self) -> None:
        self.stage = Stage.DOWN
        self.clock = VenueClock(1_000)
        self.offset_ns = 0
        self.token = ""
        self.deadline_ns = NEVER
        self.most_points = 0
        self.stepped = False
        self.offered = ""
        self._asked: dict[int, tuple[str, int]] = {}
        self._last_id = 0
        self._due_ns = NEVER
        self._alive_ns = self._probed_ns = self._clock_ns = 0
        self._acknowledged = False
        self._refused = 0
        self._token_wait_ns = TOKEN_AGAIN_NS
        self.subscribed_ns = 0

    @property
    def is_up(self) -> bool:
        """Whether requests about orders can be sent."""
        return self.stage in (Stage.UP, Stage.RESYNC)

    # ---- requests

    def ask(self, method: str, params: Mapping[str, Any], tag: str, now_ns: int) -> bytes:
        """A request whose answer will be known by ``tag``."""
        self._last_id += 1
        self._asked[self._last_id] = tag, now_ns
        if len(self._asked) > MOST_ASKED:
            del self._asked[next(iter(self._asked))]
        return frame(method, {**params, "token": self.token}, self._last_id)

    def answered(self, message: Mapping[str, Any], now_ns: int) -> str:
        """The tag of what a message answers; empty when nobody knows."""
        number = message.get("req_id")
        if not isinstance(number, str) or not number.isdecimal() or len(number) > 18:
            return ""
        tag, asked_ns = self._asked.pop(int(number), ("", 0))
        if tag and isinstance(message.get("time_in"), str):
            venue_ns = epoch_ns("answer", "time_in", message["time_in"])
            self.stepped = self.clock.sample(asked_ns, now_ns, venue_ns) or self.stepped
            self.offset_ns = self.clock.offset_ns(now_ns)
        return tag

    # ---- life

    def opened(self, now_ns: int) -> None:
        """The connection is open; a token is to be asked for."""
        self.stage = Stage.TOKEN
        self._asked.clear()
        self._acknowledged = False
        self._alive_ns = self._probed_ns = self._clock_ns = now_ns
        self._due_ns = now_ns + TOKEN_NS
        self._plan()

    def lost(self) -> None:
        """The connection is gone."""
        self.stage = Stage.DOWN
        self._asked.clear()
        self.token = ""
        self.deadline_ns = NEVER

    def offer(self, now_ns: int, refusal: Refusal | None, words: str) -> list[Action]:
        """The answer to the request for a token.

        Raises:
            AccessRefusedError: The keys may not have one.
        """
        if self.stage is not Stage.TOKEN:
            return []
        if refusal is Refusal.ACCESS:
            raise AccessRefusedError(f"kraken refused a token for the order connection: {words}")
        if refusal is not None or not self.offered:
            self._due_ns = now_ns + self._token_wait_ns
            self._token_wait_ns = min(2 * self._token_wait_ns, TOKEN_AGAIN_MAX_NS)
            self._plan()
            return [Tell("no_token", f"kraken gave no token for the order connection: {words or 'an empty one'}")]
        self.token, self.offered = self.offered, ""
        self._token_wait_ns = TOKEN_AGAIN_NS
        self.stage = Stage.SUBSCRIBING
        self._due_ns = now_ns + ANSWER_NS
        self._plan()
        return [self.subscribe("executions", now_ns), self.subscribe("balances", now_ns)]

    def subscribe(self, channel: str, now_ns: int) -> Send:
        """Subscribes to a private channel."""
        params: dict[str, Any] = {"channel": channel, "snapshot": True}
        if channel == "executions":
            self.subscribed_ns = now_ns
            params = {"channel": channel, "snap_orders": True, "snap_trades": True, "order_status": True,
                      "ratecounter": True}  # fmt: skip
        return Send(frame("subscribe", {**params, "token": self.token}, self._numbered(f"+{channel}", now_ns)))

    def leave(self, channel: str, now_ns: int) -> list[Action]:
        """Leaves a channel in order to subscribe to it again: frames of it were missed."""
        if channel == "executions":
            if self.stage is not Stage.UP:
                return []
            self.stage = Stage.RESYNC
            self._acknowledged = False
            self._due_ns = now_ns + ANSWER_NS
            self._plan()
        params = {"channel": channel, "token": self.token}
        return [Send(frame("unsubscribe", params, self._numbered(f"-{channel}", now_ns)))]

    def _numbered(self, tag: str, now_ns: int) -> int:
        self._last_id += 1
        self._asked[self._last_id] = tag, now_ns
        return self._last_id

    def channel_answered(self, tag: str, message: Mapping[str, Any], now_ns: int) -> list[Action]:
        """The answer to a subscription or the end of one.

        Raises:
            AccessRefusedError: The keys may not have it.
        """
        channel = tag[1:]
        if tag.startswith("-"):
            return [self.subscribe(channel, now_ns)]
        error = message.get("error")
        if message.get("success") is True or str(error).lower().startswith("already subscribed"):
            if channel == "executions":
                self._acknowledge(message.get("result"), now_ns)
            return []
        if channel != "executions":
            return [Tell("refused", f"kraken refused a subscription to {channel}: {error!r:.120}")]
        said = meaning(str(error))
        self._refused += 1
        if said is Refusal.ACCESS or self._refused >= MOST_REFUSED:
            raise AccessRefusedError(f"kraken refused the private stream: {error!r:.120}")
        return [Reconnect(f"kraken refused the private stream: {error!r:.120}")]

    def _acknowledge(self, result: Any, now_ns: int) -> None:
        self._acknowledged = True
        self._due_ns = now_ns + SNAPSHOT_NS
        most = result.get("maxratecount") if isinstance(result, dict) else None
        if isinstance(most, str) and most.isdecimal() and 0 < len(most) < 6:
            self.most_points = int(most)
        self._plan()

    def up(self) -> None:
        """The snapshot is here."""
        self.stage = Stage.UP
        self._refused = 0
        self._plan()

    # ---- time

    def touched(self, now_ns: int) -> None:
        """Any frame: alive."""
        self._alive_ns = now_ns
        self._plan()

    def timer(self, now_ns: int) -> tuple[list[Action], bool, bool]:
        """What is due.

        Returns:
            What to do, whether a token is to be asked for again, and whether to go on as if an empty snapshot had come.
        """
        if now_ns < self.deadline_ns or self.stage is Stage.DOWN:
            return [], False, False
        waiting = self.stage in (Stage.SUBSCRIBING, Stage.RESYNC)
        if self.stage is Stage.TOKEN and now_ns >= self._due_ns:
            self._due_ns = now_ns + TOKEN_NS
            self._plan()
            return [], True, False
        if waiting and now_ns >= self._due_ns:
            if self._acknowledged:
                return [], False, True
            return [self._given_up(f"no answer to a subscription within {ANSWER_NS // SECOND} s")], False, False
        if self.stage is not Stage.TOKEN and now_ns - self._alive_ns >= IDLE_NS:
            return [self._given_up(f"nothing received for {IDLE_NS // SECOND} s")], False, False
        actions: list[Action] = []
        if now_ns >= self._ping_ns():
            self._probed_ns = self._clock_ns = now_ns
            actions.append(Send(frame_of_ping(self._numbered("ping", now_ns))))
        self._plan()
        return actions, False, False

    def _given_up(self, reason: str) -> Reconnect:
        self.stage = Stage.DOWN
        self.deadline_ns = NEVER
        return Reconnect(reason)

    def _ping_ns(self) -> int:
        return min(max(self._alive_ns, self._probed_ns) + PROBE_NS, self._clock_ns + CLOCK_NS)

    def _plan(self) -> None:
        if self.stage is Stage.DOWN:
            self.deadline_ns = NEVER
        elif self.stage is Stage.TOKEN:
            self.deadline_ns = self._due_ns
        else:
            due = NEVER if self.stage is Stage.UP else self._due_ns
            self.deadline_ns = min(due, self._alive_ns + IDLE_NS, self._ping_ns())


def frame_of_ping(req_id: int) -> bytes:
    """A ping, which takes no parameters."""
    return b'{"method":"ping","req_id":%d}' % req_id


def sequence_of(message: Mapping[str, Any]) -> int | None:
    """The number of a frame, where it has one.

    Raises:
        RemoteProtocolError: It is no number.
    """
    value = message.get("sequence")
    if value is None:
        return None
    if not isinstance(value, str) or not value.isdecimal() or len(value) > 18:
        raise RemoteProtocolError(f"expected a sequence number, got {value!r:.40}")
    return int(value)
