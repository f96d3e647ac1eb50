"""All statistics of a run as one value, from its ledger."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

import numpy as np
from attrs import field, fields, frozen, has

from bloor.observe.equity import (
    Curve,
    Drawdown,
    Exposure,
    Profit,
    curve_of,
    drawdown_of,
    exposure_of,
    profit_of,
    summed,
)
from bloor.observe.ledger import Ledger
from bloor.observe.quality import (
    HORIZONS_S,
    FillsSeen,
    MarkOut,
    OrderStatistics,
    Slippage,
    Spread,
    order_statistics,
)
from bloor.observe.ratios import Ratios, ratios_of
from bloor.observe.trips import Trips, TripStatistics, trip_statistics, trips_of

__all__ = ["DeskStatistics", "Statistics", "Turnover", "statistics"]


@frozen(kw_only=True)
class Turnover:
    """Traded value against time and against what was held.

    Attributes:
        value: Traded value in the reporting currency: both sides of a round trip count.
        per_hour: The same per hour of the run; None for a run without length.
        times_held: The same by the time-weighted mean of what was held (:attr:`Exposure.gross_mean`); None when nothing
            was ever held.
    """

    value: float
    per_hour: float | None
    times_held: float | None


@frozen(kw_only=True)
class DeskStatistics:
    """One strategy in one instrument.

    Attributes:
        strategy: The strategy's name.
        venue: The venue.
        symbol: The canonical symbol.
        profit: Its profit in the reporting currency; those of all desks add up to the run's, exactly.
        position: What it holds at the end, in the base asset.
        fills: How many.
        maker_ratio: Share of its traded value that was filled resting; None without fills.
        trips: Its round trips.
    """

    strategy: str
    venue: str
    symbol: str
    profit: Profit
    position: Decimal
    fills: int
    maker_ratio: float | None
    trips: TripStatistics


@frozen(kw_only=True, eq=False)
class Statistics:
    """What a run comes to. Money is in the reporting currency; a number that is not defined is None.

    Attributes:
        currency: The reporting currency.
        hours: Length of the run.
        fills: How many.
        profit: Profit and loss, exact.
        return_on_capital: ``profit.net`` by the capital; None when that was not stated.
        ratios: Sharpe, Sortino, Calmar, and what they were sampled from.
        drawdown: The deepest fall of the equity; None when it never fell.
        turnover: Traded value.
        exposure: What was held.
        trips: Round trips, flat to flat.
        orders: Orders, and how many of them were filled.
        maker_ratio: Share of the traded value that was filled resting; None without fills.
        slippage: Of fills that took, against the mid at the decision.
        mark_outs: What the mid was 0, 0.1, 1, 5, 30 and 60 s after own fills.
        maker_spread: What fills of resting orders earned.
        taker_spread: What the others paid.
        desks: Every strategy in every instrument.
        curve: The equity curve: columns, not in :meth:`as_dict`.
        round_trips: Every round trip: columns, not in :meth:`as_dict`.
    """

    currency: str
    hours: float
    fills: int
    profit: Profit
    return_on_capital: float | None
    ratios: Ratios
    drawdown: Drawdown | None
    turnover: Turnover
    exposure: Exposure
    trips: TripStatistics
    orders: OrderStatistics
    maker_ratio: float | None
    slippage: Slippage
    mark_outs: tuple[MarkOut, ...]
    maker_spread: Spread
    taker_spread: Spread
    desks: tuple[DeskStatistics, ...]
    curve: Curve = field(repr=False, metadata={"columns": True})
    round_trips: Trips = field(repr=False, metadata={"columns": True})

    def as_dict(self) -> dict[str, Any]:
        """Plain data for JSON: money as decimal text, ratios as numbers, None where not defined; no columns."""
        plain = _plain(self)
        assert isinstance(plain, dict)
        return plain


def _plain(value: Any) -> Any:
    if has(type(value)):
        shown = (a.name for a in fields(type(value)) if "columns" not in a.metadata)
        return {name: _plain(getattr(value, name)) for name in shown}
    if isinstance(value, Mapping):
        return {key: _plain(each) for key, each in value.items()}
    if isinstance(value, tuple):
        return [_plain(each) for each in value]
    return f"{value:f}" if isinstance(value, Decimal) else value


def _desks(ledger: Ledger, seen: FillsSeen, trips: Trips) -> tuple[DeskStatistics, ...]:
    rows = []
    for number, desk in enumerate(ledger.desks):
        mine = ledger.fills.desk == number
        signed = ledger.fills.side[mine].astype(np.int64) * ledger.fills.units[mine]
        rows.append(
            DeskStatistics(
                strategy=desk.strategy,
                venue=desk.instrument.venue,
                symbol=desk.instrument.symbol,
                profit=profit_of(ledger, number),
                position=desk.instrument.qty(int(signed.sum())),
                fills=int(mine.sum()),
                maker_ratio=seen.maker_ratio_of(mine),
                trips=trip_statistics(trips.of(trips.desk == number)),
            )
        )
    return tuple(rows)


def statistics(ledger: Ledger) -> Statistics:
    """Computes all statistics of a run.

    Args:
        ledger: Its fills, orders and marks.
    """
    curve, trips, seen = curve_of(ledger), trips_of(ledger), FillsSeen(ledger)
    drawdown, exposure = drawdown_of(curve, ledger.capital), exposure_of(curve)
    desks = _desks(ledger, seen, trips)
    profit = summed([desk.profit for desk in desks])
    traded = float(profit.volume)
    return Statistics(
        currency=ledger.currency,
        hours=ledger.hours,
        fills=len(ledger.fills),
        profit=profit,
        return_on_capital=float(profit.net) / float(ledger.capital) if ledger.capital else None,
        ratios=ratios_of(curve, drawdown),
        drawdown=drawdown,
        turnover=Turnover(
            value=traded,
            per_hour=traded / ledger.hours if ledger.hours > 0 else None,
            times_held=traded / exposure.gross_mean if exposure.gross_mean > 0 else None,
        ),
        exposure=exposure,
        trips=trip_statistics(trips),
        orders=order_statistics(ledger),
        maker_ratio=seen.maker_ratio_of(np.ones(len(ledger.fills), bool)),
        slippage=seen.slippage,
        mark_outs=tuple(seen.mark_out(seconds) for seconds in HORIZONS_S),
        maker_spread=seen.spread(ledger.fills.maker),
        taker_spread=seen.spread(~ledger.fills.maker),
        desks=desks,
        curve=curve,
        round_trips=trips,
    )
