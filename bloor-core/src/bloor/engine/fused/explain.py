"""Why a compiled handler raised: it is run once more in Python, on the state it began with, and asks for nothing."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any

from bloor.engine.fused import layout
from bloor.errors import RunError

if TYPE_CHECKING:
    from bloor.engine.desk import Desk
    from bloor.engine.fused.memory import DeskMemory

__all__ = ["FAULTS", "explanation"]

#: What compiled code says of a handler that cannot go on.
FAULTS = {
    layout.FAULT_REQUESTS: f"asked for more than {layout.REQUESTS_MAX} orders and cancels in one event",
    layout.FAULT_QUANTITY: "asked for a quantity that no 64-bit number holds",
    layout.FAULT_ENCODING: "asked for an order that cannot be written to the venue",
    layout.FAULT_NUMBERS: "has no order number left",
}


class _Deaf:
    """The desk without its way to the gate: every request is granted, changes as they were, and nothing happens."""

    def __init__(self, desk: Desk, answers: Iterable[int | BaseException]) -> None:
        self._desk = desk
        self._number = 0
        self._answers = iter(answers)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._desk, name)

    def buy(self, *_args: Any, **_named: Any) -> int:
        """A number."""
        self._number += 1
        return self._number

    sell = buy

    def of(self, leg: int) -> _Deaf:
        """Itself: a strategy in compiled code has one leg here."""
        self._desk.of(leg)
        return self

    def cancel(self, _number: int) -> bool:
        """Granted."""
        return True

    def cancel_all(self) -> int:
        """Nothing."""
        return 0

    def replace(self, *_args: Any, **_named: Any) -> int:
        """What it gave or raised."""
        answer = next(self._answers, 0)
        if isinstance(answer, BaseException):
            raise answer
        return answer

    def amend(self, *_args: Any, **_named: Any) -> bool:
        """What it gave or raised."""
        return bool(self.replace())


def explanation(
    desk: Desk,
    memory: DeskMemory,
    strategy: Any,
    handler: Callable[..., None],
    arguments: tuple[Any, ...],
    answers: Iterable[int | BaseException],
) -> BaseException:
    """What the handler raises in Python, or the fault in words.

    Args:
        desk: The desk.
        memory: Its cells.
        strategy: Its strategy, in memory; it is left as the compiled handler left it.
        handler: The same handler of ``strategy``.
        arguments: What it was given, the desk last.
        answers: What its changes of orders gave or raised, in turn.
    """
    fault = memory.run[layout.FAULT]
    if fault:
        return RunError(FAULTS[fault])
    after = strategy.memory.copy()
    strategy.memory[:] = memory.state
    try:
        handler(*arguments[:-1], _Deaf(desk, answers))
    except Exception as error:  # noqa: BLE001 (whatever a strategy raises)
        return error
    finally:
        strategy.memory[:] = after
    return RunError("raised in compiled code and not in Python: an integer beyond 64 bits, or a changed book")
