"""Compiling the handlers of a strategy: one C function for them all."""

from __future__ import annotations

import ctypes
import dis
import inspect
import sys
from collections.abc import Callable, Mapping
from functools import cache
from pathlib import Path
from types import FunctionType, ModuleType
from typing import Any

from attrs import frozen

from bloor.errors import StrategyCompileError
from bloor.market import bars, events, ladder, view
from bloor.market.compiled import books
from bloor.model import orders, records
from bloor.native import compiling, machine, memory, twins
from bloor.native import linking as native_linking
from bloor.native.caching import cache_folder, jit_is_off, rebound
from bloor.native.compiling import linking_only, machine_code_of
from bloor.native.entries import callable_of
from bloor.native.linking import linked as linked_kernels
from bloor.native.machine import MachineCode, kept_code
from bloor.risk import check
from bloor.strategy import legs
from bloor.strategy.api import Strategy
from bloor.strategy.compiled import (
    arithmetic,
    arrays,
    book,
    desk,
    driver,
    linking,
    passes,
    plain,
    subset,
    typing,
    views,
)
from bloor.strategy.compiled.linking import Linked, names_in
from bloor.strategy.compiled.views import ArrayCells, View
from bloor.strategy.memory import METHODS, Handler, layout_of
from bloor.strategy.params import Param

__all__ = ["CompiledHandlers", "compile_handlers"]

#: What each handler is given beside the book and the orders.
EVENTS: Mapping[Handler, View] = {
    Handler.TRADE: views.TRADE, Handler.BBO: views.BBO, Handler.BAR: views.BAR, Handler.FILL: views.FILL,
    Handler.ORDER: views.ORDER,
}  # fmt: skip
#: How the driver calls a handler, by the number of its parameters.
SHAPES = {2: driver.with_orders, 3: driver.with_book, 4: driver.with_event}
#: Arguments of the driver's entry.
INVOKE_ARGUMENTS = 5
#: Files of ours that the machine code is made by, and those with the records and numbers that it knows.
SOURCES: tuple[ModuleType, ...] = (
    memory, twins, native_linking, compiling, machine, records, orders, events, bars, view, check, ladder, books,
    arithmetic, arrays, book, desk, driver, legs, linking, passes, subset, typing, views,
    sys.modules[layout_of.__module__],
    sys.modules[__name__],
)  # fmt: skip


@frozen(eq=False)
class CompiledHandlers:
    """The handlers of one strategy class, compiled; they live as long as the process.

    Attributes:
        handlers: Those that the class overrides.
        address: The C function ``invoke(handler, state, event, book, orders)`` of five int64 that gives 0, or 1 when
            the handler raised; see :func:`bloor.strategy.compiled.driver.invoke`.
        call: The same, to be called from Python with integers; it keeps them in memory.

    With ``NUMBA_DISABLE_JIT`` both run the handlers as Python over the same addresses.
    """

    handlers: frozenset[Handler]
    address: int
    call: Any


def compile_handlers(cls: type[Strategy]) -> CompiledHandlers:
    """Compiles the handlers of a strategy class, or reads them from disk; once a process.

    Args:
        cls: The class itself, or what :func:`~bloor.strategy.memory.in_memory` made of it.

    Raises:
        StrategyCompileError: Compiled code cannot do what a handler does; it says where, what and what to do.
        UsageError: An attribute is of a type that has no cell.
    """
    return _compiled(cls.__bases__[0] if "layout" in vars(cls) else cls)


@cache
def _compiled(cls: type[Any]) -> CompiledHandlers:
    if jit_is_off():
        return _uncompiled(cls)
    view, handlers = _view(cls), _overridden(cls)
    drawn = _linked(cls, view, handlers, linking.drawing())
    loaded = kept_code(_folder(cls, view, drawn), lambda: _machine_code(cls, view, handlers))
    return CompiledHandlers(handlers, loaded.address["invoke"], callable_of(loaded, "invoke", INVOKE_ARGUMENTS))


