"""Where machine code is kept."""

from __future__ import annotations

from pathlib import Path

import pytest

from bloor.native import caching, memory


def folder_for(version: str, chosen: str = "") -> Path | None:
    """The folder of one file's code."""
    return caching.cache_folder(version, chosen, name="words", modules=(memory,))


def test_cache_folder_is_private(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The folder is made for the user alone, named by what made the code, and not used when others may write to it."""
    monkeypatch.setattr(caching, "user_cache", lambda: tmp_path)
    folder = folder_for("0.1")
    assert folder is not None
    assert folder.stat().st_mode & 0o777 == 0o700
    assert folder != folder_for("0.2")
    folder.chmod(0o777)
    assert folder_for("0.1") is None


def test_chosen_cache_folder(tmp_path: Path) -> None:
    """NUMBA_CACHE_DIR is where the caches go, in a folder of their own."""
    folder = folder_for("0.1", str(tmp_path))
    assert folder is not None
    assert folder.parent == tmp_path


def test_unusable_cache_folder(tmp_path: Path) -> None:
    """Where no folder can be made nothing is cached."""
    (tmp_path / "file").write_text("")
    assert folder_for("0.1", str(tmp_path / "file")) is None


def test_numbers_from_other_files_are_part_of_the_name(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A file may have its offsets from a record that is elsewhere: when that changes, old code is not met."""
    before = folder_for("0.1", str(tmp_path))
    monkeypatch.setattr(memory, "OFFSET", 8, raising=False)
    assert folder_for("0.1", str(tmp_path)) not in (before, None)
