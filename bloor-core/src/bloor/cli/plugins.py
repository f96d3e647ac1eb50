"""``bloor plugins``: what is installed, and whether it works."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from bloor.cli.hosts import configured_host
from bloor.cli.shell import ManyValues, example, write_json
from bloor.cli.tables import print_table
from bloor.errors import UsageError

if TYPE_CHECKING:
    from bloor.plugins import PluginHost

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
        where = f"settings in [{document['section']}]" if document["section"] else f"{name}:key=value,... takes"
        typer.echo(f"\n{where}:")
        print_table(("key", "type", "default", "doc"), document["settings"])


@app.command(cls=Blocks, epilog=example("bloor plugins doctor", "bloor plugins doctor binance --online"))
def doctor(
    names: Annotated[
        list[str] | None, typer.Argument(metavar="[NAME...]", help="What to examine; every plug-in without.")
    ] = None,
    json: Json = False,
    plugin: Named = None,
    online: Annotated[
        bool, typer.Option("--online", help="Ask each venue for its time, at the address that is configured.")
    ] = False,
) -> None:
    """Examine every installed plug-in and what they stand on, and report what is wrong.

    Each plug-in is imported in a process of its own, which tells what that costs, and asked every hook; its section,
    keys and own checks are looked at. Then versions, extras, caches. Exit code 1 when anything is broken.
    """
    import os

    from bloor.host.doctor.machine import checks
    from bloor.host.doctor.round import rows

    host = _host(plugin)
    found = list(rows(host, names or (), online=online))
    general = [
        {"plugin": "", "check": c.subject, "finding": c.finding.value, "text": c.text, "advice": c.advice}
        for c in checks(host, os.environ)
    ]
    named = [{"plugin": row["name"], **check} for row in found for check in row.pop("checks")]
    healthy = all(row["state"] in ("ok", "blocked") for row in found)
    healthy = healthy and all(check["finding"] != "fail" for check in [*general, *named])
    if json:
        write_json({"plugins": found, "checks": [*general, *named], "ok": healthy})
    else:
        _show(found, [*general, *named])
    if not healthy:
        raise typer.Exit(1)


@app.command(epilog=example("bloor plugins cards momentum", "bloor plugins cards binance --json"))
def cards(
    name: Annotated[str, typer.Argument(metavar="NAME", help="What you would type after -p.")],
    tests: Annotated[
        Path | None,
        typer.Option("--tests", metavar="FOLDER", help="Run the plug-in's own tests, with what they declare, instead."),
    ] = None,
    json: Json = False,
) -> None:
    """Run the numbered contract cards of an installed plug-in: what it promises, and what it can.

    Nothing is traded and nobody is asked: venues are their own simulations, in virtual time. Needs
    bloor-core[testing]. Exit code 1 when a card failed. docs: reference, cards.
    """
    from bloor.cli.cards import run_cards

    _host(None).load(name)
    report, code = run_cards(name, tests, quiet=json)
    if json:
        write_json(report | {"ok": code == 0})
    if code:
        raise typer.Exit(1)


def _show(plugins: list[dict[str, Any]], checks: list[dict[str, Any]]) -> None:
    print_table(
        ("name", "kind", "api", "distribution", "version", "state", "import_ms", "hooks_ms", "missing", "reason"),
        plugins,
    )
    typer.echo()
    print_table(("plugin", "check", "finding", "text"), checks)
    for check in checks:
        if check["advice"] and check["finding"] in ("warn", "fail"):
            typer.echo(f"\n{check['plugin'] or 'bloor'}, {check['check']}: {check['advice']}")


def _host(named: list[str] | None) -> PluginHost:
    """A host with the blocks and the allow-list of the configuration, and the blocks of the command."""
    for name in named or ():
        if not name.startswith("no:"):
            raise UsageError(f"-p: expected no:NAME, which blocks a plug-in, got {name!r}")
    return configured_host(name.removeprefix("no:") for name in named or ())


def _record(host: PluginHost, name: str) -> str | None:
    from bloor.plugins.trust import record_sha256

    distribution = host.catalog.find(name).entry_point.dist
    return record_sha256(distribution) if distribution else None
