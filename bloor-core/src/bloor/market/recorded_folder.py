"""What a connection brought, out of the journal that ``bloor record`` or a run has left: each frame that counts, once.

A folder is read as it stands, also while it is written, and after its writer was killed: a torn tail is left out. A
connection that was replaced by another (:mod:`bloor.market.handover`) appears as the one stream that it was: the frames
of the second connection come when it took over, without those that repeated what was there already.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from struct import unpack
from typing import Any, NamedTuple

import orjson

from bloor.errors import InputFileError, JournalError
from bloor.journal.reader import Reader
from bloor.journal.record import RecordKind
from bloor.journal.segment import segment_files

__all__ = ["Input", "Source", "counted", "journal_folder", "read_folder", "sources"]

#: The bits of a connection's number that say that it is a second connection, that it brings market data by order, and
#: that it is for orders (:mod:`bloor.engine.effects`).
STANDBY, LEVEL3, ORDERS = 0x8000, 0x4000, 1


class Input(NamedTuple):
    """A record of a journal, or what is needed of it."""

    number: int
    kind: int
    conn: int
    wall_ns: int
    payload: bytes


class Source(NamedTuple):
    """A venue that a journal has market data of.

    Attributes:
        conn: Number of its connection.
        venue: Its name.
        rest: Base URL of its REST endpoint.
    """

    conn: int
    venue: str
    rest: str


def journal_folder(path: Path) -> Path | None:
    """The journal in a folder that ``bloor record`` or a run has made, or None when there is none."""
    for folder in (path / "journal", path):
        if segment_files(folder):
            return folder
    return None


def counted(records: Iterable[Input]) -> Iterator[Input]:
    """The frames of market data that count and the REST answers, in the order in which they were used.

    The number of a frame's connection is that of the first connection, whichever brought it.
    """
    kept: dict[int, list[Input]] = {}
    last: Input | None = None
    for record in records:
        if record.kind == RecordKind.SKIPPED:
            last = None
            continue
        if last is not None:
            yield last
            last = None
        first = record.conn & ~STANDBY
        if record.conn & ORDERS:
            continue
        if record.kind == RecordKind.FRAME_IN:
            if record.conn & STANDBY:
                kept.setdefault(first, []).append(record)
            else:
                last = record
        elif record.kind == RecordKind.TAKEOVER:
            frames = kept.pop(first, [])
            for number in unpack(f"<{len(record.payload) // 4}I", record.payload):
                yield frames[number]._replace(conn=first)
        elif record.kind == RecordKind.RESPONSE:
            yield record
        elif record.kind == RecordKind.HEADER:
            kept.clear()
            yield record
        elif record.conn & STANDBY and record.kind in (RecordKind.CONNECTED, RecordKind.DISCONNECTED):
            kept.pop(first, None)
    if last is not None:
        yield last


def sources(header: bytes) -> list[Source]:
    """The venues that a journal's header names; empty when it names none."""
    try:
        document: Any = orjson.loads(header)
        venues = (document.get("engine") or document["record"])["venues"]
        return [Source(2 * n + 2, venue["venue"], venue["endpoints"][0]) for n, venue in enumerate(venues)]
    except (orjson.JSONDecodeError, AttributeError, KeyError, IndexError, TypeError):
        return []


def read_folder(path: Path, venue: str | None = None) -> Iterator[tuple[int, int, str | None, bytes]]:
    """``(record number, receive ns, url or None, payload)`` of what counts in a folder.

    Args:
        path: A folder that ``bloor record`` or a run has made.
        venue: Whose market data; None for that of the only venue.

    Returns:
        An iterator; an answer to a request for a book has a URL that names the book, as text recordings have.

    Raises:
        InputFileError: At once when there is no journal in the folder; while reading when it has no market data of
            the venue, or is damaged.
    """
    folder = journal_folder(path)
    if folder is None:
        raise InputFileError(str(path), "expected a folder made by bloor record or bloor run, found no journal in it")
    return _read(path, folder, venue)


def _read(path: Path, folder: Path, venue: str | None) -> Iterator[tuple[int, int, str | None, bytes]]:
    records = (Input(r.sequence, r.kind, r.conn, r.wall_ns, r.payload) for r in Reader(folder))
    source: Source | None = None
    try:
        for record in counted(records):
            if record.kind == RecordKind.HEADER:
                source = _chosen(path, record, venue)
            elif source is None or record.conn & ~LEVEL3 != source.conn:
                continue
            elif record.kind == RecordKind.FRAME_IN:
                yield record.number, record.wall_ns, None, record.payload
            elif (answer := book_answer(record.payload)) is not None:
                symbol, body = answer
                yield record.number, record.wall_ns, f"{source.rest}/depth?symbol={symbol}", body
    except JournalError as error:
        raise InputFileError(str(path), str(error)) from None


def _chosen(path: Path, header: Input, venue: str | None) -> Source:
    found = sources(header.payload)
    names = ", ".join(source.venue for source in found) or "none"
    if not found or (venue is None and len(found) > 1):
        raise InputFileError(str(path), f"expected market data of one venue, got {names}; name one with --venue")
    for source in found:
        if venue in (None, source.venue):
            return source
    raise InputFileError(str(path), f"expected market data of {venue}, got {names}")


def book_answer(payload: bytes) -> tuple[str, bytes] | None:
    """``(venue symbol, body)`` of a REST answer as :mod:`bloor.engine.wire` packs it; None of one without a book."""
    if len(payload) < 4:
        return None
    status, length = unpack("<HH", payload[:4])
    tag, body = payload[4 : 4 + length].decode("utf-8", "replace"), payload[4 + length :]
    kind, _, symbol = tag.partition(":")
    return (symbol, body) if status == 200 and kind == "depth" and symbol else None
