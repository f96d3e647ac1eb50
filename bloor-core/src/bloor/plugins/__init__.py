"""Plug-ins: found in package metadata, imported when named, asked through typed accessors.

::

    host = PluginHost(allow=core.plugins.allow, block=["price-collar"])
    strategy = host.strategy("momentum")

Names, kinds and API versions are read from metadata before anything is imported (:mod:`bloor.plugins.catalog`); the
allow-list is applied there too (:mod:`bloor.plugins.trust`). A plug-in that fails, whatever it does, becomes a
:class:`~bloor.errors.PluginError` that names it, and breaks only what needs it (:mod:`bloor.plugins.loading`).

The package itself can be called: ``bloor.plugins()`` lists what is installed.
"""

from __future__ import annotations

import sys
from types import ModuleType
from typing import Any

from bloor.plugins.catalog import SUPPORTED_APIS, Catalog, Installed, Kind, discover
from bloor.plugins.host import Loaded, PluginHost

__all__ = ["SUPPORTED_APIS", "Catalog", "Installed", "Kind", "Loaded", "PluginHost", "discover"]


class _Room(ModuleType):
    """This package, which can also be called: ``plugins`` is the word for both, and ``bloor`` has one of it."""

    def __call__(self) -> list[dict[str, Any]]:
        """What is installed, one row per plug-in, as ``bloor plugins list`` shows it. Nothing is imported.

        ``[plugins]`` of ``./bloor.toml`` and of the environment is obeyed, as by every command.

        Raises:
            ConfigError: The configuration is wrong.
        """
        from bloor.plugins.configured import configured_host
        from bloor.plugins.listing import listing

        return listing(configured_host())


sys.modules[__name__].__class__ = _Room
