"""What the connection to a venue refused in a session, before the gate was asked.

A rate budget was used up, or a stream was not synchronised. A backtest has no connection that could say so; beside a
session it is told what was refused.
"""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from typing import ClassVar

from attrs import field, frozen

from bloor.engine.decisions import DecisionKind
from bloor.market.view import BookView
from bloor.model.instrument import Instrument
from bloor.native.memory import Cells
from bloor.risk.check import Exposure, OrderIntent, RiskCheck
from bloor.risk.gate import CHECK_FAILED, HALTED, REDUCE_ONLY, STRATEGY_HALTED, Gate

__all__ = ["VenueRefusals", "with_refusals"]

_DENY, _LOW32 = int(DecisionKind.DENY), (1 << 32) - 1


@frozen
class Refused:
    """What was refused.

    Attributes:
        orders: Strategy, instrument, time, side, price in ticks and lots of each.
    """

    orders: frozenset[tuple[int, ...]] = field(factory=frozenset)


class VenueRefusals(RiskCheck):
    """Denies what the venue's side refused in a session: the same order at the same time."""

    name = "venue"
    limits = Refused
    codes: ClassVar[dict[int, str]] = {1: "VENUE_REFUSED"}

    def __init__(self, limits: Refused, instruments: tuple[Instrument, ...]) -> None:
        self._refused = limits.orders

    @classmethod
    def sim_limits(cls) -> Refused:
        """Nothing was refused."""
        return Refused()

    def check(self, order: OrderIntent, book: BookView, exposure: Exposure, now_ns: int) -> int:
        """1 when it was refused."""
        asked = (order.strategy, order.instrument, now_ns, order.side, order.price, order.lots)
        return int(asked in self._refused)


def with_refusals(gate: Gate, decisions: Cells, instruments: Sequence[Instrument]) -> Gate:
    """A gate that also denies what a session's venue refused; the same gate where it refused nothing.

    Args:
        gate: The gate of the session; new, since checks remember.
        decisions: ``(n, 8)``, records of :mod:`bloor.engine.decisions`.
        instruments: The run's instruments.
    """
    codes = {HALTED, STRATEGY_HALTED, REDUCE_ONLY, CHECK_FAILED}.union(*(check.codes.values() for check in gate.checks))
    known = {zlib.crc32(code.encode()) for code in codes}
    refused = [
        (who & _LOW32, head >> 32, ns, 1 if head >> 8 & 255 == 1 else -1, price, lots)
        for head, who, _, price, lots, ns in decisions[decisions[:, 0] & 255 == _DENY][:, :6].tolist()
        if who >> 32 & _LOW32 not in known
    ]
    if not refused:
        return gate
    table = tuple(instruments)
    return Gate([VenueRefusals(Refused(frozenset(refused)), table), *gate.checks[1:]], table)
