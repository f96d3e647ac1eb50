"""Order entry in machine code: what a venue plug-in hands over so that orders are encoded without Python.

A venue's order session may have, beside its ordinary ``place`` and ``cancel``, a compiled form of both: kernels (plain
functions over the words of :mod:`bloor.native.memory`) and the int64 cells that they read, among them everything that
the session learns at run time. The bytes are the same, whichever form wrote them.

The last of the kernel files has two functions::

    def place(entry: int, order: int, out: int, now_ns: int) -> int: ...
    def cancel(entry: int, order: int, out: int, now_ns: int) -> int: ...

``entry`` is the address of the cells, ``order`` that of an :class:`EntryOrder`, ``out`` that of :data:`LONGEST` bytes.
They give how many bytes the frame has, or -1: then the ordinary form decides what to write, or what to raise. Behind
the frame, and after -1, the bytes at ``out`` may hold anything.
"""

from __future__ import annotations

from types import ModuleType
from typing import Protocol, runtime_checkable

from attrs import field, frozen

from bloor.model.records import RecordView, record
from bloor.native.entries import Entries, compiled_entries
from bloor.native.memory import Cells

__all__ = ["LONGEST", "READY", "CompiledEntry", "CompiledSession", "EntryOrder", "client_cells"]

#: Bytes that a kernel may write at ``out``; no frame is longer.
LONGEST = 1024
#: The cell that is 1 exactly while native encoding is allowed: the session is ready, and signs no single request.
#: Every cell behind it is the plug-in's own.
READY = 0
#: A client order id has one of these lengths.
SHORT_ID, LONG_ID = 15, 16


@record
class EntryOrder(RecordView):
    """An order, or a request to cancel one, as the kernels read it.

    Attributes:
        instrument: Index of the instrument in the session's ``context.instruments``.
        side: Number of a :class:`~bloor.model.orders.Side`. This and the next four are read by ``place`` only.
        type: Number of an :class:`~bloor.model.orders.OrderType`.
        tif: Number of a :class:`~bloor.model.orders.TimeInForce`.
        price: Limit price in ticks; 0 for a market order.
        lots: Quantity in lots.
        venue_order_id: The venue's id of the order, for ``cancel``; -1 when it is not known, or is no such number.
        client0: The first eight bytes of the client order id, little-endian; see :func:`client_cells`.
        client1: The others, NUL behind them.
    """

    instrument: int
    side: int
    type: int
    tif: int
    price: int
    lots: int
    venue_order_id: int
    client0: int
    client1: int


#: Where the fields of an :class:`EntryOrder` are, in bytes from its address, for kernels.
ORDER_INSTRUMENT, ORDER_SIDE, ORDER_TYPE, ORDER_TIF, ORDER_PRICE = 0, 8, 16, 24, 32
ORDER_LOTS, ORDER_VENUE_ID, ORDER_CLIENT0, ORDER_CLIENT1 = 40, 48, 56, 64


@frozen(eq=False)
class CompiledEntry:
    """The compiled form of a session's ``place`` and ``cancel``.

    Attributes:
        modules: Every kernel file, callees first, this module and :mod:`bloor.venue.writing` among them where they are
            used; the last one has ``place`` and ``cancel``.
        cells: What they read; where it lies never changes.
        kept: What lives as long as this, because cells point to it.
    """

    modules: tuple[ModuleType, ...]
    cells: Cells
    kept: object = field(default=None, repr=False)

    @property
    def address(self) -> int:
        """What the kernels get as ``entry``; valid while this lives."""
        return int(self.cells.ctypes.data)

    def functions(self) -> Entries:
        """``place`` and ``cancel`` compiled, or read from disk; once a process."""
        name = self.modules[-1].__name__.replace("_", "-").replace(".", "-")
        return compiled_entries(name, self.modules, (("place", 4), ("cancel", 4)))


@runtime_checkable
class CompiledSession(Protocol):
    """An order session that may have a compiled form: what an engine asks by ``isinstance``."""

    @property
    def entry(self) -> CompiledEntry | None:
        """The compiled form; the same for the life of the session. None when there is none for these settings."""


def client_cells(client_id: str) -> tuple[int, int]:
    """A client order id as the cells ``client0`` and ``client1`` of an :class:`EntryOrder`.

    Args:
        client_id: 15 or 16 digits and letters (:mod:`bloor.execution.client_id`).

    Raises:
        ValueError: It has another length, or a character that is not ASCII.
    """
    text = client_id.encode("ascii")
    if not SHORT_ID <= len(text) <= LONG_ID:
        raise ValueError(f"expected a client order id of {SHORT_ID} or {LONG_ID} characters, got {client_id!r:.60}")
    text = text.ljust(LONG_ID, b"\0")
    return int.from_bytes(text[:8], "little"), int.from_bytes(text[8:], "little")
