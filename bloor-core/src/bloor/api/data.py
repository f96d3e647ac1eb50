"""``bloor.normalize`` and ``bloor.import_data``."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from attrs import frozen

from bloor.api.arguments import Paths, paths_of
from bloor.api.tables import Table
from bloor.api.waiting import bloor_errors
from bloor.errors import UsageError
from bloor.market.instruments import load_instruments
from bloor.market.normalize import normalize as normalize_recordings
from bloor.model.symbols import parse_symbol
from bloor.plugins.configured import configured_host
from bloor.storage.importing import Imported, ImportOptions
from bloor.storage.importing import import_data as import_sources
from bloor.storage.layout import catalogue_folder

__all__ = ["NormalizedData", "import_data", "normalize"]


@frozen(kw_only=True, repr=False)
class NormalizedData:
    """What was in recordings.

    Attributes:
        events: Every event, in order, as a line of ``bloor data normalize --json`` has it.
        summary: The counts: messages, gaps, errors and so on.
    """

    events: Table
    summary: Mapping[str, Any]

    def kind(self, name: str) -> Table:
        """The events of one kind: ``top``, ``trade``, ``agg_trade``, ``bbo``, ``gap``, ``checksum`` or ``error``."""
        return Table([event for event in self.events if event["kind"] == name])

    def __repr__(self) -> str:
        counts = ", ".join(f"{count} {key.replace('_', ' ')}" for key, count in self.summary.items() if key != "kind")
        return f"<NormalizedData: {counts}>"

    def _repr_html_(self) -> str:
        return Table([{k: v for k, v in self.summary.items() if k != "kind"}])._repr_html_()


def normalize(
    venue: str,
    files: Paths,
    *,
    symbol: str | None = None,
    depth: int | None = None,
    instruments: str | Path | None = None,
    assume_empty: bool = False,
    write: Callable[[Mapping[str, Any]], object] | None = None,
) -> NormalizedData:
    """Turns recorded frames into trades, tops of book and quotes, as ``bloor data normalize`` does.

    Args:
        venue: Whose frames these are.
        files: Recordings, plain or gzip, or folders; merged by receive time.
        symbol: The only instrument wanted.
        depth: Levels a side to give with every top.
        instruments: A file of instruments as the venue's REST lists them; without it precision is read off the text.
        assume_empty: Whether books begin empty instead of waiting for snapshots.
        write: Takes each event as it comes, for recordings that are larger than memory; the result then holds none.

    Raises:
        UsageError: ``symbol`` is no symbol of this venue, or ``depth`` is not positive.
        InputFileError: A file cannot be read.
        PluginError: The venue's plug-in cannot be used.
    """
    with bloor_errors():
        spec = configured_host().normalizer(venue)
        events: list[Mapping[str, Any]] = []
        take = events.append if write is None else write
        summary: dict[str, Any] = {}

        def line(event: dict[str, Any]) -> None:
            if event["kind"] == "summary":
                summary.update(event)
            else:
                take(event)

        known = load_instruments(Path(instruments), spec) if instruments is not None else ()
        normalize_recordings(
            spec, paths_of(files), write=line, symbol=symbol, depth=depth, instruments=known, assume_empty=assume_empty
        )
        return NormalizedData(events=Table(events), summary=summary)


def import_data(
    venue: str,
    sources: Paths,
    *,
    into: str | Path | None = None,
    symbols: str | Sequence[str] = (),
    source_format: str = "auto",
    instruments: str | Path | None = None,
    assume_empty: bool = False,
    replace: bool = False,
    progress: Callable[[str, int, int], None] | None = None,
) -> list[Imported]:
    """Keeps market data in a catalogue that ``bloor.load`` reads, as ``bloor data import`` does.

    Args:
        venue: Whose data this is.
        sources: Recordings, session folders, dumps.
        into: The catalogue; ``$BLOOR_CATALOGUE``, else ``./catalogue``, without.
        symbols: Instruments that are wanted; all without.
        source_format: How to read the sources: ``auto``, ``recording``, ``binance-dump``, ``hftbacktest``, ``tardis``.
        instruments: A file of instruments as the venue's REST lists them.
        assume_empty: Whether books begin empty instead of waiting for snapshots.
        replace: Whether what is in the catalogue already is imported again and replaced.
        progress: Told now and then: what is being done, records so far, messages so far.

    Returns:
        What became of each import.

    Raises:
        UsageError: An option does not fit, or another process is doing the same import.
        InputFileError: A source cannot be read; imports before it stay.
        PluginError: The venue's plug-in cannot be used.
    """
    with bloor_errors():
        spec = configured_host().normalizer(venue)
        wanted = [parse_symbol(text) for text in ([symbols] if isinstance(symbols, str) else symbols)]
        for named, _ in wanted:
            if named not in (None, venue):
                raise UsageError(f"symbols: expected symbols of {venue}, got one of {named}")
        options = ImportOptions(
            symbols=[name for _, name in wanted],
            source_format=source_format,
            instruments=load_instruments(Path(instruments), spec) if instruments is not None else (),
            assume_empty=assume_empty,
            replace=replace,
            progress=progress,
        )
        folder = catalogue_folder(None if into is None else Path(into), os.environ)
        return list(import_sources(folder, spec, paths_of(sources), options))
