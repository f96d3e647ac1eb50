"""Hashes over the code of plug-ins."""

from __future__ import annotations

import sys
from pathlib import Path
from types import ModuleType

import pytest

from bloor.plugins.code import class_sha256, code_sha256
from bloor.strategy.api import Strategy


def imported(monkeypatch: pytest.MonkeyPatch, name: str, folder: Path) -> None:
    """Pretends that a package in this folder was imported."""
    module = ModuleType(name)
    module.__path__ = [str(folder)]
    monkeypatch.setitem(sys.modules, name, module)
    code_sha256.cache_clear()


def test_a_hash_changes_with_every_edit_and_every_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Content and names of all source files count, nothing else does."""
    (tmp_path / "deep").mkdir()
    (tmp_path / "__init__.py").write_text("")
    (tmp_path / "deep" / "rule.py").write_text("LEVEL = 1\n")
    seen = set()

    def looked() -> str:
        imported(monkeypatch, "package_of_this_test", tmp_path)
        return code_sha256("package_of_this_test")

    seen.add(looked())
    (tmp_path / "notes.txt").write_text("not code")
    assert looked() in seen
    (tmp_path / "deep" / "rule.py").write_text("LEVEL = 2\n")
    assert looked() not in seen
    seen.add(looked())
    (tmp_path / "deep" / "rule.py").rename(tmp_path / "rule.py")
    assert looked() not in seen


def test_a_module_and_a_class_have_one_too() -> None:
    """A single file, and a class on its own; nothing where there is no source."""
    assert len(code_sha256("bisect")) == 64
    assert code_sha256("no_such_module_anywhere") == code_sha256("sys") == ""
    assert len(class_sha256(Strategy)) == 64
    assert class_sha256(type("Made", (), {"__module__": "nowhere"})) == ""
