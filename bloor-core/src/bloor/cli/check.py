"""``bloor check``: whether a venue, these keys and this machine are fit to trade with."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from bloor.cli.parameters import AsJson, Authority, ConfigFile, Settings
from bloor.cli.shell import example, write_json

if TYPE_CHECKING:
    from bloor.host.checking import Step

__all__ = ["EXAMPLE", "check"]

EXAMPLE = example("bloor check binance --env testnet", "bloor check binance --symbol ETH-USDT --json")
_COLOURS = {"pass": typer.colors.GREEN, "warn": typer.colors.YELLOW, "fail": typer.colors.RED, "skip": None}


def check(
    venue: Annotated[str, typer.Argument(metavar="VENUE", help="The venue.")],
    env: Annotated[str | None, typer.Option("--env", metavar="ENV", help="prod or testnet.")] = None,
    symbol: Annotated[
        list[str] | None, typer.Option("--symbol", metavar="SYMBOL", help="What to look at. Repeatable.")
    ] = None,
    config: ConfigFile = None,
    sets: Settings = None,
    authority: Authority = None,
    json: AsJson = False,
) -> None:
    """Find out whether a venue, the keys and this machine are fit to trade with. Nothing is traded.

    Looks at the round trip, the clocks, the instruments, the market data, the keys and their rights, the account, a
    test order, order entry with its private stream, and what the venue does when we fall silent. Ends with 1 when a
    step failed.
    """
    from bloor.host.check import CheckOptions
    from bloor.host.check import check as run

    options = CheckOptions(
        venue=venue, env=env, symbols=tuple(symbol or ()), config=config, sets=tuple(sets or ()), authority=authority
    )
    result = run(options) if json else run(options, _show)
    if json:
        write_json(result.document)
    raise typer.Exit(0 if result.passed else 1)


def _show(step: Step) -> None:
    finding = step.finding.value
    typer.echo(f"{typer.style(finding, fg=_COLOURS[finding])}  {step.name:<12}  {step.text}")
    if step.advice:
        typer.echo(f"{'':<20}{step.advice}")
