"""The course of one backtest: kernels run, rows are handed to them, and what they write is gathered."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Mapping, Sequence

import numpy as np
from attrs import frozen

from bloor.backtesting import layout as at
from bloor.backtesting.kernels import stepping
from bloor.backtesting.memory import RunMemory, address, put
from bloor.engine.decisions import DecisionKind
from bloor.errors import RunError
from bloor.native.memory import Cells

__all__ = ["Logs", "check_fault", "run_course"]

DENY = int(DecisionKind.DENY)

_FAULTS = {
    at.FAULT_QUANTITY: "a strategy asked for a quantity that has more than 63 bits in units",
}


@frozen(eq=False)
class Logs:
    """What a backtest wrote.

    Attributes:
        decisions: ``(n, 8)`` int64: 64-byte decisions (:mod:`bloor.engine.decisions`), without client ids; none where
            they were not to be kept.
        fills: ``(n, 11)`` int64, columns ``FILL_`` of :mod:`bloor.backtesting.layout`.
        ended_parts: Orders that are over, in pieces: see :attr:`ended`.
        hash: BLAKE2b-128 of all fills and of a sum over all decisions, in hex.
        decided: How many decisions there were.
        own: How many of them came before the end of the backtest, where every open order is cancelled.
        denied: Verdict of the gate (:mod:`bloor.risk.kernel`) -> how many orders it stopped.
        events: Handlers called.
    """

    decisions: Cells
    fills: Cells
    ended_parts: Sequence[Cells]
    hash: str
    decided: int
    own: int
    denied: Mapping[int, int]
    events: int

    @property
    def ended(self) -> Cells:
        """Orders that are over, ``(n, 7)`` int64, columns ``ENDED_``; put together when asked for."""
        joined: Cells = np.concatenate(self.ended_parts)
        return joined


def run_course(memory: RunMemory, *, keep_decisions: bool = False) -> Logs:
    """Runs a backtest from its first row to its last.

    Args:
        memory: What kernels work on, not run yet.
        keep_decisions: Whether every decision is kept, and not only their hash.

    Raises:
        RunError: A strategy asked for a quantity that cannot be counted, or there is no memory for what it asked for.
    """
    course = _Course(memory, keep_decisions)
    end_ns = max((lane.last_ns() for lane in memory.lanes), default=0)
    for lane in memory.lanes:
        put(lane.cells, at.END_NS, end_ns)
    course.follow()
    own = course.decided
    course.stop(address(memory.cells), end_ns, 0, 0)
    course.follow()
    return course.finish(own)


def check_fault(memory: RunMemory) -> None:
    """Says why a backtest could not go on, where it could not.

    Args:
        memory: What kernels have worked on.

    Raises:
        RunError: See :func:`run_course`.
    """
    fault = int(memory.cells[at.RUN_FAULT // 8])
    if fault in _FAULTS:
        raise RunError(f"the backtest cannot go on: {_FAULTS[fault]}")
    if fault == at.FAULT_MEMORY and isinstance(memory.failed, MemoryError):
        raise RunError(
            "the backtest cannot go on: expected memory for more open orders, messages on their way, levels of a book "
            "or decisions of one moment, got none; let the strategy ask for less at a time, or end other programs"
        ) from memory.failed
    if fault in (at.FAULT_INTERRUPTED, at.FAULT_MEMORY):
        raise memory.interruption()


class _Course:
    """A backtest under way."""

    def __init__(self, memory: RunMemory, keep_decisions: bool) -> None:
        kernels = stepping().call
        self.stop = kernels["stop"]
        self._step, self._collect = kernels["run"], kernels["collect"]
        self._memory, self._keep = memory, keep_decisions
        put(memory.cells, at.RUN_KEEPS, int(keep_decisions))
        self._fills: list[Cells] = []
        self._ended: list[Cells] = []
        self._decisions: list[Cells] = []
        self._denied: Counter[int] = Counter()
        self._hash = hashlib.blake2b(digest_size=16)

    def follow(self) -> None:
        """Runs until the rows are used up and nothing is on its way."""
        memory, run = self._memory, address(self._memory.cells)
        while True:
            answer = self._step(run, 0, 0, 0)
            if answer == at.NEED_ROWS:
                memory.lane_at().next_rows(self._collect)
            elif answer == at.NEED_VENUE:
                memory.lane_at().next_venue_rows()
            elif answer == at.NEED_TOLD:
                memory.lane_at().room.grow(at.ROOM_TOLD)
            elif answer == at.NEED_LOG:
                self._gather()
            else:
                check_fault(memory)
                return

    def _gather(self) -> None:
        decisions, fills, ended = self._memory.take_logs()
        self._hash.update(fills.data)
        denials = decisions[decisions[:, 0] & 255 == DENY]
        self._denied.update((denials[:, 1] >> 32).tolist())
        self._fills.append(fills)
        self._ended.append(ended)
        if self._keep and len(decisions):
            self._decisions.append(decisions)

    @property
    def decided(self) -> int:
        """How many decisions there were so far."""
        return int(self._memory.cells[at.RUN_DECIDED // 8])

    def finish(self, own: int) -> Logs:
        """Everything that was written; ``own`` decisions came before the end."""
        self._gather()
        self._hash.update(self._memory.cells[at.RUN_SUM // 8 : at.RUN_DECIDED // 8 + 1].data)
        none = np.zeros((0, at.DECISION_BYTES // 8), np.int64)
        return Logs(
            decisions=np.concatenate([none, *self._decisions]),
            fills=np.concatenate(self._fills),
            ended_parts=tuple(self._ended),
            hash=self._hash.hexdigest(),
            decided=self.decided,
            own=own,
            denied=dict(self._denied),
            events=int(self._memory.cells[at.RUN_EVENTS // 8]),
        )
