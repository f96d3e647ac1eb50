"""What the session `release` looks at: each thing that must not be published is told, and what is right is not."""

from __future__ import annotations

import io
import runpy
import tarfile
import zipfile
from pathlib import Path

import pytest

CLASSIFIERS = ["Development Status :: 3 - Alpha", "Typing :: Typed"]
METADATA = """Metadata-Version: 2.4
Name: bloor-shop
Version: 1.2.0
Summary: A shop
Requires-Python: >=3.11
License-Expression: MIT
License-File: LICENSE
Classifier: Development Status :: 3 - Alpha
Classifier: Typing :: Typed
Requires-Dist: bloor-core<2,>=1.2
Description-Content-Type: text/markdown

# bloor-shop
"""
PROJECT = """[project]
name = "bloor-shop"
requires-python = ">=3.11"
classifiers = ["Development Status :: 3 - Alpha", "Typing :: Typed"]
[project.entry-points."bloor"]
shop = "bloor_shop"
[project.entry-points."bloor.manifest"]
shop = "strategy:api1"
"""
POINTS = "[bloor]\nshop = bloor_shop\n\n[bloor.manifest]\nshop = strategy:api1\n"
INFO = "bloor_shop-1.2.0.dist-info"
WHEEL = {
    "bloor_shop/__init__.py": "",
    "bloor_shop/py.typed": "",
    f"{INFO}/METADATA": METADATA,
    f"{INFO}/WHEEL": "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
    f"{INFO}/entry_points.txt": POINTS,
    f"{INFO}/licenses/LICENSE": "MIT",
    f"{INFO}/RECORD": "",
}
SDIST = [
    "LICENSE",
    "README.md",
    "CHANGELOG.md",
    "PKG-INFO",
    "pyproject.toml",
    "src/bloor_shop/__init__.py",
    "tests/t.py",
]
CHANGELOG = "# Changelog\n\n## 1.2.0 (2026-01-01)\n\nAdded:\n\n- Something.\n\n## 1.1.0 (2025-01-01)\n"


@pytest.fixture
def problems(tmp_path):
    """Makes a tree with one distribution, and what was built from it; gives what is wrong."""
    found = runpy.run_path(str(Path(__file__).with_name("released.py")))["problems"]

    def make(*, changelog=CHANGELOG, fragment="", wheel=None, sdist=(), version="1.2.0", beside=""):
        package, dist = tmp_path / "tree" / "bloor-shop", tmp_path / "dist"
        for folder in (package / "src" / "bloor_shop", package / "changes", dist):
            folder.mkdir(parents=True)
        (package / "pyproject.toml").write_text(PROJECT)
        (package / "CHANGELOG.md").write_text(changelog)
        (package / "src" / "bloor_shop" / "__init__.py").write_text(f'__version__ = "{version}"\n')
        if fragment:
            (package / "changes" / fragment).write_text("Something.")
        with zipfile.ZipFile(dist / "bloor_shop-1.2.0-py3-none-any.whl", "w") as built:
            for name, text in (WHEEL | (wheel or {})).items():
                if text is not None:
                    built.writestr(name, text)
        with tarfile.open(dist / "bloor_shop-1.2.0.tar.gz", "w:gz") as source:
            for name in (*SDIST, *sdist):
                source.addfile(tarfile.TarInfo(f"bloor_shop-1.2.0/{name}"), io.BytesIO())
        if beside:
            (dist / beside).touch()
        return list(found(tmp_path / "tree", dist))

    return make


def test_what_is_right_is_not_told(problems):
    """Nothing is wrong with this one."""
    assert problems() == []


@pytest.mark.parametrize(
    ("made", "says"),
    [
        ({"changelog": "# Changelog\n"}, "expected one section for 1.2.0"),
        ({"changelog": "# Changelog\n\n## 1.3.0\n\n## 1.2.0\n"}, "expected the section for 1.2.0 first"),
        ({"fragment": "a-thing.added.md"}, "a-thing.added.md is not collected"),
        ({"version": "1.2.0+local"}, "was not built"),
        ({"beside": "bloor_shop-1.1.0.tar.gz"}, "bloor_shop-1.1.0.tar.gz does not belong to this release"),
        ({"wheel": {"tests/test_x.py": ""}}, "wheel: tests/test_x.py does not belong there"),
        ({"wheel": {"bloor_shop/__pycache__/a.pyc": ""}}, "a.pyc does not belong there"),
        ({"wheel": {"bloor_shop/key.pem": ""}}, "key.pem does not belong there"),
        ({"wheel": {"bloor_shop/py.typed": None}}, "bloor_shop/py.typed is missing"),
        ({"wheel": {f"{INFO}/licenses/LICENSE": None}}, "LICENSE is missing"),
        ({"wheel": {f"{INFO}/WHEEL": "Root-Is-Purelib: false\nTag: cp311-cp311-linux_x86_64"}}, "for any platform"),
        ({"wheel": {f"{INFO}/entry_points.txt": "[bloor]\nshop = elsewhere\n"}}, "entry points: expected"),
        ({"wheel": {f"{INFO}/entry_points.txt": None}}, "entry points: expected"),
        ({"wheel": {f"{INFO}/METADATA": METADATA.replace("1.2.0", "1.2.1")}}, "expected the version 1.2.0, got 1.2.1"),
        ({"wheel": {f"{INFO}/METADATA": METADATA.replace(">=3.11", ">=3.12")}}, "expected Python >=3.11, got >=3.12"),
        ({"wheel": {f"{INFO}/METADATA": METADATA.replace("Summary: A shop\n", "")}}, "Summary is missing"),
        ({"wheel": {f"{INFO}/METADATA": METADATA.replace("Typing", "Typed")}}, "its classifiers are not those"),
        ({"wheel": {f"{INFO}/METADATA": METADATA.replace("# bloor-shop", "")}}, "is README.md empty?"),
        ({"wheel": {f"{INFO}/METADATA": METADATA.replace("<2,>=1.2", "<1.2")}}, "does not allow 1.2.0"),
        (
            {"wheel": {f"{INFO}/METADATA": METADATA.replace("bloor-core<2,>=1.2", "x @ https://example.com/x.whl")}},
            "must not name a place",
        ),
        ({"sdist": [".git/config"]}, "sdist: bloor_shop-1.2.0/.git/config does not belong there"),
        ({"sdist": ["notes.txt"]}, "sdist: expected"),
    ],
)
def test_what_is_wrong_is_told(problems, made, says):
    """One thing at a time, with the name of the distribution or the file."""
    found = problems(**made)
    assert [text for text in found if says in text], found
