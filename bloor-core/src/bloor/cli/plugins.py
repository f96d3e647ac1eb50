"""``bloor plugins``: what is installed, and whether it works."""

from __future__ import annotations

import time
from collections.abc import Iterable
from typing import TYPE_CHECKING, Annotated, Any

import typer

from bloor.cli.hosts import configured_host
from bloor.cli.shell import ManyValues, example, write_json
from bloor.cli.tables import print_table
from bloor.errors import PluginError, UsageError

if TYPE_CHECKING:
    from bloor.plugins import Installed, PluginHost

__all__ = ["app"]

app = typer.Typer(
    help="What is installed, and whether it works.",
    no_args_is_help=True,
    rich_markup_mode=None,
    epilog=example("bloor plugins list"),
)

Json = Annotated[bool, typer.Option("--json", help="Print one JSON document.")]
Named = Annotated[
    list[str] | None, typer.Option("-p", metavar="no:NAME", help="Block a plug-in, as in bloor run. Repeatable.")
]

#: What a plug-in of each kind must bring to be of any use, and what else it may bring.
_EXPECTED = {
    "venue": ("bloor_feed", "bloor_normalizer", "bloor_executor", "bloor_simulated_venue"),
    "feed": ("bloor_feed", "bloor_normalizer"),
    "strategy": ("bloor_strategy",),
    "risk_check": ("bloor_risk_check",),
    "unknown": (),
}


class Blocks(ManyValues):
    """A command whose ``-p`` takes several values."""

    many = ("-p",)


@app.command("list", cls=Blocks, epilog=example("bloor plugins list", "bloor plugins list --json"))
def list_plugins(json: Json = False, plugin: Named = None) -> None:
    """List every installed plug-in. Nothing is imported."""
    from bloor.plugins.listing import listing

    rows = listing(_host(plugin))
    if json:
        write_json({"plugins": rows})
    else:
        print_table(("name", "kind", "api", "distribution", "version", "state", "reason"), rows)


@app.command(epilog=example("bloor plugins info momentum"))
def info(
    name: Annotated[str, typer.Argument(metavar="NAME", help="What you would type after -p.")],
    json: Json = False,
) -> None:
    """Import one plug-in and show what it brings: hooks, parameters and limits."""
    from bloor.cli.describe import describe_plugin

    host = _host(None)
    document = describe_plugin(host, name)
    document["record_sha256"] = _record(host, name)
    if json:
        write_json(document)
        return
    for key, value in document.items():
        if key != "settings":
            typer.echo(f"{key + ':':<15}{', '.join(map(str, value)) if isinstance(value, list) else value}")
    if document["settings"]:
        typer.echo(f"\nsettings in [{document['section']}]:")
        print_table(("key", "type", "default", "doc"), document["settings"])


@app.command(cls=Blocks, epilog=example("bloor plugins doctor", "bloor plugins doctor --json"))
def doctor(json: Json = False, plugin: Named = None) -> None:
    """Import every installed plug-in, ask every hook, and report what is wrong.

    Exit code 1 when any plug-in is broken. An import time includes the hooks, and whatever is imported first here.
    """
    host = _host(plugin)
    rows = [_examine(host, entry) for found in host.catalog.entries.values() for entry in found]
    if json:
        write_json({"plugins": rows, "ok": _healthy(rows)})
    else:
        print_table(("name", "kind", "distribution", "version", "state", "import_ms", "missing", "reason"), rows)
    if not _healthy(rows):
        raise typer.Exit(1)


def _healthy(rows: Iterable[dict[str, Any]]) -> bool:
    return all(row["state"] in ("ok", "blocked") for row in rows)


def _host(named: list[str] | None) -> PluginHost:
    """A host with the blocks and the allow-list of the configuration, and the blocks of the command."""
    for name in named or ():
        if not name.startswith("no:"):
            raise UsageError(f"-p: expected no:NAME, which blocks a plug-in, got {name!r}")
    return configured_host(name.removeprefix("no:") for name in named or ())


def _examine(host: PluginHost, entry: Installed) -> dict[str, Any]:
    """A line of the list, after importing the plug-in and asking every hook it has."""
    from bloor.plugins.listing import row as listed

    row = listed(host, entry) | {"import_ms": None, "hooks": [], "missing": []}
    if row["state"] != "ok":
        return row
    began = time.perf_counter()
    try:
        loaded = host.load(entry.name)
        row["hooks"] = list(loaded.hooks)
        row["missing"] = [hook for hook in _EXPECTED[entry.kind.value] if hook not in loaded.hooks]
        host.answers(entry.name)
        row["import_ms"] = round((time.perf_counter() - began) * 1e3, 1)
    except PluginError as error:
        return row | {"state": "broken", "reason": f"{error.cause}{error.hint}"}
    if row["missing"] and entry.kind.value != "venue":
        return row | {"state": "broken", "reason": f"a {entry.kind.value} must implement {row['missing'][0]}"}
    return row


def _record(host: PluginHost, name: str) -> str | None:
    from bloor.plugins.trust import record_sha256

    distribution = host.catalog.find(name).entry_point.dist
    return record_sha256(distribution) if distribution else None
