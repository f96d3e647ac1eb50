"""The market maker of Guéant, Lehalle and Fernandez-Tapia: quotes that are optimal far from any end.

Source: Olivier Guéant, Charles-Albert Lehalle and Joaquin Fernandez-Tapia, "Dealing with the inventory risk: a solution
to the market making problem", Mathematics and Financial Economics 7(4) (2013), pages 477-507: the closed-form
approximation at the end of their section "Asymptotic behavior and approximation of the optimal quotes". With the
inventory ``q``, the volatility ``sigma``, the risk aversion ``gamma`` and arrivals ``A * exp(-k * d)`` at the distance
``d``, their distances from the mid are

    delta_b(q) = c1 + (2 * q + 1) / 2 * sigma * c2
    delta_a(q) = c1 - (2 * q - 1) / 2 * sigma * c2

    c1 = (1 / gamma) * log(1 + gamma / k)
    c2 = sqrt(gamma / (2 * k * A) * (1 + gamma / k) ** (1 + k / gamma))

that is, a half spread of ``c1 + sigma * c2 / 2`` and a skew of ``sigma * c2`` for each order of inventory. They are
equations (4.6) and (4.7) of Guéant, "Optimal market making", Applied Mathematical Finance 24(2) (2017), with
``xi = gamma`` and ``Delta = 1``.

What differs here:

- ``sigma``, ``A`` and ``k`` are measured as the market goes on (:mod:`bloor_strategies.measured`).
- Lengths are basis points of the mid and ``q`` is in orders beyond ``target``, so ``gamma`` is per bp and order.
- Their bound on the inventory is here ``most`` above and, on a spot account, nothing below zero.
- Orders, their pace, and spot accounts: :mod:`bloor_strategies.quoting`.
"""

from __future__ import annotations

import math

from bloor.hookspecs import hookimpl
from bloor.strategy.api import Strategy
from bloor.strategy.params import param
from bloor_strategies.quoting import Quoting

__all__ = ["GLFT", "bloor_strategy"]


class GLFT(Quoting):
    """Market making with the asymptotic quotes of Guéant, Lehalle and Fernandez-Tapia; see the module."""

    name = "glft"
    compiled = True

    gamma: float = param(1.0, low=1e-6, high=1e3, doc="risk aversion, per bp and order")

    def terms(self) -> tuple[float, float]:
        """Half of the spread, and the skew for each order of inventory, in bps."""
        gamma, k = self.gamma, self.slope
        growth = math.log1p(gamma / k)
        skew = self.sigma * math.sqrt(gamma / (2.0 * k * self.rate) * math.exp((1.0 + k / gamma) * growth))
        return growth / gamma + 0.5 * skew, skew


@hookimpl
def bloor_strategy() -> type[Strategy]:
    """The plug-in ``glft``."""
    return GLFT
