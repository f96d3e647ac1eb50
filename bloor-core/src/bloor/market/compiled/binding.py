"""A venue's compiled normalizer, compiled and bound to a context: one callable that takes ``(frame, recv_ns)``.

The fastest way that was measured is a builtin function made of a C function that numba compiled: 20 ns for the call,
where a numba dispatcher takes 200 to 360. Where the interpreter is another than CPython, or on request, the same code
is called through the entry point of its compiled signature; plainly, it runs as Python.
"""

from __future__ import annotations

import ctypes
import sys
from collections.abc import Callable
from enum import Enum
from functools import cache, partial
from types import ModuleType
from typing import Any, Protocol

from attrs import frozen

from bloor.market.compiled import exports
from bloor.market.compiled.context import Context
from bloor.market.compiled.linking import SHARED, SOURCES
from bloor.market.normalizer import CompiledNormalizer
from bloor.native.builtin import MethodDefinition, builtin
from bloor.native.caching import cache_folder, cache_in, jit_is_off, rebound
from bloor.native.entries import compiled_entries
from bloor.native.linking import linked, names_of
from bloor.native.twins import twins

__all__ = ["Call", "Exports", "Step", "bind", "compiled_exports", "compiled_run"]


class Step(Protocol):
    """Takes a frame and answers as :mod:`bloor.market.compiled.answers` says."""

    def __call__(self, frame: bytes, recv_ns: int = ..., /) -> int:
        """One frame, received at ``recv_ns``; without it now, by the context's clock."""


class Call(Enum):
    """How a step is called."""

    #: A builtin function made of the compiled C function.
    BUILTIN = "builtin"
    #: The compiled signature's entry point, by addresses.
    ENTRY = "entry"
    #: Not compiled.
    PLAIN = "plain"


@frozen(eq=False)
class Exports:
    """The compiled ways into one normalizer's kernels; see :mod:`bloor.market.compiled.exports`.

    Attributes:
        take: The compiled ``take``, called with ``(context, text, size, recv_ns)``.
        take_address: Where ``take`` is, as a C function of four int64 that gives one.
        definition: What builtins made of ``call`` point to; it lives as long as the process, as the exports do.
    """

    take: Callable[[int, int, int, int], int]
    take_address: int
    definition: MethodDefinition


def bind(normalizer: CompiledNormalizer, context: Context, how: Call | None = None) -> Step:
    """The step of a normalizer in a context.

    Args:
        normalizer: The venue's kernels.
        context: The memory it works in; kept alive by the result.
        how: How to call it; the fastest way of this interpreter by default. Plainly in any case when numba is told not
            to compile (``NUMBA_DISABLE_JIT``), as a coverage run does.

    Returns:
        A function of ``(frame, recv_ns)``, or of ``frame`` when it was received now. It is for one thread, and takes
        ``bytes`` only.
    """
    if how is None:
        how = Call.BUILTIN if sys.implementation.name == "cpython" else Call.ENTRY
    if how is Call.PLAIN or jit_is_off():
        return partial(_by_address, partial(normalizer.step, context.cells), context)
    compiled = compiled_exports(tuple(normalizer.modules))
    if how is Call.ENTRY:
        return partial(_by_address, partial(compiled.take, context.address), context)
    step: Step = builtin(compiled.definition, context.address, context)
    return step


def _by_address(
    take: Callable[[int, int, int], int], context: Context, frame: bytes, recv_ns: int | None = None
) -> int:
    """Calls ``take`` with a frame's address; the context is an argument so that it lives as long as the step."""
    if type(frame) is not bytes:
        raise TypeError(f"expected a frame as bytes, got {type(frame).__name__}")
    at: Any = frame  # as a char pointer
    now_ns = context.clock() if recv_ns is None else recv_ns
    return take(ctypes.cast(at, ctypes.c_void_p).value or 0, len(frame), now_ns)


@cache
def compiled_exports(modules: tuple[ModuleType, ...]) -> Exports:
    """Compiles the kernel files of a venue, or reads them from disk; for each venue once a process.

    Args:
        modules: As :attr:`bloor.market.normalizer.CompiledNormalizer.modules`.
    """
    stand_ins = (("step", modules[-1].step),)
    made = compiled_entries("normalizer", (*SHARED, *modules, exports), (("call", 3), ("take", 4)), stand_ins)
    definition = MethodDefinition.of(b"step", made.address["call"], b"step(frame, recv_ns): takes one frame")
    return Exports(made.call["take"], made.address["take"], definition)


@cache
def compiled_run(modules: tuple[ModuleType, ...]) -> Callable[..., int]:
    """The compiled ``run`` of a venue's kernel files, for many frames at once; for each venue once a process.

    Args:
        modules: As :attr:`bloor.market.normalizer.CompiledNormalizer.modules`.
    """
    import numba
    from numba import types

    config: Any = numba.config
    njit: Any = numba.njit
    folder = cache_folder(name="batch", modules=(*SOURCES, *modules))
    cell, cells = types.int64, types.Array(types.int64, 1, "C")
    with cache_in(config, folder) as caching:
        # never called from Python: without the wrappers for that they compile in two thirds of the time
        jit = njit(error_model="numpy", _nrt=False, no_cpython_wrapper=True, no_cfunc_wrapper=True)
        replaced = linked((*SHARED, *modules), jit, twins())
        names = names_of(exports, replaced) | {"step": replaced[modules[-1].step]}
        signature = cell(cell, cell, cells, cells, cells, types.Array(cell, 2, "C"), cell)
        options = {"cache": caching, "error_model": "numpy", "_nrt": False}
        made: Callable[..., int] = njit(signature, **options)(rebound(exports.run, names))
    return made
