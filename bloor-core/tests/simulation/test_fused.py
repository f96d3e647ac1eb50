"""One call into machine code for each frame decides, journals and writes what Python decides, journals and writes."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from bloor.engine.fused.layout import RESERVE
from bloor.journal.reader import Reader
from bloor.journal.record import RecordKind
from bloor.market.events import EventView
from bloor.market.view import BookView
from bloor.model.orders import Fill, Side
from bloor.strategy.api import Orders, OrderUpdate, Strategy
from bloor.strategy.arrays import Array, array
from bloor.strategy.params import param
from bloor.testing.virtual import VirtualRun

pytest.importorskip("bloor_binance")


class Taker(Strategy):
    """Buys and sells in turn, at the touch."""

    name = "taker"
    compiled = True

    every: int = param(7, low=1, doc="trades between two orders")
    seen: int = 0
    side: int = 1

    def on_trade(self, trade: EventView, book: BookView, orders: Orders) -> None:
        """Every few trades an order."""
        self.seen += 1
        if self.seen % self.every == 0 and book.two_sided:
            lots = max(orders.min_lots, orders.lots_for(500.0, book.best_ask))
            if self.side > 0:
                orders.buy(book.best_ask, lots, ioc=True)
            elif orders.sellable_lots >= orders.min_lots:
                orders.sell(book.best_bid, orders.sellable_lots, ioc=True)
            self.side = -self.side


class Maker(Strategy):
    """Rests a bid behind the touch, takes it back when the touch moves away, and sells what it has bought."""

    name = "maker"
    compiled = True

    away: int = param(3, low=0, doc="ticks behind the touch")
    value: float = param(300.0, low=0.0, doc="value of an order, in the quote asset")
    bid: int = 0
    price: int = 0
    updates: int = 0
    filled: int = 0

    def on_book(self, book: BookView, orders: Orders) -> None:
        """Keeps one bid where it should be."""
        if not book.two_sided:
            return
        wanted = book.best_bid - self.away
        if self.bid == 0:
            self.price = wanted
            self.bid = orders.buy(wanted, orders.lots_for(self.value, wanted), post_only=True)
            if orders.sellable_lots >= orders.min_lots:
                orders.sell(book.best_ask + self.away, orders.sellable_lots, post_only=True)
        elif abs(self.price - wanted) > self.away:
            if not orders.cancel(self.bid):
                orders.cancel_all()
            self.bid = 0

    def on_order(self, order: OrderUpdate, book: BookView, orders: Orders) -> None:
        """Forgets a bid that has ended."""
        self.updates += 1
        if order.closed and order.number == self.bid:
            self.bid = 0

    def on_fill(self, fill: Fill, book: BookView, orders: Orders) -> None:
        """Counts."""
        self.filled += fill.units

    def on_stop(self, orders: Orders) -> None:
        """Takes everything back."""
        orders.cancel_all()


class Greedy(Taker):
    """Asks for more than any limit allows, every other time."""

    name = "greedy"

    def on_trade(self, trade: EventView, book: BookView, orders: Orders) -> None:
        """An order for everything there is, then an order for one."""
        self.seen += 1
        if book.two_sided:
            orders.buy(book.best_ask, 1_000_000_000 if self.seen % 2 else orders.min_lots, ioc=True)


class Breaks(Taker):
    """Divides by zero after a while."""

    name = "breaks"

    def on_trade(self, trade: EventView, book: BookView, orders: Orders) -> None:
        """Orders, then raises in the same event."""
        self.seen += 1
        if book.two_sided:
            orders.buy(book.best_bid - 50, orders.lots_for(200.0, book.best_bid), post_only=True)
        self.side = self.side // (20 - self.seen)


class Mover(Strategy):
    """Keeps a bid and a smaller one below it behind the touch by replacing them, and reduces them now and then."""

    name = "mover"
    compiled = True

    away: int = param(2, low=0, doc="ticks behind the touch")
    value: float = param(600.0, low=0.0, doc="value of an order, in the quote asset")
    bid: int = 0
    second: int = 0
    price: int = 0
    lots: int = 0
    seen: int = 0
    moved: int = 0
    refused: int = 0
    reduced: int = 0
    updates: int = 0
    filled: int = 0

    def on_book(self, book: BookView, orders: Orders) -> None:
        """Moves the bid after the touch; every other time in the middle of other requests."""
        if not book.two_sided:
            return
        self.seen += 1
        wanted = book.best_bid - self.away
        if self.bid == 0:
            self.price, self.lots = wanted, orders.lots_for(self.value, wanted)
            self.bid = orders.buy(wanted, self.lots, post_only=True)
        elif self.price != wanted:
            if self.seen % 2 == 0:
                orders.buy(wanted - 20, orders.lots_for(100.0, wanted), post_only=True)
            new = orders.replace(self.bid, wanted, self.lots)
            if new > 0:
                self.bid, self.price = new, wanted
                self.moved += 1
            else:
                self.refused += 1
            if self.seen % 3 == 0:
                orders.sell(book.best_ask, max(orders.min_lots, orders.sellable_lots // 2), ioc=True)
                orders.cancel(self.second)
                self.second = orders.buy(wanted - 5, orders.lots_for(200.0, wanted), post_only=True)
        if orders.open_orders > 6:
            orders.cancel_all()

    def on_trade(self, trade: EventView, book: BookView, orders: Orders) -> None:
        """Reduces both."""
        if self.seen % 5 == 0 and self.lots > 1:
            if orders.amend(self.bid, self.lots * 3 // 4):
                self.lots = self.lots * 3 // 4
                self.reduced += 1
            orders.amend(self.second, 1)

    def on_order(self, order: OrderUpdate, book: BookView, orders: Orders) -> None:
        """Forgets what has ended."""
        self.updates += order.number
        if order.closed and order.number == self.bid:
            self.bid = 0
        if order.closed and order.number == self.second:
            self.second = 0

    def on_fill(self, fill: Fill, book: BookView, orders: Orders) -> None:
        """Counts."""
        self.filled += fill.units

    def on_stop(self, orders: Orders) -> None:
        """Moves once more, then takes everything back."""
        orders.replace(self.bid, self.price - 1, self.lots)
        orders.cancel_all()


class Anything(Strategy):
    """Asks for whatever comes to its mind, in every handler, and keeps the numbers of its orders in an array."""

    name = "anything"
    compiled = True

    salt: int = param(1, low=0, doc="what the first draw is made of")
    ends: int = param(0, low=0, doc="after so many draws it raises; 0 for never")
    state: int = 0
    seen: int = 0
    updates: int = 0
    filled: int = 0
    numbers: Array[int] = array(8)
    mids: Array[float] = array(16)
    moved: int = 0

    def draw(self, below: int) -> int:
        """A number that looks like chance."""
        self.seen += 1
        if self.seen == self.ends:
            raise ValueError("enough")
        self.state = (self.state * 1_103_515_245 + 12_345 + self.salt) % (1 << 31)
        return (self.state >> 8) % below

    def act(self, book: BookView, orders: Orders) -> None:
        """Up to three requests."""
        if not book.two_sided:
            return
        self.mids[self.seen % len(self.mids)] = book.mid2 / 2
        for _ in range(self.draw(4)):
            at = self.draw(len(self.numbers))
            number, what, lots = self.numbers[at], self.draw(24), orders.lots_for(150.0 + self.draw(400), book.best_ask)
            tick, _units = book.level(Side.BUY, self.draw(6))
            if what < 4:
                self.numbers[at] = orders.buy(tick, lots, post_only=True)
            elif what < 6:
                tick, _units = book.level(Side.SELL, self.draw(6))
                self.numbers[at] = orders.sell(tick, min(lots, orders.sellable_lots), ioc=self.draw(2) == 0)
            elif what < 12:
                new = orders.replace(number, tick, lots)
                if new > 0:
                    self.numbers[at] = new
                    self.moved += 1
            elif what < 16:
                self.moved += orders.amend(number, lots // 2)
            elif what < 20:
                orders.cancel(number)
            elif what == 20 and sum(self.mids) > book.size_to(Side.SELL, book.best_ask + 3):
                self.moved += orders.cancel_all()
            elif what == 21:
                orders.buy(book.best_ask, lots, ioc=True)

    def on_trade(self, trade: EventView, book: BookView, orders: Orders) -> None:
        """As the others."""
        self.act(book, orders)

    def on_book(self, book: BookView, orders: Orders) -> None:
        """As the others."""
        if self.draw(5) == 0:
            self.act(book, orders)

    def on_order(self, order: OrderUpdate, book: BookView, orders: Orders) -> None:
        """In the middle of what it is told of its requests."""
        self.updates += order.number * order.status
        if self.draw(6) == 0:
            self.act(book, orders)

    def on_fill(self, fill: Fill, book: BookView, orders: Orders) -> None:
        """As the others."""
        self.filled += fill.units
        self.act(book, orders)


class AbsurdMover(Mover):
    """Replaces an order by more than 64 bits hold; says so itself now and then."""

    name = "absurd-mover"

    def on_trade(self, trade: EventView, book: BookView, orders: Orders) -> None:
        """What is raised can be caught, and goes on to whoever calls the handler if it is not."""
        try:
            orders.replace(self.bid, self.price, 1 << 62)
        except Exception:  # noqa: BLE001
            self.refused += 1
        if self.refused == 3:
            orders.cancel(self.second)
            orders.amend(self.bid, 1)
            orders.replace(self.bid, self.price, (1 << 62) + 1)


class Late(Taker):
    """Has a large array, which decides when it raises."""

    name = "late"

    marks: Array[int] = array(5000)

    def on_trade(self, trade: EventView, book: BookView, orders: Orders) -> None:
        """Raises once the last element has been counted up."""
        self.marks[-1] += 1
        if self.marks[4999] == 30:
            raise ValueError("late")


class PlainMaker(Maker):
    """The same in Python."""

    name = "plain-maker"
    compiled = False


class PlainGreedy(Greedy):
    """The same in Python."""

    name = "plain-greedy"
    compiled = False


class Absurd(Taker):
    """Asks for more lots than 64 bits hold."""

    name = "absurd"
    compiled = False

    def on_trade(self, trade: EventView, book: BookView, orders: Orders) -> None:
        """Ordinary orders at first."""
        self.seen += 1
        if book.two_sided:
            orders.buy(book.best_bid - 9, orders.lots_for(100.0, book.best_bid), post_only=True)
        if self.seen == 5:
            orders.buy(book.best_ask, 1 << 70, ioc=True)


def records_of(run: VirtualRun, journal: Path | None) -> list[tuple[int, int, int, bytes]]:
    """What a run has journaled, but for the journal's own records."""
    if journal is None:
        return run.journal.records
    own = (RecordKind.HEADER, RecordKind.FOOTER)
    return [(int(r.kind), r.conn, r.wall_ns, bytes(r.payload)) for r in Reader(journal) if r.kind not in own]


