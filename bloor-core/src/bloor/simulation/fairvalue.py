"""The value that one market of one venue believes in.

All venues of a seed share the values of assets (:mod:`bloor.simulation.assets`). A venue hears of them late, by
:attr:`~bloor.simulation.market.MarketStyle.lag_ns`, and strays from them by a deviation of its own
(:mod:`bloor.simulation.dislocations`): the efficient price is common, it is discovered where the lag is least, and the
price of every venue returns to it (J. Hasbrouck, "One Security, Many Markets: Determining the Contributions to Price
Discovery", Journal of Finance 50, 1995).
"""

from __future__ import annotations

import math

from bloor.model.instrument import Instrument
from bloor.simulation.assets import AssetValue
from bloor.simulation.courses import STEP_NS
from bloor.simulation.dislocations import Dislocation

__all__ = ["FairValue"]


class FairValue:
    """The value of a pair at a venue: a pure function of the seed, the venue's and the pair's names, and the time.

    Args:
        instrument: The pair, and the venue.
        price: What it was worth at the opening, in the quote asset.
        seed: Of the market.
        lag_ns: How late the venue hears of the common value.
        dislocations: Factor on all that strays from it and returns.
    """

    def __init__(self, instrument: Instrument, price: float, seed: int, *, lag_ns: int, dislocations: float) -> None:
        self._log = math.log(price)
        self._lag_ns = lag_ns
        self._base = AssetValue(instrument.base, seed, dislocations)
        self._quote = AssetValue(instrument.quote, seed, dislocations)
        self._own = Dislocation(f"{seed} {instrument.venue} {instrument.symbol} dislocation", dislocations)
        self._steps = (-1, -1)
        self._value = price

    def at(self, elapsed_ns: int) -> float:
        """The value ``elapsed_ns`` after the opening; before it, that at the opening.

        Returns:
            The price, in the quote asset.
        """
        common = max(0, elapsed_ns - self._lag_ns) // STEP_NS
        own = max(0, elapsed_ns) // STEP_NS
        if (common, own) != self._steps:
            self._steps = common, own
            log = self._log + self._base.at(common) - self._quote.at(common) + self._own.at(own)
            self._value = math.exp(log)
        return self._value
