"""The fused path of an engine: which of its parts take it, and what Python does around each call.

Frames take it as far as the book, and orders from the gate to the wire, when everything on that way has a compiled
form: the venue's normalizer and order entry, and every risk check; and when the journal can be written by compiled
code. With a strategy that is declared compiled it is one call from the frame to the order; an ordinary one runs in
Python between two calls. What cannot take it runs in Python as ever, and :attr:`Fusion.reasons` says why. While
something is out of the ordinary (a latched gate, a connection that is not ready or is being replaced, a frame that the
compiled normalizer leaves to the reference), Python handles the events on the same memory.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any, Protocol, runtime_checkable

from bloor.engine.effects import order_conn
from bloor.engine.fused import layout
from bloor.engine.fused.changing import CompiledChanges
from bloor.engine.fused.handlers import FusedHandlers
from bloor.engine.fused.memory import DeskMemory, LineMemory, RunMemory
from bloor.engine.fused.open_orders import OpenOrders
from bloor.engine.fused.settle import Settler
from bloor.market.compiled.pipeline import CompiledPipeline
from bloor.native.caching import jit_is_off
from bloor.native.memory import Cells
from bloor.strategy.compiled.handlers import compile_handlers
from bloor.strategy.memory import in_memory
from bloor.venue.entry import CompiledEntry, CompiledSession

if TYPE_CHECKING:
    from bloor.engine.build import Line
    from bloor.engine.core import Engine
    from bloor.engine.desk import Desk
    from bloor.engine.effects import Recorder
    from bloor.execution.order import Order
    from bloor.native.clock import WallClock

__all__ = ["Fusion", "NativeJournal"]

#: Why a strategy that is declared compiled runs in Python.
TOGETHER = "it trades several instruments together, and compiled code here knows one instrument at a time"
#: Prices and quantities beyond it are for Python, which has no largest integer.
WHOLE = (1 << 62) - 1


@runtime_checkable
class NativeJournal(Protocol):
    """A recorder that compiled code can append to, as :class:`bloor.journal.writer.Writer`.

    Attributes:
        cells: See :mod:`bloor.journal.kernel`.
    """

    cells: Cells

    def make_room(self, size: int) -> bool:
        """Sees to it that compiled code can append so many bytes; False when it never can."""


class Fusion:
    """What of an engine is fused. An engine has one, made when all its other parts are there.

    Attributes:
        reasons: Name of a strategy that is declared compiled -> why it runs in Python all the same.
    """

    def __init__(self, engine: Engine, recorder: Recorder, cells: Cells, client_head: str) -> None:
        """Fuses what can be.

        Args:
            engine: The engine.
            recorder: What it records to.
            cells: The cells of the run, ``(RUN_CELLS,)``.
            client_head: The first seven characters of every client order id.

        Raises:
            StrategyCompileError: A strategy that is declared compiled cannot be.
        """
        self.reasons: dict[str, str] = {}
        self._engine = engine
        self._cells = cells
        self._lines: dict[int, LineMemory] = {}
        self._desks: dict[tuple[int, int], DeskMemory] = {}
        self._open: dict[tuple[int, int], OpenOrders] = {}
        wanted = engine.desks if engine.plan.fused else []
        able = [desk for desk in wanted if not self._refused(desk)]
        if able and isinstance(recorder, NativeJournal):
            self._journal = recorder
            self._memory = RunMemory(cells, recorder.cells, engine.blotter.number_cell, engine.gate, client_head)
            self._settler = Settler(engine, self._memory)
            self._changes = CompiledChanges(engine, self._memory, self._settler, recorder)
            self._build(able)

    @property
    def fused(self) -> list[tuple[str, str]]:
        """``(strategy, symbol)`` of every fused desk."""
        return [(desk.strategy.name, desk.instrument.symbol) for desk in self._engine.desks if desk.is_fused]

    @property
    def frames_fused(self) -> int:
        """How many market frames went through compiled code to the handlers of their strategies."""
        return int(self._cells[layout.FRAMES_FUSED])

    # ---- building

    def _build(self, able: Sequence[Desk]) -> None:
        engine = self._engine
        for desk in able:
            self._add(desk)
        engine.blotter.watch = self._changed
        for line in engine.lines:
            self._add_line(line)

    def _refused(self, desk: Desk) -> bool:
        """Whether a desk cannot be fused; keeps why."""
        line = self._engine.lines[desk.line]
        session = line.orders
        entry = session.entry if isinstance(session, CompiledSession) else None
        uncompiled = self._engine.gate.uncompiled
        why = ""
        if not isinstance(line.pipeline, CompiledPipeline):
            why = f"{line.venue} has no compiled normalizer"
        elif entry is None:
            why = f"{line.venue} has no compiled order entry for these keys and settings"
        elif jit_is_off():
            why = "numba is told not to compile (NUMBA_DISABLE_JIT)"
        elif uncompiled:
            why = f"risk checks without a compiled form: {', '.join(uncompiled)}"
        if why and type(desk.strategy).compiled:
            known = self.reasons.setdefault(desk.strategy.name, why)
            if why not in known:  # of another venue
                self.reasons[desk.strategy.name] = f"{known}; {why}"
        return bool(why)

    def _add(self, desk: Desk) -> None:
        engine = self._engine
        session = engine.lines[desk.line].orders
        assert isinstance(session, CompiledSession)
        entry = session.entry
        assert isinstance(entry, CompiledEntry)
        which = [i.venue_symbol for i in engine.plan.venues[desk.line].instruments].index(desk.instrument.venue_symbol)
        memory = DeskMemory(self._memory, desk, entry, which=which, conn=order_conn(desk.line))
        self._desks[desk.number, desk.index] = memory
        self._open[desk.number, desk.index] = OpenOrders(memory)
        self._settler.desks[memory.address] = desk
        desk.use_cells(memory.cells)
        cls = type(desk.strategy)
        if cls.compiled and cls.together:
            self.reasons[desk.strategy.name] = TOGETHER
        elif cls.compiled:
            strategy = in_memory(cls)(engine.plan.strategies[desk.number].config)
            memory.use(strategy, compile_handlers(cls))
            memory.orders.replace, memory.orders.amend = self._changes.addresses
            handlers: Any = FusedHandlers(engine, desk, strategy, memory, self._settler, self._changes, self._journal)
            desk.fuse(strategy, handlers)

    def _changed(self, order: Order) -> None:
        """The blotter says that an order has changed."""
        known = self._open.get((order.strategy, order.instrument_index))
        if known is not None:
            known.update(order, can_cancel=self._engine.blotter.can_cancel(order))

    def _add_line(self, line: Line) -> None:
        """Fuses the frames of a venue: to the handlers where all desks of an instrument are, else to the book."""
        engine = self._engine
        venue = engine.plan.venues[line.number]
        rows: list[list[DeskMemory] | None] = []
        for index in range(len(engine.table)):
            desks = [desk for desk in engine.desks if desk.index == index]
            memories = [self._desks[desk.number, desk.index] for desk in desks if desk.is_fused]
            rows.append(memories if len(memories) == len(desks) else None)
        pipeline = line.pipeline
        compiled = venue.normalizer.compiled
        if isinstance(pipeline, CompiledPipeline) and compiled is not None:
            self._lines[line.number] = LineMemory(
                self._memory, pipeline, compiled(), line.market.conn, rows, engine.schedule.open_bars
            )

    # ---- orders that Python asks for

    def place(self, desk: Desk, side: int, price: int, lots: int, kind: int, tif: int) -> int | None:
        """Places an order through compiled code; its number, 0 when it was denied, None when Python has to place it."""
        memory = self._desks.get((desk.number, desk.index))
        if memory is None or not (-WHOLE <= price <= WHOLE and -WHOLE <= lots <= WHOLE):
            return None
        code = memory.ask(side, price, lots, kind, tif)
        if code == layout.ROLL and self._journal.make_room(layout.RESERVE):
            code = memory.ask(side, price, lots, kind, tif)
        if code.__class__ is bytes:
            self._engine.effects.send(order_conn(desk.line), code)
        elif code != layout.ORDERS_ASKED:
            return None
        self._settler.settle(sent=True)
        return self._memory.out[layout.NUMBER]

    # ---- frames

    def receiver(
        self, line: Line, ordinary: Callable[[bytes, int], None], *, second: bool
    ) -> Callable[[bytes, int], None]:
        """The callable that takes every market frame of a connection.

        Args:
            line: The venue.
            ordinary: The same without fusion.
            second: Whether it is another connection than the venue's first, whose frames are for Python.
        """
        memory = self._lines.get(line.number)
        if memory is None:
            return ordinary
        if second:
            return partial(self._in_python, ordinary)
        return self._bound(line, memory, ordinary)

    def arrivals(
        self, line: Line, ordinary: Callable[[bytes, int], None], clock: WallClock
    ) -> Callable[[bytes], None] | None:
        """As :meth:`receiver`, of frames that are received now: compiled code takes their time. None without fusion.

        Args:
            line: The venue.
            ordinary: The same without fusion.
            clock: The clock; it becomes that of the venue's compiled normalizer.
        """
        memory = self._lines.get(line.number)
        if memory is None:
            return None
        assert isinstance(line.pipeline, CompiledPipeline)
        line.pipeline.context.share_clock(clock)
        return self._bound(line, memory, ordinary)

    def _bound(self, line: Line, memory: LineMemory, ordinary: Callable[[bytes, int], None]) -> Callable[..., Any]:
        """The builtin that takes the frames of a venue, told whom to call."""
        settle, hand_on, cells, event = self._settler.settle, self._engine.hand_on, memory.cells, line.pipeline.event
        following, in_part = layout.NEXT, layout.PARTIAL

        def settled() -> None:
            settle(sent=True)
            hand_on(event, cells[following])

        def left(code: int, payload: bytes, recv_ns: int) -> None:
            if code == in_part:
                hand_on(event, cells[following])
            else:
                self._left(line, memory, code, payload, recv_ns, ordinary)

        memory.bind(order_conn(line.number), self._engine.effects.send, settled, left)
        step: Callable[..., Any] = memory.step
        return step

    def _left(
        self, line: Line, memory: LineMemory, code: int, payload: bytes, recv_ns: int,
        ordinary: Callable[[bytes, int], None],
    ) -> None:  # fmt: skip
        """What compiled code has left of a frame."""
        engine, cells = self._engine, memory.cells
        if code == layout.ROLL and self._journal.make_room(len(payload) + layout.RESERVE):
            memory.step(payload, recv_ns)
        elif code in (layout.ORDERS_ASKED, layout.RAISED):
            if code == layout.RAISED:
                handlers: Any = self._settler.desk.handlers
                assert isinstance(handlers, FusedHandlers)
                raiser = handlers.raiser(line.pipeline.event)
                engine.call(self._settler.desk, raiser)
            else:
                self._settler.settle()
            engine.hand_on(line.pipeline.event, cells[layout.NEXT])
        elif code == layout.UNSURE:
            self._in_python(line.market.frame, payload, recv_ns)
        elif code == layout.SELDOM:
            self._in_python(line.market.answered, cells[layout.ANSWER], recv_ns)
        else:
            self._in_python(ordinary, payload, recv_ns)

    def _in_python(self, take: Callable[[Any, int], None], what: Any, recv_ns: int) -> None:
        """Python deals with something of a connection."""
        self.sync()
        take(what, recv_ns)
        self.refresh()

    def sync(self) -> None:
        """Python is about to deal with a connection: tells sessions of frames that they did not see."""
        for number, memory in self._lines.items():
            touched_ns = memory.cells[layout.TOUCHED]
            if touched_ns:
                self._engine.lines[number].market.session.touched(touched_ns)
                memory.cells[layout.TOUCHED] = 0

    def refresh(self) -> None:
        """Python has dealt with a connection: says whether the next frames are ordinary ones, and until when."""
        for number, memory in self._lines.items():
            memory.cells[layout.ORDINARY] = int(self._engine.lines[number].market.is_ordinary)
            memory.cells[layout.DEADLINE] = self._engine.schedule.deadline_ns
