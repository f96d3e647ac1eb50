"""A strategy that trades several instruments together, in virtual time: at one venue and over several."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bloor.engine.desk import Desk
from bloor.engine.effects import feed_conn, order_conn
from bloor.host.replay.run import replay
from bloor.journal.reader import Reader
from bloor.journal.record import RecordKind
from bloor.journal.writer import Writer
from bloor.market.view import BookState
from bloor.observe.session import fill_row
from bloor.observe.summary import summary
from bloor.plugins import PluginHost
from bloor.simulation.world import Latency
from bloor.strategy.api import Orders, Strategy
from bloor.testing.virtual import VirtualRun

PAIRS = ("BTC-USDT", "ETH-USDT")
SECOND = 1_000_000_000


class Hears(Strategy):
    """Keeps what it was told, with the leg; asks for nothing."""

    name = "hears"
    together = True
    bars = "1s"
    timer = "500ms"

    def __init__(self, config: Any = None) -> None:
        super().__init__(config)
        self.told: list[tuple[str, int, int]] = []
        self.states: list[tuple[int, ...]] = []

    def note(self, what: str, orders: Orders) -> None:
        """Keeps one event."""
        self.told.append((what, orders.leg, orders.now_ns))

    def on_start(self, orders: Orders) -> None:
        """Keeps the state of every book, too."""
        self.note("start", orders)
        self.states.append(tuple(orders.of(leg).book.state for leg in range(orders.legs)))

    def on_book(self, book: Any, orders: Orders) -> None:
        """Its own book, on the desk of its leg."""
        assert book is orders.book is orders.of(orders.leg).book
        self.note("book", orders)

    def on_bar(self, bar: Any, book: Any, orders: Orders) -> None:
        """A bar."""
        self.note("bar", orders)

    def on_timer(self, orders: Orders) -> None:
        """The period."""
        self.note("timer", orders)

    def on_stop(self, orders: Orders) -> None:
        """The end."""
        self.note("stop", orders)

    def legs_of(self, what: str) -> Counter[int]:
        """How often it was told of something, by leg."""
        return Counter(leg for name, leg, _ in self.told if name == what)


class Hedges(Strategy):
    """Rests a bid in leg 0 and buys what it filled in leg 1; all from events of the other leg."""

    name = "hedges"
    compiled = True
    together = True

    resting: int = 0
    asked: int = 0
    bought: int = 0
    changes: int = 0

    def on_book(self, book: Any, orders: Any) -> None:
        """An event of leg 1 moves the bid in leg 0, one of leg 0 buys in leg 1."""
        first, second = orders.of(0), orders.of(1)
        if not first.book.two_sided or not second.book.two_sided:
            return
        self.changes += 1
        if orders.leg == 1 and self.changes % 7 == 0:
            if self.resting:
                assert not second.cancel(self.resting)
                first.cancel(self.resting)
            price = first.book.best_bid + self.changes % 2
            self.resting = first.buy(price, first.lots_for(200.0, price))
        elif orders.leg == 0 and first.position > 0 and self.bought < self.asked:
            self.bought += 1
            second.buy(second.book.best_ask, second.lots_for(200.0, second.book.best_ask), ioc=True)

    def on_fill(self, fill: Any, book: Any, orders: Any) -> None:
        """A fill of leg 0 asks for one in leg 1."""
        if orders.leg == 0:
            self.asked += 1


class Single(Strategy):
    """One instance for each instrument, beside the others."""

    name = "single"
    seen: int = 0

    def on_book(self, book: Any, orders: Any) -> None:
        """Buys a little now and then."""
        self.seen += 1
        if self.seen % 50 == 1:
            orders.buy(book.best_ask, orders.lots_for(100.0, book.best_ask), ioc=True)


def run_of(*classes: type[Strategy], seconds: float = 4.0, **options: Any) -> VirtualRun:
    """A run of some seconds, not yet ended."""
    run = VirtualRun(strategies=classes, **{"symbols": PAIRS, "seed": 3, **options})
    run.for_seconds(seconds)
    return run


def session_of(run: VirtualRun, folder: Path, records: Any = None) -> Path:
    """Writes a run as the host writes it."""
    rows = run.journal.records if records is None else records
    header = orjson.dumps({"config": run.setup.record(), "engine": run.engine.plan.record()})
    document = summary(run.engine, mode="sim", session=folder, duration_s=1.0, stale_ns={}, versions={}, notices=())
    with Writer(folder / "journal", epoch=1, clock=lambda: 0, header=header, wall_ns=rows[0][2]) as writer:
        for row in rows:
            writer.append(*row)
            writer.tend()
        writer.append(RecordKind.STATUS, 0, rows[-1][2], orjson.dumps({"summary": document}))
        writer.close(rows[-1][2])
    (folder / "summary.json").write_bytes(orjson.dumps(document))
    (folder / "fills.jsonl").write_bytes(b"".join(orjson.dumps(fill_row(f)) + b"\n" for f in run.fills))
    return folder


def desks_of(run: VirtualRun, name: str) -> list[Desk]:
    """The desks of a strategy."""
    return [desk for desk in run.engine.desks if desk.strategy.name == name]


def heard(run: VirtualRun) -> Hears:
    """The one instance of ``Hears``."""
    [strategy] = {id(desk.strategy): desk.strategy for desk in desks_of(run, "hears")}.values()
    assert isinstance(strategy, Hears)
    return strategy


@pytest.mark.usefixtures("twins")
def test_one_instance_has_a_leg_for_every_instrument_of_every_venue() -> None:
    """In the order of the run's instruments; numbers and sizes tell the legs apart."""
    run = VirtualRun(
        strategies=[Hears, Single], venue=("binance", "twin"), symbols=[*PAIRS, "ETH-BTC"], sets=["run.rates.BTC=60000"]
    )
    desks = desks_of(run, "hears")
    assert len({id(desk.strategy) for desk in desks}) == 1
    assert len({id(desk.strategy) for desk in desks_of(run, "single")}) == 6
    assert [(desk.leg, desk.legs) for desk in desks] == [(leg, 6) for leg in range(6)]
    assert [(desk.leg, desk.legs) for desk in desks_of(run, "single")] == [(0, 1)] * 6
    assert [desk.of(5).instrument.venue for desk in desks] == ["twin"] * 6
    btc, eth, cross = desks[:3]
    assert [desk.venue for desk in desks] == [0, 0, 0, 1, 1, 1]
    assert btc.quote == eth.quote and cross.base == eth.base and cross.quote == btc.base
    assert len({btc.base, eth.base, btc.quote}) == 3
    for desk in run.engine.desks:
        i = desk.instrument
        assert (desk.tick, desk.lot) == (float(i.tick_size), float(i.lot_size))
        assert desk.unit * i.lot_units == pytest.approx(desk.lot)
    for wrong in (-1, 6):
        with pytest.raises(IndexError, match=f"of: expected a leg from 0 to 5, got {wrong}"):
            btc.of(wrong)


