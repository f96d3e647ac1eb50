"""Other libraries as benchmarks run them: an environment and a process each, that takes rounds by turns with ours."""

from __future__ import annotations

import json
import os
import platform
import subprocess
import venv
from decimal import Decimal
from pathlib import Path
from typing import Any

__all__ = ["Peer", "environment"]

#: Where the module is that every worker speaks through.
SHARED = Path(__file__).resolve().parent / "peers"


class Peer:
    """A peer's process."""

    def __init__(self, name: str, python: Path, worker: Path, messages: Path) -> None:
        """Starts it.

        Args:
            name: The distribution.
            python: The interpreter of its environment.
            worker: The script that speaks to it, see :mod:`worker`.
            messages: A JSON file: kind of message -> a snapshot and what follows it.
        """
        self.name = name
        asked = "import importlib.metadata as m, sys; print(m.version(sys.argv[1]))"
        self.version = subprocess.run(
            [python, "-c", asked, name], capture_output=True, text=True, check=True
        ).stdout.strip()
        self.process = subprocess.Popen(
            [python, worker, messages], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
            env={k: v for k, v in os.environ.items() if not k.startswith("PYTHON")} | {"PYTHONPATH": str(SHARED)},
        )  # fmt: skip
        self.answer()

    def end(self) -> None:
        """Ends the process."""
        self.process.kill()
        self.process.wait()

    def answer(self) -> str:
        """The next line it says."""
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        if not line:
            raise SystemExit(f"{self.name}: its process ended")
        return line

    def ask(self, request: dict[str, Any]) -> Any:
        """Sends a worker that speaks JSON a request; its answer."""
        assert self.process.stdin is not None
        print(json.dumps(request), file=self.process.stdin, flush=True)
        return json.loads(self.answer())

    def round(self, kind: str) -> tuple[float, Decimal]:
        """Lets it take a round: ns a message, and its best bid."""
        assert self.process.stdin is not None
        print(kind, file=self.process.stdin, flush=True)
        ns, top = json.loads(self.answer())
        return ns, Decimal(top)


def environment(folder: Path, name: str) -> Path | str:
    """The interpreter of a peer's environment, made if need be; the reason when it cannot be had."""
    python = folder / name / "bin" / "python"
    if not python.exists():
        venv.create(folder / name, with_pip=True)
    check = f"import {name}"
    if subprocess.run([python, "-c", check], capture_output=True, check=False).returncode:
        words = [python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", name]
        done = subprocess.run(words, capture_output=True, text=True, check=False)
        if done.returncode or subprocess.run([python, "-c", check], capture_output=True, check=False).returncode:
            said = [line for line in done.stderr.splitlines() if line.startswith("ERROR")]
            return (
                f"not installed on Python {platform.python_version()}: {said[-1] if said else 'it cannot be imported'}"
            )
    return python
