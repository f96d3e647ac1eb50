"""What a compiled handler can name of the things it is given: cells, values made of cells, and methods.

A view is an address and this table. No numba here: :mod:`bloor.strategy.compiled.typing` makes types of it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from attrs import field, frozen

from bloor.market.bars import BarRecord
from bloor.market.events import EventView
from bloor.market.view import BookView
from bloor.model.records import RecordView
from bloor.risk.check import Exposure
from bloor.strategy.compiled import book, desk
from bloor.strategy.legs import Traits
from bloor.strategy.memory import FillRecord, OrderRecord, OrdersRecord

__all__ = [
    "BAR",
    "BBO",
    "BOOK",
    "FILL",
    "ORDER",
    "ORDERS",
    "TRADE",
    "Argument",
    "ArrayCells",
    "Cell",
    "View",
    "cells_of",
]


@frozen
class Cell:
    """Where a value lies.

    Attributes:
        offset: Bytes from the address of the view, or from what ``through`` points to.
        code: The numpy type string of the memory.
        kind: What a handler sees: ``int``, ``float`` or ``bool``.
        through: Offset of the cell that holds the address to start from; -1 for the view itself.
    """

    offset: int
    code: str
    kind: type
    through: int = -1

    @property
    def size(self) -> int:
        """Bytes of memory."""
        return np.dtype(self.code).itemsize


@frozen
class ArrayCells:
    """Where the elements of an array lie.

    Attributes:
        offset: Bytes from the address of the view.
        kind: What an element is: ``int``, ``float`` or ``bool``.
        size: How many there are.
    """

    offset: int
    kind: type
    size: int


@frozen
class Argument:
    """One argument of a method that native code takes.

    Attributes:
        name: Its name.
        kind: ``int``, ``float`` or ``bool``.
        by_name: Whether it is given by name only, and may be left out.
        unit: What it counts, for messages: ``" (ticks)"``.
    """

    name: str
    kind: type
    by_name: bool = False
    unit: str = ""


@frozen(eq=False)
class View:
    """One thing that handlers are given.

    Attributes:
        name: What messages call it.
        cells: Attribute -> where it lies.
        arrays: Attribute -> where its elements lie.
        values: Attribute -> kernel function of the address that gives its value.
        methods: Method -> kernel function of the address and the arguments.
        free: Static method -> the function.
        arguments: Method -> its arguments, where only some types will do.
        constants: Attribute -> its value, which never changes.
        gives: Attribute or method whose number is the address of another view -> that view.
        absent: Attribute that Python handlers have and compiled ones cannot -> why, and what to do.
        own: Whether this is the strategy itself: its cells may be assigned to, and its functions are given the view,
            not its address.
    """

    name: str
    cells: Mapping[str, Cell]
    arrays: Mapping[str, ArrayCells] = field(factory=dict)
    values: Mapping[str, Callable[..., Any]] = field(factory=dict)
    methods: Mapping[str, Callable[..., Any]] = field(factory=dict)
    free: Mapping[str, Callable[..., Any]] = field(factory=dict)
    arguments: Mapping[str, tuple[Argument, ...]] = field(factory=dict)
    constants: Mapping[str, Any] = field(factory=dict)
    gives: Mapping[str, Callable[[], View]] = field(factory=dict)
    absent: Mapping[str, str] = field(factory=dict)
    own: bool = False

    @property
    def names(self) -> list[str]:
        """Every attribute and method, sorted."""
        return sorted({*self.cells, *self.arrays, *self.values, *self.methods, *self.free, *self.constants})


def cells_of(dtype: np.dtype[Any], kinds: Mapping[str, type] | None = None, through: int = -1) -> dict[str, Cell]:
    """The cells of a record, those of arrays left out.

    Args:
        dtype: Its numpy dtype.
        kinds: Attribute -> what a handler sees, where that is not the nearest type.
        through: See :class:`Cell`.
    """
    found = {}
    for name, (base, offset, *_) in (dtype.fields or {}).items():
        if base.subdtype is not None:
            continue
        kind = {"i": int, "u": int, "f": float, "b": bool}[base.kind]
        found[name] = Cell(offset, base.str.lstrip("<|>="), (kinds or {}).get(name, kind), through)
    return found


def _record(name: str, cls: type[RecordView], absent: Mapping[str, str] | None = None, **kinds: type) -> View:
    return View(name, cells_of(cls.DTYPE, kinds), absent=absent or {})


TRADE = _record("trade", EventView)
BBO = _record("bbo", EventView)
BAR = _record("bar", BarRecord)
ORDER = _record("order", OrderRecord, closed=bool)
FILL = _record(
    "fill",
    FillRecord,
    {
        name: f"is {what}, which compiled code does not have; use the numbers of the fill, or leave out"
        " `compiled = True`"
        for name, what in {
            "client_id": "a text", "instrument": "an object", "trade_id": "a text", "fee": "a decimal",
            "fee_asset": "a text", "fee_quote": "a decimal",
        }.items()
    },
)  # fmt: skip
SIDE = Argument("side", int, unit=" (Side.BUY or Side.SELL)")
BOOK: View = View(
    "book",
    cells_of(BookView.DTYPE),
    values={"two_sided": book.two_sided, "mid2": book.mid2, "spread": book.spread},
    methods={"size_at": book.size_at, "level": book.level, "size_to": book.size_to,
             "average_price": book.average_price},
    arguments={
        "size_at": (SIDE, Argument("price", int, unit=" (ticks)")),
        "level": (SIDE, Argument("n", int)),
        "size_to": (SIDE, Argument("price", int, unit=" (ticks)")),
        "average_price": (SIDE, Argument("units", int, unit=" (units)")),
    },
)  # fmt: skip
ORDER_ARGUMENTS = (
    Argument("price", int, unit=" (ticks)"),
    Argument("lots", int, unit=" (lots)"),
    Argument("post_only", bool, by_name=True),
    Argument("ioc", bool, by_name=True),
)
ORDERS: View = View(
    "orders",
    {
        **{name: cell for name, cell in cells_of(OrdersRecord.DTYPE).items()
           if name in ("now_ns", "lot_units", "min_lots", "book", "leg", "legs", *Traits._fields)},
        **{name: cell for name, cell in cells_of(Exposure.DTYPE, through=desk.EXPOSURE).items()
           if name in ("position", "open_buy", "open_sell", "open_orders")},
    },
    values={"sellable_lots": desk.sellable_lots},
    methods={"buy": desk.buy, "sell": desk.sell, "cancel": desk.cancel, "cancel_all": desk.cancel_all,
             "replace": desk.replace, "amend": desk.amend, "lots_for": desk.lots_for, "of": desk.of},
    arguments={
        "buy": ORDER_ARGUMENTS,
        "sell": ORDER_ARGUMENTS,
        "cancel": (Argument("number", int),),
        "cancel_all": (),
        "replace": (Argument("number", int), *ORDER_ARGUMENTS[:2]),
        "amend": (Argument("number", int), ORDER_ARGUMENTS[1]),
        "lots_for": (Argument("value", float, unit=" (quote asset)"), Argument("price", int, unit=" (ticks)")),
        "of": (Argument("leg", int),),
    },
    gives={"book": lambda: BOOK, "of": lambda: ORDERS},
)  # fmt: skip
