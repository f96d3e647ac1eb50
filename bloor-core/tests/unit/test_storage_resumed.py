"""What is left of an interrupted import, and what becomes of it."""

from __future__ import annotations

import gzip
import json

import pytest
from attrs import evolve

from bloor.errors import InputFileError
from bloor.storage.importing import CONTINUING, ImportOptions, import_data
from bloor.storage.staging import Staging

START = 1_700_000_000 * 10**9
OPTIONS = ImportOptions(chunk_rows=8, keep_rows=20, parquet=False)


class Interrupted(BaseException):
    """What ends an import in the middle."""


@pytest.fixture
def source(tmp_path):
    """A recording of a book and its trades over some days, whose prices get finer on the way."""
    lines = []
    for n in range(300):
        price = "1.5" if n < 100 else "1.25"
        frame = (
            ["t", "AB", n, price, "2", 1, 5]
            if n % 3
            else ["b", "AB", n == 0, n, n, [["1", "2"]], [[f"{n + 9}", "1"]], 5]
        )
        lines.append(f"{START + n * 10**12} {json.dumps(frame)}\n")
    path = tmp_path / "r.txt"
    path.write_text("".join(lines))
    return path


@pytest.fixture
def interrupt(monkeypatch, list_venue, source, tmp_path):
    """Interrupts an import into ``catalogue`` when it has noted for the n-th time where it stands."""

    def act(moment):
        left = moment

        def keep(stage, key, said, keep=Staging.keep):
            nonlocal left
            keep(stage, key, said)
            left -= 1
            if left == 0:
                raise Interrupted

        monkeypatch.setattr(Staging, "keep", keep)
        with pytest.raises(Interrupted):
            list(import_data(tmp_path / "catalogue", list_venue.SPEC, [source], OPTIONS))
        monkeypatch.undo()
        (folder,) = [path for path in (tmp_path / "catalogue" / ".staging").iterdir() if path.is_dir()]
        return folder

    return act


def whole(tmp_path, list_venue, source):
    (done,) = import_data(tmp_path / "whole", list_venue.SPEC, [source], OPTIONS)
    return done.manifest


def again(tmp_path, list_venue, source, options=OPTIONS):
    said = []
    options = evolve(options, progress=lambda *words: said.append(words))
    (done,) = import_data(tmp_path / "catalogue", list_venue.SPEC, [source], options)
    return done, [words[1:] for words in said if words[0] == CONTINUING]


def test_it_says_from_where(tmp_path, list_venue, source, interrupt):
    """Progress says once what was safe, the result how many messages that were, and nothing is left behind."""
    interrupt(3)
    done, said = again(tmp_path, list_venue, source)
    ((rows, messages),) = said
    assert 0 < messages < 300
    assert rows >= 60
    assert done.resumed == messages
    assert done.manifest == whole(tmp_path, list_venue, source)
    assert list((tmp_path / "catalogue" / ".staging").iterdir()) == []


def test_damaged_records_are_not_believed(tmp_path, list_venue, source, interrupt):
    """Where staged records are others than was noted, the import begins anew."""
    folder = interrupt(5)
    staged = min(folder.glob("*.events"))
    content = bytearray(staged.read_bytes())
    content[40] ^= 1
    staged.write_bytes(content)
    done, said = again(tmp_path, list_venue, source)
    assert said == []
    assert done.resumed is None
    assert done.manifest == whole(tmp_path, list_venue, source)


@pytest.mark.parametrize("content", [b"", b"{}", b"[1]", b'{"format": 99}'])
def test_a_broken_note_is_not_believed(tmp_path, list_venue, source, interrupt, content):
    """What was noted and cannot be read is as if it were not there."""
    folder = interrupt(4)
    (folder / "standing.json").write_bytes(content)
    done, said = again(tmp_path, list_venue, source)
    assert said == []
    assert done.manifest == whole(tmp_path, list_venue, source)


def test_other_options_begin_anew(tmp_path, list_venue, source, interrupt):
    """An import in another form is not mixed with what is there."""
    interrupt(4)
    pytest.importorskip("pyarrow")
    done, said = again(tmp_path, list_venue, source, evolve(OPTIONS, parquet=True))
    assert said == []
    assert all(part.parquet for part in done.manifest.parts)


def test_what_can_never_be_done_leaves_nothing(tmp_path, list_venue, source):
    """A damaged source fails in the same way each time, so nothing of it is kept."""
    broken = tmp_path / "r.txt.gz"
    broken.write_bytes(gzip.compress(source.read_bytes())[:-20])
    options = evolve(OPTIONS, source_format="recording")
    for _ in range(2):
        with pytest.raises(InputFileError, match="ends too early"):
            list(import_data(tmp_path / "catalogue", list_venue.SPEC, [broken], options))
    assert list((tmp_path / "catalogue" / ".staging").iterdir()) == []
