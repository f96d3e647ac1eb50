"""What normalizers are: the reference form, a venue's JSON to :mod:`bloor.market.messages`, and the compiled form.

The reference form says everything that can be said about a frame, errors included. The compiled form is optional and
only faster: what it is not sure of it leaves to the reference.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from enum import Enum
from types import ModuleType
from typing import TYPE_CHECKING, Any, Protocol, runtime_checkable

from attrs import frozen

from bloor.market.messages import BookMessage, Message

if TYPE_CHECKING:
    from bloor.market.book import OrderBook

__all__ = ["ChecksummedNormalizer", "CompiledNormalizer", "Normalizer", "SequenceRule"]


class SequenceRule(Enum):
    """How a venue numbers the changes of a book; the tables are in :mod:`bloor.market.sync`."""

    #: Binance spot: ``first_seq <= last + 1 <= last_seq`` splices, afterwards ``first_seq == last + 1``.
    CONTIGUOUS = "contiguous"
    #: Binance USD-M: ``first_seq <= last <= last_seq`` splices, afterwards ``prev_seq == last``.
    PREVIOUS = "previous"
    #: The venue numbers nothing per book (Kraken has a checksum, Coinbase numbers the connection).
    NONE = "none"


class Normalizer(Protocol):
    """The reference form of a normalizer: plain, complete, with errors a person can read."""

    #: The venue's name.
    venue: str
    #: How its book messages are numbered.
    rule: SequenceRule

    def decode(self, frame: bytes) -> Sequence[Message]:
        """Everything a frame holds, in order.

        Raises:
            RemoteProtocolError: The frame is not what the venue may send: not JSON, a field missing or of the wrong
                type, a price that is not a positive plain number. The message names the field.
        """

    def decode_snapshot(self, body: bytes, venue_symbol: str) -> BookMessage:
        """A REST depth answer as a snapshot; ``venue_symbol`` may be empty.

        Raises:
            RemoteProtocolError: The body is not a depth answer.
        """

    def split(self, venue_symbol: str) -> tuple[str, str]:
        """``(base, quote)`` of a venue symbol, without a table: the best guess from the text alone."""


@runtime_checkable
class ChecksummedNormalizer(Normalizer, Protocol):
    """A normalizer of a venue that says a checksum of the book with its changes, and keeps a limited depth (Kraken)."""

    def depth(self, venue_symbol: str) -> int:
        """Levels a side to which the book is cut after each message; 0 for all.

        Asked at the first message of an instrument and at each snapshot, since a subscription says how deep a book is.
        """

    def decimals(self, venue_symbol: str) -> tuple[int, int]:
        """Decimals in which prices and quantities of a book are sent, -1 when not known: compiled code needs them."""

    def checksum(self, message: BookMessage, book: OrderBook) -> int:
        """The checksum of the book after ``message`` was applied, to compare with ``message.checksum``."""


@frozen
class CompiledNormalizer:
    """The compiled form of a venue's normalizer: files of kernels, which the core links, compiles, caches and calls.

    A kernel file is a module of plain functions in the part of Python that numba compiles, over the words of
    :mod:`bloor.native.memory`; they may call the kernels of :mod:`bloor.market.compiled` and of the files
    before. The last file has the entry ``step(context, text, size, recv_ns) -> int``: it reads the frame at the address
    ``text``, writes the event and changes the book, and answers as :mod:`bloor.market.compiled.answers` says. A frame
    that it is not wholly sure of it leaves alone, whatever the reason, and answers ``UNSURE``.

    Attributes:
        modules: The kernel files, callees first.
        rule: How the venue numbers the changes of a book.
        settings: A number that the kernels find in the context, where one set of kernels serves several venues.
    """

    modules: Sequence[ModuleType]
    rule: SequenceRule
    settings: int = 0

    @property
    def step(self) -> Callable[[Any, int, int, int], int]:
        """The entry, not compiled."""
        step: Callable[[Any, int, int, int], int] = self.modules[-1].step
        return step
