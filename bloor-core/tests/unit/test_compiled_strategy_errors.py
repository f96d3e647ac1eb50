"""What compiled code cannot do is refused with file, line, handler and what to do instead."""

from __future__ import annotations

import importlib.util
import sys
from collections.abc import Iterator
from itertools import count
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from bloor.errors import StrategyCompileError, UsageError
from bloor.strategy.compiled.handlers import compile_handlers
from bloor.strategy.memory import in_memory

HEAD = """
from __future__ import annotations
import logging
import math
import os.path
from bloor.errors import nearest
from bloor.strategy.api import Strategy
from bloor.strategy.arrays import Array, array
logger = logging.getLogger("x")
SIZES = [1, 2]
HUGE = 1 << 80

class Mine(Strategy):
    compiled = True
    name = "mine"
    level: int = 100
    mean: float = 0.0
    is_open: bool = False
    window: Array[int] = array(8)
"""
NAMES = count()


@pytest.fixture
def module(tmp_path: Path) -> Iterator[Any]:
    """Makes a module of text; its name is new each time."""
    made = []

    def load(text: str) -> ModuleType:
        name = f"refused{next(NAMES)}"
        file = tmp_path / f"{name}.py"
        file.write_text(text, encoding="utf-8")
        spec = importlib.util.spec_from_file_location(name, file)
        assert spec is not None and spec.loader is not None
        module = sys.modules[name] = importlib.util.module_from_spec(spec)
        made.append(name)
        spec.loader.exec_module(module)
        return module

    yield load
    for name in made:
        del sys.modules[name]


def indented(body: str) -> str:
    """The lines of a handler or of a class body."""
    return "\n".join(f"    {line}" for line in body.splitlines())


def check(module: Any, text: str, where: str, reason: str) -> None:
    """The class ``Mine`` of this text is refused at the line that ends with ``# here``."""
    line = next(n for n, each in enumerate(text.splitlines(), 1) if each.endswith("# here"))
    loaded = module(text)
    with pytest.raises(StrategyCompileError) as caught:
        compile_handlers(loaded.Mine)
    assert str(caught.value) == f"{loaded.__file__}:{line}: Mine.{where}: {reason}"
    assert caught.value.exit_code == 2


LOGS = "compiled handlers cannot print or log: count in an attribute, or leave out `compiled = True`"
TUPLES = "use tuples, declared attributes and arrays"
UNDECLARED = (
    "the attribute 'levle' is assigned but not declared; write `levle: int = 0`, or float or bool, in the class; "
    "did you mean 'level'?"
)
A_LIST = (
    "SIZES is of type list, which cannot be compiled: constants are numbers, enumerations of integers, and tuples of "
    "those"
)
UNSET = "'y' may be used before it is assigned: give it a value at the beginning"
MIXED = "'x' is given book in one place and int in another"
IN_SOURCE = [
    ("self.level = book.best_bit", "book has no attribute 'best_bit'; did you mean 'best_bid'?"),
    ("self.levle = 1", UNDECLARED),
    ("self.level = self.levle", "Mine has no attribute 'levle'; did you mean 'level'?"),
    ("book.best_bid = 1", "book.best_bid cannot be assigned"),
    ("x = [1, 2]", f"a list cannot be compiled: {TUPLES}"),
    ("x = {1: 2}", f"a dict cannot be compiled: {TUPLES}"),
    ("x = {1, 2}", f"a set cannot be compiled: {TUPLES}"),
    ("x = [i for i in range(3)]", f"a list comprehension cannot be compiled: {TUPLES}, or a loop"),
    ("x = {i: i for i in range(3)}", f"a dict comprehension cannot be compiled: {TUPLES}, or a loop"),
    ("x = max(i for i in range(3))", "a generator cannot be compiled: use a loop"),
    ("x = 'text'", "a text cannot be compiled: handlers compute with numbers"),
    ("x = f'{self.level}'", "a text cannot be compiled: handlers compute with numbers"),
    ("x = list((1, 2))", f"list cannot be compiled: {TUPLES}"),
    ("x = str(1)", "str cannot be compiled: handlers compute with numbers"),
    ("x = dict()", f"dict cannot be compiled: {TUPLES}"),
    ("x = sum(self.window, 1)", "sum takes one argument in compiled code"),
    ("self.window = 1", "Mine.window is an array, which keeps its length: assign to its elements"),
    ("self.window += 1", "Mine.window is an array, which keeps its length: assign to its elements"),
    ("x = self.windwo[0]", "Mine has no attribute 'windwo'; did you mean 'window'?"),
    ("x = isinstance(1, int)", "isinstance cannot be compiled"),
    ("print(self.level)", LOGS),
    ("logging.info('x')", LOGS),
    ("logger.info('x')", LOGS),
    ("x = SIZES[0]", A_LIST),
    ("x = HUGE", "HUGE is 1208925819614629174706176, which has more than the 63 bits of compiled integers"),
    ("x = 9223372036854775808", "9223372036854775808 has more than the 63 bits of compiled integers"),
    ("x = zzz", "the name 'zzz' is not defined"),
    ("x = round(1.25, 1)", "round takes one argument in compiled code"),
    ("x = max(1, 2, key=abs)", "max takes no arguments by name in compiled code"),
    ("x = math.gamma(2.0)", "math.gamma cannot be compiled"),
    ("x = os.path.sep", "the module os cannot be used in compiled code: only math and modules of PACKAGE can"),
    ("x = nearest", "nearest is a function of bloor.errors: only functions of PACKAGE and of math are compiled too"),
    ("x = lambda: 1", "a lambda cannot be compiled: make it a method, or a function of the module"),
    ("import math", "an import inside a handler cannot be compiled: import at the top of the file"),
    ("global SIZES", "a global variable cannot be assigned in compiled code: declare an attribute of the class"),
    ("if (y := 2) > 1: x = y", "`:=` cannot be compiled: assign in a line of its own"),
    ("del x", "`del` cannot be compiled"),
    ("raise ValueError(self.level)", "an exception can say nothing but constant text in compiled code"),
    ("x = self.name", "Mine.name is of type str, which cannot be compiled"),
]  # fmt: skip


