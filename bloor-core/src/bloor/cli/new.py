"""``bloor new``: the package of a plug-in of one's own."""

from __future__ import annotations

import time
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from bloor.cli.shell import example, write_json

__all__ = ["EXAMPLE", "new"]

EXAMPLE = example("bloor new strategy dip", "bloor new venue my-venue --out ~/code --license MIT")


class KindWord(StrEnum):
    """What can be made."""

    VENUE = "venue"
    STRATEGY = "strategy"
    RISK_CHECK = "risk-check"
    EXECUTOR = "executor"
    NORMALIZER = "normalizer"


class LicenceWord(StrEnum):
    """Under which licence."""

    APACHE = "Apache-2.0"
    MIT = "MIT"
    NONE = "none"


#: What to try with a package of each kind.
_TRY = {
    KindWord.VENUE: "bloor run -p momentum --venue {name}",
    KindWord.STRATEGY: "bloor run -p {name}",
    KindWord.RISK_CHECK: "bloor plugins info {name}",
    KindWord.EXECUTOR: "bloor venue sim {name}",
    KindWord.NORMALIZER: "bloor data normalize --venue {name} RECORDING",
}


def new(
    kind: Annotated[
        KindWord, typer.Argument(metavar="KIND", help="venue, strategy, risk-check, executor or normalizer.")
    ],
    name: Annotated[str, typer.Argument(metavar="NAME", help="What users will type; the package is bloor-NAME.")],
    out: Annotated[
        Path | None, typer.Option("--out", metavar="DIR", help="Where to make its folder bloor-NAME; here without.")
    ] = None,
    licence: Annotated[
        LicenceWord, typer.Option("--license", metavar="ID", help="Apache-2.0, MIT, or none: not to be published.")
    ] = LicenceWord.APACHE,
    json: Annotated[bool, typer.Option("--json", help="Print one JSON document.")] = False,
) -> None:
    """Make a package for a plug-in, which installs and passes its tests at once.

    It has its own tests (the contract cards among them), a README, a licence and its entry point. What stands in it
    works; replace it by your own. Nothing is written when the name is taken or the folder exists.
    """
    from bloor.plugins.catalog import discover
    from bloor.scaffold import Licence, ScaffoldKind, new_package

    made = new_package(
        ScaffoldKind(kind.value),
        name,
        out=(out or Path()).expanduser(),
        catalog=discover(),
        year=time.strftime("%Y"),
        licence=Licence(licence.value),
    )
    tries = ['pip install --editable ".[test]"', "pytest", _TRY[kind].format(name=name)]
    if json:
        document = {
            "kind": kind.value,
            "name": made.name,
            "distribution": made.distribution,
            "module": made.module,
            "folder": str(made.folder.absolute()),
            "files": made.files,
            "next": tries,
        }
        write_json(document)
        return
    typer.echo(f"{made.folder}: {len(made.files)} files\n")
    for line in [f"cd {made.folder}", *tries]:
        typer.echo(f"  {line}")
