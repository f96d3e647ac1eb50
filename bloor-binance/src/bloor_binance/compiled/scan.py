"""One object of a frame: where the value of each key is, and its levels read on the way (kernels; hot path).

Whatever the order of the keys: levels that come before the symbol are passed over here and read at the end
(:func:`read_rest`). An address of 0 says "not sure", and the reference takes the frame.
"""

from __future__ import annotations

from bloor.market.compiled.context import LEVELS, LEVELS_CAP, SLOTS, SYMBOL_MASK, SYMBOLS, find_slot
from bloor.market.compiled.text import expect, skip_space, string_end, value_end, wide_end
from bloor.native.memory import Cells, byte_at, rows_at
from bloor_binance.compiled.layout import (
    ASKS,
    AT,
    BIDS,
    KEY_ENVELOPE,
    SEEN,
    SLOT,
    STREAM,
    STREAM_DEPTH,
    STREAM_PARTIAL,
    STREAM_PLAIN,
    KEY_a,
    KEY_asks,
    KEY_b,
    KEY_bids,
    KEY_lastUpdateId,
    KEY_pu,
    KEY_s,
)
from bloor_binance.compiled.levels import read_levels

__all__ = ["is_text", "read_rest", "scan_frame", "scan_object"]


def is_text(p: int, c0: int, c1: int, c2: int, c3: int) -> bool:
    """Whether four bytes are these."""
    return byte_at(p) == c0 and byte_at(p + 1) == c1 and byte_at(p + 2) == c2 and byte_at(p + 3) == c3


def key_of(start: int, end: int) -> int:
    """The number of a key; 0 for one that means nothing here, :data:`KEY_ENVELOPE` for an envelope's."""
    size = end - start
    c = byte_at(start)
    if size == 1:
        return c - 64 if 65 <= c <= 122 else 0
    if size == 2:
        return KEY_pu if c == 112 and byte_at(start + 1) == 117 else 0
    if size == 4:
        if is_text(start, 98, 105, 100, 115):  # bids
            return KEY_bids
        if is_text(start, 97, 115, 107, 115):  # asks
            return KEY_asks
    elif size == 6:
        if is_text(start, 115, 116, 114, 101) and byte_at(start + 4) == 97 and byte_at(start + 5) == 109:  # stream
            return KEY_ENVELOPE
    elif (
        size == 12
        and is_text(start, 108, 97, 115, 116)  # last
        and is_text(start + 4, 85, 112, 100, 97)  # Upda
        and is_text(start + 8, 116, 101, 73, 100)  # teId
    ):
        return KEY_lastUpdateId
    return 0


def scan_frame(context: Cells, p: int, end: int) -> int:
    """Scans a frame, bare or in its envelope; the address behind it."""
    if byte_at(p) != 123:
        return 0
    key = skip_space(p + 1)
    if byte_at(key) != 34:
        return 0
    begin(context)
    c = byte_at(key + 1)
    if (c == 115 and is_text(key + 2, 116, 114, 101, 97)) or (c == 100 and is_text(key + 2, 97, 116, 97, 34)):
        return scan_envelope(context, key, end)
    behind = scan_object(context, p, end)
    if behind != 0:
        return behind
    begin(context)  # an envelope that begins with another key
    return scan_envelope(context, key, end)


def begin(context: Cells) -> None:
    """Forgets the frame before."""
    context[SLOT] = 0
    context[STREAM] = 0
    context[BIDS] = -1
    context[ASKS] = -1


def scan_envelope(context: Cells, p: int, end: int) -> int:
    """Scans ``"stream":"name","data":{...}}`` in either order, from its first key."""
    data = 0
    behind = 0
    while True:
        if byte_at(p) != 34:
            return 0
        start = p + 1
        p = string_end(start)
        if p == 0:
            return 0
        size = p - start
        c = byte_at(start)
        p = expect(p + 1, 58)
        if p == 0:
            return 0
        p = skip_space(p)
        if size == 6 and c == 115 and is_text(start + 2, 114, 101, 97, 109) and byte_at(start + 1) == 116:
            if context[STREAM] != 0 or byte_at(p) != 34:
                return 0
            p = scan_stream(context, p + 1)
        elif size == 4 and is_text(start, 100, 97, 116, 97):
            if data != 0 or byte_at(p) != 123:
                return 0
            data = p
            if context[STREAM] != 0:
                p = behind = scan_object(context, p, end)
            else:
                p = value_end(p)
        else:
            p = value_end(p)
        if p == 0:
            return 0
        p = skip_space(p)
        c = byte_at(p)
        p += 1
        if c == 125:
            break
        if c != 44:
            return 0
        p = skip_space(p)
    if data == 0 or context[STREAM] == 0:
        return 0
    if behind == 0 and scan_object(context, data, end) == 0:
        return 0
    return p


