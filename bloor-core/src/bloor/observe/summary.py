"""The document of a run: what ``bloor run --json`` prints and ``summary.json`` holds.

Money is decimal text in the reporting currency, ``currency``: the quote asset of the run's instruments, or where they
have several, one of them, and ``rates`` says what one of each other is worth (:mod:`bloor.model.reporting`). Prices
(``avg_price``, ``mark``) are in the instrument's own quote asset. ``pnl_net`` is the cash of all fills less fees, plus
the positions at their marks; a mark is the mid price of the book (the last trade when a side is empty). ``fills.jsonl``
gives the same number, ``rate`` being that of each fill's quote asset::

    pnl_net = sum((-side * price * qty - fee_quote) * rate) + sum(position * mark * rate)

A fee in an asset of unknown worth counts as 0 there; ``fees_unvalued`` says of how many fills and how much of what.

``positions`` has a row for each strategy in each instrument, ``by_strategy`` one for each strategy, ``by_venue`` one
for each venue; the sums of any of them are the totals, exactly.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal
from pathlib import Path
from typing import Any

from bloor.engine.build import Line
from bloor.engine.core import Engine
from bloor.engine.desk import Desk
from bloor.execution.position import EXACT
from bloor.model.decimals import format_units
from bloor.model.reporting import Reporting

__all__ = ["live_status", "summary"]


def _mark(desk: Desk) -> Decimal:
    """The mark price, exact: half a tick is a price too."""
    units = 5 * desk.mark2 * desk.instrument.tick_units
    return Decimal(format_units(units, desk.instrument.price_decimals + 1))


class Money:
    """Amounts in quote assets, told in the reporting currency."""

    def __init__(self, reporting: Reporting) -> None:
        self._rate = reporting.rate

    def told(self, *amounts: tuple[Decimal, Desk]) -> str:
        """The sum of amounts, each in the quote asset of the instrument of its desk."""
        total = Decimal(0)
        for amount, desk in amounts:
            total = EXACT.add(total, EXACT.multiply(amount, self._rate(desk.instrument.quote)))
        return f"{total:f}"

    def volume(self, *desks: Desk) -> str:
        """Price times quantity of all fills."""
        return self.told(*((d.account.volume, d) for d in desks))

    def fees(self, *desks: Desk) -> str:
        """Fees less rebates."""
        return self.told(*((d.account.fees, d) for d in desks))

    def pnl_net(self, *desks: Desk) -> str:
        """Cash less fees plus positions at their marks."""
        return self.told(*((d.account.pnl_net(d.mark2), d) for d in desks))


def _positions(engine: Engine) -> list[dict[str, Any]]:
    rows = []
    money = Money(engine.plan.reporting)
    for desk in engine.desks:
        average = desk.account.avg_price
        rows.append(
            {
                "strategy": desk.strategy.name,
                "venue": desk.instrument.venue,
                "symbol": desk.instrument.symbol,
                "qty": f"{desk.account.qty:f}",
                "avg_price": None if average is None else f"{average:f}",
                "mark": f"{_mark(desk):f}",
                "pnl_net": money.pnl_net(desk),
                "fees": money.fees(desk),
                "fills": desk.account.fills,
                "volume_quote": money.volume(desk),
                "halted": desk.halted or None,
            }
        )
    return rows


def _compiled(engine: Engine) -> dict[str, Any]:
    """What ran as machine code: the market frames, the strategies, and why a declared one did not."""
    return {
        "frames": engine.fusion.frames_fused,
        "strategies": sorted({name for name, _ in engine.fusion.fused}),
        "in_python": engine.fusion.reasons,
    }


def _strategies(engine: Engine) -> list[dict[str, Any]]:
    """What each strategy did in all its instruments; the sums over the list are the totals of the document."""
    rows = []
    for number, strategy in enumerate(engine.plan.strategies):
        desks = [desk for desk in engine.desks if desk.number == number]
        rows.append({"strategy": strategy.name, "orders": engine.tally(number), **_results(engine, desks)})
    return rows


def _venues(engine: Engine, stale_ns: Mapping[str, int]) -> list[dict[str, Any]]:
    """What was seen of each venue and earned there; the sums over the list are the totals of the document."""
    rows = []
    for line in engine.lines:
        acks = engine.measures.acks.get(line.venue)
        rows.append(
            {
                "venue": line.venue,
                "instruments": [i.symbol for i in engine.plan.venues[line.number].instruments],
                "messages": line.pipeline.counters.messages,
                **_results(engine, [desk for desk in engine.desks if desk.line == line.number]),
                "order_to_ack_ns": None if acks is None else acks.summary(),
                "data_quality": _quality([line], stale_ns.get(line.venue, 0)),
            }
        )
    return rows


def _results(engine: Engine, desks: Sequence[Desk]) -> dict[str, Any]:
    """Fills and money of some desks together."""
    money = Money(engine.plan.reporting)
    wins = sum(d.account.wins for d in desks)
    trips = wins + sum(d.account.losses for d in desks)
    return {
        "fills": sum(d.account.fills for d in desks),
        "volume_quote": money.volume(*desks),
        "fees": money.fees(*desks),
        "pnl_net": money.pnl_net(*desks),
        "win_rate": round(wins / trips, 4) if trips else None,
        "round_trips": trips,
    }


def _quality(lines: Sequence[Line], stale_ns: int) -> dict[str, Any]:
    counters = [line.pipeline.counters for line in lines]
    return {
        "gaps": sum(c.gaps for c in counters),
        "resyncs": sum(c.resyncs for c in counters),
        "checksum_failures": sum(c.checksums_bad for c in counters),
        "stale_s": round(stale_ns / 1e9, 3),
        "errors": sum(c.errors for c in counters),
        "crossed": sum(c.crossed for c in counters),
    }


def _unvalued(engine: Engine) -> dict[str, Any]:
    """Fees in assets whose worth nobody knew: they count as 0 in ``fees`` and ``pnl_net``."""
    counters = engine.blotter.counters
    amounts = {asset: f"{amount:f}" for asset, amount in sorted(counters.unvalued.items())}
    return {"fills": counters.fees_unvalued, "amounts": amounts}


def _unvalued_notice(engine: Engine) -> list[str]:
    counters = engine.blotter.counters
    if not counters.fees_unvalued:
        return []
    assets = ", ".join(sorted(counters.unvalued))
    came = f"the fees of {counters.fees_unvalued} fills, in {assets}, count as 0, for nobody knows what it is worth"
    return [f"{came}: set fee_rates of the venue, or trade {assets} too"]


def summary(
    engine: Engine,
    *,
    mode: str,
    session: Path,
    duration_s: float,
    stale_ns: Mapping[str, int],
    versions: dict[str, str],
    notices: Sequence[str],
) -> dict[str, Any]:
    """The document.

    Args:
        engine: The core, at the end of its run.
        mode: ``sim``, ``paper`` or ``live``.
        session: The session folder.
        duration_s: From the first frame to the stop.
        stale_ns: How long some traded book of a venue was not synchronised, by venue; ``stale_s`` adds them up.
        versions: Of everything that took part.
        notices: What the user should know.
    """
    return {
        "mode": mode,
        "session": str(session),
        "strategies": [s.name for s in engine.plan.strategies],
        "instruments": [f"{i.venue}:{i.symbol}" for i in engine.plan.instruments],
        "currency": engine.plan.reporting.currency,
        "rates": engine.plan.reporting.record()["rates"],
        "frames": engine.measures.frames,
        "events": engine.measures.events,
        "orders": engine.tally(),
        **_results(engine, engine.desks),
        "fees_unvalued": _unvalued(engine),
        "positions": _positions(engine),
        "by_strategy": _strategies(engine),
        "by_venue": _venues(engine, stale_ns),
        "compiled": _compiled(engine),
        "latency_ns": engine.measures.latencies(),
        "denials": dict(sorted(engine.measures.denials.items())),
        "data_quality": _quality(engine.lines, sum(stale_ns.values())),
        "duration_s": round(duration_s, 3),
        "hash": engine.log.hexdigest(),
        "decisions": engine.log.count,
        "halted": engine.gate.halted if not engine.stopping else "",
        "notices": [*notices, *engine.plan.notices(), *_unvalued_notice(engine)],
        "versions": versions,
    }


def live_status(engine: Engine, *, elapsed_s: float, duration_s: float | None) -> dict[str, Any]:
    """What the live view shows, taken a few times a second and journaled as a ``STATUS`` record."""
    desks, money = engine.desks, Money(engine.plan.reporting)
    return {
        "elapsed_s": round(elapsed_s, 2),
        "duration_s": duration_s,
        "frames": engine.measures.frames,
        "events": engine.measures.events,
        "orders": engine.tally(),
        "open_orders": engine.open_orders,
        "fills": sum(d.account.fills for d in desks),
        "fees": money.fees(*desks),
        "pnl_net": money.pnl_net(*desks),
        "currency": engine.plan.reporting.currency,
        "books": [
            {
                "strategy": d.strategy.name,
                "symbol": f"{d.instrument.venue}:{d.instrument.symbol}",
                "state": int(d.book.state),
                "bid": d.instrument.format_price(d.book.best_bid) if d.book.two_sided else None,
                "bid_qty": d.instrument.format_qty(d.book.bid_qty),
                "ask": d.instrument.format_price(d.book.best_ask) if d.book.two_sided else None,
                "ask_qty": d.instrument.format_qty(d.book.ask_qty),
                "position": f"{d.account.qty:f}",
                "pnl_net": money.pnl_net(d),
                "halted": d.halted or None,
            }
            for d in desks
        ],
        "latency_ns": engine.measures.latencies(),
        "denials": engine.measures.denials,
        "data_quality": _quality(engine.lines, 0),
        "venues": [
            {
                "venue": line.venue,
                "orders_ready": line.orders.ready,
                "messages": line.pipeline.counters.messages,
                "data_quality": _quality([line], 0),
            }
            for line in engine.lines
        ],
        "halted": engine.gate.halted,
    }
