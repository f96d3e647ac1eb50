"""How work goes, as one line that changes: on stderr, or in the output of a notebook's cell."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from decimal import Decimal
from importlib import import_module
from typing import Any

from bloor.host.run import Progress

__all__ = ["Told", "looked_at"]


def looked_at() -> bool:
    """Whether there is a person who would see it: a terminal, or a notebook."""
    return sys.stderr.isatty() or in_notebook()


def in_notebook() -> bool:
    """Whether this program is the kernel of a notebook."""
    return "ipykernel" in sys.modules and "IPython" in sys.modules


class Told(Progress):
    """What work tells of itself, shown by the thread that waits for it.

    Attributes:
        hand_on: Given the function that stops the work.
    """

    def __init__(self, *, shown: bool) -> None:
        self.hand_on: Callable[[Callable[[], object]], None] = lambda _: None
        self._shown = shown
        self._text = ""
        self._line = _CellLine() if in_notebook() else _StderrLine()

    def stoppable(self, stop: Callable[[], object]) -> None:
        """The work can be ended in order from now on."""
        self.hand_on(stop)

    def step(self, text: str) -> None:
        """Something that may take a while begins."""
        self._text = text

    def status(self, status: Mapping[str, Any]) -> None:
        """How a run goes."""
        of = "" if status["duration_s"] is None else f" of {status['duration_s']:.0f}"
        self._text = (
            f"{status['elapsed_s']:.0f}{of} s, {status['frames']:,} frames, {status['fills']:,} fills, "
            f"P&L net {Decimal(status['pnl_net']):,.4f} {status['currency']}"
        )

    def recorded(self, state: Mapping[str, Any]) -> None:
        """How a recording goes."""
        self._text = f"{state['duration_s']:.0f} s, {state['frames']:,} frames, {state['gaps']} gaps"

    def show(self) -> None:
        """Shows how it goes now."""
        if self._shown and self._text:
            self._line.write(self._text)

    def done(self) -> None:
        """Takes the line away."""
        if self._shown:
            self._line.write("")


class _StderrLine:
    """A line on stderr that is written over."""

    def __init__(self) -> None:
        self._last = ""

    def write(self, text: str) -> None:
        """Shows another text; an empty one leaves an empty line."""
        if text != self._last:
            sys.stderr.write(f"\r{text.ljust(len(self._last))}" + ("" if text else "\r"))
            sys.stderr.flush()
            self._last = text


class _CellLine:
    """One output of a notebook's cell that is replaced, so that a saved notebook holds one line and not hundreds."""

    def __init__(self) -> None:
        self._handle: Any = None
        self._last = ""

    def write(self, text: str) -> None:
        """Shows another text."""
        if text == self._last:
            return
        shown = {"text/plain": text}
        if self._handle is None:
            # IPython is nobody's requirement here; who runs in its kernel has it
            self._handle = import_module("IPython.display").display(shown, raw=True, display_id=True)
        else:
            self._handle.update(shown, raw=True)
        self._last = text
