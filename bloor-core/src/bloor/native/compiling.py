"""Compiling without running: what numba makes of kernels goes into an object file, and nothing else into memory.

numba puts every function that it compiles into the memory of the process, each with all that it calls. Kernels are
called by their entries only; the functions between are linked into them, and to make machine code of each for itself
takes a third of the time.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from importlib import import_module
from typing import Any

from bloor.native.machine import MachineCode

__all__ = ["linking_only", "machine_code_of"]

#: How the names of functions begin that are called where they lie: numba's wrappers for Python, and its runtime.
_CALLED = ("_ZN7cpython", "NRT_")


@contextmanager
def linking_only() -> Iterator[None]:
    """Inside, a function that numba compiles without a wrapper for Python can be linked, and not be called."""
    from numba.core.codegen import JITCodeLibrary, JITCPUCodegen
    from numba.core.compiler_lock import global_compiler_lock
    from numba.core.cpu import CPUContext

    dynfunc: Any = import_module("numba._dynfunc")  # has no types
    codegen: Any = JITCPUCodegen
    library_type: Any = JITCodeLibrary
    context: Any = CPUContext
    add, finish, make = codegen._add_module, library_type._finalize_specific, context.get_executable

    def add_if_called(self: Any, module: Any) -> Any:
        return add(self, module) if _is_called(module) else None

    def finish_if_called(self: Any) -> None:
        if _is_called(self._final_module):
            finish(self)

    def make_if_called(self: Any, library: Any, fndesc: Any, env: Any) -> Any:
        if _is_called(_finished(library)):
            return make(self, library, fndesc, env)
        # what numba makes of a function without a wrapper: it stands for the function, and nobody calls it
        return dynfunc.make_function(fndesc.lookup_module(), fndesc.qualname, "", 0, env, (library,))

    with global_compiler_lock:
        codegen._add_module, library_type._finalize_specific = add_if_called, finish_if_called
        context.get_executable = make_if_called
        try:
            yield
        finally:
            codegen._add_module, library_type._finalize_specific, context.get_executable = add, finish, make


def machine_code_of(dispatchers: Mapping[str, Any]) -> MachineCode:
    """What numba has compiled, as object files.

    Args:
        dispatchers: Name of a function -> its dispatcher, compiled for one signature inside :func:`linking_only`.
    """
    objects: list[bytes] = []
    symbols: dict[str, str] = {}
    needs: set[str] = set()
    for name, dispatcher in dispatchers.items():
        [compiled] = dispatcher.overloads.values()
        made = compiled._asdict()
        module = _finished(made["library"])
        declared = (each for each in (*module.functions, *module.global_variables) if each.is_declaration)
        needs.update(each.name for each in declared if not each.name.startswith("llvm."))
        objects.append(made["library"].codegen._tm.emit_object(module))
        symbols[name] = made["fndesc"].llvm_cfunc_wrapper_name
    return MachineCode(objects, symbols, sorted(needs))


def _finished(library: Any) -> Any:
    """The module of a library, everything linked in and optimised."""
    library._ensure_finalized()
    return library._final_module


def _is_called(module: Any) -> bool:
    """Whether a function of a module itself is called where it lies; what was linked into it has another linkage."""
    from llvmlite.binding import Linkage

    named = (each for each in module.functions if each.name.startswith(_CALLED))
    return any(each.linkage == Linkage.external and not each.is_declaration for each in named)
