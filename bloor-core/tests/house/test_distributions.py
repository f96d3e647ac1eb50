"""The six distributions are alike and the project speaks of itself alone."""

from __future__ import annotations

import re
import subprocess
import tomllib
from importlib import import_module
from pathlib import Path

FILES = ("README.md", "CHANGELOG.md", "LICENSE", "pyproject.toml", "changes")
FRAGMENT = re.compile(r"[a-z0-9][a-z0-9-]*\.(added|changed|fixed|removed)\.md")

#: What says where a file was written rather than what the project is; in pieces, so that this file passes.
FOREIGN = [
    re.compile(r"(?<![\w.~-])/(?:wo" + r"rk|ro" + r"ot)/"),
    re.compile(r"(?<![\w.~-])/(?:ho" + r"me|Us" + r"ers)/[a-z]"),
    re.compile("pypi" + r"\.org|python" + r"hosted\.org|npm" + r"js\.|crates" + r"\.io|proxy\.golang" + r"\."),
]


def test_there_are_six(distributions):
    """The core, three venues, strategies and risk."""
    names = ["binance", "coinbase", "kraken", "risk", "strategies"]
    assert [folder.name for folder in distributions] == ["bloor-core", *(f"bloor-{name}" for name in names)]


def test_each_has_what_a_distribution_needs(distributions):
    """Readme, changelog, licence, types and tests."""
    missing = [f"{folder.name}/{name}" for folder in distributions for name in FILES if not (folder / name).exists()]
    for folder in distributions:
        if not list(folder.glob("src/*/py.typed")):
            missing.append(f"{folder.name}/src/*/py.typed")
        if not list(folder.glob("tests/*/test_*.py")):
            missing.append(f"{folder.name}/tests/*/test_*.py")
    assert not missing


def test_versions_agree(distributions):
    """They are released together, so one number names a set that was tested together."""
    versions = {}
    for folder in distributions:
        text = next(folder.glob("src/*/__init__.py")).read_text(encoding="utf-8")
        versions[folder.name] = re.findall(r'^__version__ = "(.+)"$', text, re.MULTILINE)
    assert len({tuple(found) for found in versions.values()}) == 1, versions


def test_metadata_agree(distributions):
    """The same floor, the same licence and the same Pythons."""
    shared = {}
    for folder in distributions:
        project = tomllib.loads((folder / "pyproject.toml").read_text(encoding="utf-8"))["project"]
        pythons = sorted(text for text in project["classifiers"] if "Python ::" in text)
        shared[folder.name] = (project["requires-python"], project["license"], *pythons)
    assert len(set(shared.values())) == 1, shared


def declared_entry_points(folder: Path, group: str) -> dict[str, str]:
    """The entry points of a group, as the distribution's pyproject.toml declares them."""
    project = tomllib.loads((folder / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    return project.get("entry-points", {}).get(group, {})


def test_every_entry_point_says_what_it_is(distributions):
    """Names and API versions are read from metadata before anything is imported."""
    for folder in distributions:
        manifest = declared_entry_points(folder, "bloor.manifest")
        assert declared_entry_points(folder, "bloor").keys() == manifest.keys(), folder.name


def test_every_entry_point_loads(distributions):
    """A name that a user can type leads to a module."""
    modules = [name for folder in distributions for name in declared_entry_points(folder, "bloor").values()]
    assert modules
    for module in modules:
        import_module(module)


def test_changelog_fragments_are_named_by_rule(distributions):
    """A release collects changes/<slug>.<added|changed|fixed|removed>.md."""
    names = [path for folder in distributions for path in (folder / "changes").glob("*") if path.name != ".gitignore"]
    assert not [str(path) for path in names if not FRAGMENT.fullmatch(path.name)]
    assert not [str(path) for path in names if not path.read_text(encoding="utf-8").strip()]


def test_tools_are_pinned_once(root):
    """pre-commit runs the ruff of the lint session; the first lines of noxfile.py name the nox of the dev group."""
    groups = tomllib.loads((root / "pyproject.toml").read_text(encoding="utf-8"))["dependency-groups"]
    pinned = re.findall(r"\[(ruff==.+?)\]", (root / ".pre-commit-config.yaml").read_text(encoding="utf-8"))
    assert set(pinned) == set(groups["lint"])
    assert f"# dependencies = {groups['nox']}".replace("'", '"') in (root / "noxfile.py").read_text(encoding="utf-8")


def test_files_name_no_machine_and_no_registry(root):
    """Nothing here depends on where it was written."""
    command = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    listed = subprocess.run(command, cwd=root, capture_output=True, text=True, check=False)
    names = listed.stdout.split("\0") if listed.returncode == 0 else [str(path) for path in root.glob("bloor-*/**/*")]
    foreign = []
    for path in (root / name for name in names if name):
        if not path.is_file():
            continue
        for number, line in enumerate(path.read_bytes().decode("utf-8", "replace").splitlines(), 1):
            foreign += [f"{path}:{number}: {line[:160]}" for pattern in FOREIGN if pattern.search(line)]
    assert not foreign, "\n".join(foreign)
