"""On which line of a TOML file each key stands, so that a message can say ``bloor.toml:12``.

:mod:`tomllib` keeps no positions. A statement of a valid TOML file (a header, or ``key = value``, which may span lines)
is a valid TOML document of its own, so the file is cut into statements by asking tomllib where each one ends.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterator, Mapping
from typing import Any

__all__ = ["key_lines"]

Path = tuple[str, ...]


def key_lines(text: str) -> dict[Path, int]:
    """``{path of key or table: line from 1}`` of a valid TOML document; elements of arrays of tables are left out."""
    lines: dict[Path, int] = {}
    header: Path = ()
    for number, statement in _statements(text):
        parsed = tomllib.loads(statement)
        paths = list(_paths(parsed))
        if statement.lstrip().startswith("["):
            header = paths[-1] if paths else ()
            lines.setdefault(header, number)
        else:
            for path in paths:
                lines.setdefault(header + path, number)
    return lines


def _statements(text: str) -> Iterator[tuple[int, str]]:
    """``(line of its beginning, text)`` of every statement that is not blank."""
    held, began = "", 1
    for number, line in enumerate(text.splitlines(keepends=True), 1):
        if not held:
            began = number
        held += line
        try:
            tomllib.loads(held)
        except tomllib.TOMLDecodeError:
            continue
        if held.strip():
            yield began, held
        held = ""


def _paths(tree: Mapping[str, Any], above: Path = ()) -> Iterator[Path]:
    """Every path in nested tables, outer ones first; a list of tables counts as a table."""
    for key, value in tree.items():
        path = (*above, key)
        yield path
        if isinstance(value, Mapping):
            yield from _paths(value, path)
