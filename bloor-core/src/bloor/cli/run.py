"""``bloor run``: trade with one or more strategies."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from bloor.cli.parameters import AsJson, Authority, ConfigFile, Settings
from bloor.cli.shell import ManyValues, example, write_json

if TYPE_CHECKING:
    from bloor.host.options import RunOptions

__all__ = ["EXAMPLE", "RunCommand", "run"]

EXAMPLE = example(
    "bloor run -p momentum",
    "bloor run -p momentum --venue binance --symbol ETH-USDT --duration 5m",
    "bloor run -p momentum --venue kraken --venue coinbase",
    "bloor run -p momentum --seed 7 --set strategy.momentum.fast=10 --json",
    "bloor run -p momentum --mode paper --venue binance",
    "bloor run -p momentum --mode live --venue binance --env testnet --arm binance:testnet",
)


class RunCommand(ManyValues):
    """``run`` has no arguments of its own, so ``-p a b`` can only mean two plug-ins."""

    many = ("--data", "-p", "--plugin")


def run(
    ctx: typer.Context,
    plugin: Annotated[
        list[str] | None,
        typer.Option("-p", "--plugin", metavar="NAME", help="A strategy to run; no:NAME blocks a plug-in. Repeatable."),
    ] = None,
    venue: Annotated[
        list[str] | None, typer.Option("--venue", metavar="VENUE", help="A venue to trade on. Repeatable.")
    ] = None,
    symbol: Annotated[
        list[str] | None,
        typer.Option("--symbol", metavar="SYMBOL", help="BTC-USDT at every venue, or binance:BTC-USDT. Repeatable."),
    ] = None,
    mode: Annotated[
        str | None,
        typer.Option("--mode", metavar="MODE", help="sim (the default), paper or live: what to trade on."),
    ] = None,
    env: Annotated[
        str | None,
        typer.Option("--env", metavar="ENV", help="The venue's environment in paper and live mode: prod or testnet."),
    ] = None,
    duration: Annotated[
        str | None,
        typer.Option("--duration", metavar="TIME", help="How long: 30s, 5m. If not given, 30s in sim, else no end."),
    ] = None,
    config: ConfigFile = None,
    sets: Settings = None,
    data: Annotated[
        list[Path] | None,
        typer.Option("--data", metavar="FILE...", help="Recordings that drive the simulated venue. Repeatable."),
    ] = None,
    speed: Annotated[
        float | None, typer.Option("--speed", metavar="X", help="Recorded seconds per second; 0 is flat out.")
    ] = None,
    seed: Annotated[int | None, typer.Option("--seed", metavar="N", help="Seeds the simulated market.")] = None,
    session: Annotated[
        Path | None, typer.Option("--session", metavar="DIR", help="The session folder to make.")
    ] = None,
    arm: Annotated[
        list[str] | None,
        typer.Option("--arm", metavar="VENUE:ENV", help="Where live mode may trade: binance:prod. Repeatable."),
    ] = None,
    authority: Authority = None,
    spin: Annotated[
        bool, typer.Option("--spin", help="Never sleep: takes a CPU whole, and hears of a frame sooner.")
    ] = False,
    json: AsJson = False,
) -> None:
    """Trade with one or more strategies: on a simulated venue, on paper, or live.

    sim starts a simulated venue on this machine. paper takes the real venue's public market data and matches orders
    here. live sends real orders; it needs keys (a keyring or a file of mode 0600), every risk limit stated, and --arm.
    Ctrl-C cancels what is open and ends the run.

    Strategies and venues are loaded when they are named; every installed risk check is loaded.
    """
    from bloor.cli.logs import configure
    from bloor.config import Duration, LogConfig, Mode
    from bloor.config.structure import read_value
    from bloor.host.options import RunOptions

    names = plugin or []
    options = RunOptions(
        plugins=tuple(name for name in names if not name.startswith("no:")),
        blocked=tuple(name.removeprefix("no:") for name in names if name.startswith("no:")),
        venues=tuple(venue or ()),
        symbols=tuple(symbol or ()),
        mode=None if mode is None else read_value(Mode, mode, "--mode", "run.mode"),
        env=env,
        duration_s=None if duration is None else read_value(Duration, duration, "--duration", "run.duration").seconds,
        config=config,
        sets=tuple(sets or ()),
        data=tuple(data or ()),
        speed=speed,
        seed=seed,
        session=session,
        armed=tuple(arm or ()),
        authority=authority,
        spin=spin,
        json=json,
    )
    layers = options.layers(os.environ)
    if ctx.obj["log_level"] is None:
        configure(layers.section("log", LogConfig).level)
    raise typer.Exit(_run(options))


def _run(options: RunOptions) -> int:
    """Runs, with a live view on a terminal, and shows the summary."""
    import sys

    from bloor.host.run import run as run_host

    if options.json:
        result = run_host(options)
        write_json(result.document)
    else:
        from rich.console import Console

        from bloor.cli.live import LiveView
        from bloor.cli.screen import summary_screen

        result = run_host(options, LiveView() if sys.stdout.isatty() else None)
        Console().print(summary_screen(result.document))
    if result.failure:
        typer.echo(f"error: the run failed: {result.failure}", err=True)
    return result.exit_code
