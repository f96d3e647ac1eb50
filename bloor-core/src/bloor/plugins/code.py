"""What code a plug-in is made of, as one hash: it changes with every edit, also where the version does not.

It is no protection (:mod:`bloor.plugins.trust` is); it tells a replay whether the code is still the same.
"""

from __future__ import annotations

import hashlib
import inspect
import sys
from functools import cache
from pathlib import Path

__all__ = ["class_sha256", "code_sha256"]


@cache
def code_sha256(package: str) -> str:
    """SHA-256, in hex, over the Python sources of an imported top-level package or module, names included.

    Empty when it has no source files. Costs about 50 us a file, once.
    """
    module = sys.modules.get(package)
    paths = [Path(path) for path in getattr(module, "__path__", ())]
    if paths:
        files = sorted((path.relative_to(root).as_posix(), path) for root in paths for path in root.rglob("*.py"))
    else:
        file = getattr(module, "__file__", None)
        files = [(Path(file).name, Path(file))] if file else []
    digest = hashlib.sha256()
    for name, path in files:
        digest.update(f"{name}\0".encode() + hashlib.sha256(path.read_bytes()).digest())
    return digest.hexdigest() if files else ""


def class_sha256(cls: type) -> str:
    """SHA-256, in hex, over the source of one class, for a class that belongs to no package; empty without source."""
    try:
        return hashlib.sha256(inspect.getsource(cls).encode()).hexdigest()
    except (OSError, TypeError):
        return ""