def scan_stream(context: Cells, start: int) -> int:
    """Looks at the name of a stream, from behind its opening quote; the address behind the closing one.

    A stream of the best levels gives the instrument, since its events do not.
    """
    at = 0
    again = 0
    p = start
    c = byte_at(p)
    while c != 34:
        if c == 64:  # @
            if at == 0:
                at = p
            elif byte_at(p + 1) == 100:
                again = 1
        if 32 <= c < 128 and c != 92:
            p += 1
        else:
            p = wide_end(p)
            if p == 0:
                return 0
        c = byte_at(p)
    if again == 1:  # a second "@d": no name that Binance has, and it could be read in two ways
        return 0
    context[STREAM] = STREAM_PLAIN
    if at == 0 or p - at < 6 or byte_at(at + 1) != 100 or not is_text(at + 2, 101, 112, 116, 104):  # @depth
        return p + 1
    tail = at + 6
    c = byte_at(tail)
    if c == 64 or c == 34:
        context[STREAM] = STREAM_DEPTH
    else:
        if c == 53:
            tail += 1
        elif (c == 49 or c == 50) and byte_at(tail + 1) == 48:
            tail += 2
        else:
            return 0
        c = byte_at(tail)
        if c != 64 and c != 34:
            return 0
        context[STREAM] = STREAM_PARTIAL
        context[SLOT] = find_slot(context[SYMBOLS], context[SYMBOL_MASK], context[SLOTS], start, at, 1)
    return p + 1


def scan_object(context: Cells, p: int, end: int) -> int:
    """Scans the object at ``p``: keys to ``SEEN``, addresses of values to ``AT``; the address behind it."""
    seen = 0
    context[SEEN] = 0
    p = skip_space(p + 1)
    if byte_at(p) == 125:
        return p + 1
    while True:
        if byte_at(p) != 34:
            return 0
        start = p + 1
        c = byte_at(start)
        if byte_at(p + 2) == 34 and 65 <= c <= 122 and c != 92:  # most keys are one letter
            key = c - 64
            p += 2
        else:
            p = string_end(start)
            if p == 0:
                return 0
            key = key_of(start, p)
        p = expect(p + 1, 58)
        if p == 0 or key < 0:
            return 0
        p = skip_space(p)
        if key > 0:
            bit = 1 << key
            if seen & bit != 0:
                return 0
            seen |= bit
            context[AT + key] = p
        p = scan_value(context, key, p, end)
        if p == 0:
            return 0
        p = skip_space(p)
        c = byte_at(p)
        p += 1
        if c == 125:
            context[SEEN] = seen
            return p
        if c != 44:
            return 0
        p = skip_space(p)


def scan_value(context: Cells, key: int, p: int, end: int) -> int:
    """The address behind a value; a symbol is looked up and levels are read when that can be done already."""
    c = byte_at(p)
    if key == KEY_s:
        close = string_end(p + 1) if c == 34 else 0
        if close == 0:
            return 0
        slot = find_slot(context[SYMBOLS], context[SYMBOL_MASK], context[SLOTS], p + 1, close, 0)
        if slot == 0 or (slot != context[SLOT] and context[BIDS] >= 0):
            return 0
        context[SLOT] = slot
        return close + 1
    slot = context[SLOT]
    if c == 91 and slot != 0:
        if key in (KEY_b, KEY_bids) and context[BIDS] < 0 and context[ASKS] < 0:
            rows = rows_at(context[LEVELS], LEVELS_CAP)
            context[BIDS], p = read_levels(rows, 0, p + 1, end, slot)
            return p
        if key in (KEY_a, KEY_asks) and context[BIDS] >= 0 and context[ASKS] < 0:
            rows = rows_at(context[LEVELS], LEVELS_CAP)
            row, p = read_levels(rows, context[BIDS], p + 1, end, slot)
            context[ASKS] = row - context[BIDS]
            return p
    return value_end(p)


def read_rest(context: Cells, bids: int, asks: int, end: int) -> int:
    """Reads the levels that were passed over; 1 when both sides are in the scratch rows, 0 when not sure.

    Args:
        context: The context, its slot known.
        bids: The key of the bids.
        asks: The key of the asks.
        end: The end of the text.
    """
    slot = context[SLOT]
    if context[ASKS] >= 0:
        return 1
    rows = rows_at(context[LEVELS], LEVELS_CAP)
    if context[BIDS] < 0:
        p = context[AT + bids]
        if byte_at(p) != 91:
            return 0
        context[BIDS], p = read_levels(rows, 0, p + 1, end, slot)
        if p == 0:
            return 0
    p = context[AT + asks]
    if byte_at(p) != 91:
        return 0
    row, p = read_levels(rows, context[BIDS], p + 1, end, slot)
    context[ASKS] = row - context[BIDS]
    return 1 if p != 0 else 0
