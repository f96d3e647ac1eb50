"""Orders over real sockets: placed, reduced and replaced over the WebSocket API, cancelled over REST without it."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest

from bloor.engine.core import Engine
from bloor.engine.effects import order_conn
from bloor.execution.life import Status
from bloor.host.loop import runner
from bloor.host.options import RunOptions
from bloor.host.rest import get_once
from bloor.host.setup import prepare, select_instruments
from bloor.host.shell import Shell
from bloor.journal.record import RecordKind
from bloor.simulation.server import serve
from bloor.simulation.venue import SimulationOptions
from bloor.strategy.api import Strategy
from bloor.testing.virtual import MemoryJournal
from bloor.venue.session import Endpoints
from bloor_binance.simulated import simulated_venue_spec


class Idle(Strategy):
    """Does nothing."""

    name = "idle"


class Ears:
    """Hears fills and alerts."""

    def __init__(self) -> None:
        self.alerts: list[str] = []

    def filled(self, fill: Any) -> None:
        """Nothing to keep."""

    def alert(self, code: str, text: str) -> None:
        """Keeps the code."""
        self.alerts.append(code)


@contextlib.asynccontextmanager
async def trading(key: str) -> AsyncIterator[tuple[Engine, Shell, MemoryJournal]]:
    """An engine that is carried over loopback to a simulated venue."""
    ready: asyncio.Future[dict[str, Any]] = asyncio.get_running_loop().create_future()
    venue = asyncio.create_task(serve(simulated_venue_spec(), SimulationOptions(), 0, ready.set_result))
    document = await ready
    setup = prepare(RunOptions(strategies=(Idle,), venues=("binance",)), {})
    (choice,) = setup.venues
    endpoints = Endpoints(document["rest"], document["streams"], document["ws_api"])
    body = await get_once(endpoints.rest + choice.feed.instruments_path(choice.symbols))
    instruments = select_instruments(choice, choice.feed.parse_instruments(body), recorded=False)
    plan = setup.plan([choice.plan(endpoints, {key: document["credentials"][key]}, instruments)], epoch=1)
    shell, journal = Shell(plan.venues), MemoryJournal()
    engine = Engine(plan, shell, journal, Ears(), time.perf_counter_ns)
    tending = asyncio.create_task(shell.tend(lambda: None))
    try:
        await shell.open(engine)
        yield engine, shell, journal
    finally:
        tending.cancel()
        await asyncio.gather(tending, return_exceptions=True)
        await shell.close()
        venue.cancel()
        await asyncio.gather(venue, return_exceptions=True)


async def until(what: Callable[[], bool]) -> None:
    """Waits for something that happens by itself."""
    while not what():  # noqa: ASYNC110 (the engine knows no event loop)
        await asyncio.sleep(0.01)


@pytest.mark.parametrize("key", ["ed25519", "hmac", "rsa"])
def test_orders_are_changed_and_cancelled_whatever_is_up(key: str) -> None:
    """Place, reduce, replace; then the WebSocket API is gone for good, and the stop cancels over signed REST."""

    async def scenario() -> None:
        async with trading(key) as (engine, shell, journal):
            (desk,) = engine.desks
            await until(lambda: desk.started)
            price = desk.book.best_bid * 95 // 100
            number = desk.buy(price, 1000)
            order = engine.blotter.order(number)
            assert order is not None
            await until(lambda: order.status == Status.NEW)
            assert desk.amend(number, 800)
            await until(lambda: order.lots == 800)
            new = engine.blotter.order(desk.replace(number, price - 100, 900))
            assert new is not None
            await until(lambda: order.status == Status.CANCELLED and new.status == Status.NEW)
            link = shell._links[order_conn(0)]
            link.url = link.url.replace("/ws-api/", "/nowhere/")
            link.drop("cut by the test")
            await until(lambda: not engine.lines[0].orders.ready)
            engine.stop(shell.now())
            await until(lambda: engine.open_orders == 0)
            assert new.status == Status.CANCELLED
            assert engine.tally()["unknown"] == 0
            requests = [payload for kind, _, _, payload in journal.records if kind == RecordKind.REQUEST]
            assert requests[0].startswith(b"c" + new.client_id.encode() + b" DELETE /api/v3/order?symbol=BTCUSDT&")
            everything = b"".join(payload for _, _, _, payload in journal.records)
            assert b'"signature":' not in everything
            assert b"signature=" not in everything

    with runner() as loop:
        loop.run(scenario())
