"""What is installed, as rows: from metadata alone."""

from __future__ import annotations

from typing import Any

from bloor.plugins.catalog import Installed
from bloor.plugins.host import PluginHost
from bloor.plugins.promise import api_warning

__all__ = ["listing", "row"]


def listing(host: PluginHost) -> list[dict[str, Any]]:
    """A row for every installed plug-in. Nothing is imported."""
    return [row(host, entry) for found in host.catalog.entries.values() for entry in found]


def row(host: PluginHost, entry: Installed) -> dict[str, Any]:
    """Name, kind, API version, origin and state (``ok``, ``blocked``, ``broken``, ``conflict``) of one plug-in."""
    refused = host.refused(entry)
    state, reason = "ok", api_warning(entry.api)
    if len(host.catalog.entries[entry.name]) > 1:
        state, reason = "conflict", "several distributions register this name"
    elif refused:
        state, reason = "blocked", refused
    elif entry.problem:
        state, reason = "broken", entry.problem
    return {
        "name": entry.name,
        "kind": entry.kind.value,
        "api": entry.api,
        "distribution": entry.distribution,
        "version": entry.version,
        "entry_point": entry.value,
        "state": state,
        "reason": reason,
    }
