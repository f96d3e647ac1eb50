"""Whether a catalogue is as its manifests say."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from bloor.storage.manifest import Import, file_hash

__all__ = ["damaged"]


def damaged(catalogue: Path, imports: Iterable[Import]) -> list[str]:
    """What is wrong with the files of these imports; empty when every file has its hash.

    A part may lack one of its two forms, which users delete to save room; it may not lack both.
    """
    wrong = []
    for made in imports:
        for part in made.parts:
            files = [file for file in (part.events, part.parquet) if file is not None]
            there = [file for file in files if (catalogue / file.path).exists()]
            if not there:
                wrong.append(f"{part.events.path}: is missing")
            wrong += [
                f"{file.path}: expected the hash {file.sha256}, got another"
                for file in there
                if file_hash(catalogue / file.path) != file.sha256
            ]
    return wrong
