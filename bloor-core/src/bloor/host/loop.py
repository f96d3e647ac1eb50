"""The event loop, and the signals that end what runs in it."""

from __future__ import annotations

import asyncio
import contextlib
import signal
import threading
from collections.abc import Callable, Coroutine, Iterator
from typing import Any, TypeVar

from bloor.errors import RunError

__all__ = ["ended_by_signals", "runner", "spinning", "unless"]

T = TypeVar("T")


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


@contextlib.contextmanager
def ended_by_signals(stop: Callable[[], None]) -> Iterator[None]:
    """SIGINT and SIGTERM call ``stop`` in the running loop while inside.

    Python has signals on the main thread only; on another one, whoever started it stops it.
    """
    loop = asyncio.get_running_loop()
    numbers = (signal.SIGINT, signal.SIGTERM) if threading.current_thread() is threading.main_thread() else ()
    for number in numbers:
        loop.add_signal_handler(number, stop)
    try:
        yield
    finally:
        for number in numbers:
            loop.remove_signal_handler(number)


@contextlib.contextmanager
def spinning(wanted: bool) -> Iterator[None]:
    """Keeps the running loop from sleeping while inside, if so wanted: it asks its sockets again and again.

    Waking up costs some 40 us after each pause; this costs a whole CPU.
    """
    loop = asyncio.get_running_loop()
    on = wanted

    def turn() -> None:
        if on:
            loop.call_soon(turn)

    turn()
    try:
        yield
    finally:
        on = False


async def unless(over: asyncio.Event, work: Coroutine[Any, Any, T], undone: str) -> T:
    """Waits for work, or for an event that ends it.

    Raises:
        RunError: The event came first; ``undone`` says what was not done.
    """
    task = asyncio.ensure_future(work)
    end = asyncio.ensure_future(over.wait())
    try:
        await asyncio.wait({task, end}, return_when=asyncio.FIRST_COMPLETED)
        if not task.done():
            raise RunError(f"interrupted; {undone}")
        return task.result()
    finally:
        for one in (task, end):
            one.cancel()
        await asyncio.gather(task, end, return_exceptions=True)
