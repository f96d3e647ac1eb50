"""The venue's dead-man switch: ``cancel_all_orders_after`` (sans I/O).

Once armed, the venue cancels every order of the account, whoever placed it, when nothing is heard of us for the
configured time. It is armed with the first order, so that whoever only looks arms nothing, refreshed every third of its
time, and disarmed at the orderly end of a run, for otherwise it would cancel what others place after it. It also fires
when the trading engine comes back from a maintenance that took longer. Source: docs.kraken.com, "Cancel All Orders
After".
"""

from __future__ import annotations

from enum import Enum

from bloor.config.duration import Duration
from bloor.venue.account import DeadMan
from bloor.venue.session import NEVER

__all__ = ["DEAD_MAN", "DeadManSwitch"]

#: A refresh is repeated this long after one that was not answered.
AGAIN_NS = 2_000_000_000
SECOND = 1_000_000_000

DEAD_MAN = DeadMan(
    supported=True,
    text="Kraken cancels every order of the account when it has heard nothing of us for venue.kraken.dead_man (60s "
    "unless configured; 0s turns it off)",
)


class _State(Enum):
    OFF = "off"
    ARMED = "armed"
    ENDING = "ending"


class DeadManSwitch:
    """When to refresh it, and whether the venue has confirmed.

    Attributes:
        due_ns: When the next request is due; :data:`~bloor.venue.session.NEVER` when none is.
        triggers: The venue's word for when it would fire, as of its last confirmation; empty before.
    """

    def __init__(self, timeout: Duration) -> None:
        self._timeout = timeout
        self._state = _State.OFF
        self.due_ns = NEVER
        self.triggers = ""

    @property
    def concluded(self) -> bool:
        """Whether it need not be disarmed any more."""
        return self._state is _State.OFF

    def order_sent(self, now_ns: int) -> None:
        """From the first one on it is needed."""
        if self._state is _State.OFF and self._timeout.ns:
            self._state = _State.ARMED
            self.due_ns = now_ns

    def resume(self, now_ns: int) -> None:
        """Requests can be sent again."""
        if self._state is _State.ARMED:
            self.due_ns = now_ns

    def rest(self) -> None:
        """Nothing can be sent: it goes on by itself, and fires."""
        self.due_ns = NEVER

    def asked(self, now_ns: int) -> int:
        """The request goes out now; gives its time-out in seconds, 0 to disarm."""
        if self._state is _State.ENDING:
            self.due_ns = NEVER
            return 0
        self.due_ns = now_ns + self._timeout.ns // 3
        return self._timeout.ns // SECOND

    def end(self) -> bool:
        """An orderly end: whether it has to be disarmed, by one more request."""
        if self._state is _State.OFF:
            return False
        self._state = _State.ENDING
        return True

    def answered(self, now_ns: int, triggers: str | None) -> None:
        """The venue confirmed, or refused (None): then it is asked again soon."""
        if triggers is None:
            if self._state is _State.ARMED:
                self.due_ns = min(self.due_ns, now_ns + AGAIN_NS)
            return
        self.triggers = triggers
        if self._state is _State.ENDING:
            self._state = _State.OFF
