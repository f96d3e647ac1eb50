"""Writing event records by address (kernels; hot path)."""

from __future__ import annotations

from bloor.native.memory import put_cell

__all__ = ["write_event"]


def write_event(
    at: int,
    kind: int,
    side: int,
    flags: int,
    instrument: int,
    seq: int,
    exch_ns: int,
    recv_ns: int,
    price: int,
    qty: int,
    price2: int,
    qty2: int,
) -> None:
    """Writes one record of :mod:`bloor.market.events` at an address."""
    put_cell(at, kind + ((side & 255) << 8) + (flags << 16) + (instrument << 32))
    put_cell(at + 8, seq)
    put_cell(at + 16, exch_ns)
    put_cell(at + 24, recv_ns)
    put_cell(at + 32, price)
    put_cell(at + 40, qty)
    put_cell(at + 48, price2)
    put_cell(at + 56, qty2)
