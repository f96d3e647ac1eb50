"""The ladder's functions made callable: compiled by numba and kept on disk, or as plain Python.

numba is imported by :func:`compiled_kernels` and nowhere else in this room, so that ``bloor --help`` never pays for it.
Machine code is cached under ``NUMBA_CACHE_DIR`` when that is set, otherwise in a folder of the user with mode 0700,
whose name is a hash of the ladder's source and of the versions of everything that made the code: an edited ladder can
never meet an old kernel. A folder that others could write to is not used at all, and then every process compiles anew.
"""

from __future__ import annotations

import hashlib
import os
import platform
import stat
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from types import FunctionType, ModuleType
from typing import TYPE_CHECKING, Any

import numpy as np
from attrs import frozen

from bloor.market import ladder

if TYPE_CHECKING:
    from bloor.market.normalizer import CompiledNormalizer

__all__ = ["Kernels", "cache_folder", "compiled_kernels", "plain_kernels", "warm"]

#: Functions of the ladder that others in it call, callees first.
CALLED = (
    "far_slot", "far_put", "far_get", "far_extreme", "high_bit", "scan_down", "scan_up", "put", "get",
    "set_level", "find_best", "base_for", "move", "settle", "finish", "reset", "apply", "load", "read_number",
    "parse",
)  # fmt: skip
#: Functions of the ladder that are called from outside: the fields of :class:`Kernels`.
ENTRIES = (
    "reset", "apply", "load", "parse", "change", "rehash", "walk", "truncate", "get",
)  # fmt: skip


@frozen
class Kernels:
    """The entries of :mod:`bloor.market.ladder`, of the same names."""

    reset: Callable[..., None]
    apply: Callable[..., int]
    load: Callable[..., int]
    parse: Callable[..., int]
    change: Callable[..., int]
    rehash: Callable[..., None]
    walk: Callable[..., int]
    truncate: Callable[..., int]
    get: Callable[..., int]


@cache
def plain_kernels() -> Kernels:
    """The kernels as Python functions: about a hundred times slower, the same results."""
    entries: dict[str, Any] = {name: getattr(ladder, name) for name in ENTRIES}
    return Kernels(**entries)


@cache
def compiled_kernels() -> Kernels:
    """The kernels as numba dispatchers; each compiles, or is read from disk, when it is first called."""
    import numba

    config: Any = numba.config
    with cache_in(config, cache_folder(numba.__version__, config.CACHE_DIR)) as caching:
        names: dict[str, Any] = dict(vars(ladder))
        for name in CALLED:
            names[name] = numba.njit(rebound(getattr(ladder, name), names))
        entries: dict[str, Any] = {
            name: numba.njit(rebound(getattr(ladder, name), names), cache=caching) for name in ENTRIES
        }
        return Kernels(**entries)


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


def cache_folder(
    numba_version: str, chosen: str = "", *, name: str = "ladder", modules: Sequence[ModuleType] = (ladder,)
) -> Path | None:
    """The folder for compiled kernels, made if need be; None when there is none that only the user can write to.

    Args:
        numba_version: Part of what the folder is named by.
        chosen: Where the user wants caches (``NUMBA_CACHE_DIR``); empty for the usual place.
        name: What the folder's name begins with.
        modules: Every file that has a part in the kernels; the folder is named by a hash of them all.
    """
    made_by = (numba_version, np.__version__, platform.python_version(), platform.machine())
    key = hashlib.sha256(repr(made_by).encode())
    for module in modules:
        source = Path(module.__file__ or "").read_bytes()
        key.update(f"{module.__name__} {len(source)} ".encode() + source)
    try:
        folder = (Path(chosen) if chosen else user_cache() / "bloor" / "numba") / f"{name}-{key.hexdigest()[:16]}"
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        return folder if private(folder) else None
    except (OSError, RuntimeError):  # no home folder, or one that cannot be written
        return None


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


def warm(
    progress: Callable[[str], None] | None = None, normalizers: Mapping[str, CompiledNormalizer] | None = None
) -> float:
    """Compiles every kernel, or reads it from disk, by using a small book.

    Args:
        progress: Called with the name of each step before it.
        normalizers: Compiled normalizers to make ready too, by the name of their venue; each takes one empty frame.

    Returns:
        Seconds it took.
    """
    began = time.perf_counter()
    say = progress or str
    say("numba")
    kernels = compiled_kernels()
    core = np.zeros(ladder.CORE_CELLS, np.int64)
    far = np.zeros(4 * ladder.FAR_MIN, np.int64)
    levels = np.array([[100, 1], [101, 1]], np.int64)
    steps: list[tuple[str, tuple[Any, ...]]] = [
        ("reset", (core, far)),
        ("load", (core, far, levels, 1, 1, 1, 1, 1)),
        ("apply", (core, far, levels, 1, 1, 1, 1, 1)),
        ("parse", (b"1|1|", levels, 1, 0, 1, 0)),
        ("change", (core, far, b"1|1|", levels, 1, 0, 0, 1, 0, 1, 1, 1)),
        ("rehash", (core, far, np.zeros_like(far))),
        ("walk", (core, 0, levels, 2)),
        ("truncate", (core, far, 1)),
        ("get", (core, far, 0, 100)),
    ]
    for name, arguments in steps:
        say(name)
        getattr(kernels, name)(*arguments)
    for venue, normalizer in (normalizers or {}).items():
        from bloor.market.compiled.binding import bind
        from bloor.market.compiled.context import Context

        say(f"normalizer of {venue}")
        bind(normalizer, Context(normalizer.rule, normalizer.settings))(b"", 0)
    return time.perf_counter() - began
