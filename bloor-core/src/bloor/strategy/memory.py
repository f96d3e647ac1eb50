"""What a strategy works on, as records in memory: the same cells from Python and from compiled code.

:func:`in_memory` makes a strategy class whose parameters and state are cells of one record. The other records are what
a compiled handler is given in place of the objects that a Python handler gets; :mod:`bloor.strategy.compiled` says how
it sees them.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import IntEnum
from functools import cache
from typing import Any, ClassVar, Protocol, cast, get_origin, get_type_hints

import numpy as np
from attrs import frozen

from bloor.errors import UsageError
from bloor.model.records import RecordView, record
from bloor.strategy.api import Strategy
from bloor.strategy.arrays import CELLS, arrays_of, declared_at
from bloor.strategy.params import params_of

__all__ = [
    "METHODS",
    "FillRecord",
    "Handler",
    "InMemory",
    "Layout",
    "OrderRecord",
    "OrdersRecord",
    "in_memory",
    "layout_of",
]

#: Names that a class in memory has for itself.
RESERVED = frozenset({"_arrays", "_b", "_d", "_q", "address", "layout", "memory"})


class Handler(IntEnum):
    """The handlers of a strategy, as compiled code numbers them."""

    TRADE = 1
    BBO = 2
    BOOK = 3
    START = 4
    STOP = 5
    FILL = 6
    ORDER = 7
    BAR = 8
    TIMER = 9


#: What the method of each handler is called.
METHODS: Mapping[Handler, str] = {handler: f"on_{handler.name.lower()}" for handler in Handler}


@record
class OrdersRecord(RecordView):
    """A desk, as a compiled handler sees it: its ``orders``.

    The functions are C functions of int64 that give an int64; ``orders`` is the address of this record.

    Attributes:
        now_ns: Time of the event being handled, wall ns since the epoch.
        exposure: Address of the desk's :class:`~bloor.risk.check.Exposure`.
        book: Address of the instrument's :class:`~bloor.market.view.BookView`, the head of its ladder's cells.
        lot_units: Units in a lot.
        min_lots: Smallest order, in lots.
        tick_units: The instrument's; with ``lot_units``, what :meth:`~bloor.strategy.api.Orders.lots_for` divides by.
        value_scale: ``float(10**value_decimals)`` of the instrument.
        place: ``place(orders, side, price, lots, type, tif)``: the order's number, or 0 when it was denied.
        cancel: ``cancel(orders, number, 0, 0)``: 1 when a cancel was sent, 0 when not.
        cancel_all: ``cancel_all(orders, 0, 0, 0)``: how many cancels were sent.
        replace: ``replace(orders, number, price, lots)``: the new order's number, 0 when nothing was sent; -1 when the
            handler is to raise.
        amend: ``amend(orders, number, lots, 0)``: 1 when it was sent, 0 when not; -1 as above.
        desk: Address of the engine's own cells for this desk.
        leg: Index of this desk among the strategy's.
        legs: How many desks the strategy has.
        desks: Address of their addresses, ``legs`` cells; see :func:`bloor.strategy.legs.join`.
        venue: See :class:`bloor.strategy.legs.Traits`, as all that follow.
        base: As above.
        quote: As above.
        tick: As above.
        lot: As above.
        unit: As above.
    """

    __slots__ = ()

    now_ns: int
    exposure: int
    book: int
    lot_units: int
    min_lots: int
    tick_units: int
    value_scale: float
    place: int
    cancel: int
    cancel_all: int
    replace: int
    amend: int
    desk: int
    leg: int
    legs: int
    desks: int
    venue: int
    base: int
    quote: int
    tick: float
    lot: float
    unit: float


@record
class FillRecord(RecordView):
    """A fill, as a compiled handler sees it: the numbers of :class:`bloor.model.orders.Fill`.

    Attributes:
        side: +1 buy, -1 sell.
        price_ticks: Price in ticks.
        units: Quantity in units.
        liquidity: A :class:`~bloor.model.orders.Liquidity`.
        exch_ns: The venue's time, ns since the epoch.
        recv_ns: When it was received, ns since the epoch.
    """

    __slots__ = ()

    side: int
    price_ticks: int
    units: int
    liquidity: int
    exch_ns: int
    recv_ns: int


@record
class OrderRecord(RecordView):
    """An order that changed, as a compiled handler sees it: :class:`bloor.strategy.api.OrderUpdate`.

    Attributes:
        number: The number that ``orders.buy`` or ``orders.sell`` returned.
        side: +1 buy, -1 sell.
        price: Limit price in ticks.
        lots: Ordered quantity in lots.
        filled: Filled quantity so far, in units.
        status: A :class:`~bloor.execution.life.Status`.
        closed: 1 when it can no longer fill, else 0.
    """

    __slots__ = ()

    number: int
    side: int
    price: int
    lots: int
    filled: int
    status: int
    closed: int


@frozen(eq=False)
class Layout:
    """Where the parameters and the state of a strategy lie.

    Attributes:
        dtype: The record's aligned numpy dtype, one field per attribute.
        kinds: Name of each attribute -> ``int``, ``float`` or ``bool``, parameters first, each in the order of
            declaration.
        defaults: Name of each attribute -> what it is before anything is set.
        arrays: Name of each array -> the type of its elements, and how many there are; they come last.
    """

    dtype: np.dtype[Any]
    kinds: Mapping[str, type]
    defaults: Mapping[str, int | float | bool]
    arrays: Mapping[str, tuple[type, int]]


class InMemory(Protocol):
    """What :func:`in_memory` adds to a strategy.

    Attributes:
        memory: The ``(1,)`` structured array of its parameters and state; ``memory.copy()`` keeps a state, and
            ``memory[:] = copy`` brings it back.
        address: Where it lies; valid while the instance lives.
    """

    memory: np.ndarray[Any, np.dtype[Any]]

    @property
    def address(self) -> int:
        """See the class."""


def layout_of(cls: type[Strategy]) -> Layout:
    """Where the parameters and the state of a strategy class lie, those of its bases included.

    Raises:
        UsageError: An attribute is of a type that has no cell.
    """
    key: Any = cls
    return _layout(key)


@cache
def _layout(cls: type[Any]) -> Layout:
    kinds: dict[str, type] = {name: kind for name, (kind, _) in params_of(cls).items()}
    arrays = arrays_of(cls)
    defaults: dict[str, Any] = {name: declared.default for name, (_, declared) in params_of(cls).items()}
    for name, hint in get_type_hints(cls).items():
        if name in RESERVED:
            raise UsageError(f"{declared_at(cls, name)}: the name is used by the class in memory; choose another")
        if name in kinds or get_origin(hint) is ClassVar or hint is ClassVar:
            continue
        if name in arrays:
            continue
        if hint not in CELLS:
            raise UsageError(
                f"{declared_at(cls, name)}: expected an attribute of type int, float, bool or Array, "
                f"got {_said(hint)}: "
                "compiled code holds nothing else; change it, or leave out `compiled = True`"
            )
        kinds[name] = hint
        defaults[name] = _default(cls, name, hint)
    fields: list[tuple[Any, ...]] = [(name, CELLS[kind][0]) for name, kind in kinds.items()]
    fields += [(name, CELLS[kind][0], (size,)) for name, (kind, size) in arrays.items()]
    return Layout(np.dtype(fields, align=True), kinds, defaults, arrays)


def in_memory(cls: type[Strategy]) -> type[Any]:
    """A subclass of a strategy whose parameters and state are cells of one record; an instance is an :class:`InMemory`.

    Its handlers are those of ``cls``: Python runs them on the same memory that compiled handlers are given the address
    of. Reading an attribute costs 40 ns more than an ordinary one. A value of another type than the attribute's is
    refused or converted as the cell does it: an int into a float cell becomes a float, a float into an int cell is a
    ``TypeError``.

    Args:
        cls: A strategy class; the same one gives the same subclass.

    Raises:
        UsageError: An attribute is of a type that has no cell.
    """
    key: Any = cls
    return _in_memory(key)


@cache
def _in_memory(cls: type[Any]) -> type[Any]:
    layout = layout_of(cls)
    names: dict[str, Any] = {
        "__slots__": ("_arrays", "_b", "_d", "_q", "memory"),
        "__new__": _new,
        "__module__": cls.__module__,
        "__qualname__": cls.__qualname__,
        "__doc__": cls.__doc__,
        "address": property(lambda self: int(self.memory.ctypes.data)),
        "layout": layout,
    }
    for name, kind in layout.kinds.items():
        code, slot = CELLS[kind][0], {int: "_q", float: "_d", bool: "_b"}[kind]
        assert layout.dtype.fields is not None
        names[name] = _cell(slot, layout.dtype.fields[name][1] // np.dtype(code).itemsize)
    for index, name in enumerate(layout.arrays):
        names[name] = _cell("_arrays", index, fixed=True)
    return type(cls.__name__, (cls,), names)


def _default(cls: type, name: str, kind: type) -> int | float | bool:
    """What an attribute is at the beginning; 0 without a default."""
    value: Any = getattr(cls, name, kind(0))
    fits = {int: type(value) is int, float: type(value) in (int, float), bool: type(value) is bool}[kind]
    if not fits or (kind is int and not -(1 << 63) <= value < 1 << 63):
        raise UsageError(f"{declared_at(cls, name)}: expected a default of type {kind.__name__}, got {value!r}")
    converted: int | float | bool = kind(value)
    return converted


def _new(cls: Any, *_args: Any, **_named: Any) -> Any:
    """``__new__`` of a class in memory: the state is there before any ``__init__``."""
    self = object.__new__(cls)
    layout: Layout = cls.layout
    self.memory = np.zeros(1, layout.dtype)
    raw = memoryview(self.memory.view(np.uint8).reshape(-1).data) if layout.dtype.itemsize else memoryview(b"")
    self._b = raw.cast("?")
    whole = raw[: len(raw) // 8 * 8]
    self._q, self._d = whole.cast("q"), whole.cast("d")
    self._arrays = tuple(
        raw[start : start + kind.itemsize].cast(cast(Any, CELLS[layout.arrays[name][0]][1]))
        for name, (kind, start, *_) in (layout.dtype.fields or {}).items() if name in layout.arrays
    )  # fmt: skip
    for name, value in layout.defaults.items():
        setattr(self, name, value)
    return self


def _cell(slot: str, index: int, *, fixed: bool = False) -> property:
    """A property over one cell; the index stands in the source text, so that a read is one subscript."""
    names: dict[str, Any] = {}
    exec(f"def get(s): return s.{slot}[{index}]\ndef set(s, v): s.{slot}[{index}] = v", names)  # noqa: S102
    return property(names["get"], None if fixed else names["set"])


def _said(hint: Any) -> str:
    return hint.__name__ if isinstance(hint, type) and not get_origin(hint) else str(hint)
