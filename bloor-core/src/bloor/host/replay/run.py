"""A session, replayed: every recorded input goes into a new engine, and what comes out is compared.

It reads as it goes: what is held is one segment of the journal, the engine, and what was made of one input.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from decimal import Decimal
from pathlib import Path
from typing import Any

import orjson
from attrs import frozen
from loguru import logger

from bloor.engine.core import Engine
from bloor.engine.decisions import Decision, DecisionKind
from bloor.engine.inputs import INPUTS, OUTPUTS, Inputs
from bloor.errors import BloorError, InputFileError, JournalError, RunError, UsageError
from bloor.execution.order import Order
from bloor.host.replay.compare import Comparison, Made, Nowhere
from bloor.host.replay.difference import Decoder, Difference, denial_codes
from bloor.host.replay.ledger import Ledger, read_ledger
from bloor.host.replay.plan import Header, ReplayPlan, read_header, replay_plan
from bloor.host.replay.story import Story
from bloor.journal.reader import Reader
from bloor.journal.record import Record, RecordKind
from bloor.journal.segment import segment_files
from bloor.market.kernels import warm
from bloor.market.recorded_folder import journal_folder
from bloor.model.orders import Fill
from bloor.observe.summary import summary
from bloor.plugins.host import PluginHost
from bloor.strategy.api import Strategy

__all__ = ["Kept", "ReplayResult", "Watch", "replay"]

#: Told now and then: records so far, their bytes, the journal's bytes, wall time of the last record.
Watch = Callable[[int, int, int, int], None]
#: How the engine is made: :class:`~bloor.engine.core.Engine` itself, or what has its methods.
MakeEngine = Callable[..., Engine]

#: Records between two calls of the one who watches.
WATCH_RECORDS = 2_000

_DECISION, _STATUS, _FOOTER = RecordKind.DECISION, RecordKind.STATUS, RecordKind.FOOTER
_PLACE = int(DecisionKind.PLACE)
#: What a session's summary and a replay must agree on.
_AGREED = ("hash", "decisions", "frames", "events", "orders", "fills", "volume_quote", "fees", "pnl_net", "positions")
#: What a replay tells of the run in the words of its summary.
_TOLD = (*_AGREED[4:], "currency", "rates", "win_rate", "round_trips", "denials", "data_quality", "frames", "events")


@frozen(kw_only=True)
class Kept:
    """What a replay keeps when it is asked to; it grows with the run.

    Attributes:
        fills: Every fill, in order.
        orders: Every order that passed the gate, in order, as it was at the end.
        decisions: Every decision that is recorded, one payload after the other.
        codes: Texts that decisions carry as checksums.
    """

    fills: list[Fill]
    orders: list[Order]
    decisions: bytearray
    codes: list[str]


@frozen(kw_only=True)
class ReplayResult:
    """What came of a replay.

    Attributes:
        document: What ``--json`` prints.
        plan: What was replayed.
        difference: The first record that differs; None when none does.
        failure: Why the session is not verified; empty when it is.
        kept: Fills, orders and decisions, when they were asked for.
    """

    document: dict[str, Any]
    plan: ReplayPlan
    difference: Difference | None
    failure: str
    kept: Kept | None


def _say_nothing(_: str) -> None:
    """Nobody wants to know what is being done."""


def replay(
    session: Path,
    plugins: PluginHost,
    *,
    verify: bool = False,
    strategies: Sequence[type[Strategy]] = (),
    keep: bool = False,
    step: Callable[[str], None] = _say_nothing,
    watch: Watch | None = None,
    make_engine: MakeEngine = Engine,
) -> ReplayResult:
    """Replays a session.

    Args:
        session: The session folder, or the folder of a journal.
        plugins: A host that has not loaded anything yet.
        verify: Whether to stop at the first record that differs.
        strategies: Classes of strategies that belong to no plug-in.
        keep: Whether to keep fills, orders and decisions.
        step: Told what is being done before the first record.
        watch: Told how far it has come.
        make_engine: Makes the engine, as :class:`~bloor.engine.core.Engine` is made.

    Returns:
        What came of it; a difference is no exception.

    Raises:
        UsageError: There is no journal, it is corrupt, or it is not of a run or not of this version.
        PluginError: A plug-in that took part is not installed or cannot be replayed.
        RunError: The engine broke on an input.
    """
    folder = _journal(session)
    try:
        return _Replay(session, folder, plugins, verify, strategies, keep, watch, make_engine).result(step)
    except JournalError as error:
        raise UsageError(str(error)) from error


def _journal(session: Path) -> Path:
    """The folder of the journal.

    Raises:
        InputFileError: There is none.
    """
    found = journal_folder(session)
    if found is not None:
        return found
    what = "expected a session folder with a journal" if session.is_dir() else "there is no such folder"
    raise InputFileError(str(session), what)


class _Replay:
    """One replay; the engine's observer."""

    def __init__(
        self,
        session: Path,
        folder: Path,
        plugins: PluginHost,
        verify: bool,
        strategies: Sequence[type[Strategy]],
        keep: bool,
        watch: Watch | None,
        make_engine: MakeEngine,
    ) -> None:
        self._session = session.resolve()
        self._folder = folder
        self._plugins = plugins
        self._verify = verify
        self._strategies = strategies
        self._watch = watch
        self._make_engine = make_engine
        self._kept = Kept(fills=[], orders=[], decisions=bytearray(), codes=[]) if keep else None
        self._story = Story()
        self._cause: Record | None = None
        self._difference: Difference | None = None
        self._number = 0
        self._ended = False
        self._summary: dict[str, Any] | None = None

    # ---- the engine's observer

    def filled(self, fill: Fill) -> None:
        """Counts a fill."""
        self._story.filled(fill)
        if self._kept is not None:
            self._kept.fills.append(fill)

    def alert(self, code: str, text: str) -> None:
        """Counts an alert."""
        self._story.alert(code, text)

    # ---- reading

    def result(self, step: Callable[[str], None]) -> ReplayResult:
        """Reads the whole journal, or as much of it as is needed."""
        reader = Reader(self._folder)
        records = iter(reader)
        first = next(records, None)
        if first is None or first.kind != RecordKind.HEADER:
            raise UsageError(f"{self._folder}: expected a journal that begins with a header, got no header")
        header = read_header(first.payload, str(self._folder))
        step("loading plug-ins")
        plan = replay_plan(header, self._plugins, self._strategies)
        for change in plan.changes:
            logger.warning("since this session: {}", change)
        step("loading compiled kernels")
        venues = plan.engine.venues
        warm(lambda what: step(f"compiling kernels: {what}"), {
            v.venue: v.normalizer.compiled() for v in venues if v.normalizer.compiled is not None
        })  # fmt: skip
        self._comparison = Comparison()
        self._engine = self._make_engine(plan.engine, Nowhere(), self._comparison, self, lambda: 0)
        self._decoder = Decoder(plan.engine)
        self._inputs = Inputs(self._engine)
        began = time.perf_counter()
        self._story.read(first)
        self._read(records)
        seconds = time.perf_counter() - began
        if self._kept is not None:
            self._kept.codes.extend(denial_codes(self._engine))
        document = self._document(header, plan, reader, seconds)
        failure = self._failure(document)
        document |= {"ok": not failure, "failure": failure or None}
        return ReplayResult(document=document, plan=plan, difference=self._difference, failure=failure, kept=self._kept)

    def _read(self, records: Any) -> None:
        story, watch = self._story, self._watch
        total = sum(path.stat().st_size for _, path in segment_files(self._folder))
        for record in records:
            story.read(record)
            self._take(record)
            if self._difference is not None and self._verify:
                return
            if watch is not None and story.records % WATCH_RECORDS == 0:
                watch(story.records, story.size, total, record.wall_ns)
        left = self._comparison.take()
        if left is not None and self._ended and self._difference is None:
            self._differs(None, left)

    def _take(self, record: Record) -> None:
        """One record of the journal."""
        kind = record.kind
        if kind in INPUTS:
            if self._difference is None:
                self._play(record)
        elif kind in OUTPUTS:
            if kind == _DECISION:
                self._number += 1
                if self._kept is not None:
                    self._kept.decisions.extend(record.payload)
            if self._difference is None:
                self._compare(record)
        elif kind == _STATUS:
            self._status(record)
        elif kind == _FOOTER:
            self._ended = True
        elif kind == RecordKind.HEADER:
            raise UsageError(
                f"{self._folder}: record {record.sequence}: another run goes on in this journal; one can be replayed"
            )
        else:
            raise UsageError(
                f"{self._folder}: record {record.sequence}: expected a kind of record that this bloor knows, "
                f"got {kind}; use the bloor that wrote it"
            )

    def _play(self, record: Record) -> None:
        left = self._comparison.take()
        if left is not None:
            self._differs(None, left)
            return
        self._cause = record
        try:
            self._inputs.play(record)
        except BloorError:
            raise
        except Exception as error:
            kind = RecordKind(record.kind).name.lower()
            raise RunError(
                f"{self._folder}: record {record.sequence} ({kind} {self._decoder.connection(record.conn)}): "
                f"the engine broke on it: {type(error).__name__}: {error}"
            ) from error

    def _compare(self, record: Record) -> None:
        made = self._comparison.take()
        if made is None or not self._comparison.equal(record, made):
            self._differs(record, made)
        elif self._kept is not None and record.kind == _DECISION and record.payload[0] == _PLACE:
            order = self._engine.blotter.order(Decision.unpack(record.payload).number)
            if order is not None:
                self._kept.orders.append(order)

    def _differs(self, record: Record | None, made: Made | None) -> None:
        number = self._number + (record is None)
        self._decoder.learn(denial_codes(self._engine))
        self._difference = self._decoder.difference(record, made, self._cause, number)

    def _status(self, record: Record) -> None:
        """The host valued positions here; a mark that is taken now is what is left when a side is empty later."""
        if self._difference is None:
            for desk in self._engine.desks:
                desk.mark2  # noqa: B018 (reading it takes it)
        if record.payload.startswith(b'{"summary"'):
            self._summary = orjson.loads(record.payload)["summary"]

    # ---- telling

    def _document(self, header: Header, plan: ReplayPlan, reader: Reader, seconds: float) -> dict[str, Any]:
        story, engine = self._story, self._engine
        told = summary(
            engine, mode=header.mode, session=self._session, duration_s=0.0, stale_ns={},
            versions=dict(header.versions), notices=(),
        )  # fmt: skip
        span_s = (story.last_ns - story.first_ns) / 1e9
        ends = "ended" if self._ended else "torn" if reader.torn_bytes else "open"
        document: dict[str, Any] = {
            "session": str(self._session),
            "mode": header.mode,
            "strategies": told["strategies"],
            "instruments": told["instruments"],
            "epoch": plan.engine.epoch,
            "verify": self._verify,
            "end": ends,
            "torn_bytes": reader.torn_bytes,
            "first_ns": story.first_ns,
            "last_ns": story.last_ns,
            "duration_s": round(span_s, 3),
            "records": story.records,
            "counts": story.by_kind(),
            "compared": self._comparison.identical,
            "decisions": self._number,
            "decisions_by_kind": dict(sorted(story.decisions.items())),
            "hash": told["hash"],
            "changes": list(plan.changes),
            "difference": None if self._difference is None else self._difference.record(),
            "alerts": dict(sorted(story.alerts.items())),
            "timeline": story.timeline.rows(),
            "speed": _speed(story, span_s, seconds),
        }
        if self._difference is None:
            document |= {key: told[key] for key in _TOLD}
            document["fills_file"] = self._ledger(told)
            document["summary"] = self._against_summary(told)
        return document

    def _ledger(self, told: dict[str, Any]) -> dict[str, Any] | None:
        """What ``fills.jsonl`` says, beside what the replay says."""
        ledger: Ledger | None = read_ledger(self._session / "fills.jsonl")
        if ledger is None:
            return None
        marks = {(p["venue"], p["symbol"]): Decimal(p["mark"]) for p in told["positions"]}
        try:
            pnl = ledger.pnl_net(marks, self._engine.plan.reporting)
        except KeyError as error:
            where = str(self._session / "fills.jsonl")
            raise InputFileError(where, f"expected fills of the run's instruments, got one quoted in {error}") from None
        equal = ledger.rows == told["fills"] and pnl == Decimal(told["pnl_net"])
        return {"rows": ledger.rows, "pnl_net": f"{pnl:f}", "torn": ledger.torn, "equal": equal}

    def _against_summary(self, told: dict[str, Any]) -> dict[str, Any] | None:
        """What the session's summary says otherwise; the journal holds it too."""
        path = self._session / "summary.json"
        recorded = self._summary
        if path.exists():
            try:
                recorded = orjson.loads(path.read_bytes())
            except orjson.JSONDecodeError as error:
                raise InputFileError(str(path), f"expected JSON: {error}") from None
        if not isinstance(recorded, dict):
            return None
        return {"equal": not (wrong := [k for k in _AGREED if recorded.get(k) != told[k]]), "differs": wrong}

    def _failure(self, document: dict[str, Any]) -> str:
        """Why the session is not verified; only a session that ended must agree with what was written at its end."""
        difference = self._difference
        if difference is not None:
            what = f"decision {difference.number}" if difference.number else difference.what
            return f"record {difference.sequence}: {what} differs"
        if document["summary"] and not document["summary"]["equal"]:
            return f"the session's summary says otherwise: {', '.join(document['summary']['differs'])}"
        if self._ended and document["fills_file"] and not document["fills_file"]["equal"]:
            return "fills.jsonl does not hold the fills of the journal"
        return ""


def _speed(story: Story, span_s: float, seconds: float) -> dict[str, Any]:
    per_s = story.records / seconds if seconds else 0.0
    faster = span_s / seconds if seconds else 0.0
    return {"seconds": round(seconds, 3), "records_per_s": round(per_s), "times_real_time": round(faster, 1)}
