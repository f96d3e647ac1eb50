"""bloor: a plug-in host for low-latency crypto trading.

Importing this package costs nothing: every room is imported only when it is used.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from bloor.storage.load import load as load

__all__ = ["__version__", "load"]

__version__ = "0.1.0"


def __getattr__(name: str) -> Any:
    """``bloor.load``, imported when it is first asked for."""
    if name != "load":
        raise AttributeError(f"module 'bloor' has no attribute {name!r}")
    from importlib import import_module

    return import_module("bloor.storage.load").load
