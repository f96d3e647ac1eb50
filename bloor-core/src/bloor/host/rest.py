"""REST over aiohttp, kept within the venue's limits: the thin shell around :mod:`bloor.venue.rest`."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Callable
from typing import Any, NamedTuple

import aiohttp
from loguru import logger
from yarl import URL

from bloor.errors import RemoteProtocolError, RunError
from bloor.host.transport import explained
from bloor.venue.rest import RateBudget, RestRules, Retry, Urgency, VenueClock
from bloor.venue.session import Request

__all__ = ["Answer", "RestClient", "get_once", "trusting"]

#: Longest wait for an answer, seconds, and the largest that is read.
REST_S, REST_BYTES = 10.0, 64 << 20
#: The venue's clock is asked this often at the start, one after the other, and then every so many seconds.
CLOCK_FIRST, CLOCK_EVERY_S = 5, 30.0
#: How long a connection that is not used stays open, seconds: longer than it takes until the clock is asked again, so
#: that an order finds one open; shorter than the 60 s after which common load balancers close it from their side, when
#: it would be uncertain whether a request that was just written had been carried out.
KEEP_ALIVE_S = 45.0


class Answer(NamedTuple):
    """What came back: ``status`` 0 when nothing did, and then ``error`` says why."""

    status: int
    body: bytes
    error: str = ""


def trusting(*authorities: str) -> ssl.SSLContext:
    """TLS settings for a client. Certificates and host names are always verified.

    Args:
        authorities: Paths of PEM files with certificate authorities to trust beside the system's; those of simulated
            venues, say.

    Raises:
        RunError: A file cannot be read or holds no certificate.
    """
    context = ssl.create_default_context()
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    for authority in authorities:
        try:
            context.load_verify_locations(authority)
        except (OSError, ssl.SSLError) as error:
            raise RunError(f"{authority}: expected a certificate authority in PEM: {error}") from error
    return context


class RestClient:
    """One venue's REST endpoint.

    Attributes:
        budget: What may be asked.
        clock: What the venue's clock says.
        now: Our wall time, ns since the epoch.
    """

    def __init__(
        self,
        name: str,
        base: str,
        rules: RestRules | None,
        now: Callable[[], int],
        *,
        context: ssl.SSLContext | None = None,
    ) -> None:
        self.budget = RateBudget(rules.limits, slow_down_ns=rules.slow_down_ns) if rules else RateBudget(())
        self._rules = rules or RestRules()
        self.clock = VenueClock(self._rules.resolution_ns)
        self._name = name
        self._base = base
        self.now = now
        self._context = context
        self._http: aiohttp.ClientSession | None = None

    async def get(self, path: str, urgency: Urgency = Urgency.ORDINARY) -> Answer:
        """Asks once, as soon as the budget lets it out; never raises for what a network or a venue may do.

        Returns:
            The answer; one of status 429 without asking when the budget does not let it out soon.
        """
        return await self._ask(Request(tag="", method="GET", path=path, params=""), urgency)

    def venue_ns(self) -> int:
        """The venue's time, as far as it is known."""
        now_ns = self.now()
        return now_ns + self.clock.offset_ns(now_ns)

    async def request(self, request: Request, written: Callable[[], object] | None = None) -> Answer:
        """Makes a signed request once; as :meth:`get`. Nothing of its query, headers and body is ever logged.

        A redirection is an answer like any other: a key does not follow one to another host.

        Args:
            request: What is asked.
            written: Called once all of it is written.
        """
        return await self._ask(request, Urgency.CANCEL if request.urgent else Urgency.ORDINARY, written)

    async def _ask(self, request: Request, urgency: Urgency, written: Callable[[], object] | None = None) -> Answer:
        target, asked_ns = request.target, self.now()
        while (at := self.budget.ask(target, self.now(), urgency)) != 0:
            wait_s = max(at - self.now(), 1_000_000) / 1e9
            if self.now() + wait_s * 1e9 > asked_ns + request.patience_ns:
                return Answer(429, b"", f"no request may be sent to {self._name} for {wait_s:.0f} s")
            await asyncio.sleep(wait_s)
        if self._http is None:
            self._http = self._client()
        try:
            # yarl would quote once more what is quoted, and signed, already
            url = URL(self._base + target, encoded=True)
            head = request.head(self.now())
            async with self._http.request(
                request.method, url, headers=head, data=request.body or None, allow_redirects=not head,
                trace_request_ctx=written,
            ) as answer:  # fmt: skip
                headers = {name.lower(): value for name, value in answer.headers.items()}
                body = await _bounded(answer)
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            why = explained(error)
            logger.warning("{}: {}: {}", self._name, target.partition("?")[0], why)
            return Answer(0, b"", why)
        before = self.budget.blocked_until_ns
        self.budget.answered(answer.status, headers, self.now())
        if self.budget.blocked_until_ns > before:
            seconds = (self.budget.blocked_until_ns - self.now()) / 1e9
            level, what = ("ERROR", "has banned this address") if self.budget.banned else ("WARNING", "says slow down")
            logger.log(level, "{} {} ({}): no requests for {:.0f} s", self._name, what, answer.status, seconds)
        return Answer(answer.status, body)

    def _client(self) -> aiohttp.ClientSession:
        """Connections to the venue that are used again; as many as are needed, since an order waits for nobody."""
        connector = aiohttp.TCPConnector(ssl=self._context or True, limit=0, keepalive_timeout=KEEP_ALIVE_S)
        trace = aiohttp.TraceConfig()
        trace.on_request_headers_sent.append(_head_written)
        trace.on_request_chunk_sent.append(_body_written)
        return aiohttp.ClientSession(
            connector=connector, timeout=aiohttp.ClientTimeout(total=REST_S), trace_configs=[trace]
        )

    async def fetch(self, path: str, *, seed: int = 0) -> bytes:
        """Asks until there is an answer of status 200, within reason.

        Raises:
            RunError: There is none; says what came.
        """
        retry = Retry(seed)
        while True:
            answer = await self.get(path)
            if answer.status == 200:
                return answer.body
            wait = -1 if "certificate" in answer.error else retry.failed(answer.status)
            if wait < 0:
                came = answer.error or f"status {answer.status}: {answer.body[:200].decode(errors='replace')}"
                raise RunError(f"{self._base}{path}: expected status 200, got {came}")
            await asyncio.sleep(wait / 1e9)

    async def keep_time(self) -> None:
        """Asks the venue for its time again and again, until cancelled."""
        asked = 0
        while self._rules.time_path:
            await self.ask_time()
            asked += 1
            await asyncio.sleep(0.2 if asked < CLOCK_FIRST else CLOCK_EVERY_S)

    async def ask_time(self) -> int:
        """Asks the venue for its time once; how long that took in ns, or -1 without an answer that could be read."""
        rules = self._rules
        if rules.parse_time is None:
            return -1
        sent = self.now()
        answer = await self.get(rules.time_path)
        received = self.now()
        if answer.status != 200:
            return -1
        try:
            stepped = self.clock.sample(sent, received, rules.parse_time(answer.body))
        except RemoteProtocolError as error:
            logger.warning("{}: {}", self._name, error)
            return -1
        if stepped:
            logger.warning("{}: its clock or ours was stepped by {:.3f} s", self._name, self.clock.last_step_ns / 1e9)
        return received - sent

    async def close(self) -> None:
        """Closes its connections."""
        if self._http is not None:
            await self._http.close()


