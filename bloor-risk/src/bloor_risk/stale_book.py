"""No order from a book that may not be believed (control 15): not synchronised, or too old."""

from __future__ import annotations

from typing import Any, ClassVar

from attrs import frozen

from bloor.config.duration import Duration
from bloor.hookspecs import hookimpl
from bloor.market.view import BookState, BookView
from bloor.model.decimals import INT64_MAX
from bloor.model.instrument import Instrument
from bloor.risk.check import Control, Exposure, OrderIntent, RiskCheck
from bloor.risk.compiled import CompiledCheck, cells_of
from bloor.risk.limits import stated
from bloor_risk.kernels import stale_book as kernel

__all__ = ["StaleBook", "StaleBookConfig", "bloor_risk_check"]

BOOK_UNSYNCHRONISED = 1
BOOK_STALE = 2
#: The book was received after now: a clock was stepped, and no age means anything.
BOOK_FROM_FUTURE = 3

_SYNCED = int(BookState.SYNCED)


@frozen(kw_only=True)
class StaleBookConfig:
    """The section ``[risk.stale-book]``.

    Attributes:
        max_age: How long ago the last message of the book may have been received.
    """

    max_age: Duration | None = None


class StaleBook(RiskCheck):
    """Denies while the book is not synchronised or older than its limit; a book exactly that old passes."""

    name: ClassVar[str] = "stale-book"
    controls: ClassVar[frozenset[Control]] = frozenset({Control.STALE_BOOK})
    limits: ClassVar[type[Any]] = StaleBookConfig
    codes: ClassVar[dict[int, str]] = {
        BOOK_UNSYNCHRONISED: "BOOK_UNSYNCHRONISED",
        BOOK_STALE: "BOOK_STALE",
        BOOK_FROM_FUTURE: "BOOK_FROM_FUTURE",
    }

    def __init__(self, limits: StaleBookConfig, instruments: tuple[Instrument, ...]) -> None:
        self._max_age_ns = min(stated(limits.max_age, "risk.stale-book.max_age").ns, INT64_MAX)

    @classmethod
    def sim_limits(cls) -> StaleBookConfig:
        """5 s."""
        return StaleBookConfig(max_age=Duration(5_000_000_000))

    def check(self, order: OrderIntent, book: BookView, exposure: Exposure, now_ns: int) -> int:
        """Looks at the state first: the age of an unsynchronised book means nothing."""
        if book.state != _SYNCED:
            return BOOK_UNSYNCHRONISED
        age_ns = now_ns - book.recv_ns
        if age_ns < 0:
            return BOOK_FROM_FUTURE
        return BOOK_STALE if age_ns > self._max_age_ns else 0

    def compiled(self) -> CompiledCheck:
        """The same limit."""
        return CompiledCheck((kernel,), cells_of([self._max_age_ns]))


@hookimpl
def bloor_risk_check() -> type[RiskCheck]:
    """The check's class."""
    return StaleBook
