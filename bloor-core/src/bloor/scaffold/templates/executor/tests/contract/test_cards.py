"""The numbered cards of :mod:`bloor.testing`, on this plug-in."""

from __future__ import annotations

from bloor.testing import ExecutorCards, SimulatedVenueCards


class TestExecutor(ExecutorCards):
    """Order entry."""

    plugin = "acme"


class TestSimulatedVenue(SimulatedVenueCards):
    """The simulated venue."""

    plugin = "acme"
