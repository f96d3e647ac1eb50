"""Functions of a strategy's package made ready to be compiled: each global name replaced by its compiled form."""

from __future__ import annotations

import builtins
import inspect
from collections.abc import Callable, Iterator, Mapping
from enum import IntEnum
from types import CellType, CodeType, FunctionType, ModuleType
from typing import Any

from attrs import frozen

from bloor.errors import StrategyCompileError
from bloor.native.linking import for_any_constant
from bloor.strategy.compiled.arithmetic import BUILTINS, Arithmetic
from bloor.strategy.compiled.failures import failure
from bloor.strategy.compiled.subset import MATH, Site, check_function, constant
from bloor.strategy.compiled.views import View

__all__ = ["Linked", "Tools", "compiling", "drawing", "names_in"]


@frozen(eq=False)
class Tools:
    """What functions are made of.

    Attributes:
        make: Makes the form of a copied function; given its file, its first line and what it is called in messages too.
        builtins: Name of a builtin -> what stands for it.
        math: Name in :mod:`math` -> what stands for it.
    """

    make: Callable[[FunctionType, str, int, str], Any]
    builtins: Mapping[str, Any]
    math: Mapping[str, Any]


def compiling(jit: Callable[[FunctionType], Any], arithmetic: Arithmetic) -> Tools:
    """Functions are compiled when they are called first."""

    def make(function: FunctionType, file: str, line: int, where: str) -> Any:
        made = for_any_constant(jit(function))
        _say_failures(made, file, line, where)
        return made

    return Tools(make, arithmetic.builtins, arithmetic.math)


def drawing() -> Tools:
    """Nothing is compiled: enough to check functions, and to know what belongs to them."""
    return Tools(lambda function, *_: function, dict.fromkeys(BUILTINS), dict.fromkeys(MATH))


class Linked(Mapping[Callable[..., Any], Any]):
    """Plain function -> compiled function, for one strategy class; checked and linked when it is asked for.

    Attributes:
        constants: ``module.name = value`` of every constant that may be in the code.
        functions: Every function that was linked.
    """

    def __init__(self, packages: frozenset[str], tools: Tools) -> None:
        self.constants: list[str] = []
        self.functions: list[FunctionType] = []
        self._packages = packages
        self._tools = tools
        self._made: dict[Callable[..., Any], Any] = {}
        self._methods: dict[Callable[..., Any], tuple[str, Mapping[str, View]]] = {}

    def expect(self, method: Callable[..., Any], where: str, views: Mapping[str, View]) -> None:
        """Says what a method is called in messages, and what its parameters are given."""
        self._methods[method] = (where, views)

    def __getitem__(self, function: Callable[..., Any]) -> Any:
        found = self._made.get(function)
        if found is None:
            assert isinstance(function, FunctionType)
            found = self._link(function)
        return found

    def __iter__(self) -> Iterator[Callable[..., Any]]:
        return iter(self._made)

    def __len__(self) -> int:
        return len(self._made)

    def facts(self) -> list[str]:
        """Everything that the machine code depends on, as texts: the code of every function, and constants."""
        return [*sorted(_code_of(function) for function in self.functions), *sorted(self.constants)]

    def _link(self, function: FunctionType) -> Any:
        where, views = self._methods.get(function, (function.__qualname__, {}))
        file = inspect.getsourcefile(function) or function.__code__.co_filename
        used = check_function(function, Site(where, file, views, self._packages))
        self.functions.append(function)
        names: dict[str, Any] = {"__builtins__": builtins, "__name__": function.__module__}
        code, defaults = _by_place(function)
        copy = FunctionType(code, names, function.__name__, defaults, self._closure(function))
        copy.__qualname__ = function.__qualname__
        made = self._made[function] = self._tools.make(copy, file, function.__code__.co_firstlineno, where)
        for name in names_in(function.__code__):
            if name in function.__globals__:
                names[name] = self._value(f"{function.__module__}.{name}", function.__globals__[name])
            elif name in self._tools.builtins:
                names[name] = self._tools.builtins[name]
        for name, attribute in used:
            getattr(names[name], attribute)
        return made

    def _closure(self, function: FunctionType) -> tuple[CellType, ...] | None:
        if function.__closure__ is None:
            return None
        where = f"{function.__module__}.{function.__qualname__}"
        names = zip(function.__code__.co_freevars, function.__closure__, strict=True)
        return tuple(CellType(self._value(f"{where}.{name}", cell.cell_contents)) for name, cell in names)

    def _value(self, name: str, value: Any) -> Any:
        """What stands for the value of a global name."""
        if isinstance(value, FunctionType) and value.__module__.partition(".")[0] in self._packages:
            return self[value]
        if isinstance(value, ModuleType):
            return self._module(name, value)
        if constant(value):
            self.constants.append(f"{name} = {value!r}")
        elif isinstance(value, type):
            members = [(member.name, int(member)) for member in value] if issubclass(value, IntEnum) else []
            self.constants.append(f"{name} = {value.__module__}.{value.__qualname__} {members}")
        return value

    def _module(self, name: str, module: ModuleType) -> ModuleType:
        """A module whose names are compiled as they are asked for."""
        proxy = _Proxy(module.__name__)
        proxy.look_up = (
            self._tools.math.__getitem__
            if module.__name__ == "math"
            else lambda key: self._value(f"{name}.{key}", getattr(module, key))
        )
        return proxy


def _code_of(function: FunctionType) -> str:
    """A function's code as text, the same in every process."""

    def read(code: CodeType) -> tuple[object, ...]:
        constants = [read(c) if isinstance(c, CodeType) else repr(c) for c in code.co_consts]
        return (code.co_code, constants, code.co_names, code.co_varnames, code.co_freevars, code.co_flags)

    defaults = (function.__defaults__, function.__kwdefaults__)
    return repr((function.__module__, function.__qualname__, read(function.__code__), defaults))


def _say_failures(dispatcher: Any, file: str, line: int, where: str) -> None:
    """Makes numba's error an error of ours at the innermost function: numba passes on what is none of its own."""
    resolve = dispatcher.get_call_template

    def resolve_or_say(args: Any, kws: Any) -> Any:
        try:
            return resolve(args, kws)
        except StrategyCompileError:
            raise
        except Exception as error:
            raise failure(error, file, line, where) from error

    dispatcher.get_call_template = resolve_or_say


def _by_place(function: FunctionType) -> tuple[CodeType, tuple[Any, ...] | None]:
    """The code and the defaults of a function, parameters given by name only made ordinary: numba knows no others."""
    code, by_name = function.__code__, function.__kwdefaults__ or {}
    if not code.co_kwonlyargcount:
        return code, function.__defaults__
    count = code.co_argcount + code.co_kwonlyargcount
    named = code.co_varnames[code.co_argcount : count]
    defaults = (*(function.__defaults__ or ()), *(by_name[name] for name in named if name in by_name))
    return code.replace(co_argcount=count, co_kwonlyargcount=0), defaults


class _Proxy(ModuleType):
    """Stands for a module."""

    look_up: Callable[[str], Any]

    def __getattr__(self, name: str) -> Any:
        try:
            found = self.look_up(name)
        except KeyError:
            raise AttributeError(name) from None
        setattr(self, name, found)
        return found


def names_in(code: CodeType) -> set[str]:
    """Every name that code may look up outside."""
    found = set(code.co_names)
    for inner in code.co_consts:
        if isinstance(inner, CodeType):
            found |= names_in(inner)
    return found
