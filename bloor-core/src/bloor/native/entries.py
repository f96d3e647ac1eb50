"""Kernel files compiled apart from their callers: C functions that other compiled code calls by their address.

So each part of a plug-in is compiled once and kept on disk, whatever it is put together with later; a call by address
costs about 2 ns more than one that was linked in.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from types import ModuleType
from typing import Any

from attrs import frozen

from bloor.native import carryless, linking, memory, python_api, twins
from bloor.native.caching import cache_folder, cache_in, rebound
from bloor.native.linking import linked, names_of

__all__ = ["Entries", "compiled_entries", "entry_address", "jit_is_off"]

#: What every compiled file is made of beside itself.
WORDS: tuple[ModuleType, ...] = (memory, python_api, carryless, twins, linking)


@frozen(eq=False)
class Entries:
    """Compiled entries, alive as long as this.

    Attributes:
        address: Name of an entry -> address of its C function; every argument and the result are int64.
        call: Name of an entry -> the same, to be called from Python with integers.
    """

    address: Mapping[str, int]
    call: Mapping[str, Any]


def jit_is_off() -> bool:
    """Whether numba is told not to compile (``NUMBA_DISABLE_JIT``), as a coverage run does."""
    import numba

    config: Any = numba.config
    return bool(config.DISABLE_JIT)


@cache
def compiled_entries(name: str, modules: tuple[ModuleType, ...], entries: tuple[tuple[str, int], ...]) -> Entries:
    """Compiles entries, or reads them from disk; once a process.

    Args:
        name: What their cache folder's name begins with.
        modules: The kernel files, callees first; the last one has the entries, its own or those of the others.
        entries: ``(name, number of arguments)`` of each.
    """
    import numba
    from numba import types

    config: Any = numba.config
    njit: Any = numba.njit
    folder = cache_folder(numba.__version__, config.CACHE_DIR, name=name, modules=(*WORDS, *modules))
    cell = types.int64
    addresses: dict[str, int] = {}
    calls: dict[str, Any] = {}
    with cache_in(config, folder) as caching:
        # never called from Python: without the wrappers for that they compile in two thirds of the time
        jit = njit(error_model="numpy", _nrt=False, no_cpython_wrapper=True, no_cfunc_wrapper=True)
        replaced = linked(modules, jit, twins.twins())
        names = {module.__name__: names_of(module, replaced) for module in modules}
        for entry, count in entries:
            plain = getattr(modules[-1], entry)
            function = rebound(plain, names[plain.__module__])
            made = njit(cell(*[cell] * count), cache=caching, error_model="numpy", _nrt=False)(function)
            addresses[entry], calls[entry] = entry_address(made), made
    return Entries(addresses, calls)


def entry_address(dispatcher: Any) -> int:
    """Where the C function of a dispatcher's only signature is; it lives as long as the dispatcher."""
    [compiled] = dispatcher.overloads.values()
    return int(compiled.library.get_pointer_to_function(compiled.fndesc.llvm_cfunc_wrapper_name))
