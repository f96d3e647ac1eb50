"""Where machine code is kept: a folder named by a hash of everything that made it.

Machine code is cached under ``NUMBA_CACHE_DIR`` when that is set, otherwise in a folder of the user with mode 0700,
whose name is a hash of the source of every file in it and of the versions of everything that made the code: an edited
function can never meet old code. A folder that others could write to is not used at all, and then every process
compiles anew.
"""

from __future__ import annotations

import hashlib
import os
import platform
import stat
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import cache
from importlib.metadata import version
from pathlib import Path
from types import FunctionType, ModuleType
from typing import Any

import numpy as np

__all__ = ["cache_folder", "cache_in", "jit_is_off", "numba_setting", "rebound", "user_cache"]


def rebound(function: Callable[..., Any], names: dict[str, Any]) -> FunctionType:
    """The same code, its global names looked up in ``names``."""
    assert isinstance(function, FunctionType)
    copy = FunctionType(function.__code__, names, function.__name__, function.__defaults__)
    copy.__qualname__ = function.__qualname__
    return copy


def user_cache() -> Path:
    """The folder of the user's caches."""
    if sys.platform == "win32":
        return Path(os.environ.get("LOCALAPPDATA") or Path.home() / "AppData" / "Local")
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")


def numba_setting(name: str) -> Any:
    """A setting of numba, without importing it: as its environment says, or as it has been set since.

    Args:
        name: As in ``numba.config``; in the environment with ``NUMBA_`` before it.
    """
    numba = sys.modules.get("numba")
    config = getattr(numba, "config", None)
    return getattr(config, name) if hasattr(config, name) else os.environ.get(f"NUMBA_{name}", "")


def jit_is_off() -> bool:
    """Whether numba is told not to compile (``NUMBA_DISABLE_JIT``), as a coverage run does."""
    return str(numba_setting("DISABLE_JIT")) not in ("", "0")


def cache_folder(
    *,
    name: str,
    modules: Sequence[ModuleType],
    files: Sequence[Path] = (),
    facts: Sequence[str] = (),
) -> Path | None:
    """The folder for compiled kernels, made if need be; None when there is none that only the user can write to.

    Args:
        name: What the folder's name begins with.
        modules: Every file that has a part in the kernels; the folder is named by a hash of them all and of their
            numbers, which may come from other files, as the offsets in a record do.
        files: More of them, which need not be modules.
        facts: What else the code depends on, as the values of constants.
    """
    numbers = [_numbers(module) for module in modules]
    chosen = numba_setting("CACHE_DIR")
    key = hashlib.sha256(repr((_numba_version(), *_made_by(), *facts, numbers)).encode())
    named = [(module.__name__, Path(module.__file__ or "")) for module in modules]
    try:
        for title, file in [*named, *((str(file), file) for file in files)]:
            source = file.read_bytes()
            key.update(f"{title} {len(source)} ".encode() + source)
        folder = (Path(chosen) if chosen else user_cache() / "bloor" / "numba") / f"{name}-{key.hexdigest()[:16]}"
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        return folder if private(folder) else None
    except (OSError, RuntimeError):  # no home folder, or one that cannot be written
        return None


def _numbers(module: ModuleType) -> list[tuple[str, int | float]]:
    """The global numbers of a file."""
    return sorted((name, value) for name, value in vars(module).items() if type(value) in (int, float, bool))


@cache
def _numba_version() -> str:
    return version("numba")


@cache
def _made_by() -> tuple[str, ...]:
    """What makes machine code beside numba, and what it is made for."""
    import llvmlite
    from llvmlite import binding

    features: Any = binding.get_host_cpu_features()
    return (
        llvmlite.__version__, np.__version__, sys.implementation.name, platform.python_version(), platform.machine(),
        str(binding.get_host_cpu_name()), str(features.flatten()),
    )  # fmt: skip


def private(folder: Path) -> bool:
    """Whether the folder belongs to this user and nobody else may write to it."""
    if sys.platform == "win32":
        return True
    status = folder.stat()
    return status.st_uid == os.getuid() and not status.st_mode & (stat.S_IWGRP | stat.S_IWOTH)


@contextmanager
def cache_in(config: Any, folder: Path | None) -> Iterator[bool]:
    """Lets numba cache in ``folder`` for what is decorated inside; gives whether it may cache."""
    if folder is None:
        yield False
        return
    before, config.CACHE_DIR = config.CACHE_DIR, str(folder)
    try:
        yield True
    finally:
        config.CACHE_DIR = before
