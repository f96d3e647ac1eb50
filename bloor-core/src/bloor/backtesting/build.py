"""Putting a backtest together: strategies, models and stored events become memory that kernels work on."""

from __future__ import annotations

from collections.abc import Sequence
from enum import Enum
from typing import Any, cast

from attrs import field, frozen

from bloor.backtesting import layout as at
from bloor.backtesting.byorder import require_orders
from bloor.backtesting.kept import AgainWindows, KeptWindows
from bloor.backtesting.memory import DeskMemory, LaneMemory, RunMemory, put
from bloor.backtesting.models.fee import FeeEntries, FeeModel
from bloor.backtesting.models.latency import LatencyModel
from bloor.backtesting.models.queue import QueueModel
from bloor.backtesting.python.gating import PythonGate
from bloor.backtesting.python.handlers import PythonHandlers, overridden
from bloor.backtesting.python.orders import DeskOrders
from bloor.backtesting.room import Room
from bloor.backtesting.rows import StoredRows
from bloor.backtesting.venueside import VenueWindows
from bloor.errors import UsageError
from bloor.model.instrument import Instrument
from bloor.risk.gate import Gate
from bloor.strategy.api import Strategy
from bloor.strategy.compiled.handlers import compile_handlers
from bloor.strategy.compiled.looking import looks_at_levels
from bloor.strategy.legs import describe, join, traits_of
from bloor.strategy.memory import OrdersRecord, in_memory
from bloor.strategy.periods import periods_of

__all__ = ["Form", "LaneSpec", "Prepared", "StrategySpec", "lane_of", "prepare"]


class Form(Enum):
    """How a strategy's handlers are run; the results are the same."""

    #: As machine code where the class says ``compiled = True``, else as ordinary Python.
    DECLARED = "declared"
    #: As ordinary Python.
    PYTHON = "python"
    #: As ordinary Python on the state of the compiled form.
    TRACED = "traced"


@frozen(kw_only=True, eq=False)
class StrategySpec:
    """A strategy to test.

    Attributes:
        name: What it is called.
        cls: Its class.
        config: Its parameters, typed; None for the defaults.
        form: How its handlers are run.
        until_ns: The backtest ends with what the strategy raises at this time or later, and with its first event after
            it.
    """

    name: str
    cls: type[Strategy]
    config: Any = None
    form: Form = Form.DECLARED
    until_ns: int = at.NEVER

    @property
    def compiled(self) -> bool:
        """Whether its handlers are machine code."""
        return self.form is Form.DECLARED and self.cls.compiled

    def instance(self) -> Strategy:
        """A new instance."""
        cls: type[Any] = in_memory(self.cls) if self.compiled or self.form is Form.TRACED else self.cls
        made: Strategy = cls(self.config)
        return made


@frozen(kw_only=True, eq=False)
class LaneSpec:
    """An instrument to test on.

    Attributes:
        instrument: What is traded.
        rows: Its stored events.
        latency: Of order entry and of responses.
        queue: Where in the queue an order of ours is.
        fees: What trading costs there, the same for all instruments of a venue; None for nothing.
        partial: Whether fills are limited to what trades; otherwise every fill is of the whole order.
        self_trade: What happens when two orders of ours would trade with each other: an ``STP_`` number.
        oversell: Whether more may be sold than is held.
        inventory: Units of the base asset held at the beginning.
        clock_offset_ns: What is taken off the venue's times; None to learn it on the way.
        begin_ns: Strategies see nothing that was received earlier.
        until_ns: Nothing that was received, or happened at the venue, later is known.
        book_shift_ns: How long before their message changes of the book are taken to have happened.
        within: Whether the data contain the orders of a run that is repeated: then what rests of ours is taken off what
            a level holds, and only the rest is ahead.
        venue_rows: What the venue's side is made of, where that is not what strategies see
            (:mod:`bloor.backtesting.atvenue`).
        kept: The venue's side of the same rows, annotated before with the same times; None to annotate it on the way.
        room: What there is room for in the beginning.
    """

    instrument: Instrument
    rows: StoredRows
    latency: LatencyModel
    queue: QueueModel
    fees: FeeModel | None = None
    partial: bool = True
    self_trade: int = at.STP_TAKER
    oversell: bool = False
    inventory: int = 0
    clock_offset_ns: int | None = 0
    begin_ns: int = 0
    until_ns: int = at.NEVER
    book_shift_ns: int = 0
    within: bool = False
    venue_rows: StoredRows | None = None
    kept: KeptWindows | None = None
    room: Room = field(factory=Room)


@frozen(eq=False)
class Prepared:
    """A backtest that is ready to run, once.

    Attributes:
        memory: What kernels work on.
        strategies: The instances, by desk.
        python: By desk, the handlers of strategies that run as ordinary Python; None where they are compiled.
        kept: What has to stay alive.
    """

    memory: RunMemory
    strategies: Sequence[Strategy]
    python: Sequence[PythonHandlers | None]
    kept: Sequence[Any] = field(repr=False)


