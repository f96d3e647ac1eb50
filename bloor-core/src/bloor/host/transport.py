"""Hot sockets: one picows connection per session, opened again when it is lost.

The receive callback is synchronous: frame bytes go straight into the engine and an order that they cause is written
before the callback returns. Measured on the loopback: 0.4-0.5 us of CPU per message in picows itself.
"""

from __future__ import annotations

import asyncio
import random
import ssl
from collections.abc import Callable
from functools import partial

import picows
from loguru import logger

__all__ = ["Link", "explained"]

#: First and longest wait before a lost connection is opened again; the real wait is drawn from [half, whole].
BACKOFF_S, BACKOFF_MAX_S = 0.25, 30.0
#: A connection that lived this long starts again from the first wait.
STEADY_S = 60.0
#: Larger frames close the connection: a Coinbase snapshot has some 5 MB.
MAX_FRAME = 32 << 20

_TEXT = picows.WSMsgType.TEXT
_CONTINUATION = picows.WSMsgType.CONTINUATION
_CLOSE = picows.WSMsgType.CLOSE


class _Listener(picows.WSListener):
    """Hands whole text frames on; puts fragments together."""

    def __init__(self, link: Link) -> None:
        self._link = link
        self.receive = link.on_frame
        self._parts: list[bytes] = []

    def on_ws_connected(self, transport: picows.WSTransport) -> None:
        self._link._opened(transport, self)

    def on_ws_frame(self, transport: picows.WSTransport, frame: picows.WSFrame) -> None:
        kind = frame.msg_type
        if kind == _TEXT and frame.fin:
            self.receive(frame.get_payload_as_bytes())
        elif kind in (_TEXT, _CONTINUATION):
            self._parts.append(frame.get_payload_as_bytes())
            if sum(map(len, self._parts)) > MAX_FRAME:
                transport.disconnect()
            elif frame.fin:
                whole, self._parts = b"".join(self._parts), []
                self.receive(whole)
        elif kind == _CLOSE:
            self._link._reason = f"closed by the venue ({frame.get_close_code()})"
            transport.disconnect()

    def on_ws_disconnected(self, transport: picows.WSTransport) -> None:
        self._link._closed()


class Link:
    """One connection that is kept open until :meth:`close`.

    Attributes:
        send: Writes one text frame now; does nothing while the connection is not open. It is the transport's own.

    Args:
        name: For the log.
        url: Where to.
        on_open: Called when the connection is open.
        on_frame: Called with every text frame.
        on_close: Called with a reason when it is gone.
        context: TLS settings for ``wss``; None verifies with the system's trust store.
        seed: Seeds the jitter of the backoff.
        once: Whether a connection that is lost, or cannot be made, is not opened again; ``on_close`` is told of both.
    """

    def __init__(
        self,
        name: str,
        url: str,
        *,
        on_open: Callable[[], None],
        on_frame: Callable[[bytes], None],
        on_close: Callable[[str], None],
        context: ssl.SSLContext | None = None,
        seed: int = 0,
        once: bool = False,
    ) -> None:
        self.name = name
        self.url = url
        self.on_frame = on_frame
        self._on_open = on_open
        self._on_close = on_close
        self._context = context
        self._jitter = random.Random(seed)
        self._once = once
        self._transport: picows.WSTransport | None = None
        self.send: Callable[[bytes], object] = _nothing
        self._listener: _Listener | None = None
        self._reason = "lost"
        self.closing = False
        self._failures = 0
        self._gone = asyncio.Event()

    def drop(self, reason: str) -> None:
        """Closes the connection; :meth:`run` opens it again."""
        self._reason = reason
        if self._transport is not None:
            self._transport.disconnect()

    def close(self) -> None:
        """Closes for good; :meth:`run` returns."""
        self.closing = True
        self.drop("closed by us")
        self._gone.set()

    def retire(self) -> None:
        """Closes for good and says nothing of it to anybody."""
        self._on_open = self._on_close = _nothing
        self.on_frame = _nothing
        if self._listener is not None:
            self._listener.receive = _nothing
        self.close()

    def become(
        self,
        name: str,
        *,
        on_open: Callable[[], None],
        on_frame: Callable[[bytes], None],
        on_close: Callable[[str], None],
    ) -> None:
        """Takes another role from the next frame on, and is kept open from now on."""
        self.name = name
        self.on_frame, self._on_open, self._on_close = on_frame, on_open, on_close
        self._once = False
        if self._listener is not None:
            self._listener.receive = on_frame

    async def run(self) -> None:
        """Opens the connection, and again after each loss with growing, jittered waits, until :meth:`close`."""
        loop = asyncio.get_running_loop()
        while not self.closing:
            self._gone.clear()
            started = loop.time()
            try:
                await picows.ws_connect(
                    lambda: _Listener(self), self.url, ssl_context=self._context, max_frame_size=MAX_FRAME
                )
            except (TimeoutError, OSError, picows.WSError) as error:
                why = explained(error)
                logger.warning("{}: cannot connect to {}: {}", self.name, self.url.partition("?")[0], why)
                if self._once and not self._ended():
                    self.closing = True
                    self._on_close(f"cannot connect: {why}")
            else:
                await self._gone.wait()
            if self._ended():
                return
            self._failures = 1 if loop.time() - started > STEADY_S else self._failures + 1
            wait = min(BACKOFF_S * 2 ** min(self._failures - 1, 10), BACKOFF_MAX_S)
            await asyncio.sleep(wait * (0.5 + 0.5 * self._jitter.random()))

    def _ended(self) -> bool:
        return self.closing

    def _opened(self, transport: picows.WSTransport, listener: _Listener) -> None:
        if self._ended():
            transport.disconnect()
            return
        self._transport = transport
        self.send = partial(transport.send, _TEXT)
        self._listener = listener
        self._reason = "lost"
        self._on_open()

    def _closed(self) -> None:
        if self._transport is None:
            return
        self._transport = self._listener = None
        self.send = _nothing
        if not self.closing:
            logger.warning("{}: connection {}", self.name, self._reason)
        self.closing = self.closing or self._once
        self._on_close(self._reason)
        self._gone.set()


def _nothing(*_: object) -> None:
    """What a retired link tells."""


def explained(error: BaseException) -> str:
    """What went wrong with a connection, in words; a certificate that is refused says why."""
    cause: BaseException | None = error
    while cause is not None:
        reason = getattr(getattr(cause, "certificate_error", cause), "verify_message", "")
        if isinstance(cause, ssl.SSLCertVerificationError) and reason:
            return f"the certificate is refused: {reason}"
        cause = cause.__cause__ or cause.__context__
    return str(error) or type(error).__name__
