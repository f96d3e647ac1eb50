"""The connection of the user stream: what it subscribes to, and whether all of it arrives (sans I/O).

Every frame of every channel has the next number of the connection, from 0. A hole means that something was lost, and
that may be a fill: the connection is opened anew, and open orders are asked about. A frame with a number that was there
already is a repetition. Heartbeats come every second, so silence means that the connection is dead.

It counts as open once the venue has acknowledged both subscriptions. Subscribing needs a token, a token needs the
venue's time, and the venue gives five seconds for it: the time is asked for first, and not waited for longer than
:data:`CLOCK_NS`. Source: docs.cdp.coinbase.com, "Advanced Trade WebSocket Overview".
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from bloor.errors import AccessRefusedError, RemoteProtocolError
from bloor.venue.session import NEVER, Action, Reconnect, Send, Tell
from bloor_coinbase.subscriptions import Channel, acknowledged, subscribe

__all__ = ["CLOCK_NS", "IDLE_NS", "PROOF_NS", "UserStream"]

SECOND = 1_000_000_000
#: How long the venue's time is waited for before subscribing without it, and an acknowledgement after that.
CLOCK_NS, PROOF_NS = 2 * SECOND, 5 * SECOND
#: Silence after which the connection is taken for dead; heartbeats come every second.
IDLE_NS = 6 * SECOND

_CHANNELS = (Channel.HEARTBEATS, Channel.USER)


class UserStream:
    """One connection of the user stream, again and again.

    Attributes:
        ready: Whether both channels are subscribed to.
        is_open: Whether there is a connection that is believed.
        deadline_ns: When :meth:`timer` wants to be called.
        gaps: How many holes there were in the numbers of frames.

    Args:
        token: Makes a token for a subscription, of our time.
    """

    def __init__(self, token: Callable[[int], str]) -> None:
        self.ready = self.is_open = False
        self.deadline_ns = NEVER
        self.gaps = 0
        self._token = token
        self._subscribed = False
        self._next = 0

    def connected(self, now_ns: int) -> None:
        """The connection is open; the venue's time is being asked for."""
        self.ready = self._subscribed = False
        self.is_open = True
        self._next = 0
        self.deadline_ns = now_ns + CLOCK_NS

    def disconnected(self) -> None:
        """The connection is gone."""
        self.ready = self.is_open = self._subscribed = False
        self.deadline_ns = NEVER

    def subscribe(self, now_ns: int) -> Sequence[Action]:
        """The venue's time is known, or was waited for long enough: subscribes, once a connection."""
        if not self.is_open or self._subscribed:
            return ()
        self._subscribed = True
        self.deadline_ns = now_ns + PROOF_NS
        return [Send(subscribe(channel, token=self._token(now_ns))) for channel in _CHANNELS]

    def timer(self, now_ns: int) -> Sequence[Action]:
        """Subscribes without knowing the time, or gives a silent connection up."""
        if not self._subscribed:
            return self.subscribe(now_ns)
        what = f"nothing received for {IDLE_NS // SECOND} s" if self.ready else "subscriptions were not acknowledged"
        return self._give_up(what)

    def heard(self, message: Mapping[str, Any], now_ns: int) -> tuple[bool, Sequence[Action]]:
        """A frame: whether it is new, and what to do.

        Raises:
            RemoteProtocolError: It is none of the venue's.
        AccessRefusedError: The venue refuses the subscription.
        """
        if message.get("type") == "error":
            return False, self._refused(message)
        number = message.get("sequence_num")
        if type(number) is not int or number < 0:
            raise RemoteProtocolError(f"a frame without sequence_num: {str(message)[:100]}")
        if number < self._next:
            return False, ()
        if number > self._next:
            self.gaps += 1
            expected, self._next = self._next, number + 1
            return True, self._give_up(f"frame {number} came where {expected} was to come: something was lost")
        self._next += 1
        if self.ready:
            self.deadline_ns = now_ns + IDLE_NS
        if message.get("channel") == "subscriptions":
            self._acknowledged(message, now_ns)
        return True, ()

    def doubted(self, error: RemoteProtocolError) -> Sequence[Action]:
        """A frame cannot be read, and nothing would tell later what was in it: the connection is opened anew."""
        return (Tell("bad_order_frame", f"coinbase: {error}"), *self._give_up("a frame could not be read"))

    def _acknowledged(self, message: Mapping[str, Any], now_ns: int) -> None:
        events = message.get("events")
        if isinstance(events, list) and {channel.value for channel in _CHANNELS} <= acknowledged(events).keys():
            self.ready = True
            self.deadline_ns = now_ns + IDLE_NS

    def _refused(self, message: Mapping[str, Any]) -> Sequence[Action]:
        text = f"coinbase answered {message.get('message')!r:.200} on the user stream"
        if not self.ready:
            raise AccessRefusedError(text)
        return (Tell("refused", text), *self._give_up(text))

    def _give_up(self, reason: str) -> Sequence[Action]:
        self.ready = self.is_open = False
        self.deadline_ns = NEVER
        return (Reconnect(reason),)