def prepare(
    lanes: Sequence[LaneSpec], strategies: Sequence[StrategySpec], *, gate: Gate | None = None, seed: int = 0
) -> Prepared:
    """Makes everything that a backtest works on.

    Args:
        lanes: The instruments, in the order of the run.
        strategies: What trades them.
        gate: The risk checks; None for none.
        seed: Seeds models that draw numbers.

    Raises:
        StrategyCompileError: A strategy that says that it is compilable is not.
        PluginError: A model cannot be used.
        UsageError: The queue model asks for order-level data, and an instrument's are not.
    """
    fees = _fees(lanes)
    made = [lane_of(spec, seed, charged) for spec, charged in zip(lanes, fees, strict=True)]
    traits = traits_of(spec.instrument for spec in lanes)
    desks: list[DeskMemory] = []
    owners: list[Strategy] = []
    kept: list[Any] = [gate, fees]
    for number, strategy in enumerate(strategies):
        compiled = compile_handlers(strategy.cls) if strategy.compiled else None
        together = strategy.instance() if strategy.cls.together else None
        records: list[OrdersRecord] = []
        for index, (spec, lane) in enumerate(zip(lanes, made, strict=True)):
            owner = together or strategy.instance()
            orders = OrdersRecord()
            describe(orders, spec.instrument, traits[index])
            periods = periods_of(owner)
            desks.append(
                DeskMemory(
                    lane, orders, invoke=0 if compiled is None else compiled.address,
                    memory=id(owner) if compiled is None else cast(Any, owner).address,
                    handlers=overridden(strategy.cls) if compiled is None else compiled.handlers,
                    number=len(desks), strategy=number, instrument=index,
                    timer_ns=periods.timer if together is None or index == 0 else 0, bars_ns=periods.bars,
                    inventory=spec.inventory,
                )
            )  # fmt: skip
            owners.append(owner)
            records.append(orders)
        kept += [join(records)] if together is not None else [join([each]) for each in records]
    if any(strategy.compiled and looks_at_levels(strategy.cls) for strategy in strategies):
        for lane in made:
            lane.deepen()
    compiled_gate = None if gate is None else gate.compiled() or PythonGate(gate, desks)
    kept.append(compiled_gate)
    memory = RunMemory(made, desks, 0 if compiled_gate is None else compiled_gate.address)
    return Prepared(memory, owners, _python(strategies, desks, owners), kept)


def _python(
    strategies: Sequence[StrategySpec], desks: Sequence[DeskMemory], owners: Sequence[Strategy]
) -> list[PythonHandlers | None]:
    """Puts the handlers of strategies that are ordinary Python into their desks, which lie side by side."""
    found: list[PythonHandlers | None] = []
    legs = len(desks) // max(1, len(strategies))
    for number, strategy in enumerate(strategies):
        mine = slice(number * legs, (number + 1) * legs)
        if strategy.compiled:
            found += [None] * legs
            continue
        orders = [DeskOrders(d.orders, d.exposure, d.lane.view, d.lane.instrument) for d in desks[mine]]
        if strategy.cls.together:
            for leg, each in enumerate(orders):
                each.join(leg, orders)
        found += [
            PythonHandlers(owner, desk, each, strategy.until_ns)
            for owner, desk, each in zip(owners[mine], desks[mine], orders, strict=True)
        ]
    return found


def _fees(lanes: Sequence[LaneSpec]) -> list[FeeEntries | None]:
    """The fees of each lane; instruments of one venue share what has been traded there."""
    found: dict[str, FeeEntries] = {}
    for venue in dict.fromkeys(spec.instrument.venue for spec in lanes):
        mine = [spec for spec in lanes if spec.instrument.venue == venue]
        model = mine[0].fees
        if model is not None:
            entries = model.entries([spec.instrument for spec in mine])
            found |= {spec.instrument.symbol + venue: each for spec, each in zip(mine, entries, strict=True)}
    return [found.get(spec.instrument.symbol + spec.instrument.venue) for spec in lanes]


def lane_of(spec: LaneSpec, seed: int = 0, fees: FeeEntries | None = None) -> LaneMemory:
    """The memory of an instrument, with nobody who trades it yet.

    Args:
        spec: What it is made from.
        seed: Seeds models that draw numbers.
        fees: What trading costs, instead of the model; None for nothing.
    """
    instrument = spec.instrument
    by_order = spec.queue.by_order
    windows: VenueWindows | AgainWindows
    if by_order and spec.within:
        raise UsageError(
            f"--queue-model {spec.queue.name}: expected data without orders of our own, got those of a session; choose "
            "a model that estimates the queue, such as --queue-model risk-averse"
        )
    if spec.kept is not None:
        if spec.kept.by_order != by_order:
            raise ValueError(f"expected windows kept with by_order={by_order}, got by_order={spec.kept.by_order}")
        windows = spec.kept.again()
    else:
        rows = spec.venue_rows or spec.rows
        if by_order:
            require_orders(spec.queue.name, f"{instrument.venue}:{instrument.symbol}", rows)
        windows = VenueWindows(
            rows, spec.clock_offset_ns, until_ns=spec.until_ns, book_shift_ns=spec.book_shift_ns, by_order=by_order
        )
    lane = LaneMemory(
        instrument, spec.rows, windows, until_ns=spec.until_ns, latencies=spec.latency.samples(seed),
        moments=spec.latency.moments(),
        queue=spec.queue.entries(instrument), fees=None if fees is None else fees.cells,
        room=spec.room,
    )  # fmt: skip
    put(lane.cells, at.PARTIAL, int(spec.partial))
    put(lane.cells, at.SELF_TRADE, spec.self_trade)
    put(lane.cells, at.OVERSELL, int(spec.oversell))
    put(lane.cells, at.HELD, spec.inventory)
    put(lane.cells, at.BEGIN_NS, spec.begin_ns)
    put(lane.cells, at.WITHIN, int(spec.within))
    return lane
