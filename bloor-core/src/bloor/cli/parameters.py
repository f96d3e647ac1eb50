"""Options that several commands have, said once."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

__all__ = ["AsJson", "Authority", "ConfigFile", "Settings"]

ConfigFile = Annotated[
    Path | None, typer.Option("--config", metavar="FILE", help="Configuration; ./bloor.toml is read if not given.")
]
Settings = Annotated[
    list[str] | None,
    typer.Option("--set", metavar="KEY=VALUE", help="One configuration value, by dotted path. Repeatable."),
]
Authority = Annotated[
    Path | None,
    typer.Option("--ca", metavar="FILE", help="A certificate authority (PEM) to trust beside the system's."),
]
AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON document, and nothing else.")]
