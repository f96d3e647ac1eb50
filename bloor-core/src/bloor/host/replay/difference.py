"""The first record that differs: both sides decoded, field by field, and the input that caused it."""

from __future__ import annotations

import zlib
from collections.abc import Iterable, Iterator, Mapping
from enum import Enum
from struct import unpack
from typing import Any

import orjson
from attrs import asdict, frozen

from bloor.engine.core import Engine
from bloor.engine.decisions import Decision, DecisionKind
from bloor.engine.effects import STANDBY, line_of
from bloor.engine.plan import EnginePlan
from bloor.engine.wire import unpack_response
from bloor.host.replay.compare import Made
from bloor.journal.record import Record, RecordKind
from bloor.model.orders import OrderType, Side, TimeInForce

__all__ = ["Cause", "Decoder", "Difference", "FieldDifference", "denial_codes"]

#: Longest text of a cause that is kept; a snapshot of a deep book has megabytes.
MAX_CAUSE = 1 << 20
_OF_ALL = (DecisionKind.STOP, DecisionKind.HALT, DecisionKind.REDUCE_ONLY)


@frozen
class FieldDifference:
    """One field that differs, as text; None where a side has no such field."""

    field: str
    recorded: str | None
    replayed: str | None


@frozen(kw_only=True)
class Cause:
    """The input that a record was made from.

    Attributes:
        sequence: Its sequence number in the journal.
        kind: What it was: ``frame_in``, ``response``, ``timer`` and so on.
        connection: Whose it was: ``binance market data``; empty for none.
        time_ns: When it came, wall ns since the epoch.
        text: What it said; JSON is indented.
    """

    sequence: int
    kind: str
    connection: str
    time_ns: int
    text: str


@frozen(kw_only=True)
class Difference:
    """The first record that differs.

    Attributes:
        sequence: Sequence number of the recorded record; of the cause when nothing was recorded there.
        what: What is recorded there: ``decision``, ``frame_out``; or ``nothing``.
        number: The how-manieth decision it is, from 1; 0 for another record.
        connection: Where a frame goes; empty otherwise.
        time_ns: Its time, wall ns since the epoch.
        fields: What differs.
        recorded: The record, decoded; None where the replay made one too many.
        replayed: What was made instead; None where nothing was.
        cause: The input that led to it; None before the first.
    """

    sequence: int
    what: str
    number: int
    connection: str
    time_ns: int
    fields: tuple[FieldDifference, ...]
    recorded: Mapping[str, Any] | None
    replayed: Mapping[str, Any] | None
    cause: Cause | None

    def record(self) -> dict[str, Any]:
        """Everything as plain data."""
        return asdict(self)


