"""The REST client over real sockets: limits, refusals, sizes, and the venue's clock."""

from __future__ import annotations

import asyncio
import re
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
from bloor.venue.session import Request

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

    for error in run(work):
        seconds = re.fullmatch(r"no request may be sent to venue for (\d+) s", error)
        assert seconds is not None and 0 < int(seconds[1]) <= 300
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
    assert abs(offset - ahead) <= error < ahead


def test_a_body_arrives_as_it_is_and_is_signed_when_it_is_written() -> None:
    """Bytes and type are those of the request; a request that had to wait is signed for the moment it leaves."""
    seen: list[tuple[bytes, str, int]] = []

    async def handler(request: web.Request) -> web.StreamResponse:
        seen.append((await request.read(), request.headers["Content-Type"], int(request.headers["X-Written"])))
        return web.Response(text="{}")

    order = Request(
        tag="n1", method="POST", path="/order", params="", body=b'{"side":"BUY","text":"\xc3\xa9 %2F"}',
        headers={"Content-Type": "application/json"}, sign=lambda now_ns: {"X-Written": str(now_ns)},
    )  # fmt: skip

    async def work() -> int:
        async with client(handler) as venue:
            assert (await venue.request(order)).status == 200
            blocked_ns = venue.now() + SECOND // 2
            venue.budget.blocked_until_ns = blocked_ns
            assert (await venue.request(order)).status == 200
            return blocked_ns

    blocked_ns = run(work)
    assert [row[:2] for row in seen] == [(order.body, "application/json")] * 2
    assert seen[0][2] < seen[1][2]
    assert blocked_ns <= seen[1][2]


def test_a_request_waits_no_longer_than_its_patience() -> None:
    """It is refused here at once, without being signed or sent, when it would have to wait longer."""
    served: list[str] = []

    async def handler(request: web.Request) -> web.StreamResponse:
        served.append(request.path)
        return web.Response()

    def sign(now_ns: int) -> dict[str, str]:
        raise AssertionError("it is not to be signed")

    request = Request(tag="n1", method="POST", path="/order", params="", sign=sign, patience_ns=SECOND // 10)

    async def work() -> rest.Answer:
        async with client(handler) as venue:
            venue.budget.blocked_until_ns = venue.now() + 3600 * SECOND
            return await venue.request(request)

    answer = run(work)
    assert (answer.status, answer.body, served) == (429, b"", [])


def test_one_connection_carries_one_request_after_the_other() -> None:
    """It is kept open, so that an order need not wait for a new one."""
    peers: set[Any] = set()

    async def handler(request: web.Request) -> web.StreamResponse:
        assert request.transport is not None
        peers.add(request.transport.get_extra_info("peername"))
        return web.Response(text="{}")

    async def work() -> None:
        async with client(handler, None) as venue:
            for number in range(5):
                request = Request(tag=str(number), method="POST", path="/order", params="", body=b"{}")
                assert (await venue.request(request)).status == 200

    run(work)
    assert len(peers) == 1


def test_a_signed_request_follows_nobody_to_another_host() -> None:
    """A redirection is its answer; so is one to the same host."""

    async def handler(_: web.Request) -> web.StreamResponse:
        return web.Response(status=307, headers={"Location": "/elsewhere"})

    async def work() -> int:
        async with client(handler) as venue:
            order = Request(tag="n", method="POST", path="/order", params="", sign=lambda _: {"Authorization": "x"})
            return (await venue.request(order)).status

    assert run(work) == 307


def test_it_is_told_when_a_request_is_written() -> None:
    """Once, with a body or without one, after whatever it had to wait for; and not when it is never sent."""
    told: list[int] = []

    async def handler(_: web.Request) -> web.StreamResponse:
        return web.Response()

    async def work() -> tuple[int, int]:
        async with client(handler) as venue:
            begun_ns = venue.now()
            venue.budget.blocked_until_ns = begun_ns + SECOND // 4
            for body in (b"{}", b""):
                request = Request(tag="n1", method="POST", path="/order", params="", body=body)
                assert (await venue.request(request, lambda: told.append(venue.now()))).status == 200
            venue.budget.blocked_until_ns = venue.now() + 60 * SECOND
            assert (await venue.request(request, lambda: told.append(venue.now()))).status == 429
            return begun_ns, venue.now()

    begun_ns, ended_ns = run(work)
    assert len(told) == 2
    assert begun_ns + SECOND // 4 <= told[0] < told[1] < ended_ns
