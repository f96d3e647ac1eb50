"""Imports: sources in, parts of a catalogue out.

An import is named by a hash over its sources and everything that decides what is made of them, so that doing it again
is noticed and changes nothing. It writes below ``.staging``, gives every finished file its place, and writes its
manifest last; killed before that, it has changed nothing that a reader can see, and doing it again completes it. No
source is ever changed. Memory is bounded by one chunk of records and the books themselves.

Sources that continue each other (recordings) are imported together, merged by time. One whose records are here already
is then read all the same, so that books continue from it, and not stored twice. Sources that stand alone (dumps of
trades, arrays) are an import each, so that what was finished stays finished.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

import orjson
from attrs import evolve, field, frozen

from bloor import __version__
from bloor.errors import InputFileError, UsageError
from bloor.hookspecs import NormalizerSpec
from bloor.model.instrument import Instrument
from bloor.storage.formats import Format, format_of
from bloor.storage.kernel import ROOM
from bloor.storage.layout import durable, staging_folder
from bloor.storage.manifest import Import, Part, Source, file_hash, read_imports, remove_import, write_import
from bloor.storage.parquet import has_parquet
from bloor.storage.parts import drop_unscaled, finish_part, place_part
from bloor.storage.reading import KEEP_ROWS, Reading
from bloor.storage.sink import CHUNK_ROWS, ROW_BYTES, EventSink
from bloor.storage.staging import Staging, staging

__all__ = ["CONTINUING", "ImportOptions", "Imported", "import_data", "source_of"]

#: The word of progress, once, of an import that was interrupted; its counts are what was safe.
CONTINUING = "continuing an import that was interrupted"


@frozen(kw_only=True)
class ImportOptions:
    """How to import.

    Attributes:
        symbols: Canonical symbols that are wanted; empty for all.
        source_format: How to read the sources; ``auto`` looks at each.
        instruments: Known instruments; the precision of others is read off the text.
        assume_empty: Whether books begin empty instead of unsynchronised.
        chunk_rows: Records held in memory.
        keep_rows: Records between two moments that an interrupted import can continue from.
        parquet: Whether to write Parquet; None when pyarrow is installed.
        compiled: Whether to use the compiled form of the normalizer where there is one; the records are the same.
        replace: Whether imports that hold these sources already are replaced.
        progress: Told now and then: what is being done, records so far, messages so far.
    """

    symbols: Sequence[str] = ()
    source_format: str = "auto"
    instruments: Sequence[Instrument] = ()
    assume_empty: bool = False
    chunk_rows: int = CHUNK_ROWS
    keep_rows: int = KEEP_ROWS
    parquet: bool | None = None
    compiled: bool = True
    replace: bool = False
    progress: Callable[[str, int, int], None] | None = None


@frozen(kw_only=True)
class Imported:
    """What an import came to.

    Attributes:
        manifest: Its manifest; the earlier one when nothing was left to do.
        new: Whether anything was stored.
        already: Names of sources whose records were here before.
        resumed: Where it was interrupted before: how many messages were safe; None when it was not.
    """

    manifest: Import
    new: bool
    already: Sequence[str] = field(factory=list)
    resumed: int | None = None


@frozen(kw_only=True)
class _Job:
    """One import that is to be done."""

    format: Format
    paths: Sequence[Path]
    sources: Sequence[Source]


def import_data(
    catalogue: Path, spec: NormalizerSpec, paths: Sequence[Path], options: ImportOptions | None = None
) -> Iterator[Imported]:
    """Imports files and folders of one venue.

    Args:
        catalogue: Where to; made when it is not there.
        spec: How the venue's frames are read.
        paths: The sources.
        options: How.

    Yields:
        What became of each import: one for all recordings together, one for each source that stands alone.

    Raises:
        UsageError: An option does not fit, or another process is doing the same import.
        InputFileError: A source cannot be read; imports before it stay.
    """
    options = options or ImportOptions()
    for job in _jobs(paths, options):
        yield _Run(catalogue, spec, job, options).run()


def _jobs(paths: Sequence[Path], options: ImportOptions) -> Iterator[_Job]:
    """The imports that these sources are, each with the hashes of its sources; the same content counts once."""
    found: dict[str, tuple[Format, list[Path]]] = {}
    for path in paths:
        kind = format_of(path, options.source_format)
        key = kind.name if kind.merged else str(path)
        found.setdefault(key, (kind, []))[1].append(path)
    for kind, members in found.values():
        once: dict[str, tuple[Path, Source]] = {}
        for path in members:
            source = source_of(path, options)
            once.setdefault(source.sha256, (path, source))
        yield _Job(
            format=kind, paths=[path for path, _ in once.values()], sources=[source for _, source in once.values()]
        )


def source_of(path: Path, options: ImportOptions) -> Source:
    """A file or folder with its hash."""
    if options.progress:
        options.progress(f"hashing {path.name}", 0, 0)
    try:
        sizes = [f.stat().st_size for f in path.rglob("*") if f.is_file()] if path.is_dir() else [path.stat().st_size]
        return Source(name=str(path), bytes=sum(sizes), sha256=file_hash(path))
    except OSError as error:
        raise InputFileError(str(path), f"cannot be read: {error.strerror}") from None


class _Run:
    """One import."""

    def __init__(self, catalogue: Path, spec: NormalizerSpec, job: _Job, options: ImportOptions) -> None:
        self.catalogue = catalogue
        self.spec = spec
        self.job = job
        self.options = options
        self.symbols = sorted(set(options.symbols)) or None
        self.earlier = [i for i in read_imports(catalogue) if i.venue == spec.venue]
        self.replaced: list[Import] = []
        self.resumed: int | None = None

    def run(self) -> Imported:
        """Does it, unless it is done already.

        Raises:
            UsageError: What is to be replaced holds other sources as well.
        """
        if self.options.replace:
            self.set_aside()
        covered = {source.name: self.covers(source) for source in self.job.sources}
        done = [name for name, covers in covered.items() if covers is not None and self.all_of(covers)]
        if len(done) == len(covered):
            holder = self.holder()
            self.sweep(staging_folder(self.catalogue, holder.id))
            return Imported(manifest=holder, new=False, already=done)
        sources = [evolve(source, stored=source.name not in done) for source in self.job.sources]
        import_id = self.name(sources)
        with staging(staging_folder(self.catalogue, import_id)) as stage:
            finished = next((i for i in read_imports(self.catalogue) if i.id == import_id), None)
            if finished is not None and not self.options.replace:  # by another process, after this one looked
                return Imported(manifest=finished, new=False, already=list(covered))
            made = self.make(import_id, stage, sources, covered)
            write_import(self.catalogue, made, stage.folder)
            for old in self.replaced:
                if old.id != made.id:
                    remove_import(self.catalogue, old)
        return Imported(manifest=made, new=True, already=done, resumed=self.resumed)

    # ---- what is here already ---------------------------------------------------------------------------------------

    def covers(self, source: Source) -> list[Import] | None:
        """The imports that hold records of this source, or None."""
        return [i for i in self.earlier if i.covers(source.sha256, None) or self.some(i, source)] or None

    @staticmethod
    def some(earlier: Import, source: Source) -> bool:
        """Whether an import holds some instruments of a source."""
        return any(earlier.covers(source.sha256, symbol) for symbol in earlier.symbols or ())

    def set_aside(self) -> None:
        """Finds the imports that are to be replaced, which count as not there."""
        mine = {source.sha256 for source in self.job.sources}
        held = [i for i in self.earlier if any(s.stored and s.sha256 in mine for s in i.sources)]
        others = [s.name for i in held for s in i.sources if s.stored and s.sha256 not in mine]
        if others:
            raise UsageError(f"--replace: name these sources too, which were imported together: {', '.join(others)}")
        self.replaced = held
        self.earlier = [i for i in self.earlier if i not in held]

    def all_of(self, covers: Iterable[Import]) -> bool:
        """Whether these imports hold everything that is wanted now."""
        held = [i.symbols for i in covers]
        if any(symbols is None for symbols in held):
            return True
        return self.symbols is not None and set(self.symbols) <= {s for symbols in held for s in symbols or ()}

    def holder(self) -> Import:
        """The import that holds the first source."""
        first = self.job.sources[0]
        found = self.covers(first)
        assert found is not None
        return found[0]

    @staticmethod
    def sweep(folder: Path) -> None:
        """Removes what an import left that was killed when it was done."""
        if folder.exists() or folder.with_suffix(".lock").exists():
            with suppress(UsageError), staging(folder):
                pass

    def name(self, sources: Sequence[Source]) -> str:
        """A hash over everything that decides what is made."""
        said = {
            "venue": self.spec.venue,
            "format": self.job.format.name,
            "symbols": self.symbols,
            "assume_empty": self.options.assume_empty,
            "instruments": sorted(repr(i) for i in self.options.instruments),
            "sources": sorted((s.sha256, s.stored) for s in sources),
        }
        return hashlib.sha256(orjson.dumps(said, option=orjson.OPT_SORT_KEYS)).hexdigest()[:16]

    # ---- doing it ---------------------------------------------------------------------------------------------------

    def make(
        self, import_id: str, stage: Staging, sources: Sequence[Source], covered: Mapping[str, list[Import] | None]
    ) -> Import:
        """Reads the sources and puts the parts in place; what was safe already is not done again."""
        left_out = {
            name: frozenset(s for i in covers or () for s in i.symbols or ()) if not self.all_of(covers or ()) else None
            for name, covers in covered.items()
        }
        key = self.key(sources, left_out)
        saved = stage.standing(key)
        if saved is not None:
            self.tell_of(saved)
        reading = Reading(
            self.spec,
            stage.folder,
            symbols=self.symbols,
            instruments=self.options.instruments,
            assume_empty=self.options.assume_empty,
            chunk_rows=self.options.chunk_rows,
            left_out=left_out,
            progress=self.options.progress,
            compiled=self.options.compiled,
            keep=lambda said: stage.keep(key, {**said, "read": False, "files": hashed(reading.sink)}),
            keep_rows=self.options.keep_rows,
            saved=saved,
        )
        if saved is None or not saved["read"]:
            self.job.format.read(reading, self.job.paths)
            reading.finish()
            for staged in reading.sink.parts.values():
                durable(staged.path)
            saved = {**reading.standing(), "counts": reading.counts(), "read": True, "files": sizes(reading.sink)}
            stage.keep(key, saved)
        return Import(
            id=import_id,
            venue=self.spec.venue,
            source_format=self.job.format.name,
            symbols=self.symbols,
            assume_empty=self.options.assume_empty,
            sources=sources,
            counts=saved["counts"],
            errors=reading.errors,
            parts=self.parts(import_id, stage, reading),
            bloor=__version__,
        )

    def parts(self, import_id: str, stage: Staging, reading: Reading) -> list[Part]:
        """Makes the parts of what was read, one after the other, and puts all of them in place."""
        parquet = has_parquet() if self.options.parquet is None else self.options.parquet
        made = []
        for staged in sorted(reading.sink.parts.values(), key=lambda p: (p.index, p.day)):
            if self.options.progress:
                self.options.progress("writing", reading.sink.rows, reading.messages)
            part = stage.finished(staged)
            if part is None:
                part = finish_part(staged, reading.table, import_id, parquet=parquet)
                stage.finish(staged, part)
                drop_unscaled(staged, part)
            made.append((staged, part))
        for staged, part in made:
            place_part(self.catalogue, staged, part)
        return [part for _, part in made]

    def key(self, sources: Sequence[Source], left_out: Mapping[str, frozenset[str] | None]) -> dict[str, Any]:
        """What must be the same for an interrupted import to be continued; its name says the rest."""
        return {
            "bloor": __version__,
            "sources": [[source.name, source.sha256] for source in sources],
            "left_out": [None if names is None else sorted(names) for names in left_out.values()],
            "parquet": self.options.parquet if self.options.parquet is not None else has_parquet(),
            "in_blocks": self.options.compiled and self.options.chunk_rows >= 2 * ROOM,
        }

    def tell_of(self, saved: Mapping[str, Any]) -> None:
        """Says that an interrupted import is continued, and from where."""
        rows, messages = saved["sink"]["rows"], saved["messages"]
        self.resumed = messages
        if self.options.progress:
            self.options.progress(CONTINUING, rows, messages)


def hashed(sink: EventSink) -> dict[str, dict[str, Any]]:
    """The staged files with their hashes."""
    return {part.path.name: {"bytes": part.rows * ROW_BYTES, "sha256": part.hash()} for part in sink.parts.values()}


def sizes(sink: EventSink) -> dict[str, dict[str, Any]]:
    """The staged files, which are durable."""
    return {part.path.name: {"bytes": part.rows * ROW_BYTES, "sha256": None} for part in sink.parts.values()}
