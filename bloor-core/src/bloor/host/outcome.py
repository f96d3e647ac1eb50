"""What the shell hears from the engine: fills to write down, alerts to log."""

from __future__ import annotations

from collections import Counter

from loguru import logger

from bloor.model.orders import Fill
from bloor.observe.session import Session

__all__ = ["Ears"]

#: Alerts of one code that are logged; further ones are only counted.
LOGGED = 20
#: Codes that call for a person.
_ERRORS = frozenset(
    {"strategy_halted", "halted", "overfill", "lost", "resurrected", "contradiction", "orphan", "fills_missing"}
)
#: Codes of what is no trouble at all.
_NOTES = frozenset({"replacing"})


class Ears:
    """The engine's observer. Everything here is cheap: files are written by :meth:`flush`, between frames.

    Attributes:
        alerts: How many of each code.
    """

    def __init__(self, session: Session) -> None:
        self.alerts: Counter[str] = Counter()
        self._session = session
        self._fills: list[Fill] = []

    def filled(self, fill: Fill) -> None:
        """Keeps a fill for the next flush; the journal has it already."""
        self._fills.append(fill)

    def alert(self, code: str, text: str) -> None:
        """Counts and logs, no more than :data:`LOGGED` lines of one code."""
        self.alerts[code] += 1
        if self.alerts[code] <= LOGGED:
            level = "ERROR" if code in _ERRORS else "INFO" if code in _NOTES else "WARNING"
            logger.log(level, "{}: {}", code, text)
        if self.alerts[code] == LOGGED:
            logger.warning("{}: further ones are counted, not logged", code)

    def flush(self) -> None:
        """Writes the fills that came since the last flush."""
        if self._fills:
            fills, self._fills = self._fills, []
            self._session.fills(fills)
