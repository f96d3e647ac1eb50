"""Entries compiled apart from their callers: called by address, kept on disk, never stale."""

from __future__ import annotations

import importlib.util
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType

import numba
import numpy as np
import pytest

from bloor.errors import KernelError
from bloor.native.entries import Entries, compiled_entries
from bloor.native.machine import FILE
from bloor.native.memory import call4, call5

LOW = '''
"""A callee."""
FACTOR = {factor}
def scaled(value: int) -> int:
    return value * FACTOR
'''
HIGH = '''
"""A caller, and the words it uses."""
from bloor.native.memory import cell_at
from {low} import scaled
def four(a: int, b: int, c: int, d: int) -> int:
    return scaled(a) + b - c * d
def read(address: int, a: int, b: int, c: int, d: int) -> int:
    return cell_at(address) + four(a, b, c, d)
'''
WANTED = (("four", 4), ("read", 5))


class Kitchen:
    """Writes kernel files and compiles them, its caches in a folder of its own."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.caches = folder / "caches"
        self.loaded: list[str] = []

    def module(self, name: str, text: str) -> ModuleType:
        """A module from a new text in the file of that name."""
        path = self.folder / f"{name}.py"
        path.write_text(text)
        spec = importlib.util.spec_from_file_location(name, path)
        assert spec is not None
        assert spec.loader is not None
        made = importlib.util.module_from_spec(spec)
        sys.modules[name] = made
        self.loaded.append(name)
        exec(compile(text, str(path), "exec"), made.__dict__)
        return made

    def compiled(self, factor: int) -> Entries:
        """The entries of two files, the callee with a factor of its own."""
        low = self.module("kernel_low", LOW.format(factor=factor))
        high = self.module("kernel_high", HIGH.format(low="kernel_low"))
        return compiled_entries("kitchen", (low, high), WANTED)

    def folders(self) -> list[Path]:
        return sorted(self.caches.iterdir())


@pytest.fixture
def kitchen(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Kitchen]:
    made = Kitchen(tmp_path)
    monkeypatch.setattr(numba.config, "CACHE_DIR", str(made.caches))
    yield made
    for name in made.loaded:
        sys.modules.pop(name, None)


def test_entries_are_called_by_address(kitchen: Kitchen) -> None:
    """The C function at an address gives what the call from Python gives."""
    entries = kitchen.compiled(3)
    assert entries.call["four"](2, 10, 4, 5) == 6 + 10 - 20
    assert call4(entries.address["four"], 2, 10, 4, 5) == -4
    cell = np.array([1 << 62], np.int64)
    assert entries.call["read"](cell.ctypes.data, 2, 10, 4, 5) == (1 << 62) - 4
    assert call5(entries.address["read"], cell.ctypes.data, 2, 10, 4, 5) == (1 << 62) - 4


def test_machine_code_is_kept(kitchen: Kitchen) -> None:
    """The same files compile once; after that their code is read from one folder, private to the user."""
    assert not kitchen.compiled(3).loaded.was_kept
    [folder] = kitchen.folders()
    assert folder.name.startswith("kitchen-")
    assert folder.stat().st_mode & 0o777 == 0o700
    assert [file.name for file in folder.iterdir()] == [FILE]
    again = kitchen.compiled(3)
    assert again.loaded.was_kept
    assert again.call["four"](2, 10, 4, 5) == -4
    assert kitchen.folders() == [folder]


def test_an_edited_callee_is_not_met_with_old_code(kitchen: Kitchen) -> None:
    """Each text has its own folder, so an edit shows at once, and so does taking it back."""
    for factor, found in ((3, False), (5, False), (3, True)):
        entries = kitchen.compiled(factor)
        assert call4(entries.address["four"], 2, 0, 0, 0) == 2 * factor
        assert entries.loaded.was_kept is found
    assert len(kitchen.folders()) == 2


def test_without_a_folder_nothing_is_kept(kitchen: Kitchen) -> None:
    """A folder that others may write to is not used: the entries are compiled and work."""
    kitchen.compiled(3)
    [folder] = kitchen.folders()
    folder.chmod(0o777)
    entries = kitchen.compiled(3)
    assert not entries.loaded.was_kept
    assert call4(entries.address["four"], 1, 0, 0, 0) == 3
    folder.chmod(0o700)


def test_entries_are_compiled_once_a_process(kitchen: Kitchen) -> None:
    """Asked again for the same files, the same addresses come."""
    low = kitchen.module("kernel_low", LOW.format(factor=2))
    high = kitchen.module("kernel_high", HIGH.format(low="kernel_low"))
    first = compiled_entries("kitchen", (low, high), WANTED)
    assert compiled_entries("kitchen", (low, high), WANTED) is first


DAMAGES: list[Callable[[bytes], bytes]] = [
    lambda _data: b"", lambda data: data[:-1], lambda data: data[:99] + bytes([data[99] ^ 1]) + data[100:],
]  # fmt: skip


@pytest.mark.parametrize("damage", DAMAGES)
def test_damaged_code_is_compiled_again(kitchen: Kitchen, damage: Callable[[bytes], bytes]) -> None:
    """Code that is not whole is not run; what replaces it is."""
    kitchen.compiled(3)
    [folder] = kitchen.folders()
    whole = (folder / FILE).read_bytes()
    (folder / FILE).write_bytes(damage(whole))
    entries = kitchen.compiled(3)
    assert not entries.loaded.was_kept
    assert call4(entries.address["four"], 1, 0, 0, 0) == 3
    assert kitchen.compiled(3).loaded.was_kept


def test_a_name_stands_for_another_function(kitchen: Kitchen) -> None:
    """A function of an earlier file takes the place of one that the last file calls."""
    tenfold = "\n\ndef tenfold(value: int) -> int:\n    return value * 10\n"
    low = kitchen.module("kernel_low", LOW.format(factor=2) + tenfold)
    high = kitchen.module("kernel_high", HIGH.format(low="kernel_low"))
    plain = compiled_entries("kitchen", (low, high), WANTED)
    other = compiled_entries("kitchen", (low, high), WANTED, (("scaled", low.tenfold),))
    assert (plain.call["four"](3, 0, 0, 0), other.call["four"](3, 0, 0, 0)) == (6, 30)


def test_what_numba_cannot_compile_is_told(kitchen: Kitchen) -> None:
    """The error names the file."""
    low = kitchen.module("kernel_low", LOW.format(factor=2))
    high = kitchen.module("kernel_high", "def four(a, b, c, d):\n    return open(a)\n")
    with pytest.raises(KernelError, match=r"expected kernels that numba compiles, got in .*kernel_high\.py"):
        compiled_entries("kitchen", (low, high), (("four", 4),))


def test_kept_code_needs_no_compiler(kitchen: Kitchen) -> None:
    """A process that finds its machine code never imports numba."""
    kitchen.compiled(3)
    program = (
        "import sys; sys.path.insert(0, sys.argv[1])\n"
        "import kernel_low, kernel_high\n"
        "from bloor.native.entries import compiled_entries\n"
        "made = compiled_entries('kitchen', (kernel_low, kernel_high), (('four', 4), ('read', 5)))\n"
        "print(made.loaded.was_kept, made.call['four'](2, 10, 4, 5), 'numba' in sys.modules)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program, str(kitchen.folder)],
        env={**os.environ, "NUMBA_CACHE_DIR": str(kitchen.caches)}, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.stdout.split() == ["True", "-4", "False"], done.stderr
