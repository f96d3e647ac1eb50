"""``bloor data``: recordings of market data, read as a run reads them."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from bloor.cli.hosts import configured_host
from bloor.cli.shell import example
from bloor.cli.tables import print_table

if TYPE_CHECKING:
    from bloor.hookspecs import NormalizerSpec
    from bloor.model.instrument import Instrument

__all__ = ["app"]

app = typer.Typer(
    help="Read recordings of market data, and check them.",
    no_args_is_help=True,
    rich_markup_mode=None,
    epilog=example("bloor data verify --venue binance recording.txt.gz"),
)

Files = Annotated[list[Path], typer.Argument(metavar="FILE...", help="Recordings, plain or gzip; merged by time.")]
Venue = Annotated[str, typer.Option("--venue", metavar="VENUE", help="Whose frames these are.")]
Symbol = Annotated[str | None, typer.Option("--symbol", metavar="SYMBOL", help="The only instrument wanted.")]
Instruments = Annotated[
    Path | None,
    typer.Option("--instruments", metavar="FILE", help="Instruments, as the venue's REST lists them; else inferred."),
]
Empty = Annotated[bool, typer.Option("--assume-empty", help="Begin with empty books instead of waiting for snapshots.")]
Json = Annotated[bool, typer.Option("--json", help="Print a line of JSON per event, the summary last.")]

#: Problems that a person is shown one by one; the rest are counted.
_SHOWN = 20


@app.command(
    epilog=example(
        "bloor data normalize --venue binance recording.txt.gz",
        "bloor data normalize --venue binance --symbol BTC-USDT --depth 5 --json a.txt b.txt | head",
    )
)
def normalize(
    files: Files,
    venue: Venue,
    symbol: Symbol = None,
    depth: Annotated[
        int | None, typer.Option("--depth", metavar="N", min=1, help="Levels a side to show with every top.")
    ] = None,
    instruments: Instruments = None,
    assume_empty: Empty = False,
    json: Json = False,
) -> None:
    """Turn recorded frames of a venue into trades, tops of book and quotes.

    The exit code is 0 when every line was read, whatever it said; bloor data verify judges.
    """
    from bloor.market.normalize import normalize as run

    spec, known = _reading(venue, instruments)
    digest = None if json else _Digest()
    write = digest.take if digest else _line_writer()
    run(spec, files, write=write, symbol=symbol, depth=depth, instruments=known, assume_empty=assume_empty)
    _finish(digest)


@app.command(epilog=example("bloor data verify --venue binance recording.txt.gz"))
def verify(
    files: Files,
    venue: Venue,
    symbol: Symbol = None,
    instruments: Instruments = None,
    assume_empty: Empty = False,
    json: Json = False,
) -> None:
    """Check recordings: report gaps, wrong checksums and lines that cannot be read, and end with 1 if there are any."""
    from bloor.market.normalize import verify as run

    spec, known = _reading(venue, instruments)
    digest = None if json else _Digest()
    write = digest.take if digest else _line_writer()
    summary = run(spec, files, write=write, symbol=symbol, instruments=known, assume_empty=assume_empty)
    _finish(digest)
    if not summary.sound:
        raise typer.Exit(1)


def _reading(venue: str, instruments: Path | None) -> tuple[NormalizerSpec, Sequence[Instrument]]:
    """How a venue's frames are read, and the instruments of the file."""
    spec = configured_host().normalizer(venue)
    from bloor.market.instruments import load_instruments

    return spec, load_instruments(instruments, spec) if instruments else ()


def _line_writer() -> Callable[[dict[str, Any]], None]:
    """Writes lines of JSON to stdout, buffered."""
    import orjson

    out, dumps, newline = sys.stdout.buffer, orjson.dumps, orjson.OPT_APPEND_NEWLINE

    def write(line: dict[str, Any]) -> None:
        out.write(dumps(line, option=newline))

    return write


class _Digest:
    """What a person wants to know of the events: counts and the last prices per instrument, and what is wrong."""

    def __init__(self) -> None:
        self.rows: dict[str, dict[str, Any]] = {}
        self.wrong: list[str] = []
        self.summary: dict[str, Any] = {}

    def take(self, line: dict[str, Any]) -> None:
        """Counts one event."""
        kind = line["kind"]
        if kind == "summary":
            self.summary = line
            return
        if kind == "error":
            self.wrong.append(f"{line['file']}:{line['line']}: {line['reason']}")
            return
        row = self.rows.setdefault(line["symbol"], {"symbol": line["symbol"]})
        row[kind] = row.get(kind, 0) + 1
        if kind == "gap":
            self.wrong.append(f"{line['symbol']}: expected update {line['expected']}, got {line['got']}")
        elif kind == "checksum":
            self.wrong.append(f"{line['symbol']}: expected checksum {line['expected']}, got {line['computed']}")
        elif kind == "top":
            row["best_bid"], row["best_ask"] = (side and side[0] for side in (line["bid"], line["ask"]))
        elif kind in ("trade", "agg_trade"):
            row["last_price"] = line["price"]

    def show(self) -> None:
        """Prints it."""
        columns = (
            "symbol",
            "top",
            "trade",
            "agg_trade",
            "bbo",
            "gap",
            "checksum",
            "best_bid",
            "best_ask",
            "last_price",
        )
        if self.rows:
            print_table(columns, self.rows.values())
            typer.echo()
        for text in self.wrong[:_SHOWN]:
            typer.echo(text)
        if len(self.wrong) > _SHOWN:
            typer.echo(f"and {len(self.wrong) - _SHOWN} more")
        typer.echo(
            ", ".join(f"{count} {key.replace('_', ' ')}" for key, count in self.summary.items() if key != "kind")
        )


def _finish(digest: _Digest | None) -> None:
    if digest is None:
        sys.stdout.flush()
    else:
        digest.show()
