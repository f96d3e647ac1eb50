"""The kernels of a backtest, compiled: once a process, kept on disk.

They are three parts that call each other by address, since a function costs its compilation once more in each that it
is called from.
"""

from __future__ import annotations

from functools import cache

from bloor.backtesting import (
    advance,
    agenda,
    annotate,
    answers,
    arriving,
    deep,
    gather,
    layout,
    levels,
    looking,
    matching,
    messages,
    ordered,
    recorded,
    requests,
    resting,
    sight,
    steps,
    takes,
    telling,
    visiting,
    within,
)
from bloor.backtesting.models import fee_kernel
from bloor.backtesting.python import kernel as python_kernel
from bloor.market import bars_kernel, ladder
from bloor.native.entries import Entries, compiled_entries
from bloor.risk import kernel as gate_kernel

__all__ = [
    "annotating",
    "answering",
    "asking",
    "calling",
    "deepening",
    "stepping",
    "surveying",
    "venue",
]


@cache
def annotating() -> Entries:
    """What annotates the venue's side: :mod:`bloor.backtesting.gather` and :mod:`bloor.backtesting.annotate`."""
    entries = (("gather", 4), ("annotate", 4), ("carry_over", 4), ("list_changes", 4))
    return compiled_entries("backtest-annotate", (layout, gather, ladder, levels, annotate), entries)


@cache
def venue(*, by_order: bool = False) -> Entries:
    """``advance`` of :mod:`bloor.backtesting.advance`.

    Args:
        by_order: For queue models that ask for order-level data: with :mod:`bloor.backtesting.ordered`.
    """
    before = (layout, ladder, levels, messages, takes, fee_kernel, within, resting, arriving, matching, visiting)
    if not by_order:
        return compiled_entries("backtest-venue", (*before, advance), (("advance", 4),))
    stand_ins = (("note_best", ordered.note_newest), ("visit_rows", ordered.visit_orders))
    return compiled_entries("backtest-venue-by-order", (*before, ordered, advance), (("advance", 4),), stand_ins)


@cache
def answering() -> Entries:
    """``recorded`` of :mod:`bloor.backtesting.recorded`."""
    return compiled_entries("backtest-recorded", (layout, messages, recorded), (("recorded", 4),))


@cache
def asking() -> Entries:
    """What strategies call, of :mod:`bloor.backtesting.requests`."""
    modules = (layout, messages, gate_kernel, requests)
    entries = (("place", 6), ("cancel", 4), ("cancel_all", 4), ("replace", 4), ("amend", 4))
    return compiled_entries("backtest-requests", modules, entries)


@cache
def stepping() -> Entries:
    """``run``, ``collect`` and ``stop`` of :mod:`bloor.backtesting.steps`."""
    modules = (
        layout, ladder, messages, gate_kernel, bars_kernel, requests, deep, sight, telling, answers, agenda, steps
    )  # fmt: skip
    return compiled_entries("backtest-steps", modules, (("run", 4), ("collect", 4), ("stop", 4)))


@cache
def calling() -> Entries:
    """How ordinary Python is called, and what it asks for: :mod:`bloor.backtesting.python.kernel`."""
    return compiled_entries("backtest-python", (layout, python_kernel), (("invoke", 5), ("ask", 3)))


@cache
def deepening() -> Entries:
    """``apply_rows`` and ``move_far`` of :mod:`bloor.backtesting.deep`."""
    return compiled_entries("backtest-deep", (layout, ladder, messages, deep), (("apply_rows", 2), ("move_far", 4)))


@cache
def surveying() -> Entries:
    """``look`` of :mod:`bloor.backtesting.looking`."""
    return compiled_entries("backtest-survey", (layout, looking), (("look", 4),))
