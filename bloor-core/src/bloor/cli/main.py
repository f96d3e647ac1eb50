"""The command ``bloor``: its groups, its global options and its entry point.

Modules of commands import nothing heavy at their top, so that ``bloor --help`` answers at once.
"""

from __future__ import annotations

import os
from typing import Annotated

import typer

from bloor import __version__
from bloor.cli import backtest, catalogue, check, data, new, plugins, record, replay, run, venue
from bloor.cli.shell import Shell, example, write_json

__all__ = ["app", "main"]

app = typer.Typer(
    cls=Shell,
    name="bloor",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    epilog=example("bloor run -p momentum", "bloor plugins list"),
)


def _show_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"bloor {__version__}")
        raise typer.Exit


@app.callback()
def root(
    ctx: typer.Context,
    log_level: Annotated[
        str | None, typer.Option("--log-level", metavar="LEVEL", help="debug, info, warning or error.")
    ] = None,
    _version: Annotated[
        bool, typer.Option("--version", help="Show the version.", is_eager=True, callback=_show_version)
    ] = False,
) -> None:
    """Trade crypto with plug-ins: one process, from received bytes to a sent order."""
    from bloor.cli.logs import configure
    from bloor.config.sections import LogLevel
    from bloor.config.structure import read_value

    said = {"--log-level": log_level, "environment variable BLOOR_LOG__LEVEL": os.environ.get("BLOOR_LOG__LEVEL")}
    levels = [read_value(LogLevel, text.lower(), source, "log.level") for source, text in said.items() if text]
    configure(levels[0] if levels else LogLevel.INFO)
    ctx.obj = {"log_level": log_level}


app.command("run", cls=run.RunCommand, epilog=run.EXAMPLE)(run.run)
app.command("backtest", cls=backtest.BacktestCommand, epilog=backtest.EXAMPLE)(backtest.backtest)
app.command("check", epilog=check.EXAMPLE)(check.check)
app.command("record", cls=record.RecordCommand, epilog=record.EXAMPLE)(record.record)
app.command("replay", epilog=replay.EXAMPLE)(replay.replay)
app.command("new", epilog=new.EXAMPLE)(new.new)
app.add_typer(plugins.app, name="plugins")
catalogue.add_to(data.app)
app.add_typer(data.app, name="data")
app.add_typer(venue.app, name="venue")


@app.command(epilog=example("bloor version --json"))
def version(
    json: Annotated[bool, typer.Option("--json", help="Print one JSON document.")] = False,
) -> None:
    """Show the versions of bloor, of Python and of what bloor is built on."""
    import platform
    from importlib import metadata

    names = ("numba", "numpy", "picows", "aiohttp", "websockets", "orjson", "pluggy", "cryptography")
    parts = {name: metadata.version(name) for name in names}
    document = {"bloor": __version__, "python": platform.python_version(), "platform": platform.platform(), **parts}
    if json:
        write_json(document)
    else:
        for name, value in document.items():
            typer.echo(f"{name:<14}{value}")


def main() -> None:
    """The entry point ``bloor``; ends the process with the command's exit code."""
    app(prog_name="bloor")
