"""Recorded inputs, given to an engine again."""

from __future__ import annotations

from collections.abc import Callable

from bloor.engine.core import Engine
from bloor.engine.wire import unpack_response
from bloor.errors import JournalError
from bloor.journal.record import Record, RecordKind

__all__ = ["INPUTS", "OUTPUTS", "Inputs"]

#: What an engine is told.
INPUTS = frozenset(
    {
        RecordKind.FRAME_IN,
        RecordKind.RESPONSE,
        RecordKind.CONNECTED,
        RecordKind.DISCONNECTED,
        RecordKind.TIMER,
        RecordKind.COMMAND,
    }
)
#: What it makes of that.
OUTPUTS = frozenset(
    {
        RecordKind.FRAME_OUT,
        RecordKind.REQUEST,
        RecordKind.DECISION,
        RecordKind.TAKEOVER,
        RecordKind.SKIPPED,
    }
)

_FRAME_IN = int(RecordKind.FRAME_IN)


class Inputs:
    """Calls an engine as it was called when its journal was written."""

    __slots__ = ("_engine", "_receivers", "_ways")

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._receivers: dict[int, Callable[[bytes, int], None]] = {}
        self._ways: dict[int, Callable[[Record], None]] = {
            RecordKind.RESPONSE: self._response,
            RecordKind.CONNECTED: lambda record: engine.connected(record.conn, record.wall_ns),
            RecordKind.DISCONNECTED: lambda record: engine.disconnected(
                record.conn, record.wall_ns, record.payload.decode()
            ),
            RecordKind.TIMER: lambda record: engine.timer(record.wall_ns),
            RecordKind.COMMAND: self._command,
        }

    def play(self, record: Record) -> None:
        """Gives the engine one record of a kind in :data:`INPUTS`.

        Raises:
            JournalError: It is no input, or one that this version does not know.
        """
        if record.kind == _FRAME_IN:
            receive = self._receivers.get(record.conn)
            if receive is None:
                receive = self._receivers[record.conn] = self._engine.receiver(record.conn)
            receive(record.payload, record.wall_ns)
            return
        way = self._ways.get(record.kind)
        if way is None:
            raise JournalError(f"record {record.sequence}: expected an input of the engine, got kind {record.kind}")
        way(record)

    def _response(self, record: Record) -> None:
        tag, status, body = unpack_response(record.payload)
        self._engine.response(record.conn, tag, status, body, record.wall_ns)

    def _command(self, record: Record) -> None:
        word, _, rest = record.payload.decode().partition(" ")
        if word == "stop":
            self._engine.stop(record.wall_ns)
        elif word == "halt":
            self._engine.halt(record.wall_ns, rest)
        elif word == "reduce-only":
            self._engine.reduce_only(record.wall_ns, rest)
        elif word == "conclude":
            self._engine.conclude(record.wall_ns)
        else:
            raise JournalError(
                f"record {record.sequence}: expected the command stop, halt, reduce-only or conclude, got {word!r}; "
                "use the bloor that wrote it"
            )
