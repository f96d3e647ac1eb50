"""What is installed, read from package metadata: nothing is imported here.

A plug-in is one entry point in the group ``bloor``; its kind and API version stand in the group ``bloor.manifest`` of
the same distribution (see :mod:`bloor.hookspecs`). A plug-in without a manifest may still be loaded by its name.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from enum import Enum
from importlib import metadata

from attrs import field, frozen

from bloor.errors import PluginError, nearest
from bloor.hookspecs import API_VERSION, ENTRY_POINT_GROUP, MANIFEST_GROUP
from bloor.plugins.promise import api_problem, supported

__all__ = ["PUBLISHED", "SUPPORTED_APIS", "Catalog", "Installed", "Kind", "discover"]

#: API versions that this bloor can load.
SUPPORTED_APIS = supported()

_MANIFEST = re.compile(r"(\w+)\s*:\s*api(\d{1,4})\Z", re.ASCII)

#: Names that users find in the documentation, and the package that brings each.
PUBLISHED = {
    "binance": "bloor-binance",
    "binance-usdm": "bloor-binance",
    "coinbase": "bloor-coinbase",
    "kraken": "bloor-kraken",
    "momentum": "bloor-strategies",
    "order-limits": "bloor-risk",
    "price-collar": "bloor-risk",
    "position-limits": "bloor-risk",
    "stale-book": "bloor-risk",
    "message-rate": "bloor-risk",
}


class Kind(Enum):
    """What a plug-in says it is."""

    VENUE = "venue"
    #: Market data of a venue, without order entry.
    FEED = "feed"
    #: How a venue's frames are read, and no more.
    NORMALIZER = "normalizer"
    STRATEGY = "strategy"
    RISK_CHECK = "risk_check"
    QUEUE_MODEL = "queue_model"
    LATENCY_MODEL = "latency_model"
    FEE_MODEL = "fee_model"
    #: It has no manifest.
    UNKNOWN = "unknown"


@frozen(kw_only=True)
class Installed:
    """One installed plug-in, as its distribution's metadata describes it.

    Attributes:
        name: What a user types after ``-p``.
        kind: What it says it is.
        api: The API version it was written for; None when it does not say.
        distribution: Name of the distribution.
        version: Version of the distribution.
        value: The entry point's value, ``package.module`` or ``package.module:object``.
        problem: Why it cannot be loaded, found in the metadata alone; empty when nothing speaks against it.
        entry_point: The entry point itself.
    """

    name: str
    kind: Kind
    api: int | None
    distribution: str
    version: str
    value: str
    problem: str = ""
    entry_point: metadata.EntryPoint = field(repr=False, eq=False)

    @property
    def package(self) -> str:
        """The top-level package or module that it is in."""
        return self.value.partition(":")[0].partition(".")[0]

    @property
    def origin(self) -> str:
        """``distribution version (entry point)``, for messages."""
        return f"{self.distribution} {self.version} ({self.value})"


@frozen
class Catalog:
    """Every installed plug-in.

    Attributes:
        entries: Name -> everything registered under it, sorted by distribution; more than one is a conflict.
    """

    entries: Mapping[str, tuple[Installed, ...]]

    def names(self, *kinds: Kind) -> list[str]:
        """The names of these kinds (of every kind when none is given), sorted; conflicts included."""
        return [name for name, found in self.entries.items() if not kinds or any(p.kind in kinds for p in found)]

    def find(self, name: str) -> Installed:
        """The one plug-in of this name, if its metadata lets it be loaded.

        Raises:
            PluginError: No such plug-in, several of the same name, or one that this bloor cannot load.
        """
        found = self.entries.get(name, ())
        if not found:
            package = PUBLISHED.get(name)
            hint = f"; it comes with {package}: pip install {package}" if package else nearest(name, self.entries)
            known = "" if hint else f"; installed are {', '.join(self.entries) or 'none'}"
            raise PluginError(name, "is not installed", hint=hint or known)
        if len(found) > 1:
            both = " and ".join(plugin.origin for plugin in found)
            raise PluginError(name, f"is registered by {both}; uninstall all but one of them")
        if found[0].problem:
            raise PluginError(name, found[0].problem, found[0].origin)
        return found[0]


def discover() -> Catalog:
    """Reads the metadata of every distribution on ``sys.path``."""
    manifests: dict[tuple[str, str], list[str]] = {}
    for point in metadata.entry_points(group=MANIFEST_GROUP):
        manifests.setdefault((_distribution(point), point.name), []).append(point.value)
    entries: dict[str, dict[str, Installed]] = {}
    for point in metadata.entry_points(group=ENTRY_POINT_GROUP):
        distribution = _distribution(point)
        plugin = _installed(point, manifests.get((distribution, point.name), ()))
        entries.setdefault(point.name, {}).setdefault(f"{distribution} {point.value}", plugin)
    return Catalog({name: tuple(found[key] for key in sorted(found)) for name, found in sorted(entries.items())})


def _distribution(point: metadata.EntryPoint) -> str:
    return point.dist.name if point.dist else "?"


def _installed(point: metadata.EntryPoint, manifest: Iterable[str]) -> Installed:
    kind, api, problem = _read_manifest(sorted(set(manifest)))
    return Installed(
        name=point.name,
        kind=kind,
        api=api,
        distribution=_distribution(point),
        version=point.dist.version if point.dist else "?",
        value=point.value,
        problem=problem,
        entry_point=point,
    )


def _read_manifest(values: list[str]) -> tuple[Kind, int | None, str]:
    """``(kind, API version, problem)`` of what stands in the manifest group."""
    if not values:
        return Kind.UNKNOWN, None, ""
    stated = [kind.value for kind in Kind if kind is not Kind.UNKNOWN]
    match = _MANIFEST.match(values[0])
    if len(values) > 1 or match is None:
        shape = f"{MANIFEST_GROUP}: expected one value such as strategy:api{API_VERSION}"
        return Kind.UNKNOWN, None, f"{shape}, got {' and '.join(values)!r}"
    word, api = match[1], int(match[2])
    if word not in stated:
        known = ", ".join(stated)
        return Kind.UNKNOWN, api, f"{MANIFEST_GROUP}: expected one of {known}, got {word!r}{nearest(word, stated)}"
    return Kind(word), api, api_problem(api)
