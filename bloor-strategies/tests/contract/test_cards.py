"""The contract cards of every strategy here."""

from __future__ import annotations

from bloor.testing import StrategyCards


class TestMomentum(StrategyCards):
    plugin = "momentum"
