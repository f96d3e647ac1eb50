"""Risk checks asked with anything that the records can hold, in each of their forms."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal
from typing import Any, NamedTuple

import attrs

from bloor.config import Mode
from bloor.config.duration import Duration
from bloor.config.fingerprint import plain
from bloor.errors import ConfigError
from bloor.market.events import NO_PRICE
from bloor.market.view import BookState, BookView
from bloor.model.instrument import Instrument
from bloor.model.orders import OrderType, TimeInForce
from bloor.model.records import RecordView
from bloor.risk.check import Exposure, OrderIntent, RiskCheck
from bloor.risk.compiled import CompiledCheck, compile_check, form_of
from bloor.risk.limits import resolve_limits
from bloor.testing.examples import strategies
from bloor.testing.instruments import SHAPES

__all__ = ["Asked", "BothChecks", "asked", "numeric_limits", "ordinary", "tightened"]

MOST, LEAST = (1 << 63) - 1, -(1 << 63)
_EDGES = [0, 1, -1, 2, MOST, MOST - 1, LEAST, LEAST + 1, NO_PRICE, NO_PRICE + 1, NO_PRICE - 1, 1 << 32, 10**18]
_NOW = 1_700_000_000_000_000_000


class Asked(NamedTuple):
    """One question to a check; every record is new, so that nothing of another question is left in it."""

    order: OrderIntent
    book: BookView
    exposure: Exposure
    now_ns: int

    def copy(self) -> Asked:
        """The same in memory of its own."""
        return Asked(
            OrderIntent(self.order.array.copy()),
            BookView(self.book.array.copy()),
            Exposure(self.exposure.array.copy()),
            self.now_ns,
        )


def _filled(record: RecordView, fields: Mapping[str, int]) -> Any:
    for name, value in fields.items():
        setattr(record, name, value)
    return record


def ordinary(instrument: Instrument, index: int, *, side: int = 1, now_ns: int = _NOW) -> Asked:
    """The smallest order at the touch of a fresh book, of an account that holds a little and has nothing open."""
    price = max(100, 10**instrument.price_decimals // instrument.tick_units)  # about 1, and room for a spread
    fields = {
        "instrument": index, "side": side, "type": int(OrderType.LIMIT), "tif": int(TimeInForce.GTC), "price": price,
        "lots": instrument.min_lots, "units": instrument.min_lots * instrument.lot_units, "strategy": 0,
    }  # fmt: skip
    touch = (price - 1, price) if side > 0 else (price, price + 1)
    book = {
        "best_bid": touch[0], "best_ask": touch[1], "bid_qty": 1000, "ask_qty": 1000, "seq": 1,
        "exch_ns": now_ns, "recv_ns": now_ns, "state": int(BookState.SYNCED),
    }  # fmt: skip
    held = {"inventory": 1000 * fields["units"]}
    return Asked(_filled(OrderIntent(), fields), _filled(BookView(), book), _filled(Exposure(), held), now_ns)


def asked(instruments: int) -> Any:
    """A hypothesis strategy of questions: plausible ones, and any 64-bit numbers in any field.

    Args:
        instruments: How many there are; the gate asks about no others.
    """
    st = strategies()
    cells = st.one_of(st.sampled_from(_EDGES), st.integers(-5, 200), st.integers(LEAST, MOST))
    prices = st.one_of(st.integers(9_900, 10_100), st.integers(9_000, 11_000), cells)
    sizes = st.one_of(st.integers(0, 1_000_000), cells)
    times = st.one_of(st.integers(_NOW, _NOW + 10**10), cells)
    order = {
        "instrument": st.integers(0, instruments - 1), "side": st.sampled_from([1, -1, 1, -1, 1, -1, 0, LEAST, MOST]),
        "type": st.one_of(st.integers(1, 3), cells), "tif": st.one_of(st.integers(1, 3), cells), "price": prices,
        "lots": sizes, "units": sizes, "strategy": st.one_of(st.integers(0, 3), cells),
    }  # fmt: skip
    book = {
        "best_bid": prices, "bid_qty": sizes, "best_ask": prices, "ask_qty": sizes, "seq": cells, "exch_ns": times,
        "recv_ns": times, "state": st.sampled_from([int(BookState.SYNCED)] * 5 + [0, 1, 3, -2]),
    }  # fmt: skip
    # as books are: a bid, and an ask not far above it
    spreads = st.tuples(st.integers(9_900, 10_100), st.one_of(st.integers(-2, 5), st.integers(0, 600)))
    held = dict.fromkeys(("position", "open_buy", "open_sell", "open_orders", "inventory"), sizes)

    def records(kind: Any, fields: dict[str, Any]) -> Any:
        return st.fixed_dictionaries(fields).map(lambda values: _filled(kind(), values))

    plausible = st.builds(_with_spread, records(BookView, book), spreads)
    one_sided = st.builds(_without, plausible, st.sampled_from(["best_bid", "best_ask"]))
    books = st.one_of(plausible, plausible, one_sided, records(BookView, book))
    anything = st.builds(Asked, records(OrderIntent, order), books, records(Exposure, held), times)
    # an ordinary order, so that nothing else is unusual, and a spread in ticks from none to as wide as the price
    widths = st.one_of(st.integers(0, 30), st.integers(0, 600), st.integers(0, 10_000))
    side = st.sampled_from([1, -1])
    usual = st.builds(_usual, st.integers(0, instruments - 1), side, widths, st.integers(1, 1_000_000))
    return st.one_of(usual, anything)


def _usual(index: int, side: int, width: int, times: int) -> Asked:
    question = ordinary(SHAPES[index % len(SHAPES)], index, side=side)
    question.order.price = question.book.best_bid = 10_000
    question.book.best_ask = 10_000 + width
    question.order.lots *= times
    question.order.units *= times
    return question


def _without(book: BookView, side: str) -> BookView:
    setattr(book, side, NO_PRICE)
    return book


def _with_spread(book: BookView, spread: tuple[int, int]) -> BookView:
    book.best_bid, book.best_ask = spread[0], spread[0] + spread[1]
    return book


def numeric_limits(check: type[RiskCheck]) -> Iterator[tuple[str, Any]]:
    """``(name, value in sim mode)`` of every limit that is a number, a decimal or a duration."""
    limits = check.sim_limits()
    for field in attrs.fields(check.limits):
        value = getattr(limits, field.name)
        if isinstance(value, int | float | Decimal | Duration) and not isinstance(value, bool):
            yield field.name, value


def tightened(check: type[RiskCheck]) -> list[Any]:
    """Limits to ask a check with: those of sim mode, and each of its numbers smaller, as far as it takes them."""
    found = [check.sim_limits()]
    for divisor in (4, 50, 1_000, 10**9):
        smaller = {name: _smaller(value, divisor) for name, value in numeric_limits(check)}
        for given in ({name: value} for name, value in smaller.items()):
            try:
                found.append(resolve_limits(check, given, Mode.SIM))
            except ConfigError:
                continue  # it does not take so small a number, and says so
    return found


def _smaller(value: Any, divisor: int) -> Any:
    if isinstance(value, Duration):
        return f"{max(1, value.ns // divisor)}ns"
    if isinstance(value, Decimal):
        return str(plain(value / divisor))
    return max(1, value // divisor) if isinstance(value, int) else value / divisor


class BothChecks:
    """One check three times, each with a memory of its own: Python, its kernel as it stands, and its kernel compiled.

    Args:
        cls: The check's class.
        limits: Its limits.
        instruments: The run's instruments.
    """

    def __init__(self, cls: type[RiskCheck], limits: Any, instruments: Sequence[Instrument] = SHAPES) -> None:
        checks = [cls(limits, tuple(instruments)) for _ in range(3)]
        forms = [form_of(check) for check in checks]
        self.python = checks[0]
        self._python, self._plain, self._native = (_made(cls, form) for form in forms)
        self._call = compile_check(checks[2], self._native).call["check"]
        self._entry: Any = self._plain.modules[-1].check
        self._kept = checks  # the cells lie in them

    def same(self, question: Asked) -> int:
        """The answer of all three.

        Raises:
            AssertionError: They differ, in what they answer or in what they remember.
        """
        order, book, exposure, now_ns = question
        addresses = (order.address, book.address, exposure.address, now_ns)
        answer = self.python.check(order, book, exposure, now_ns)
        plain_answer = self._entry(self._plain.cells.ctypes.data, *addresses)
        native_answer = self._call(self._native.cells.ctypes.data, *addresses)
        assert answer == plain_answer == native_answer, (
            f"check() answers {answer}, its kernel {plain_answer} as Python and {native_answer} compiled, "
            f"to {order}, {book}, {exposure}, now_ns={now_ns}; make the kernel say what check() says"
        )
        kept = form_of(self.python)
        assert kept is not None
        cells = kept.cells.tolist(), self._plain.cells.tolist(), self._native.cells.tolist()
        assert cells[0] == cells[1] == cells[2], (
            f"after {order}, now_ns={now_ns}: check() remembers {cells[0]}, its kernel {cells[1]} as Python and "
            f"{cells[2]} compiled; what a check remembers stands in the cells that both forms share"
        )
        return answer


def _made(cls: type[RiskCheck], form: CompiledCheck | None) -> CompiledCheck:
    assert form is not None, f"{cls.__name__}.compiled() gave a form once and None another time"
    return form
