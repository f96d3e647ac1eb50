"""What the benchmarks from frames to orders share: a strategy that orders by the count, and a plan with wide limits."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import attrs

from bloor.engine.plan import EnginePlan
from bloor.market.events import EventView
from bloor.market.view import BookView
from bloor.strategy.api import Orders, Strategy
from bloor.strategy.params import param
from bloor.testing.virtual import VirtualRun

__all__ = ["Every", "PlainEvery", "Quiet", "plain", "planned"]

#: Limits that nothing of a benchmark comes near to; every check looks all the same.
WIDE = (
    "risk.message-rate.orders_per_second=100000",
    "risk.message-rate.burst=100000",
    "risk.stale-book.max_age=1h",
    "risk.price-collar.max_age=1h",
    "risk.price-collar.max_through_bps=5000",
    "risk.price-collar.max_away_bps=5000",
    "risk.position-limits.max_open_orders=100000",
)


class Every(Strategy):
    """Buys at the best bid, or not at all, at every k-th event."""

    name = "every"
    compiled = True

    k: int = param(4, low=1, doc="events from one order to the next")
    seen: int = 0

    def on_trade(self, trade: EventView, book: BookView, orders: Orders) -> None:
        """A trade."""
        self.seen += 1
        if self.seen % self.k == 0 and book.two_sided:
            orders.buy(book.best_bid, orders.min_lots * 10, ioc=True)

    def on_bbo(self, bbo: EventView, book: BookView, orders: Orders) -> None:
        """A best bid and offer."""
        self.seen += 1
        if self.seen % self.k == 0 and book.two_sided:
            orders.buy(book.best_bid, orders.min_lots * 10, ioc=True)

    def on_book(self, book: BookView, orders: Orders) -> None:
        """A changed book."""
        self.seen += 1
        if self.seen % self.k == 0 and book.two_sided:
            orders.buy(book.best_bid, orders.min_lots * 10, ioc=True)


class PlainEvery(Every):
    """The same as an ordinary Python strategy."""

    compiled = False


class Quiet:
    """An observer that keeps what it is told."""

    def __init__(self) -> None:
        self.alerts: list[tuple[str, str]] = []

    def filled(self, fill: object) -> None:
        """A fill."""

    def alert(self, code: str, text: str) -> None:
        """Kept for the end."""
        self.alerts.append((code, text))


def planned(k: int, data: Sequence[Path] = ()) -> VirtualRun:
    """A run in virtual time, not begun, of which the plan is wanted, or what its venue sends."""
    return VirtualRun(strategies=[Every], data=data, sets=[*WIDE, f"strategy.every.k={k}"])


def plain(plan: EnginePlan, *, fused: bool = True) -> EnginePlan:
    """The plan with the ordinary Python strategy."""
    strategies = tuple(attrs.evolve(strategy, cls=PlainEvery) for strategy in plan.strategies)
    return attrs.evolve(plan, strategies=strategies, fused=fused)
