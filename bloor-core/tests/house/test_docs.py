"""The documentation is complete, its examples run and its links lead somewhere."""

from __future__ import annotations

import doctest
import re
import runpy
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[3]
PAGES = sorted([*ROOT.glob("docs/**/*.md"), *ROOT.glob("bloor-*/*.md"), *ROOT.glob("*.md")])
EXAMPLE = re.compile(r"^```pycon\n(.*?)^```$", re.MULTILINE | re.DOTALL)
LINK = re.compile(r"\]\((?!https?:|mailto:|#)([^)\s#]+)[^)]*\)")


def named(page: Path) -> str:
    """The page's path inside the project."""
    return str(page.relative_to(ROOT))


@pytest.fixture(scope="module")
def reference(root):
    """The generator of the reference pages."""
    return runpy.run_path(str(root / "docs" / "reference.py"))


@pytest.mark.parametrize("page", ["hooks.md", "cli.md", "python.md", "cards.md"])
def test_reference_pages_say_what_the_code_says(reference, root, page):
    """Every hook and every command is documented, with its exact signature."""
    written = (root / "docs" / "reference" / page).read_text(encoding="utf-8")
    stale = written != reference["PAGES"][page]()
    assert not stale, f"docs/reference/{page} is stale: python3 noxfile.py -s docs -- --write"


def test_the_page_on_hooks_has_every_hook(root):
    """The generator itself forgets none."""
    from bloor import hookspecs

    text = (root / "docs" / "reference" / "hooks.md").read_text(encoding="utf-8")
    hooks = [name for name, value in vars(hookspecs).items() if hasattr(value, "bloor_spec")]
    assert hooks
    assert not [name for name in hooks if f"### `{name}(" not in text]


def test_the_page_on_python_has_every_name_and_the_functions_every_option(root):
    """What a command can be told, its function can be told too."""
    import inspect

    from typer.main import get_command

    import bloor
    from bloor.cli.main import app

    text = (root / "docs" / "reference" / "python.md").read_text(encoding="utf-8")
    assert not [name for name in bloor.__all__ if name != "__version__" and f"### `bloor.{name}`" not in text]
    root_command = get_command(app)
    named = {"plugin": "plugins", "venue": "venues", "symbol": "symbols", "authority": "ca", "sets": "set"}
    for command, other in (
        (root_command.commands["run"], {**named, "json": ""}),
        (root_command.commands["record"], {**named, "venue": "venue", "json": ""}),
        (root_command.commands["replay"], {"json": ""}),
    ):
        wanted = {other.get(p.name, p.name) for p in command.params if p.name != "help"} - {""}
        has = set(inspect.signature(getattr(bloor, command.name)).parameters)
        assert wanted <= has, f"bloor.{command.name} lacks {sorted(wanted - has)}"


@pytest.mark.parametrize("page", [page for page in PAGES if EXAMPLE.search(page.read_text("utf-8"))], ids=named)
def test_examples_run(page):
    """What a page shows at a Python prompt is what one sees there."""
    text = page.read_text(encoding="utf-8")
    session = "\n".join(example[1] for example in EXAMPLE.finditer(text))
    test = doctest.DocTestParser().get_doctest(session, {}, page.name, str(page), 0)
    report: list[str] = []
    doctest.DocTestRunner(optionflags=doctest.ELLIPSIS).run(test, out=report.append)
    assert not report, "".join(report)


@pytest.mark.parametrize("page", PAGES, ids=named)
def test_links_resolve(page):
    """A link inside the project leads to a file that is there."""
    links = LINK.findall(page.read_text(encoding="utf-8"))
    assert not [link for link in links if not (page.parent / link).exists()]
