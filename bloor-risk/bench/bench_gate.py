"""What the gate costs with all checks of bloor-risk, and each check alone, in Python and compiled.

Run by ``nox -s bench -- gate``. The compiled form is called from compiled code, as a run calls it: a batch of calls is
timed and divided, since one of them is shorter than a look at the clock.
"""

from __future__ import annotations

import time
from collections.abc import Callable

from bloor.market.view import BookState, BookView
from bloor.model.instrument import Instrument
from bloor.model.orders import OrderType, Side, TimeInForce
from bloor.native.memory import call5, put_cell
from bloor.native.twins import twins
from bloor.risk import kernel, layout
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
#: Beside the defaults: many orders at once, so that none of a batch is denied.
LIMITS = {"message-rate": {"burst": 1_000_000_000}}


def median_ns(call: Callable[[], object], repeats: int = 50_000) -> int:
    """The middle one of many timed calls, with the clock's own cost."""
    costs = []
    for _ in range(repeats):
        begun = time.perf_counter_ns()
        call()
        costs.append(time.perf_counter_ns() - begun)
    return sorted(costs)[repeats // 2]


def compiled_loop() -> Callable[..., int]:
    """Calls a C function again and again, a second later each time, with a book that is just as new."""
    import numba

    call, put = twins()[call5], twins()[put_cell]

    def loop(function: int, cells: int, intent: int, book: int, exposure: int, now_ns: int, count: int) -> int:
        denied = 0
        for _ in range(count):
            now_ns += 1_000_000_000
            put(book + 48, now_ns)
            denied |= call(function, cells, intent, book, exposure, now_ns)
        return denied

    made: Callable[..., int] = numba.njit(loop)
    return made


def batch_ns(call: Callable[[int], int], batch: int = 1_000, repeats: int = 500) -> float:
    """The middle one of many timed batches, for one call of it."""
    if call(batch):
        raise SystemExit("denied")
    costs = []
    for _ in range(repeats):
        begun = time.perf_counter_ns()
        call(batch)
        costs.append(time.perf_counter_ns() - begun)
    return sorted(costs)[repeats // 2] / batch


def main() -> None:
    checks = [build_check(check, resolve_limits(check, LIMITS.get(check.name), "sim"), (BTC,)) for check in CHECKS]
    gate = Gate(checks, [BTC])
    order, book, exposure, now = OrderIntent(), BookView(), Exposure(), [SECOND]
    order.side, order.type, order.tif = Side.BUY, OrderType.LIMIT, TimeInForce.GTC
    order.price, order.lots, order.units = 5_000_000, 10, 10_000
    book.best_bid, book.best_ask, book.state = 4_999_999, 5_000_001, BookState.SYNCED
    assert book.DTYPE.fields is not None and book.DTYPE.fields["recv_ns"][1] == 8 * layout.RECV_NS == 48

    def decided_by(decide: Callable[..., object]) -> int:
        def run() -> None:
            now[0] += SECOND
            book.recv_ns = now[0]
            if decide(order, book, exposure, now[0]) is not None:
                raise SystemExit(f"denied: {gate.denied}")

        return median_ns(run)

    compiled, loop = gate.compiled(), compiled_loop()
    assert compiled is not None

    def native_ns(function: int, cells: int) -> float:
        def run(count: int) -> int:
            now[0] += count * SECOND
            return loop(function, cells, order.address, book.address, exposure.address, now[0], count)

        return batch_ns(run)

    def python_ns(check: RiskCheck) -> int:
        now[0] += 1_000 * SECOND
        book.recv_ns = now[0]
        return median_ns(lambda: check.check(order, book, exposure, now[0]))

    clock = median_ns(lambda: None)
    print(f"{'':<18}{'Python':>10}{'compiled':>10}  ns, the clock's own {clock} ns taken off")
    in_python = decided_by(gate.decide_in_python) - clock
    print(f"{'gate':<18}{in_python:>10,}{native_ns(compiled.decide, compiled.address):>10.1f}")
    print(f"{'gate, from Python':<18}{'':>10}{decided_by(gate.decide) - clock:>10,}")
    for number, check in enumerate(gate.checks):
        function, cells = compiled.cells[kernel.CHECKS + 2 * number :][:2].tolist()
        print(f"{check.name:<18}{python_ns(check) - clock:>10,}{native_ns(function, cells):>10.1f}")


if __name__ == "__main__":
    main()
