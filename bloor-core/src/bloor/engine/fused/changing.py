"""Replacing and reducing orders, asked for by compiled handlers and carried out by Python.

What the gate sees of such a request, and what is reserved for it, is decided in one place:
:mod:`bloor.engine.replacing`. A compiled handler therefore calls back into Python: what it has asked for before is
settled, the request is carried out, and the handler goes on. The journal is the same.
"""

from __future__ import annotations

from collections.abc import Callable
from ctypes import CFUNCTYPE, c_int64, c_void_p, cast
from typing import TYPE_CHECKING

from bloor.engine.fused import layout
from bloor.errors import RunError

if TYPE_CHECKING:
    from bloor.engine.core import Engine
    from bloor.engine.fused.fusion import NativeJournal
    from bloor.engine.fused.memory import RunMemory
    from bloor.engine.fused.settle import Settler

__all__ = ["CompiledChanges"]

_FUNCTION = CFUNCTYPE(c_int64, *[c_int64] * 4)
#: What a handler is told that is to raise.
RAISE = -1


class CompiledChanges:
    """The C functions ``replace`` and ``amend`` of :class:`~bloor.strategy.memory.OrdersRecord`.

    Attributes:
        answers: What the requests of the handler in hand gave or raised, in turn.
        addresses: Of the two functions; they live as long as this.
    """

    def __init__(self, engine: Engine, memory: RunMemory, settler: Settler, journal: NativeJournal) -> None:
        self.answers: list[int | BaseException] = []
        self._engine = engine
        self._run = memory.cells
        self._settler = settler
        self._journal = journal
        self._functions = _FUNCTION(self._replace), _FUNCTION(self._amend)
        replace, amend = (cast(function, c_void_p).value or 0 for function in self._functions)
        self.addresses = replace, amend

    def _replace(self, _orders: int, number: int, price: int, lots: int) -> int:
        return self._carry_out(lambda: self._settler.desk.replace(number, price, lots))

    def _amend(self, _orders: int, number: int, lots: int, _last: int) -> int:
        return self._carry_out(lambda: self._settler.desk.amend(number, lots))

    def _carry_out(self, request: Callable[[], int]) -> int:
        """Carries out a request between two of compiled code; no exception may leave it."""
        run = self._run
        if run[layout.FAULT]:
            return 0
        if not run[layout.CHANGED]:
            self.answers.clear()
            run[layout.CHANGED] = 1
        engine = self._engine
        was_calling, engine.calling = engine.calling, True
        try:
            answer = int(self._between(request))
        except BaseException as error:  # noqa: BLE001 (the handler raises it)
            self.answers.append(error)
            return RAISE
        finally:
            engine.calling = was_calling
        self.answers.append(answer)
        return answer

    def _between(self, request: Callable[[], int]) -> int:
        run = self._run
        self._settler.settle()
        run[layout.OUT_COUNT] = run[layout.FRAMES_USED] = run[layout.FRAMES_COUNT] = 0
        answer = request()
        if not self._journal.make_room(layout.RESERVE):
            raise RunError("the journal has no room for what compiled code may write")
        return answer
