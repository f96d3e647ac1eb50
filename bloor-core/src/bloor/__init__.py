"""bloor: a plug-in host for low-latency crypto trading.

Importing this package costs nothing: every room is imported only when it is used.
"""

from __future__ import annotations

__all__ = ["__version__"]

__version__ = "0.1.0"
