"""The numbered cards of :mod:`bloor.testing`, on this plug-in."""

from __future__ import annotations

from bloor.testing import RiskCheckCards


class TestRiskCheck(RiskCheckCards):
    """The check."""

    plugin = "lull"
