"""``bloor data import``, ``ls``, ``sql`` and ``export``: market data that is kept."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from bloor.cli.hosts import configured_host
from bloor.cli.shell import example, write_json
from bloor.cli.tables import print_table

if TYPE_CHECKING:
    from collections.abc import Callable

    from bloor.storage.importing import Imported

__all__ = ["add_to"]

Catalogue = Annotated[
    Path | None,
    typer.Option("--catalogue", metavar="DIR", help="The catalogue; $BLOOR_CATALOGUE, else ./catalogue, without."),
]
Json = Annotated[bool, typer.Option("--json", help="Print one JSON document.")]


class SourceFormat(StrEnum):
    """How sources are read."""

    AUTO = "auto"
    RECORDING = "recording"
    BINANCE_DUMP = "binance-dump"
    HFTBACKTEST = "hftbacktest"
    TARDIS = "tardis"


class OutputFormat(StrEnum):
    """What can be written."""

    CSV = "csv"
    PARQUET = "parquet"
    NPZ_HFTBACKTEST = "npz-hftbacktest"


def add_to(app: typer.Typer) -> None:
    """Adds the commands to the group ``bloor data``."""
    app.command(
        "import",
        epilog=example(
            "bloor data import --venue binance recording.txt.gz",
            "bloor data import --venue binance --into /data BTCUSDT-trades-2024-08-*.zip",
        ),
    )(import_)
    app.command("ls", epilog=example("bloor data ls --check"))(ls)
    app.command("sql", epilog=example('bloor data sql "select symbol, count(*) from trades group by symbol"'))(sql)
    app.command(
        "export",
        epilog=example("bloor data export --venue binance --symbol BTC-USDT --format npz-hftbacktest -o btc.npz"),
    )(export)


def import_(
    paths: Annotated[list[Path], typer.Argument(metavar="PATH...", help="Recordings, session folders, dumps.")],
    venue: Annotated[str, typer.Option("--venue", metavar="VENUE", help="Whose data this is.")],
    into: Annotated[
        Path | None,
        typer.Option("--into", metavar="DIR", help="The catalogue; $BLOOR_CATALOGUE, else ./catalogue, without."),
    ] = None,
    symbol: Annotated[
        list[str] | None, typer.Option("--symbol", metavar="SYMBOL", help="An instrument that is wanted. Repeatable.")
    ] = None,
    source_format: Annotated[
        SourceFormat, typer.Option("--format", help="How to read the sources.")
    ] = SourceFormat.AUTO,
    instruments: Annotated[
        Path | None,
        typer.Option(
            "--instruments", metavar="FILE", help="Instruments, as the venue's REST lists them; else inferred."
        ),
    ] = None,
    assume_empty: Annotated[
        bool, typer.Option("--assume-empty", help="Begin with empty books instead of waiting for snapshots.")
    ] = False,
    replace: Annotated[
        bool, typer.Option("--replace", help="Import again what is in the catalogue already, and replace it.")
    ] = False,
    json: Json = False,
) -> None:
    """Keep market data: make event stores from recordings, sessions and files of others.

    What was imported before is noticed and left as it is. Interrupted at any moment, the same command continues.
    """
    spec = configured_host().normalizer(venue)
    from bloor.market.instruments import load_instruments
    from bloor.model.symbols import parse_symbol
    from bloor.storage.importing import ImportOptions, import_data
    from bloor.storage.layout import catalogue_folder
    from bloor.storage.parquet import has_parquet

    folder = catalogue_folder(into, os.environ)
    wanted = [parse_symbol(text) for text in symbol or ()]
    for named, _ in wanted:
        if named not in (None, venue):
            raise typer.BadParameter(f"expected symbols of {venue}, got one of {named}")
    known = load_instruments(instruments, spec) if instruments else ()
    done: list[Imported] = []
    try:
        with _progress(quiet=json) as progress:
            options = ImportOptions(
                symbols=[name for _, name in wanted],
                source_format=source_format.value,
                instruments=known,
                assume_empty=assume_empty,
                replace=replace,
                progress=progress,
            )
            done.extend(import_data(folder, spec, paths, options))
    finally:  # also what was finished before a source that cannot be read
        for imported in [] if json else done:
            _tell(imported)
    if not json and not has_parquet():
        typer.echo("only the form for running was written; for Parquet too: pip install 'bloor-core[data]'", err=True)
    if json:
        write_json({"catalogue": str(folder), "parquet": has_parquet(), "imports": [_document(i) for i in done]})


def _document(imported: Imported) -> dict[str, Any]:
    from attrs import asdict

    made = asdict(imported.manifest)
    for part in made["parts"]:
        part["symbol"] = part.pop("instrument")["symbol"]
    return {"new": imported.new, "already": list(imported.already), "resumed": imported.resumed, **made}


def _tell(imported: Imported) -> None:
    """Says what became of an import."""
    made = imported.manifest
    for name in imported.already:
        typer.echo(f"{name}: already imported, in {made.id}" if not imported.new else f"{name}: already imported")
    if not imported.new:
        return
    rows = [
        {"symbol": p.instrument.symbol, "day": p.day, "rows": p.rows, **p.kinds, "gaps": len(p.gaps)}
        for p in made.parts
    ]
    names = dict.fromkeys(name for row in rows for name in row)
    if rows:
        print_table(list(names), rows)
    counts = made.counts
    typer.echo(
        f"{made.id}: {counts['read']} read, {counts['rows']} stored, {counts.get('gaps', 0)} gaps, "
        f"{counts['errors']} errors, from {', '.join(s.name for s in made.sources if s.stored)}"
    )
    for error in made.errors:
        typer.echo(error)
    if not rows:
        typer.echo("nothing was stored: no wanted instrument, or no trade, quote or book that could be built")


@contextmanager
def _progress(*, quiet: bool) -> Iterator[Callable[[str, int, int], None] | None]:
    """A line on a terminal that says how far the work is; elsewhere only that an interrupted import continues."""
    from bloor.storage.importing import CONTINUING

    if quiet:
        yield None
        return
    if not sys.stderr.isatty():
        yield (
            lambda what, rows, messages: (
                typer.echo(f"{what}: {messages:,} messages, {rows:,} records are safe", err=True)
                if what == CONTINUING
                else None
            )
        )
        return
    import time

    from rich.console import Console
    from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

    begun, before = 0.0, 0
    columns = (SpinnerColumn(), TextColumn("{task.description}"), TimeElapsedColumn())
    bar = Progress(*columns, console=Console(stderr=True), transient=True)
    task = bar.add_task("")

    def told(what: str, rows: int, messages: int) -> None:
        nonlocal begun, before
        begun = begun or time.monotonic()
        if what == CONTINUING:
            before = messages
            bar.console.print(f"{what}: {messages:,} messages, {rows:,} records are safe")
        rate = (messages - before) / max(time.monotonic() - begun, 0.001)
        seen = f": {messages:,} messages, {rows:,} records, {rate:,.0f} messages/s" if messages else ""
        bar.update(task, description=f"{what}{seen}")

    with bar:
        yield told


def ls(
    catalogue: Catalogue = None,
    check: Annotated[
        bool, typer.Option("--check", help="Compare every file with its hash; end with 1 if any differs.")
    ] = False,
    json: Json = False,
) -> None:
    """List what is in a catalogue: instruments, days, counts and where they came from."""
    from attrs import asdict

    from bloor.storage.check import damaged
    from bloor.storage.layout import catalogue_folder
    from bloor.storage.manifest import read_imports
    from bloor.storage.parts import ORDERS

    folder = catalogue_folder(catalogue, os.environ)
    imports = read_imports(folder)
    wrong = damaged(folder, imports) if check else []
    rows = [
        {
            "venue": p.instrument.venue,
            "symbol": p.instrument.symbol,
            "day": p.day,
            "rows": p.rows,
            "by_order": ORDERS in p.kinds,
            "gaps": len(p.gaps),
            "bytes": p.events.bytes,
            "parquet_bytes": p.parquet.bytes if p.parquet else None,
            "import": i.id,
            "source": [s.name for s in i.sources if s.stored],
        }
        for i in imports
        for p in sorted(i.parts, key=lambda p: (p.instrument.symbol, p.day))
    ]
    if json:
        write_json(
            {
                "catalogue": str(folder),
                "parts": rows,
                "imports": [asdict_plain(asdict(i)) for i in imports],
                "damaged": wrong,
            }
        )
    elif rows:
        print_table(list(rows[0]), rows)
    else:
        typer.echo(f"{folder}: the catalogue is empty; fill it with bloor data import")
    for text in [] if json else wrong:
        typer.echo(text)
    if wrong:
        raise typer.Exit(1)


def asdict_plain(document: Any) -> Any:
    """The same document with what JSON does not know as text."""
    if isinstance(document, dict):
        return {key: asdict_plain(value) for key, value in document.items()}
    if isinstance(document, list):
        return [asdict_plain(value) for value in document]
    return document if isinstance(document, str | int | float | bool | None) else str(document)


def sql(
    statement: Annotated[str, typer.Argument(metavar="STATEMENT", help="One SQL statement, in DuckDB's dialect.")],
    catalogue: Catalogue = None,
    json: Json = False,
) -> None:
    """Ask a catalogue in SQL: views events, trades, bbo, book and levels.

    Prices and quantities are there as doubles (price) and as exact decimals (price_exact).
    """
    from bloor.storage.layout import catalogue_folder
    from bloor.storage.sql import query

    answer = query(catalogue_folder(catalogue, os.environ), statement)
    rows = [dict(zip(answer.columns, row, strict=True)) for row in answer]
    if json:
        write_json({"columns": answer.columns, "rows": [asdict_plain(row) for row in rows]})
    else:
        print_table(answer.columns, rows)


def export(
    venue: Annotated[str, typer.Option("--venue", metavar="VENUE", help="The venue.")],
    symbol: Annotated[str, typer.Option("--symbol", metavar="SYMBOL", help="The instrument.")],
    output: Annotated[Path, typer.Option("-o", "--output", metavar="FILE", help="The file to write.")],
    form: Annotated[OutputFormat, typer.Option("--format", help="What to write.")] = OutputFormat.CSV,
    start: Annotated[str | None, typer.Option("--from", metavar="TIME", help="First day or time, UTC.")] = None,
    end: Annotated[
        str | None, typer.Option("--to", metavar="TIME", help="Last day, or the time to end before, UTC.")
    ] = None,
    catalogue: Catalogue = None,
    json: Json = False,
) -> None:
    """Write stored events of one instrument to a file."""
    from bloor.storage.export import ExportFormat
    from bloor.storage.export import export as write
    from bloor.storage.load import load

    rows = write(load(venue, symbol, start=start, end=end, catalogue=catalogue), output, ExportFormat(form.value))
    if json:
        write_json({"file": str(output), "format": form.value, "rows": rows})
    else:
        typer.echo(f"{output}: {rows} rows")
