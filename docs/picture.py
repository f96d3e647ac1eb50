"""Makes the picture of the terminal in the README from a real session: ``python docs/picture.py SESSION``.

It draws the last live view before the run was stopped, with the same code as the terminal, into
``docs/images/run.svg``.
"""

from __future__ import annotations

import io
import sys
from pathlib import Path
from typing import Any

import orjson
from rich.console import Console

from bloor.cli.screen import live_screen
from bloor.journal.reader import Reader
from bloor.journal.record import RecordKind

WIDTH = 104


def last_status(session: Path) -> dict[str, Any]:
    """The last state in which the run was still going on."""
    documents = [orjson.loads(r.payload) for r in Reader(session / "journal") if r.kind == RecordKind.STATUS]
    running = [d for d in documents if "summary" not in d and d["elapsed_s"] < (d["duration_s"] or 1e9)]
    if not running:
        sys.exit(f"{session}: expected a session with at least one status record, found none")
    return running[-1]


def main() -> None:
    """Writes the picture."""
    session = Path(sys.argv[1])
    console = Console(record=True, width=WIDTH, file=io.StringIO(), force_terminal=True, color_system="truecolor")
    console.print(live_screen(last_status(session), f"sessions/{session.resolve().name}"))
    target = Path(__file__).parent / "images" / "run.svg"
    target.parent.mkdir(exist_ok=True)
    target.write_text(console.export_svg(title="bloor run -p momentum"))
    print(target)


if __name__ == "__main__":
    main()
