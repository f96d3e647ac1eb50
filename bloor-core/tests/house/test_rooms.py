"""Imports point one way: from the commands down to the vocabulary, and from plug-ins to the core."""

from __future__ import annotations

import ast
import graphlib
import sys
import tomllib
from collections.abc import Iterator
from importlib.metadata import packages_distributions

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

#: The rooms of the core, highest first; a room imports from its own row and from the rows below it.
ROWS = [
    {"cli", "api", "scaffold", "__main__"},
    {"host"},
    {"backtesting", "optimize", "observe", "simulation"},
    {"engine"},
    {"execution", "risk", "strategy"},
    {"storage"},
    {"market", "venue", "journal"},
    {"native"},
    {"hookspecs", "plugins", "config"},
    {"model"},
    {"errors"},
]
ROW = {room: number for number, row in enumerate(ROWS) for room in row}

#: Beside the rows: the published test kit, which may import anything and which nothing imports.
KIT = "testing"


def imports(tree: ast.AST) -> Iterator[tuple[ast.AST, str]]:
    """Every module that a module imports at run time, with the statement; names of ``from x import y`` as ``x.y``."""
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, ast.If) and ast.unparse(node.test) in ("TYPE_CHECKING", "typing.TYPE_CHECKING"):
            for other in node.orelse:
                yield from imports(other)
        elif isinstance(node, ast.Import):
            yield from ((node, alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"line {node.lineno}: a relative import"
            yield from ((node, f"{node.module}.{alias.name}") for alias in node.names)
        else:
            yield from imports(node)


def room(module: str) -> str:
    """The room of a module of the core; empty for ``bloor`` itself."""
    return module.partition(".")[2].partition(".")[0]


def test_every_room_of_the_core_has_a_row(sources):
    """A new room says where it stands before it imports anything."""
    rooms = {room(source.name) for source in sources if source.name.split(".")[0] == "bloor"}
    assert rooms - {"", KIT} <= set(ROW), f"no row for {sorted(rooms - {'', KIT} - set(ROW))}: see ROWS in {__file__}"


def test_rooms_import_downwards_only(sources):
    """What decides never depends on what runs it, so that every mode runs the same core."""
    against = []
    for source in sources:
        here = room(source.name)
        if source.name.split(".")[0] != "bloor" or here == KIT:
            continue
        for node, name in imports(source.tree):
            there = room(name) if name.split(".")[0] == "bloor" else ""
            if there in ROW and ROW[there] < ROW.get(here, len(ROWS)):
                against.append(source.at(node, f"bloor.{here} imports {name}, which is above it"))
    assert not against, "\n".join(against)


def test_no_two_rooms_need_each_other(sources):
    """Rooms of one row may import each other, but not in a circle."""
    needs: dict[str, set[str]] = {}
    for source in sources:
        here = room(source.name)
        if source.name.split(".")[0] == "bloor" and here in ROW:
            named = {room(name) for _, name in imports(source.tree) if name.split(".")[0] == "bloor"}
            needs.setdefault(here, set()).update(named & set(ROW) - {here})
    graphlib.TopologicalSorter(needs).prepare()


def test_only_tests_import_the_test_kit(sources):
    """The test kit depends on pytest, which no run may need."""
    against = [
        source.at(node, f"imports {name}")
        for source in sources
        for node, name in imports(source.tree)
        if f"{name}.".startswith(f"bloor.{KIT}.") and not source.name.startswith(f"bloor.{KIT}")
    ]
    assert not against, "\n".join(against)


def test_distributions_import_only_what_they_declare(sources, distributions):
    """A plug-in needs the core and its own requirements, and never another plug-in."""
    provides = packages_distributions()
    against = []
    for folder in distributions:
        project = tomllib.loads((folder / "pyproject.toml").read_text(encoding="utf-8"))["project"]
        extras = [requirement for extra in project.get("optional-dependencies", {}).values() for requirement in extra]
        declared = {canonicalize_name(Requirement(text).name) for text in [*project["dependencies"], *extras]}
        own = folder.name.replace("-", "_").removesuffix("_core")
        plugins = {other.name.replace("-", "_") for other in distributions} - {own, "bloor_core"}
        for source in sources:
            if not source.path.is_relative_to(folder):
                continue
            for node, name in imports(source.tree):
                top = name.split(".")[0]
                names = {canonicalize_name(distribution) for distribution in provides.get(top, [top])}
                if top in plugins:
                    against.append(source.at(node, f"a plug-in may not be imported: {name}"))
                elif top not in {own, "bloor"} | sys.stdlib_module_names and not names & declared:
                    against.append(source.at(node, f"{folder.name} does not declare {top}"))
    assert not against, "\n".join(dict.fromkeys(against))
