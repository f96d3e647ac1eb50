"""``bloor.simulated_venue``."""

from __future__ import annotations

import asyncio
import atexit
import contextlib
import tempfile
import threading
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import Future
from pathlib import Path
from typing import Any

from attrs import field, frozen

from bloor.api.waiting import bloor_errors
from bloor.host.loop import runner
from bloor.host.simvenue import SimulatedVenueProcess
from bloor.model.symbols import parse_symbol

__all__ = ["RunningVenue", "simulated_venue"]


@frozen(kw_only=True)
class RunningVenue:
    """A simulated venue that is being served on loopback.

    Attributes:
        name: The venue's name.
        rest: Base URL of its REST endpoint.
        streams: URL of its market streams.
        ws_api: URL of its order entry.
        level3: URL of its market data by order; empty where it has none.
        credentials: What trades on it, to be given to a client as it is.
        authority: File of the certificate authority to trust; None without TLS.
        pid: Its process id.
    """

    name: str
    rest: str
    streams: str
    ws_api: str
    level3: str
    credentials: Mapping[str, Any] = field(repr=False)
    authority: str | None
    pid: int


@contextlib.contextmanager
def simulated_venue(
    name: str,
    *,
    symbols: str | Sequence[str] = (),
    data: str | Path | Sequence[str | Path] = (),
    speed: float = 1.0,
    seed: int = 1,
    dislocations: float = 1.0,
    faults: str = "",
    tls: bool = False,
) -> Iterator[RunningVenue]:
    """Serves a simulated venue in a process of its own while inside, as ``bloor venue sim`` does.

    Any client can trade on it::

        with bloor.simulated_venue("binance", seed=7) as venue:
            client = SomeClient(venue.rest, venue.streams, **venue.credentials["hmac"])

    Args:
        name: The venue.
        symbols: What it lists; its default without.
        data: Recordings that drive its market.
        speed: Recorded seconds per second; 0 is flat out.
        seed: Seeds its market; venues of one seed share it, also those of other processes.
        dislocations: Factor on how far prices stray from each other and return.
        faults: Faults to inject, e.g. ``"lost-ack:0.05,gap:0.01"``.
        tls: Whether to serve https and wss, with an authority of its own.

    Raises:
        UsageError: It refused what it was given; the message is its own.
        RunError: It did not become ready.
    """
    with bloor_errors(), tempfile.TemporaryDirectory(prefix="bloor-venue-") as folder:
        listed = [symbols] if isinstance(symbols, str) else symbols
        options = {
            "symbols": [parse_symbol(text)[1] for text in listed],
            "data": [Path(data)] if isinstance(data, str | Path) else [Path(path) for path in data],
            "speed": speed,
            "seed": seed,
            "dislocations": dislocations,
            "log": Path(folder) / "venue.log",
            "tls": tls,
            "faults": faults,
        }
        served = _Served(name, options)
        process = served.start()
    try:
        yield RunningVenue(
            name=name, credentials=process.credentials, authority=process.authority, pid=process.pid,
            **process.endpoints._asdict(),
        )  # fmt: skip
    finally:
        served.stop()


class _Served:
    """The venue's process, held by a thread with an event loop of its own, since it is read and awaited there."""

    def __init__(self, name: str, options: Mapping[str, Any]) -> None:
        self._name = name
        self._options = options
        self._ready: Future[SimulatedVenueProcess] = Future()
        self._stop: tuple[asyncio.AbstractEventLoop, asyncio.Event]
        self._thread = threading.Thread(target=self._work, name=f"bloor venue {name}", daemon=True)

    def start(self) -> SimulatedVenueProcess:
        """Starts it and waits until it is ready."""
        self._thread.start()
        process = self._ready.result()
        atexit.register(self.stop)  # a notebook's kernel may end inside the `with`
        return process

    def stop(self) -> None:
        """Ends it and waits for its end."""
        atexit.unregister(self.stop)
        loop, over = self._stop
        with contextlib.suppress(RuntimeError):  # the loop is closed: it has ended
            loop.call_soon_threadsafe(over.set)
        self._thread.join()

    def _work(self) -> None:
        try:
            with runner() as loop:
                loop.run(self._serve())
        except BaseException as error:  # noqa: BLE001 (it is raised where it is waited for)
            if not self._ready.done():
                self._ready.set_exception(error)

    async def _serve(self) -> None:
        over = asyncio.Event()
        self._stop = asyncio.get_running_loop(), over
        process = await SimulatedVenueProcess.start(self._name, **self._options)
        try:
            self._ready.set_result(process)
            await over.wait()
        finally:
            await process.stop()
