"""Kernels of several files made one compiled function, kept on disk.

A kernel file is a module of plain functions that call each other and functions of the files before it. Linking copies
every function with its global names replaced: a plain function by its compiled copy, a word of
:mod:`bloor.native.memory` by its twin. The folder with the machine code is named by a hash of the source of every file
(:func:`bloor.native.caching.cache_folder`), so an edited kernel never meets old code.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from types import FunctionType, ModuleType
from typing import Any

from bloor.native.caching import rebound

__all__ = ["for_any_constant", "linked", "names_of"]

Replaced = dict[Callable[..., Any], Any]


def linked(modules: Sequence[ModuleType], jit: Callable[[FunctionType], Any], known: Replaced) -> Replaced:
    """Compiles, when first called, every function of kernel files.

    Args:
        modules: The files, callees first.
        jit: Makes a function compiled.
        known: What stands in place of functions of other files.

    Returns:
        ``known`` and plain function -> compiled function of these files.
    """
    replaced = dict(known)
    for module in modules:
        names = names_of(module, replaced)
        for name, function in vars(module).items():
            if isinstance(function, FunctionType) and function.__module__ == module.__name__:
                names[name] = replaced[function] = for_any_constant(jit(rebound(function, names)))
    return replaced


def for_any_constant(dispatcher: Any) -> Any:
    """Keeps numba from compiling a function anew for each constant that it is called with; gives the same dispatcher.

    That would be 140 functions instead of 70, and twice the time; LLVM puts the constants in where it inlines.
    """
    from numba import types

    plain: Any = types.unliteral
    resolve = dispatcher.get_call_template

    def resolve_plain(args: Sequence[Any], kws: Mapping[str, Any]) -> Any:
        return resolve([plain(kind) for kind in args], {name: plain(kind) for name, kind in kws.items()})

    dispatcher.get_call_template = resolve_plain
    return dispatcher


def names_of(module: ModuleType, replaced: Replaced) -> dict[str, Any]:
    """The global names of a file, functions of other files replaced."""
    return {
        name: replaced.get(value, value) if callable(value) and not isinstance(value, type) else value
        for name, value in vars(module).items()
    }