@pytest.mark.parametrize(("body", "reason"), IN_SOURCE, ids=[body for body, _ in IN_SOURCE])
def test_seen_in_the_source(module: Any, body: str, reason: str) -> None:
    """What Python's grammar shows is said in the words of the author."""
    text = HEAD + indented(f"def on_book(self, book, orders):\n    x = 0\n    {body}  # here")
    name = f"refused{next(NAMES) + 1}"
    check(module, text, "on_book", reason.replace("PACKAGE", name))


BY_TYPE = [
    ("self.level = 1.5 * book.best_bid", "Mine.level is declared int, but a float is assigned to it"),
    ("self.level = self.is_open", "Mine.level is declared int, but a bool is assigned to it"),
    ("self.is_open = 1", "Mine.is_open is declared bool, but an int is assigned to it"),
    ("self.mean = self.is_open", "Mine.mean is declared float, but a bool is assigned to it"),
    ("orders.buy(1.5, 2)", "orders.buy: expected price as an int (ticks), got a float"),
    ("orders.sell(1, book)", "orders.sell: expected lots as an int (lots), got the book"),
    ("orders.buy(1, 2, ioc=1)", "orders.buy: expected ioc as True or False, got an int"),
    ("orders.buy(1)", "orders.buy needs (price, lots): lots is missing"),
    ("orders.buy(1, 2, True)", "orders.buy takes 2 arguments, got 3; write post_only=... and ioc=... by name"),
    ("orders.buy(1, 2, iok=True)", "orders.buy has no argument 'iok'; did you mean 'ioc'?"),
    ("orders.cancel(None)", "orders.cancel: expected number as an int, got None"),
    ("x = book\n    self.level = x.best_bit", "book has no attribute 'best_bit'; did you mean 'best_bid'?"),
    ("if book.best_bid:\n        y = 1\n    self.level = y", UNSET),
    ("x = book + 1", "add(book, int) has no compiled form"),
    ("orders.replace(1, 2)", "orders.replace needs (number, price, lots): lots is missing"),
    ("orders.amend(1, 2.5)", "orders.amend: expected lots as an int (lots), got a float"),
    ("x = book.size_at(1.5, 3)", "book.size_at: expected side as an int (Side.BUY or Side.SELL), got a float"),
    ("x = book.level(1)", "book.level needs (side, n): n is missing"),
    ("orders.of(1.5).cancel_all()", "orders.of: expected leg as an int, got a float"),
    ("x = orders.of(1).by(1, 2)", "orders has no attribute 'by'; did you mean 'buy'?"),
    ("x = orders.of(1).book.best_bit", "book has no attribute 'best_bit'; did you mean 'best_bid'?"),
    ("orders.of(1).book.best_bid = 1", "book.best_bid cannot be assigned"),
    ("self.level = orders.of(1)", "Mine.level is declared int, but the orders is assigned to it"),
    ("self.level = orders.book", "Mine.level is declared int, but the book is assigned to it"),
    ("self.window[0] = 1.5", "the elements of this array are int, but a float is assigned to one"),
    ("self.window[0] = True", "the elements of this array are int, but a bool is assigned to one"),
    ("x = self.window[0:2]", "an array is indexed by an int in compiled code, got a slice"),
    ("x = self.window[self.mean]", "an array is indexed by an int in compiled code, got a float"),
    ("x = self.window + 1", "add(array of 8 int, int) has no compiled form"),
    ("x = sum((1, 2))", "sum: expected an array, got a tuple: add in a loop"),
    ("self.level = self.window", "Mine.level is declared int, but an array is assigned to it"),
]  # fmt: skip


