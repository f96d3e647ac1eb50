"""The compiled form of a check and of the gate: memory that Python and machine code share, and how both are bound.

The Python form of a check is the reference, and decides whenever anything is unusual. The compiled form is optional and
only faster: it answers the same for every order, on the same memory.
"""

from __future__ import annotations

import inspect
import sys
from collections.abc import Callable, Iterable, Sequence
from functools import cache, partial
from types import ModuleType
from typing import TYPE_CHECKING, Any

import numpy as np
from attrs import Attribute, field, frozen

from bloor.errors import KernelError, PluginError
from bloor.native.builtin import MethodDefinition, builtin
from bloor.native.entries import Entries, compiled_entries
from bloor.native.memory import Cells
from bloor.risk import kernel, layout

if TYPE_CHECKING:
    from bloor.risk.check import RiskCheck

__all__ = ["WIDEST", "CompiledCheck", "CompiledGate", "cells_of", "compile_gate", "form_of", "gate_cells", "wide_cells"]

#: The largest limit of a product of three int64 (:func:`~bloor.native.memory.product_above`), and less its sign the
#: smallest.
WIDEST = (1 << 127) - 1
#: Arguments of a check's entry.
ARGUMENTS = 5


def wide_cells(limit: int) -> tuple[int, int]:
    """The two cells of a limit for :func:`~bloor.native.memory.product_above`: its upper and its lower half.

    Args:
        limit: At most :data:`WIDEST` in size; clamp larger limits to the strict side, in the Python form too.

    Raises:
        OverflowError: It is larger.
    """
    if abs(limit) > WIDEST:
        raise OverflowError(f"expected a limit of at most 127 bits, got {limit}; clamp it to WIDEST")
    low = limit & (1 << 64) - 1
    return limit >> 64, low - (1 << 64) if low >> 63 else low


def cells_of(numbers: Iterable[int]) -> Cells:
    """New cells with these numbers, ``(n,)`` int64.

    Raises:
        OverflowError: One does not fit an int64; clamp a limit to the strict side, in the Python form too.
    """
    return np.array([*numbers], np.int64)


def _are_cells(_: Any, attribute: Attribute[Any], cells: Any) -> None:
    if not (isinstance(cells, np.ndarray) and cells.dtype == np.int64 and cells.ndim == 1 and cells.flags.c_contiguous):
        got = f"{cells.dtype} of shape {cells.shape}" if isinstance(cells, np.ndarray) else type(cells).__name__
        raise TypeError(f"{attribute.name!r}: expected a contiguous (n,) array of int64, got {got}")


@frozen(eq=False)
class CompiledCheck:
    """The compiled form of one check, as :meth:`~bloor.risk.check.RiskCheck.compiled` gives it.

    A kernel file is a module of plain functions in the part of Python that numba compiles, over the words of
    :mod:`bloor.native.memory`. The last file has the entry ``check(cells, intent, book, exposure, now_ns) -> int``, of
    addresses and the time; :mod:`bloor.risk.layout` says where the fields of an order, a book view and an exposure are.
    It answers what :meth:`~bloor.risk.check.RiskCheck.check` answers for the same order, whatever stands in the
    records, and it cannot raise. The instrument's index is one of the run's: the gate's own rules were asked before.

    Attributes:
        modules: The kernel files, callees first.
        cells: Limits and state, ``(n,)`` int64; what changes stands here only, so that both forms may go on from it.
            It stays where it is for as long as the check lives.
    """

    modules: Sequence[ModuleType]
    cells: Cells = field(validator=_are_cells)


@frozen(eq=False)
class CompiledGate:
    """The gate as compiled code asks it.

    Attributes:
        cells: The gate's cells, see :mod:`bloor.risk.kernel`; alive and in their place as long as the gate.
        decide: Address of :func:`~bloor.risk.kernel.decide` as a C function of five int64 that gives one.
        ask: The same with the first argument given, to be called from Python:
            ``ask(order.address, book.address, exposure.address, now_ns)``.
        entries: The compiled checks, kept alive.
    """

    cells: Cells
    decide: int
    ask: Callable[[int, int, int, int], int]
    entries: tuple[Entries, ...]

    @property
    def address(self) -> int:
        """Where the cells lie: the first argument of ``decide``."""
        return int(self.cells.ctypes.data)


