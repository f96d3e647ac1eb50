"""What happened in a run, from its records: counts, and a timeline of bounded length however long the run was."""

from __future__ import annotations

from collections import Counter
from typing import Any

from bloor.engine.decisions import SIZE, DecisionKind
from bloor.journal.record import HEADER_BYTES, Record, RecordKind, aligned
from bloor.model.orders import Fill

__all__ = ["Story", "Timeline"]

SECOND = 1_000_000_000
#: Most rows of a timeline; with more, two become one.
ROWS = 60

_DECISION = int(RecordKind.DECISION)
_KINDS = {int(kind): kind.name.lower() for kind in DecisionKind}


class Timeline:
    """Counts per stretch of time: of a second, and doubled whenever there are too many.

    Attributes:
        since_ns: When the first stretch begins; set before anything is added.
        width_ns: Length of a stretch.
    """

    def __init__(self) -> None:
        self.since_ns = 0
        self.width_ns = SECOND
        self._rows: dict[int, Counter[str]] = {}

    def add(self, now_ns: int, what: str) -> None:
        """Counts one thing."""
        index = (now_ns - self.since_ns) // self.width_ns
        row = self._rows.get(index)
        if row is None:
            row = self._rows[index] = Counter()
            while len(self._rows) > ROWS:
                self._double()
                row = self._rows[(now_ns - self.since_ns) // self.width_ns]
        row[what] += 1

    def _double(self) -> None:
        self.width_ns *= 2
        halves, self._rows = self._rows, {}
        for index, row in halves.items():
            self._rows.setdefault(index // 2, Counter()).update(row)

    def rows(self) -> list[dict[str, Any]]:
        """``{"start_s", "seconds", ...counts}`` of every stretch in which something happened, in order."""
        seconds = self.width_ns / SECOND
        return [{"start_s": index * seconds, "seconds": seconds, **row} for index, row in sorted(self._rows.items())]


class Story:
    """What happened, as far as it was read.

    Attributes:
        records: How many records there were.
        size: Their bytes.
        counts: How many of each kind.
        decisions: How many decisions of each kind.
        first_ns: Wall time of the first record that has one.
        last_ns: Wall time of the last record.
        fills: How many fills the replay made.
        timeline: Decisions and fills over time.
        alerts: How many alerts of each code the replay gave.
    """

    def __init__(self) -> None:
        self.records = self.size = 0
        self.counts: Counter[int] = Counter()
        self.decisions: Counter[str] = Counter()
        self.first_ns = self.last_ns = 0
        self.fills = 0
        self.timeline = Timeline()
        self.alerts: Counter[str] = Counter()

    def read(self, record: Record) -> None:
        """One record of the journal."""
        self.records += 1
        self.size += aligned(HEADER_BYTES + len(record.payload))
        self.counts[record.kind] += 1
        self.last_ns = record.wall_ns
        if not self.first_ns:
            self.first_ns = self.timeline.since_ns = record.wall_ns
        if record.kind == _DECISION and len(record.payload) == SIZE:
            what = _KINDS.get(record.payload[0], "other")
            self.decisions[what] += 1
            self.timeline.add(record.wall_ns, what)

    def filled(self, fill: Fill) -> None:
        """The replayed engine entered a fill."""
        self.fills += 1
        self.timeline.add(fill.recv_ns, "fill")

    def alert(self, code: str, text: str) -> None:
        """The replayed engine alerted; the text was logged when it happened."""
        self.alerts[code] += 1

    def by_kind(self) -> dict[str, int]:
        """Records of each kind by its name, unknown ones by their number."""
        names = {int(kind): kind.name.lower() for kind in RecordKind}
        return {names.get(kind, f"kind {kind}"): count for kind, count in sorted(self.counts.items())}
