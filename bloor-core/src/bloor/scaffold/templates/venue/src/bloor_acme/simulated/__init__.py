"""A simulated Acme: the venue's own protocol, deterministic by seed, without a clock or a socket."""

from __future__ import annotations

from bloor.hookspecs import SimulatedVenueSpec

from bloor_acme.simulated.venue import SimulatedAcme

__all__ = ["SimulatedAcme", "simulated_venue_spec"]


def simulated_venue_spec() -> SimulatedVenueSpec:
    """What ``bloor_simulated_venue`` hands over."""
    return SimulatedVenueSpec(venue="acme", build=SimulatedAcme)
