"""The allow-list: which distributions may be imported at all, decided from metadata before any of their code runs.

A plug-in is arbitrary code in the trading process. An entry of the list names a distribution, and may pin its version
and the SHA-256 of its ``RECORD``. A pinned ``RECORD`` is also believed only as far as the files on disk have the hashes
that it lists. What this cannot see: compiled ``.pyc`` files and ``.pth`` files, which no ``RECORD`` hashes. Whoever can
write into the environment has won.
"""

from __future__ import annotations

import base64
import hashlib
import json
import re
from collections.abc import Iterable
from importlib import metadata
from typing import Protocol

from bloor.plugins.catalog import Installed

__all__ = ["Allowed", "record_sha256", "refusal"]


class Allowed(Protocol):
    """One entry of the list; None leaves version or ``RECORD`` unpinned."""

    @property
    def distribution(self) -> str:
        """Name of the distribution."""

    @property
    def version(self) -> str | None:
        """The only version allowed."""

    @property
    def record_sha256(self) -> str | None:
        """SHA-256 of the distribution's ``RECORD``, in hex."""


def refusal(plugin: Installed, allow: Iterable[Allowed] | None) -> str:
    """Why the list forbids to import a plug-in; empty when it does not.

    Args:
        plugin: What is to be imported.
        allow: The list; None allows everything.
    """
    if allow is None:
        return ""
    named = [entry for entry in allow if _normal(entry.distribution) == _normal(plugin.distribution)]
    if not named:
        return f"{plugin.distribution} is not in the allow-list [plugins] allow"
    reasons = [_mismatch(plugin, entry) for entry in named]
    return "" if "" in reasons else "; ".join(reasons)


def record_sha256(distribution: metadata.Distribution) -> str | None:
    """SHA-256 of a distribution's ``RECORD``, in hex; None when it has none."""
    for path in distribution.files or ():
        if path.name == "RECORD" and path.parent.name.endswith(".dist-info"):
            return hashlib.sha256(path.locate().read_bytes()).hexdigest()  # type: ignore[attr-defined]
    text = distribution.read_text("RECORD")
    return None if text is None else hashlib.sha256(text.encode()).hexdigest()


def _normal(name: str) -> str:
    """The name as Python packaging compares it (PEP 503)."""
    return re.sub(r"[-_.]+", "-", name).lower()


def _mismatch(plugin: Installed, entry: Allowed) -> str:
    if entry.version is not None and entry.version != plugin.version:
        return f"the allow-list pins version {entry.version}, installed is {plugin.version}"
    if entry.record_sha256 is None:
        return ""
    distribution = plugin.entry_point.dist
    if distribution is None or (found := record_sha256(distribution)) is None:
        return "the allow-list pins its RECORD, and the installation has none"
    if _editable(distribution):
        return "the allow-list pins its RECORD, and an editable installation's RECORD does not cover its code"
    if found != entry.record_sha256.lower():
        return f"the allow-list pins RECORD {entry.record_sha256.lower()}, installed is {found}"
    changed = _changed_file(distribution)
    return f"{changed} is not the file that its RECORD describes" if changed else ""


def _editable(distribution: metadata.Distribution) -> bool:
    direct = json.loads(distribution.read_text("direct_url.json") or "{}")
    return bool(direct.get("dir_info", {}).get("editable"))


def _changed_file(distribution: metadata.Distribution) -> str:
    """The first file whose content is not what ``RECORD`` says, or an empty string."""
    for path in distribution.files or ():
        if path.hash is None:
            continue
        try:
            digest = hashlib.new(path.hash.mode, path.locate().read_bytes()).digest()  # type: ignore[attr-defined]
        except (OSError, ValueError):
            return str(path)
        if base64.urlsafe_b64encode(digest).rstrip(b"=").decode() != path.hash.value:
            return str(path)
    return ""
