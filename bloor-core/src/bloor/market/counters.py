"""What a pipeline counts, and why a book may need a snapshot."""

from __future__ import annotations

from enum import Enum

from attrs import define

__all__ = ["MarketCounters", "Resync"]


class Resync(Enum):
    """Why a book needs a snapshot."""

    GAP = "changes are missing"
    STALE_SNAPSHOT = "the snapshot is older than the changes held for it"
    CROSSED = "the best bid is not below the best ask"
    CHECKSUM = "the venue's checksum is another"
    BAD_LEVEL = "a level cannot be read"
    UNREADABLE = "a frame that cannot be read may have changed it, and the venue numbers nothing"


@define
class MarketCounters:
    """What a pipeline has seen.

    Attributes:
        messages: Frames that were read, REST snapshots among them.
        book_messages: Frames of a book channel.
        trades: Trades, aggregated ones among them.
        bbos: The venue's own best-bid-offer messages.
        other: Frames of a kind that is not normalized, or of an instrument that is not wanted; candles and mark prices.
        gaps: Times that changes of a book were missing.
        checksums_ok: Checksums that agreed.
        checksums_bad: Checksums that did not.
        errors: Frames that could not be read.
        resyncs: Times that a snapshot was asked for.
        stale_snapshots: Snapshots older than the changes held for them.
        crossed: Times that a book was crossed after a change.
        dropped: Book messages that were not applied because the book contains them already.
    """

    messages: int = 0
    book_messages: int = 0
    trades: int = 0
    bbos: int = 0
    other: int = 0
    gaps: int = 0
    checksums_ok: int = 0
    checksums_bad: int = 0
    errors: int = 0
    resyncs: int = 0
    stale_snapshots: int = 0
    crossed: int = 0
    dropped: int = 0
