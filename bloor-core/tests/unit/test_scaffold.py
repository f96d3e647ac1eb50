"""``bloor new``: names that can be, packages that are whole, and nothing at all when something is wrong."""

from __future__ import annotations

import ast
import json
import re
import tomllib

import pytest
from typer.testing import CliRunner

from bloor.cli import new as command
from bloor.cli.main import app
from bloor.errors import UsageError
from bloor.plugins.catalog import Catalog, discover
from bloor.plugins.promise import core_bounds
from bloor.scaffold import Licence, ScaffoldKind, new_package
from bloor.scaffold.kinds import TEMPLATES
from bloor.scaffold.naming import named

NOTHING = Catalog({})


def made(tmp_path, kind, name="two-words", licence=Licence.APACHE):
    return new_package(kind, name, out=tmp_path, catalog=NOTHING, year="2026", licence=licence)


def texts(package):
    return {name: (package.folder / name).read_text("utf-8") for name in package.files}


@pytest.mark.parametrize("kind", ScaffoldKind)
def test_a_package_is_whole(tmp_path, kind):
    """Everything a distribution needs is there, and what was written is what is told."""
    package = made(tmp_path, kind)
    assert package.folder == tmp_path / "bloor-two-words"
    there = sorted(p.relative_to(package.folder).as_posix() for p in package.folder.rglob("*") if p.is_file())
    assert there == list(package.files)
    needed = {"pyproject.toml", "README.md", "CHANGELOG.md", "LICENSE", ".gitignore", "tests/contract/test_cards.py"}
    assert needed | {"src/bloor_two_words/py.typed", "src/bloor_two_words/__init__.py"} <= set(there)
    assert [path.name for path in tmp_path.iterdir()] == ["bloor-two-words"]


@pytest.mark.parametrize("kind", ScaffoldKind)
def test_no_placeholder_is_left(tmp_path, kind):
    """Neither a template's own name nor a token stands in any file or path."""
    word = TEMPLATES[kind].word
    for name, text in texts(made(tmp_path, kind)).items():
        assert word not in name and not re.search(rf"{word}|@[A-Z_]+@", text, re.IGNORECASE), name
        if name.endswith(".py"):
            ast.parse(text)
            assert max(map(len, text.splitlines())) <= 120, name


@pytest.mark.parametrize("kind", ScaffoldKind)
def test_the_metadata_say_what_it_is(tmp_path, kind):
    """One name in both groups, the API's number, and the bounds on bloor-core that follow from it."""
    package = made(tmp_path, kind)
    project = tomllib.loads((package.folder / "pyproject.toml").read_text("utf-8"))["project"]
    points = project["entry-points"]
    assert points["bloor.manifest"] == {"two-words": f"{TEMPLATES[kind].kind.value}:api1"}
    module = points["bloor"]["two-words"]
    assert (package.folder / "src" / f"{module.replace('.', '/')}.py").is_file()
    assert [r for r in project["dependencies"] if r.startswith("bloor-core") and r.endswith(core_bounds())]
    assert (project["name"], project["license"]) == ("bloor-two-words", "Apache-2.0")


