"""Frames of the shape of one before: only their values are new, so only those are looked for (kernels; hot path).

A venue writes trades and best bids and offers of an instrument always in the same way. A shape is the text of a frame
that was scanned in full, and where the values of its keys stand in it. A frame whose bytes are the same everywhere but
at numbers and at true and false has the same keys, the same instrument and the same kind; what its numbers say is for
the functions that read them after a full scan too. Most frames get by with a tenth of the machine code of a full scan,
which has gone from the processor's cache again whenever a frame comes.

Shapes are kept in the venue's own memory of a context, found by a hash of the first bytes of a frame; a frame that has
none is scanned in full, and now and then its shape takes the place of the one that was there.
"""

from __future__ import annotations

from bloor.market.compiled.context import MEMORY, MEMORY_CELLS
from bloor.native.memory import Cells, byte_at, cell_at, copy_bytes, put_cell
from bloor_binance.compiled.layout import ASKS, AT, BIDS, MISSES, SEEN, SLOT, STREAM, KEY_e, KEY_s

__all__ = ["follow", "learn", "shape_for"]

# cells of a shape
KIND = 0  # the answer of a frame of this shape; 0 where there is none
COUNT = 1  # how many parts
SEEN_KEYS, FOUND_SLOT, STREAM_KIND = 2, 3, 4  # what a full scan has found
PARTS = 8  # each part: bytes before a value, and of it in the text, the key, what may stand there
PARTS_MAX = 24
TEXT = PARTS + PARTS_MAX
TEXT_BYTES = 376  # and a cell that may be read with the last bytes
SHAPE_CELLS = TEXT + 48
#: How many shapes there are: a power of two.
SHAPES = 64
assert SHAPES * SHAPE_CELLS <= MEMORY_CELLS

#: What may stand in the place of a value: nothing else; a number in quotes; a whole number; true or false.
SAME, DECIMAL, INTEGER, WORD = 0, 1, 2, 3
#: A shape is learned from one of so many frames that have none: a power of two.
LEARN_EVERY = 8
#: The first bytes, which the hash is made of: those of an envelope have the instrument in them.
HEAD = 40


def shape_for(context: Cells, text: int, size: int) -> int:
    """The address where the shape of a frame would be; 0 when the frame is too short or too long for one."""
    if size < HEAD or size > TEXT_BYTES:
        return 0
    code = cell_at(text + 8) ^ cell_at(text + 16) >> 7 ^ cell_at(text + 24) >> 13
    code = (code ^ code >> 29 ^ code >> 43) & 0x7FFFFFFF
    return context[MEMORY] + 8 * SHAPE_CELLS * (code * 2654435761 >> 20 & (SHAPES - 1))  # type: ignore[no-any-return]


def follow(context: Cells, shape: int, p: int, end: int) -> int:
    """The kind of a frame that has a shape, its keys found as by a full scan; 0 for a frame of another shape.

    Args:
        context: The context.
        shape: From :func:`shape_for`.
        p: The frame's first byte.
        end: Behind its last.
    """
    kind = cell_at(shape + 8 * KIND)
    if kind == 0:
        return 0
    at = shape + 8 * TEXT
    part = shape + 8 * PARTS
    last = part + 8 * cell_at(shape + 8 * COUNT)
    while part < last:
        found = cell_at(part)
        size = found & 0xFFFF
        if same(p, at, size, end) == 0:
            return 0
        p += size
        at += size + (found >> 16 & 0xFFFF)
        what = found >> 40
        context[AT + (found >> 32 & 0xFF)] = p - 1 if what == DECIMAL else p
        p = value_behind(p, what)
        if p == 0:
            return 0
        part += 8
    if p != end:
        return 0
    context[SEEN] = cell_at(shape + 8 * SEEN_KEYS)
    context[SLOT] = cell_at(shape + 8 * FOUND_SLOT)
    context[STREAM] = cell_at(shape + 8 * STREAM_KIND)
    context[BIDS] = -1
    context[ASKS] = -1
    return kind


