"""The page as a document: what is on it and in which order."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Mapping, Sequence
from contextlib import suppress
from html import escape
from importlib.resources import files
from pathlib import Path
from typing import Any

import orjson
from attrs import field, frozen

from bloor.observe.ledger import Ledger
from bloor.observe.page import sections
from bloor.observe.page.plots import plots
from bloor.observe.page.words import plain
from bloor.observe.statistics import Statistics

__all__ = ["Page", "Sheet", "write_page"]

#: What draws, as one script: data and axes, the plots over time, the others.
SCRIPTS = ("draw.js", "time.js", "page.js")


@frozen(kw_only=True)
class Sheet:
    """A table of which the page knows nothing, such as how the result changes with an assumption.

    Attributes:
        columns: Names of the columns; the first one names the rows.
        rows: Cells, one a column: text, or numbers, which are set as such.
        note: A sentence below it.
    """

    columns: Sequence[str]
    rows: Sequence[Sequence[object]]
    note: str = ""


@frozen(kw_only=True, eq=False)
class Page:
    """Everything that a page tells. All of it may come from outside: it is escaped.

    Attributes:
        title: What ran, e.g. ``momentum on binance:NEX-USDT``.
        kind: What it was, e.g. ``Backtest`` or ``Session, paper``.
        ledger: Fills, orders and marks.
        statistics: Of the ledger.
        warnings: Sentences that change how the result is to be read; at the top. Gaps of the marks are told by
            themselves.
        notices: Sentences worth knowing; at the end.
        assumptions: Models and what they assume, e.g. ``latency``, ``queue``, ``fees``, by name.
        parameters: Parameters by strategy.
        quality: Of the data: counts and times, by name.
        data: Where the data came from, by name.
        sensitivities: How the result changes with the assumptions.
        versions: Of everything that took part.
        hash: Hash of all decisions; empty for none.
        seed: Seed of the run.
        command: The command that does it again; empty for none.
    """

    title: str
    kind: str = "Backtest"
    ledger: Ledger
    statistics: Statistics
    warnings: Sequence[str] = ()
    notices: Sequence[str] = ()
    assumptions: Mapping[str, object] = field(factory=dict)
    parameters: Mapping[str, Mapping[str, object]] = field(factory=dict)
    quality: Mapping[str, object] = field(factory=dict)
    data: Mapping[str, object] = field(factory=dict)
    sensitivities: Sheet | None = None
    versions: Mapping[str, str] = field(factory=dict)
    hash: str = ""
    seed: int | None = None
    command: str = ""


def _asset(name: str) -> str:
    return files("bloor.observe.page").joinpath(name).read_text(encoding="utf-8")


def _allowed(*inline: str) -> str:
    """Hashes of what the page may run; nothing is loaded from anywhere, and nothing else is run."""
    return " ".join(f"'sha256-{base64.b64encode(hashlib.sha256(i.encode()).digest()).decode()}'" for i in inline)


def _data(value: Mapping[str, Any]) -> str:
    """Data in the page: JSON in which no tag can end or begin."""
    text = orjson.dumps(value).decode()
    return text.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026")


def page_html(page: Page) -> str:
    """The whole document."""
    style = _asset("page.css")
    script = f'"use strict";\n(() => {{\n{"".join(map(_asset, SCRIPTS))}}})();\n'
    policy = f"default-src 'none'; style-src {_allowed(style)}; script-src {_allowed(script)}; img-src data:"
    body = "\n".join(part for section in sections.ALL if (part := section(page)))
    return f"""<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="{escape(policy)}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>{plain(page.title)}, {plain(page.kind).lower()}</title>
<link rel="icon" href="data:,">
<style>{style}</style>
</head>
<body>
<main>
{body}
</main>
<script type="application/json" id="data">{_data(plots(page.ledger, page.statistics))}</script>
<script>{script}</script>
</body>
</html>
"""


def write_page(path: str | Path, page: Page) -> None:
    """Writes the page as one file that needs nothing else, neither beside it nor from a network.

    Args:
        path: Where. A file that is there is replaced once the new one is whole.
        page: What is told.

    Raises:
        OSError: It cannot be written.
    """
    path = Path(path)
    part = path.with_name(f"{path.name}.part")
    try:
        part.write_text(page_html(page), encoding="utf-8")
        part.replace(path)
    except OSError:
        with suppress(OSError):
            part.unlink()
        raise
