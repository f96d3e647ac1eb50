"""What is promised to plug-ins: which versions of the API this bloor loads, and how it tells of what will go.

The API is everything that :mod:`bloor.hookspecs` and the rooms it names document. Its version is one number. It rises
only when something that a plug-in could rely on is changed or taken away, and only with a new major version of
bloor-core; what is merely added leaves it as it is. Each bloor loads plug-ins of the current version and of the one
before it. Whatever goes was deprecated first: it worked through a whole major version, and every plug-in that used it
was told, by name.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from attrs import frozen

from bloor import __version__
from bloor.hookspecs import API_VERSION

__all__ = ["DEPRECATED", "FIRST_API", "Deprecation", "api_problem", "api_warning", "core_bounds", "supported", "told"]

#: The first version that was ever published.
FIRST_API = 1


@frozen(kw_only=True)
class Deprecation:
    """Something that plug-ins should no longer use.

    Attributes:
        hook: Name of the hook.
        argument: Name of one of its arguments; empty for the hook as a whole.
        since: The bloor-core that deprecated it.
        until: The bloor-core that will do without it.
        instead: What to do, as an imperative.
    """

    hook: str
    argument: str = ""
    since: str
    until: str
    instead: str


#: Everything that is deprecated at present.
DEPRECATED: tuple[Deprecation, ...] = ()


def supported(current: int = API_VERSION) -> range:
    """The API versions that a bloor of version ``current`` loads: that one and the one before it."""
    return range(max(FIRST_API, current - 1), current + 1)


def api_problem(api: int, current: int = API_VERSION) -> str:
    """Why a plug-in written for an API version cannot be loaded, and what to upgrade; empty when it can."""
    versions = supported(current)
    if api in versions:
        return ""
    first, last = versions[0], versions[-1]
    known = f"version {last}" if first == last else f"versions {first} to {last}"
    said = f"was written for API version {api}, and this bloor supports {known}"
    if api < first:
        return f"{said}; upgrade the plug-in to a release that was written for {known}"
    return f"{said}; upgrade bloor-core: pip install --upgrade bloor-core"


def api_warning(api: int | None, current: int = API_VERSION) -> str:
    """What to tell of a plug-in that is loaded though it was written for the version before; empty otherwise."""
    if api is None or api >= current or api not in supported(current):
        return ""
    return (
        f"was written for API version {api}, the one before this bloor's, and the next will not load it; "
        "upgrade the plug-in"
    )


def told(hooks: Mapping[str, Iterable[str]], deprecated: Iterable[Deprecation]) -> list[str]:
    """What a plug-in should be told of what it uses, one sentence each.

    Args:
        hooks: The hooks that it implements, each with the arguments that its function takes.
        deprecated: What is deprecated.
    """
    sentences = []
    for entry in deprecated:
        if entry.hook not in hooks or (entry.argument and entry.argument not in hooks[entry.hook]):
            continue
        what = f"the argument {entry.argument!r} of {entry.hook}" if entry.argument else entry.hook
        sentences.append(
            f"uses {what}, deprecated since bloor-core {entry.since} and gone in {entry.until}; {entry.instead}"
        )
    return sentences


def core_bounds(version: str = __version__) -> str:
    """The requirement on bloor-core of a plug-in that is written today, such as ``>=0.1,<2``.

    From this release on, until the major version that need not know this API any more.
    """
    major, minor, *_ = version.split(".")
    return f">={major}.{minor},<{int(major) + 2}"
