"""What every command shares: how failures are shown, how options with several values are read, how output is written.

Exit codes: 0 success, 1 a failed run (or our own bug), 2 bad usage or bad input. A failure is one message on stderr and
never a traceback; stdout then holds no document.
"""

from __future__ import annotations

import os
import sys
import tempfile
import traceback
from collections.abc import Iterable, Sequence
from typing import Any, ClassVar

import typer
from typer.core import TyperCommand, TyperGroup

from bloor.errors import BloorError

__all__ = ["ManyValues", "Shell", "example", "write_json"]


class Shell(TyperGroup):
    """The root of all commands: turns whatever ends a command into a message and an exit code."""

    def invoke(self, ctx: Any) -> Any:
        """Runs the command that was named."""
        try:
            return super().invoke(ctx)
        except BloorError as error:
            _say(f"error: {error}")
            raise typer.Exit(error.exit_code) from None
        except KeyboardInterrupt:
            _say("interrupted")
            raise typer.Exit(1) from None
        except BrokenPipeError:
            _close_stdout()
            raise typer.Exit(1) from None
        except OSError as error:
            # a full disk, a taken port, a missing permission: the machine's word, not a bug of ours
            _say(f"error: {error.filename}: {error.strerror}" if error.filename else f"error: {error}")
            raise typer.Exit(1) from None
        except Exception as error:
            # typer's own exceptions carry an exit code and are shown by typer
            if hasattr(error, "exit_code") or type(error).__name__ == "Abort":
                raise
            raise typer.Exit(_bug(error)) from None


class ManyValues(TyperCommand):
    """A command whose repeatable options also take several values at once: ``--data A B`` for ``--data A --data B``.

    Everything up to the next option belongs to such an option, so a command with arguments takes them first.
    """

    #: The options that take several values.
    many: ClassVar[tuple[str, ...]] = ("--data",)

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Parses the arguments after spreading them."""
        return super().parse_args(ctx, _spread(args, self.many))


def _spread(args: Iterable[str], many: Sequence[str]) -> list[str]:
    """``--data A B`` as ``--data A --data B``."""
    spread: list[str] = []
    current, values = "", 0
    for arg in args:
        if arg == "--":
            current = ""
        elif arg.startswith("-") and arg != "-":
            current, values = (arg if arg in many else ""), 0
            spread.append(arg)
            continue
        if current and values:
            spread.append(current)
        values += 1
        spread.append(arg)
    return spread


def example(*lines: str) -> str:
    """The end of a command's help: lines to try, kept as they are."""
    return "\b\nExample:\n" + "\n".join(f"  {line}" for line in lines)


def write_json(document: Any) -> None:
    """Writes one JSON document to stdout."""
    import orjson

    sys.stdout.buffer.write(orjson.dumps(document, option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE))
    sys.stdout.flush()


def _say(text: str) -> None:
    sys.stdout.flush()
    print(text, file=sys.stderr, flush=True)  # noqa: T201 (the one place that talks to a person)


def _bug(error: BaseException) -> int:
    """Reports an exception that nobody expected: the traceback goes to a private file."""
    handle, name = tempfile.mkstemp(prefix="bloor-bug-", suffix=".log")
    with os.fdopen(handle, "w", encoding="utf-8") as log:
        traceback.print_exception(error, file=log)
    _say(f"bug: {type(error).__name__}: {error}\nThis is a fault in bloor or in a plug-in. The details are in {name}")
    return 1


def _close_stdout() -> None:
    """Keeps the interpreter from complaining about a reader that is gone."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