def run_of(
    journal: Path | None, seconds: float, **options: Any
) -> tuple[VirtualRun, list[tuple[int, int, int, bytes]]]:
    """A finished run and its records."""
    run = VirtualRun(journal=journal, **options)
    run.for_seconds(seconds)
    run.finish()
    run.close()
    return run, records_of(run, journal)


def compared(tmp_path: Path, seconds: float = 20.0, **options: Any) -> tuple[VirtualRun, VirtualRun]:
    """The same run in Python and fused; their records are the same."""
    plain, expected = run_of(None, seconds, **options)
    fused, got = run_of(tmp_path / "journal", seconds, **options)
    for number, (one, other) in enumerate(zip(expected, got, strict=False)):
        assert one == other, f"record {number}"
    assert len(expected) == len(got)
    assert plain.engine.log.hexdigest() == fused.engine.log.hexdigest()
    assert plain.engine.tally() == fused.engine.tally()
    assert plain.fills == fused.fills
    assert plain.engine.gate.denied == fused.engine.gate.denied
    assert plain.engine.measures.frames == fused.engine.measures.frames
    assert plain.engine.measures.events == fused.engine.measures.events
    assert [vars_of(d) for d in plain.engine.desks] == [vars_of(d) for d in fused.engine.desks]
    assert fused.engine.fusion.frames_fused > 100
    assert plain.engine.fusion.frames_fused == 0
    return plain, fused


