"""The cells of the fused path, made from an engine's parts and kept alive."""

from __future__ import annotations

import ctypes
import zlib
from collections.abc import Callable, Sequence
from functools import cache
from types import ModuleType
from typing import TYPE_CHECKING, Any

import numpy as np

from bloor.engine.fused import kernel, layout, requests
from bloor.journal import kernel as journal_kernel
from bloor.market import bars_kernel
from bloor.market.compiled.binding import compiled_exports
from bloor.market.compiled.pipeline import CompiledPipeline
from bloor.native import clock
from bloor.native.builtin import MethodDefinition, builtin
from bloor.native.entries import Entries, compiled_entries
from bloor.native.memory import Cells
from bloor.risk import kernel as risk_kernel
from bloor.risk.gate import CHECK_FAILED, Gate
from bloor.strategy.compiled.handlers import CompiledHandlers
from bloor.strategy.legs import describe, join
from bloor.strategy.memory import OrdersRecord
from bloor.venue.entry import LONGEST, CompiledEntry

if TYPE_CHECKING:
    from bloor.engine.desk import Desk
    from bloor.market.normalizer import CompiledNormalizer

__all__ = ["DeskMemory", "LineMemory", "RunMemory", "fused_entries"]

#: Cells with the addresses of what :meth:`LineMemory.bind` is given.
CALLED = (layout.ORDER_CONN, layout.SEND, layout.SETTLED, layout.LEFT)
Array = np.ndarray[Any, np.dtype[np.int64]]

#: What the fused path is made of, callees first.
MODULES: tuple[ModuleType, ...] = (clock, layout, journal_kernel, risk_kernel, bars_kernel, requests, kernel)
ENTRIES = (("step", 3), ("call", 3), ("ask", 3), ("place", 6), ("cancel", 4), ("cancel_all", 4))


@cache
def fused_entries() -> Entries:
    """The functions of :mod:`bloor.engine.fused.kernel`, compiled or read from disk; once a process."""
    return compiled_entries("fused", MODULES, ENTRIES)


@cache
def definition(name: str) -> MethodDefinition:
    """What builtins of an entry point to; it lives as long as the process."""
    return MethodDefinition.of(name.encode(), fused_entries().address[name], f"{name}: the fused path".encode())


def address(array: Any) -> int:
    """Where an array lies."""
    return int(array.ctypes.data)


class RunMemory:
    """The cells of a run, and the room for what one handler asks for.

    Attributes:
        cells: See :mod:`bloor.engine.fused.layout`.
        out: The records of what was asked for, ``(REQUESTS_MAX, OUT_CELLS)`` int64 as one memoryview.
        decisions: The same as bytes.
        frames: The frames to send, one behind the other.
    """

    def __init__(self, cells: Array, journal: Array, numbers: Array, gate: Gate, client_head: str) -> None:
        self._kept = journal, numbers, gate
        out = np.zeros(layout.REQUESTS_MAX * layout.OUT_CELLS, np.int64)
        frames = np.zeros((layout.REQUESTS_MAX + 1) * LONGEST, np.uint8)
        compiled = gate.compiled()
        assert compiled is not None
        self._codes, table = denial_codes(gate)
        self._table = table
        cells[layout.NUMBERS], cells[layout.JOURNAL] = address(numbers), address(journal)
        cells[layout.GATE], cells[layout.CODES] = compiled.address, address(table)
        cells[layout.CLIENT_HEAD] = int.from_bytes(client_head.encode("ascii"), "little")
        cells[layout.OUT], cells[layout.FRAMES] = address(out), address(frames)
        self.array = cells
        self.cells = memoryview(cells.data)
        self.out = memoryview(out.data)
        self.decisions = memoryview(out.view(np.uint8).data)
        self.frames = memoryview(frames.data)


def denial_codes(gate: Gate) -> tuple[list[Array], Array]:
    """The CRC-32 of each check's denials, by number, and the table that says where they are.

    Returns:
        The codes, in the upper half of each cell, and ``(2 * checks,)`` cells: address of a check's codes, how many.
    """
    codes = []
    for check in gate.checks:
        column = np.full(max(check.codes, default=0) + 1, upper_half(CHECK_FAILED), np.int64)
        for number, code in check.codes.items():
            column[number] = upper_half(code)
        codes.append(column)
    return codes, np.array([cell for column in codes for cell in (address(column), len(column))], np.int64)


def upper_half(code: str) -> int:
    """The CRC-32 of a code, as the upper half of an int64."""
    return ctypes.c_int64(zlib.crc32(code.encode()) << 32).value


