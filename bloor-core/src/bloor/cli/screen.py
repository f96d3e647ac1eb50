"""What a run looks like: the live view and the summary, as rich renderables. Pure: documents in, tables out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

from rich.columns import Columns
from rich.console import Group, RenderableType
from rich.panel import Panel
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

__all__ = ["live_screen", "money", "orders_table", "pairs", "summary_screen"]

_STATES = {0: ("not synchronised", "bold red"), 1: ("splicing", "yellow"), 2: ("synchronised", "green")}
_STAGES = {
    "tick_to_decision": "tick to decision",
    "tick_to_wire": "tick to wire",
    "order_to_ack": "order to ack",
}
#: What is told of market data, by the words for it.
_QUALITY = {"gaps": "gaps", "resyncs": "resyncs", "bad checksums": "checksum_failures", "unreadable": "errors"}


def money(text: str, currency: str = "", *, signed: bool = False) -> Text:
    """An amount with thousands separators and at most four decimals; green or red when its sign matters."""
    value = Decimal(text)
    shown = f"{value:+,.4f}" if signed else f"{value:,.4f}"
    style = ("green" if value > 0 else "red" if value < 0 else "") if signed else ""
    return Text(f"{shown} {currency}".rstrip(), style=style)


def _ns(ns: int) -> str:
    """A duration with a fitting unit."""
    for size, unit in ((1_000_000_000, "s"), (1_000_000, "ms"), (1_000, "us")):
        if ns >= size:
            return f"{ns / size:.2f} {unit}"
    return f"{ns} ns"


def pairs(rows: Mapping[str, RenderableType]) -> Table:
    """Names and values side by side."""
    table = Table.grid(padding=(0, 2))
    table.add_column(style="dim")
    table.add_column(justify="right")
    for name, value in rows.items():
        table.add_row(name, value)
    return table


def _latencies(latencies: Mapping[str, Mapping[str, int]]) -> Table:
    table = Table(box=None, pad_edge=False, header_style="dim")
    table.add_column("latency")
    for name in ("p50", "p99", "p99.9", "max", "n"):
        table.add_column(name, justify="right")
    for stage, name in _STAGES.items():
        row = latencies.get(stage)
        if row and row["count"]:
            table.add_row(
                name, _ns(row["p50"]), _ns(row["p99"]), _ns(row["p999"]), _ns(row["max"]), f"{row['count']:,}"
            )
    return table


def orders_table(orders: Mapping[str, int]) -> Table:
    """How many orders came how far."""
    shown = {name: Text(f"{count:,}") for name, count in orders.items()}
    for bad in ("rejected", "denied", "unknown"):
        if orders.get(bad):
            shown[bad].stylize("yellow")
    return pairs(shown)


def _quality(quality: Mapping[str, Any]) -> Table:
    return pairs(dict(zip(_QUALITY, _qualities(quality), strict=True)))


def _qualities(quality: Mapping[str, Any]) -> list[Text]:
    return [Text(f"{quality.get(key, 0):,}", style="yellow" if quality.get(key) else "") for key in _QUALITY.values()]


def _by_strategy(rows: Sequence[Mapping[str, Any]]) -> Table:
    """What each strategy made, in all its instruments together."""
    table = Table(box=None, pad_edge=False, header_style="dim")
    for name in ("strategy", "sent", "denied", "fills", "volume", "fees", "P&L net", "won"):
        table.add_column(name, justify="left" if name == "strategy" else "right")
    for row in rows:
        orders, rate = row["orders"], row["win_rate"]
        table.add_row(
            row["strategy"], f"{orders['sent']:,}", f"{orders['denied']:,}", f"{row['fills']:,}",
            money(row["volume_quote"]), money(row["fees"]), money(row["pnl_net"], signed=True),
            "-" if rate is None else f"{rate:.0%} of {row['round_trips']}",
        )  # fmt: skip
    return table


def _by_venue(rows: Sequence[Mapping[str, Any]]) -> Table:
    """What came of each venue, and how fast it answers."""
    table = Table(box=None, pad_edge=False, header_style="dim")
    for name in ("venue", "fills", "volume", "fees", "P&L net", "ack p50", "ack p99"):
        table.add_column(name, justify="left" if name == "venue" else "right")
    for row in rows:
        acks = row["order_to_ack_ns"]
        table.add_row(
            row["venue"], f"{row['fills']:,}", money(row["volume_quote"]), money(row["fees"]),
            money(row["pnl_net"], signed=True), *("-" if acks is None else _ns(acks[part]) for part in ("p50", "p99")),
        )  # fmt: skip
    return table


def _venues(rows: Sequence[Mapping[str, Any]]) -> Sequence[RenderableType]:
    """Venues side by side; nothing of a single one, which the totals tell of."""
    return (_by_venue(rows), Text(""), _data_by_venue(rows), Text("")) if len(rows) > 1 else ()


def _data_by_venue(rows: Sequence[Mapping[str, Any]]) -> Table:
    """How good the market data of each venue is; during a run also whether orders can be sent."""
    live = any("orders_ready" in row for row in rows)
    table = Table(box=None, pad_edge=False, header_style="dim")
    table.add_column("venue")
    if live:
        table.add_column("order entry")
    for name in ("messages", *_QUALITY):
        table.add_column(name, justify="right")
    for row in rows:
        ready = Text("ready", style="green") if row.get("orders_ready") else Text("not connected", style="bold red")
        quality = _qualities(row["data_quality"])
        table.add_row(row["venue"], *((ready,) if live else ()), f"{row['messages']:,}", *quality)
    return table


def live_screen(status: Mapping[str, Any], session: str) -> RenderableType:
    """The live view of one status record.

    Args:
        status: As :func:`bloor.observe.summary.live_status` makes it; empty before the first.
        session: The session folder.
    """
    if not status:
        return Panel(Text("waiting for the first frame ...", style="dim"), title="bloor", border_style="cyan")
    currency = status["currency"]
    elapsed, duration = status["elapsed_s"], status["duration_s"]
    clock = f"{elapsed:.1f} s" if duration is None else f"{elapsed:.1f} s of {duration:.0f} s"
    head = Table.grid(expand=True, padding=(0, 2))
    head.add_column(ratio=1)
    head.add_column(justify="right")
    bar: RenderableType = (
        Text("") if duration is None else ProgressBar(total=duration, completed=min(elapsed, duration))
    )
    head.add_row(bar, clock)
    books = Table(box=None, pad_edge=False, header_style="dim", expand=True)
    for name, justify in (
        ("strategy", "left"), ("instrument", "left"), ("book", "left"), ("bid", "right"), ("ask", "right"),
        ("position", "right"), ("P&L net", "right"),
    ):  # fmt: skip
        books.add_column(name, justify=justify)  # type: ignore[arg-type]
    for row in status["books"]:
        state, style = _STATES[row["state"]]
        books.add_row(
            row["strategy"], row["symbol"], Text(row["halted"] or state, style="bold red" if row["halted"] else style),
            Text(row["bid"] or "-", style="green"), Text(row["ask"] or "-", style="red"), row["position"],
            money(row["pnl_net"], signed=True),
        )  # fmt: skip
    totals = pairs(
        {
            "P&L net": money(status["pnl_net"], currency, signed=True),
            "fees": money(status["fees"], currency),
            "fills": Text(f"{status['fills']:,}"),
            "open orders": Text(f"{status['open_orders']:,}"),
            "frames": Text(f"{status['frames']:,}"),
            "events": Text(f"{status['events']:,}"),
        }
    )
    parts: list[RenderableType] = [
        head,
        Text(""),
        books,
        Text(""),
        Columns([totals, orders_table(status["orders"]), _quality(status["data_quality"])], padding=(0, 6)),
        Text(""),
        *((_data_by_venue(status["venues"]), Text("")) if len(status["venues"]) > 1 else ()),
        _latencies(status["latency_ns"]),
    ]
    if status["denials"]:
        parts.append(Text("denied: " + ", ".join(f"{code} {n:,}" for code, n in status["denials"].items()), "yellow"))
    if status["halted"]:
        parts.append(Text(f"HALTED: {status['halted']}", "bold red"))
    parts.append(Text(f"{session}   Ctrl-C cancels open orders and ends the run", style="dim"))
    return Panel(Group(*parts), title="bloor", border_style="cyan", padding=(0, 1))


def summary_screen(document: Mapping[str, Any]) -> RenderableType:
    """The summary at the end of a run.

    Args:
        document: As :func:`bloor.observe.summary.summary` makes it.
    """
    currency = document["currency"]
    win_rate = document["win_rate"]
    mode = f"{document['mode']} {document.get('env', '')}".strip()
    head = Text(
        f"{', '.join(document['strategies'])} on {', '.join(document['instruments'])}, {mode}, "
        f"{document['duration_s']:.1f} s"
    )
    totals = pairs(
        {
            "P&L net": money(document["pnl_net"], currency, signed=True),
            "fees": money(document["fees"], currency),
            "volume": money(document["volume_quote"], currency),
            "fills": Text(f"{document['fills']:,}"),
            "round trips won": Text("-" if win_rate is None else f"{win_rate:.0%} of {document['round_trips']}"),
            "frames": Text(f"{document['frames']:,}"),
        }
    )
    positions = Table(box=None, pad_edge=False, header_style="dim")
    for name in ("position", "quantity", "average price", "mark", "P&L net"):
        positions.add_column(name, justify="left" if name == "position" else "right")
    for row in document["positions"]:
        average = row["avg_price"]
        positions.add_row(
            f"{row['strategy']} {row['venue']}:{row['symbol']}", row["qty"],
            Text("-") if average is None else money(average), money(row["mark"]), money(row["pnl_net"], signed=True),
        )  # fmt: skip
    parts: list[RenderableType] = [
        head,
        Text(""),
        Columns([totals, orders_table(document["orders"]), _quality(document["data_quality"])], padding=(0, 6)),
        Text(""),
        positions,
        Text(""),
        *((_by_strategy(document["by_strategy"]), Text("")) if len(document["strategies"]) > 1 else ()),
        *_venues(document["by_venue"]),
        _latencies(document["latency_ns"]),
    ]
    if document["denials"]:
        parts.append(Text("denied: " + ", ".join(f"{code} {n:,}" for code, n in document["denials"].items()), "yellow"))
    parts += [Text(f"notice: {notice}", "yellow") for notice in document["notices"]]
    if document["failure"]:
        parts.append(Text(f"failed: {document['failure']}", "bold red"))
    parts.append(Text(f"decisions {document['hash']}   session {document['session']}", style="dim", overflow="fold"))
    return Panel(
        Group(*parts), title="bloor run", border_style="red" if document["failure"] else "cyan", padding=(0, 1)
    )
