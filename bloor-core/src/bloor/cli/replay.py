"""``bloor replay``: a session again, from its journal."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from bloor.cli.hosts import configured_host
from bloor.cli.parameters import AsJson
from bloor.cli.shell import example, write_json

if TYPE_CHECKING:
    from collections.abc import Callable

    from bloor.host.replay.run import Watch

__all__ = ["EXAMPLE", "replay"]

EXAMPLE = example(
    "bloor replay sessions/20261122-104821-momentum",
    "bloor replay sessions/20261122-104821-momentum --verify",
    "bloor replay sessions/20261122-104821-momentum --verify --json",
)


def replay(
    session: Annotated[Path, typer.Argument(metavar="SESSION", help="The folder of a session, ended or not.")],
    verify: Annotated[
        bool, typer.Option("--verify", help="Compare every decision and every frame; stop at the first that differs.")
    ] = False,
    json: AsJson = False,
) -> None:
    """Replay a session: its journal through the installed plug-ins.

    Shows what happened. With --verify, ends with 1 when a decision or a frame is not what was recorded, and shows the
    first that differs and the frame that caused it. Frames are compared as they are recorded, without signatures.
    """
    from bloor.host.replay.run import replay as run

    with _progress(quiet=json or not sys.stderr.isatty()) as (step, watch):
        result = run(session, configured_host(), verify=verify, step=step, watch=watch)
    if json:
        write_json(result.document)
    else:
        from rich.console import Console

        from bloor.cli.replayed import replay_screen

        # a pipe has no width; a wide one keeps one row on one line
        Console(highlight=False, width=None if sys.stdout.isatty() else 140).print(replay_screen(result.document))
    if verify and result.failure:
        typer.echo(f"error: not verified: {result.failure}", err=True)
        raise typer.Exit(1)


@contextmanager
def _progress(*, quiet: bool) -> Iterator[tuple[Callable[[str], None], Watch | None]]:
    """What is being done, on a terminal."""
    if quiet:
        yield (lambda _: None), None
        return
    from rich.console import Console

    with Console(stderr=True).status("reading the journal") as status:

        def watch(records: int, size: int, total: int, _: int) -> None:
            share = f"{size / total:.0%}, " if total else ""
            status.update(f"replaying: {share}{records:,} records")

        def step(text: Any) -> None:
            status.update(text)

        yield step, watch
