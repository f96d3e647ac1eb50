"""Messages that are made already, given to a pipeline: for formats that say what a venue's frames said.

The pipeline converts, infers precision, keeps books and refuses what is wrong in the same way for them as for frames.
"""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal, InvalidOperation
from typing import TYPE_CHECKING

from bloor.errors import RemoteProtocolError
from bloor.market.messages import BookMessage, Message
from bloor.market.normalizer import Normalizer, SequenceRule
from bloor.market.orders import OrderChange, OrderQueues, as_levels
from bloor.market.view import BookState

if TYPE_CHECKING:
    from bloor.storage.reading import Reading

__all__ = ["Prepared", "plain"]


class Prepared:
    """A normalizer that hands on the messages it was given, and the way to give them."""

    rule = SequenceRule.NONE

    def __init__(self, reading: Reading, *, assume_empty: bool | None = None) -> None:
        """Binds a pipeline of ``reading``.

        Args:
            reading: Where events go.
            assume_empty: Whether books begin empty; as the import says when None.
        """
        self._names: Normalizer = reading.normalizer
        self.venue = reading.normalizer.venue
        self.reasons: list[str] = []
        self._messages: Sequence[Message] = ()
        self.pipeline = reading.pipeline(self, on_error=self.reasons.append, assume_empty=assume_empty)
        self._settle = reading.tap.finish

    def take(self, message: Message, recv_ns: int) -> str:
        """Gives one message to the pipeline; returns what was wrong with it, or an empty text."""
        self._messages = (message,)
        self.pipeline.frame(b"", recv_ns)
        self._settle()
        if self.reasons:
            reason = self.reasons[0]
            self.reasons.clear()
            return reason
        return ""

    def take_orders(self, symbol: str, queues: OrderQueues, changes: Sequence[OrderChange], ns: tuple[int, int]) -> str:
        """Gives one message of the book that says whose orders changed.

        A book that was lost, because it was crossed, is told anew as soon as it is not.

        Args:
            symbol: The venue's name of the instrument.
            queues: Its orders as they are now.
            changes: What has changed.
            ns: The venue's time, and when it was received.

        Returns:
            As :meth:`take`.
        """
        book = self.pipeline.book(symbol)
        lost = book is not None and book.view.state == BookState.UNSYNCED
        if lost:
            if queues.crossed:
                return ""
            changes = queues.whole()
        bids, asks, orders = as_levels(changes, queues, tells_executions=True)
        return self.take(BookMessage(symbol, lost, -1, -1, -1, bids, asks, ns[0], orders=orders), ns[1])

    def decode(self, frame: bytes) -> Sequence[Message]:
        """The message that was given."""
        return self._messages

    def decode_snapshot(self, body: bytes, venue_symbol: str) -> BookMessage:
        """There are no REST answers here."""
        raise RemoteProtocolError("expected no REST answer here")

    def split(self, venue_symbol: str) -> tuple[str, str]:
        """As the venue's normalizer."""
        return self._names.split(venue_symbol)


def plain(text: str) -> str:
    """A decimal number that may have an exponent (``1e-7``) as plain text.

    Raises:
        RemoteProtocolError: It is no number, or has an absurd exponent.
    """
    if text.isdigit() or "e" not in text.lower():
        return text
    try:
        value = Decimal(text)
    except InvalidOperation:
        raise RemoteProtocolError(f"expected a number, got {text[:40]!r}") from None
    if not value.is_finite() or abs(value.adjusted()) > 40:
        raise RemoteProtocolError(f"expected a number of at most 40 digits, got {text[:40]!r}")
    return f"{value:f}"
