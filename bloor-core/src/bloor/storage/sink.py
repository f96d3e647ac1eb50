"""Where the records of an import go: one chunk of memory, emptied into a file per instrument and day.

Hot path of an import. Whoever makes records puts them into the chunk, one by one (:meth:`EventSink.put`) or many at
once (:meth:`EventSink.extend`, for compiled code and columns); memory is bounded by the chunk, whatever the length of
the input or the number of instruments, and the files do not depend on its size. One record costs 0.3 us here, one that
comes with others some ns.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from pathlib import Path
from struct import Struct
from typing import TYPE_CHECKING, Any

import numpy as np
from attrs import asdict, define, field

from bloor.market.events import EventKind, EventView, Flag
from bloor.model.instrument import Instrument
from bloor.storage.cells import Records, times
from bloor.storage.layout import DAY_NS, day_name
from bloor.storage.manifest import read_instrument

if TYPE_CHECKING:
    from bloor.market.instruments import InstrumentTable

__all__ = ["CHUNK_ROWS", "EventSink", "StagedPart"]

#: 4 MB of records.
CHUNK_ROWS = 1 << 16
ROW_BYTES = EventView.DTYPE.itemsize
#: Gaps that a manifest lists; more are counted only.
LISTED_GAPS = 1_000

_RECORD = Struct("=BbHI7q")


@define(eq=False)
class StagedPart:
    """One instrument and day of an import under way.

    Attributes:
        path: The file that is being written.
        index: Index of the instrument in the table.
        day: Number of the day since the epoch.
        rows: Records so far.
        kinds: Records of each kind.
        first_ns: Time of the first record.
        last_ns: Time of the last one.
        units: From which record on which definition of the instrument counts.
        gaps: What the manifest lists.
        orders: Records of levels that say whose order changed.
        digest: SHA-256 of the first ``hashed`` records, see :meth:`hash`.
    """

    path: Path
    index: int
    day: int
    rows: int = 0
    kinds: np.ndarray[Any, Any] = field(factory=lambda: np.zeros(256, np.int64))
    first_ns: int = 0
    last_ns: int = 0
    units: list[tuple[int, Instrument]] = field(factory=list)
    gaps: list[dict[str, int]] = field(factory=list)
    orders: int = 0
    digest: Any = field(factory=hashlib.sha256)
    hashed: int = 0

    def hash(self) -> str:
        """SHA-256 of the file, in hex; what it has been asked for before is not read again."""
        with self.path.open("rb") as file:
            file.seek(self.hashed * ROW_BYTES)
            while chunk := file.read(1 << 20):
                self.digest.update(chunk)
        self.hashed = self.rows
        return str(self.digest.hexdigest())

    def standing(self) -> dict[str, Any]:
        """Everything that is known of it, as JSON."""
        return {
            "index": self.index,
            "day": self.day,
            "rows": self.rows,
            "kinds": {str(kind): int(self.kinds[kind]) for kind in np.flatnonzero(self.kinds).tolist()},
            "first_ns": self.first_ns,
            "last_ns": self.last_ns,
            "units": [[begin, asdict(instrument)] for begin, instrument in self.units],
            "gaps": self.gaps,
            "orders": self.orders,
        }


class EventSink:
    """Takes records of any instruments, in the order they came.

    Attributes:
        parts: What has been written, by instrument index and day.
        rows: Records written.
    """

    def __init__(self, table: InstrumentTable, folder: Path, *, chunk_rows: int = CHUNK_ROWS) -> None:
        """Begins with nothing.

        Args:
            table: The instruments; one that is refined between two records is noticed.
            folder: Where the files are made.
            chunk_rows: Records held in memory, at least 1.
        """
        self.parts: dict[tuple[int, int], StagedPart] = {}
        self.rows = 0
        self._table = table
        self._folder = folder
        self._chunk = np.zeros(chunk_rows, EventView.DTYPE)
        self._raw = memoryview(self._chunk.view(np.uint8).data)
        self._size = chunk_rows
        self._used = 0
        self._seen: dict[int, Instrument] = {}
        self._last: dict[int, int] = {}

    @property
    def taken(self) -> int:
        """Records taken, those in memory among them."""
        return self.rows + self._used

    def standing(self) -> dict[str, Any]:
        """What is known when everything is in the files, as JSON: for :meth:`restore`."""
        return {
            "rows": self.rows,
            "last": {str(index): time for index, time in self._last.items()},
            "parts": [part.standing() for part in self.parts.values()],
        }

    def restore(self, saved: Mapping[str, Any]) -> None:
        """Continues where another sink stood; the files are as they were then."""
        self.rows = saved["rows"]
        self._last = {int(index): time for index, time in saved["last"].items()}
        for entry in saved["parts"]:
            part = self._part(entry["index"], entry["day"])
            part.rows, part.first_ns, part.last_ns = entry["rows"], entry["first_ns"], entry["last_ns"]
            part.gaps, part.orders = list(entry["gaps"]), entry["orders"]
            for kind, count in entry["kinds"].items():
                part.kinds[int(kind)] = count
            now = self._table[part.index]
            part.units = [
                (begin, now if (then := read_instrument(unit)) == now else then) for begin, unit in entry["units"]
            ]

    def put(self, record: memoryview, index: int) -> None:
        """Takes one record.

        Args:
            record: Its 64 bytes.
            index: Its instrument.
        """
        if self._seen.get(index) is not self._table[index]:
            self._refined(index)
        if self._used == self._size:
            self.flush()
        at = self._used * ROW_BYTES
        self._raw[at : at + ROW_BYTES] = record
        self._used += 1

    def extend(self, rows: Records, index: int) -> None:
        """Takes many records of one instrument, whose ``instrument`` cell is its index."""
        if self._seen.get(index) is not self._table[index]:
            self._refined(index)
        begin, count = 0, len(rows)
        while begin < count:
            if self._used == self._size:
                self.flush()
            end = min(count, begin + self._size - self._used)
            self._chunk[self._used : self._used + end - begin] = rows[begin:end]
            self._used += end - begin
            begin = end

    def memory(self) -> tuple[int, int, int]:
        """``(address, records it holds, records in it)`` of the chunk, for compiled code; then :meth:`advance`."""
        return int(self._chunk.ctypes.data), self._size, self._used

    def advance(self, used: int) -> None:
        """Compiled code has written records, so that there are ``used`` in the chunk now."""
        self._used = used

    def look(self) -> None:
        """Notices instruments that are new or were refined, for compiled code, which does not."""
        for index in range(len(self._table)):
            if self._seen.get(index) is not self._table[index]:
                self._refined(index)

    def book(
        self,
        index: int,
        flags: int,
        times: tuple[int, int, int],
        top: tuple[int, int, int, int],
        levels: np.ndarray[Any, np.dtype[np.int64]],
        bids: int,
        orders: np.ndarray[Any, np.dtype[np.int64]] | None = None,
    ) -> None:
        """Takes a book message: the record with the top after it, and one for each level that it changed.

        Args:
            index: The instrument.
            flags: Bits of :class:`~bloor.market.events.Flag`, without ``LAST``.
            times: ``(seq, exch_ns, recv_ns)``.
            top: ``(best bid, its quantity, best ask, its quantity)`` after the message.
            levels: ``(n, 2)``: ticks and units, in the order they are to be applied.
            bids: How many of them, from the first, are bids.
            orders: ``(n, 3)``: the number of the order that each is of, units executed of it, and its place in the
                sequence in which they happened, which their records have then; None where that is not known.
        """
        count = len(levels)
        head = bytearray(ROW_BYTES)
        last = 0 if count else Flag.LAST
        _RECORD.pack_into(head, 0, EventKind.BOOK, 0, flags | last, index, *times, *top)
        self.put(memoryview(head), index)
        if not count:
            return
        rows = np.zeros(count, EventView.DTYPE)
        rows["kind"], rows["flags"], rows["instrument"] = EventKind.LEVEL, flags, index
        rows["side"][:bids] = 1
        rows["side"][bids:] = -1
        rows["seq"], rows["exch_ns"], rows["recv_ns"] = times
        rows["price"], rows["qty"] = levels[:, 0], levels[:, 1]
        if orders is not None:
            rows["price2"], rows["qty2"] = orders[:, 0], orders[:, 1]
            rows = rows[np.argsort(orders[:, 2], kind="stable")]
        rows["flags"][-1] |= Flag.LAST
        self.extend(rows, index)

    def flush(self) -> None:
        """Writes what is in memory to the files."""
        rows = self._chunk[: self._used]
        self._used = 0
        self.rows += len(rows)
        indices = rows["instrument"]
        first = int(indices[0]) if len(rows) else 0
        if (indices == first).all():  # the rows stay where they are: a third of the time of a flush
            self._append(first, rows)
            return
        for index in np.unique(indices).tolist():
            self._append(index, rows[indices == index])

    def _append(self, index: int, rows: Records) -> None:
        """Splits the records of one instrument by day."""
        if not len(rows):
            return
        known = times(rows, self._last.get(index, 0))
        self._last[index] = int(known[-1])
        rows["instrument"] = 0
        days = known // DAY_NS
        begins = np.flatnonzero(np.diff(days, prepend=days[0] - 1)).tolist()
        for begin, end in zip(begins, [*begins[1:], len(rows)], strict=True):
            self._write(index, int(days[begin]), rows[begin:end], known[begin:end])

    def _write(self, index: int, day: int, rows: Records, known: np.ndarray[Any, Any]) -> None:
        part = self.parts.get((index, day))
        if part is None:
            part = self._part(index, day)
            part.first_ns = int(known[0])
        instrument = self._seen[index]
        if not part.units or part.units[-1][1] != instrument:
            part.units.append((part.rows, instrument))
        part.kinds += np.bincount(rows["kind"], minlength=256)
        for row in rows[rows["kind"] == EventKind.GAP][: LISTED_GAPS - len(part.gaps)]:
            part.gaps.append({"recv_ns": int(row["recv_ns"]), "expected": int(row["price"]), "got": int(row["seq"])})
        part.orders += int(np.count_nonzero((rows["kind"] == EventKind.LEVEL) & (rows["price2"] != 0)))
        part.rows += len(rows)
        part.last_ns = int(known[-1])
        with part.path.open("ab") as file:
            file.write(rows.view(np.uint8).data)

    def _part(self, index: int, day: int) -> StagedPart:
        part = self.parts[index, day] = StagedPart(self._folder / f"{index}-{day_name(day)}.events", index, day)
        return part

    def _refined(self, index: int) -> None:
        """An instrument is new, or counts in finer units from here on."""
        if index in self._seen:
            self.flush()
        self._seen[index] = self._table[index]


assert _RECORD.size == ROW_BYTES
