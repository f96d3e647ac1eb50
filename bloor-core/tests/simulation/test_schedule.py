"""Bars and timers of several strategies in several instruments, in virtual time."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path
from typing import Any, ClassVar

import pytest

from bloor.engine.core import Engine
from bloor.engine.effects import feed_conn
from bloor.engine.inputs import INPUTS, Inputs
from bloor.errors import UsageError
from bloor.journal.record import Record, RecordKind
from bloor.market.bars import BarRecord
from bloor.market.events import EventView
from bloor.market.view import BookView
from bloor.model.orders import Fill
from bloor.observe.summary import summary
from bloor.strategy.api import Orders, Strategy
from bloor.testing.virtual import MemoryJournal, VirtualRun

SECOND = 1_000_000_000
SYMBOLS = ("BTC-USDT", "ETH-USDT")


class Watcher(Strategy):
    """Keeps what it was told: bars of two seconds, a timer, and every trade with its time."""

    name = "watcher"
    bars = "2s"
    timer = "300ms"

    def __init__(self, config: Any = None) -> None:
        super().__init__(config)
        self.told: list[tuple[int, tuple[int, ...]]] = []
        self.values: list[float] = []
        self.beats: list[int] = []
        self.trades: list[tuple[int, int, int]] = []
        self.started_ns = 0

    def on_start(self, orders: Orders) -> None:
        """Notes when it may be told of anything first."""
        self.started_ns = orders.now_ns

    def on_trade(self, trade: EventView, book: BookView, orders: Orders) -> None:
        """Keeps a trade."""
        self.trades.append((orders.now_ns, trade.price, trade.qty))

    def on_bar(self, bar: BarRecord, book: BookView, orders: Orders) -> None:
        """Keeps a bar."""
        whole = (bar.open, bar.high, bar.low, bar.close, bar.volume, bar.trades, bar.start_ns, bar.end_ns)
        self.told.append((orders.now_ns, whole))
        self.values.append(bar.value)

    def on_timer(self, orders: Orders) -> None:
        """Keeps the time."""
        self.beats.append(orders.now_ns)


class Swing(Strategy):
    """Buys what it can after a bar that rose, and sells everything a few beats later."""

    name = "swing"
    bars = "1s"
    timer = "250ms"

    beats: int = 0

    def on_bar(self, bar: BarRecord, book: BookView, orders: Orders) -> None:
        """Buys at the ask."""
        if bar.close > bar.open and orders.sellable_lots < orders.min_lots and orders.open_orders == 0:
            orders.buy(book.best_ask, orders.lots_for(500.0, book.best_ask), ioc=True)
            self.beats = 0

    def on_timer(self, orders: Orders) -> None:
        """Sells at almost any price."""
        self.beats += 1
        if self.beats > 3 and orders.sellable_lots >= orders.min_lots and orders.open_orders == 0:
            orders.sell(self.last - self.last // 500, orders.sellable_lots, ioc=True)

    last: int = 0

    def on_trade(self, trade: EventView, book: BookView, orders: Orders) -> None:
        """Keeps the price."""
        self.last = trade.price


class Quick(Swing):
    """The same on shorter bars."""

    name = "quick"
    bars = "500ms"


def replayed(run: VirtualRun, *, timers: bool = True) -> tuple[Engine, MemoryJournal]:
    """A new engine that was given the inputs of a run, with or without timers, and its journal."""

    class Nowhere:
        """Effects without any."""

        def __getattr__(self, name: str) -> Any:
            return lambda *_: None

    journal = MemoryJournal()
    engine = Engine(run.engine.plan, Nowhere(), journal, run, lambda: 0)
    inputs = Inputs(engine)
    for number, (kind, conn, wall_ns, payload) in enumerate(run.journal.records):
        if kind in INPUTS and (timers or kind != RecordKind.TIMER):
            inputs.play(Record(number, 0, wall_ns, 1, conn, kind, 0, payload))
    return engine, journal


def document(run: VirtualRun) -> dict[str, Any]:
    """The summary of a run."""
    return summary(
        run.engine, mode="sim", session=Path("session"), duration_s=1.0, stale_ns={}, versions={}, notices=()
    )


@pytest.fixture(scope="module")
def watched() -> VirtualRun:
    """Two instruments watched for 21 seconds that begin in the middle of a period."""
    run = VirtualRun(strategies=[Watcher], symbols=SYMBOLS, seed=3)
    run.world.now_ns += 700_000_000
    run.for_seconds(21)
    run.finish()
    return run


@pytest.fixture(scope="module")
def traded() -> VirtualRun:
    """A minute of three strategies in two instruments."""
    run = VirtualRun(strategies=[Swing, Quick, Watcher], symbols=SYMBOLS, seed=5)
    run.for_seconds(60)
    run.finish()
    return run


def test_a_bar_ends_exactly_with_its_period(watched: VirtualRun) -> None:
    """Every bar is told at its end, not when the next trade comes; periods follow each other and are aligned."""
    for desk in watched.engine.desks:
        strategy = desk.strategy
        assert isinstance(strategy, Watcher)
        assert len(strategy.told) >= 9
        for told_ns, bar in strategy.told:
            assert told_ns == bar[7]
            assert bar[6] % (2 * SECOND) == 0
            assert bar[7] == bar[6] + 2 * SECOND
        ends = [bar[7] for _, bar in strategy.told]
        assert ends == list(range(ends[0], ends[-1] + 1, 2 * SECOND))


def test_a_bar_is_made_of_the_trades_of_its_period(watched: VirtualRun) -> None:
    """What on_trade heard between start and end gives the same bar, instrument by instrument."""
    for desk in watched.engine.desks:
        strategy = desk.strategy
        assert isinstance(strategy, Watcher)
        checked = 0
        for (_, bar), value in zip(strategy.told, strategy.values, strict=True):
            if bar[6] <= strategy.started_ns:
                continue
            inside = [(price, qty) for now, price, qty in strategy.trades if bar[6] <= now < bar[7]]
            prices = [price for price, _ in inside]
            assert inside, "the simulated market trades all the time"
            assert bar[:4] == (prices[0], max(prices), min(prices), prices[-1])
            assert bar[4:6] == (sum(qty for _, qty in inside), len(inside))
            assert value == pytest.approx(float(sum(price * qty for price, qty in inside)), rel=1e-12)
            checked += 1
        assert checked >= 8


def test_timers_beat_on_their_grid(watched: VirtualRun) -> None:
    """Every multiple of the period after the start, and none after the end of the run."""
    for desk in watched.engine.desks:
        strategy = desk.strategy
        assert isinstance(strategy, Watcher)
        beats = strategy.beats
        assert len(beats) > 60
        assert beats == list(range(beats[0], beats[-1] + 1, 300_000_000))
        assert beats[0] - strategy.started_ns <= 300_000_000
        assert beats[0] % 300_000_000 == 0


def test_without_bars_and_timers_nothing_changes() -> None:
    """A run whose strategies declare none asks for no timer of its own."""

    class Idle(Strategy):
        """Does nothing."""

    run = VirtualRun(strategies=[Idle], seed=1)
    run.for_seconds(5)
    assert not [1 for kind, *_ in run.journal.records if kind == RecordKind.TIMER]


def test_each_strategy_has_its_own_bars_position_and_money(traded: VirtualRun) -> None:
    """Fills go to the strategy and instrument that asked, and what each has is what its fills say."""
    desks = traded.engine.desks
    assert [(d.strategy.name, d.instrument.symbol) for d in desks] == [
        (name, symbol) for name in ("swing", "quick", "watcher") for symbol in SYMBOLS
    ]
    own: dict[tuple[int, str], list[Fill]] = {(d.number, d.instrument.symbol): [] for d in desks}
    for fill in traded.fills:
        order = traded.engine.blotter.by_client_id(fill.client_id)
        assert order is not None
        own[order.strategy, fill.instrument.symbol].append(fill)
    for desk in desks:
        fills = own[desk.number, desk.instrument.symbol]
        assert bool(fills) == (desk.strategy.name != "watcher")
        i = desk.instrument
        assert desk.position == sum(f.side * f.units for f in fills)
        cash = sum((-f.side * i.value(f.price_ticks, f.units) for f in fills), Decimal(0))
        fees = sum((f.fee_quote for f in fills), Decimal(0))
        assert desk.account.pnl_net(desk.mark2) == cash - fees + i.qty(desk.position) * i.price(desk.mark2) / 2
    assert traded.alerts == []


def test_the_journal_gives_the_same_run_again(traded: VirtualRun, watched: VirtualRun) -> None:
    """Bars and timers come from recorded inputs alone: a replay writes the same journal, byte for byte."""
    for run in (traded, watched):
        assert replayed(run)[1].records == run.journal.records


def test_a_frame_that_comes_late_finds_the_bar_closed(watched: VirtualRun) -> None:
    """Where no timer was asked for in time, the next frame closes the bar, and is not in it."""
    late, _ = replayed(watched, timers=False)
    for desk, other in zip(watched.engine.desks, late.desks, strict=True):
        one, two = desk.strategy, other.strategy
        assert isinstance(one, Watcher)
        assert isinstance(two, Watcher)
        assert [bar for _, bar in two.told] == [bar for _, bar in one.told]
        waits = [told_ns - bar[7] for told_ns, bar in two.told]
        assert min(waits) > 0
        assert max(waits) < SECOND
        assert len(two.beats) > 40


def test_a_lost_feed_stops_no_bar_and_no_timer() -> None:
    """Without any market data bars go on, empty, at the last price; replay agrees."""
    run = VirtualRun(strategies=[Watcher], seed=2)
    run.for_seconds(9)
    run.world.lossy = lambda conn, _payload: conn == feed_conn(0)
    run.for_seconds(8)
    strategy = run.engine.desks[0].strategy
    assert isinstance(strategy, Watcher)
    last = strategy.trades[-1][1]
    empty = [bar for _, bar in strategy.told if bar[5] == 0]
    assert len(empty) >= 3
    assert all(bar[:6] == (last, last, last, last, 0, 0) for bar in empty)
    assert strategy.beats[-1] > run.world.now_ns - 300_000_000
    assert replayed(run)[1].records == run.journal.records


class BadBar(Watcher):
    """Raises in its third bar."""

    name = "bad-bar"
    bars = "1s"
    seen: ClassVar[int] = 0

    def on_bar(self, bar: BarRecord, book: BookView, orders: Orders) -> None:
        """Fails."""
        super().on_bar(bar, book, orders)
        if len(self.told) == 3:
            raise ZeroDivisionError("a flat bar")


class BadTimer(Watcher):
    """Raises in its fifth beat."""

    name = "bad-timer"

    def on_timer(self, orders: Orders) -> None:
        """Fails."""
        super().on_timer(orders)
        if len(self.beats) == 5:
            raise KeyError("beat")


def test_a_strategy_that_raises_in_a_bar_or_a_timer_is_halted_alone() -> None:
    """It is told nothing more, the halt says where it failed, the others go on, and the replay agrees."""
    run = VirtualRun(strategies=[BadBar, BadTimer, Watcher], seed=4)
    run.for_seconds(15)
    bar, timer, good = run.engine.desks
    assert bar.halted == "ZeroDivisionError in on_bar: a flat bar"
    assert timer.halted == "KeyError in on_timer: 'beat'"
    assert good.halted == ""
    for desk in run.engine.desks:
        assert isinstance(desk.strategy, Watcher)
    assert len(bar.strategy.told) == 3  # type: ignore[attr-defined]
    assert len(timer.strategy.beats) == 5  # type: ignore[attr-defined]
    assert len(good.strategy.beats) > 40  # type: ignore[attr-defined]
    assert [code for code, _ in run.alerts] == ["strategy_halted", "strategy_halted"]
    assert replayed(run)[1].records == run.journal.records


def test_a_jump_of_time_is_caught_up_with_in_order() -> None:
    """After a pause each missed bar is told once, a missed timer once, in the order in which they were due."""
    run = VirtualRun(strategies=[Watcher], seed=2)
    run.for_seconds(9)
    strategy = run.engine.desks[0].strategy
    assert isinstance(strategy, Watcher)
    before, beats = len(strategy.told), len(strategy.beats)
    late = run.world.now_ns + 7 * SECOND
    run.engine.timer(late)
    fresh = strategy.told[before:]
    assert [told_ns for told_ns, _ in fresh] == [late] * len(fresh)
    assert len(fresh) in (3, 4)
    assert fresh[-1][1][7] <= late < fresh[-1][1][7] + 2 * SECOND
    assert strategy.beats[beats:] == [late]
    assert run.engine.deadline_ns > late


class CompiledSwing(Strategy):
    """Swing with other bars and more state, compiled."""

    name = "compiled-swing"
    compiled = True
    bars = "700ms"
    timer = "250ms"

    beats: int = 0
    last: int = 0
    told: int = 0
    worth: float = 0.0

    def on_bar(self, bar: BarRecord, book: BookView, orders: Orders) -> None:
        """Buys at the ask after a rise."""
        self.told += bar.trades
        self.worth += bar.value
        if bar.close > bar.open and orders.sellable_lots < orders.min_lots and orders.open_orders == 0:
            orders.buy(book.best_ask, orders.lots_for(500.0, book.best_ask), ioc=True)
            self.beats = 0

    def on_timer(self, orders: Orders) -> None:
        """Sells at almost any price."""
        self.beats += 1
        if self.beats > 3 and orders.sellable_lots >= orders.min_lots and orders.open_orders == 0:
            orders.sell(self.last - self.last // 500, orders.sellable_lots, ioc=True)

    def on_trade(self, trade: EventView, book: BookView, orders: Orders) -> None:
        """Keeps the price."""
        self.last = trade.price


def test_compiled_handlers_hear_of_the_same_bars_and_timers(tmp_path: Path) -> None:
    """Frames that never come to Python are counted in the same bars: fused and in Python, the run is the same."""
    pytest.importorskip("bloor_binance")
    runs = []
    for journal in (None, tmp_path / "journal"):
        run = VirtualRun(strategies=[CompiledSwing], symbols=SYMBOLS, seed=5, journal=journal)
        run.for_seconds(30)
        run.finish()
        run.close()
        runs.append(run)
    plain, fused = (run.engine for run in runs)
    assert fused.fusion.frames_fused > 1_000
    assert fused.log.hexdigest() == plain.log.hexdigest()
    assert runs[0].fills == runs[1].fills
    assert len(runs[0].fills) > 10
    for one, other in zip(plain.desks, fused.desks, strict=True):
        for name in ("told", "worth", "beats", "last"):
            assert getattr(one.strategy, name) == getattr(other.strategy, name)
        assert getattr(one.strategy, "told") > 100  # noqa: B009 (state of the class)


@pytest.mark.parametrize(
    ("attributes", "message"),
    [
        ({"bars": "1 minute"}, r"Wrong\.bars: expected a duration with a unit .* got '1 minute'"),
        ({"bars": "0s"}, r"Wrong\.bars: expected a duration of whole milliseconds such as \"1m\", got '0s'"),
        ({"timer": "100us"}, r"Wrong\.timer: expected a duration of whole milliseconds"),
        ({"timer": 5}, r"Wrong\.timer: expected a duration as text such as \"250ms\", got 5"),
        ({"bars": ""}, r"Wrong\.bars: on_bar would never be called; say how often: bars = \"1m\" in the class"),
        ({"on_timer": Strategy.on_timer}, r"Wrong\.timer: expected a method on_timer, which it is for, got none"),
    ],
)
def test_a_period_that_is_none_is_refused_before_the_run(attributes: dict[str, Any], message: str) -> None:
    """The message names class and attribute, what was expected, what came and what to do."""
    wrong = type("Wrong", (Watcher,), {"name": "wrong", **attributes})
    with pytest.raises(UsageError, match=message):
        VirtualRun(strategies=[wrong])


def test_the_summary_says_what_each_strategy_made(traded: VirtualRun) -> None:
    """Each strategy and instrument stands for itself, and the sums are the totals, exactly."""
    whole = document(traded)
    parts = whole["by_strategy"]
    assert [part["strategy"] for part in parts] == ["swing", "quick", "watcher"]
    assert parts[2]["fills"] == 0
    assert parts[2]["orders"]["sent"] == 0
    for key in ("fills", "round_trips"):
        assert sum(part[key] for part in parts) == whole[key]
    for key in ("pnl_net", "fees", "volume_quote"):
        assert sum((Decimal(part[key]) for part in parts), Decimal(0)) == Decimal(whole[key])
        for part in parts:
            rows = [row for row in whole["positions"] if row["strategy"] == part["strategy"]]
            assert [row["symbol"] for row in rows] == list(SYMBOLS)
            assert sum((Decimal(row[key]) for row in rows), Decimal(0)) == Decimal(part[key])
    for key in whole["orders"]:
        assert sum(part["orders"][key] for part in parts) == whole["orders"][key]
    assert min(part["fills"] for part in parts[:2]) > 10
    assert parts[0]["round_trips"] > 3
