"""Avellaneda and Stoikov's market maker: quotes about a reservation price that leans against the inventory.

Source: Marco Avellaneda and Sasha Stoikov, "High-frequency trading in a limit order book", Quantitative Finance 8(3)
(2008), pages 217-224. With the mid ``s``, the inventory ``q``, the volatility ``sigma``, the risk aversion ``gamma``
and arrivals ``A * exp(-k * d)`` at the distance ``d``, the expansion in ``q`` of their section 3.2 gives (equations 29
and 30)

    reservation price    r = s - q * gamma * sigma**2 * (T - t)
    spread               delta_a + delta_b = gamma * sigma**2 * (T - t) + (2 / gamma) * log(1 + gamma / k)

and the quotes are ``r`` plus and minus half of the spread.

What differs here:

- **The horizon rolls.** Their ``T`` is the end of a trading day. A market that never closes has none, so ``T - t`` is
  the constant ``horizon_s``: at every moment the end is that far away.
- ``sigma`` and ``k`` are measured as the market goes on (:mod:`bloor_strategies.measured`); ``A`` cancels out.
- Lengths are basis points of the mid and ``q`` is in orders beyond ``target``, so ``gamma`` is per bp and order.
- Orders, their pace, and spot accounts: :mod:`bloor_strategies.quoting`.
"""

from __future__ import annotations

import math

from bloor.hookspecs import hookimpl
from bloor.strategy.api import Strategy
from bloor.strategy.params import param
from bloor_strategies.quoting import Quoting

__all__ = ["AvellanedaStoikov", "bloor_strategy"]


class AvellanedaStoikov(Quoting):
    """Market making about the reservation price of Avellaneda and Stoikov; see the module."""

    name = "avellaneda-stoikov"
    compiled = True

    gamma: float = param(0.1, low=1e-6, high=1e3, doc="risk aversion, per bp and order")
    horizon_s: float = param(5.0, low=1e-3, high=86_400.0, doc="T - t: how far away the end always is, in seconds")

    def terms(self) -> tuple[float, float]:
        """Half of the spread, and the skew of the reservation price for each order of inventory, in bps."""
        risk = self.gamma * (self.moves / self.seconds if self.seconds > 0.0 else 0.0) * self.horizon_s
        return 0.5 * risk + math.log1p(self.gamma / self.slope) / self.gamma, risk


@hookimpl
def bloor_strategy() -> type[Strategy]:
    """The plug-in ``avellaneda-stoikov``."""
    return AvellanedaStoikov
