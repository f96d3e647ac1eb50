"""The Python that a compiled handler may be written in, checked in its source: what is refused, where and why.

Types are not looked at here but by numba (:mod:`bloor.strategy.compiled.passes`); what is found here can be said with
the words of the author.
"""

from __future__ import annotations

import ast
import builtins
import dis
import inspect
import textwrap
from collections.abc import Mapping
from enum import IntEnum
from types import FunctionType, ModuleType
from typing import Any

from attrs import frozen

from bloor.errors import StrategyCompileError, nearest
from bloor.strategy.compiled.views import View

__all__ = ["Site", "check_function", "constant", "refusal"]

INT64 = range(-(1 << 63), 1 << 63)

#: Builtin functions that mean the same compiled.
BUILTINS = frozenset(
    {"abs", "bool", "divmod", "enumerate", "float", "int", "len", "max", "min", "range", "round", "sum", "zip"}
)
#: What :mod:`math` has for compiled code.
MATH = frozenset({
    "acos", "asin", "atan", "atan2", "ceil", "copysign", "cos", "cosh", "e", "exp", "expm1", "fabs", "floor", "fmod",
    "inf", "isfinite", "isinf", "isnan", "log", "log10", "log1p", "log2", "nan", "pi", "pow", "sin", "sinh", "sqrt",
    "tan", "tanh", "tau", "trunc",
})  # fmt: skip

INSTEAD = "use tuples, declared attributes and arrays"
ALLOCATES: Mapping[type[ast.AST], str] = {
    ast.List: f"a list cannot be compiled: {INSTEAD}",
    ast.ListComp: f"a list comprehension cannot be compiled: {INSTEAD}, or a loop",
    ast.Dict: f"a dict cannot be compiled: {INSTEAD}",
    ast.DictComp: f"a dict comprehension cannot be compiled: {INSTEAD}, or a loop",
    ast.Set: f"a set cannot be compiled: {INSTEAD}",
    ast.SetComp: f"a set comprehension cannot be compiled: {INSTEAD}, or a loop",
    ast.GeneratorExp: "a generator cannot be compiled: use a loop",
    ast.JoinedStr: "a text cannot be compiled: handlers compute with numbers",
}
STATEMENTS: Mapping[type[ast.AST], str] = {
    ast.FunctionDef: "a function inside a handler cannot be compiled: make it a method, or a function of the module",
    ast.AsyncFunctionDef: "a coroutine cannot be compiled: handlers are called and return",
    ast.Lambda: "a lambda cannot be compiled: make it a method, or a function of the module",
    ast.ClassDef: "a class inside a handler cannot be compiled",
    ast.Yield: "a generator cannot be compiled: handlers are called and return",
    ast.YieldFrom: "a generator cannot be compiled: handlers are called and return",
    ast.Await: "`await` cannot be compiled: handlers are called and return",
    ast.With: "`with` cannot be compiled",
    ast.Import: "an import inside a handler cannot be compiled: import at the top of the file",
    ast.ImportFrom: "an import inside a handler cannot be compiled: import at the top of the file",
    ast.Global: "a global variable cannot be assigned in compiled code: declare an attribute of the class",
    ast.Nonlocal: "an outer variable cannot be assigned in compiled code: declare an attribute of the class",
    ast.NamedExpr: "`:=` cannot be compiled: assign in a line of its own",
    ast.Delete: "`del` cannot be compiled",
    ast.Starred: "`*` of a sequence cannot be compiled: write the elements",
}
NO_OUTPUT = "compiled handlers cannot print or log: count in an attribute, or leave out `compiled = True`"


@frozen
class Site:
    """Where a function stands, for messages.

    Attributes:
        where: ``Class.handler``, or the name of the function.
        file: Its source file.
        views: Name of a parameter -> what it is given, where that is known.
        packages: The top-level packages whose functions may be called.
    """

    where: str
    file: str
    views: Mapping[str, View]
    packages: frozenset[str]


def check_function(function: FunctionType, site: Site) -> set[tuple[str, str]]:
    """Refuses a function that has no compiled meaning.

    Of a function whose source is not at hand only the global names are looked at.

    Returns:
        ``(name, attribute)`` of every attribute of a module that it uses.

    Raises:
        StrategyCompileError: Names the line and says what to do instead.
    """
    first = 1
    try:
        lines, first = inspect.getsourcelines(function)
        tree = ast.parse(textwrap.dedent("".join(lines)))
        [definition] = tree.body
    except (OSError, SyntaxError):
        definition = None
    if not isinstance(definition, ast.FunctionDef):
        _check_names(function, site)
        return set()
    check = _Check(function, site, definition, max(first, 1) - 1)
    check.run()
    return check.used


