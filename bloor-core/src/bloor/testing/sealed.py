"""A moment in which the usual ways to a clock, to chance and to the outside raise: sans-I/O code needs none of them."""

from __future__ import annotations

import builtins
import os
import random
import socket
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

__all__ = ["UnsealedError", "sealed"]

_CLOCKS = ("time", "time_ns", "monotonic", "monotonic_ns", "perf_counter", "perf_counter_ns", "sleep")
_CHANCE = ("random", "randrange", "randint", "choice", "uniform", "gauss", "shuffle", "sample", "getrandbits")


class UnsealedError(AssertionError):
    """What is sans I/O has asked for a clock, for chance, or for the outside."""


@contextmanager
def sealed(what: str, *, chance: bool = True) -> Iterator[None]:
    """Within it, ``time``, the shared ``random``, files and sockets raise :class:`UnsealedError`.

    Generators with a seed of their own (``random.Random(seed)``) go on working.

    Args:
        what: What is sealed, for the message.
        chance: Whether ``os.urandom`` is closed too; keys and nonces of a venue may need it.
    """

    def closed(name: str) -> Callable[..., Any]:
        def raises(*_args: Any, **_kwargs: Any) -> Any:
            raise UnsealedError(
                f"{what} called {name}(): it is sans I/O, so that a replay makes the same decisions; time arrives as "
                "now_ns, chance comes from random.Random(seed), and whoever carries it reads and writes"
            )

        return raises

    places: list[tuple[Any, str, str]] = [(time, name, f"time.{name}") for name in _CLOCKS]
    places += [(random, name, f"random.{name}") for name in _CHANCE]
    places += [(socket, "create_connection", "socket.create_connection"), (socket, "socket", "socket.socket")]
    places += [(builtins, "open", "open"), (builtins, "print", "print"), (builtins, "input", "input")]
    if chance:
        places.append((os, "urandom", "os.urandom"))
    kept = [(place, name, getattr(place, name)) for place, name, _ in places]
    try:
        for place, name, said in places:
            setattr(place, name, closed(said))
        yield
    finally:
        for place, name, value in kept:
            setattr(place, name, value)
