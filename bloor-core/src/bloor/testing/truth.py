"""Whether a whole run was true: replayed the same, nothing left open, and every fill in the account."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from bloor.engine.core import Engine
from bloor.engine.decisions import Decision, DecisionKind
from bloor.engine.inputs import INPUTS, Inputs
from bloor.errors import BloorError, RemoteProtocolError
from bloor.execution.life import Status
from bloor.hookspecs import ExecutorContext
from bloor.host.replay.compare import Nowhere
from bloor.journal.record import Record, RecordKind
from bloor.strategy.api import Strategy
from bloor.testing.cards.base import does_not_apply
from bloor.testing.subject import VenueSubject
from bloor.testing.trading import asked_at_once, holdings_of
from bloor.testing.virtual import MemoryJournal, VirtualRun

__all__ = ["Quoter", "TrueRun", "earned", "replayed"]

SECOND = 1_000_000_000


class Quoter(Strategy):
    """Keeps a buy order near the bid, takes it back or lets it trade, and sells what it gets."""

    name = "quoter-card"
    step: int = 0
    number: int = 0
    next_ns: int = 0

    def on_book(self, book: Any, orders: Any) -> None:
        """Places, moves or cancels, five times a second at most."""
        if orders.now_ns < self.next_ns or not book.two_sided:
            return
        self.next_ns = orders.now_ns + SECOND // 5
        self.step += 1
        lots = 4 * orders.min_lots + orders.lots_for(400.0, book.best_bid)
        if orders.sellable_lots >= orders.lots_for(50.0, book.best_bid) and orders.open_sell == 0:
            orders.sell(book.best_bid, orders.sellable_lots, ioc=True)
        elif orders.open_buy == 0:
            through = self.step % 4 == 0
            self.number = orders.buy(book.best_ask if through else book.best_bid, lots, ioc=through)
        elif self.step % 3 == 0:
            orders.cancel(self.number)


def replayed(run: VirtualRun) -> tuple[Engine, MemoryJournal]:
    """The inputs of a run's journal, given to a new engine of the same plan.

    Args:
        run: A run that keeps its journal in memory.

    Returns:
        The engine, and what it has written.
    """
    journal = MemoryJournal()
    engine = Engine(run.engine.plan, Nowhere(), journal, run, lambda: 0)
    inputs = Inputs(engine)
    for number, (kind, conn, wall_ns, payload) in enumerate(run.journal.records, start=1):
        if kind in INPUTS:
            inputs.play(Record(number, 0, wall_ns, 1, conn, kind, 1, payload))
    return engine, journal


def earned(run: VirtualRun) -> dict[str, Decimal]:
    """What every asset of an account has changed by, according to the fills of a run: exact."""
    found: dict[str, Decimal] = {}
    for fill in run.fills:
        i = fill.instrument
        qty = Decimal(int(fill.side) * fill.units).scaleb(-i.qty_decimals)
        value = Decimal(fill.price_ticks * i.tick_units).scaleb(-i.price_decimals) * qty
        for asset, change in ((i.base, qty), (i.quote, -value), (fill.fee_asset, -fill.fee)):
            found[asset] = found.get(asset, Decimal(0)) + change
    return found


class TrueRun:
    """A minute of :class:`Quoter` at a venue's simulation, and a minute in which everything comes to its end.

    Args:
        venue: The plug-in.
        faults: What the venue does wrong; the card does not apply when it does not have such faults.

    Attributes:
        run: The run, over.
    """

    def __init__(self, venue: VenueSubject, faults: str = "") -> None:
        self._executor = venue.executor
        self._faults = faults
        try:
            self.run = VirtualRun(
                strategies=[Quoter], venue=venue.plugin, symbols=venue.symbols[:1], seed=3, faults=faults
            )
        except BloorError as error:
            if faults:
                does_not_apply(f"its simulated venue does not have the faults {faults!r}: {error}")
            raise
        self._before = self._holdings()
        self.run.for_seconds(60)
        injected: Any = getattr(self.run.world.venue, "faults", None)
        if hasattr(injected, "stop"):
            injected.stop()  # where a venue lets it be done, its bad day is over
        self.run.finish(60)

    def check(self) -> None:
        """Whether what we believe is what the venue has.

        Raises:
            AssertionError: Something is open, unknown, counted twice, or not in the account.
        """
        run = self.run
        said = [payload for kind, _, _, payload in run.journal.records if kind == RecordKind.DECISION]
        placed = [d for d in map(Decision.unpack, said) if d.kind is DecisionKind.PLACE]
        assert len(placed) >= 20, f"only {len(placed)} orders were sent in a minute; alerts: {run.alerts[-3:]}"
        assert run.fills, f"nothing was filled in a minute; alerts: {run.alerts[-3:]}"
        halted = [desk.halted for desk in run.engine.desks if desk.halted]
        assert not halted, f"the strategy was halted: {halted[0]}"
        left = [(o.client_id, Status(o.status).name) for o in run.engine.blotter if not o.closed]
        assert not left and run.engine.open_orders == 0, (
            f"a minute after the end {run.engine.open_orders} orders are open: {left[:5]}; alerts: {run.alerts[-3:]}"
        )
        ids = [(fill.instrument.symbol, fill.trade_id) for fill in run.fills]
        assert len(set(ids)) == len(ids), "a fill was counted twice"
        self._check_account()

    def _check_account(self) -> None:
        """Whether the account has changed by what the fills say; not looked at where it cannot be asked for."""
        after, before = self._holdings(), self._before
        if after is None or before is None:
            return
        change = earned(self.run)
        instrument = self.run.engine.plan.instruments[0]
        for asset in (instrument.base, instrument.quote):
            expected = before.get(asset, Decimal(0)) + change.get(asset, Decimal(0))
            assert after.get(asset, Decimal(0)) == expected, (
                f"{asset}: the venue has {after.get(asset)}, and by our fills it is {expected}; "
                f"faults: {self._faults or 'none'}"
            )

    def _holdings(self) -> dict[str, Decimal] | None:
        """What the account holds; None where it cannot be asked for."""
        if self._executor.account is None:
            return None
        plan = self.run.engine.plan.venues[0]
        context = ExecutorContext(
            config=plan.config, endpoints=plan.endpoints, credentials=plan.credentials, instruments=plan.instruments
        )
        world = self.run.world
        for _ in range(20):  # a venue on a bad day may refuse to answer
            try:
                state = asked_at_once(world, self._executor.account(context).state(world.now_ns))
            except RemoteProtocolError:
                world.now_ns += SECOND
                continue
            return holdings_of(state)
        return None
