"""What a latency model is: how long requests take to the venue, and answers and fills back.

A request that is sent at ``t`` reaches the venue's matching at ``t + entry``; what happens there at ``u`` is known at
``u + response``. The latency of market data is in the data: each event has the time at which it was received.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import ClassVar

import numpy as np

from bloor.errors import UsageError
from bloor.native.memory import Cells

__all__ = ["LONGEST_NS", "LatencyModel", "checked"]

#: Longer than any connection that is traded on: a larger number is in another unit.
LONGEST_NS = 600 * 1_000_000_000


class LatencyModel(ABC):
    """Base of every latency model: an attrs class whose fields are its parameters.

    Its class is handed over by ``bloor_latency_model``, and an instance is the model with its parameters.
    """

    #: What a user types after ``--latency``; a plug-in's name.
    name: ClassVar[str]

    @abstractmethod
    def samples(self, seed: int) -> tuple[Cells, Cells]:
        """The latencies of requests: the first of a run takes the first of each, and after the last comes the first.

        Args:
            seed: That of the run. The same seed gives the same latencies, on every machine.

        Returns:
            Entry and response, ns, each ``(n,)`` int64 with n at least 1 and values of at least 1. The two need not
            be of the same length.

        Raises:
            UsageError: What it is made from cannot be read, or is no latency.
        """

    def moments(self) -> tuple[Cells, Cells] | None:
        """When each of the :meth:`samples` was measured; None, the default, where that does not matter.

        A request that is sent, or something that happens at the venue, between the first and the last of these times
        has the latency that was measured next to it; at any other time it is the next one in order.

        Returns:
            When the requests were sent by our clock, and when what was answered happened by the venue's: ns since the
            epoch, never falling, each of the length of its samples.
        """
        return None


def checked(what: str, latencies: Cells) -> Cells:
    """Latencies that can be used, contiguous.

    Args:
        what: Whose they are, for the message.
        latencies: ``(n,)`` ns.

    Raises:
        UsageError: There are none, or one is below 1 ns or above :data:`LONGEST_NS`.
    """
    if not latencies.size:
        raise UsageError(f"{what}: expected at least one latency, found none")
    low, high = int(latencies.min()), int(latencies.max())
    if low < 1 or high > LONGEST_NS:
        wrong = low if low < 1 else high
        raise UsageError(f"{what}: expected latencies of 1 ns to 10 minutes, got {wrong} ns")
    return np.ascontiguousarray(latencies, np.int64)
