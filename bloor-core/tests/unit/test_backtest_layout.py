"""The memory that a backtest's kernels share: no two things lie at the same place."""

from __future__ import annotations

import inspect
import re

import pytest

from bloor.backtesting import layout

#: Places of more than one cell.
WIDE = {"FOUND_BID": 2, "FOUND_ASK": 2}
SECTIONS = {
    title: re.findall(r"^([A-Z_]+) = (\d+)\b", text, re.MULTILINE)
    for title, text in re.findall(
        r"^# ---- ([^\n]+)\n(.*?)(?=^# ----|\Z)", inspect.getsource(layout), re.MULTILINE | re.DOTALL
    )
}


@pytest.mark.parametrize(
    "title", [title for title, rows in SECTIONS.items() if any("_CELLS" in row[0] for row in rows)]
)
def test_every_place_is_used_once(title: str) -> None:
    """Each name has cells of its own, and all lie within the record."""
    rows = [(name, int(value)) for name, value in SECTIONS[title]]
    [(end, size)] = [row for row in rows if row[0].endswith("_CELLS") and row[0].count("_") == 1]
    taken: dict[int, str] = {}
    for name, offset in rows[: rows.index((end, size))]:
        for cell in range(offset // 8, offset // 8 + WIDE.get(name, 1)):
            assert cell not in taken, f"{name} lies on {taken[cell]}"
            assert offset % 8 == 0
            assert cell < size, f"{name} lies beyond {end}"
            taken[cell] = name
    assert len(taken) > 10
