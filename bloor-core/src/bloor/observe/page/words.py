"""Numbers, times and tables as text for people. Everything that comes from outside passes :func:`html.escape` here."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from decimal import Decimal
from html import escape

__all__ = ["amount", "duration", "moment", "number", "pairs", "percent", "plain", "table"]

NONE = "\N{EN DASH}"
MINUS = "\N{MINUS SIGN}"


def number(value: float | Decimal | None, decimals: int = 2, *, sign: bool = False) -> str:
    """A number with thousands apart and a true minus; a dash for None."""
    if value is None:
        return NONE
    text = f"{value:+,.{decimals}f}" if sign else f"{value:,.{decimals}f}"
    if text.strip("+-0.,") == "":
        text = text.lstrip("+-")
    return text.replace("-", MINUS)


def amount(value: float | Decimal | None, *, sign: bool = False) -> str:
    """Money: two decimals, more where it is less than 1 and they would hide it."""
    size = 0.0 if value is None else abs(float(value))
    decimals = 0 if size >= 1e6 else 2 if size >= 1 or size == 0 else min(8, 2 - Decimal(size).adjusted())
    return number(value, decimals, sign=sign)


def percent(value: float | None, decimals: int = 1) -> str:
    """A share as a percentage."""
    return NONE if value is None else number(100 * value, decimals) + " %"


def moment(time_ns: int) -> str:
    """A time in UTC to the second."""
    return datetime.fromtimestamp(time_ns // 1_000_000_000, UTC).strftime("%Y-%m-%d %H:%M:%S")


def duration(seconds: float | None) -> str:
    """A length of time in its two largest units."""
    if seconds is None:
        return NONE
    if seconds < 60:
        return f"{seconds:.3g} s"
    left, parts = round(seconds), []
    for name, size in (("d", 86_400), ("h", 3_600), ("min", 60), ("s", 1)):
        many, left = divmod(left, size)
        if many:
            parts.append(f"{many} {name}")
    return " ".join(parts[:2])


def plain(value: object) -> str:
    """Any value that came from outside as escaped text."""
    if value is None:
        return NONE
    if isinstance(value, bool):
        return "yes" if value else "no"
    return escape(f"{value:g}" if isinstance(value, float) else str(value))


def table(head: Sequence[str], rows: Iterable[Sequence[str]], *, left: int = 1) -> str:
    """A table; heads and cells are HTML already.

    Args:
        head: Names of the columns.
        rows: Cells, one a column.
        left: How many of the first columns are text; the rest is set like numbers.
    """
    names = "".join(f'<th scope="col"{_align(n, left)}>{name}</th>' for n, name in enumerate(head))
    body = "".join(
        "<tr>" + "".join(f"<td{_align(n, left)}>{cell}</td>" for n, cell in enumerate(row)) + "</tr>" for row in rows
    )
    return f'<div class="scroll"><table><thead><tr>{names}</tr></thead><tbody>{body}</tbody></table></div>'


def _align(column: int, left: int) -> str:
    return "" if column < left else ' class="n"'


def pairs(rows: Mapping[str, str]) -> str:
    """Names and values below each other; both are HTML already."""
    return "<dl>" + "".join(f"<div><dt>{name}</dt><dd>{value}</dd></div>" for name, value in rows.items()) + "</dl>"
