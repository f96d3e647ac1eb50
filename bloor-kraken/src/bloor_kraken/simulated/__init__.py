"""A simulated Kraken spot exchange, wire-compatible and sans I/O.

Protocol after docs.kraken.com: Spot WebSocket v2 (public and private) and Spot REST. Driven by a seeded market model,
where accounts' orders are part of the public book, or by a recording of WebSocket v1 or v2, whose book and trades are
published anew as WebSocket v2: there an account's orders meet the recorded liquidity, but the public never sees them.
"""

from __future__ import annotations

from bloor.hookspecs import SimulatedVenueSpec
from bloor_kraken.simulated.venue import SimulatedKraken

__all__ = ["SimulatedKraken", "simulated_venue_spec"]


def simulated_venue_spec() -> SimulatedVenueSpec:
    """What ``bloor_simulated_venue`` hands over."""
    return SimulatedVenueSpec(venue="kraken", build=SimulatedKraken)
