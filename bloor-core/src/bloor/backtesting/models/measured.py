"""Latencies as a session had them.

A session's journal has every request as it was written and every answer as it arrived, with the time of one monotonic
clock. The time between an order and the first answer that names its client id is a round trip. No clock of ours says
which part of it was the way there, and a venue's is another clock, most often in milliseconds: a half of it counts as
the way to the venue, unless told otherwise.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import ClassVar

import numpy as np
import orjson
from attrs import frozen

from bloor.backtesting.models.latency import LatencyModel, checked
from bloor.backtesting.models.parameters import parameter
from bloor.engine.decisions import Decision, DecisionKind
from bloor.engine.effects import STANDBY, order_conn
from bloor.errors import InputFileError, UsageError
from bloor.journal.reader import Reader
from bloor.journal.record import Record, RecordKind
from bloor.native.memory import Cells

__all__ = ["Measured", "round_trips"]

#: An order that was not answered for so long was not heard of; ns.
FORGOTTEN_NS = 60 * 1_000_000_000

_PLACED = (DecisionKind.PLACE, DecisionKind.REPLACE)
_OUT = (RecordKind.FRAME_OUT, RecordKind.REQUEST)
_IN = (RecordKind.FRAME_IN, RecordKind.RESPONSE)


@frozen(kw_only=True)
class Measured(LatencyModel):
    """The round trips of a session's orders, in their order, one for each request.

    ``session`` is a session's folder, or a JSON file with ``round_trip_ns``, or with ``entry_ns`` and ``response_ns``,
    each a list of integers.
    """

    name: ClassVar[str] = "measured"
    session: Path = parameter(doc="folder of a session, or JSON file with latencies")
    venue: str = parameter("", doc="the venue whose orders count; all of the session without it")
    entry_share: float = parameter(0.5, low=0.0, high=1.0, doc="the part of a round trip that is the way to the venue")

    def samples(self, seed: int) -> tuple[Cells, Cells]:
        """One of each for each order that was answered."""
        what = f"latency measured in {self.session}"
        if not self.session.is_dir():
            found = _read(self.session)
            if "round_trip_ns" not in found:
                entry, response = found["entry_ns"], found["response_ns"]
                return checked(f"{what}: entry_ns", entry), checked(f"{what}: response_ns", response)
            trips = found["round_trip_ns"]
        else:
            trips = round_trips(self.session, self.venue)
        entry = np.floor(checked(what, trips) * self.entry_share).astype(np.int64)
        return checked(what, np.maximum(entry, 1)), checked(what, np.maximum(trips - entry, 1))


def _read(file: Path) -> dict[str, Cells]:
    try:
        document = orjson.loads(file.read_bytes())
    except OSError as error:
        raise InputFileError(str(file), f"cannot be read: {error.strerror}") from None
    except orjson.JSONDecodeError as error:
        raise InputFileError(str(file), f"expected a session's folder, or JSON: {error}") from None
    names = ["round_trip_ns"] if isinstance(document, dict) and "round_trip_ns" in document else []
    names = names or ["entry_ns", "response_ns"]
    found = {}
    for name in names:
        values = document.get(name) if isinstance(document, dict) else None
        if not isinstance(values, list) or not all(type(v) is int and abs(v) < 1 << 62 for v in values):
            expected = "round_trip_ns, or entry_ns and response_ns, each a list of integers"
            raise InputFileError(str(file), f"expected {expected}; {name} is no such list")
        found[name] = np.array(values, np.int64)
    return found


# ---- from a journal -------------------------------------------------------------------------------------------------


def round_trips(session: Path, venue: str = "") -> Cells:
    """From each order to the first answer that names it, ns, ``(n,)`` int64, in the order of the answers.

    Args:
        session: Folder of a session.
        venue: Only orders at this one; empty for all.

    Raises:
        UsageError: It has no journal, or no order was answered, or the venue is none of the session.
        JournalError: The journal is corrupt.
    """
    folder = session / "journal"
    if not folder.is_dir():
        raise UsageError(f"{session}: expected a session's folder with a journal in it, found none")
    records = iter(Reader(folder))
    header = next(records, None)
    conns = _order_conns(session, header, venue)
    found = [ns for ns in _answers(records, conns) if ns > 0]
    if not found:
        at = f" at {venue}" if venue else ""
        raise UsageError(f"{session}: expected orders that were answered{at}, found none; name another session")
    return np.array(found, np.int64)


def _order_conns(session: Path, header: Record | None, venue: str) -> set[int]:
    """The numbers of the connections for orders."""
    try:
        payload = header.payload if header is not None and header.kind == RecordKind.HEADER else b""
        names = [row["venue"] for row in orjson.loads(payload)["engine"]["venues"]]
    except (ValueError, KeyError, TypeError):
        raise UsageError(f"{session}: expected the journal of a run, which begins with its header") from None
    if venue and venue not in names:
        raise UsageError(f"{session}: expected a venue of the session, one of {', '.join(names)}, got {venue!r}")
    return {order_conn(line) for line, name in enumerate(names) if venue in ("", name)}


def _answers(records: Iterator[Record], conns: set[int]) -> Iterator[int]:
    """The round trip of each order, when its answer comes."""
    decided: dict[bytes, int] = {}
    sent: dict[bytes, int] = {}
    for record in records:
        if record.kind == RecordKind.DECISION:
            decision = Decision.unpack(record.payload)
            if decision.kind in _PLACED and decision.client_id:
                decided[decision.client_id.encode()] = record.mono_ns
        elif record.conn & ~STANDBY not in conns:
            continue
        elif record.kind in _OUT:
            for name in [name for name in decided if name in record.payload]:
                del decided[name]
                sent[name] = record.mono_ns
        elif record.kind in _IN and sent:
            for name in [name for name in sent if name in record.payload]:
                yield record.mono_ns - sent.pop(name)
        for waiting in (decided, sent):
            for name in [name for name, since in waiting.items() if record.mono_ns - since > FORGOTTEN_NS]:
                del waiting[name]
