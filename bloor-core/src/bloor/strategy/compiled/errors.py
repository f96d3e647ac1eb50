"""What a handler does that compiled code cannot, said so that its author can change it."""

from __future__ import annotations

from bloor.errors import UsageError

__all__ = ["StrategyCompileError"]


class StrategyCompileError(UsageError):
    """A strategy that declares itself compiled and cannot be; ``str()`` says where, what, and what to do.

    Attributes:
        file: The source file; empty when it is not known.
        line: Line number from 1, or 0.
        where: ``Class.handler``, or the name of the function.
        reason: What is wrong and what to do.
    """

    def __init__(self, file: str, line: int, where: str, reason: str) -> None:
        super().__init__(file, line, where, reason)
        self.file = file
        self.line = line
        self.where = where
        self.reason = reason

    def __str__(self) -> str:
        place = f"{self.file}:{self.line}: " if self.file else ""
        return f"{place}{self.where}: {self.reason}"