async def get_once(url: str, *, context: ssl.SSLContext | None = None) -> bytes:
    """One small answer of an endpoint without limits: a simulated venue's.

    Raises:
        RunError: There is none, or its status is not 200.
    """
    client = RestClient("simulated venue", url, None, lambda: 0, context=context)
    try:
        answer = await client.get("")
    finally:
        await client.close()
    if answer.status != 200:
        came = answer.error or f"{answer.status}: {answer.body[:200].decode(errors='replace')}"
        raise RunError(f"{url}: expected status 200, got {came}")
    return answer.body


async def _head_written(_: aiohttp.ClientSession, context: Any, sent: aiohttp.TraceRequestHeadersSentParams) -> None:
    """The head of a request was written; that is all of it where there is no body."""
    written = context.trace_request_ctx
    if written is not None and sent.headers.get("Content-Length", "0") == "0":
        written()


async def _body_written(_: aiohttp.ClientSession, context: Any, _sent: aiohttp.TraceRequestChunkSentParams) -> None:
    """The body of a request was written."""
    if context.trace_request_ctx is not None:
        context.trace_request_ctx()


async def _bounded(answer: aiohttp.ClientResponse) -> bytes:
    """The body, unless it is larger than any answer can be."""
    parts: list[bytes] = []
    size = 0
    async for part in answer.content.iter_any():
        size += len(part)
        if size > REST_BYTES:
            raise aiohttp.ClientPayloadError(f"expected at most {REST_BYTES} bytes")
        parts.append(part)
    return b"".join(parts)
