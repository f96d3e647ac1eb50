"""What a record of the journal looks like in memory, and the kinds of it.

Little-endian, every record begins on a multiple of 8 bytes::

    offset  type  field
         0  u4    crc32      of everything from offset 8 to the next record, padding included; seeded with ``length``
         4  u4    length     header and payload in bytes (so never 0); 0 means: nothing was committed here
         8  u8    sequence   1, 2, 3, ... through all segments
        16  i8    mono_ns    monotonic clock of the writer
        24  i8    wall_ns    wall time of the event, ns since the epoch
        32  u4    epoch      fencing token of the writer
        36  u2    conn       number of the connection, 0 for none
        38  u1    kind       a :class:`RecordKind`
        39  u1    schema     version of the payload's form
        40        payload

The writer stores everything from offset 8 on and then ``crc32`` and ``length`` together, as one aligned 8-byte word.
That word is the commit: a reader of the same page cache that sees it also sees the record, wherever stores become
visible in the order they were made (x86-64, and any machine between two system calls). On a weaker machine a reader
may for a moment see the word before the bytes; it then finds a wrong checksum and looks again, and never takes a torn
record for a whole one.
"""

from __future__ import annotations

from enum import IntEnum
from struct import Struct
from typing import NamedTuple
from zlib import crc32

__all__ = ["ALIGN", "HEADER_BYTES", "Record", "RecordKind", "aligned", "decode"]

HEADER_BYTES = 40
ALIGN = 8

#: Everything between the commit word and the payload; stands at offset 8.
BODY = Struct("<QqqIHBB")
COMMIT = Struct("<II")
assert COMMIT.size + BODY.size == HEADER_BYTES


class RecordKind(IntEnum):
    """What a record holds. Numbers are never reused; new kinds are added at the end."""

    #: First record of a writer: build, configuration and plug-in hashes.
    HEADER = 1
    #: A frame as it came from a connection.
    FRAME_IN = 2
    #: A frame as it is about to be written to a connection.
    FRAME_OUT = 3
    #: The answer to a REST request.
    RESPONSE = 4
    #: A connection is open.
    CONNECTED = 5
    #: A connection is gone.
    DISCONNECTED = 6
    #: A timer fired.
    TIMER = 7
    #: A person or a service asked for something: halt, resume, a limit.
    COMMAND = 8
    #: What the decision core decided: an order, a cancel, a denial.
    DECISION = 9
    #: State of the run for those who watch: counters, positions, marks.
    STATUS = 10
    #: Last record of a writer that ended on purpose.
    FOOTER = 11
    #: A second connection took over from the first: the u4 numbers (from 0) of those of its frames that count.
    TAKEOVER = 12
    #: The last frame of this connection repeated what was used already, so it does not count.
    SKIPPED = 13
    #: A signed REST request as it is about to be made, without key and signature.
    REQUEST = 14


class Record(NamedTuple):
    """One record as it was read.

    Attributes:
        sequence: 1, 2, 3, ... through all segments.
        mono_ns: Monotonic time at which it was written.
        wall_ns: Wall time of the event, ns since the epoch.
        epoch: Fencing token of the writer.
        conn: Number of the connection, 0 for none.
        kind: A :class:`RecordKind` as a plain integer, so that a reader survives kinds it does not know.
        schema: Version of the payload's form.
        payload: The bytes.
    """

    sequence: int
    mono_ns: int
    wall_ns: int
    epoch: int
    conn: int
    kind: int
    schema: int
    payload: bytes


def aligned(size: int) -> int:
    """``size`` rounded up to where the next record begins."""
    return (size + ALIGN - 1) & -ALIGN


def decode(data: bytes | memoryview, offset: int) -> Record | None:
    """The record at ``offset``, or None when the bytes there are not a whole and undamaged record."""
    if offset + HEADER_BYTES > len(data):
        return None
    checksum, length = COMMIT.unpack_from(data, offset)
    end = offset + aligned(length)
    if length < HEADER_BYTES or end > len(data):
        return None
    if crc32(memoryview(data)[offset + COMMIT.size : end], length) != checksum:
        return None
    payload = bytes(data[offset + HEADER_BYTES : offset + length])
    return Record._make((*BODY.unpack_from(data, offset + COMMIT.size), payload))
