"""Where machine code is kept."""

from __future__ import annotations

import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

from bloor.native import caching, memory


@pytest.fixture(autouse=True)
def without_numba(monkeypatch: pytest.MonkeyPatch) -> None:
    """Settings come from the environment, as long as numba is not imported."""
    monkeypatch.delitem(sys.modules, "numba", raising=False)
    monkeypatch.delenv("NUMBA_CACHE_DIR", raising=False)
    monkeypatch.delenv("NUMBA_DISABLE_JIT", raising=False)


def folder_for(*facts: str) -> Path | None:
    """The folder of one file's code."""
    return caching.cache_folder(name="words", modules=(memory,), facts=facts)


def test_cache_folder_is_private(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The folder is made for the user alone, named by what made the code, and not used when others may write to it."""
    monkeypatch.setattr(caching, "user_cache", lambda: tmp_path)
    folder = folder_for()
    assert folder is not None
    assert folder.stat().st_mode & 0o777 == 0o700
    assert folder != folder_for("another constant")
    with monkeypatch.context() as other:
        other.setattr(caching, "_numba_version", lambda: "0.1")
        assert folder != folder_for()
    folder.chmod(0o777)
    assert folder_for() is None


def test_chosen_cache_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """NUMBA_CACHE_DIR is where the caches go, in a folder of their own; numba's own setting comes first."""
    monkeypatch.setenv("NUMBA_CACHE_DIR", str(tmp_path / "environment"))
    folder = folder_for()
    assert folder is not None
    assert folder.parent == tmp_path / "environment"
    settings = SimpleNamespace(config=SimpleNamespace(CACHE_DIR=str(tmp_path / "set")))
    monkeypatch.setitem(sys.modules, "numba", settings)
    folder = folder_for()
    assert folder is not None
    assert folder.parent == tmp_path / "set"


def test_unusable_cache_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where no folder can be made nothing is cached."""
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("NUMBA_CACHE_DIR", str(tmp_path / "file"))
    assert folder_for() is None


def test_numbers_from_other_files_are_part_of_the_name(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A file may have its offsets from a record that is elsewhere: when that changes, old code is not met."""
    monkeypatch.setenv("NUMBA_CACHE_DIR", str(tmp_path))
    before = folder_for()
    monkeypatch.setattr(memory, "OFFSET", 8, raising=False)
    assert folder_for() not in (before, None)


@pytest.mark.parametrize(("said", "off"), [("", False), ("0", False), ("1", True)])
def test_whether_numba_compiles(monkeypatch: pytest.MonkeyPatch, said: str, off: bool) -> None:
    """NUMBA_DISABLE_JIT says so before numba is there."""
    monkeypatch.setenv("NUMBA_DISABLE_JIT", said)
    assert caching.jit_is_off() is off
