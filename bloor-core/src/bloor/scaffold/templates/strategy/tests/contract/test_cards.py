"""The numbered cards of :mod:`bloor.testing`, on this plug-in."""

from __future__ import annotations

from bloor.testing import StrategyCards


class TestStrategy(StrategyCards):
    """The strategy."""

    plugin = "sway"
