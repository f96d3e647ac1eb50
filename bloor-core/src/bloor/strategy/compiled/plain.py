"""The handlers as Python over the same addresses, slow and exact: for debuggers and coverage, as kernels run plainly.

Used when numba is told not to compile (``NUMBA_DISABLE_JIT``). A view here reads and writes the cells that compiled
code would, so everything around the handlers stays as it is.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from ctypes import CFUNCTYPE, c_bool, c_double, c_int8, c_int16, c_int32, c_int64, c_uint8, c_uint16, c_uint32
from functools import partial
from typing import Any

from bloor.native.memory import cell_at
from bloor.strategy.arrays import CELLS
from bloor.strategy.compiled.driver import DONE, RAISED
from bloor.strategy.compiled.views import View
from bloor.strategy.memory import METHODS, Handler

__all__ = ["INVOKE", "PlainView", "plain_invoke"]

#: The C type of ``invoke``.
INVOKE = CFUNCTYPE(c_int64, *[c_int64] * 5)

_KINDS: Mapping[str, Any] = {
    "i8": c_int64, "i4": c_int32, "i2": c_int16, "i1": c_int8, "u4": c_uint32, "u2": c_uint16, "u1": c_uint8,
    "f8": c_double, "b1": c_bool,
}  # fmt: skip


class PlainView:
    """One thing that a handler is given, by its address."""

    __slots__ = ("_at", "_view")

    def __init__(self, view: View, address: int) -> None:
        object.__setattr__(self, "_view", view)
        object.__setattr__(self, "_at", address)

    def _cell(self, name: str) -> Any:
        cell = self._view.cells[name]
        base = self._at if cell.through < 0 else cell_at(self._at + cell.through)
        return _KINDS[cell.code].from_address(base + cell.offset)

    def __getattr__(self, name: str) -> Any:
        view = self._view
        if name in view.cells:
            return self._given(name, view.cells[name].kind(self._cell(name).value))
        if name in view.arrays:
            found = view.arrays[name]
            code, form = CELLS[found.kind]
            elements = (_KINDS[code.replace("?", "b1")] * found.size).from_address(self._at + found.offset)
            return memoryview(elements).cast("B").cast(form)  # type: ignore[call-overload]
        me = self if view.own else self._at
        if name in view.values:
            return self._given(name, view.values[name](me))
        if name in view.methods:
            method = partial(view.methods[name], me)
            return (lambda *args: self._given(name, method(*args))) if name in view.gives else method
        if name in view.free:
            return view.free[name]
        if name in view.constants:
            return view.constants[name]
        raise AttributeError(f"{view.name} has no attribute {name!r}")

    def _given(self, name: str, found: Any) -> Any:
        """What an attribute or a method gives: another view, or the number as it is."""
        gives = self._view.gives.get(name)
        return found if gives is None else PlainView(gives(), found)

    def __setattr__(self, name: str, value: Any) -> None:
        if not self._view.own or name not in self._view.cells:
            raise AttributeError(f"{self._view.name}.{name} cannot be assigned")
        self._cell(name).value = value


def plain_invoke(
    view: View, events: Mapping[Handler, View], book_view: View, orders_view: View, shapes: Mapping[Handler, int]
) -> Callable[[int, int, int, int, int], int]:
    """:func:`bloor.strategy.compiled.driver.invoke` of one strategy, not compiled.

    Args:
        view: The strategy itself.
        events: What each handler is given beside book and orders.
        book_view: The book.
        orders_view: The orders.
        shapes: Number of parameters of each handler that there is.
    """

    def invoke(handler: int, state: int, event: int, book: int, orders: int) -> int:
        found = Handler(handler)
        if found not in shapes:
            return DONE
        given = [PlainView(book_view, book), PlainView(orders_view, orders)]
        if found in events:
            given.insert(0, PlainView(events[found], event))
        try:
            view.methods[METHODS[found]](PlainView(view, state), *given[1 - shapes[found] :])
        except Exception:  # noqa: BLE001 (whatever a handler raises)
            return RAISED
        return DONE

    return invoke
