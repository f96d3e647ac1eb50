"""Made-up runs, seeded: ledgers for testing what is computed from a run and shown of it."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bloor.execution.life import Status
from bloor.model.instrument import Instrument
from bloor.observe.ledger import Fills, Ledger, LedgerDesk, Marks, Orders

__all__ = ["ledger_of", "made_ledger", "quoted"]

SECOND_NS = 1_000_000_000
#: The begin of every made-up run, 2025-10-09 09:00 UTC.
BEGIN_NS = 1_760_000_400 * SECOND_NS


def quoted(symbol: str = "BTC-USDT", **other: Any) -> Instrument:
    """An instrument with ticks of 0.01 and lots of 0.00001, unless told otherwise."""
    base, quote = symbol.split("-")
    facts = {
        "price_decimals": 2,
        "qty_decimals": 8,
        "lot_units": 1000,
        "venue": "binance",
        "venue_symbol": base + quote,
    }
    return Instrument(**{"symbol": symbol, "base": base, "quote": quote, **facts, **other})


def ledger_of(
    desks: Sequence[LedgerDesk],
    fills: Sequence[Sequence[int]],
    *,
    end_ns: int,
    begin_ns: int = 0,
    orders: Sequence[Sequence[int]] = (),
    capital: Decimal | None = None,
    currency: str = "USDT",
) -> Ledger:
    """A ledger from rows.

    Args:
        desks: The desks.
        fills: ``(recv_ns, desk, side, price, units, maker, order, fee, fee_base, mid2)`` each.
        end_ns: End of the run.
        begin_ns: Begin of the run.
        orders: ``(number, desk, side, price, lots, sent_ns, status, filled, mid2)`` each.
        capital: What it began with.
        currency: The reporting currency.
    """
    names = ("recv_ns", "desk", "side", "price", "units", "maker", "order", "fee", "fee_base", "mid2")
    columns = dict(zip(names, _transposed(fills, len(names)), strict=True))
    columns["maker"] = columns["maker"].astype(bool)
    others = ("number", "desk", "side", "price", "lots", "sent_ns", "status", "filled", "mid2")
    return Ledger(
        currency=currency,
        begin_ns=begin_ns,
        end_ns=end_ns,
        desks=tuple(desks),
        fills=Fills(exch_ns=columns["recv_ns"], **columns),
        orders=Orders(**dict(zip(others, _transposed(orders, len(others)), strict=True))),
        capital=capital,
    )


def _transposed(rows: Sequence[Sequence[int]], width: int) -> NDArray[np.int64]:
    return np.array(rows, np.int64).reshape(len(rows), width).T


def made_ledger(
    instruments: Sequence[Instrument] = (),
    *,
    strategies: Sequence[str] = ("made-up",),
    fills: int = 400,
    seconds: int = 3600,
    seed: int = 1,
    gap: tuple[float, float] | None = None,
) -> Ledger:
    """A run of strategies that quote around a random walk, and take once in a while.

    Args:
        instruments: What is traded; one of :func:`quoted` when there is none.
        strategies: Their names; each trades every instrument.
        fills: How many fills each of them has in each.
        seconds: How long it lasts; there is a mark every 0.1 s.
        seed: Of everything.
        gap: A stretch without data, as shares of the whole time.
    """
    chance = np.random.default_rng(seed)
    end_ns = BEGIN_NS + seconds * SECOND_NS
    gaps = (
        ()
        if gap is None
        else ((BEGIN_NS + int(gap[0] * seconds) * SECOND_NS, BEGIN_NS + int(gap[1] * seconds) * SECOND_NS),)
    )
    desks: list[LedgerDesk] = []
    parts = []
    for instrument in instruments or (quoted(),):
        marks = _walk(chance, seconds, gaps)
        for strategy in strategies:
            parts.append(_traded(chance, marks, fills, len(desks)))
            desks.append(LedgerDesk(strategy=strategy, instrument=instrument, marks=marks))
    rows = np.concatenate(parts)
    rows = rows[np.argsort(rows[:, 0], kind="stable")]
    rows[:, 6] = np.arange(len(rows))
    return ledger_of(
        desks,
        rows.tolist(),
        begin_ns=BEGIN_NS,
        end_ns=end_ns,
        orders=_sent(chance, rows, desks).tolist(),
        capital=Decimal(100_000),
    )


def _walk(chance: np.random.Generator, seconds: int, gaps: tuple[tuple[int, int], ...]) -> Marks:
    times = BEGIN_NS + np.arange(seconds * 10 + 1, dtype=np.int64) * (SECOND_NS // 10)
    mid2 = 12_000_000 + 2 * np.cumsum(np.rint(chance.standard_t(4, len(times)) * 20)).astype(np.int64)
    known = np.ones(len(times), bool)
    for begin, end in gaps:
        known &= (times < begin) | (times > end)
    return Marks(time_ns=times[known], mid2=np.maximum(mid2[known], 2), gaps=gaps)


def _traded(chance: np.random.Generator, marks: Marks, count: int, desk: int) -> NDArray[np.int64]:
    """Rows of fills; every seventh or so makes the position flat."""
    at = np.sort(chance.integers(5, len(marks) - 5, count))
    maker = chance.random(count) < 0.8
    mid2, side = marks.mid2[at], chance.choice([-1, 1], count)
    units = chance.integers(1, 40, count) * 100_000
    position = 0
    for row, flat in enumerate((chance.random(count) < 0.15).tolist()):
        if flat and position:
            side[row], units[row] = -np.sign(position), abs(position)
        position += int(side[row] * units[row])
    away = chance.integers(1, 200, count)
    price = mid2 // 2 - side * np.where(maker, away, -1 - away // 4)
    fee = np.where(maker, -1, 3) * (price * units // 20_000)
    zero = np.zeros(count, np.int64)
    rows = (marks.time_ns[at], zero + desk, side, price, units, maker, zero, fee, zero, mid2)
    return np.stack([each.astype(np.int64) for each in rows], axis=1)


def _sent(chance: np.random.Generator, fills: NDArray[np.int64], desks: Sequence[LedgerDesk]) -> NDArray[np.int64]:
    """Rows of orders: one filled whole for each fill, and as many again that were cancelled."""
    lots = np.array([desk.instrument.lot_units for desk in desks])[fills[:, 1]]
    filled = np.zeros((len(fills), 9), np.int64)
    filled[:, 0], filled[:, 1:4] = fills[:, 6], fills[:, 1:4]
    filled[:, 4], filled[:, 7], filled[:, 8] = fills[:, 4] // lots, fills[:, 4], fills[:, 9]
    filled[:, 5] = np.maximum(fills[:, 0] - chance.integers(10**7, 3 * SECOND_NS, len(fills)), BEGIN_NS)
    filled[:, 6] = Status.FILLED
    others = filled.copy()
    others[:, 0] += len(fills)
    others[:, 6], others[:, 7] = Status.CANCELLED, 0
    rows = np.concatenate([filled, others])
    return rows[np.argsort(rows[:, 5], kind="stable")]
