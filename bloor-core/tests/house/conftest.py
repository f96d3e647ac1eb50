"""The sources of all six distributions, parsed once."""

from __future__ import annotations

import ast
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[3]


@dataclass(frozen=True)
class Source:
    """One module of one distribution."""

    path: Path
    #: Its dotted name, e.g. ``bloor.market.events``; a package goes by its own name.
    name: str
    text: str
    tree: ast.Module

    @property
    def docstring(self) -> str:
        return ast.get_docstring(self.tree) or ""

    def at(self, node: ast.AST, what: str) -> str:
        """A complaint about a line, in the form that editors jump to."""
        return f"{self.path.relative_to(ROOT)}:{getattr(node, 'lineno', 1)}: {what}"


def read(path: Path, src: Path) -> Source:
    parts = path.relative_to(src).with_suffix("").parts
    text = path.read_text(encoding="utf-8")
    return Source(path, ".".join(parts[:-1] if parts[-1] == "__init__" else parts), text, ast.parse(text))


@pytest.fixture(scope="session")
def root() -> Path:
    """The top of the checkout; in an unpacked sdist, which is only one distribution, these tests are skipped."""
    if not (ROOT / "noxfile.py").exists():
        pytest.skip("the house is kept in a checkout of the whole project")
    return ROOT


@pytest.fixture(scope="session")
def distributions(root: Path) -> list[Path]:
    """The folders of the distributions, the core first."""
    return sorted(root.glob("bloor-*"), key=lambda folder: (folder.name != "bloor-core", folder.name))


@pytest.fixture(scope="session")
def sources(distributions: list[Path]) -> list[Source]:
    """Every module of every distribution; templates of packages that are still to be made are not among them."""
    paths = [(path, folder / "src") for folder in distributions for path in sorted((folder / "src").rglob("*.py"))]
    return [read(path, src) for path, src in paths if "templates" not in path.parts]
