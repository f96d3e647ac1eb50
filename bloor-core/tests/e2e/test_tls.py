"""Certificates are verified, always: by REST and by sockets, with the system's authorities and with a venue's own."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from aiohttp import web

from bloor.errors import RunError
from bloor.host.loop import runner
from bloor.host.rest import RestClient, trusting
from bloor.host.transport import Link
from bloor.simulation.certificates import Issued, issue, server_context

NOW = datetime.now(UTC)


@asynccontextmanager
async def serving(issued: Issued, folder: Path) -> AsyncIterator[tuple[int, Path]]:
    """A server that answers ``ok`` to REST and ``hello`` to a socket; its port and its authority's file."""

    async def handle(request: web.Request) -> web.StreamResponse:
        if request.headers.get("Upgrade", "").lower() != "websocket":
            return web.Response(text="ok")
        client = web.WebSocketResponse()
        await client.prepare(request)
        await client.send_str("hello")
        async for _ in client:
            pass
        return client

    context, authority = server_context(issued, folder)
    app = web.Application()
    app.router.add_route("*", "/{path:.*}", handle)
    made = web.AppRunner(app, shutdown_timeout=0.5)
    await made.setup()
    try:
        await web.TCPSite(made, "127.0.0.1", 0, ssl_context=context).start()
        yield made.addresses[0][1], authority
    finally:
        await made.cleanup()


async def by_rest(port: int, context: ssl.SSLContext | None) -> str:
    """What REST says: the answer, or why there is none."""
    client = RestClient("venue", f"https://127.0.0.1:{port}", None, lambda: 1, context=context)
    try:
        answer = await client.get("/")
    finally:
        await client.close()
    return answer.body.decode() or answer.error


async def by_socket(port: int, context: ssl.SSLContext | None) -> str:
    """What a socket says: the first frame, or why there is none."""
    said: asyncio.Future[str] = asyncio.get_running_loop().create_future()

    def say(text: str) -> None:
        if not said.done():
            said.set_result(text)

    link = Link(
        "venue", f"wss://127.0.0.1:{port}/", on_open=lambda: None, on_frame=lambda frame: say(frame.decode()),
        on_close=say, context=context, once=True,
    )  # fmt: skip
    running = asyncio.create_task(link.run())
    try:
        return await said
    finally:
        link.close()
        await running


async def both(issued: Issued, folder: Path, context: Callable[[Path], ssl.SSLContext | None]) -> tuple[str, str]:
    """What a client with these settings is told by REST and by a socket."""
    async with serving(issued, folder) as (port, authority):
        return await by_rest(port, context(authority)), await by_socket(port, context(authority))


def trust(authority: Path) -> ssl.SSLContext:
    """A client that trusts the server's authority."""
    return trusting(str(authority))


def run(issued: Issued, folder: Path, context: Callable[[Path], ssl.SSLContext | None]) -> tuple[str, str]:
    """:func:`both`, in the loop that a run uses."""
    with runner() as loop:
        return loop.run(both(issued, folder, context))


def test_the_right_authority_connects(tmp_path: Path) -> None:
    """REST and sockets, by the address that the certificate names."""
    assert run(issue(NOW), tmp_path, trust) == ("ok", "hello")


@pytest.mark.parametrize("context", [lambda _: None, lambda _: trusting()], ids=["default", "explicit"])
def test_an_unknown_authority_is_refused(tmp_path: Path, context: Callable[[Path], ssl.SSLContext | None]) -> None:
    """With the system's authorities alone, which are what is taken when nothing is said."""
    for said in run(issue(NOW), tmp_path, context):
        assert "the certificate is refused: " in said
        assert "self-signed certificate in certificate chain" in said or "local issuer" in said


def test_another_authority_of_the_same_name_is_refused(tmp_path: Path) -> None:
    """The key counts, not the name."""
    other = tmp_path / "other.pem"
    other.write_bytes(issue(NOW).authority)
    for said in run(issue(NOW), tmp_path, lambda _: trusting(str(other))):
        assert "the certificate is refused: " in said


@pytest.mark.parametrize("hosts", [("venue.example",), ("10.0.0.1",), ("localhost",)])
def test_a_wrong_host_name_is_refused(tmp_path: Path, hosts: tuple[str, ...]) -> None:
    """A good certificate of somebody else is none."""
    for said in run(issue(NOW, hosts=hosts), tmp_path, trust):
        assert "the certificate is refused: IP address mismatch" in said


def test_an_expired_certificate_is_refused(tmp_path: Path) -> None:
    """A minute is enough."""
    for said in run(issue(NOW, life=timedelta(minutes=-1)), tmp_path, trust):
        assert said.endswith("the certificate is refused: certificate has expired")


def test_old_protocols_are_refused() -> None:
    """TLS 1.2 at least, names and certificates checked."""
    context = trusting()
    assert context.minimum_version == ssl.TLSVersion.TLSv1_2
    assert context.verify_mode == ssl.CERT_REQUIRED
    assert context.check_hostname


def test_the_key_is_on_the_disk_only_while_it_is_read(tmp_path: Path) -> None:
    """What is left is the authority's certificate, which is no secret."""
    server_context(issue(NOW), tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["authority.pem"]
    assert b"PRIVATE" not in (tmp_path / "authority.pem").read_bytes()


def test_a_file_that_is_no_authority_is_named(tmp_path: Path) -> None:
    """Missing or of other content."""
    path = tmp_path / "ca.pem"
    with pytest.raises(RunError, match=r"ca\.pem"):
        trusting(str(path))
    path.write_text("hello")
    with pytest.raises(RunError, match=r"ca\.pem"):
        trusting(str(path))
