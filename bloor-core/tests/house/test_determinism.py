"""What decides has no clock and no chance of its own: time comes in the events, so a replay decides the same."""

from __future__ import annotations

import ast
from collections.abc import Iterator

import pytest

DECIDING = (
    "bloor.engine",
    "bloor.execution",
    "bloor.market",
    "bloor.model",
    "bloor.risk",
    "bloor.strategy",
    "bloor_risk",
    "bloor_strategies",
)

#: A module of a venue package that says so of itself is held to the same rules.
SANS_IO = "sans I/O"

FORBIDDEN = {
    "time.time",
    "time.time_ns",
    "time.monotonic",
    "time.monotonic_ns",
    "time.perf_counter",
    "time.perf_counter_ns",
    "time.clock_gettime",
    "time.clock_gettime_ns",
    "time.sleep",
    "datetime.datetime.now",
    "datetime.datetime.today",
    "datetime.datetime.utcnow",
    "datetime.date.today",
    "os.urandom",
    "uuid.uuid1",
    "uuid.uuid4",
}

#: Generators that repeat themselves when they are given a seed; only a call without one is chance.
SEEDED = {"random.Random", "numpy.random.default_rng", "numpy.random.Generator"}


#: Module and name of what is allowed all the same.
ALLOWED = {
    ("bloor.market.kernels", "time.perf_counter"),  # how long compiling took, said before the first event is read
}


def dotted(node: ast.AST, known: dict[str, str]) -> str:
    """The full dotted name of an expression such as ``np.random.rand``, given what the module's names mean."""
    if isinstance(node, ast.Attribute):
        return f"{dotted(node.value, known)}.{node.attr}"
    return known.get(node.id, "") if isinstance(node, ast.Name) else ""


def meanings(tree: ast.Module) -> dict[str, str]:
    """What the names that a module imports stand for."""
    known: dict[str, str] = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for alias in node.names:
                top = alias.name.split(".")[0]
                known[alias.asname or top] = alias.name if alias.asname else top
        elif isinstance(node, ast.ImportFrom):
            known |= {alias.asname or alias.name: f"{node.module}.{alias.name}" for alias in node.names}
    return known


def lapses(tree: ast.AST, known: dict[str, str] | None = None) -> Iterator[tuple[ast.AST, str]]:
    """Every use of a clock or of chance."""
    known = meanings(tree) if known is None and isinstance(tree, ast.Module) else known or {}
    for node in ast.iter_child_nodes(tree):
        called = node.func if isinstance(node, ast.Call) and not node.args else None
        name = dotted(called or node, known)
        if name in SEEDED and called is None:
            continue
        if name in FORBIDDEN | SEEDED or name.startswith(("random.", "secrets.", "numpy.random.")):
            yield node, name
        else:
            yield from lapses(node, known)


def test_the_deciding_rooms_have_no_clock_and_no_chance(sources):
    """Replaying a journal gives the same decisions to the bit only if nothing else flows in."""
    found = [
        source.at(node, name)
        for source in sources
        if f"{source.name}.".startswith(tuple(f"{room}." for room in DECIDING)) or SANS_IO in source.docstring
        for node, name in lapses(source.tree)
        if (source.name, name) not in ALLOWED
    ]
    assert not found, "\n".join(found)


@pytest.mark.parametrize(
    "text",
    [
        "import time\ntime.time()",
        "import time as t\nt.monotonic_ns()",
        "from time import perf_counter_ns as now\nnow()",
        "from datetime import datetime\ndatetime.now()",
        "import datetime\ndatetime.datetime.now()",
        "import numpy as np\nnp.random.rand()",
        "import random\nrandom.random()",
        "from random import Random\nRandom()",
        "from random import gauss as noise\nx = [noise(0, 1)]",
        "from uuid import uuid4\nuuid4()",
    ],
)
def test_the_rule_sees_every_spelling(text):
    """A rule that misses an alias is no rule."""
    assert list(lapses(ast.parse(text)))


@pytest.mark.parametrize(
    "text", ["def f(time): return time.time()", "from datetime import datetime\ndatetime(1, 1, 1)"]
)
def test_the_rule_leaves_others_alone(text):
    """A field called time is no clock, and a seed is no chance."""
    assert not list(lapses(ast.parse(text)))
