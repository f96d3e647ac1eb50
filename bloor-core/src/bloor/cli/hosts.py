"""The plug-in host of commands that are no run, imported when a command needs it."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from bloor.plugins import PluginHost

__all__ = ["configured_host"]


def configured_host(blocked: Iterable[str] = ()) -> PluginHost:
    """:func:`bloor.plugins.configured.configured_host`."""
    from bloor.plugins.configured import configured_host as make

    return make(blocked)
