"""Examining every plug-in: a process for each, a few at a time."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from bloor.plugins.catalog import Installed
from bloor.plugins.host import PluginHost
from bloor.plugins.listing import row as listed

__all__ = ["LONGEST_S", "rows"]

#: A plug-in that is not examined by then hangs.
LONGEST_S = 60.0
_NOTHING: dict[str, Any] = {"hooks": [], "missing": [], "import_ms": None, "hooks_ms": None, "checks": []}


def rows(
    host: PluginHost, names: Iterable[str] = (), *, online: bool, longest_s: float = LONGEST_S
) -> Iterator[dict[str, Any]]:
    """A row for every installed plug-in, in the order of the list, each as soon as it and those before it are done.

    Args:
        host: Says what is installed, and what must not be imported.
        names: Examine these only; empty for all.
        online: Whether plug-ins may use the network.
        longest_s: How long one may take.

    Raises:
        PluginError: One of ``names`` is not installed.
    """
    wanted = set(names)
    for name in sorted(wanted - set(host.catalog.entries)):
        host.catalog.find(name)
    entries = [entry for name, found in host.catalog.entries.items() if not wanted or name in wanted for entry in found]
    with ThreadPoolExecutor(max_workers=os.cpu_count() or 1) as pool:
        yield from pool.map(lambda entry: _examined(host, entry, online, longest_s), entries)


def _examined(host: PluginHost, entry: Installed, online: bool, longest_s: float) -> dict[str, Any]:
    row = listed(host, entry) | _NOTHING
    if row["state"] != "ok":
        return row
    command = [sys.executable, "-P", "-m", "bloor.host.doctor.ward", entry.name, *(["--online"] if online else [])]
    same = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}  # it is to find what we find
    try:
        done = subprocess.run(
            command, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=longest_s, env=same, check=False
        )
    except subprocess.TimeoutExpired:
        return row | {"state": "broken", "reason": f"was not done after {longest_s:.0f} s and was ended"}
    try:
        found: dict[str, Any] = json.loads(done.stdout)
    except json.JSONDecodeError:
        return row | {"state": "broken", "reason": _last_words(done)}
    return row | found | {"state": "broken" if found["reason"] else "ok"}


def _last_words(done: subprocess.CompletedProcess[str]) -> str:
    """Why a process that examined a plug-in said nothing."""
    ended = f"with code {done.returncode}"
    if done.returncode < 0:
        ended = f"by {signal.Signals(-done.returncode).name}"
    last = done.stderr.strip().splitlines()[-1:] or ["it said nothing"]
    return f"ended the process that imported it, {ended}: {last[0]:.200}"
