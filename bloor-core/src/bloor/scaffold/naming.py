"""The names of a new plug-in: what users type, and what follows from it."""

from __future__ import annotations

import re
from importlib.util import find_spec

from attrs import frozen

from bloor.errors import UsageError
from bloor.plugins.catalog import PUBLISHED, Catalog

__all__ = ["PluginName", "named"]

_NAME = re.compile(r"[a-z][a-z0-9]*(?:-[a-z0-9]+)*\Z", re.ASCII)
_LONGEST = 30
_PREFIX = "bloor-"
#: Distributions of bloor whose names no plug-in may lead to.
_OURS = ("core", "strategies", "risk")


@frozen
class PluginName:
    """A plug-in's name.

    Attributes:
        name: What users type after ``-p``, such as ``my-venue``.
    """

    name: str

    @property
    def distribution(self) -> str:
        """What is installed: ``bloor-my-venue``. So no package can shadow a module of somebody else."""
        return _PREFIX + self.name

    @property
    def module(self) -> str:
        """What is imported: ``bloor_my_venue``."""
        return self.distribution.replace("-", "_")

    @property
    def prefix(self) -> str:
        """What names of classes begin with: ``MyVenue``."""
        return "".join(part.capitalize() for part in self.name.split("-"))


def named(name: str, catalog: Catalog) -> PluginName:
    """A name for a new plug-in.

    Args:
        name: What was asked for.
        catalog: What is installed.

    Raises:
        UsageError: It is no such name, or it is taken; the message says by what, and what to do.
    """
    if not _NAME.match(name):
        better = re.sub(r"[^a-z0-9]+", "-", re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "-", name).lower()).strip("-")
        hint = f"; did you mean {better!r}?" if _NAME.match(better) and len(better) <= _LONGEST else ""
        raise UsageError(
            f"NAME: expected small letters, digits and hyphens, such as 'my-venue', got {name!r:.60}{hint}"
        )
    if len(name) > _LONGEST:
        raise UsageError(f"NAME: expected at most {_LONGEST} characters, got {len(name)}: {name!r:.60}")
    if name.startswith(_PREFIX):
        short = name.removeprefix(_PREFIX)
        raise UsageError(f"NAME: expected it without 'bloor-', which the package gets; did you mean {short!r}?")
    if found := catalog.entries.get(name):
        origins = " and ".join(plugin.origin for plugin in found)
        raise UsageError(f"NAME: there is a plug-in {name!r} already, from {origins}; choose another name")
    if name in PUBLISHED or name in _OURS:
        package = PUBLISHED.get(name, _PREFIX + name)
        raise UsageError(f"NAME: {name!r} belongs to {package}, which is published; choose another name")
    made = PluginName(name)
    if find_spec(made.module) is not None:
        raise UsageError(f"NAME: a package {made.module!r} can be imported already; choose another name")
    return made
