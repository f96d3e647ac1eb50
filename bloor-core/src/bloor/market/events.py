"""The 64-byte event record: what every normalizer's work becomes, live, stored and in a backtest.

One record per event, little-endian, eight 8-byte cells; the first holds four small fields. Prices are ticks and
quantities units of the instrument (:mod:`bloor.model.instrument`), times are ns since the epoch.

================  ===========  ==========  ============  ==========  ================  ===============
kind              ``seq``      ``price``   ``qty``       ``price2``  ``qty2``          ``side``
================  ===========  ==========  ============  ==========  ================  ===============
``TRADE``         trade id     price       quantity      first id*   last id*          the taker's
``AGG_TRADE``     trade id     price       quantity      first id    last id           the taker's
``BBO``           update id    bid         bid qty       ask         ask qty           0
``BOOK``          update id    best bid    its qty       best ask    its qty           0
``GAP``           got id       expected    0             0           0                 0
``CHECKSUM``      computed     expected    0             0           0                 0
``CLEARED``       0            0           0             0           0                 0
``KLINE``         open time    open        high          low         close             0
``KLINE_VOLUME``  open time    close time  volume        trades      taker buy volume  0
``MARK_PRICE``    -1           mark price  funding rate  index       next funding      0
``LEVEL``         update id    price       quantity      order**     executed**        +1 bid, -1 ask
================  ===========  ==========  ============  ==========  ================  ===============

(*) 0 for plain trades. An empty side has price :data:`NO_PRICE` and quantity 0. ``BOOK`` is one applied book message
with the top after it. Ids that are not numbers (Coinbase's) are kept beside the record and ``seq`` is a counter.

(**) In order-level data, else 0: the number of the order whose change it was, in the sequence in which the instrument's
orders joined a queue, from 1 on or the times at which they joined, and how much of it was executed then. An order that
loses its place leaves, and joins with another number. 0 and quantity 0 empties the level; 0 and something executed is
an order that is not shown. The quantity is the level's total, as ever.

A candle is two records, ``KLINE`` and then ``KLINE_VOLUME``, both with the flag ``FINAL`` once it is closed. Its times
are ns since the epoch, its prices ticks, its volumes units of the base asset; a volume that is not said, or does not
fit 63 bits, is -1.
Mark price, index and funding rate of ``MARK_PRICE`` are finer than ticks: they are in units of 1e-8
(:data:`MARK_DECIMALS`), and the rate has a sign. A contract that pays no funding has rate :data:`NO_PRICE` and next
funding time 0.
"""

from __future__ import annotations

from enum import IntEnum
from typing import Annotated

from bloor.model.records import RecordView, record

__all__ = ["MARK_DECIMALS", "NO_PRICE", "EventKind", "EventView", "Flag"]

#: The price of a side that is empty.
NO_PRICE = -(1 << 62)

#: Decimals of the prices and the rate of a ``MARK_PRICE`` event.
MARK_DECIMALS = 8


class EventKind(IntEnum):
    """What an event record says."""

    TRADE = 1
    AGG_TRADE = 2
    BBO = 3
    BOOK = 4
    GAP = 5
    #: The venue's checksum of a book is another than that of the book; one that agrees is only counted.
    CHECKSUM = 6
    #: The book was emptied or lost its synchronisation.
    CLEARED = 7
    #: A candle's prices; a ``KLINE_VOLUME`` follows.
    KLINE = 8
    #: The same candle's volumes.
    KLINE_VOLUME = 9
    #: The price that a derivative's positions are valued at, and its funding.
    MARK_PRICE = 10
    #: One changed level of the ``BOOK`` record before it; only in storage. Quantity 0 removes the level.
    LEVEL = 16


class Flag(IntEnum):
    """Bits of ``flags``."""

    #: The book message was a snapshot.
    SNAPSHOT = 1
    #: The message was held back until a snapshot came and was applied then.
    BUFFERED = 2
    #: A run sees no event of this book message: the answer to a request, or the book as it is, repeated where a stored
    #: day begins. Only in storage.
    UNSEEN = 4
    #: The last record of its book message, ``BOOK`` or ``LEVEL``. Only in storage.
    LAST = 8
    #: The candle is closed.
    FINAL = 16


@record
class EventView(RecordView):
    """One event.

    Attributes:
        kind: An :class:`EventKind`.
        side: +1 when the taker bought, -1 when the taker sold, 0 where it has no meaning.
        flags: Bits of :class:`Flag`.
        instrument: Index of the instrument in the run's table.
        seq: The venue's sequence number or trade id; -1 when it has none.
        exch_ns: The venue's time, ns since the epoch; 0 when the message has none.
        recv_ns: When the frame was received, ns since the epoch; 0 when not known.
        price: See the table.
        qty: See the table.
        price2: See the table.
        qty2: See the table.
    """

    __slots__ = ()

    kind: Annotated[int, "u1"]
    side: Annotated[int, "i1"]
    flags: Annotated[int, "u2"]
    instrument: Annotated[int, "u4"]
    seq: int
    exch_ns: int
    recv_ns: int
    price: int
    qty: int
    price2: int
    qty2: int


assert EventView.DTYPE.itemsize == 64
