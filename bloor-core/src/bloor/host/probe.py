"""Trying a venue's connections without trading: market data until it is in sync, queries about an order that is not."""

from __future__ import annotations

import asyncio
import ssl
import time
from collections.abc import Callable, Sequence
from decimal import Decimal

from bloor.engine.recording import Recording, RecordingPlan
from bloor.errors import RemoteProtocolError
from bloor.execution.client_id import ClientIds
from bloor.host.rest import RestClient
from bloor.host.shell import Shell
from bloor.host.transport import Link
from bloor.market.view import BookView
from bloor.model.instrument import Instrument
from bloor.model.orders import OrderRequest, OrderType, Side, TimeInForce, VenueReport
from bloor.venue.session import Action, DiscreetSession, OrderSession, Outgoing, Reconnect, Request, Send

__all__ = ["OrderProbe", "smallest_order", "tops"]

#: Longest wait for the connection, for authentication, and for one answer.
WAIT_S = 10.0
#: Queries that are enough where they go over REST, which counts them.
REST_ROUNDS = 3
#: A test order is worth this many times the smallest that the venue takes, so that rounding does not matter.
_AMPLE = 2


class _Unrecorded:
    """A recorder that keeps nothing."""

    def append(self, kind: int, conn: int, wall_ns: int, payload: bytes) -> object:
        """Keeps nothing."""
        return None


async def tops(plan: RecordingPlan, context: ssl.SSLContext | None) -> Sequence[BookView]:
    """Listens to market data until every book is in sync.

    Returns:
        The books.

    Raises:
        RemoteProtocolError: They are not within :data:`WAIT_S`.
    """
    shell = Shell((plan,), orders=False, context=context, seed=plan.seed)
    alerts: list[str] = []
    recording = Recording(plan, shell, _Unrecorded(), lambda code, text: alerts.append(f"{code}: {text}"))
    tending = asyncio.get_running_loop().create_task(shell.tend(lambda: None))
    try:
        await shell.open(recording)
        until_s = asyncio.get_running_loop().time() + WAIT_S
        while recording.synchronised < len(plan.instruments):
            if recording.failure is not None or asyncio.get_running_loop().time() > until_s:
                why = str(recording.failure or "; ".join(alerts[-3:]) or "nothing was said")
                raise RemoteProtocolError(
                    f"{plan.venue}: {recording.synchronised} of {len(plan.instruments)} books are in sync after "
                    f"{WAIT_S:.0f} s and {recording.frames} frames: {why}"
                )
            await asyncio.sleep(0.02)
        return [book.view for book in recording.market.pipeline.books]
    finally:
        tending.cancel()
        await asyncio.gather(tending, return_exceptions=True)
        await shell.close()


def smallest_order(instrument: Instrument, price_ticks: int, client_id: str) -> OrderRequest:
    """A buy order a little above the smallest that the venue takes.

    Args:
        instrument: What of.
        price_ticks: Its limit price.
        client_id: Our id of it.
    """
    worth = instrument.value(price_ticks, instrument.lot_units)
    needed = -(-(instrument.min_notional * _AMPLE) // worth) if worth else Decimal(0)
    return OrderRequest(
        client_id=client_id, instrument=instrument, side=Side.BUY, type=OrderType.LIMIT, tif=TimeInForce.GTC,
        price_ticks=price_ticks, lots=max(instrument.min_lots, int(needed)),
    )  # fmt: skip


class OrderProbe:
    """One order connection, carried by hand: it authenticates, answers queries, and is closed.

    Args:
        session: The session of the connection.
        name: For the log.
        client: Its clock is the probe's.
        context: TLS settings.
    """

    def __init__(self, session: OrderSession, name: str, client: RestClient, context: ssl.SSLContext | None) -> None:
        self._session = session
        self._client = client
        self._now = client.now
        self._name = name
        self._ready = asyncio.Event()
        self._answered = asyncio.Event()
        self._failure = ""
        self._link = Link(
            f"{name} orders", session.url, on_open=self._opened, on_frame=self._frame, on_close=self._lost,
            context=context, once=True,
        )  # fmt: skip
        self._tasks = {asyncio.get_running_loop().create_task(self._link.run())}

    async def measure(self, instrument: Instrument, ids: ClientIds, rounds: int) -> Sequence[int]:
        """Waits until orders could be sent, then asks about an order that was never placed, again and again.

        Returns:
            How long each answer took, in ns, ascending.

        Raises:
            RemoteProtocolError: The venue refused, or did not answer in time.
        """
        await self._wait(self._ready, "authentication")
        took = []
        for number in range(rounds):
            self._answered.clear()
            begun = time.perf_counter_ns()
            question = self._session.query(ids.make(0, number), instrument, self._now())
            self._write(question)
            await self._wait(self._answered, "the answer to a query")
            took.append(time.perf_counter_ns() - begun)
            if isinstance(question, Request) and len(took) == REST_ROUNDS:
                break
        return sorted(took)

    async def close(self) -> None:
        """Closes the connection."""
        self._link.close()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _wait(self, event: asyncio.Event, what: str) -> None:
        try:
            await asyncio.wait_for(event.wait(), WAIT_S)
        except TimeoutError:
            raise RemoteProtocolError(f"{self._name}: {what}: expected within {WAIT_S:.0f} s, nothing came") from None
        if self._failure:
            raise RemoteProtocolError(f"{self._name}: {what}: {self._failure}")

    def _opened(self) -> None:
        self._do(self._session.connected(self._now()))

    def _frame(self, payload: bytes) -> None:
        self._hear(lambda: self._session.received(payload, self._now()))

    async def _ask(self, request: Request) -> None:
        """Makes a request of REST and hands the answer on."""
        answer = await self._client.request(request)
        body = answer.body
        if isinstance(self._session, DiscreetSession):
            body = self._session.take_secrets(request.tag, answer.status, body)
        self._hear(lambda: self._session.responded(request.tag, answer.status, body, self._now()))

    def _hear(self, read: Callable[[], tuple[Sequence[VenueReport], Sequence[Action]]]) -> None:
        try:
            reports, actions = read()
        except RemoteProtocolError as error:
            self._fail(str(error))
            return
        if reports:
            self._answered.set()
        self._do(actions)
        if self._session.ready:
            self._ready.set()

    def _lost(self, reason: str) -> None:
        self._fail(f"the connection was lost: {reason}")

    def _fail(self, why: str) -> None:
        self._failure = self._failure or why
        self._ready.set()
        self._answered.set()

    def _do(self, actions: Sequence[Action]) -> None:
        for action in actions:
            if isinstance(action, Send):
                self._write(action.payload)
            elif isinstance(action, Request):
                self._write(action)
            elif isinstance(action, Reconnect):
                self._fail(action.reason)

    def _write(self, out: Outgoing) -> None:
        if isinstance(out, bytes):
            self._link.send(out)
        else:
            self._tasks.add(asyncio.get_running_loop().create_task(self._ask(out)))
