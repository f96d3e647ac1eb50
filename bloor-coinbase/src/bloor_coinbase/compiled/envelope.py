"""What every frame begins with, and its number on the connection (kernels; hot path).

Frames are read in the one way in which Coinbase writes them: without white space, the keys in their order, one event.
Whatever else JSON allows is the reference's.
"""

from __future__ import annotations

from bloor.market.compiled.context import CONNECTION
from bloor.native.memory import Cells, byte_at, cell_at, word_at
from bloor_coinbase.compiled.layout import SENT, SEQ, SNAPSHOT
from bloor_coinbase.compiled.times import read_time
from bloor_coinbase.compiled.words import cell, half

__all__ = ["closed", "read_envelope"]

CLIENT_0, CLIENT_7 = cell(b'"client_'), cell(b'_id":"",')
TIMESTAMP_0, TIMESTAMP_5 = cell(b'"timesta'), cell(b'stamp":"')
SEQUENCE_0, SEQUENCE_8 = cell(b',"sequen'), cell(b'ce_num":')
EVENTS_0, EVENTS_8, EVENTS_11 = cell(b',"events'), cell(b'":[{"typ'), cell(b'{"type":')
SNAPSHOT_0, UPDATE_0 = cell(b'"snapsho'), cell(b'"update"')
T_QUOTE = half(b't",\0')


def read_envelope(context: Cells, p: int, end: int) -> int:
    """Reads ``,"timestamp":"...","sequence_num":2,"events":[{"type":"update",`` from behind the channel.

    Time, number and kind of the event go to their cells.

    Returns:
        The address behind the comma; 0 when not sure, or when a frame is missing before this one.
    """
    if p + 40 > end or byte_at(p) != 44:
        return 0
    p += 1
    if cell_at(p) == CLIENT_0 and cell_at(p + 7) == CLIENT_7:
        p += 15
    if p + 40 > end or cell_at(p) != TIMESTAMP_0 or cell_at(p + 5) != TIMESTAMP_5:
        return 0
    sent_ns, p = read_time(p + 13, end)
    if sent_ns < 0 or p + 24 > end or cell_at(p) != SEQUENCE_0 or cell_at(p + 8) != SEQUENCE_8:
        return 0
    p += 16
    start = p
    seq = 0
    c = byte_at(p) - 48
    while 0 <= c <= 9 and p - start < 18:
        seq = seq * 10 + c
        p += 1
        c = byte_at(p) - 48
    if p == start or (byte_at(start) == 48 and p - start > 1) or p + 40 > end:
        return 0
    last = context[CONNECTION]
    if last >= 0 and seq != last + 1:
        return 0
    if cell_at(p) != EVENTS_0 or cell_at(p + 8) != EVENTS_8 or cell_at(p + 11) != EVENTS_11:
        return 0
    p += 19
    context[SENT], context[SEQ] = sent_ns, seq
    if cell_at(p) == UPDATE_0:
        context[SNAPSHOT] = 0
        p += 8
    elif cell_at(p) == SNAPSHOT_0 and word_at(p + 8) & 0xFFFFFF == T_QUOTE:
        context[SNAPSHOT] = 1
        p += 10
    else:
        return 0
    return p + 1 if byte_at(p) == 44 else 0


def closed(p: int, end: int) -> bool:
    """Whether ``}]}`` is all that is left: the end of the event, of the events and of the frame."""
    return p + 3 == end and byte_at(p) == 125 and byte_at(p + 1) == 93 and byte_at(p + 2) == 125