@pytest.mark.parametrize(("body", "reason"), BY_TYPE, ids=[body.splitlines()[-1].strip() for body, _ in BY_TYPE])
def test_seen_by_type(module: Any, body: str, reason: str) -> None:
    """What only types show is said as clearly, with the line."""
    text = HEAD + indented(f"def on_book(self, book, orders):\n    {body}  # here")
    check(module, text, "on_book", reason)


def test_a_name_of_two_kinds_in_a_loop(module: Any) -> None:
    """Which line of the loop is named depends on the interpreter's byte code."""
    body = "def on_book(self, book, orders):\n    x = book\n    for i in range(3):\n        x = i\n    self.level = x"
    loaded = module(HEAD + indented(body))
    with pytest.raises(StrategyCompileError) as caught:
        compile_handlers(loaded.Mine)
    assert str(caught.value).endswith(f": Mine.on_book: {MIXED}")
    first = len(HEAD.splitlines()) + 1
    assert first <= caught.value.line <= first + 4


def test_in_a_method_that_a_handler_calls(module: Any) -> None:
    """The innermost function is named."""
    text = HEAD + indented(
        "def on_book(self, book, orders):\n    self.deep(orders)\n"
        "def deep(self, way):\n    way.buy(1, 2.5)  # here"
    )  # fmt: skip
    check(module, text, "deep", "orders.buy: expected lots as an int (lots), got a float")


def test_parameters_of_a_handler(module: Any) -> None:
    """A handler takes what it is given."""
    text = HEAD + indented("def on_book(self, book):  # here\n    pass")
    check(module, text, "on_book", "expected the parameters (self, book, orders), got (self, book)")


def test_a_text_of_a_fill(module: Any) -> None:
    """A fill is its numbers."""
    text = HEAD + indented("def on_fill(self, fill, book, orders):\n    x = fill.fee  # here")
    reason = "fill.fee is a decimal, which compiled code does not have; use the numbers of the fill, or leave out"
    check(module, text, "on_fill", f"{reason} `compiled = True`")


@pytest.mark.parametrize(("declared", "said"), [("list", "list"), ("str", "str"), ("dict[str, int]", "dict[str, int]")])
def test_attributes_without_a_cell(module: Any, declared: str, said: str) -> None:
    """State is numbers, and the class is refused before anything is made of it."""
    loaded = module(HEAD + f"    queue: {declared} = None  # here\n")
    line = HEAD.count("\n") + 1
    with pytest.raises(UsageError) as caught:
        in_memory(loaded.Mine)
    assert str(caught.value) == (
        f"{loaded.__file__}:{line}: Mine.queue: expected an attribute of type int, float, bool or Array, got {said}: "
        "compiled code holds nothing else; change it, or leave out `compiled = True`"
    )


EXAMPLE = "write `queue: Array[float] = array(64)`"
ARRAYS = [
    ("queue: Array[str] = array(3)", f"expected Array[int], Array[float] or Array[bool], got Array[str]: {EXAMPLE}"),
    ("queue: Array = array(3)", f"expected Array[int], Array[float] or Array[bool], got Array: {EXAMPLE}"),
    ("queue: int = array(3)", f"expected Array[int], Array[float] or Array[bool], got int: {EXAMPLE}"),
    ("queue = array(3)", f"expected Array[int], Array[float] or Array[bool], got no annotation: {EXAMPLE}"),
    ("queue: Array[int]", "expected its length, as `queue: Array[int] = array(64)`, got nothing"),
    ("queue: Array[int] = (1, 2)", "expected its length, as `queue: Array[int] = array(64)`, got (1, 2)"),
    ("queue: Array[int] = array(0)", "expected a length of 1 to 65536 elements, got 0"),
    ("queue: Array[int] = array(2.5)", "expected a length of 1 to 65536 elements, got 2.5"),
]


@pytest.mark.parametrize(("declared", "reason"), ARRAYS, ids=[declared for declared, _ in ARRAYS])
def test_arrays_that_are_none(module: Any, declared: str, reason: str) -> None:
    """A declaration that is not complete is refused in both forms, with its line."""
    loaded = module(HEAD + f"    {declared}\n")
    for make in (in_memory, compile_handlers, lambda cls: cls()):
        with pytest.raises(UsageError) as caught:
            make(loaded.Mine)
        assert str(caught.value) == f"{loaded.__file__}:{HEAD.count(chr(10)) + 1}: Mine.queue: {reason}"
