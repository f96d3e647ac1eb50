"""A simulated Coinbase Advanced Trade, wire-compatible and sans I/O.

Protocol after docs.cdp.coinbase.com ("Advanced Trade API"): REST for orders, a market stream, a user stream. Driven by
a seeded market model, where accounts' orders are part of the public book, or by a recording, which is told anew: there
an account's orders meet the recorded liquidity, but the public never sees them.
"""

from __future__ import annotations

from bloor.hookspecs import SimulatedVenueSpec
from bloor_coinbase.simulated.venue import SimulatedCoinbase

__all__ = ["SimulatedCoinbase", "simulated_venue_spec"]


def simulated_venue_spec() -> SimulatedVenueSpec:
    """What ``bloor_simulated_venue`` hands over."""
    return SimulatedVenueSpec(venue="coinbase", build=SimulatedCoinbase)