def _machine_code(cls: type[Any], view: View, handlers: frozenset[Handler]) -> MachineCode:
    """Compiles."""
    import numba
    from numba import types

    njit: Any = numba.njit
    lean = {"_nrt": False, "no_cpython_wrapper": True, "no_cfunc_wrapper": True}
    numbers = arithmetic.arithmetic()
    kernels = linked_kernels((ladder, books, book, desk), njit(error_model="numpy", **lean), twins.twins())
    compiler = passes.handler_compiler(numbers.power)
    jit = njit(error_model="python", pipeline_class=compiler, **lean)
    functions = _linked(cls, view, handlers, linking.compiling(jit, numbers))
    names = _driver_names(njit(error_model="numpy", **lean), functions, kernels, view, handlers)
    cell = types.int64
    invoke = njit(error_model="numpy", _nrt=False, no_cpython_wrapper=True)(rebound(driver.invoke, names))
    with linking_only():
        invoke.compile(cell(*[cell] * INVOKE_ARGUMENTS))
        return machine_code_of({"invoke": invoke})


def _linked(cls: type[Any], view: View, handlers: frozenset[Handler], tools: linking.Tools) -> Linked:
    """The functions of a class, checked and linked."""
    packages = frozenset(base.__module__.partition(".")[0] for base in _bases(cls))
    functions = Linked(packages, tools)
    for function in (*view.methods.values(), *view.values.values(), *view.free.values()):
        functions.expect(function, _where(cls, function), _given(function, view, function in view.free.values()))
    _link_all(functions, view, handlers)
    return functions


def _uncompiled(cls: type[Any]) -> CompiledHandlers:
    """The same, run by Python."""
    handlers = _overridden(cls)
    counts = {handler: _parameters(handler) for handler in handlers}
    call = plain.INVOKE(plain.plain_invoke(_view(cls), EVENTS, views.BOOK, views.ORDERS, counts))
    return CompiledHandlers(handlers, ctypes.cast(call, ctypes.c_void_p).value or 0, call)


# ---- what a class has


def _bases(cls: type[Strategy]) -> list[type]:
    """The class and its bases, as far as they are not ours, the first one last."""
    return [base for base in reversed(cls.__mro__) if base not in Strategy.__mro__]


def _overridden(cls: type[Strategy]) -> frozenset[Handler]:
    """The handlers that a strategy class has of its own.

    Raises:
        StrategyCompileError: One is no function, or takes other parameters than it is given.
    """
    found = frozenset(handler for handler, name in METHODS.items() if getattr(cls, name) is not getattr(Strategy, name))
    for handler in sorted(found):
        name = METHODS[handler]
        where, method = f"{cls.__name__}.{name}", inspect.getattr_static(cls, name)
        wanted = list(inspect.signature(getattr(Strategy, name)).parameters)
        if not isinstance(method, FunctionType):
            raise StrategyCompileError("", 0, where, f"expected a method, got a {type(method).__name__}")
        got = list(inspect.signature(method).parameters)
        if len(got) != len(wanted):
            code = method.__code__
            raise StrategyCompileError(
                code.co_filename, code.co_firstlineno, f"{cls.__name__}.{name}",
                f"expected the parameters ({', '.join(wanted)}), got ({', '.join(got)})",
            )  # fmt: skip
    return found


def _view(cls: type[Strategy]) -> View:
    """The strategy itself, as its handlers see it."""
    layout = layout_of(cls)
    own = {name: value for base in _bases(cls) for name, value in vars(base).items() if not name.startswith("__")}
    methods = {name: value for name, value in own.items() if isinstance(value, FunctionType)}
    stored = {
        step.argval for function in methods.values() for step in dis.get_instructions(function)
        if step.opname == "STORE_ATTR"
    }  # fmt: skip
    known = {*layout.kinds, *layout.arrays, *methods, *stored}
    rest = {name: value for name, value in own.items() if name not in known and not isinstance(value, Param)}
    fields: Any = layout.dtype.fields
    of_several = {name: ArrayCells(fields[name][1], kind, size) for name, (kind, size) in layout.arrays.items()}
    values = {name: value.fget for name, value in rest.items() if isinstance(value, property) and value.fget}
    free = {name: value.__func__ for name, value in rest.items() if isinstance(value, staticmethod)}
    constants = {name: value for name, value in rest.items() if subset.constant(value)}
    absent = {
        name: f"is of type {type(value).__name__}, which cannot be compiled"
        for name, value in rest.items() if not {name} & (values.keys() | free.keys() | constants.keys())
    }  # fmt: skip
    return View(
        cls.__name__,
        views.cells_of(layout.dtype),
        of_several,
        values,
        methods,
        free=free,
        constants=constants,
        absent=absent,
        own=True,
    )


