"""The plug-in host of what is no run."""

from __future__ import annotations

import os
from collections.abc import Iterable

from bloor.config import PluginsConfig, read_layers
from bloor.plugins.host import PluginHost

__all__ = ["configured_host"]


def configured_host(blocked: Iterable[str] = ()) -> PluginHost:
    """A host that obeys ``[plugins]`` of ``./bloor.toml`` and of the environment.

    Args:
        blocked: Names to block besides those of the configuration.

    Raises:
        ConfigError: The configuration is wrong.
        PluginError: A name to block is not installed.
    """
    config = read_layers(None, os.environ).section("plugins", PluginsConfig)
    return PluginHost(allow=config.allow, block=[*config.block, *blocked])
