"""REST over aiohttp, kept within the venue's limits: the thin shell around :mod:`bloor.venue.rest`."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Callable, Mapping
from typing import NamedTuple

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
#: Longest wait for the budget, seconds; whoever asks is told to ask again after it.
PATIENCE_S = 10.0
#: The venue's clock is asked this often at the start, one after the other, and then every so many seconds.
CLOCK_FIRST, CLOCK_EVERY_S = 5, 60.0


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
        self.budget = RateBudget(rules.limits if rules else ())
        self.clock = VenueClock()
        self._name = name
        self._base = base
        self._rules = rules or RestRules()
        self.now = now
        self._context = context
        self._http: aiohttp.ClientSession | None = None

    async def get(self, path: str, urgency: Urgency = Urgency.ORDINARY) -> Answer:
        """Asks once, as soon as the budget lets it out; never raises for what a network or a venue may do.

        Returns:
            The answer; one of status 429 without asking when the budget does not let it out for :data:`PATIENCE_S`.
        """
        return await self._ask("GET", path, {}, urgency)

    def venue_ns(self) -> int:
        """The venue's time, as far as it is known."""
        now_ns = self.now()
        return now_ns + self.clock.offset_ns(now_ns)

    async def request(self, request: Request) -> Answer:
        """Makes a signed request once; as :meth:`get`. Nothing of its query and headers is ever logged.

        A redirection is an answer like any other: a key does not follow one to another host.
        """
        urgency = Urgency.CANCEL if request.urgent else Urgency.ORDINARY
        return await self._ask(request.method, f"{request.path}?{request.query}", request.headers, urgency)

    async def _ask(self, method: str, path: str, head: Mapping[str, str], urgency: Urgency) -> Answer:
        while (at := self.budget.ask(path, self.now(), urgency)) != 0:
            wait_s = max(at - self.now(), 1_000_000) / 1e9
            if wait_s > PATIENCE_S:
                return Answer(429, b"", f"no request may be sent to {self._name} for {wait_s:.0f} s")
            await asyncio.sleep(wait_s)
        if self._http is None:
            connector = aiohttp.TCPConnector(ssl=self._context or True)
            self._http = aiohttp.ClientSession(
                connector=connector, timeout=aiohttp.ClientTimeout(total=REST_S), auto_decompress=True
            )
        try:
            # yarl would quote once more what is quoted, and signed, already
            url = URL(self._base + path, encoded=True)
            async with self._http.request(method, url, headers=head, allow_redirects=not head) as answer:
                headers = {name.lower(): value for name, value in answer.headers.items()}
                body = await _bounded(answer)
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            why = explained(error)
            logger.warning("{}: {}: {}", self._name, path.partition("?")[0], why)
            return Answer(0, b"", why)
        before = self.budget.blocked_until_ns
        self.budget.answered(answer.status, headers, self.now())
        if self.budget.blocked_until_ns > before:
            seconds = (self.budget.blocked_until_ns - self.now()) / 1e9
            level, what = ("ERROR", "has banned this address") if self.budget.banned else ("WARNING", "says slow down")
            logger.log(level, "{} {} ({}): no requests for {:.0f} s", self._name, what, answer.status, seconds)
        return Answer(answer.status, body)

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
