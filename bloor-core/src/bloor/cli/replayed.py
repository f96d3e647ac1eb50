"""What a replay looks like, as rich renderables. Pure: documents in, tables out."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

__all__ = ["replay_screen"]

#: Lines of the causing frame that are shown; --json has all of it.
FRAME_LINES = 40
_ENDS = {
    "ended": "ended on purpose",
    "open": "has no end: it is still written, or its writer was killed",
    "torn": "ends in a torn record: its writer died",
}


def replay_screen(document: Mapping[str, Any]) -> RenderableType:
    """The document of a replay, for a person.

    Args:
        document: As :func:`bloor.host.replay.run.replay` makes it.
    """
    parts: list[RenderableType] = [Text(_head(document)), Text("")]
    parts += [Text(f"since this session: {change}", "yellow") for change in document["changes"]]
    if not document["verify"]:
        parts += [_counts(document["counts"]), Text(""), *_timeline(document["timeline"])]
    if document["difference"] is None:
        parts += [Text(line) for line in _account(document)]
    parts.append(_verdict(document))
    if document["difference"] is not None:
        parts += _difference(document["difference"])
    speed = document["speed"]
    rate = f"{speed['records_per_s']:,} records/s, {speed['times_real_time']:,} times real time"
    parts.append(Text(f"replayed in {speed['seconds']:.2f} s: {rate}", style="dim"))
    return Group(*parts)


def _head(document: Mapping[str, Any]) -> str:
    torn = f" ({document['torn_bytes']:,} bytes)" if document["torn_bytes"] else ""
    return (
        f"{', '.join(document['strategies'])} on {', '.join(document['instruments'])}, {document['mode']}, "
        f"{_time(document['first_ns'])}, {document['duration_s']:.1f} s\n"
        f"{document['records']:,} records; the journal {_ENDS[document['end']]}{torn}"
    )


def _time(ns: int) -> str:
    return f"{datetime.fromtimestamp(ns // 1_000_000_000, UTC):%Y-%m-%d %H:%M:%S}.{ns % 1_000_000_000:09d} UTC"


def _table(columns: Sequence[str], rows: Iterable[Sequence[str]], *, left: Sequence[str] = ()) -> Table:
    table = Table(box=None, pad_edge=False, header_style="dim")
    for column in columns:
        table.add_column(column, justify="left" if column in left else "right", overflow="fold")
    for row in rows:
        table.add_row(*(Text(cell) for cell in row))
    return table


def _counts(counts: Mapping[str, int]) -> Table:
    return _table(("records", "count"), ((kind, f"{n:,}") for kind, n in counts.items()), left=("records",))


def _timeline(rows: Sequence[Mapping[str, Any]]) -> list[RenderableType]:
    if not rows:
        return [Text("no decision was made"), Text("")]
    kinds = sorted({key for row in rows for key in row} - {"start_s", "seconds"})
    cells = ([f"{row['start_s']:.0f} s", *(f"{row[kind]:,}" if kind in row else "" for kind in kinds)] for row in rows)
    return [_table(("from", *kinds), cells), Text("")]


def _account(document: Mapping[str, Any]) -> Iterable[str]:
    orders = ", ".join(f"{count:,} {name}" for name, count in document["orders"].items() if count)
    yield f"orders: {orders or 'none'}"
    yield (
        f"{document['fills']:,} fills, P&L net {document['pnl_net']} {document['currency']}, "
        f"fees {document['fees']}, volume {document['volume_quote']}"
    )
    written = document["fills_file"]
    if written is None:
        yield "there is no fills.jsonl"
    elif written["equal"]:
        yield f"fills.jsonl says the same: {written['rows']:,} fills, P&L net {written['pnl_net']}"
    else:
        yield f"fills.jsonl says otherwise: {written['rows']:,} fills, P&L net {written['pnl_net']}"


def _verdict(document: Mapping[str, Any]) -> Text:
    same = f"{document['compared']:,} records identical byte for byte"
    if document["ok"]:
        agrees = "; the session's summary says the same" if document["summary"] else "; there is no summary to compare"
        text = f"verified: {document['decisions']:,} decisions, hash {document['hash']}{agrees}; {same}"
        return Text(text, style="green")
    return Text(f"NOT verified: {document['failure']}; before it {same}", style="bold red")


def _difference(difference: Mapping[str, Any]) -> list[RenderableType]:
    where = f" to {difference['connection']}" if difference["connection"] else ""
    head = f"\nrecord {difference['sequence']}: {difference['what']}{where} at {_time(difference['time_ns'])}"
    fields = difference["fields"]
    changed = {field["field"] for field in fields}
    rows = [(field["field"], field["recorded"] or "-", field["replayed"] or "-") for field in fields]
    parts: list[RenderableType] = [
        Text(head, style="bold"),
        _table(("differs", "recorded", "replayed"), rows, left=("differs", "recorded", "replayed")),
    ]
    recorded = difference["recorded"] or {}
    same = [f"{key} {value}" for key, value in recorded.items() if key not in changed and not isinstance(value, dict)]
    if same:
        parts.append(Text(f"the same on both sides: {', '.join(same)}", style="dim"))
    cause = difference["cause"]
    if cause is not None:
        lines = cause["text"].splitlines()
        more = [f"... and {len(lines) - FRAME_LINES} more lines; --json has them"] if len(lines) > FRAME_LINES else []
        whose = f" of {cause['connection']}" if cause["connection"] else ""
        head = f"\ncaused by record {cause['sequence']}: {cause['kind']}{whose} at {_time(cause['time_ns'])}"
        parts += [Text(head, style="bold"), Text("\n".join([*lines[:FRAME_LINES], *more]))]
    return [*parts, Text("")]