def vars_of(desk: Any) -> dict[str, Any]:
    """A desk's strategy, position and mark."""
    names = ("seen", "side", "bid", "second", "updates", "filled", "moved", "refused", "reduced", "lots", "state")
    state = {name: getattr(desk.strategy, name) for name in names if hasattr(desk.strategy, name)}
    return {**state, "position": desk.position, "mark2": desk.mark2, "halted": desk.halted, "open": desk.open_orders}


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_a_fused_taker_leaves_the_journal_of_one_in_python(tmp_path: Path, seed: int) -> None:
    """Every record, byte for byte: frames, decisions, orders."""
    plain, _ = compared(tmp_path, strategies=[Taker], seed=seed)
    assert plain.engine.tally()["filled"] > 10


@pytest.mark.parametrize("seed", [1, 2])
def test_a_fused_maker_cancels_as_one_in_python(tmp_path: Path, seed: int) -> None:
    """Cancels by number and all at once, with and without a known venue id, and the updates that come of them."""
    plain, _ = compared(tmp_path, strategies=[Maker], seed=seed)
    assert plain.engine.tally()["cancelled"] > 10


def test_several_strategies_and_instruments_in_one_run(tmp_path: Path) -> None:
    """Each desk in its turn, what comes of its orders before the next one's."""
    plain, _ = compared(
        tmp_path, strategies=[Maker, Taker, Greedy], symbols=("BTC-USDT", "ETH-USDT"), sets=["strategy.taker.every=3"]
    )
    assert plain.engine.tally()["filled"] > 20


