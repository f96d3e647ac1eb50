"""What the page's script draws, as plain data of a bounded size, whatever the number of fills."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from bloor.observe.ledger import Fills, Ledger, LedgerDesk
from bloor.observe.page.columns import columns_of, packed
from bloor.observe.quality import FillsSeen, MarkOut, Mean
from bloor.observe.statistics import Statistics

__all__ = ["DESKS_MAX", "plots"]

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]

#: Columns of all curves of prices together; each desk gets its share, but not fewer than the second number.
COLUMNS, COLUMNS_MIN = 1920, 160
#: Desks that are drawn.
DESKS_MAX = 12
#: Markers of fills of all desks together; where there are more fills, those near each other are one marker.
MARKERS = 1600
#: Bars of a histogram, and the share of the values that is beyond it at each end.
BINS, TAIL = 40, 0.005
MINUTE_NS = 60_000_000_000
#: How long the stretches of the profit over time may be, shortest first; the first one that gives few enough bars.
STRETCHES_NS = {
    "second": 1_000_000_000,
    "10 seconds": 10_000_000_000,
    "minute": MINUTE_NS,
    "5 minutes": 5 * MINUTE_NS,
    "15 minutes": 15 * MINUTE_NS,
    "hour": 60 * MINUTE_NS,
    "4 hours": 240 * MINUTE_NS,
    "day": 1440 * MINUTE_NS,
    "week": 7 * 1440 * MINUTE_NS,
}
BARS_MAX = 60


def plots(ledger: Ledger, statistics: Statistics) -> dict[str, Any]:
    """Everything that is drawn."""
    curve, span = statistics.curve, (ledger.begin_ns, max(ledger.end_ns, ledger.begin_ns + 1))
    equity = columns_of(curve.time_ns, curve.equity, *span, COLUMNS)
    fall = curve.equity - np.maximum.accumulate(curve.equity)
    fallen = columns_of(curve.time_ns, fall, *span, COLUMNS)
    drawn = _drawn(ledger)
    share = max(COLUMNS // max(len(drawn), 1), COLUMNS_MIN)
    markers = MARKERS // max(len(drawn), 1)
    return {
        "currency": ledger.currency,
        "begin": span[0] / 1e6,
        "end": span[1] / 1e6,
        "equity": packed(equity.low, equity.high, equity.last),
        "drawdown": packed(fallen.low, fallen.high, fallen.last),
        "desks": [_desk(ledger, number, share, markers) for number in drawn],
        "gaps": [[begin / 1e6, end / 1e6] for begin, end in gaps_of(ledger)],
        "profit": _by_time(ledger, statistics),
        "trips": _histogram(statistics.round_trips.profit, np.ones(len(statistics.round_trips))),
        "markouts": [_mark_out(each) for each in statistics.mark_outs],
        "slippage": _histogram(*FillsSeen(ledger).taken),
    }


def gaps_of(ledger: Ledger) -> list[tuple[int, int]]:
    """The gaps of all books, each once, in the order of time."""
    return sorted({gap for desk in ledger.desks for gap in desk.marks.gaps})


def _drawn(ledger: Ledger) -> list[int]:
    """The desks with the most fills, in their order."""
    fills = np.bincount(ledger.fills.desk, minlength=len(ledger.desks))
    most = np.argsort(-fills, kind="stable")[:DESKS_MAX]
    return sorted(int(number) for number in most if len(ledger.desks[number].marks))


def _desk(ledger: Ledger, number: int, columns: int, markers: int) -> dict[str, Any]:
    desk, fills = ledger.desks[number], ledger.fills.of(ledger.fills.desk == number)
    i, span = desk.instrument, (ledger.begin_ns, max(ledger.end_ns, ledger.begin_ns + 1))
    tick = i.tick_units / 10**i.price_decimals
    price = columns_of(desk.marks.time_ns, desk.marks.mid2 * (tick / 2), *span, columns)
    held = np.cumsum(fills.side.astype(np.int64) * fills.units - fills.fee_base) / 10**i.qty_decimals
    times = np.concatenate(([ledger.begin_ns], fills.recv_ns))
    position = columns_of(times, np.concatenate(([0.0], held)), *span, columns)
    return {
        "name": desk.name,
        "base": i.base,
        "quote": i.quote,
        "decimals": i.price_decimals,
        "price": packed(price.low, price.high, price.last),
        "position": packed(position.low, position.high, position.last),
        "fills": _markers(fills, desk, span, markers),
    }


def _markers(fills: Fills, desk: LedgerDesk, span: tuple[int, int], limit: int) -> dict[str, Any]:
    """Fills as markers.

    Time in ms since the begin and price in ticks are told as their changes; kind has a bit 1 bought, 2 resting.
    """
    i = desk.instrument
    kind = (fills.side > 0) + 2 * fills.maker.astype(np.int64)
    time = (fills.recv_ns - span[0]) / 1e6
    price = fills.price.astype(np.float64)
    qty = fills.units / 10**i.qty_decimals
    count = np.ones(len(fills), np.int64)
    stretch = 0.0
    if len(fills) > limit:
        cells = max(limit // 4, 1)
        stretch = (span[1] - span[0]) / 1e9 / cells
        key = np.minimum((time * (cells * 1e6 / (span[1] - span[0]))).astype(np.int64), cells - 1) * 4 + kind
        count = np.bincount(key, minlength=4 * cells)
        some = np.flatnonzero(count)
        sums = [np.bincount(key, weights, 4 * cells)[some] for weights in (qty, qty * price, qty * time)]
        count, kind, qty = count[some], some % 4, sums[0]
        price, time = sums[1] / qty, sums[2] / qty
    return {
        "merged_s": stretch,
        "tick": i.tick_units / 10**i.price_decimals,
        "time": _changes(time),
        "price": _changes(price),
        "qty": [float(f"{each:.4g}") for each in qty.tolist()],
        "count": count.tolist() if stretch else [],
        "kind": kind.tolist(),
    }


def _changes(values: Floats) -> list[int]:
    """Rounded, the first one and then the changes."""
    changes: list[int] = np.diff(np.rint(values).astype(np.int64), prepend=0).tolist()
    return changes


def _by_time(ledger: Ledger, statistics: Statistics) -> dict[str, Any]:
    """Profit by stretches of the clock in UTC."""
    begin, end = ledger.begin_ns, ledger.end_ns
    name, stretch = next(
        ((name, size) for name, size in STRETCHES_NS.items() if (end - begin) / size <= BARS_MAX),
        list(STRETCHES_NS.items())[-1],
    )
    if name == "week":  # 1970 began on a Thursday
        edges = np.arange((begin // stretch) * stretch - 3 * (stretch // 7), end + stretch, stretch, dtype=np.int64)
    else:
        edges = np.arange((begin // stretch) * stretch, end + stretch, stretch, dtype=np.int64)
    values = np.diff(statistics.curve.at(edges))
    return {"every": name, "begin": (edges[:-1] / 1e6).tolist(), "value": [float(f"{v:.6g}") for v in values.tolist()]}


def _histogram(values: Floats, weights: Floats) -> dict[str, Any]:
    """Shares of the whole between edges; what is beyond the outermost edges is in the outermost bars."""
    if not len(values):
        return {"edges": [], "share": []}
    low, high = np.quantile(values, [TAIL, 1 - TAIL])
    if not high > low:
        low, high = float(values.min()), float(values.max())
    if not high > low:
        low, high = low - 0.5, high + 0.5
    bins = min(BINS, max(8, int(2 * np.sqrt(len(values)))))
    step = (high - low) / bins
    if low < 0 < high:  # zero is an edge, so that no bar is both good and bad
        low, high = np.floor(low / step) * step, np.ceil(high / step) * step
        bins = round((high - low) / step)
    edges = np.linspace(low, high, bins + 1)
    edges[np.abs(edges) < step * 1e-6] = 0.0
    sums, _ = np.histogram(np.clip(values, low, high), edges, weights=weights)
    whole = float(sums.sum()) or 1.0
    return {
        "edges": [float(f"{each:.6g}") for each in edges.tolist()],
        "share": [float(f"{each:.5g}") for each in (sums / whole).tolist()],
        "below": bool((values < low).any()),
        "above": bool((values > high).any()),
    }


def _mark_out(mark_out: MarkOut) -> dict[str, Any]:
    def told(mean: Mean) -> list[Any]:
        return [mean.bps, mean.error_bps, mean.count]

    return {"seconds": mark_out.seconds, "maker": told(mark_out.maker), "taker": told(mark_out.taker)}