def test_every_leg_is_told_of_its_own_and_the_timer_once() -> None:
    """Start and stop once for each leg, books and bars of each, one timer for all with the desk of leg 0."""
    run = run_of(Hears)
    run.finish()
    told = heard(run)
    assert told.legs_of("start") == told.legs_of("stop") == {0: 1, 1: 1}
    assert min(told.legs_of("book").values()) > 5
    assert min(told.legs_of("bar").values()) >= 3
    beats = [now for what, _, now in told.told if what == "timer"]
    assert set(told.legs_of("timer")) == {0}
    assert len(beats) == len({now * 2 // SECOND for now in beats}) > 6


@pytest.mark.usefixtures("twins")
def test_a_leg_that_is_not_there_yet_is_known_by_its_book() -> None:
    """The others begin without it; what is asked for there is denied; it is started when its book comes."""

    class Early(Hears):
        name = "early"

        def on_timer(self, orders: Orders) -> None:
            super().on_timer(orders)
            other = orders.of(1)
            if other.book.state != BookState.SYNCED:
                assert other.buy(orders.book.best_ask, other.min_lots * 100, ioc=True) == 0

    run = VirtualRun(strategies=[Early], venue=("binance", "twin"), seed=2)
    run.world._backoff_ns = 3 * SECOND
    run.for_seconds(0.05)
    run.world.cut(feed_conn(1))
    run.for_seconds(2)
    strategy: Any = run.engine.desks[0].strategy
    assert [leg for what, leg, _ in strategy.told if what == "start"] == [0]
    assert strategy.states[0][0] == BookState.SYNCED != strategy.states[0][1]
    assert strategy.legs_of("timer")[0] >= 2
    assert run.engine.tally()["denied"] >= 2
    assert not run.fills
    run.for_seconds(5)
    assert strategy.legs_of("start") == {0: 1, 1: 1}
    assert strategy.states[1] == (BookState.SYNCED, BookState.SYNCED)


@pytest.mark.usefixtures("twins")
@pytest.mark.parametrize(
    "options", [{"symbols": PAIRS}, {"symbols": ["BTC-USDT"], "venue": ("binance", "letters")}], ids=["one", "two"]
)
def test_orders_of_a_leg_are_its_own(options: dict[str, Any]) -> None:
    """They go to its venue and instrument, and its position, orders and money are told apart from the other leg's."""
    run = run_of(Hedges, seconds=12.0, **options)
    run.finish()
    first, second = run.engine.desks
    strategy: Any = first.strategy
    assert not first.halted
    assert strategy.bought > 0
    by_leg = {d.leg: [f for f in run.fills if f.instrument == d.instrument] for d in run.engine.desks}
    for desk in run.engine.desks:
        assert desk.account.fills == len(by_leg[desk.leg]) > 0
        assert desk.position == desk.account.position == sum(f.units * f.side for f in by_leg[desk.leg])
    sent = Counter(order.instrument for order in run.engine.blotter)
    assert min(sent[first.instrument], sent[second.instrument]) > 0
    assert run.engine.open_orders == 0


def test_the_gate_looks_at_the_book_of_the_leg() -> None:
    """What would be far off in one instrument passes in another, and the reverse is denied."""

    class Asks(Strategy):
        name = "asks"
        together = True
        numbers: int = 0

        def on_book(self, book: Any, orders: Any) -> None:
            btc, eth = orders.of(0), orders.of(1)
            if btc.book.two_sided and eth.book.two_sided and not self.numbers:
                right = eth.buy(eth.book.best_ask, eth.min_lots * 200, ioc=True)
                wrong = eth.buy(btc.book.best_ask, eth.min_lots * 200, ioc=True)
                self.numbers = right * 10 + wrong

    run = run_of(Asks, seconds=3)
    strategy: Any = run.engine.desks[0].strategy
    assert strategy.numbers == 10
    assert run.engine.tally()["denied"] == 1


class Rests(Strategy):
    """Rests a bid in every leg, and raises when told to."""

    name = "rests"
    together = True
    raises: bool = False
    done: bool = False

    def on_book(self, book: Any, orders: Any) -> None:
        """Asks for all of them at once, from whichever leg."""
        if self.raises and orders.leg == 1:
            raise ValueError("asked to")
        legs = [orders.of(leg) for leg in range(orders.legs)]
        if not self.done and all(leg.book.state == BookState.SYNCED for leg in legs):
            self.done = True
            for leg in legs:
                price = leg.book.best_bid * 97 // 100
                number = leg.buy(price, leg.lots_for(200.0, price))
                assert number
                assert not legs[leg.leg - 1].cancel(number)
                assert not legs[leg.leg - 1].amend(number, 1)
                assert legs[leg.leg - 1].replace(number, price, leg.min_lots) == 0


def test_a_strategy_that_raises_is_halted_on_all_its_legs() -> None:
    """Every open order of every leg is cancelled, nothing of it is called again, and others go on."""
    run = run_of(Rests, Single)
    legs = desks_of(run, "rests")
    assert [desk.open_orders for desk in legs] == [1, 1]
    one: Any = legs[0].strategy
    one.raises = True
    before = [desk.account.fills for desk in desks_of(run, "single")]
    run.for_seconds(6)
    assert [desk.halted for desk in legs] == ["ValueError in on_book: asked to"] * 2
    assert [desk.open_orders for desk in legs] == [0, 0]
    assert [text for code, text in run.alerts if code == "strategy_halted"] == [
        "rests in binance:BTC-USDT, binance:ETH-USDT: ValueError in on_book: asked to"
    ]
    after = [desk.account.fills for desk in desks_of(run, "single")]
    assert all(now > then for now, then in zip(after, before, strict=True))
    assert not any(desk.halted for desk in desks_of(run, "single"))
    assert legs[0].buy(1, 1) == 0


@pytest.mark.usefixtures("twins")
def test_a_lost_book_pulls_the_orders_of_every_leg() -> None:
    """The price of one leg was made from the book of the other, which cannot be believed any more."""
    run = run_of(Rests, symbols=["BTC-USDT"], venue=("binance", "twin"))
    assert [desk.open_orders for desk in run.engine.desks] == [1, 1]
    run.world._backoff_ns = 60 * SECOND
    run.world.cut(feed_conn(1))
    run.for_seconds(2)
    assert [desk.open_orders for desk in run.engine.desks] == [0, 0]
    assert not any(desk.halted for desk in run.engine.desks)


@pytest.mark.usefixtures("twins")
def test_a_session_is_replayed_bit_by_bit(tmp_path: Path) -> None:
    """One together and one not, over two venues, a connection lost on the way."""
    run = run_of(Hedges, Single, seconds=5, symbols=["BTC-USDT"], venue=("binance", "twin"))
    run.world.cut(feed_conn(1))
    run.for_seconds(5)
    run.finish()
    result = replay(session_of(run, tmp_path), PluginHost(), verify=True, strategies=[Hedges, Single])
    assert result.failure == ""
    assert result.document["hash"] == run.engine.log.hexdigest()
    assert result.document["fills_file"]["equal"]
    assert result.document["summary"]["equal"]
    assert len(desks_of(run, "hedges")) == 2


@settings(max_examples=5)
@given(seed=st.integers(1, 1 << 40), cut=st.floats(0.01, 5), faults=st.sampled_from(["", "lost-ack:0.2", "gap:0.02"]))
def test_whatever_the_seed_and_whatever_went_wrong(tmp_path_factory: Any, seed: int, cut: float, faults: str) -> None:
    """Any seed, orders that lose their way at any moment, faults of the venue: each leg's books add up, and replay."""
    run = VirtualRun(
        strategies=[Hedges], symbols=PAIRS, seed=seed, faults=faults, latency=Latency(1_000_000, 20_000_000)
    )
    run.for_seconds(cut)
    run.world.cut(order_conn(0))
    run.for_seconds(6 - cut)
    run.finish()
    for desk in run.engine.desks:
        assert desk.position == sum(f.units * f.side for f in run.fills if f.instrument == desk.instrument)
        assert desk.open_orders == desk.open_buy == desk.open_sell == 0
    session = session_of(run, tmp_path_factory.mktemp("any"))
    assert replay(session, PluginHost(), verify=True, strategies=[Hedges]).failure == ""


def test_beside_fused_strategies_it_runs_in_python_and_decides_the_same(tmp_path: Path) -> None:
    """The run says why it is not compiled, and its journal is that of a run without any compiled code."""
    plain = run_of(Hedges, plugins=["momentum"], seconds=8)
    plain.finish()
    run = run_of(Hedges, plugins=["momentum"], seconds=8, journal=tmp_path / "journal")
    run.finish()
    run.close()
    assert run.engine.fusion.reasons == {
        "hedges": "it trades several instruments together, and compiled code here knows one instrument at a time"
    }
    assert run.engine.fusion.fused == [("momentum", pair) for pair in PAIRS]
    own = (RecordKind.HEADER, RecordKind.FOOTER)
    records = [
        (int(r.kind), r.conn, r.wall_ns, bytes(r.payload)) for r in Reader(tmp_path / "journal") if r.kind not in own
    ]
    assert records == plain.journal.records
    assert run.fills == plain.fills
    assert len(run.fills) > 3
    assert len([order for order in run.engine.blotter if order.strategy == 0]) > 3
    session = session_of(run, tmp_path / "session", records)
    assert replay(session, PluginHost(), verify=True, strategies=[Hedges]).failure == ""


def test_with_one_instrument_the_user_is_told() -> None:
    """It runs, as a strategy of one leg, and the document says what it lacks."""
    run = run_of(Hears, symbols=["BTC-USDT"], seconds=1)
    assert heard(run).legs_of("start") == {0: 1}
    document = summary(run.engine, mode="sim", session=Path("x"), duration_s=1.0, stale_ns={}, versions={}, notices=())
    [notice] = document["notices"]
    assert notice.startswith("strategy hears trades several instruments together and has one, binance:BTC-USDT; name")
