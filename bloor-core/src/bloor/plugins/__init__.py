"""Plug-ins: found in package metadata, imported when named, asked through typed accessors.

::

    host = PluginHost(allow=core.plugins.allow, block=["price-collar"])
    strategy = host.strategy("momentum")

Names, kinds and API versions are read from metadata before anything is imported (:mod:`bloor.plugins.catalog`); the
allow-list is applied there too (:mod:`bloor.plugins.trust`). A plug-in that fails, whatever it does, becomes a
:class:`~bloor.errors.PluginError` that names it, and breaks only what needs it (:mod:`bloor.plugins.loading`).
"""

from __future__ import annotations

from bloor.plugins.catalog import SUPPORTED_APIS, Catalog, Installed, Kind, discover
from bloor.plugins.host import Loaded, PluginHost

__all__ = ["SUPPORTED_APIS", "Catalog", "Installed", "Kind", "Loaded", "PluginHost", "discover"]