class DeskMemory:
    """The cells of a desk.

    Attributes:
        cells: See :mod:`bloor.engine.fused.layout`.
        run: The run's cells.
        call: Calls one handler: ``(handler, address of the event, now ns)``.
        ask: Places an order: ``(side, price, lots, type, tif)``.
        state: A compiled strategy's state as it was before its last handler, ``(1,)``.
    """

    def __init__(self, run: RunMemory, desk: Desk, entry: CompiledEntry, *, which: int, conn: int) -> None:
        """Makes them.

        Args:
            run: The run's.
            desk: The desk.
            entry: The compiled order entry of its venue.
            which: Index of its instrument there.
            conn: Number of the connection of its orders.
        """
        entries, functions = fused_entries(), entry.functions()
        self._kept = desk, entry, functions
        self._strategy: object = None
        self.run = run.cells
        self.state: Any = None
        self.array = cells = np.zeros(layout.DESK_CELLS, np.int64)
        self._open = np.zeros(layout.OPEN_MAX * layout.OPEN_CELLS, np.int64)
        self.orders = OrdersRecord()
        self.orders.exposure, self.orders.book = desk.exposure.address, desk.book.address
        describe(self.orders, desk.instrument, desk.traits)
        self._legs = join([self.orders])
        self.orders.place, self.orders.cancel = entries.address["place"], entries.address["cancel"]
        self.orders.cancel_all = entries.address["cancel_all"]
        self.orders.desk = address(cells)
        written = {
            layout.DESK_RUN: address(run.array), layout.ORDERS: self.orders.address, layout.STRATEGY: desk.number,
            layout.INSTRUMENT: desk.index, layout.LOT_UNITS: desk.lot_units, layout.INTENT: desk.intent.address,
            layout.EXPOSURE: desk.exposure.address, layout.BOOK: desk.book.address, layout.ENTRY: entry.address,
            layout.PLACE: functions.address["place"], layout.CANCEL: functions.address["cancel"],
            layout.ENTRY_INSTRUMENT: which, layout.CONN: conn, layout.OPEN: address(self._open),
        }  # fmt: skip
        for cell, value in written.items():
            cells[cell] = value
        self.cells = memoryview(cells.data)
        self.open = memoryview(self._open.view(np.uint8).data).cast("q")
        self.call = builtin(definition("call"), address(cells), self)
        self.ask = builtin(definition("ask"), address(cells), self)

    def use(self, strategy: Any, handlers: CompiledHandlers) -> None:
        """The desk's strategy is compiled.

        Args:
            strategy: It, in memory (:func:`bloor.strategy.memory.in_memory`).
            handlers: The same, compiled.
        """
        self._strategy = strategy, handlers
        self.state = strategy.memory.copy()
        self.array[layout.INVOKE], self.array[layout.MEMORY] = handlers.address, strategy.address
        self.array[layout.HANDLERS] = sum(1 << handler for handler in handlers.handlers)
        self.array[layout.MEMORY_BYTES], self.array[layout.BEFORE] = self.state.nbytes, address(self.state)

    @property
    def address(self) -> int:
        """Where the cells lie."""
        return address(self.array)


class LineMemory:
    """The cells of a venue whose frames take the fused path.

    Attributes:
        cells: See :mod:`bloor.engine.fused.layout`.
        step: Takes a frame to its end: ``(payload, receive time ns)``, or ``(payload,)`` when it was received now; once
            it knows whom to call (:meth:`bind`).
    """

    def __init__(
        self,
        run: RunMemory,
        pipeline: CompiledPipeline,
        normalizer: CompiledNormalizer,
        conn: int,
        desks: Sequence[Sequence[DeskMemory] | None],
        bars: Sequence[Cells],
    ) -> None:
        """Makes them.

        Args:
            run: The run's.
            pipeline: The venue's pipeline.
            normalizer: Its compiled normalizer.
            conn: Number of the connection of its market data.
            desks: For each instrument of the run, its desks in the order of strategies; None where Python has to hand
                on the events.
            bars: For each instrument, the addresses of its open bars.
        """
        self._kept = run, pipeline, desks, bars
        flat = [desk for row in desks for desk in row or ()]
        self._list = np.array([address(desk.array) for desk in flat] or [0], np.int64)
        rows, first = [], 0
        for row, counted in zip(desks, bars, strict=True):
            rows += [first, -1 if row is None else len(row), address(counted), len(counted)]
            first += len(row or ())
        self._rows = np.array(rows, np.int64)
        self.array = cells = np.zeros(layout.LINE_CELLS, np.int64)
        written = {
            layout.LINE_RUN: address(run.array), layout.LINE_CONN: conn,
            layout.TAKE: compiled_exports(tuple(normalizer.modules)).take_address,
            layout.CONTEXT: pipeline.context.address, layout.TAKEN: address(pipeline.taken),
            layout.ROWS: address(self._rows), layout.LIST: address(self._list),
        }  # fmt: skip
        for cell, value in written.items():
            cells[cell] = value
        self.cells = memoryview(cells.data)
        self.step = builtin(definition("step"), address(cells), self)

    def bind(
        self, conn: int, send: Callable[[int, bytes], object], settled: Callable[[], object],
        left: Callable[[int, bytes, int], object],
    ) -> None:  # fmt: skip
        """Says whom to call.

        Args:
            conn: Number of the connection of the venue's orders.
            send: Writes the frame of an order, the only one of its handler, to a connection.
            settled: Does what is left after it.
            left: Does what compiled code has left of any other frame: ``(code, frame, receive time ns)``.
        """
        self._called = conn, send, settled, left
        for cell, thing in zip(CALLED, self._called, strict=True):
            self.array[cell] = id(thing)
