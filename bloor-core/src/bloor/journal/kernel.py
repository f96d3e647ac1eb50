"""Appending to the journal from compiled code: what :meth:`~bloor.journal.writer.Writer.append` does, by address.

Kernels; hot path. A writer's position stands in its :attr:`~bloor.journal.writer.Writer.cells`, which both forms go on
from, so any record may be written by either; the bytes are the same. Compiled code is not told of a writer's state but
finds no room: :data:`LIMIT` is 0 when the writer is closed, failed or its process's parent's, and when compiled code
cannot read its clock.
"""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np

from bloor.journal.record import HEADER_BYTES
from bloor.native.carryless import can_fold, folded_crc
from bloor.native.memory import cell_at, commit_cell, copy_bytes, prefetch, put_cell, word_at
from bloor.native.python_api import monotonic_ns

__all__ = [
    "CELLS",
    "CLOCK",
    "CRC",
    "EPOCH",
    "LIMIT",
    "MAP",
    "OFFSET",
    "SCRATCH",
    "SEQUENCE",
    "append",
    "append_at",
    "checksum",
    "checksum_tables",
    "room",
    "stamp",
]

# the cells of a writer
MAP = 0  # address of the present segment
OFFSET = 1  # where in it the next record begins
LIMIT = 2  # the segment's size in bytes; 0: compiled code may not write
SEQUENCE = 3  # number of the last record
EPOCH = 4  # fencing token
CLOCK = 5  # address of the cell that holds the time; 0: CLOCK_MONOTONIC
CRC = 6  # address of `checksum_tables`
SCRATCH = 7  # two cells for clock_gettime
CELLS = 9

#: Version of the payload's form that records written here carry.
SCHEMA = 1
#: From this many bytes on it pays to fold them.
FOLD_FROM = 16
#: So far ahead of a record the lines of the next ones are fetched: memory that was never read answers late.
AHEAD = 1024
LINE = 64
#: What a CRC-32 begins and ends with.
ONES = 0xFFFFFFFF


def room(journal: int) -> int:
    """Bytes left in the present segment, records' heads and padding included; 0 when nothing may be written.

    Args:
        journal: Address of a writer's cells.
    """
    return max(cell_at(journal + 8 * LIMIT) - cell_at(journal + 8 * OFFSET), 0)


def append(journal: int, kind: int, conn: int, wall_ns: int, payload: int, size: int) -> int:
    """Appends one record of schema 1; when it returns, the record survives the death of this process.

    Args:
        journal: Address of a writer's cells.
        kind: A :class:`~bloor.journal.record.RecordKind`, 0 to 255.
        conn: Number of the connection, 0 for none; at most 65535.
        wall_ns: Wall time of the event, ns since the epoch.
        payload: Address of the bytes.
        size: How many.

    Returns:
        The record's sequence number; -1, and nothing is changed, when it does not fit into the present segment.
    """
    return append_at(journal, kind, conn, wall_ns, payload, size, stamp(journal))


def stamp(journal: int) -> int:
    """The time by the journal's clock, ns."""
    clock = cell_at(journal + 8 * CLOCK)
    return monotonic_ns(journal + 8 * SCRATCH) if clock == 0 else cell_at(clock)


def append_at(journal: int, kind: int, conn: int, wall_ns: int, payload: int, size: int, now_ns: int) -> int:
    """As :func:`append`, at a time that was read from the journal's clock before, ns."""
    offset = cell_at(journal + 8 * OFFSET)
    length = HEADER_BYTES + size
    following = offset + ((length + 7) & -8)
    if following > cell_at(journal + 8 * LIMIT):
        return -1
    sequence = cell_at(journal + 8 * SEQUENCE) + 1
    at = cell_at(journal + 8 * MAP) + offset
    put_cell(at + 8, sequence)
    put_cell(at + 16, now_ns)
    put_cell(at + 24, wall_ns)
    put_cell(at + 32, cell_at(journal + 8 * EPOCH) | conn << 32 | kind << 48 | SCHEMA << 56)
    copy_bytes(at + HEADER_BYTES, payload, size)
    code = checksum(cell_at(journal + 8 * CRC), at + 8, following - offset - 8, length)
    commit_cell(at, code | length << 32)
    put_cell(journal + 8 * OFFSET, following)
    put_cell(journal + 8 * SEQUENCE, sequence)
    for line in range(0, length + LINE - 1, LINE):
        prefetch(at + AHEAD + line)
    return sequence


def checksum(tables: int, at: int, size: int, seed: int) -> int:
    """``zlib.crc32`` of bytes, eight at a time, or folded where that can be (:mod:`bloor.native.carryless`).

    Args:
        tables: Address of :func:`checksum_tables`.
        at: Address of the bytes.
        size: How many, a multiple of 8.
        seed: A CRC-32 to go on from, or any number of 32 bits.
    """
    code = seed ^ ONES
    end = at + size
    if size >= FOLD_FROM and can_fold() == 1:
        return folded_crc(at, size, code) ^ ONES
    while at < end:
        code = eight(tables, code, cell_at(at))
        at += 8
    return code ^ ONES


def eight(tables: int, code: int, following: int) -> int:
    """A CRC-32, its bits inverted, eight bytes further on."""
    x = following ^ code
    return (
        word_at(tables + 4 * (0x700 + (x & 255)))
        ^ word_at(tables + 4 * (0x600 + (x >> 8 & 255)))
        ^ word_at(tables + 4 * (0x500 + (x >> 16 & 255)))
        ^ word_at(tables + 4 * (0x400 + (x >> 24 & 255)))
        ^ word_at(tables + 4 * (0x300 + (x >> 32 & 255)))
        ^ word_at(tables + 4 * (0x200 + (x >> 40 & 255)))
        ^ word_at(tables + 4 * (0x100 + (x >> 48 & 255)))
        ^ word_at(tables + 4 * (x >> 56 & 255))
    )


@cache
def checksum_tables() -> np.ndarray[Any, np.dtype[np.uint32]]:
    """The tables of :func:`checksum`, ``(8, 256)``: what a byte adds to the CRC-32 when 0 to 7 bytes follow it.

    The polynomial is that of zlib and Ethernet (ISO 3309), its bits reversed: 0xEDB88320.
    """
    tables = np.zeros((8, 256), np.uint32)
    codes: np.ndarray[Any, np.dtype[np.uint32]] = np.arange(256, dtype=np.uint32)
    for _ in range(8):
        codes = (codes >> np.uint32(1)) ^ (codes & np.uint32(1)) * np.uint32(0xEDB88320)
    tables[0] = codes
    for behind in range(1, 8):
        codes = tables[behind - 1]
        tables[behind] = (codes >> np.uint32(8)) ^ tables[0][codes & np.uint32(255)]
    return tables
