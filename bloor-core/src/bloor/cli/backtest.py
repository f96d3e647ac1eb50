"""``bloor backtest``: try strategies on recorded markets."""

from __future__ import annotations

import os
import shlex
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from bloor.cli.parameters import AsJson, ConfigFile, Settings
from bloor.cli.shell import ManyValues, example, write_json
from bloor.errors import RunError, UsageError

if TYPE_CHECKING:
    from bloor.host.backtest.lookahead import Lookahead
    from bloor.host.backtest.options import BacktestOptions

__all__ = ["EXAMPLE", "BacktestCommand", "backtest"]

EXAMPLE = example(
    "bloor backtest -p momentum --venue binance --data recording.txt.gz --report momentum.html",
    "bloor backtest -p momentum --data catalogue --symbol binance:BTC-USDT --start 2024-08-08",
    "bloor backtest -p glft --data catalogue --fees 0.0002/0.0005 --latency 5ms --queue-model power-prob:n=3",
    "bloor backtest -p momentum --data session --set strategy.momentum.fast=10 --json",
    "bloor backtest --calibrate session",
)


class BacktestCommand(ManyValues):
    """``--data a b`` can only mean two sources."""

    many = ("--data", "-p", "--plugin")


def backtest(
    plugin: Annotated[
        list[str] | None,
        typer.Option(
            "-p", "--plugin", metavar="NAME", help="A strategy to test; no:NAME blocks a plug-in. Repeatable."
        ),
    ] = None,
    data: Annotated[
        list[Path] | None,
        typer.Option("--data", metavar="PATH...", help="Catalogues, recordings, dumps, session folders. Repeatable."),
    ] = None,
    venue: Annotated[str | None, typer.Option("--venue", metavar="VENUE", help="Whose data these are.")] = None,
    symbol: Annotated[
        list[str] | None,
        typer.Option("--symbol", metavar="SYMBOL", help="BTC-USDT, or binance:BTC-USDT; all without. Repeatable."),
    ] = None,
    instruments: Annotated[
        Path | None,
        typer.Option(
            "--instruments", metavar="FILE", help="Instruments, as the venue's REST lists them; else inferred."
        ),
    ] = None,
    start: Annotated[str | None, typer.Option("--start", metavar="TIME", help="Earliest date or time (UTC).")] = None,
    end: Annotated[
        str | None, typer.Option("--end", metavar="TIME", help="Latest date (to its end) or time (UTC).")
    ] = None,
    seed: Annotated[int | None, typer.Option("--seed", metavar="N", help="Seeds models that draw numbers.")] = None,
    config: ConfigFile = None,
    sets: Settings = None,
    fees: Annotated[
        str | None,
        typer.Option("--fees", metavar="MODEL", help="none, 0.001, 0.0002/0.0005 (maker/taker), a venue, or a model."),
    ] = None,
    latency: Annotated[
        str | None,
        typer.Option("--latency", metavar="MODEL", help="5ms (each way), 2ms/1ms (there/back), or a model."),
    ] = None,
    queue_model: Annotated[
        str | None,
        typer.Option("--queue-model", metavar="MODEL", help="risk-averse, power-prob:n=3, log-prob, ..."),
    ] = None,
    report: Annotated[
        Path | None, typer.Option("--report", metavar="FILE", help="Write a page with plots: one HTML file.")
    ] = None,
    check_lookahead: Annotated[
        bool,
        typer.Option(
            "--check-lookahead", help="Prove that no decision depends on what comes later; end with 1 if not."
        ),
    ] = False,
    calibrate: Annotated[
        Path | None,
        typer.Option("--calibrate", metavar="SESSION", help="Compare with a run's session, and fit the models to it."),
    ] = None,
    json: AsJson = False,
) -> None:
    """Try strategies on recorded markets: the same classes that trade live, the same risk checks, simulated venues.

    Data that are in no catalogue are imported once and kept. Orders reach the venue after a latency, wait in a queue,
    and fill as far as others really traded.
    """
    from bloor.host.backtest.document import document_of, page_of
    from bloor.host.backtest.options import BacktestOptions
    from bloor.host.backtest.run import backtest as run

    if calibrate is not None:
        given = {
            "--data": data, "--venue": venue, "--symbol": symbol, "--instruments": instruments, "--start": start,
            "--end": end, "--seed": seed is not None, "--config": config, "--set": sets, "--fees": fees,
            "--report": report, "--check-lookahead": check_lookahead,
        }  # fmt: skip
        _check_alone([name for name, value in given.items() if value])
        _calibrate(calibrate, latency, queue_model, json)
        return
    names = plugin or []
    options = BacktestOptions(
        plugins=tuple(name for name in names if not name.startswith("no:")),
        blocked=tuple(name.removeprefix("no:") for name in names if name.startswith("no:")),
        data=tuple(data or ()),
        venue=venue,
        symbols=tuple(symbol or ()),
        instruments=instruments,
        start=start,
        end=end,
        seed=seed,
        config=config,
        sets=tuple(sets or ()),
        fees=fees,
        latency=latency,
        queue_model=queue_model,
    )
    if report is not None:
        _check_place(report)
    progress = _Line() if sys.stderr.isatty() else str
    outcome = run(options, progress=progress)
    document = document_of(outcome)
    unwritten = None
    if report is not None:
        from bloor.host.backtest.sensitivity import sensitivities, sheet_of
        from bloor.observe.page import write_page

        document["sensitivities"] = sensitivities(outcome, progress)
        sheet = sheet_of(document["sensitivities"], document["currency"])
        try:
            write_page(report, page_of(outcome, sensitivities=sheet, command=shlex.join(["bloor", *sys.argv[1:]])))
            document["report"] = str(report)
        except OSError as error:
            unwritten = RunError(f"{report}: the page cannot be written: {error.strerror}; the result is as printed")
    proof = _proved(options) if check_lookahead else None
    if proof is not None:
        document["lookahead"] = proof.as_dict()
    if json:
        write_json(document)
    else:
        from rich.console import Console

        from bloor.cli.backtested import backtest_screen

        Console().print(backtest_screen(document))
    if proof is not None:
        typer.echo(proof.text, err=True)
    if unwritten is not None:
        raise unwritten
    if proof is not None and not proof.same:
        raise typer.Exit(1)


