"""``bloor plugins cards``: runs the contract cards of an installed plug-in, in a process of its own."""

from __future__ import annotations

import importlib.util
import json
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from bloor.errors import UsageError

__all__ = ["run_cards"]

#: What cards need beside the core.
_NEEDED = ("pytest", "hypothesis")


def run_cards(name: str, tests: Path | None, *, quiet: bool) -> tuple[dict[str, Any], int]:
    """Runs the cards.

    Args:
        name: The plug-in.
        tests: A folder or file with its own tests, which are run instead of its cards as they are without waivers.
        quiet: Whether what pytest says goes to stderr, so that stdout is free.

    Returns:
        The report as plain data, and pytest's exit code.

    Raises:
        UsageError: pytest or hypothesis is missing, or there are no such tests.
    """
    missing = [needed for needed in _NEEDED if importlib.util.find_spec(needed) is None]
    if missing:
        raise UsageError(f'cards need {" and ".join(missing)}: pip install "bloor-core[testing]"')
    if tests is not None and not tests.exists():
        raise UsageError(f"--tests: expected a folder or a file with tests, got {tests}, which does not exist")
    with tempfile.TemporaryDirectory() as folder:
        report = Path(folder) / "cards.json"
        command = [sys.executable, "-m", "bloor.testing", name, "--cards-json", str(report)]
        if tests is not None:
            command += ["--tests", str(tests)]
        done = subprocess.run(command, check=False, stdout=sys.stderr if quiet else None)
        document = json.loads(report.read_text(encoding="utf-8")) if report.exists() else {"plugins": []}
    return document, done.returncode
