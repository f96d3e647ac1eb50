"""What assets are worth, in dollars, at every time of a seeded market: common to all venues and pairs of a seed.

The value of a pair is that of its base over that of its quote, so that pairs of three assets agree with each other.

* Coins walk, each by itself, with short trends (:mod:`bloor.simulation.courses`), except for those that follow another:
  ``SOL`` follows ``ETH``, ``ADA`` follows ``XRP``, and ``LTC`` follows ``BTC`` with 0.8 of its moves. What such a coin
  is worth beyond that is a stationary spread, so that the two are cointegrated; no other two are.
* ``USD`` is the measure. Tokens that are meant to be worth a dollar stray from it by a small basis that returns.
* Other money walks slowly.
"""

from __future__ import annotations

from attrs import evolve

from bloor.simulation.courses import Course, CoursePath

__all__ = ["FOLLOWERS", "AssetValue"]

#: What an asset follows, and with how much of its moves.
FOLLOWERS = {"SOL": ("ETH", 1.0), "ADA": ("XRP", 1.0), "LTC": ("BTC", 0.8)}
#: The measure: it is always worth itself.
_MEASURE = "USD"
#: A coin: 3 % in a day.
_COIN = Course(spread=0.03, trends=1.0, noise=0.2e-4)
#: What a follower is worth beyond what it follows: 30 basis points, back in three minutes.
_SPREAD = Course(spread=30e-4, return_s=180.0, noise=0.3e-4)
#: What tokens that are meant to be worth a dollar are worth beyond it: basis points, back in minutes.
_BASIS = {
    "USDT": Course(spread=3e-4, return_s=300.0, noise=0.02e-4),
    "USDC": Course(spread=0.5e-4, return_s=300.0, noise=0.01e-4),
}
#: Other money: half a percent in a day.
_MONEY = Course(spread=0.005, trends=0.15, noise=0.05e-4)
_MONIES = frozenset({"EUR", "GBP", "JPY", "CHF", "CAD", "AUD"})


class AssetValue:
    """What one asset is worth, as a multiple of what it was worth at the opening.

    Args:
        asset: Canonical name; one that is not known is a coin that walks by itself.
        seed: Of the market.
        stray: Factor on everything that returns: spreads of followers and bases of dollars.
    """

    def __init__(self, asset: str, seed: int, stray: float = 1.0) -> None:
        self._leader: CoursePath | None = None
        self._share = 0.0
        key = f"{seed} worth {asset}"
        if asset in FOLLOWERS:
            leader, self._share = FOLLOWERS[asset]
            self._leader = CoursePath(_COIN, f"{seed} worth {leader}")
            self._own: CoursePath | None = CoursePath(_strayed(_SPREAD, stray), key)
        elif asset in _BASIS:
            self._own = CoursePath(_strayed(_BASIS[asset], stray), key)
        else:
            self._own = None if asset == _MEASURE else CoursePath(_MONEY if asset in _MONIES else _COIN, key)

    def at(self, step: int) -> float:
        """Logarithm of the multiple, a number of steps after the opening."""
        log = self._own.at(step) if self._own is not None else 0.0
        return log if self._leader is None else log + self._share * self._leader.at(step)


def _strayed(course: Course, stray: float) -> Course:
    return evolve(course, spread=course.spread * stray, noise=course.noise * stray)
