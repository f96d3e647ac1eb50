"""The event loop."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Iterator

__all__ = ["runner"]


@contextlib.contextmanager
def runner() -> Iterator[asyncio.Runner]:
    """An event loop: uvloop's where there is one."""
    try:
        import uvloop
    except ImportError:  # not made for Windows
        factory = None
    else:
        factory = uvloop.new_event_loop
    with asyncio.Runner(loop_factory=factory) as made:
        yield made
