"""Kernel files compiled apart from their callers: C functions that other compiled code calls by their address.

So each part of a plug-in is compiled once and kept on disk, whatever it is put together with later; a call by address
costs about 2 ns more than one that was linked in. numba is imported only where something has to be compiled.
"""

from __future__ import annotations

import ctypes
from collections.abc import Callable, Mapping
from functools import cache
from types import ModuleType
from typing import Any

from attrs import frozen

from bloor.errors import KernelError
from bloor.native import carryless, compiling, linking, machine, memory, python_api, twins
from bloor.native.caching import cache_folder, rebound
from bloor.native.compiling import linking_only, machine_code_of
from bloor.native.linking import linked, names_of
from bloor.native.machine import Loaded, MachineCode, kept_code

__all__ = ["Entries", "callable_of", "compiled_entries"]

#: What every compiled file is made of beside itself.
WORDS: tuple[ModuleType, ...] = (memory, python_api, carryless, twins, linking, compiling, machine)


@frozen(eq=False)
class Entries:
    """Compiled entries, alive as long as this.

    Attributes:
        address: Name of an entry -> address of its C function; every argument and the result are int64.
        call: Name of an entry -> the same, to be called from Python with integers.
        loaded: The machine code.
    """

    address: Mapping[str, int]
    call: Mapping[str, Any]
    loaded: Loaded


@cache
def compiled_entries(
    name: str,
    modules: tuple[ModuleType, ...],
    entries: tuple[tuple[str, int], ...],
    stand_ins: tuple[tuple[str, Callable[..., Any]], ...] = (),
) -> Entries:
    """Compiles entries, or reads them from disk; once a process.

    Args:
        name: What their cache folder's name begins with.
        modules: The kernel files, callees first; the last one has the entries, its own or those of the others.
        entries: ``(name, number of arguments)`` of each.
        stand_ins: ``(name, function)``: what a name of the last file stands for, a function of the others.

    Raises:
        KernelError: numba cannot compile them.
    """
    facts = [f"{given} is {function.__module__}.{function.__qualname__}" for given, function in stand_ins]
    folder = cache_folder(name=name, modules=(*WORDS, *modules), facts=[*facts, repr(entries)])
    loaded = kept_code(folder, lambda: _compiled(modules, entries, stand_ins))
    return Entries(loaded.address, {entry: callable_of(loaded, entry, count) for entry, count in entries}, loaded)


def callable_of(loaded: Loaded, entry: str, count: int) -> Any:
    """A C function of so many int64 that gives one, to be called from Python; it keeps its machine code in memory."""
    function = _function_type(count)(loaded.address[entry])
    function.loaded = loaded
    return function


@cache
def _function_type(count: int) -> Any:
    return ctypes.PYFUNCTYPE(ctypes.c_int64, *[ctypes.c_int64] * count)


def _compiled(
    modules: tuple[ModuleType, ...],
    entries: tuple[tuple[str, int], ...],
    stand_ins: tuple[tuple[str, Callable[..., Any]], ...],
) -> MachineCode:
    import numba
    from numba import types
    from numba.core.errors import NumbaError

    njit: Any = numba.njit
    cell = types.int64
    made: dict[str, Any] = {}
    # never called from Python: without the wrappers for that they compile in two thirds of the time
    lean = {"error_model": "numpy", "_nrt": False, "no_cpython_wrapper": True}
    replaced = linked(modules, njit(**lean, no_cfunc_wrapper=True), twins.twins())
    names = {module.__name__: names_of(module, replaced) for module in modules}
    names[modules[-1].__name__] |= {name: replaced[function] for name, function in stand_ins}
    try:
        with linking_only():
            for entry, count in entries:
                plain = getattr(modules[-1], entry)
                function = rebound(plain, names[plain.__module__])
                made[entry] = njit(cell(*[cell] * count), **lean)(function)
            return machine_code_of(made)
    except NumbaError as error:
        raise KernelError(f"expected kernels that numba compiles, got in {modules[-1].__file__}: {error}") from error