def test_denials_are_the_same(tmp_path: Path) -> None:
    """The gate's answers, their codes in the decisions, and what is counted."""
    plain, _ = compared(tmp_path, strategies=[Greedy])
    assert plain.engine.measures.denials


def test_a_compiled_and_an_ordinary_strategy_side_by_side(tmp_path: Path) -> None:
    """Where one of an instrument's strategies is Python, events are handed on by Python, in the order of the desks."""
    _, fused = compared(tmp_path, 20.0, strategies=[Taker, PlainMaker, Maker])
    assert fused.engine.fusion.fused == [("taker", "BTC-USDT"), ("maker", "BTC-USDT")]


def test_orders_of_an_ordinary_strategy_are_placed_by_compiled_code(tmp_path: Path) -> None:
    """Its handlers are Python; journal, book, gate and encoding are not, and nothing else is different."""
    plain, _ = compared(tmp_path, strategies=[PlainMaker, PlainGreedy], faults="lost-ack:0.1,gap:0.01")
    assert plain.engine.tally()["cancelled"] > 5
    assert plain.engine.measures.denials


def test_a_number_beyond_what_compiled_code_holds_is_left_to_python(tmp_path: Path) -> None:
    """Python has no largest integer: what it says of an absurd quantity is said in both."""
    plain, fused = compared(tmp_path, 10.0, strategies=[Absurd])
    assert plain.engine.desks[0].halted == fused.engine.desks[0].halted != ""


def test_a_handler_that_raises_halts_its_strategy_with_the_words_of_python(tmp_path: Path) -> None:
    """What it asked for before is sent, then everything of it is cancelled; the others go on."""
    plain, fused = compared(tmp_path, strategies=[Breaks, Taker, Late])
    halted = [desk.halted for desk in fused.engine.desks]
    assert halted[0].startswith("ZeroDivisionError in on_trade")
    assert halted[1] == ""
    assert halted[2] == "ValueError in on_trade: late"
    assert plain.engine.tally()["cancelled"] > 0


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_changes_of_orders_are_those_of_python(tmp_path: Path, seed: int) -> None:
    """Replacing and reducing in the middle of other requests: the same records in the same order."""
    plain, _ = compared(tmp_path, strategies=[Mover], seed=seed)
    mover: Any = plain.engine.desks[0].strategy
    assert mover.moved > 20
    assert mover.reduced > 2
    assert plain.engine.tally()["filled"] > 2


