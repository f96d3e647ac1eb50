"""The contract cards of every strategy here."""

from __future__ import annotations

from bloor.testing import StrategyCards


class TestMomentum(StrategyCards):
    plugin = "momentum"


class TestAvellanedaStoikov(StrategyCards):
    plugin = "avellaneda-stoikov"


class TestGLFT(StrategyCards):
    plugin = "glft"


class TestGrid(StrategyCards):
    plugin = "grid"
