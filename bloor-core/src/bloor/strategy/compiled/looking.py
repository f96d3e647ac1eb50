"""What a strategy may look at, by the names in its code: found without compiling it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import cache
from types import FunctionType, ModuleType
from typing import Any

from bloor.strategy.api import Strategy
from bloor.strategy.compiled.linking import names_in

__all__ = ["LEVELS", "looks_at_levels"]

#: Methods of :class:`~bloor.market.view.BookView` that ask for more than the best prices.
LEVELS = frozenset({"level", "size_at", "size_to", "average_price"})


def looks_at_levels(cls: type[Strategy]) -> bool:
    """Whether anything that a strategy's code calls could ask for levels of a book behind the best.

    Args:
        cls: The class; functions of its own package that it names are looked into, whatever their number.
    """
    key: Any = cls
    return _looks(key)


@cache
def _looks(cls: type[Any]) -> bool:
    bases = [base for base in cls.__mro__ if base not in Strategy.__mro__]
    packages = {base.__module__.partition(".")[0] for base in bases}
    waiting = [function for base in bases for value in vars(base).values() for function in _functions(value)]
    seen: set[Callable[..., Any]] = set()
    while waiting:
        function = waiting.pop()
        if function in seen:
            continue
        seen.add(function)
        names = names_in(function.__code__)
        if names & LEVELS:
            return True
        found = [function.__globals__.get(name) for name in names]
        found += [cell.cell_contents for cell in function.__closure__ or ()]
        modules = [value for value in found if isinstance(value, ModuleType)]
        found += [getattr(module, name, None) for module in modules for name in names]
        waiting += [
            each for value in found for each in _functions(value) if each.__module__.partition(".")[0] in packages
        ]
    return False


def _functions(value: object) -> Iterator[FunctionType]:
    """The functions behind an attribute of a class, or behind a global name."""
    if isinstance(value, property):
        value = value.fget
    elif isinstance(value, (staticmethod, classmethod)):
        value = value.__func__
    if isinstance(value, FunctionType):
        yield value