def _check_alone(given: Sequence[str]) -> None:
    """Refuses options that mean nothing where everything is the session's.

    Raises:
        UsageError: There are such.
    """
    if given:
        raise UsageError(
            f"--calibrate: expected no other options than --latency, --queue-model and --json, since everything else "
            f"is the session's; got {', '.join(given)}"
        )


def _check_place(report: Path) -> None:
    """Finds out before a long run whether its page has a place.

    Raises:
        UsageError: It has none.
    """
    if report.is_dir():
        raise UsageError(f"--report: expected a file to write, got the folder {report}")
    if not report.absolute().parent.is_dir():
        raise UsageError(f"--report {report}: expected a folder that exists, there is no {report.absolute().parent}")
    if not os.access(report.absolute().parent, os.W_OK):
        raise UsageError(f"--report {report}: expected a folder to write in, {report.absolute().parent} is read-only")


def _proved(options: BacktestOptions) -> Lookahead:
    """Runs again with the data cut off at some times."""
    from bloor.host.backtest.lookahead import check_lookahead

    return check_lookahead(options)


def _calibrate(session: Path, latency: str | None, queue_model: str | None, json: bool) -> None:
    """Compares a session with backtests of it; ends with 1 when the same answers lead to other decisions."""
    from bloor.host.backtest.parity import parity
    from bloor.plugins.configured import configured_host

    progress = _Line() if sys.stderr.isatty() else str
    found = parity(
        session, configured_host, os.environ, latency=latency, queue_model=queue_model, fit=True, progress=progress
    )
    if json:
        write_json(found.as_dict())
    else:
        from rich.console import Console

        from bloor.cli.backtested import parity_screen

        Console().print(parity_screen(found.as_dict()))
    if found.recorded.first:
        raise typer.Exit(1)


class _Line:
    """What is being done, as one line of a terminal that changes."""

    def __init__(self) -> None:
        self._width = 0

    def __call__(self, text: str) -> Any:
        shown = text[:100]
        sys.stderr.write(f"\r{shown:<{self._width}}\r")
        sys.stderr.flush()
        self._width = len(shown)
        return None
