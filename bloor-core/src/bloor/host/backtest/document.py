"""The document of a backtest, its page and its tables.

The document has the fields of that of a run (:mod:`bloor.observe.summary`), and ``statistics``, ``assumptions`` and
``data`` beside them. Times of latency are what the models gave.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from decimal import Decimal
from importlib import metadata
from typing import Any

import numpy as np

from bloor import __version__
from bloor.backtesting.models import described
from bloor.config.fingerprint import plain
from bloor.host.backtest.run import BacktestOutcome
from bloor.model.decimals import format_units
from bloor.observe.page import Page, Sheet
from bloor.storage.manifest import Import

__all__ = ["assumptions", "document_of", "page_of"]

_CANCELLED = ("cancelled", "expired")
#: What the page calls counts whose names are no words.
_QUALITY = {"stale_s": "without a book, s", "errors": "lines not used", "crossed": "crossed books"}


def document_of(outcome: BacktestOutcome) -> dict[str, Any]:
    """What ``bloor backtest --json`` prints."""
    plan, found, ledger = outcome.plan, outcome.statistics, outcome.ledger
    trips = found.trips
    return {
        "mode": "backtest",
        "session": None,
        "strategies": [s.name for s in plan.strategies],
        "instruments": [f"{lane.instrument.venue}:{lane.instrument.symbol}" for lane in plan.data],
        "currency": ledger.currency,
        "rates": plan.reporting.record()["rates"],
        "frames": sum(lane.survey.rows for lane in plan.data),
        "events": outcome.logs.events,
        "orders": _tally(outcome),
        "fills": found.fills,
        "volume_quote": f"{found.profit.volume:f}",
        "fees": f"{found.profit.fees:f}",
        "pnl_net": f"{found.profit.net:f}",
        "win_rate": None if trips.win_rate is None else round(trips.win_rate, 4),
        "round_trips": trips.count,
        "positions": _positions(outcome),
        "latency_ns": _latencies(outcome),
        "denials": dict(sorted(outcome.denials.items())),
        "data_quality": _quality(outcome),
        "statistics": found.as_dict(),
        "assumptions": assumptions(outcome),
        "parameters": {s.name: _parameters(s.config) for s in plan.strategies},
        "data": _data(outcome),
        "begin_ns": ledger.begin_ns,
        "end_ns": ledger.end_ns,
        "duration_s": round((ledger.end_ns - ledger.begin_ns) / 1e9, 3),
        "wall_s": {stage: round(seconds, 4) for stage, seconds in outcome.seconds.items()},
        "seed": plan.run.seed,
        "hash": outcome.logs.hash,
        "decisions": outcome.logs.decided,
        "notices": [*plan.notices, *_warnings(outcome)],
        "versions": _versions(outcome),
    }


def _tally(outcome: BacktestOutcome) -> dict[str, int]:
    by_status = outcome.statistics.orders.by_status
    sent = outcome.statistics.orders.sent
    rejected = by_status.get("rejected", 0)
    return {
        "sent": sent,
        "acked": sent - rejected - by_status.get("pending_new", 0),
        "filled": by_status.get("filled", 0),
        "cancelled": sum(by_status.get(name, 0) for name in _CANCELLED),
        "rejected": rejected,
        "denied": sum(outcome.denials.values()),
        "unknown": by_status.get("unknown", 0) + by_status.get("lost", 0),
    }


def _positions(outcome: BacktestOutcome) -> list[dict[str, Any]]:
    rows = []
    ledger = outcome.ledger
    for number, (desk, found) in enumerate(zip(ledger.desks, outcome.statistics.desks, strict=True)):
        i = desk.instrument
        mark2 = int(desk.marks.mid2[-1]) if len(desk.marks) else 0
        kept = int(ledger.fills.fee_base[ledger.fills.desk == number].sum())
        rows.append(
            {
                "strategy": desk.strategy,
                "venue": i.venue,
                "symbol": i.symbol,
                "qty": f"{found.position:f}",
                "sellable": f"{found.position - i.qty(kept):f}",
                "avg_price": _average(outcome, number),
                "mark": format_units(5 * mark2 * i.tick_units, i.price_decimals + 1),
                "pnl_net": f"{found.profit.net:f}",
                "fees": f"{found.profit.fees:f}",
                "fills": found.fills,
                "volume_quote": f"{found.profit.volume:f}",
                "halted": outcome.halted[number] or None,
            }
        )
    return rows


def _average(outcome: BacktestOutcome, number: int) -> str | None:
    """The average price of what a desk holds at the end: that of the fills since it was flat."""
    ledger = outcome.ledger
    fills = ledger.fills.of(ledger.fills.desk == number)
    signed = fills.side.astype(np.int64) * fills.units
    held = np.cumsum(signed)
    if not len(held) or held[-1] == 0:
        return None
    instrument = ledger.desks[number].instrument
    flat = np.flatnonzero((held == 0) | (np.sign(held) != np.sign(held[-1])))
    first = int(flat[-1]) + 1 if len(flat) else 0
    position = value = 0
    for at in range(first, len(held)):
        units, price = int(signed[at]), int(fills.price[at])
        if position * units >= 0:
            value += price * units
        else:
            value += value * units // position
        position += units
    average = Decimal(value * instrument.tick_units) / Decimal(position)
    return f"{average.scaleb(-instrument.price_decimals).quantize(Decimal(1).scaleb(-instrument.price_decimals - 4)):f}"


def _latencies(outcome: BacktestOutcome) -> dict[str, dict[str, int]]:
    """What orders took to the venue and back, by the models."""
    found: dict[str, dict[str, int]] = {}
    plan = outcome.plan
    entry, response = plan.lanes[0].latency.samples(plan.run.seed)
    round_trip = (
        entry + response if len(entry) == len(response) else np.add.outer(entry[:1000], response[:1000]).ravel()
    )
    feeds = [lane.survey.feed_ns for lane in plan.data if lane.survey.feed_ns is not None]
    stages = {"order_entry": entry, "order_response": response, "order_to_ack": round_trip}
    sent = outcome.statistics.orders.sent
    for name, samples in stages.items():
        p50, p99, p999 = (int(each) for each in np.quantile(samples, (0.5, 0.99, 0.999)))
        found[name] = {"p50": p50, "p99": p99, "p999": p999, "max": int(samples.max()), "count": sent}
    if feeds:
        found["feed"] = {"p50": int(np.median(feeds))}
    return found


def _quality(outcome: BacktestOutcome) -> dict[str, Any]:
    surveys = [lane.survey for lane in outcome.plan.data]
    windows = [lane.windows for lane in outcome.memory.lanes]
    imports = _imports(outcome)
    return {
        "gaps": sum(len(s.gaps) for s in surveys),
        "resyncs": sum(len(s.gaps) for s in surveys),
        "checksum_failures": sum(made.counts.get("checksums_bad", 0) for made in imports),
        "stale_s": round(sum(end - begin for s in surveys for begin, end in s.gaps) / 1e9, 3),
        "errors": sum(made.counts.get("errors", 0) for made in imports),
        "crossed": sum(s.crossed for s in surveys),
        "late": sum(each.late for each in windows),
        "clock_offset_ns": {
            f"{lane.instrument.venue}:{lane.instrument.symbol}": lane.survey.clock_offset_ns
            for lane in outcome.plan.data
        },
    }


def _imports(outcome: BacktestOutcome) -> list[Import]:
    """What the data came with, each once."""
    return list({made.id: made for lane in outcome.plan.data for made in lane.imports}.values())


def assumptions(outcome: BacktestOutcome) -> dict[str, Any]:
    """The models, and what they assume."""
    plan = outcome.plan
    first = plan.lanes[0]
    fees = {lane.instrument.venue: lane.fees for lane in plan.lanes}
    return {
        "latency": described(first.latency),
        "queue_model": described(first.queue),
        "fees": {venue: None if model is None else described(model) for venue, model in fees.items()},
        "partial_fills": first.partial,
        "oversell": {f"{s.instrument.venue}:{s.instrument.symbol}": s.oversell for s in plan.lanes},
        "self_trade": plan.assumed.self_trade,
        "inventory": {asset: f"{amount:f}" for asset, amount in plan.assumed.inventory.items()},
        "capital": None if plan.assumed.capital is None else f"{plan.assumed.capital:f}",
        "risk_checks": {check.name: plain(limits) for check, limits in plan.checks},
    }


def _parameters(config: Any) -> dict[str, Any]:
    found = plain(config)
    return found if isinstance(found, dict) else {}


def _data(outcome: BacktestOutcome) -> list[dict[str, Any]]:
    return [
        {
            "venue": lane.instrument.venue,
            "symbol": lane.instrument.symbol,
            "records": lane.survey.rows,
            "books": lane.survey.books,
            "trades": lane.survey.trades,
            "begin": _moment(lane.survey.begin_ns),
            "end": _moment(lane.survey.end_ns),
            "feed_latency_ns": lane.survey.feed_ns,
            "gaps": [[begin, end] for begin, end in lane.survey.gaps],
        }
        for lane in outcome.plan.data
    ]


def _moment(ns: int) -> str:
    return datetime.fromtimestamp(ns / 1e9, UTC).isoformat(timespec="milliseconds") if ns else ""


def _warnings(outcome: BacktestOutcome, *, gaps: bool = True) -> list[str]:
    """What changes how the result is to be read; without gaps for the page, which tells of each of them."""
    found = []
    for lane in outcome.plan.data:
        name, survey = f"{lane.instrument.venue}:{lane.instrument.symbol}", lane.survey
        if survey.gaps and gaps:
            seconds = sum(end - begin for begin, end in survey.gaps) / 1e9
            how_many = "a gap" if len(survey.gaps) == 1 else f"{len(survey.gaps):,} gaps"
            found.append(f"{name}: the data have {how_many}, {seconds:.1f} s without a book")
        if survey.clock_offset_ns:
            found.append(
                f"{name}: the venue's clock is ahead of the receiver's; its times were moved back, in the end by "
                f"{survey.clock_offset_ns / 1e6:.1f} ms"
            )
        if survey.crossed:
            found.append(f"{name}: the book was crossed after {survey.crossed:,} of {survey.books:,} messages")
        if not survey.books:
            found.append(
                f"{name}: the data have no book, so strategies do nothing there; give the recording that has its "
                "snapshot and its changes too"
            )
        elif any(made.assume_empty for made in lane.imports):
            found.append(
                f"{name}: the data have no snapshot: the book began empty, and lacks what has not changed since; give "
                "the recording before it too, if there is one"
            )
    for made in _imports(outcome):
        if made.errors:
            count = made.counts.get("errors", len(made.errors))
            lines = "a line" if count == 1 else f"{count:,} lines"
            found.append(f"{lines} of the data could not be used{', the first' if count > 1 else ''}: {made.errors[0]}")
        if failed := made.counts.get("checksums_bad"):
            found.append(f"{failed:,} checksums of books in the data did not match")
    found += [
        f"{desk.strategy} in {desk.instrument.symbol} was halted: {reason}"
        for desk, reason in zip(outcome.ledger.desks, outcome.halted, strict=True)
        if reason
    ]
    return found


def _versions(outcome: BacktestOutcome) -> dict[str, str]:
    found = {"bloor": __version__}
    for loaded in outcome.plan.plugins.loaded.values():
        found[loaded.installed.distribution] = loaded.installed.version
    return found | {name: metadata.version(name) for name in ("numba", "numpy")}


def page_of(outcome: BacktestOutcome, *, sensitivities: Sheet | None = None, command: str = "") -> Page:
    """The page of a backtest.

    Args:
        outcome: What came of it.
        sensitivities: How the result changes with the assumptions; None when that was not asked for.
        command: The command that does it again.
    """
    document = document_of(outcome)
    instruments = ", ".join(document["instruments"])
    data = {f"{row['venue']}:{row['symbol']}": _said(row) for row in document["data"]}
    return Page(
        title=f"{', '.join(document['strategies'])} on {instruments}",
        ledger=outcome.ledger,
        statistics=outcome.statistics,
        warnings=_warnings(outcome, gaps=False),
        notices=outcome.plan.notices,
        assumptions=_flat(document["assumptions"]),
        parameters=document["parameters"],
        quality={
            _QUALITY.get(k, k.replace("_", " ")): v
            for k, v in document["data_quality"].items()
            if not isinstance(v, Mapping)
        },
        data=data,
        sensitivities=sensitivities,
        versions=document["versions"],
        hash=document["hash"],
        seed=document["seed"],
        command=command,
    )


def _said(row: Mapping[str, Any]) -> str:
    begin, end = (str(row[name])[:19].replace("T", " ") for name in ("begin", "end"))
    return f"{row['records']:,} records, {row['trades']:,} trades, {begin} to {end}"


def _flat(tree: Mapping[str, Any]) -> dict[str, str]:
    """Assumptions as one text each; of risk checks, each has its own."""

    def text(value: Any) -> str:
        if isinstance(value, Mapping):
            rest = ", ".join(f"{k.replace('_', ' ')} {text(each)}" for k, each in value.items() if k != "name")
            if "name" not in value:
                return rest or "none"
            return f"{value['name']} ({rest})" if rest else str(value["name"])
        if isinstance(value, bool):
            return "yes" if value else "no"
        return "none" if value is None else str(value)

    told = {**tree, **tree["risk_checks"]}
    del told["risk_checks"]
    return {name.replace("_", " "): text(value) for name, value in told.items()}