def _check_names(function: FunctionType, site: Site) -> None:
    for step in dis.get_instructions(function):
        if step.opname == "LOAD_GLOBAL" and step.argval in function.__globals__:
            reason = refusal(step.argval, function.__globals__[step.argval], site.packages)
            if reason:
                raise StrategyCompileError(site.file, function.__code__.co_firstlineno, site.where, reason)


class _Check(ast.NodeVisitor):
    """One walk through a function."""

    def __init__(self, function: FunctionType, site: Site, definition: ast.FunctionDef, before: int) -> None:
        self.site = site
        self.definition = definition
        self.before = before
        self.outer = {**function.__globals__, **_closure(function)}
        code = function.__code__
        self.local = {*code.co_varnames, *code.co_cellvars}
        assigned = {n.id for n in ast.walk(definition) if isinstance(n, ast.Name) and not isinstance(n.ctx, ast.Load)}
        self.views = {name: view for name, view in site.views.items() if name not in assigned}
        self.used: set[tuple[str, str]] = set()

    def run(self) -> None:
        """Looks at every statement."""
        d = self.definition
        if d.args.vararg or d.args.kwarg:
            self.refuse(d, "`*args` and `**kwargs` cannot be compiled: name the parameters")
        if any(default is None for default in d.args.kw_defaults):
            self.refuse(d, "a parameter given by name only needs a default in compiled code")
        for node in [*d.args.defaults, *(default for default in d.args.kw_defaults if default), *d.body]:
            self.visit(node)

    def refuse(self, node: ast.AST, reason: str) -> None:
        """Ends the walk."""
        line = self.before + getattr(node, "lineno", self.definition.lineno)
        raise StrategyCompileError(self.site.file, line, self.site.where, reason)

    def generic_visit(self, node: ast.AST) -> None:
        reason = ALLOCATES.get(type(node)) or STATEMENTS.get(type(node))
        if reason:
            self.refuse(node, reason)
        super().generic_visit(node)

    def visit_AnnAssign(self, node: ast.AnnAssign) -> None:
        """An annotation is no code."""
        self.visit(node.target)
        if node.value:
            self.visit(node.value)

    def visit_Expr(self, node: ast.Expr) -> None:
        """A text that stands alone is a comment."""
        if not (isinstance(node.value, ast.Constant) and isinstance(node.value.value, str)):
            self.visit(node.value)

    def visit_Raise(self, node: ast.Raise) -> None:
        """What an exception says may be a text."""
        if isinstance(node.exc, ast.Call) and all(isinstance(a, ast.Constant) for a in node.exc.args):
            return
        if node.exc is not None and not isinstance(node.exc, ast.Name):
            self.refuse(node, "an exception can say nothing but constant text in compiled code")

    def visit_Assert(self, node: ast.Assert) -> None:
        """So may what an assertion says."""
        self.visit(node.test)
        if node.msg is not None and not isinstance(node.msg, ast.Constant):
            self.refuse(node, "an assertion can say nothing but constant text in compiled code")

    def visit_ExceptHandler(self, node: ast.ExceptHandler) -> None:
        """numba tells no exceptions apart."""
        if node.name or not (node.type is None or (isinstance(node.type, ast.Name) and node.type.id == "Exception")):
            self.refuse(node, "compiled code does not tell exceptions apart: write `except Exception:`")
        for statement in node.body:
            self.visit(statement)

    def visit_Constant(self, node: ast.Constant) -> None:
        """Numbers of 64 bits, and None."""
        value = node.value
        if isinstance(value, int) and value not in INT64:
            self.refuse(node, f"{value} has more than the 63 bits of compiled integers")
        if isinstance(value, str | bytes):
            self.refuse(node, "a text cannot be compiled: handlers compute with numbers")
        if isinstance(value, complex):
            self.refuse(node, "a complex number cannot be compiled")

    def visit_Name(self, node: ast.Name) -> None:
        """A name that is not local is a constant, a function or a module."""
        if node.id in self.local or not isinstance(node.ctx, ast.Load):
            return
        if node.id in self.outer:
            reason = refusal(node.id, self.outer[node.id], self.site.packages)
            if reason:
                self.refuse(node, reason)
        elif node.id == "print":
            self.refuse(node, NO_OUTPUT)
        elif hasattr(builtins, node.id):
            if node.id not in BUILTINS and node.id not in ("True", "False", "None"):
                self.refuse(node, f"{node.id} cannot be compiled{_instead(node.id)}")
        else:
            self.refuse(node, f"the name {node.id!r} is not defined{nearest(node.id, [*self.local, *self.outer])}")

    def visit_Call(self, node: ast.Call) -> None:
        """Some functions take less than they do in Python."""
        name = ast.unparse(node.func)
        if name in BUILTINS and name not in self.local | self.outer.keys() and node.keywords:
            self.refuse(node, f"{name} takes no arguments by name in compiled code")
        if name in ("round", "int", "sum", "math.log") and len(node.args) > 1:
            self.refuse(node, f"{name} takes one argument in compiled code")
        self.generic_visit(node)

    def visit_Attribute(self, node: ast.Attribute) -> None:
        """An attribute of what the handler was given, or of a module."""
        if isinstance(node.value, ast.Name):
            name = node.value.id
            if name in self.views:
                self.check_view(self.views[name], node)
                return
            if name not in self.local and isinstance(module := self.outer.get(name), ModuleType):
                self.check_module(name, module, node)
                return
        self.visit(node.value)

    def check_view(self, view: View, node: ast.Attribute) -> None:
        """An attribute of a view is there, and assigned only if it is declared state."""
        name = node.attr
        stored = isinstance(node.ctx, ast.Store)
        if stored and not view.own:
            self.refuse(node, f"{view.name}.{name} cannot be assigned")
        if stored and name in view.arrays:
            self.refuse(node, f"{view.name}.{name} is an array, which keeps its length: assign to its elements")
        if stored and name not in view.cells:
            self.refuse(
                node, f"the attribute {name!r} is assigned but not declared; write `{name}: int = 0`, or float or bool,"
                f" in the class{nearest(name, view.cells)}",
            )  # fmt: skip
        if name in view.absent:
            self.refuse(node, f"{view.name}.{name} {view.absent[name]}")
        if name not in view.names:
            self.refuse(node, f"{view.name} has no attribute {name!r}{nearest(name, view.names)}")

    def check_module(self, name: str, module: ModuleType, node: ast.Attribute) -> None:
        """A module is there for its functions and constants."""
        self.used.add((name, node.attr))
        if module.__name__ == "math":
            if node.attr not in MATH:
                self.refuse(node, f"math.{node.attr} cannot be compiled{nearest(node.attr, MATH)}")
            return
        reason = refusal(name, module, self.site.packages)
        if not reason and not hasattr(module, node.attr):
            reason = f"{name} has no attribute {node.attr!r}{nearest(node.attr, vars(module))}"
        reason = reason or refusal(f"{name}.{node.attr}", getattr(module, node.attr), self.site.packages)
        if reason:
            self.refuse(node, reason)


