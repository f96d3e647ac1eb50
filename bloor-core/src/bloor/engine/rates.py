"""What an asset that fees are taken in is worth: by a book of the run, or as configured.

Decided from the run's own state, so that a replay values each fee as the run did.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import TYPE_CHECKING

from bloor.execution.position import EXACT
from bloor.market.view import BookState

if TYPE_CHECKING:
    from bloor.engine.desk import Desk
    from bloor.engine.plan import EnginePlan

__all__ = ["FeeRates"]


class FeeRates:
    """``rate(asset, quote)``; see :data:`bloor.execution.fees.FeeRate`.

    The mid of a synchronised book of the two comes first, then the mid it had when a fee was last valued by it, then
    what the configuration of a venue says, which is worth in the one quote asset of that venue's instruments: of a
    venue with several, it says nothing.
    """

    def __init__(self, plan: EnginePlan) -> None:
        self._configured: dict[tuple[str, str], Decimal] = {}
        for venue in plan.venues:
            rates: Mapping[str, Decimal] = venue.executor.fee_rates(venue.config) if venue.executor.fee_rates else {}
            quotes = {i.quote for i in venue.instruments}
            if len(quotes) == 1:
                self._configured |= {(asset, quote): rate for asset, rate in rates.items() for quote in quotes}
        self._known: dict[tuple[str, str], Decimal] = {}
        self._desks: Sequence[Desk] = ()

    def watch(self, desks: Sequence[Desk]) -> None:
        """Takes over whose books there are."""
        self._desks = desks

    def __call__(self, asset: str, quote: str) -> Decimal | None:
        """What one of ``asset`` is worth in ``quote``; None when nobody knows."""
        for desk in self._desks:
            i, view = desk.instrument, desk.book
            if (i.base, i.quote) == (asset, quote) and view.state == BookState.SYNCED and view.two_sided:
                mid = Decimal(5 * (view.best_bid + view.best_ask) * i.tick_units)
                self._known[asset, quote] = mid.scaleb(-i.price_decimals - 1, EXACT)
                break
        return self._known.get((asset, quote), self._configured.get((asset, quote)))
