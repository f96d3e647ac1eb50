"""The shell of a run on paper: market data from the real venue, orders to the paper venue in this process.

A market frame goes to the engine first and then to the paper venue, so that an order leaves as soon as it does live.
The paper venue reads the frame once more, with the venue's reference normalizer, after the decision: 13 us of half of
the frames and 180 us of the largest hundredth (2-core VM, a seeded market of one instrument). What it answers comes to
the engine from the event loop, when its time has come, never within a call of the engine.
"""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Callable, Sequence

from bloor.engine.effects import STANDBY, line_of, order_conn
from bloor.host.shell import Carried, Reached, Shell
from bloor.native.clock import WallClock, arriving
from bloor.simulation.paper import PaperVenue
from bloor.venue.session import NEVER

__all__ = ["PaperShell"]


class PaperShell(Shell):
    """See :class:`~bloor.host.shell.Shell`.

    Args:
        venues: Where the market data comes from.
        papers: The paper venue of each.
        context: TLS settings.
        seed: Seeds the jitter of waits.
    """

    def __init__(
        self,
        venues: Sequence[Reached],
        papers: Sequence[PaperVenue],
        *,
        context: ssl.SSLContext | None = None,
        seed: int = 0,
    ) -> None:
        super().__init__(venues, orders=False, context=context, seed=seed)
        self._papers = papers
        #: For each line: when its alarm rings, and the alarm. uvloop's own handles do not all know when.
        self._alarms: dict[int, tuple[int, asyncio.Handle]] = {}

    def send(self, conn: int, payload: bytes) -> None:
        """As :meth:`Shell.send`; what is about orders goes to the paper venue."""
        line, orders = line_of(conn)
        if not orders:
            super().send(conn, payload)
            return
        self._papers[line].received(payload, self.now())
        self.arm(line)

    def reconnect(self, conn: int, reason: str) -> None:
        """As :meth:`Shell.reconnect`; the way to a paper venue is never lost."""
        if not line_of(conn)[1]:
            super().reconnect(conn, reason)

    async def open(self, engine: Carried) -> None:
        """As :meth:`Shell.open`."""
        await super().open(_Overheard(engine, self._papers, self.arm))
        for line, paper in enumerate(self._papers):
            engine.connected(order_conn(line), self.now())
            paper.opened(self.now())
            self.arm(line)

    async def close(self) -> None:
        """As :meth:`Shell.close`."""
        for _, alarm in self._alarms.values():
            alarm.cancel()
        self._alarms.clear()
        await super().close()

    def arm(self, line: int) -> None:
        """Sets the alarm for what a paper venue does next."""
        deadline_ns = self._papers[line].deadline_ns
        if deadline_ns == NEVER or self._closing:
            return
        if line in self._alarms:
            set_ns, alarm = self._alarms[line]
            if set_ns <= deadline_ns:
                return
            alarm.cancel()
        wait_s = max(deadline_ns - self.now(), 0) / 1e9
        self._alarms[line] = (deadline_ns, asyncio.get_running_loop().call_later(wait_s, self._ring, line))

    def _ring(self, line: int) -> None:
        """A paper venue has something to do."""
        del self._alarms[line]
        try:
            now_ns = self.now()
            receive = self._engine.receiver(order_conn(line))
            for payload in self._papers[line].advance(now_ns):
                receive(payload, self.now())
        except Exception as error:  # noqa: BLE001 (the run must end, whatever broke)
            self._engine.failed(error)
        self.arm(line)


class _Overheard:
    """An engine whose market data a paper venue hears too."""

    def __init__(self, engine: Carried, papers: Sequence[PaperVenue], arm: Callable[[int], None]) -> None:
        self._engine = engine
        self._papers = papers
        self._arm = arm
        self.url = engine.url
        self.connected = engine.connected
        self.disconnected = engine.disconnected
        self.timer = engine.timer
        self.written = engine.written
        self.failed = engine.failed

    @property
    def deadline_ns(self) -> int:
        """When :meth:`timer` wants to be called next."""
        return self._engine.deadline_ns

    def receiver(self, conn: int) -> Callable[[bytes, int], None]:
        """The callable that takes every frame of one connection."""
        take = self._engine.receiver(conn)
        line, orders = line_of(conn)
        if orders:
            return take
        paper, arm, failed, second = self._papers[line], self._arm, self.failed, bool(conn & STANDBY)

        def receive(payload: bytes, recv_ns: int) -> None:
            take(payload, recv_ns)
            try:
                paper.market_frame(payload, recv_ns, second=second)
                arm(line)
            except Exception as error:  # noqa: BLE001 (the run must end, whatever broke; the connection is not to blame)
                failed(error)

        return receive

    def arrivals(self, conn: int, clock: WallClock) -> Callable[[bytes], None]:
        """As :meth:`receiver`, of frames that are received now."""
        return arriving(self.receiver(conn), clock)

    def response(self, conn: int, tag: str, status: int, body: bytes, now_ns: int) -> None:
        """A REST answer arrived."""
        self._engine.response(conn, tag, status, body, now_ns)
        line = line_of(conn)[0]
        self._papers[line].market_answer(tag, status, body, now_ns)
        self._arm(line)
