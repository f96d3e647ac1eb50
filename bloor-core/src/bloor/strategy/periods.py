"""The periods of bars and timers that a strategy declares."""

from __future__ import annotations

from typing import NamedTuple

from bloor.config.duration import UNITS_NS, parse_duration
from bloor.errors import UsageError
from bloor.strategy.api import Strategy

__all__ = ["SHORTEST_NS", "Periods", "periods_of"]

#: The shortest period, and what every period is a multiple of: a millisecond.
SHORTEST_NS = UNITS_NS["ms"]


class Periods(NamedTuple):
    """Periods in ns; 0 where there is none.

    Attributes:
        bars: Of the bars that ``on_bar`` is called with.
        timer: Of the calls of ``on_timer``.
    """

    bars: int
    timer: int


def periods_of(strategy: Strategy) -> Periods:
    """What a strategy instance declares by its attributes ``bars`` and ``timer``.

    Raises:
        UsageError: One is no duration of whole milliseconds, or is declared without a handler, or the reverse.
    """
    return Periods(_period(strategy, "bars", "on_bar", "1m"), _period(strategy, "timer", "on_timer", "250ms"))


def _period(strategy: Strategy, attribute: str, handler: str, example: str) -> int:
    """The period in ns, 0 for none."""
    where = f"{type(strategy).__name__}.{attribute}"
    text = getattr(strategy, attribute)
    handled = getattr(type(strategy), handler) is not getattr(Strategy, handler)
    if text == "":
        if handled:
            raise UsageError(
                f'{where}: {handler} would never be called; say how often: {attribute} = "{example}" in the class'
            )
        return 0
    if not isinstance(text, str):
        raise UsageError(f'{where}: expected a duration as text such as "{example}", got {text!r}')
    try:
        period_ns = parse_duration(text).ns
    except UsageError as error:
        raise UsageError(f"{where}: {error}") from None
    if period_ns < SHORTEST_NS or period_ns % SHORTEST_NS:
        raise UsageError(f'{where}: expected a duration of whole milliseconds such as "{example}", got {text!r}')
    if not handled:
        raise UsageError(f"{where}: expected a method {handler}, which it is for, got none; add it or leave this out")
    return period_ns
