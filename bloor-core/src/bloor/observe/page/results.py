"""The sections of the page that tell the result: profit, round trips, execution, the largest of each."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from bloor.model.orders import Side
from bloor.observe.page.parts import money, plot, section
from bloor.observe.page.words import MINUS, NONE, amount, duration, moment, number, pairs, percent, plain, table
from bloor.observe.quality import Spread

if TYPE_CHECKING:
    from bloor.observe.page.document import Page

__all__ = ["desks", "execution", "largest_fills", "profit", "round_trips"]

#: Rows of the tables of the largest fills and round trips.
LARGEST = 8


def profit(page: Page) -> str:
    """Where the profit came from."""
    s, currency = page.statistics, page.statistics.currency
    fall, exposure = s.drawdown, s.exposure
    split = {
        "Against the mid at each fill": money(s.profit.edge, currency, sign=True),
        "From holding while the mid moved": money(s.profit.inventory, currency, sign=True),
        "Trading, both together": money(s.profit.trading, currency, sign=True),
        "Fees": money(-s.profit.fees, currency, sign=True),
        "<b>Net</b>": f"<b>{money(s.profit.net, currency, sign=True)}</b>",
    }
    risk = {
        "Sharpe, Sortino a year": f"{number(s.ratios.sharpe)}, {number(s.ratios.sortino)}",
        "Samples": f"{number(s.ratios.samples, 0)}, every {duration(s.ratios.step_s)}" if s.ratios.samples else NONE,
        "Calmar": number(s.ratios.calmar),
        "Profit by drawdown": number(s.ratios.recovery),
        "Drawdown": NONE if fall is None else f"from {moment(fall.begin_ns)}",
        "At its bottom": NONE if fall is None else moment(fall.bottom_ns),
        "Recovered": NONE if fall is None else "no" if fall.recovery_ns is None else moment(fall.recovery_ns),
        "Drawdown of the capital": percent(None if fall is None else fall.relative, 3),
    }
    held = {
        "Time in the market": percent(exposure.in_market),
        "Held on average": money(exposure.gross_mean, currency),
        "Held at most": money(exposure.gross_max, currency),
        "Most long, most short": f"{amount(exposure.long_max)}, {amount(-exposure.short_max)}",
        "Traded by held": NONE if s.turnover.times_held is None else f"{number(s.turnover.times_held, 1)} times",
    }
    lists = f'<div class="lists"><div><h3>Split</h3>{pairs(split)}</div><div><h3>Risk</h3>{pairs(risk)}</div>'
    lists += f"<div><h3>Exposure</h3>{pairs(held)}</div></div>"
    return section("profit", "Profit", plot("profit", "Profit over time", wide=True), lists)


def round_trips(page: Page) -> str:
    """Round trips: how they are spread, and the best and the worst."""
    s, ledger = page.statistics, page.ledger
    if not len(s.round_trips):
        return ""
    t, currency = s.trips, s.currency
    facts = {
        "Ended": number(t.count, 0),
        "Won": f"{number(t.wins, 0)}, {percent(t.win_rate)}",
        "Mean win, mean loss": f"{amount(t.win_mean)}, {amount(None if t.loss_mean is None else -t.loss_mean)}",
        "Profit factor": number(t.profit_factor),
        "Expectancy": money(t.expectancy, currency, sign=True),
        "Held, mean and median": f"{duration(t.holding_s_mean)}, {duration(t.holding_s_median)}",
    }
    trips = s.round_trips
    order = np.argsort(trips.profit, kind="stable")
    half = min(LARGEST // 2, len(order) // 2 or 1)
    chosen = list(dict.fromkeys([*order[::-1][:half].tolist(), *order[:half][::-1].tolist()]))
    rows = [
        [
            moment(int(trips.end_ns[n])),
            plain(ledger.desks[int(trips.desk[n])].name),
            "long" if trips.side[n] > 0 else "short",
            number(int(trips.fills[n]), 0),
            amount(float(trips.value[n])),
            duration(float(trips.end_ns[n] - trips.begin_ns[n]) / 1e9),
            amount(float(trips.profit[n]), sign=True),
        ]
        for n in chosen
    ]
    drawn = plot("trips", f"Profit of a round trip, {plain(currency)}")
    head_ = ("Ended, UTC", "Of", "Side", "Fills", "Opened", "Held", f"Profit, {plain(currency)}")
    return section(
        "trips",
        "Round trips",
        f'<div class="grid">{drawn}<div>{pairs(facts)}</div></div>',
        "<h3>Best and worst</h3>",
        table(head_, rows, left=3),
    )


def _bps(value: float | None) -> str:
    return NONE if value is None else f'{number(value, 2, sign=True)}&nbsp;<span class="unit">bps</span>'


def execution(page: Page) -> str:
    """How well orders were executed."""
    s = page.statistics
    if not s.fills and not s.orders.sent:
        return ""
    slip, orders = s.slippage, s.orders
    quantiles = slip.quantiles_bps
    taken = {
        "Fills that took": number(slip.count, 0),
        "Slippage, mean": _bps(slip.mean_bps),
        "Middle nine tenths": f"{number(quantiles['0.05'])} to {number(quantiles['0.95'])} bps" if quantiles else NONE,
        "Cost": money(slip.cost, s.currency),
    }
    sent = {
        "Sent": number(orders.sent, 0),
        "With a fill": f"{number(orders.with_fill, 0)}, {percent(orders.fill_ratio)}",
        "Filled of the quantity": percent(orders.quantity_ratio),
        **{status.replace("_", " ").capitalize(): number(count, 0) for status, count in orders.by_status.items()},
    }

    def spread(name: str, of: Spread) -> list[str]:
        return [name, number(of.count, 0), *(_bps(v) for v in (of.effective_bps, of.impact_bps, of.realised_bps))]

    spreads = table(
        ("Spread, twice the distance to the mid", "Fills", "Earned at the fill", "Moved against us", "Left after 5 s"),
        [spread("Resting", s.maker_spread), spread("Taking", s.taker_spread)],
    )
    markouts = plot(
        "markouts",
        "Mark-out after a fill, bps",
        "What the mid did after a fill, weighed by value: above zero is good for us. Bars: two standard errors.",
    )
    slippage = plot(
        "slippage",
        "Slippage of fills that took, bps",
        "Price paid against the mid when it was decided; above zero is a cost.",
    )
    lists = f'<div class="lists"><div><h3>Orders</h3>{pairs(sent)}</div><div><h3>Taking</h3>{pairs(taken)}</div></div>'
    return section("execution", "Execution", f'<div class="grid">{markouts}{slippage}</div>', spreads, lists)


def desks(page: Page) -> str:
    """Every strategy in every instrument, when there are several."""
    rows = page.statistics.desks
    if len(rows) < 2:
        return ""
    head_ = ("Strategy", "Instrument", "Fills", "Resting", "Traded", "Trips", "Won", "Fees", "Net", "Position")
    cells = [
        [
            plain(d.strategy),
            plain(f"{d.venue}:{d.symbol}"),
            number(d.fills, 0),
            percent(d.maker_ratio),
            amount(d.profit.volume),
            number(d.trips.count, 0),
            percent(d.trips.win_rate),
            amount(d.profit.fees),
            amount(d.profit.net, sign=True),
            f"{d.position.normalize():f}".replace("-", MINUS),
        ]
        for d in rows
    ]
    held = "positions in the base asset, before fees that were taken in it"
    money = f'<p class="note">Money in {plain(page.statistics.currency)}, {held}.</p>'
    return section("desks", "Strategies and instruments", table(head_, cells, left=2), money)


def largest_fills(page: Page) -> str:
    """The largest fills by value."""
    ledger, fills = page.ledger, page.ledger.fills
    if not len(fills):
        return ""
    scales = [float(d.rate) * d.instrument.tick_units / 10**d.instrument.value_decimals for d in ledger.desks]
    value = fills.price * (fills.units * np.array(scales)[fills.desk])
    chosen = np.argsort(-value, kind="stable")[:LARGEST]
    rows = []
    for n in chosen.tolist():
        desk = ledger.desks[int(fills.desk[n])]
        i = desk.instrument
        rows.append(
            [
                moment(int(fills.recv_ns[n])),
                plain(desk.name),
                ("bought" if fills.side[n] == Side.BUY else "sold") + (", resting" if fills.maker[n] else ", taking"),
                number(i.price(int(fills.price[n])), i.price_decimals),
                plain(f"{i.qty(int(fills.units[n])).normalize():f}"),
                amount(float(value[n])),
            ]
        )
    head_ = ("Time, UTC", "Of", "Side", "Price", "Quantity", f"Value, {plain(ledger.currency)}")
    return section("fills", "Largest fills", table(head_, rows, left=3))
