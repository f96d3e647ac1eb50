"""When bars end and timers are due: what strategies hear of that no frame brings.

Sans I/O and replayable: everything here happens at the time of an input of the engine, before that input is looked at.
Where no input comes, the engine's deadline asks for one, a ``TIMER``, which is in the journal as every input is. So a
bar ends at the first input at or after its end; a frame that comes later than that finds it closed.

Bars are made from the first input on, whether or not a strategy has started; its handlers are called once it has. What
is due at the same moment is told in the order bars, timers, and among these in the order of the desks. A bar is told
for every period (:mod:`bloor.market.bars`); a timer that is due several times over is called once.

Hot path: a frame costs one comparison of integers, a trade one call for each period of bars that is wanted of its
instrument.
"""

from __future__ import annotations

import heapq
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

import numpy as np

from bloor.market.bars import Bars
from bloor.market.events import EventView
from bloor.native.memory import Cells
from bloor.strategy.periods import periods_of
from bloor.venue.session import NEVER

if TYPE_CHECKING:
    from bloor.engine.desk import Desk

__all__ = ["Schedule"]

#: Runs a handler of a desk: desk, handler, arguments.
Call = Callable[..., None]


class _BarsDue:
    """Bars of one period in one instrument, and who wants them."""

    __slots__ = ("bars", "desks")

    def __init__(self, period_ns: int) -> None:
        self.bars = Bars(period_ns)
        self.desks: list[Desk] = []

    def begin(self, now_ns: int) -> int:
        """When it is due first."""
        self.bars.begin(now_ns)
        return self.bars.end_ns

    def run(self, now_ns: int, call: Call) -> int:
        """Tells of the bar that has ended; when it is due again."""
        bar = self.bars.close(now_ns)
        if bar is not None:
            for desk in self.desks:
                if desk.started and not desk.halted:
                    call(desk, desk.handlers.on_bar, bar, desk.book, desk)
        return self.bars.end_ns


class _TimerDue:
    """The timer of a desk, or of the first of several that are joined."""

    __slots__ = ("desk", "period_ns")

    def __init__(self, desk: Desk, period_ns: int) -> None:
        self.desk = desk
        self.period_ns = period_ns

    def begin(self, now_ns: int) -> int:
        """When it is due first."""
        return (now_ns // self.period_ns + 1) * self.period_ns

    def run(self, now_ns: int, call: Call) -> int:
        """Calls the handler; when it is due again."""
        desk = self.desk
        if not desk.halted and any(leg.started for leg in desk.joined):
            call(desk, desk.handlers.on_timer, desk)
        return self.begin(now_ns)


class Schedule:
    """The bars and timers of every desk.

    Attributes:
        deadline_ns: When :meth:`run` wants to be called next; 0 before the first call, ``NEVER`` when nothing is
            declared or the run is ending.
        bars: For each instrument of the run, by its index: the bars that its trades go into.
        open_bars: For each instrument, for compiled code: addresses of the open bars, which
            :func:`~bloor.market.bars_kernel.add_trade` counts a trade in; none of them ever moves.
    """

    __slots__ = ("_due", "_parts", "bars", "deadline_ns", "open_bars")

    def __init__(self, desks: Sequence[Desk], instruments: int) -> None:
        """Reads what the strategies declare.

        Raises:
            UsageError: A strategy declares what is no period, or one without its handler.
        """
        bars: dict[tuple[int, int], _BarsDue] = {}
        timers: list[_TimerDue] = []
        for desk in desks:
            periods = periods_of(desk.strategy)
            if periods.bars:
                key = (desk.index, periods.bars)
                bars.setdefault(key, _BarsDue(periods.bars)).desks.append(desk)
            if periods.timer and desk.leg == 0:
                timers.append(_TimerDue(desk, periods.timer))
        self.bars: list[tuple[Bars, ...]] = [
            tuple(due.bars for (index, _), due in bars.items() if index == number) for number in range(instruments)
        ]
        self._parts: list[_BarsDue | _TimerDue] = [*bars.values(), *timers]
        self.open_bars: list[Cells] = [
            np.array([each.open.address for each in bars_of], np.int64) for bars_of in self.bars
        ]
        self._due: list[tuple[int, int]] = []
        self.deadline_ns = 0 if self._parts else NEVER

    def traded(self, event: EventView, now_ns: int) -> None:
        """A public trade, single or aggregated."""
        for bars in self.bars[event.instrument]:
            bars.add(event.kind, event.price, event.qty, now_ns)

    def run(self, now_ns: int, call: Call) -> None:
        """``deadline_ns`` has come: tells everything that is due, in the order in which it was.

        Args:
            now_ns: Time of the input being handled.
            call: Runs a handler: ``call(desk, handler, *arguments)``; it does not raise.
        """
        due = self._due
        if not due:
            due.extend((part.begin(now_ns), number) for number, part in enumerate(self._parts))
            heapq.heapify(due)
        while due[0][0] <= now_ns:
            number = due[0][1]
            heapq.heapreplace(due, (self._parts[number].run(now_ns, call), number))
        self.deadline_ns = due[0][0]

    def stop(self) -> None:
        """The run is ending: nothing is told any more."""
        self._due.clear()
        self._parts.clear()
        self.deadline_ns = NEVER