class Decoder:
    """Says in words what records hold.

    Args:
        plan: The run's plan.
    """

    def __init__(self, plan: EnginePlan) -> None:
        self._plan = plan
        self._instruments = plan.instruments
        self._codes: dict[int, str] = {}

    def learn(self, codes: Iterable[str]) -> None:
        """Texts that decisions carry as checksums."""
        self._codes |= {zlib.crc32(code.encode()): code for code in codes}

    def connection(self, conn: int) -> str:
        """``binance orders`` for the number of a connection; empty for none."""
        line, orders = line_of(conn)
        if not 0 <= line < len(self._plan.venues):
            return ""
        what = "orders" if orders else "market data (second connection)" if conn & STANDBY else "market data"
        return f"{self._plan.venues[line].venue} {what}"

    def decision(self, payload: bytes) -> dict[str, Any]:
        """A decision with names for numbers and decimal text for prices and quantities."""
        d = Decision.unpack(payload)
        # a halt of everything names nobody, and its zeros are no indices
        owned = d.kind not in _OF_ALL or bool(d.strategy or d.instrument or d.type)
        row: dict[str, Any] = {"decision": d.kind.name.lower(), "time_ns": d.now_ns}
        if owned and d.instrument < len(self._instruments) and d.strategy < len(self._plan.strategies):
            instrument = self._instruments[d.instrument]
            row |= {"strategy": self._plan.strategies[d.strategy].name}
            row |= {"instrument": f"{instrument.venue}:{instrument.symbol}"}
            if d.lots:
                row |= {"side": _name(Side, d.side), "type": _name(OrderType, d.type), "tif": _name(TimeInForce, d.tif)}
                row |= {"price": instrument.format_price(d.price), "qty": instrument.format_lots(d.lots)}
        if d.number:
            row |= {"order": d.number, "client_id": d.client_id}
        if d.code:
            row["code"] = self._codes.get(d.code, f"crc {d.code:08x}")
        return row

    def output(self, kind: int, conn: int, wall_ns: int, payload: bytes) -> dict[str, Any]:
        """One recorded or replayed output, decoded."""
        if kind == RecordKind.DECISION:
            return self.decision(payload)
        row: dict[str, Any] = {"record": RecordKind(kind).name.lower(), "connection": self.connection(conn)}
        row["time_ns"] = wall_ns
        if kind in (RecordKind.FRAME_OUT, RecordKind.REQUEST):
            row["frame"] = _json(payload)
        elif kind == RecordKind.TAKEOVER:
            row["frames"] = list(unpack(f"<{len(payload) // 4}I", payload))
        return row

    def cause(self, record: Record) -> Cause:
        """An input, for a person."""
        payload, head = record.payload, ""
        if record.kind == RecordKind.RESPONSE:
            tag, status, payload = unpack_response(payload)
            head = f"{tag}: status {status}\n"
        return Cause(
            sequence=record.sequence,
            kind=RecordKind(record.kind).name.lower(),
            connection=self.connection(record.conn),
            time_ns=record.wall_ns,
            text=head + _text(payload),
        )

    def difference(self, recorded: Record | None, made: Made | None, cause: Record | None, number: int) -> Difference:
        """What differs between a recorded output and what was made, one of which may be missing."""
        left = (
            None if recorded is None else self.output(recorded.kind, recorded.conn, recorded.wall_ns, recorded.payload)
        )
        right = None if made is None else self.output(*made)
        there = recorded or cause
        kind = recorded.kind if recorded is not None else 0
        return Difference(
            sequence=0 if there is None else there.sequence,
            what=RecordKind(kind).name.lower() if kind else "nothing",
            number=number if RecordKind.DECISION in (kind, made and made.kind) else 0,
            connection=self.connection(recorded.conn if recorded is not None else made.conn if made is not None else 0),
            time_ns=recorded.wall_ns if recorded is not None else made.wall_ns if made is not None else 0,
            fields=tuple(_fields(left, right)),
            recorded=left,
            replayed=right,
            cause=None if cause is None else self.cause(cause),
        )


def denial_codes(engine: Engine) -> Iterator[str]:
    """Every text that a decision of this engine may carry, as far as it is known."""
    for check in engine.gate.checks:
        yield from check.codes.values()
    yield from ("HALTED", "STRATEGY_HALTED", "REDUCE_ONLY", "CHECK_FAILED", "ORDERS_NOT_CONNECTED")
    yield from engine.measures.denials
    yield from engine.gate.halted_strategies.values()
    if engine.gate.halted:
        yield engine.gate.halted


# ---- inside ---------------------------------------------------------------------------------------------------------


def _fields(recorded: Mapping[str, Any] | None, replayed: Mapping[str, Any] | None) -> Iterator[FieldDifference]:
    if recorded is None or replayed is None:
        yield FieldDifference("record", _shown(recorded), _shown(replayed))
        return
    left, right = dict(_leaves(recorded)), dict(_leaves(replayed))
    found = False
    for name in [*left, *(name for name in right if name not in left)]:
        if left.get(name) != right.get(name):
            found = True
            yield FieldDifference(name, _shown(left.get(name)), _shown(right.get(name)))
    if not found:  # equal values in another order, or bytes that mean the same
        yield FieldDifference("bytes", _shown(recorded), _shown(replayed))


def _leaves(value: Any, name: str = "") -> Iterator[tuple[str, Any]]:
    if isinstance(value, Mapping):
        for key, below in value.items():
            yield from _leaves(below, f"{name}.{key}" if name else str(key))
    else:
        yield name, value


def _shown(value: Any) -> str | None:
    if value is None or isinstance(value, str):
        return value
    return orjson.dumps(value, default=str).decode()


def _name(kind: type[Enum], value: int) -> str:
    try:
        return str(kind(value).name.lower())
    except ValueError:
        return str(value)


def _json(payload: bytes) -> Any:
    try:
        return orjson.loads(payload)
    except orjson.JSONDecodeError:
        return payload[:MAX_CAUSE].decode("utf-8", "backslashreplace")


def _text(payload: bytes) -> str:
    """Bytes as text, JSON indented."""
    if len(payload) <= MAX_CAUSE:
        try:
            return orjson.dumps(orjson.loads(payload), option=orjson.OPT_INDENT_2).decode()
        except orjson.JSONDecodeError:
            pass
    return payload[:MAX_CAUSE].decode("utf-8", "backslashreplace")
