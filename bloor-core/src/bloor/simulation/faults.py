"""Faults that a simulated venue injects, as one short text and a seed.

::

    lost-ack:0.05,error-after-accept:0.02,disconnect:10s,gap:0.01

A specification is a list of ``name:value`` separated by commas; ``none`` or nothing means no faults. The value of
``disconnect`` is a duration: every connection lives that long on average (exponentially distributed). All other values
are probabilities, above 0 and at most 1, with which one request or frame meets the fault. Each fault draws from a
generator of its own, so that adding one does not move the others.
"""

from __future__ import annotations

from enum import Enum
from random import Random

from bloor.config.duration import parse_duration
from bloor.errors import UsageError, nearest
from bloor.venue.session import NEVER

__all__ = ["Fault", "Faults"]


class Fault(Enum):
    """What can go wrong. Values are the names in a specification."""

    #: A request that changes an order is carried out and its answer never sent.
    LOST_ACK = "lost-ack"
    #: A request that changes an order is carried out and answered with an error of unknown outcome (5xx).
    ERROR_AFTER_ACCEPT = "error-after-accept"
    #: An event of the private stream is never sent.
    LOST_REPORT = "lost-report"
    #: A connection is closed.
    DISCONNECT = "disconnect"
    #: A change of a book is never sent.
    GAP = "gap"
    #: A frame of a market stream, or an event of the private stream, is sent twice.
    DUPLICATE = "duplicate"
    #: A request is refused for too many requests (429) and not carried out.
    RATE_LIMIT = "rate-limit"


class Faults:
    """What to inject; :meth:`happens` decides for one request or frame.

    Args:
        specification: See the module.
        seed: Fixes every decision.

    Attributes:
        counts: How often each fault was injected.

    Raises:
        UsageError: The specification cannot be read.
    """

    def __init__(self, specification: str = "", seed: int = 0) -> None:
        self.counts: dict[Fault, int] = {}
        self._rates: dict[Fault, float] = {}
        self._mean_life_ns = 0
        self._random: dict[Fault, Random] = {}
        self._ends: dict[int, int] = {}
        #: When :meth:`ended` has something to tell.
        self.deadline_ns = NEVER
        for part in specification.split(",") if specification not in ("", "none") else ():
            self._read(part, specification)
        for fault in Fault:
            self._random[fault] = Random(f"{seed} {fault.value}")

    def _read(self, part: str, whole: str) -> None:
        name, colon, value = part.strip().partition(":")
        known = {fault.value: fault for fault in Fault}
        if name not in known or not colon:
            raise UsageError(
                f"--faults {whole}: expected a list of NAME:VALUE separated by commas, got {part.strip()!r}; the names "
                f"are {', '.join(known)}{nearest(name, known)}"
            )
        fault = known[name]
        if fault in self._rates:
            raise UsageError(f"--faults {whole}: expected each fault once, got {name} again")
        if fault is Fault.DISCONNECT:
            try:
                self._mean_life_ns = parse_duration(value).ns
            except UsageError as error:
                raise UsageError(f"--faults {whole}: {name}: {error}") from None
            self._rates[fault] = 1.0
            if not self._mean_life_ns:
                raise UsageError(f"--faults {whole}: {name}: expected a duration above 0, got {value}")
            return
        try:
            rate = float(value)
        except ValueError:
            rate = 0.0
        if not 0 < rate <= 1:
            raise UsageError(f"--faults {whole}: {name}: expected a probability above 0 and at most 1, got {value!r}")
        self._rates[fault] = rate

    def happens(self, fault: Fault) -> bool:
        """Whether the request or frame at hand meets a fault."""
        rate = self._rates.get(fault)
        if rate is None or self._random[fault].random() >= rate:
            return False
        self.counts[fault] = self.counts.get(fault, 0) + 1
        return True

    def stop(self) -> None:
        """No more faults from now on."""
        self._rates.clear()
        self._ends.clear()
        self._mean_life_ns = 0
        self.deadline_ns = NEVER

    # -- the lives of connections -----------------------------------------------------------------------------------

    def opened(self, conn: int, now_ns: int) -> None:
        """A connection begins its life."""
        if self._mean_life_ns:
            life = self._random[Fault.DISCONNECT].expovariate(1.0) * self._mean_life_ns
            self._ends[conn] = now_ns + max(1, int(life))
            self.deadline_ns = min(self._ends.values())

    def closed(self, conn: int) -> None:
        """A connection is gone."""
        if self._ends.pop(conn, None) is not None:
            self.deadline_ns = min(self._ends.values(), default=NEVER)

    def ended(self, now_ns: int) -> list[int]:
        """The connections to close now."""
        if now_ns < self.deadline_ns:
            return []
        due = [conn for conn, end in self._ends.items() if end <= now_ns]
        for conn in due:
            self.closed(conn)
        self.counts[Fault.DISCONNECT] = self.counts.get(Fault.DISCONNECT, 0) + len(due)
        return due
