"""A simulated Binance spot exchange, wire-compatible and sans I/O.

Protocol after binance-spot-api-docs (web-socket-streams, rest-api, web-socket-api, user-data-stream, errors, filters).
Driven by a seeded market model, where accounts' orders are part of the public book, or by a recording, whose frames
go out as they were recorded: there an account's orders meet the recorded liquidity, but the public never sees them.
"""

from __future__ import annotations

from bloor.hookspecs import SimulatedVenueSpec
from bloor_binance.simulated.venue import SimulatedBinance

__all__ = ["SimulatedBinance", "simulated_venue_spec"]


def simulated_venue_spec() -> SimulatedVenueSpec:
    """What ``bloor_simulated_venue`` hands over."""
    return SimulatedVenueSpec(venue="binance", build=SimulatedBinance)
