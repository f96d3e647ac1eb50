"""The sections of the page, from the headline to the versions; each gives HTML, or nothing where there is nothing."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import TYPE_CHECKING

from bloor.observe.page.parts import money, plot, section
from bloor.observe.page.plots import DESKS_MAX, gaps_of
from bloor.observe.page.results import desks, execution, largest_fills, profit, round_trips
from bloor.observe.page.words import NONE, amount, duration, moment, number, pairs, percent, plain, table

if TYPE_CHECKING:
    from bloor.observe.page.document import Page

__all__ = ["ALL"]

#: Gaps that are told one by one.
GAPS_TOLD = 8


def head(page: Page) -> str:
    """What ran, when, on what."""
    ledger = page.ledger
    traded = ", ".join(plain(name) for name in ledger.instruments())
    span = f"{moment(ledger.begin_ns)} to {moment(ledger.end_ns)} UTC"
    length = duration((ledger.end_ns - ledger.begin_ns) / 1e9)
    return (
        f'<header><p class="kind">{plain(page.kind)}</p><h1>{plain(page.title)}</h1>'
        f'<p class="sub">{traded}<br>{span}, {length}</p></header>'
    )


def warnings(page: Page) -> str:
    """What changes how the result is to be read."""
    told = [plain(warning) for warning in page.warnings]
    gaps = gaps_of(page.ledger)
    if gaps:
        lost = sum(end - begin for begin, end in gaps) / 1e9
        each = "; ".join(f"{moment(begin)}, {duration((end - begin) / 1e9)}" for begin, end in gaps[:GAPS_TOLD])
        more = f"; and {len(gaps) - GAPS_TOLD} more" if len(gaps) > GAPS_TOLD else ""
        told.insert(
            0,
            f"<strong>The data has {len(gaps)} gap{'s' if len(gaps) > 1 else ''}, {duration(lost)} in all.</strong> "
            f"Nothing is known of the market in between; the plots are shaded there. {each}{more}.",
        )
    if not len(page.ledger.fills):
        told.append("<strong>There was no fill.</strong>")
    return "".join(f'<p class="warning" role="note">{each}</p>' for each in told)


def headline(page: Page) -> str:
    """The numbers that are looked at first."""
    s = page.statistics
    returned = "after fees" if s.return_on_capital is None else f"{percent(s.return_on_capital, 3)} of the capital"
    ratio, error = s.ratios.sharpe, s.ratios.sharpe_error
    sharpe = NONE if ratio is None else number(ratio, 1)
    step = duration(s.ratios.step_s)
    sampled = f"± {number(error, 1)}, annualised from {step} steps" if error is not None else "not defined for this run"
    fall = s.drawdown
    tiles = [
        ("Profit, net", money(s.profit.net, s.currency, sign=True), returned, _tone(s.profit.net)),
        ("Sharpe ratio", sharpe, sampled, ""),
        (
            "Largest drawdown",
            NONE if fall is None else money(-fall.depth, s.currency),
            "never below a peak" if fall is None else f"longest below a peak: {duration(fall.longest_ns / 1e9)}",
            "",
        ),
        ("Traded value", money(s.turnover.value, s.currency), f"{amount(s.turnover.per_hour)} an hour", ""),
        ("Fills", number(s.fills, 0), f"{percent(s.maker_ratio or 0.0)} of the value resting", ""),
        ("Round trips won", percent(s.trips.win_rate), f"of {number(s.trips.count, 0)}, flat to flat", ""),
        ("Orders filled", percent(s.orders.fill_ratio), f"of {number(s.orders.sent, 0)} sent", ""),
        ("Fees", money(s.profit.fees, s.currency), "negative: rebates" if s.profit.fees < 0 else "less rebates", ""),
    ]
    return (
        '<section id="headline" aria-label="Headline"><div class="tiles">'
        + "".join(
            f'<div class="tile"><p class="label">{label}</p><p class="value {tone}">{value}</p>'
            f'<p class="small">{small}</p></div>'
            for label, value, small, tone in tiles
        )
        + "</div></section>"
    )


def _tone(value: Decimal) -> str:
    return "good" if value > 0 else "bad" if value < 0 else ""


def over_time(page: Page) -> str:
    """The plots that share one axis of time."""
    desks = page.ledger.desks
    choice = ""
    if len(desks) > 1:
        left = f", the {DESKS_MAX} with the most fills" if len(desks) > DESKS_MAX else ""
        choice = f'<label>Price and position of <select id="desk"></select>{left}</label>'
    tools = (
        f'<div class="tools"><span id="span" aria-live="polite"></span>{choice}<span class="buttons">'
        '<button type="button" id="out" aria-label="Zoom out">&minus;</button>'
        '<button type="button" id="in" aria-label="Zoom in">+</button>'
        '<button type="button" id="whole">Whole run</button></span></div>'
        '<p class="note screen">Drag across a plot to zoom in, double-click for the whole run; with a plot in focus, '
        "the arrow keys move and + &minus; 0 zoom.</p>"
        "<noscript><p>The plots need JavaScript; the tables do not.</p></noscript>"
    )
    currency = plain(page.ledger.currency)
    return section(
        "time",
        "Over time",
        tools,
        plot("equity", f"Equity since the start, {currency}", wide=True),
        plot("drawdown", f"Drawdown, {currency}", wide=True),
        plot("price", "Mid price and own fills", wide=True),
        plot("position", "Position", wide=True),
    )


def sensitivities(page: Page) -> str:
    """How the result changes with the assumptions."""
    sheet = page.sensitivities
    if sheet is None or not sheet.rows:
        return ""
    text = sum(all(isinstance(row[n], str) for row in sheet.rows) for n in range(len(sheet.columns[:1])))
    rows = [[_cell(cell) for cell in row] for row in sheet.rows]
    note = f'<p class="note">{plain(sheet.note)}</p>' if sheet.note else ""
    return section("sensitivities", "Sensitivities", table([plain(c) for c in sheet.columns], rows, left=text), note)


def _cell(cell: object) -> str:
    if isinstance(cell, bool) or not isinstance(cell, int | float | Decimal):
        return plain(cell)
    return number(cell, 0) if isinstance(cell, int) else amount(cell)


def basis(page: Page) -> str:
    """What the result rests on."""
    parts = []
    lists = {"Assumptions": page.assumptions, "Data": page.data, "Quality of the data": page.quality}
    lists |= {f"Parameters of {name}": values for name, values in page.parameters.items()}
    for title, values in lists.items():
        if values:
            rows = {plain(name): plain(value) for name, value in values.items()}
            parts.append(f"<div><h3>{plain(title)}</h3>{pairs(rows)}</div>")
    again = {"Seed": plain(page.seed), "Hash of all decisions": f"<code>{plain(page.hash or None)}</code>"}
    again |= {plain(name): plain(version) for name, version in page.versions.items()}
    parts.append(f"<div><h3>To do it again</h3>{pairs(again)}</div>")
    command = f"<pre>{plain(page.command)}</pre>" if page.command else ""
    notices = "".join(f"<li>{plain(notice)}</li>" for notice in page.notices)
    told = f"<h3>Notices</h3><ul>{notices}</ul>" if notices else ""
    return section("basis", "What it rests on", f'<div class="lists">{"".join(parts)}</div>', command, told)


#: In the order of the page.
ALL: tuple[Callable[[Page], str], ...] = (
    head,
    warnings,
    headline,
    over_time,
    profit,
    desks,
    round_trips,
    execution,
    largest_fills,
    sensitivities,
    basis,
)