def form_of(check: RiskCheck) -> CompiledCheck | None:
    """The compiled form of a check; None when it has none, or one that a subclass has overruled.

    Raises:
        PluginError: Making it raised, or gave something else.
    """
    if not _speaks_for(type(check)):
        return None
    try:
        form = check.compiled()
    except Exception as error:
        raise _unusable(check, f"compiled() raised {type(error).__name__}: {error}") from error
    if form is not None and not isinstance(form, CompiledCheck):
        raise _unusable(check, f"expected a CompiledCheck or None from compiled(), got {form!r:.80}")
    return form


def _speaks_for(cls: type[RiskCheck]) -> bool:
    """Whether ``compiled`` was written with or after ``check``: a subclass that changes only ``check`` has no form."""
    for base in cls.__mro__:
        if "compiled" in vars(base):
            return True
        if "check" in vars(base):
            return False
    return False


def gate_cells(checks: int) -> Cells:
    """The cells of a gate that is not latched.

    Args:
        checks: How many checks it has.
    """
    cells = np.zeros(kernel.CHECKS + 2 * checks, np.int64)
    cells[kernel.COUNT] = checks
    return cells


def compile_gate(checks: Sequence[tuple[RiskCheck, CompiledCheck]], cells: Cells) -> CompiledGate:
    """Compiles every check, or reads it from disk, and writes into the gate's cells where it is.

    Args:
        checks: Every check with its compiled form, in the order in which they are asked.
        cells: The gate's.

    Raises:
        PluginError: A compiled form is not what it should be; names the check and what is wrong.
    """
    entries = [compile_check(check, form) for check, form in checks]
    for number, ((_, form), entry) in enumerate(zip(checks, entries, strict=True)):
        at = kernel.CHECKS + 2 * number
        cells[at], cells[at + 1] = entry.address["check"], form.cells.ctypes.data
    gate = compiled_entries("risk-gate", (kernel,), (("decide", ARGUMENTS), ("call", 3)))
    return CompiledGate(cells, gate.address["decide"], _bound(gate, cells), (*entries, gate))


def _bound(gate: Entries, cells: Cells) -> Callable[[int, int, int, int], int]:
    """``decide`` of these cells, called from Python in the fastest way of this interpreter."""
    address = int(cells.ctypes.data)
    if sys.implementation.name == "cpython":
        asked: Callable[[int, int, int, int], int] = builtin(_definition(gate.address["call"]), address, cells)
        return asked
    return partial(gate.call["decide"], address)


@cache
def _definition(address: int) -> MethodDefinition:
    """What builtins of ``call`` point to; it lives as long as the process."""
    return MethodDefinition.of(b"decide", address, b"decide(intent, book, exposure, now_ns): what the gate says")


def compile_check(check: RiskCheck, form: CompiledCheck) -> Entries:
    """Compiles the entry of one check, or reads it from disk.

    Args:
        check: The check, for the message.
        form: Its compiled form.

    Raises:
        PluginError: There is no such entry, it has other arguments, or it cannot be compiled.
    """
    modules = tuple(form.modules)
    entry = getattr(modules[-1], "check", None) if modules else None
    if not inspect.isfunction(entry) or len(inspect.signature(entry).parameters) != ARGUMENTS:
        where = modules[-1].__name__ if modules else "no modules"
        raise _unusable(
            check, f"expected check(cells, intent, book, exposure, now_ns) in the last kernel file, {where}"
        )
    if not all(0 < number <= kernel.NUMBER_MASK for number in check.codes):
        raise _unusable(check, f"expected denial numbers of 1 to {kernel.NUMBER_MASK}, got {sorted(check.codes)}")
    try:
        return compiled_entries(f"risk-{check.name}", (layout, *modules), (("check", ARGUMENTS),))
    except KernelError as error:
        raise _unusable(check, str(error)) from error


def _unusable(check: RiskCheck, cause: str) -> PluginError:
    return PluginError(
        check.name, f"compiled form: {cause}", hint="; return None from its compiled() to run without a compiled form"
    )