def _parameters(handler: Handler) -> int:
    """How many parameters a handler has, ``self`` counted."""
    return len(inspect.signature(getattr(Strategy, METHODS[handler])).parameters)


def _where(cls: type[Strategy], function: Callable[..., Any]) -> str:
    return f"{cls.__name__}.{function.__name__}"


def _given(function: Callable[..., Any], view: View, free: bool) -> dict[str, View]:
    """Name of each parameter of a method -> what it is given, as far as that is known."""
    if free:
        return {}
    names = list(inspect.signature(function).parameters)
    found = {names[0]: view} if names else {}
    for handler, method in METHODS.items():
        if method == function.__name__:
            what = [EVENTS[handler]] if handler in EVENTS else []
            kinds = [*what, views.BOOK, views.ORDERS][-len(names) + 1 :]
            found |= dict(zip(names[1:], kinds, strict=False))
    return found


def _link_all(functions: Linked, view: View, handlers: frozenset[Handler]) -> None:
    """Links the handlers and every function of the class that they may call."""
    for handler in sorted(handlers):
        functions[view.methods[METHODS[handler]]]
    called = {**view.methods, **view.values, **view.free}
    for function in functions.functions:  # grows meanwhile
        for name in sorted(names_in(function.__code__)):
            if name in called:
                functions[called[name]]


def _driver_names(
    jit: Any, functions: Linked, kernels: Mapping[Any, Any], view: View, handlers: frozenset[Handler]
) -> dict[str, Any]:
    """The global names of the driver for one strategy."""
    made = typing.types_of_views()
    type_of = made.family(kernels)
    at = {kind: made.at(type_of(kind)) for kind in (*EVENTS.values(), views.BOOK, views.ORDERS)}
    names: dict[str, Any] = dict(vars(driver))
    known = {**names, "book_at": at[views.BOOK], "orders_at": at[views.ORDERS]}
    known["self_at"] = made.at(made.family(functions)(view))
    for handler in handlers:
        method = view.methods[METHODS[handler]]
        shape = SHAPES[_parameters(handler)]
        event = at[EVENTS[handler]] if handler in EVENTS else None
        names[METHODS[handler]] = jit(rebound(shape, {**known, "method": functions[method], "event_at": event}))
        names[f"HAS_{handler.name}"] = True
    return names


# ---- where the machine code is kept


def _folder(cls: type[Strategy], view: View, functions: Linked) -> Path | None:
    """The cache folder; None for a class whose source may change under its name, as in a notebook."""
    if cls.__module__ == "__main__" or "<locals>" in cls.__qualname__:
        return None
    return cache_folder(
        name=f"strategy-{cls.__module__}.{cls.__qualname__}", modules=SOURCES,
        files=sorted({Path(function.__code__.co_filename) for function in functions.functions}),
        facts=[*_facts(view), *functions.facts()],
    )  # fmt: skip


def _facts(view: View) -> list[str]:
    """Everything that the code takes from the class beside its functions."""
    named = {**view.methods, **view.values, **view.free}
    return [
        *(f"{name} {cell}" for name, cell in (*view.cells.items(), *view.arrays.items())),
        *(f"{name} = {value!r}" for name, value in sorted(view.constants.items())),
        *(f"{name} is {function.__module__}.{function.__qualname__}" for name, function in sorted(named.items())),
    ]