@pytest.mark.parametrize(
    ("salt", "faults"), [(1, ""), (2, "lost-ack:0.2,gap:0.01"), (3, "disconnect:7s"), (4, "duplicate:0.05")]
)
def test_any_mixture_of_requests(tmp_path: Path, salt: int, faults: str) -> None:
    """Whatever is asked for, in whichever order and handler, beside another strategy: the same records."""
    sets = [f"strategy.anything.salt={salt}"]
    plain, _ = compared(tmp_path, 30.0, strategies=[Anything, Maker], sets=sets, seed=salt, faults=faults)
    anything: Any = plain.engine.desks[0].strategy
    assert anything.moved > 50
    assert plain.engine.tally()["filled"] > 20


@pytest.mark.parametrize("ends", [150, 1000, 1003])
def test_any_handler_may_raise(tmp_path: Path, ends: int) -> None:
    """In the middle of whatever it asks for, and with the words of Python."""
    sets = [f"strategy.anything.ends={ends}"]
    _, fused = compared(tmp_path, 20.0, strategies=[Anything, Taker], sets=sets)
    assert fused.engine.desks[0].halted.startswith("ValueError in on_")
    assert fused.engine.desks[0].halted.endswith(": enough")


def test_changes_of_several_strategies_with_denials(tmp_path: Path) -> None:
    """A gate that denies some of them, and strategies that come after in the same event."""
    sets = ["risk.position-limits.max_position_value=900", "risk.position-limits.max_open_orders=5"]
    plain, _ = compared(tmp_path, strategies=[Taker, Mover, Maker, Greedy], symbols=("BTC-USDT", "ETH-USDT"), sets=sets)
    assert plain.engine.measures.denials


def test_a_change_that_raises(tmp_path: Path) -> None:
    """It raises in the handler what it raises in Python, after what was asked before it."""
    plain, fused = compared(tmp_path, strategies=[AbsurdMover, Taker])
    assert plain.engine.desks[0].halted == fused.engine.desks[0].halted != ""
    assert plain.engine.desks[1].halted == ""


@pytest.mark.parametrize("faults", ["disconnect:10s", "lost-ack:0.2,gap:0.01,duplicate:0.02"])
def test_with_faults_of_the_venue(tmp_path: Path, faults: str) -> None:
    """Lost connections, lost answers, gaps: Python and compiled code take turns on the same memory."""
    compared(tmp_path, 60.0, strategies=[Maker, Taker, Mover], faults=faults)


def test_while_the_connection_is_replaced(tmp_path: Path) -> None:
    """Frames of both connections are Python's until the new one is alone."""
    compared(tmp_path, 60.0, strategies=[Taker], sets=["venue.binance.connection_life=20s"])


def test_keys_that_sign_every_request_run_in_python(tmp_path: Path) -> None:
    """Without a logged-on connection no order is encoded by compiled code, and nothing else is different."""
    plain, expected = run_of(None, 20.0, strategies=[Taker], key="hmac")
    _, got = run_of(tmp_path / "journal", 20.0, strategies=[Taker], key="hmac")
    assert got == expected
    assert plain.engine.tally()["sent"] > 3


@pytest.mark.parametrize("segment_bytes", [RESERVE + (1 << 16), 1 << 18])
def test_a_segment_that_is_full_goes_on_in_the_next(tmp_path: Path, segment_bytes: int) -> None:
    """A call has room for all it may write, or begins with a new segment; where none is large enough, Python writes."""
    _, expected = run_of(None, 10.0, strategies=[Maker, PlainMaker, Mover])
    fused, got = run_of(tmp_path / "journal", 10.0, strategies=[Maker, PlainMaker, Mover], segment_bytes=segment_bytes)
    assert got == expected
    assert len(list((tmp_path / "journal").glob("*.journal"))) > 2
    assert (fused.engine.fusion.frames_fused > 0) == (segment_bytes > RESERVE)


def test_fusion_can_be_switched_off(tmp_path: Path) -> None:
    """``run.fused = false`` runs compiled strategies as the Python that they are."""
    fused, _ = run_of(tmp_path / "journal", 10.0, strategies=[Taker], sets=["run.fused=false"])
    assert not fused.engine.fusion.frames_fused
    assert not fused.engine.fusion.fused
