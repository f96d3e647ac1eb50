"""What a step of a compiled normalizer answers: a number of the kind below, plus 16 times the number of a slot.

Negative answers mean that nothing was changed and the reference has to take the frame.
"""

from __future__ import annotations

__all__ = [
    "AGG_TRADE",
    "BBO",
    "BOOK",
    "CROSSED",
    "DROPPED",
    "KIND_MASK",
    "KLINE",
    "MARK_PRICE",
    "MISMATCH",
    "NEEDS_ROOM",
    "SLOT_SHIFT",
    "TRADE",
    "UNSURE",
]

#: Not read, for whatever reason.
UNSURE = -1
#: Not taken, since the scratch rows or the book have no room for so many levels: the context says how many, and whose.
#: Once they have, the frame can be tried again.
NEEDS_ROOM = -2

#: A book message was applied, and the event written.
BOOK = 1
TRADE = 2
AGG_TRADE = 3
BBO = 4
#: A book message that the book contains already.
DROPPED = 5
#: A book message was applied, and now the best bid is not below the best ask. No event.
CROSSED = 6
#: Two records.
KLINE = 7
MARK_PRICE = 8
#: A book message was applied, and now the venue's checksum is another; the event says both.
MISMATCH = 9

SLOT_SHIFT = 4
KIND_MASK = (1 << SLOT_SHIFT) - 1
