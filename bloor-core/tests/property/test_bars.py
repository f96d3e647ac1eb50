"""Time bars: what any sequence of trades becomes, compared with a plain reckoning of the same."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bloor.market import bars_kernel
from bloor.market.bars import CAUGHT_UP, BarRecord, Bars
from bloor.market.events import EventKind
from bloor.model.decimals import INT64_MAX
from bloor.native.entries import compiled_entries

TRADE, AGG_TRADE = int(EventKind.TRADE), int(EventKind.AGG_TRADE)
Row = tuple[int, ...]


def row(bar: BarRecord) -> Row:
    """The whole numbers of a bar."""
    return (bar.open, bar.high, bar.low, bar.close, bar.volume, bar.trades, bar.start_ns, bar.end_ns)


def told(period: int, begin: int, trades: list[tuple[int, int, int]], until: int) -> list[tuple[Row, float]]:
    """What bars are told when trades ``(time, price, quantity)`` come, each closed before what comes at its end."""
    bars = Bars(period)
    found: list[tuple[Row, float]] = []
    bars.begin(begin)

    def close(now: int) -> None:
        while bars.end_ns <= now:
            bar = bars.close(now)
            if bar is not None:
                found.append((row(bar), bar.value))

    for now, price, qty in trades:
        close(now)
        bars.add(TRADE, price, qty, now)
    close(until)
    return found


def expected(period: int, begin: int, trades: list[tuple[int, int, int]], until: int) -> list[tuple[Row, float]]:
    """The same, reckoned period by period."""
    found: list[tuple[Row, float]] = []
    for start in range(-(-begin // period) * period, until - period + 1, period):
        inside = [(price, qty) for now, price, qty in trades if start <= now < start + period]
        before = [price for now, price, _ in trades if now < start]
        prices = [price for price, _ in inside] or before[-1:]
        if not prices:
            continue
        volume = sum(qty for _, qty in inside)
        whole = (prices[0], max(prices), min(prices), prices[-1], volume, len(inside), start, start + period)
        found.append((whole, float(sum(price * qty for price, qty in inside))))
    return found


moves = st.lists(st.tuples(st.integers(0, 40), st.integers(1, 1000), st.integers(1, 1000)), max_size=60)


@given(period=st.integers(1, 30), begin=st.integers(0, 100), drawn=moves, after=st.integers(0, 90))
def test_bars_are_what_was_traded_in_each_period(
    period: int, begin: int, drawn: list[tuple[int, int, int]], after: int
) -> None:
    """One bar for every whole period since the beginning, prices carried over where nobody traded."""
    now, trades = begin, []
    for wait, price, qty in drawn:
        now += wait
        trades.append((now, price, qty))
    assert told(period, begin, trades, now + after) == expected(period, begin, trades, now + after)


def test_a_trade_at_the_end_belongs_to_the_next_bar() -> None:
    """Periods hold their first moment and not their last."""
    assert told(10, 0, [(9, 5, 1), (10, 6, 1)], 20) == [
        ((5, 5, 5, 5, 1, 1, 0, 10), 5.0),
        ((6, 6, 6, 6, 1, 1, 10, 20), 6.0),
    ]


def test_the_period_in_which_it_begins_is_not_told_but_gives_the_price() -> None:
    """A bar of which a part was not seen would be wrong; its last price starts the next."""
    assert told(10, 3, [(4, 7, 100)], 20) == [((7, 7, 7, 7, 0, 0, 10, 20), 0.0)]


def test_nothing_is_told_before_there_is_a_price() -> None:
    """No bar has a price that never was."""
    assert told(10, 0, [], 100) == []


def test_after_a_long_jump_bars_begin_anew() -> None:
    """As many empty bars as can be caught up with are told, or only the one that was open."""
    near = told(10, 0, [(5, 7, 1)], 10 + 10 * CAUGHT_UP)
    assert len(near) == CAUGHT_UP + 1
    [(bar, _)] = told(10, 0, [(5, 7, 1)], 10 + 10 * CAUGHT_UP + 9)[:1]
    assert bar[-2:] == (0, 10)
    bars = Bars(10)
    bars.begin(0)
    bars.add(TRADE, 7, 1, 5)
    late = 10 + 10 * CAUGHT_UP + 3
    assert bars.close(late) is not None
    assert bars.end_ns == 10 + 10 * CAUGHT_UP + 20
    bars.add(TRADE, 8, 1, late)
    empty = bars.close(bars.end_ns)
    assert empty is not None
    assert row(empty)[:6] == (8, 8, 8, 8, 0, 0)


def test_a_volume_beyond_63_bits_is_said_to_be_unknown() -> None:
    """It never wraps; the next bar begins at nothing again."""
    bars = Bars(10)
    bars.begin(0)
    for qty in (INT64_MAX, 1, 5):
        bars.add(TRADE, 2, qty, 1)
    first = bars.close(10)
    assert first is not None
    assert (first.volume, first.trades) == (-1, 3)
    assert first.value == pytest.approx(2.0 * INT64_MAX)
    bars.add(TRADE, 2, INT64_MAX, 11)
    second = bars.close(20)
    assert second is not None
    assert second.volume == INT64_MAX


def test_only_one_kind_of_trades_is_counted() -> None:
    """A feed that brings single and aggregated trades does not count them twice."""
    bars = Bars(10)
    bars.begin(0)
    bars.add(AGG_TRADE, 5, 3, 1)
    bars.add(TRADE, 9, 3, 1)
    bar = bars.close(10)
    assert bar is not None
    assert row(bar) == (5, 5, 5, 5, 3, 1, 0, 10)


def test_compiled_code_can_read_the_cells() -> None:
    """Eight bytes each, in the order of the class, whole numbers but the value."""
    fields: Any = BarRecord.DTYPE.fields
    assert [found[1] for found in fields.values()] == list(range(0, 80, 8))
    assert {name for name, found in fields.items() if found[0] == "f8"} == {"value"}
    offsets = {name.upper().removesuffix("_NS"): found[1] for name, found in fields.items()}
    assert {name: getattr(bars_kernel, name) for name in offsets if name != "END"} == {
        name: offset for name, offset in offsets.items() if name != "END"
    }


@given(
    begin=st.integers(0, 20),
    drawn=st.lists(
        st.tuples(
            st.integers(0, 20), st.sampled_from([TRADE, AGG_TRADE]), st.integers(1, INT64_MAX),
            st.one_of(st.integers(1, 1000), st.integers(1, INT64_MAX)),
        ),
        max_size=40,
    ),
)  # fmt: skip
@pytest.mark.parametrize("compiled", [False, True], ids=["plain", "compiled"])
def test_compiled_code_counts_the_same(compiled: bool, begin: int, drawn: list[tuple[int, int, int, int]]) -> None:
    """Trades counted by address give bars equal to the last bit, the float among the cells included."""
    add = bars_kernel.add_trade
    if compiled:
        add = compiled_entries("bars", (bars_kernel,), (("add_trade", 5),)).call["add_trade"]
    ordinary, native = Bars(10), Bars(10)
    ordinary.begin(begin)
    native.begin(begin)
    now = begin
    for wait, kind, price, qty in drawn:
        now += wait
        while ordinary.end_ns <= now:
            ordinary.close(now)
            native.close(now)
        ordinary.add(kind, price, qty, now)
        add(native.open.address, kind, price, qty, now)
        assert native.open.array.tobytes() == ordinary.open.array.tobytes()
    assert native.closed.array.tobytes() == ordinary.closed.array.tobytes()
