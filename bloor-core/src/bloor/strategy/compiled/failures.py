"""What numba says of a function, said to its author: file, line, handler, and the reason in one sentence."""

from __future__ import annotations

import re
from collections.abc import Iterator

from bloor.errors import StrategyCompileError
from bloor.strategy.compiled.typing import BEGIN, END

__all__ = ["failure"]


def failure(error: BaseException, file: str, line: int, where: str) -> StrategyCompileError:
    """The error of ours for one of numba's.

    Args:
        error: What numba raised when it compiled one function.
        file: The file of the function.
        line: Its first line, for errors without a line of their own.
        where: What the function is called in messages.
    """
    chain = list(_chain(error))
    finished = re.search(f"{BEGIN}(.*?){END}", "".join(str(each) for each in chain), re.DOTALL)
    lines = [loc.line for each in chain if (loc := getattr(each, "loc", None)) is not None and loc.filename == file]
    reason = finished[1] if finished else _sentence(str(getattr(chain[-1], "msg", chain[-1])) or repr(chain[-1]))
    return StrategyCompileError(file, lines[-1] if lines else line, where, reason)


def _chain(error: BaseException | None) -> Iterator[BaseException]:
    """The exception and its causes, the outermost first."""
    while error is not None:
        yield error
        error = error.__cause__ or error.__context__


def _sentence(text: str) -> str:
    """One of numba's messages in a sentence."""
    plain = re.sub(r"\x1b\[[0-9;]*m", "", text)
    call = re.search(r">>> (\w+)\((.*)\)", plain)
    if call:
        return f"{call[1]}({_in_words(call[2])}) has no compiled form"
    mixed = re.search(r"Cannot unify (.+?) and (.+?) for '([\w$]+)", plain)
    if mixed:
        return f"{mixed[3]!r} is given {_in_words(mixed[1])} in one place and {_in_words(mixed[2])} in another"
    lines = [line.strip() for line in plain.splitlines()]
    told = [line for line in lines if line and not line.startswith(("Failed in ", "During: ", "There are "))]
    return f"cannot be compiled: {' '.join(told[:2])[:300]}"


def _in_words(kinds: str) -> str:
    """Names of numba's types as Python says them."""
    words = re.sub(r"#\d+", "", kinds)
    words = re.sub(r"Literal\[(\w+)\]\([^)]*\)", r"\1", words)
    for numba_name, name in (("unicode_type", "str"), ("int64", "int"), ("float64", "float"), ("boolean", "bool")):
        words = re.sub(rf"\b{numba_name}\b", name, words)
    return words
