"""State of several numbers: arrays of a fixed length, declared once in a strategy's class.

::

    class Mean(Strategy):
        window: Array[float] = array(64)
        seen: int = 0

        def on_trade(self, trade, book, orders):
            self.window[self.seen % len(self.window)] = trade.price
            self.seen += 1

Every instance has its own, zeros at first. Elements are read and written by index, counted from either end; ``len``,
``sum`` and loops do what they do with any sequence. An array keeps its length. The state of a compiled strategy is
copied before each of its handlers, so that what they raise can be explained: 64 KB take some microseconds.
"""

from __future__ import annotations

import inspect
from collections.abc import Iterator, Mapping
from functools import cache
from typing import Any, Protocol, TypeVar, get_args, get_origin, get_type_hints

import numpy as np
from attrs import frozen

from bloor.errors import UsageError

__all__ = ["CELLS", "LONGEST", "Array", "array", "arrays_of", "declared_at", "zeros"]

#: Type of an attribute or an element -> its numpy type, and the memoryview format of the same.
CELLS: Mapping[type, tuple[str, str]] = {int: ("i8", "q"), float: ("f8", "d"), bool: ("?", "?")}
#: Most elements of one array.
LONGEST = 1 << 16

E = TypeVar("E", int, float, bool)


class Array(Protocol[E]):
    """The type of a declared array of ``int``, ``float`` or ``bool``."""

    def __getitem__(self, index: int) -> E:
        """An element; a negative index counts from the end."""

    def __setitem__(self, index: int, value: E) -> None:
        """Writes an element."""

    def __len__(self) -> int:
        """How many elements there are."""

    def __iter__(self) -> Iterator[E]:
        """Every element, the first one first."""


@frozen
class Declared:
    """What :func:`array` says of an attribute."""

    size: object


def array(size: int) -> Any:
    """Declares an array as the value of a class attribute that is annotated ``Array[...]``.

    Args:
        size: How many elements it has, at least 1 and at most :data:`LONGEST`.
    """
    return Declared(size)


def arrays_of(cls: type) -> Mapping[str, tuple[type, int]]:
    """``{name: (type of an element, length)}`` of a strategy class and its bases, in the order of declaration.

    Raises:
        UsageError: A declaration is not complete, or says something that cannot be.
    """
    key: Any = cls
    return _arrays_of(key)


@cache
def _arrays_of(cls: type) -> Mapping[str, tuple[type, int]]:
    declared = {
        name: value for base in reversed(cls.__mro__) for name, value in vars(base).items()
        if isinstance(value, Declared)
    }  # fmt: skip
    hints = get_type_hints(cls)
    wanted = [name for name, hint in hints.items() if hint is Array or get_origin(hint) is Array]
    return {
        name: _array(cls, name, hints.get(name), declared.get(name)) for name in {**declared, **dict.fromkeys(wanted)}
    }


def _array(cls: type, name: str, hint: Any, declared: Declared | None) -> tuple[type, int]:
    """The element's type and the length of one array."""
    kind: Any = get_args(hint)[0] if get_origin(hint) is Array else None
    if kind not in CELLS:
        said = getattr(hint, "__name__", str(hint)) if hint else "no annotation"
        said += "[" + ", ".join(getattr(a, "__name__", str(a)) for a in get_args(hint)) + "]" if get_args(hint) else ""
        raise UsageError(
            f"{declared_at(cls, name)}: expected Array[int], Array[float] or Array[bool], got {said}: "
            f"write `{name}: Array[float] = array(64)`"
        )
    if declared is None or getattr(cls, name) is not declared:
        raise UsageError(
            f"{declared_at(cls, name)}: expected its length, as `{name}: Array[{kind.__name__}] = array(64)`, got "
            f"{'nothing' if not hasattr(cls, name) else repr(getattr(cls, name))}"
        )
    size = declared.size
    if type(size) is not int or not 1 <= size <= LONGEST:
        raise UsageError(f"{declared_at(cls, name)}: expected a length of 1 to {LONGEST} elements, got {size!r}")
    return kind, size


def zeros(kind: type, size: int) -> memoryview:
    """The elements of a new array."""
    return memoryview(np.zeros(size, CELLS[kind][0]).data)


def declared_at(cls: type, name: str) -> str:
    """``file:line: Class.name`` of a class attribute, as far as the source is known."""
    for base in cls.__mro__:
        if name in vars(base).get("__annotations__", {}) or isinstance(vars(base).get(name), Declared):
            try:
                lines, first = inspect.getsourcelines(base)
                file = inspect.getsourcefile(base)
            except (OSError, TypeError):
                return f"{base.__name__}.{name}"
            for number, line in enumerate(lines):
                if line.strip().startswith((f"{name}:", f"{name} :", f"{name} =", f"{name}=")):
                    return f"{file}:{first + number}: {base.__name__}.{name}"
            return f"{file}: {base.__name__}.{name}"
    return f"{cls.__name__}.{name}"
