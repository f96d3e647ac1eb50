"""The ladder's functions made callable: compiled by numba and kept on disk, or as plain Python.

numba is imported by :func:`compiled_kernels` and nowhere else in this room, so that ``bloor --help`` never pays for it.
Machine code is cached under ``NUMBA_CACHE_DIR`` when that is set, otherwise in a folder of the user with mode 0700,
whose name is a hash of the ladder's source and of the versions of everything that made the code: an edited ladder can
never meet an old kernel. A folder that others could write to is not used at all, and then every process compiles anew.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from functools import cache
from typing import TYPE_CHECKING, Any

import numpy as np
from attrs import frozen

from bloor.market import ladder
from bloor.native import memory, twins
from bloor.native.caching import cache_folder, cache_in, jit_is_off, rebound
from bloor.native.linking import names_of

if TYPE_CHECKING:
    from bloor.market.normalizer import CompiledNormalizer

__all__ = ["Kernels", "compiled_kernels", "plain_kernels", "warm"]

#: Functions of the ladder that others in it call, callees first.
CALLED = (
    "far_slot", "far_put", "far_get", "far_extreme", "scan_down", "scan_up", "put", "get", "worst_level",
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


def compiled_kernels() -> Kernels:
    """The kernels as numba dispatchers; each compiles, or is read from disk, when it is first called.

    The plain ones when numba is told not to compile (``NUMBA_DISABLE_JIT``).
    """
    return plain_kernels() if jit_is_off() else _compiled()


@cache
def _compiled() -> Kernels:
    import numba

    config: Any = numba.config
    with cache_in(config, cache_folder(name="ladder", modules=(memory, twins, ladder))) as caching:
        names = names_of(ladder, twins.twins())
        for name in CALLED:
            names[name] = numba.njit(rebound(getattr(ladder, name), names))
        entries: dict[str, Any] = {
            name: numba.njit(rebound(getattr(ladder, name), names), cache=caching) for name in ENTRIES
        }
        return Kernels(**entries)


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