def refusal(name: str, value: Any, packages: frozenset[str]) -> str:
    """Why compiled code cannot use the value of a global name; empty when it can.

    Args:
        name: What the code calls it.
        value: What it is.
        packages: The top-level packages of the strategy and its bases.
    """
    if constant(value) or (isinstance(value, type) and issubclass(value, (IntEnum, Exception))):
        return ""
    own = " and ".join(sorted(packages))
    if isinstance(value, FunctionType):
        if value.__module__.partition(".")[0] in packages:
            return ""
        return f"{name} is a function of {value.__module__}: only functions of {own} and of math are compiled too"
    if isinstance(value, ModuleType):
        if value.__name__ == "math" or value.__name__.partition(".")[0] in packages:
            return ""
        if value.__name__.partition(".")[0] == "logging":
            return NO_OUTPUT
        return f"the module {value.__name__} cannot be used in compiled code: only math and modules of {own} can"
    if type(value).__module__.partition(".")[0] in ("logging", "loguru"):
        return NO_OUTPUT
    if isinstance(value, int):
        return f"{name} is {value}, which has more than the 63 bits of compiled integers"
    return (
        f"{name} is of type {type(value).__name__}, which cannot be compiled: constants are numbers, enumerations of"
        " integers, and tuples of those"
    )


def constant(value: Any) -> bool:
    """Whether a value can stand in compiled code as it is."""
    if isinstance(value, tuple):
        return all(constant(item) for item in value)
    if isinstance(value, bool | float) and type(value) in (bool, float):
        return True
    return isinstance(value, int) and (type(value) is int or isinstance(value, IntEnum)) and int(value) in INT64


def _closure(function: FunctionType) -> dict[str, Any]:
    found = {}
    for name, cell in zip(function.__code__.co_freevars, function.__closure__ or (), strict=True):
        try:
            found[name] = cell.cell_contents
        except ValueError:  # not yet assigned
            continue
    return found


def _instead(name: str) -> str:
    instead = {
        "list": f": {INSTEAD}", "dict": f": {INSTEAD}", "set": f": {INSTEAD}", "tuple": ": write the elements",
        "sorted": ": compare the numbers themselves", "any": ": use a loop",
        "all": ": use a loop", "pow": ": use **", "super": ": call a method of another name",
        "str": ": handlers compute with numbers",
        "open": ": handlers do no input or output", "input": ": handlers do no input or output",
    }  # fmt: skip
    return instead.get(name, "")
