"""The REST client over real sockets: limits, refusals, sizes, and the venue's clock."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest
from aiohttp import web

from bloor.errors import RunError
from bloor.host import rest
from bloor.host.loop import runner
from bloor.host.rest import RestClient
from bloor.native.clock import WallClock
from bloor.venue.rest import RateLimit, RestRules, Urgency

SECOND = 1_000_000_000
LIMIT = RateLimit(name="weight", limit=100, window_ns=60 * SECOND, reserve=10, header="x-used", counts=lambda _: 30)
RULES = RestRules(limits=(LIMIT,), time_path="/time", parse_time=int)

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


@asynccontextmanager
async def client(handler: Handler, rules: RestRules | None = RULES) -> AsyncIterator[RestClient]:
    """A client of a server that answers everything with ``handler``."""
    app = web.Application()
    app.router.add_route("*", "/{path:.*}", handler)
    made = web.AppRunner(app, shutdown_timeout=0.5)
    await made.setup()
    await web.TCPSite(made, "127.0.0.1", 0).start()
    made_client = RestClient("venue", f"http://127.0.0.1:{made.addresses[0][1]}", rules, WallClock())
    try:
        yield made_client
    finally:
        await made_client.close()
        await made.cleanup()


def run(work: Callable[[], Any]) -> Any:
    """Runs a coroutine in the loop that a run uses."""
    with runner() as loop:
        return loop.run(work())


def test_the_budget_holds_requests_back() -> None:
    """Three go out; the fourth would pass the limit for a minute, so it is refused here; a cancel has its reserve."""
    served: list[str] = []

    async def handler(request: web.Request) -> web.StreamResponse:
        served.append(request.path)
        return web.Response(text="ok")

    async def work() -> list[int]:
        async with client(handler) as venue:
            statuses = [(await venue.get(f"/{n}")).status for n in range(4)]
            venue.budget._windows[0].used -= 20
            statuses.append((await venue.get("/ordinary")).status)
            statuses.append((await venue.get("/cancel", Urgency.CANCEL)).status)
            return statuses

    assert run(work) == [200, 200, 200, 429, 429, 200]
    assert served == ["/0", "/1", "/2", "/cancel"]


def test_retry_after_is_honoured() -> None:
    """After 429 the next request waits for as long as the venue says, and is then made."""
    times: list[float] = []

    async def handler(_: web.Request) -> web.StreamResponse:
        times.append(time.monotonic())
        return web.Response(status=429, headers={"Retry-After": "1"}) if len(times) == 1 else web.Response(text="ok")

    async def work() -> bytes:
        async with client(handler) as venue:
            return await venue.fetch("/")

    assert run(work) == b"ok"
    assert times[1] - times[0] >= 1


def test_a_ban_stops_everything() -> None:
    """418: not even a cancel reaches the venue, and the client says for how long."""
    served: list[str] = []

    async def handler(request: web.Request) -> web.StreamResponse:
        served.append(request.path)
        return web.Response(status=418, headers={"Retry-After": "300"})

    async def work() -> list[str]:
        async with client(handler) as venue:
            first = await venue.get("/0")
            assert first.status == 418
            return [(await venue.get("/1")).error, (await venue.get("/2", Urgency.CANCEL)).error]

    assert run(work) == ["no request may be sent to venue for 300 s"] * 2
    assert served == ["/0"]


def test_what_can_be_repeated_is_repeated_and_a_bad_request_is_not() -> None:
    """A 503 is tried again; a 400 is told at once with the venue's words."""
    answers = [503, 503, 200, 400]

    async def handler(_: web.Request) -> web.StreamResponse:
        return web.Response(status=answers.pop(0), text="words")

    async def work() -> bytes:
        async with client(handler, None) as venue:
            body = await venue.fetch("/")
            with pytest.raises(RunError, match="expected status 200, got status 400: words"):
                await venue.fetch("/")
            return body

    assert run(work) == b"words"


def test_an_answer_that_is_too_large_is_none(monkeypatch: pytest.MonkeyPatch) -> None:
    """However it is compressed."""
    monkeypatch.setattr(rest, "REST_BYTES", 1 << 20)

    async def handler(_: web.Request) -> web.StreamResponse:
        answer = web.Response(body=bytes(16 << 20))
        answer.enable_compression()
        return answer

    async def work() -> rest.Answer:
        async with client(handler) as venue:
            return await venue.get("/")

    answer = run(work)
    assert (answer.status, answer.body) == (0, b"")
    assert "expected at most 1048576 bytes" in answer.error


def test_the_venues_clock_is_followed() -> None:
    """An hour ahead: the offset is found within the round trip."""
    ahead = 3600 * SECOND

    async def handler(_: web.Request) -> web.StreamResponse:
        return web.Response(text=str((time.time_ns() + ahead) // 1_000_000 * 1_000_000))

    async def work() -> tuple[int, int]:
        async with client(handler, RestRules(time_path="/time", parse_time=int)) as venue:
            keeping = asyncio.create_task(venue.keep_time())
            while not venue.clock.known:  # noqa: ASYNC110 (a clock knows no loop)
                await asyncio.sleep(0.01)
            keeping.cancel()
            now = time.time_ns()
            return venue.clock.offset_ns(now), venue.clock.error_ns(now)

    offset, error = run(work)
    assert abs(offset - ahead) <= error < SECOND
