"""Compiling into object files, without machine code of what lies between the entries."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numba
import pytest
from numba import types
from numba.core.codegen import JITCodeLibrary, JITCPUCodegen
from numba.core.cpu import CPUContext

from bloor.native.caching import jit_is_off
from bloor.native.compiling import linking_only, machine_code_of
from bloor.native.entries import callable_of
from bloor.native.machine import load_code

pytestmark = pytest.mark.skipif(jit_is_off(), reason="compiled code")

LEAN: dict[str, Any] = {"error_model": "numpy", "_nrt": False, "no_cpython_wrapper": True}


def doubled() -> Callable[[int], int]:
    """A new function; numba's dispatchers of it know nothing of others."""

    def plain(value: int) -> int:
        return 2 * value

    return plain


def entry(inner: Any) -> Any:
    """A dispatcher that calls another one, compiled."""

    def outer(value: int) -> int:
        return int(inner(value)) + 1

    njit: Any = numba.njit
    return njit(types.int64(types.int64), **LEAN)(outer)


def test_an_entry_has_what_it_calls() -> None:
    """The object file is whole: what was linked into it was never put into memory."""
    njit: Any = numba.njit
    with linking_only():
        code = machine_code_of({"outer": entry(njit(**LEAN, no_cfunc_wrapper=True)(doubled()))})
    assert len(code.objects) == 1
    assert callable_of(load_code(code, was_kept=False), "outer", 1)(20) == 41


def test_what_python_calls_is_put_into_memory() -> None:
    """A function with a wrapper that happens to be compiled inside works as ever, also inside."""
    njit: Any = numba.njit
    helper = njit(doubled())
    with linking_only():
        code = machine_code_of({"outer": entry(helper)})
        assert helper(4) == 8
    assert helper(5) == 10
    assert callable_of(load_code(code, was_kept=False), "outer", 1)(1) == 3


def test_numba_is_left_as_it_was() -> None:
    """Also when something raises inside."""
    codegen: Any = JITCPUCodegen
    library: Any = JITCodeLibrary
    context: Any = CPUContext
    before = codegen._add_module, library._finalize_specific, context.get_executable
    with pytest.raises(ZeroDivisionError), linking_only():
        raise ZeroDivisionError
    assert (codegen._add_module, library._finalize_specific, context.get_executable) == before


def test_machine_code_goes_with_what_calls_it() -> None:
    """Loaded again and again, each time for itself."""
    njit: Any = numba.njit
    with linking_only():
        code = machine_code_of({"outer": entry(njit(**LEAN, no_cfunc_wrapper=True)(doubled()))})
    for turn in range(20):
        assert callable_of(load_code(code, was_kept=True), "outer", 1)(turn) == 2 * turn + 1
