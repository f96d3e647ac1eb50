"""Machine code kept as object files: C functions that a later process loads without their compiler.

numba compiles; what it makes is an object file, which is written down beside the names of its C functions. A process
that finds it there needs only LLVM's loader: importing numba and reading numba's own cache take most of a second, this
a few milliseconds. A process that has just compiled loads the same file, so that there is one way to call kernels.
"""

from __future__ import annotations

import builtins
import ctypes
import hashlib
import os
import tempfile
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from functools import cache
from pathlib import Path
from typing import Any

import orjson
from attrs import frozen

from bloor.errors import KernelError

__all__ = ["FILE", "Loaded", "MachineCode", "kept_code", "load_code"]

#: What the file is called in the folder of its kernels.
FILE = "code.bin"
_MAGIC = b"bloor machine code 1\n"
#: Helpers of numba's runtime; kernels name them on ways that are never taken, as where a wrapper tells of an exception.
_NEVER_CALLED = ("numba_", "NRT_")
#: numba gives the exception this name, where CPython gives it to a pointer to it.
_EXCEPTION = "PyExc_"


@frozen
class MachineCode:
    """C functions, not in memory yet.

    Attributes:
        objects: Object files, as LLVM writes them for this machine.
        symbols: Name of a function -> what it is called in them.
        needs: Names that they look up in the process.
    """

    objects: Sequence[bytes]
    symbols: Mapping[str, str]
    needs: Sequence[str]


@frozen(eq=False)
class Loaded:
    """C functions in memory, alive as long as this.

    Attributes:
        address: Name of a function -> where it is.
        was_kept: Whether it was read from disk, and not compiled by this process.
        engine: LLVM's, with the memory.
    """

    address: Mapping[str, int]
    was_kept: bool
    engine: object


def kept_code(folder: Path | None, make: Callable[[], MachineCode]) -> Loaded:
    """The machine code of a folder, made and written there when it is missing or damaged.

    Args:
        folder: Where it is kept, see :func:`bloor.native.caching.cache_folder`; None to keep nothing.
        make: Compiles.

    Raises:
        KernelError: The code calls something that is nowhere.
    """
    file = None if folder is None else folder / FILE
    code = None if file is None else _read(file)
    if code is not None and _resolved(code.needs):
        return load_code(code, was_kept=True)
    code = make()
    if file is not None:
        with suppress(OSError):  # full, or gone: the next process compiles anew
            _write(file, code)
    if not _resolved(code.needs):
        raise KernelError(f"compiled kernels call what this process does not have, one of {', '.join(code.needs)}")
    return load_code(code, was_kept=False)


def load_code(code: MachineCode, *, was_kept: bool) -> Loaded:
    """Puts machine code into memory.

    Args:
        code: Made on this machine; everything that it needs is there.
        was_kept: Where it comes from.
    """
    from llvmlite import binding

    found: Any = binding
    engine = _engine()
    files = [found.ObjectFileRef.from_data(each) for each in code.objects]
    for file in files:
        engine.add_object_file(file)
    engine.finalize_object()
    address = {name: engine.get_function_address(symbol) for name, symbol in code.symbols.items()}
    return Loaded(address, was_kept, (engine, files))


def _engine() -> Any:
    """A new place for machine code, with a target machine that it owns; LLVM finds what the process has after one."""
    from llvmlite import binding

    found: Any = binding
    machine = _target().create_target_machine(codemodel="jitdefault", jit=True)
    return found.create_mcjit_compiler(found.parse_assembly(""), machine)


@cache
def _target() -> Any:
    from llvmlite import binding

    found: Any = binding
    found.initialize_native_target()
    found.initialize_native_asmprinter()
    return found.Target.from_triple(found.get_process_triple())


@cache
def _process() -> Any:
    """What keeps the process's own names in sight."""
    return _engine()


def _resolved(needs: Iterable[str]) -> bool:
    """Whether everything is there that machine code looks up; what is never called is given a place that ends all."""
    from llvmlite import binding

    found: Any = binding
    _process()
    for name in needs:
        exception = getattr(builtins, name.removeprefix(_EXCEPTION), None) if name.startswith(_EXCEPTION) else None
        if exception is not None:
            found.add_symbol(name, id(exception))
        elif found.address_of_symbol(name) is None:
            if not name.startswith(_NEVER_CALLED):
                return False
            found.add_symbol(name, _nowhere())
    return True


@cache
def _nowhere() -> int:
    return ctypes.cast(ctypes.pythonapi.Py_FatalError, ctypes.c_void_p).value or 0


# ---- the file: a line, a SHA-256 of the rest, the size of a table, the table as JSON, the object files


def _write(file: Path, code: MachineCode) -> None:
    sizes = [len(each) for each in code.objects]
    table = orjson.dumps({"symbols": dict(code.symbols), "needs": list(code.needs), "sizes": sizes})
    rest = b"".join((len(table).to_bytes(8, "little"), table, *code.objects))
    number, name = tempfile.mkstemp(dir=file.parent, prefix=f".{file.name}.")
    try:
        with os.fdopen(number, "wb") as out:
            out.write(_MAGIC + hashlib.sha256(rest).digest() + rest)
        Path(name).replace(file)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise


def _read(file: Path) -> MachineCode | None:
    """The code of a file; None when there is none, or it is not whole."""
    try:
        data = file.read_bytes()
    except OSError:
        return None
    head, rest = len(_MAGIC) + 32, data[len(_MAGIC) + 32 :]
    if data[: len(_MAGIC)] != _MAGIC or hashlib.sha256(rest).digest() != data[len(_MAGIC) : head]:
        return None
    end = 8 + int.from_bytes(rest[:8], "little")
    table = orjson.loads(rest[8:end])
    objects = []
    for size in table["sizes"]:
        objects.append(rest[end : end + size])
        end += size
    return MachineCode(objects, table["symbols"], table["needs"])
