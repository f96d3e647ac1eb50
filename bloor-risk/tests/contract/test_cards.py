"""The contract cards of every risk check here."""

from __future__ import annotations

from bloor.testing import RiskCheckCards


class TestOrderLimits(RiskCheckCards):
    plugin = "order-limits"


class TestPriceCollar(RiskCheckCards):
    plugin = "price-collar"


class TestPositionLimits(RiskCheckCards):
    plugin = "position-limits"


class TestStaleBook(RiskCheckCards):
    plugin = "stale-book"


class TestMessageRate(RiskCheckCards):
    plugin = "message-rate"
