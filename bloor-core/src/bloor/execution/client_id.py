"""Client order ids that say whose an order is: 15 characters, every one of them a digit or a capital letter.

::

    B 07 002A 01 0000ZK
    │ │  │    │  └ sequence of the order, base 36
    │ │  │    └ strategy
    │ │  └ epoch: one number for each start of a host
    │ └ node: one number for each host that trades on the account
    └ ours

It fits Kraken's 18 characters of free text, Binance's 36 of ``[A-Za-z0-9_-]`` and Coinbase's 128. An id that does not
read so is somebody else's order. All three venues want an id unique among *open* orders only: ours is never used again.
"""

from __future__ import annotations

import re
from typing import NamedTuple

from bloor.errors import UsageError

__all__ = ["LENGTH", "MAX_EPOCH", "MAX_NODE", "MAX_SEQUENCE", "MAX_STRATEGY", "ClientId", "ClientIds"]

LENGTH = 15
MAX_NODE = 36**2 - 1
MAX_EPOCH = 36**4 - 1
MAX_STRATEGY = 36**2 - 1
MAX_SEQUENCE = 36**6 - 1

_DIGITS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"
_PAIRS = [a + b for a in _DIGITS for b in _DIGITS]
_FORM = re.compile(r"B([0-9A-Z]{2})([0-9A-Z]{4})([0-9A-Z]{2})([0-9A-Z]{6})\Z", re.ASCII)


class ClientId(NamedTuple):
    """What a client order id says."""

    node: int
    epoch: int
    strategy: int
    sequence: int

    @classmethod
    def parse(cls, text: str) -> ClientId | None:
        """Reads an id; None when it is not one of ours."""
        match = _FORM.match(text)
        return cls(*(int(group, 36) for group in match.groups())) if match else None


class ClientIds:
    """Makes the ids of one run.

    Attributes:
        node: Number of this host, 0 to 1,295.
        epoch: Number of this start of it, 0 to 1,679,615.
    """

    __slots__ = ("_head", "epoch", "node")

    def __init__(self, node: int, epoch: int) -> None:
        """Fixes node and epoch.

        Raises:
            UsageError: One of them is out of range.
        """
        self.node = in_range("node", node, MAX_NODE)
        self.epoch = in_range("epoch", epoch, MAX_EPOCH)
        self._head = f"B{_PAIRS[node]}{_PAIRS[epoch // 1296]}{_PAIRS[epoch % 1296]}"

    @property
    def head(self) -> str:
        """The characters that every id begins with."""
        return self._head

    def make(self, strategy: int, sequence: int) -> str:
        """The id of an order. Costs about 0.5 us.

        Args:
            strategy: Index of the strategy, 0 to 1,295.
            sequence: Number of the order in this run, 0 to 2,176,782,335.

        Raises:
            UsageError: One of them is out of range.
        """
        if not (0 <= strategy <= MAX_STRATEGY and 0 <= sequence <= MAX_SEQUENCE):
            in_range("strategy", strategy, MAX_STRATEGY)
            in_range("sequence", sequence, MAX_SEQUENCE)
        high, low = divmod(sequence, 1296)
        high, middle = divmod(high, 1296)
        return f"{self._head}{_PAIRS[strategy]}{_PAIRS[high]}{_PAIRS[middle]}{_PAIRS[low]}"

    def parse(self, text: str) -> ClientId | None:
        """Reads an id made here; None when it is somebody else's: another program's, or another node's."""
        found = ClientId.parse(text)
        return found if found is not None and found.node == self.node else None


def in_range(what: str, value: int, largest: int) -> int:
    """The value itself.

    Raises:
        UsageError: It is negative or too large.
    """
    if not 0 <= value <= largest:
        raise UsageError(f"client order id: expected a {what} from 0 to {largest}, got {value}")
    return value
