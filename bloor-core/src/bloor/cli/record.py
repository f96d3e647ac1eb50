"""``bloor record``: keep a venue's market data as it comes."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from bloor.cli.parameters import Authority, ConfigFile, Settings
from bloor.cli.shell import ManyValues, example, write_json
from bloor.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Callable

    from bloor.host.record import RecordOptions

__all__ = ["EXAMPLE", "RecordCommand", "record"]

EXAMPLE = example(
    "bloor record --venue binance --symbol BTC-USDT --symbol ETH-USDT --out btc-eth",
    "bloor record --venue binance-usdm --symbol BTC-USDT --out perp --duration 1h --json",
)


class RecordCommand(ManyValues):
    """``record`` has no arguments of its own, so ``--symbol A B`` can only mean two symbols."""

    many = ("--symbol",)

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """As of every such command; a second venue is refused, and not taken in the place of the first."""
        if sum(arg == "--venue" or arg.startswith("--venue=") for arg in args) > 1:
            raise UsageError("--venue: a recording is of one venue; record each into a folder of its own")
        return super().parse_args(ctx, args)


def record(
    venue: Annotated[str, typer.Option("--venue", metavar="VENUE", help="Whose market data to keep.")],
    out: Annotated[Path, typer.Option("--out", metavar="DIR", help="The folder; one with a recording is continued.")],
    symbol: Annotated[
        list[str] | None, typer.Option("--symbol", metavar="SYMBOL", help="What to record. Repeatable.")
    ] = None,
    duration: Annotated[
        str | None, typer.Option("--duration", metavar="TIME", help="How long: 30s, 5m; until Ctrl-C if not given.")
    ] = None,
    env: Annotated[str, typer.Option("--env", metavar="ENV", help="prod or testnet.")] = "prod",
    config: ConfigFile = None,
    sets: Settings = None,
    authority: Authority = None,
    json: Annotated[bool, typer.Option("--json", help="Print one JSON document at the end.")] = False,
) -> None:
    """Keep a venue's market data: every frame as it came, with the time it was received.

    Nothing that was received is lost when the process is killed. The folder can be given to every command that takes
    recordings. Ctrl-C ends it.
    """
    from bloor.config import Duration
    from bloor.config.structure import read_value
    from bloor.host.record import RecordOptions

    options = RecordOptions(
        venue=venue,
        symbols=tuple(symbol or ()),
        out=out,
        duration_s=None if duration is None else read_value(Duration, duration, "--duration", "run.duration").seconds,
        env=env,
        config=config,
        sets=tuple(sets or ()),
        authority=authority,
    )
    raise typer.Exit(_record(options, json=json))


def _record(options: RecordOptions, *, json: bool) -> int:
    """Records, with live counts on a terminal, and shows what was recorded."""
    from bloor.host.record import record as run

    if json or not sys.stdout.isatty():
        result = run(options)
    else:
        from rich.live import Live

        with Live(refresh_per_second=4, transient=True) as live:
            result = run(options, _watcher(live.update))
    if json:
        write_json(result.document)
    else:
        typer.echo(in_words(result.document))
    if result.failure:
        typer.echo(f"error: the recording failed: {result.failure}", err=True)
    return 1 if result.failure else 0


def _watcher(show: Callable[[str], Any]) -> Callable[[dict[str, Any]], None]:
    def watch(state: dict[str, Any]) -> None:
        show(in_words(state))

    return watch


def in_words(state: dict[str, Any]) -> str:
    """The state of a recording, for a person."""
    names = state["instruments"]
    more = f" and {len(names) - 5} more" if len(names) > 5 else ""
    lines = [
        f"{state['venue']} {', '.join(names[:5])}{more} -> {state['out']}",
        f"  {state['duration_s']:.0f} s, {state['frames']:,} frames, {state['bytes'] / 1e6:,.1f} MB",
        f"  {state['trades']:,} trades, {state['quotes']:,} quotes, {state['books']:,} book updates",
        f"  {state['synchronised']} of {len(names)} books in sync",
        f"  {state['gaps']} gaps, {state['errors']} unreadable frames, connection replaced {state['replaced']} times",
    ]
    return "\n".join(lines)
