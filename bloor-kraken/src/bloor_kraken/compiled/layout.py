"""Cells of a context's own memory that the kernels here use, and the texts they look for.

A text is compared eight bytes at a time, so each is here as numbers of eight bytes, little-endian; the last one of a
text that is no multiple of eight long begins where it ends eight bytes later, over the one before.
"""

from __future__ import annotations

__all__ = ["CRC_TABLES", "DIGITS", "UPDATE_SIZE"]

# cells of the memory
READY = 0  # 1 once the tables are there

DIGITS = 16  # the text that the checksum is of: at most 20 levels of two numbers of 18 digits
CRC_TABLES = 1024  # eight tables of 256 words of 32 bits


def _word(text: bytes) -> int:
    return int.from_bytes(text, "little", signed=True)


#: What a change of a book begins with, up to its symbol.
_UPDATE = b'{"channel":"book","type":"update","data":[{"symbol":"'
UPDATE_SIZE = len(_UPDATE)
UPDATE_0, UPDATE_1, UPDATE_2 = _word(_UPDATE[:8]), _word(_UPDATE[8:16]), _word(_UPDATE[16:24])
UPDATE_3, UPDATE_4, UPDATE_5 = _word(_UPDATE[24:32]), _word(_UPDATE[32:40]), _word(_UPDATE[40:48])
UPDATE_LAST = _word(_UPDATE[-8:])

#: Keys, each with what stands between it and what is before it and behind it.
BIDS_SIZE, ASKS_SIZE = 9, 8
BIDS_0, BIDS_LAST = _word(b'","bids"'), _word(b',"bids":')
ASKS_0 = _word(b',"asks":')
PRICE_SIZE, QTY_SIZE = 9, 7
PRICE_0, PRICE_LAST = _word(b'{"price"'), _word(b'"price":')
QTY_0 = _word(b',"qty":\0')  # seven bytes
CHECKSUM_SIZE, TIME_SIZE = 12, 14
CHECKSUM_0, CHECKSUM_LAST = _word(b',"checks'), _word(b'ecksum":')
TIME_0, TIME_LAST = _word(b',"timest'), _word(b'stamp":"')

#: Keeps the lower seven bytes of eight.
SEVEN_BYTES = (1 << 56) - 1
