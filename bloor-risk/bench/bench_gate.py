"""What the gate costs with all checks of bloor-risk, and each check alone. Run by ``nox -s bench -- gate``."""

from __future__ import annotations

import time
from collections.abc import Callable

from bloor.market.view import BookState, BookView
from bloor.model.instrument import Instrument
from bloor.model.orders import OrderType, Side, TimeInForce
from bloor.risk.check import Exposure, OrderIntent, RiskCheck
from bloor.risk.gate import Gate
from bloor.risk.limits import build_check, resolve_limits
from bloor_risk.message_rate import MessageRate
from bloor_risk.order_limits import OrderLimits
from bloor_risk.position_limits import PositionLimits
from bloor_risk.price_collar import PriceCollar
from bloor_risk.stale_book import StaleBook

CHECKS: tuple[type[RiskCheck], ...] = (OrderLimits, PriceCollar, PositionLimits, StaleBook, MessageRate)
BTC = Instrument(
    venue="binance",
    symbol="BTC-USDT",
    venue_symbol="BTCUSDT",
    base="BTC",
    quote="USDT",
    price_decimals=2,
    qty_decimals=8,
    lot_units=1000,
)
SECOND = 1_000_000_000


def median_ns(call: Callable[[], object], repeats: int = 50_000) -> int:
    """The middle one of many timed calls, with the clock's own cost."""
    costs = []
    for _ in range(repeats):
        begun = time.perf_counter_ns()
        call()
        costs.append(time.perf_counter_ns() - begun)
    return sorted(costs)[repeats // 2]


def main() -> None:
    checks = [build_check(check, resolve_limits(check, None, "sim"), (BTC,)) for check in CHECKS]
    gate = Gate(checks, [BTC])
    order, book, exposure, now = OrderIntent(), BookView(), Exposure(), [SECOND]
    order.side, order.type, order.tif = Side.BUY, OrderType.LIMIT, TimeInForce.GTC
    order.price, order.lots, order.units = 5_000_000, 10, 10_000
    book.best_bid, book.best_ask, book.state = 4_999_999, 5_000_001, BookState.SYNCED

    def decide() -> None:
        now[0] += SECOND
        book.recv_ns = now[0]
        if gate.decide(order, book, exposure, now[0]) is not None:
            raise SystemExit(f"denied: {gate.denied}")

    print(f"{'clock':<18}{median_ns(lambda: None):>7,} ns")
    print(f"{'gate':<18}{median_ns(decide):>7,} ns")
    for check in gate.checks:
        cost = median_ns(lambda: check.check(order, book, exposure, now[0]))  # noqa: B023
        print(f"{check.name:<18}{cost:>7,} ns")


if __name__ == "__main__":
    main()
