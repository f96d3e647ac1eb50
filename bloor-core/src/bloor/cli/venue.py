"""``bloor venue``: a venue to try things on, without the internet."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from bloor.cli.hosts import configured_host
from bloor.cli.shell import ManyValues, example

__all__ = ["app"]

app = typer.Typer(
    help="A venue of your own to try things on.",
    no_args_is_help=True,
    rich_markup_mode=None,
    epilog=example("bloor venue sim binance"),
)


@app.callback()
def _venue() -> None:
    """A venue of your own to try things on."""


@app.command(
    cls=ManyValues, epilog=example("bloor venue sim binance --port 9000 --seed 7", "bloor venue sim binance --json")
)
def sim(
    name: Annotated[str, typer.Argument(metavar="NAME", help="The venue.")],
    port: Annotated[int, typer.Option("--port", metavar="N", min=0, max=65535, help="0 takes a free one.")] = 0,
    data: Annotated[
        list[Path] | None,
        typer.Option("--data", metavar="FILE...", help="Recordings that drive the market. Repeatable."),
    ] = None,
    speed: Annotated[
        float, typer.Option("--speed", metavar="X", min=0, help="Recorded seconds per second; 0 is flat out.")
    ] = 1.0,
    seed: Annotated[int, typer.Option("--seed", metavar="N", min=0, help="Fixes what the market does by itself.")] = 1,
    opened: Annotated[
        int,
        typer.Option(
            "--opened", metavar="NS", min=0, help="When values began, ns since the epoch; the same is one market."
        ),
    ] = 0,
    dislocations: Annotated[
        float,
        typer.Option("--dislocations", metavar="X", min=0, max=100, help="Factor on how far prices stray."),
    ] = 1.0,
    faults: Annotated[str, typer.Option("--faults", metavar="SPEC", help="Faults, e.g. lost-ack:0.05,gap:0.01.")] = "",
    symbol: Annotated[
        list[str] | None, typer.Option("--symbol", metavar="SYMBOL", help="What to list. Repeatable.")
    ] = None,
    fee_asset: Annotated[
        str, typer.Option("--fee-asset", metavar="ASSET", help="A third asset that fees are taken in, such as BNB.")
    ] = "",
    tls: Annotated[
        bool, typer.Option("--tls", help="Serve https and wss, with a certificate of an authority of its own.")
    ] = False,
    json: Annotated[bool, typer.Option("--json", help="Print one line of JSON when ready.")] = False,
) -> None:
    """Serve a simulated venue that speaks the venue's real wire protocol, on loopback, until interrupted.

    The market is seeded, or driven by recordings. Seeded venues of one seed share one market, also when they
    are started apart: what assets are worth follows the clock. When it is ready, it prints its URLs and an account's
    credentials; with --tls also the file of the authority to trust.
    """
    from bloor.model.symbols import parse_symbol
    from bloor.simulation.server import run_server
    from bloor.simulation.venue import SimulationOptions

    spec = configured_host().simulated_venue(name)
    options = SimulationOptions(
        seed=seed,
        opened_ns=opened,
        dislocations=dislocations,
        symbols=tuple(parse_symbol(text)[1] for text in symbol or ()),
        recordings=tuple(data or ()),
        speed=speed,
        faults=faults,
        fee_asset=fee_asset,
    )
    raise typer.Exit(run_server(spec, options, port, json_ready=json, tls=tls))
