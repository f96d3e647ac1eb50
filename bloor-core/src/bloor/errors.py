"""Every exception bloor raises, as one tree.

::

    BloorError                       a message for a person: what was expected, what came, where, what to do
    ├── UsageError                   the caller asked for something that cannot be (exit code 2)
    │   ├── ConfigError              a configuration key or value; carries its path
    │   ├── PluginError              a plug-in that cannot be found, loaded or used; carries its origin
    │   ├── InputFileError           a file that cannot be read as what it should be; carries file and line
    │   └── StrategyCompileError     a strategy that declares itself compiled and cannot be; carries file and line
    ├── MoneyError                   a number that is not exact in the units asked for
    ├── ProtocolError                a conversation with a venue went wrong
    │   ├── LocalProtocolError       our side broke the rules
    │   └── RemoteProtocolError      the other side did
    │       └── AccessRefusedError   the venue does not let these keys in
    ├── JournalError                 the journal cannot be written or is corrupt
    └── RunError                     a run that began and could not go on (exit code 1)

Rejections, risk denials and sequence gaps are *events*, never exceptions. Messages never contain a secret.
"""

from __future__ import annotations

from difflib import get_close_matches
from typing import TYPE_CHECKING, ClassVar

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = [
    "AccessRefusedError",
    "BloorError",
    "ConfigError",
    "InputFileError",
    "JournalError",
    "LocalProtocolError",
    "MoneyError",
    "PluginError",
    "ProtocolError",
    "RemoteProtocolError",
    "RunError",
    "StrategyCompileError",
    "UsageError",
    "nearest",
]


def nearest(name: str, known: Iterable[str]) -> str:
    """The phrase ``; did you mean 'x'?`` for the known name most like ``name``, or an empty string."""
    close = get_close_matches(name, list(known), 1, cutoff=0.5)
    return f"; did you mean {close[0]!r}?" if close else ""


class BloorError(Exception):
    """Root of the tree. ``str()`` of any of them is fit to be shown to a person."""

    #: The exit code of a command that ends with this error.
    exit_code: ClassVar[int] = 1
    #: Whether the same call may succeed later.
    retryable: ClassVar[bool] = False


class UsageError(BloorError):
    """The request itself is wrong; nothing was started."""

    exit_code = 2


class ConfigError(UsageError):
    """A configuration key is unknown or its value is of the wrong type or range.

    Attributes:
        path: Dotted path of the key, e.g. ``strategy.momentum.lookback``.
        expected: What would have been right.
        got: What came, as text.
        source: Where it came from: a file, ``environment``, ``--set``.
    """

    def __init__(self, path: str, expected: str, got: str, source: str = "", hint: str = "") -> None:
        super().__init__(path, expected, got, source, hint)
        self.path = path
        self.expected = expected
        self.got = got
        self.source = source
        self.hint = hint

    def __str__(self) -> str:
        where = f" (from {self.source})" if self.source else ""
        return f"configuration: {self.path}{where}: expected {self.expected}, got {self.got}{self.hint}"


class PluginError(UsageError):
    """A plug-in cannot be found, loaded or used.

    Attributes:
        name: The name a user types.
        origin: ``distribution version (entry point)``, when known.
        cause: What went wrong.
    """

    def __init__(self, name: str, cause: str, origin: str = "", hint: str = "") -> None:
        super().__init__(name, cause, origin, hint)
        self.name = name
        self.cause = cause
        self.origin = origin
        self.hint = hint

    def __str__(self) -> str:
        origin = f" from {self.origin}" if self.origin else ""
        return f"plug-in {self.name!r}{origin}: {self.cause}{self.hint}"


class InputFileError(UsageError):
    """A file cannot be opened or does not hold what it should.

    Attributes:
        file: The path as given.
        line: Line number from 1, or None for the whole file.
        reason: What was expected and what came.
    """

    def __init__(self, file: str, reason: str, line: int | None = None) -> None:
        super().__init__(file, reason, line)
        self.file = file
        self.line = line
        self.reason = reason

    def __str__(self) -> str:
        where = self.file if self.line is None else f"{self.file}:{self.line}"
        return f"{where}: {self.reason}"


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


class KernelError(BloorError):
    """Kernels that are not in the part of Python that numba compiles; says which file, and numba's reason."""


class MoneyError(BloorError):
    """A price or quantity is not a number, is not exact in the units asked for, or does not fit 63 bits."""


class ProtocolError(BloorError):
    """A conversation with a venue went wrong."""


class LocalProtocolError(ProtocolError):
    """Our side tried something the protocol does not allow in the present state."""


class RemoteProtocolError(ProtocolError):
    """The venue sent something the protocol does not allow."""


class AccessRefusedError(RemoteProtocolError):
    """The venue does not let these keys in: asking again would not help, and a run ends with it."""


class JournalError(BloorError):
    """The journal cannot be written, or what it holds is corrupt."""


class RunError(BloorError):
    """A run that had begun could not go on."""
