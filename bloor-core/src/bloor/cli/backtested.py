"""What a backtest looks like on a terminal. Pure: documents in, tables out."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from rich.columns import Columns
from rich.console import Group, RenderableType
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from bloor.cli.screen import money, orders_table, pairs

__all__ = ["backtest_screen", "parity_screen"]


def _number(value: float | None, digits: int = 2, *, percent: bool = False) -> Text:
    if value is None:
        return Text("-")
    return Text(f"{value:,.{digits}%}" if percent else f"{value:,.{digits}f}")


def _money_or_dash(value: Any, currency: str = "", *, signed: bool = False) -> Text:
    return Text("-") if value is None else money(str(value), currency, signed=signed)


def backtest_screen(document: Mapping[str, Any]) -> RenderableType:
    """The result of a backtest.

    Args:
        document: As :func:`bloor.host.backtest.document.document_of` makes it.
    """
    currency, found = document["currency"], document["statistics"]
    hours = document["duration_s"] / 3600
    head = Text(f"{', '.join(document['strategies'])} on {', '.join(document['instruments'])}, {hours:,.2f} h")
    drawdown, ratios, trips = found["drawdown"], found["ratios"], found["trips"]
    rate = document["win_rate"]
    totals = pairs(
        {
            "P&L net": money(document["pnl_net"], currency, signed=True),
            "fees": money(document["fees"], currency),
            "volume": money(document["volume_quote"], currency),
            "fills": Text(f"{document['fills']:,}"),
            "round trips won": Text("-" if rate is None else f"{rate:.0%} of {document['round_trips']:,}"),
            "drawdown": _money_or_dash(drawdown and drawdown["depth"], currency),
        }
    )
    quality = pairs(
        {
            "Sharpe": _number(ratios["sharpe"]),
            "Sortino": _number(ratios["sortino"]),
            "fill ratio": _number(found["orders"]["fill_ratio"], 1, percent=True),
            "maker ratio": _number(found["maker_ratio"], 1, percent=True),
            "slippage, bps": _number(found["slippage"]["mean_bps"]),
            "holding time, s": _number(trips["holding_s_mean"], 1),
        }
    )
    positions = Table(box=None, pad_edge=False, header_style="dim")
    for name in ("position", "quantity", "mark", "fills", "fees", "P&L net"):
        positions.add_column(name, justify="left" if name == "position" else "right")
    for row in document["positions"]:
        positions.add_row(
            f"{row['strategy']} {row['venue']}:{row['symbol']}", row["qty"], money(row["mark"]), f"{row['fills']:,}",
            money(row["fees"]), money(row["pnl_net"], signed=True),
        )  # fmt: skip
    less = [f"{row['sellable']} of {row['qty']}" for row in document["positions"] if row["sellable"] != row["qty"]]
    assumed = document["assumptions"]
    walls = document["wall_s"]
    parts: list[RenderableType] = [
        head,
        Text(""),
        Columns([totals, orders_table(document["orders"]), quality], padding=(0, 6)),
        Text(""),
        positions,
        *([Text(f"held after fees in the base asset: {', '.join(less)}", style="dim")] if less else ()),
        Text(""),
        Text(
            f"latency {_model(assumed['latency'])}   queue {_model(assumed['queue_model'])}   fees "
            + ", ".join(_charged(venue, model) for venue, model in assumed["fees"].items()),
            style="dim",
            overflow="fold",
        ),
        Text(
            f"{document['frames']:,} records, {document['events']:,} events handled, {walls['run']:.3f} s",
            style="dim",
        ),
    ]
    if document["denials"]:
        parts.append(Text("denied: " + ", ".join(f"{code} {n:,}" for code, n in document["denials"].items()), "yellow"))
    parts += [Text(f"notice: {notice}", "yellow") for notice in document["notices"]]
    if document.get("report"):
        parts.append(Text(f"report {document['report']}", style="cyan", overflow="fold"))
    parts.append(Text(f"decisions {document['decisions']:,}, hash {document['hash']}", style="dim", overflow="fold"))
    return Panel(Group(*parts), title="bloor backtest", border_style="cyan", padding=(0, 1))


def _charged(venue: str, model: Mapping[str, Any] | None) -> str:
    """The fee model of a venue, which often has the venue's name."""
    return _model(model) if model is not None and model["name"] == venue else f"{venue}: {_model(model)}"


def _model(model: Mapping[str, Any] | None) -> str:
    """A model in a few words."""
    if model is None:
        return "none"
    rest = ",".join(f"{key}={value}" for key, value in model.items() if key != "name")
    return f"{model['name']}:{rest}" if rest else str(model["name"])


def parity_screen(document: Mapping[str, Any]) -> RenderableType:
    """How a session and backtests of it agree.

    Args:
        document: As :meth:`bloor.host.backtest.parity.Parity.as_dict` makes it.
    """
    table = Table(box=None, pad_edge=False, header_style="dim")
    for name in (
        "answers", "decisions the same", "orders the same", "at whatever time", "fills, session", "fills, backtest",
    ):  # fmt: skip
        table.add_column(name, justify="left" if name == "answers" else "right")
    for name, row in (("recorded", document["recorded"]), ("simulated (closed loop)", document["closed_loop"])):
        table.add_row(
            name,
            f"{row['same']:,} of {row['decisions']:,}",
            f"{row['matched']:,} of {row['orders']:,} ({row['share']:.1%})",
            f"{row['alike']:,} ({row['share_alike']:.1%})",
            *(f"{count:,}" for count in row["fills"]),
        )
    fates = document["open_loop"]
    open_loop = (
        f"the session's orders at the simulated venue (open loop): {fates['same']:,} of {fates['orders']:,} have the "
        f"same fate ({fates['share']:.1%}), fills {fates['fills_apart_ns']['p90'] / 1e6:.3f} ms apart at most for 90 %"
    )
    parts: list[RenderableType] = [table, Text(""), Text(open_loop, overflow="fold")]
    for name in ("recorded", "open_loop", "closed_loop"):
        if document[name]["first_difference"]:
            first, style = document[name]["first_difference"], "bold red" if name == "recorded" else "yellow"
            parts.append(Text(f"{name.replace('_', ' ')}: {first}", style, overflow="fold"))
    if document["tried"]:
        tried = ", ".join(
            f"{name} {each['open_loop']:.1%} / {each['closed_loop']:.1%}" for name, each in document["tried"].items()
        )
        parts.append(Text(f"queue models (open / closed loop): {tried}", style="dim", overflow="fold"))
        options = " ".join(f"--{name} {value}" for name, value in document["fitted"].items())
        parts.append(Text(f"fitted by the open loop: {options}", overflow="fold"))
    return Panel(Group(*parts), title="bloor backtest --calibrate", border_style="cyan", padding=(0, 1))
