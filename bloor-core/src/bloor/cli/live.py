"""The live view: a process of its own that follows the journal, so that drawing costs the trading process nothing.

``python -m bloor.cli.live SESSION`` draws until the journal's last record, SIGTERM, or the death of the process that
started it. Ctrl-C is left to the run itself.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import orjson

from bloor.errors import JournalError
from bloor.host.affinity import keep_off
from bloor.host.run import Progress
from bloor.journal.follower import Follower
from bloor.journal.record import RecordKind

__all__ = ["LiveView", "follow"]

#: How often the journal is looked at, seconds.
LOOK_S = 0.1


def follow(session: Path) -> None:
    """Draws what the journal of ``session`` says until it ends."""
    from rich.console import Console
    from rich.live import Live

    from bloor.cli.screen import live_screen

    signal.signal(signal.SIGINT, signal.SIG_IGN)
    parent = os.getppid()
    over = False

    def end(*_: Any) -> None:
        nonlocal over
        over = True

    signal.signal(signal.SIGTERM, end)
    status: dict[str, Any] = {}
    shown = _short(session)
    with (
        Follower(session / "journal") as follower,
        Live(live_screen(status, shown), console=Console(), refresh_per_second=8, screen=True) as live,
    ):
        while not over and os.getppid() == parent:
            for record in follower:
                if record.kind == RecordKind.STATUS:
                    document = orjson.loads(record.payload)
                    if "summary" in document:
                        return
                    status = document
                elif record.kind == RecordKind.FOOTER:
                    return
            live.update(live_screen(status, shown))
            time.sleep(LOOK_S)


def _short(path: Path) -> str:
    """The path from here, when that is shorter."""
    relative = os.path.relpath(path)
    return min(str(path), relative, key=len)


class LiveView(Progress):
    """Shows steps on the terminal while a run starts, then the live view in a process of its own."""

    def __init__(self) -> None:
        from rich.console import Console

        self._console = Console(stderr=True)
        self._status = self._console.status("starting")
        self._status.start()
        self._viewer: subprocess.Popen[bytes] | None = None

    def step(self, text: str) -> None:
        """Shows what is being done."""
        if self._viewer is None:
            self._status.update(text)

    def started(self, session: Path) -> None:
        """Starts the viewer."""
        self._status.stop()
        self._viewer = subprocess.Popen([sys.executable, "-m", "bloor.cli.live", str(session)])
        keep_off(self._viewer.pid)

    def ended(self) -> None:
        """Ends the viewer, so that the terminal is free for the summary."""
        self._status.stop()
        if self._viewer is not None:
            self._viewer.terminate()
            try:
                self._viewer.wait(2.0)
            except subprocess.TimeoutExpired:
                self._viewer.kill()
                self._viewer.wait()


if __name__ == "__main__":
    try:
        follow(Path(sys.argv[1]))
    except JournalError as error:
        sys.exit(f"live view: {error}")
