"""An import under way, on disk: what is safe of it, so that the same command continues after any interruption.

In the import's folder below ``.staging`` there are

- ``<instrument>-<day>.events``: records as they come, only ever appended to;
- ``standing.json``: where the import stood at one moment, everything that decides the rest: how far each source was
  read, the books, and how many records of each file count. It is replaced as a whole, every million records and when
  all is read. What files have beyond it is cut off when an import continues.
- ``<instrument>-<day>.json``: a finished part, written when its files are durable; they wait here, too, until all parts
  are finished.

Nothing here is believed that is not checked: the records that count have the hash that was noted, or were durable when
it was. Where that does not hold (the power failed), the import begins anew.
"""

from __future__ import annotations

import hashlib
import os
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import orjson
from attrs import asdict

from bloor.errors import BloorError, UsageError
from bloor.storage.layout import sync_folder
from bloor.storage.manifest import Part, plain, read_part
from bloor.storage.sink import StagedPart

__all__ = ["Staging", "staging"]

#: Version of what is noted; another one is not continued.
FORMAT = 1
STANDING = "standing.json"


class Staging:
    """The folder of one import, which no other process uses.

    Attributes:
        folder: Where files are made.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def standing(self, key: Mapping[str, Any]) -> dict[str, Any] | None:
        """What :meth:`keep` noted last, if it can be continued from; otherwise the folder is empty afterwards.

        Args:
            key: What must be as it was then.
        """
        with suppress(OSError, ValueError, KeyError, TypeError):
            saved: dict[str, Any] = orjson.loads((self.folder / STANDING).read_bytes())
            if saved["format"] == FORMAT and saved["key"] == key and self._is_whole(saved):
                return saved
        shutil.rmtree(self.folder, ignore_errors=True)
        self.folder.mkdir()
        return None

    def keep(self, key: Mapping[str, Any], said: Mapping[str, Any]) -> None:
        """Notes where the import stands; its records are in their files.

        Args:
            key: What must be the same for it to be continued.
            said: What is known, with the entry ``files``: for each file its ``bytes`` and ``sha256``, which is null
                for one that is durable.
        """
        self._write(STANDING, {"format": FORMAT, "key": key, **said})

    def finished(self, staged: StagedPart) -> Part | None:
        """The part that was made of staged records, if that was completed."""
        path = staged.path.with_suffix(".json")
        return read_part(orjson.loads(path.read_bytes())) if path.exists() else None

    def finish(self, staged: StagedPart, part: Part) -> None:
        """Notes that a part is finished."""
        self._write(staged.path.with_suffix(".json").name, asdict(part))

    def _is_whole(self, saved: Mapping[str, Any]) -> bool:
        """Whether all that counts is there; cuts off and removes the rest."""
        expected = {STANDING}
        for name, file in saved["files"].items():
            path = self.folder / name
            if saved["read"] and path.with_suffix(".json").exists():  # a finished part's; it may be in place already
                expected |= {other.name for other in self.folder.glob(f"{path.stem}.*")}
                continue
            expected.add(name)
            if path.stat().st_size < file["bytes"]:
                return False
            os.truncate(path, file["bytes"])
            if file["sha256"] is not None:
                with path.open("rb") as content:
                    if hashlib.file_digest(content, "sha256").hexdigest() != file["sha256"]:
                        return False
        for path in self.folder.iterdir():
            if path.name not in expected:
                path.unlink()
        return True

    def _write(self, name: str, document: Any) -> None:
        """Replaces a file as a whole; it need not survive a loss of power."""
        temporary = self.folder / f"{name}.tmp"
        temporary.write_bytes(orjson.dumps(document, default=plain, option=orjson.OPT_SERIALIZE_NUMPY))
        temporary.replace(self.folder / name)


@contextmanager
def staging(folder: Path) -> Iterator[Staging]:
    """The folder of an import, gone when it is done or can never be done; kept when it was interrupted.

    Raises:
        UsageError: Another process has it.
    """
    folder.parent.mkdir(parents=True, exist_ok=True)
    name = folder.with_suffix(".lock")
    lock = os.open(name, os.O_RDWR | os.O_CREAT, 0o644)
    try:
        _lock(lock, name)
        folder.mkdir(exist_ok=True)
        try:
            yield Staging(folder)
        except BloorError:  # the same sources will end in the same way
            _remove(folder, name)
            raise
        _remove(folder, name)
    finally:
        os.close(lock)


def _remove(folder: Path, lock: Path) -> None:
    shutil.rmtree(folder, ignore_errors=True)
    lock.unlink(missing_ok=True)
    sync_folder(folder.parent)


def _lock(handle: int, name: Path) -> None:
    """Takes the lock, if the file is still the one of that name."""
    try:
        import fcntl
    except ImportError:  # Windows: two imports of the same sources at once are then the user's affair
        return
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        if os.fstat(handle).st_ino == name.stat().st_ino:
            return
    except OSError:
        pass
    raise UsageError(f"{name}: another process is doing the same import; wait for it to end")