def same(p: int, at: int, size: int, end: int) -> int:
    """Whether the next bytes of a frame are those at another address: 1 or 0."""
    if p + size > end:
        return 0
    while size >= 8:
        if cell_at(p) != cell_at(at):
            return 0
        p += 8
        at += 8
        size -= 8
    if p + 8 <= end:
        return 1 if (cell_at(p) ^ cell_at(at)) & ((1 << 8 * size) - 1) == 0 else 0
    while size > 0:
        if byte_at(p) != byte_at(at):
            return 0
        p += 1
        at += 1
        size -= 1
    return 1


def value_behind(p: int, what: int) -> int:
    """The address behind a value of a kind; 0 when something else stands there.

    Where a number ends is told by the bytes that follow it in the shape too: by a quote, a comma or a brace.
    """
    c = byte_at(p)
    if what == DECIMAL:
        while 48 <= c <= 57 or c == 46:
            p += 1
            c = byte_at(p)
    elif what == INTEGER:
        start = p
        while 48 <= c <= 57:
            p += 1
            c = byte_at(p)
        if p == start or p - start > 18 or (p - start > 1 and byte_at(start) == 48):
            return 0
    elif what == WORD:
        if c == 116:  # true
            return p + 4 if byte_at(p + 1) == 114 and byte_at(p + 2) == 117 and byte_at(p + 3) == 101 else 0
        if c != 102 or byte_at(p + 1) != 97 or byte_at(p + 2) != 108 or byte_at(p + 3) != 115 or byte_at(p + 4) != 101:
            return 0
        return p + 5
    return p


def learn(context: Cells, shape: int, text: int, end: int, kind: int) -> None:
    """Keeps the shape of a frame that was scanned in full, if it is time for that and it can be one.

    Args:
        context: The context, as the scan has left it.
        shape: From :func:`shape_for`.
        text: The frame's first byte.
        end: Behind its last.
        kind: Its answer.
    """
    context[MISSES] += 1
    if context[MISSES] & (LEARN_EVERY - 1) != 1:
        return
    put_cell(shape + 8 * KIND, 0)
    seen = context[SEEN]
    begin = text
    count = 0
    while True:
        key = next_key(context, seen)
        if key == 0:
            break
        if count == PARTS_MAX - 1:
            return
        p = context[AT + key]
        what = SAME if key in (KEY_e, KEY_s) else what_is(p)
        if what == DECIMAL:
            p += 1
        behind = value_behind(p, what)
        if behind == 0 or (what == DECIMAL and byte_at(behind) != 34):
            what, p, behind = SAME, context[AT + key], context[AT + key]
        put_cell(shape + 8 * (PARTS + count), p - begin | behind - p << 16 | key << 32 | what << 40)
        begin = behind
        seen ^= 1 << key
        count += 1
    put_cell(shape + 8 * (PARTS + count), end - begin)  # the rest, behind the last value
    copy_bytes(shape + 8 * TEXT, text, end - text)
    put_cell(shape + 8 * COUNT, count + 1)
    put_cell(shape + 8 * SEEN_KEYS, context[SEEN])
    put_cell(shape + 8 * FOUND_SLOT, context[SLOT])
    put_cell(shape + 8 * STREAM_KIND, context[STREAM])
    put_cell(shape + 8 * KIND, kind)


def next_key(context: Cells, seen: int) -> int:
    """The key of ``seen`` whose value comes first; 0 when there is none."""
    first = 0
    for key in range(1, 63):
        if seen & (1 << key) != 0 and (first == 0 or context[AT + key] < context[AT + first]):
            first = key
    return first


def what_is(p: int) -> int:
    """What may stand in the place of the value at an address."""
    c = byte_at(p)
    if c == 34:
        return DECIMAL
    if 48 <= c <= 57:
        return INTEGER
    return WORD if c == 116 or c == 102 else SAME