@pytest.mark.parametrize("kind", ScaffoldKind)
def test_a_package_imports_what_it_declares(tmp_path, kind):
    """It never imports another plug-in, and it requires what it imports."""
    package = made(tmp_path, kind)
    project = tomllib.loads((package.folder / "pyproject.toml").read_text("utf-8"))["project"]
    declared = {re.split(r"[^\w-]", text)[0].replace("-", "_") for text in project["dependencies"]}
    import sys

    for name, text in texts(package).items():
        for node in ast.walk(ast.parse(text) if name.startswith("src/") and name.endswith(".py") else ast.parse("")):
            modules = [node.module] if isinstance(node, ast.ImportFrom) else []
            modules += [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            for module in modules:
                top = module.split(".")[0]
                assert top in {"bloor", package.module, *declared, *sys.stdlib_module_names}, (name, module)


def test_licences(tmp_path):
    """MIT names the year and the authors; without a licence there is no file, and nobody uploads it."""
    mit = texts(made(tmp_path, ScaffoldKind.STRATEGY, "one", Licence.MIT))
    assert (
        "Copyright (c) 2026 the authors of bloor-one" in mit["LICENSE"] and 'license = "MIT"' in mit["pyproject.toml"]
    )
    bare = texts(made(tmp_path, ScaffoldKind.STRATEGY, "two", Licence.NONE))
    assert "LICENSE" not in bare
    project = tomllib.loads(bare["pyproject.toml"])["project"]
    assert "license" not in project and "Private :: Do Not Upload" in project["classifiers"]


@pytest.mark.parametrize(
    ("name", "says"),
    [
        ("My_Venue", "did you mean 'my-venue'?"),
        ("", "expected small letters"),
        ("9lives", "expected small letters"),
        ("a--b", "did you mean 'a-b'?"),
        ("../up", "did you mean 'up'?"),
        ("élan", "expected small letters"),
        ("x" * 31, "expected at most 30 characters, got 31"),
        ("bloor-mine", "did you mean 'mine'?"),
        ("kraken", "'kraken' belongs to bloor-kraken"),
        ("core", "'core' belongs to bloor-core"),
        ("binance", "'binance' belongs to bloor-binance"),
    ],
)
def test_a_name_that_cannot_be_says_why(name, says):
    """What came, and what would do."""
    with pytest.raises(UsageError) as caught:
        named(name, NOTHING)
    assert says in str(caught.value)


def test_a_name_of_an_installed_plugin_is_taken(on_path, tmp_path):
    """The message names who has it; nothing is written."""
    on_path.add("shop", {"mine": "shop_mod"}, {"shop_mod.py": ""}, version="2.1")
    out = tmp_path / "out"
    with pytest.raises(UsageError, match=r"'mine' already, from shop 2.1 \(shop_mod\)"):
        new_package(ScaffoldKind.VENUE, "mine", out=out, catalog=discover(), year="2026")
    assert not out.exists()


def test_a_module_that_exists_is_not_shadowed(on_path):
    """A package of the same name that is no plug-in counts too."""
    (on_path.folder / "bloor_taken.py").touch()
    with pytest.raises(UsageError, match="'bloor_taken' can be imported already"):
        named("taken", NOTHING)


def test_what_is_there_is_left_alone(tmp_path):
    """An existing folder, or a file in the place of a folder, is an error before anything is written."""
    (tmp_path / "bloor-mine").mkdir()
    with pytest.raises(UsageError, match="something of this name already"):
        made(tmp_path, ScaffoldKind.STRATEGY, "mine")
    (tmp_path / "file").touch()
    with pytest.raises(UsageError, match="expected a folder, got a file"):
        made(tmp_path / "file", ScaffoldKind.STRATEGY, "mine")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["bloor-mine", "file"]
    assert not list((tmp_path / "bloor-mine").iterdir())


def test_a_disk_that_fills_leaves_nothing(tmp_path, monkeypatch):
    """A package is complete or not there."""
    from pathlib import Path

    written = []

    def full(self, *args, **kwargs):
        written.append(self)
        if len(written) == 5:
            raise OSError(28, "No space left on device", str(self))
        return write(self, *args, **kwargs)

    write = Path.write_text
    monkeypatch.setattr(Path, "write_text", full)
    with pytest.raises(OSError, match="No space"):
        made(tmp_path, ScaffoldKind.VENUE, "mine")
    assert not list(tmp_path.iterdir())


def test_the_command_tells_what_it_made(tmp_path):
    """One document with folder, files and what to try; bad input is 2 with a message."""
    runner = CliRunner()
    arguments = ["new", "strategy", "mine", "--out", str(tmp_path / "deep" / "er"), "--json"]
    document = json.loads(runner.invoke(app, arguments).stdout)
    assert document["distribution"] == "bloor-mine" and document["folder"].endswith("deep/er/bloor-mine")
    assert document["next"][-1] == "bloor run -p mine" and "pyproject.toml" in document["files"]
    again = runner.invoke(app, arguments)
    assert (again.exit_code, again.stdout) == (2, "")
    assert "something of this name" in again.stderr
    assert runner.invoke(app, ["new", "kitchen", "mine"]).exit_code == 2


def test_the_words_of_the_command_are_those_of_the_scaffold():
    """The command line imports no template, so it has its own list of words."""
    assert {word.value for word in command.KindWord} == {kind.value for kind in ScaffoldKind}
    assert {word.value for word in command.LicenceWord} == {licence.value for licence in Licence}
