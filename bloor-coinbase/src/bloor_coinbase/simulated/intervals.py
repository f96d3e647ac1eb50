"""The granularities of candles (docs.cdp.coinbase.com, "Get Product Candles"); all in UTC."""

from __future__ import annotations

from bloor.simulation.intervals import Interval

__all__ = ["INTERVALS", "MAX_CANDLES", "STREAMED"]

INTERVALS = {
    "ONE_MINUTE": Interval(60),
    "FIVE_MINUTE": Interval(300),
    "FIFTEEN_MINUTE": Interval(900),
    "THIRTY_MINUTE": Interval(1_800),
    "ONE_HOUR": Interval(3_600),
    "TWO_HOUR": Interval(7_200),
    "FOUR_HOUR": Interval(14_400),
    "SIX_HOUR": Interval(21_600),
    "ONE_DAY": Interval(86_400),
}
#: What the channel ``candles`` has.
STREAMED = "FIVE_MINUTE"
#: The most candles of one answer.
MAX_CANDLES = 350
