"""Tables for a person at a terminal."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

__all__ = ["print_table"]


def print_table(columns: Sequence[str], rows: Iterable[Mapping[str, Any]]) -> None:
    """Prints rows under column names; a column without any value is left out. Text is printed as it is."""
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    kept = list(rows)
    shown = [column for column in columns if any(_cell(row.get(column)) for row in kept)] or list(columns)
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="bold")
    for column in shown:
        table.add_column(column.replace("_", " "), overflow="fold")
    for row in kept:
        table.add_row(*(Text(_cell(row.get(column))) for column in shown))
    # a pipe has no width; a wide one keeps one row on one line
    console = Console(markup=False, highlight=False, emoji=False, width=None if sys.stdout.isatty() else 1_000)
    with console.capture() as capture:
        console.print(table)
    for line in capture.get().splitlines():
        print(line.rstrip())  # noqa: T201 (what the command is for)


def _cell(value: Any) -> str:
    if value is None:
        return ""
    return ", ".join(map(str, value)) if isinstance(value, list | tuple) else str(value)
