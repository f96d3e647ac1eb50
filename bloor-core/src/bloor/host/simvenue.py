"""A simulated venue in a process of its own: started, waited for, stopped."""

from __future__ import annotations

import asyncio
import ctypes
import os
import signal
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import orjson
from attrs import field, frozen

from bloor.errors import RunError, UsageError
from bloor.venue.session import Endpoints

__all__ = ["SimulatedVenueProcess"]

#: Longest wait for the venue's ready line; a large recording is read and checked before it.
READY_S = 120.0
#: Longest wait for the venue to end by itself after SIGTERM.
STOP_S = 3.0
#: From <linux/prctl.h>.
PR_SET_PDEATHSIG = 1


@frozen(kw_only=True)
class SimulatedVenueProcess:
    """A running ``bloor venue sim NAME``.

    Attributes:
        venue: The plug-in's name.
        endpoints: Where it listens, on loopback.
        credentials: What trades on it.
        authority: File of the certificate authority to trust; None without TLS.
    """

    venue: str
    endpoints: Endpoints
    credentials: Mapping[str, Any] = field(repr=False)
    authority: str | None = None
    _process: asyncio.subprocess.Process

    @classmethod
    async def start(
        cls,
        venue: str,
        *,
        symbols: Sequence[str],
        data: Sequence[Path],
        speed: float,
        seed: int,
        opened_ns: int = 0,
        dislocations: float = 1.0,
        log: Path,
        tls: bool = False,
        faults: str = "",
        meanwhile: Callable[[], None] = lambda: None,
    ) -> SimulatedVenueProcess:
        """Starts it and waits until it is ready.

        Args:
            venue: The plug-in's name.
            symbols: What it lists; empty for its default.
            data: Recordings that drive it.
            speed: Recorded seconds per second.
            seed: Seeds its market.
            opened_ns: When the values of assets began; venues of one seed and opening have one market.
            dislocations: Factor on how far prices stray from each other.
            log: File that its stderr goes to.
            tls: Whether it serves over TLS, with an authority of its own.
            faults: Faults that it injects, as ``bloor venue sim --faults`` takes them.
            meanwhile: Called once it runs, before it is waited for: what we have to do ourselves.

        Raises:
            UsageError: It refused its input; the message is its own.
            RunError: It ended or did not become ready.
        """
        command = [sys.executable, "-m", "bloor", "venue", "sim", venue, "--json", "--port", "0", "--seed", str(seed)]
        command += ["--speed", str(speed), "--opened", str(opened_ns), "--dislocations", str(dislocations)]
        if tls:
            command.append("--tls")
        if faults:
            command += ["--faults", faults]
        for symbol in symbols:
            command += ["--symbol", symbol]
        for path in data:
            command += ["--data", str(path)]
        with log.open("wb") as errors:
            process = await asyncio.create_subprocess_exec(
                *command, stdin=asyncio.subprocess.DEVNULL, stdout=asyncio.subprocess.PIPE, stderr=errors,
                start_new_session=True, limit=1 << 20, preexec_fn=_ending_with_us(),
            )  # fmt: skip
        assert process.stdout is not None
        try:
            meanwhile()
            line = await asyncio.wait_for(process.stdout.readline(), READY_S)
            ready = orjson.loads(line) if line else {}
        except (TimeoutError, orjson.JSONDecodeError):
            ready = {}
        except BaseException:
            process.kill()
            raise
        if not ready.get("ready"):
            raise await _failed(venue, process, log)
        endpoints = Endpoints(ready["rest"], ready["streams"], ready["ws_api"], ready.get("level3", ""))
        return cls(
            venue=venue, endpoints=endpoints, credentials=ready["credentials"], authority=ready.get("ca"),
            process=process,
        )  # fmt: skip

    @property
    def pid(self) -> int:
        """Its process id."""
        return self._process.pid

    @property
    def ended(self) -> bool:
        """Whether the process is gone."""
        return self._process.returncode is not None

    async def stop(self) -> None:
        """Ends the process: SIGTERM, and SIGKILL when it does not listen."""
        if self.ended:
            return
        self._process.send_signal(signal.SIGTERM)
        try:
            await asyncio.wait_for(self._process.wait(), STOP_S)
        except TimeoutError:
            self._process.kill()
            await self._process.wait()


async def _failed(venue: str, process: asyncio.subprocess.Process, log: Path) -> Exception:
    """What to say of a venue that did not become ready: its own last words."""
    if process.returncode is None:
        try:
            await asyncio.wait_for(process.wait(), 1.0)
        except TimeoutError:
            process.kill()
            await process.wait()
            return RunError(f"the simulated venue {venue!r} was not ready within {READY_S:.0f} s; its log: {log}")
    words = log.read_text(errors="replace").strip()  # noqa: ASYNC240 (a few lines, once, at the end)
    last = os.linesep.join(words.splitlines()[-5:]) or "it said nothing"
    if process.returncode == 2:
        return UsageError(last.removeprefix("bloor: ").removeprefix("error: "))
    return RunError(f"the simulated venue {venue!r} ended with code {process.returncode}: {last}")


def _ending_with_us() -> Callable[[], None] | None:
    """On Linux, what makes a new process end when we do, however that may be: nobody else would end it."""
    if sys.platform != "linux":
        return None
    libc = ctypes.CDLL(None)
    return lambda: libc.prctl(PR_SET_PDEATHSIG, signal.SIGTERM)
