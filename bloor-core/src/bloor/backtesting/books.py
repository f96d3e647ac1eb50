"""What a backtest wrote, as the ledger that results are computed from."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import Any

import numpy as np

from bloor.backtesting import layout as at
from bloor.backtesting.build import Prepared, StrategySpec
from bloor.backtesting.course import Logs
from bloor.backtesting.models.fee import FEE_DECIMALS
from bloor.backtesting.survey import Survey
from bloor.model.instrument import Instrument
from bloor.model.reporting import Reporting
from bloor.native.memory import Cells
from bloor.observe.ledger import Fills, Ledger, LedgerDesk, Marks, Orders

__all__ = ["ledger_of"]

LARGEST = float(1 << 62)


def ledger_of(
    prepared: Prepared,
    logs: Logs,
    strategies: Sequence[StrategySpec],
    surveys: Sequence[Survey],
    reporting: Reporting,
    capital: Decimal | None,
) -> Ledger:
    """The ledger of a backtest.

    Args:
        prepared: The backtest, run.
        logs: What it wrote.
        strategies: What traded.
        surveys: Of each lane.
        reporting: In what money is told.
        capital: What returns are counted from; None for none.
    """
    lanes = prepared.memory.lanes
    begins = [max(s.begin_ns, int(lane.cells[at.BEGIN_NS // 8])) for s, lane in zip(surveys, lanes, strict=True)]
    marks = [Marks(time_ns=s.mark_ns, mid2=s.mark_mid2, gaps=s.gaps) for s in surveys]
    instruments = [lane.instrument for lane in lanes]
    fills = logs.fills
    told = int(_column(fills, at.FILL_RECV).max()) if len(fills) else 0  # the last fill may be told after the last row
    desks = tuple(
        LedgerDesk(
            strategy=strategy.name, instrument=instrument, rate=reporting.rate(instrument.quote), marks=marks[number]
        )
        for strategy in strategies
        for number, instrument in enumerate(instruments)
    )
    return Ledger(
        currency=reporting.currency,
        begin_ns=min(begins),
        end_ns=max(told, *(s.end_ns for s in surveys)),
        desks=desks,
        fills=_fills(fills, [desk.instrument for desk in desks]),
        orders=_orders(np.concatenate([logs.ended, _still_open(prepared)])),
        capital=capital,
    )  # fmt: skip


def _column(rows: Cells, offset: int) -> Cells:
    column: Cells = rows[:, offset // 8]
    return column


def _fills(rows: Cells, instruments: Sequence[Instrument]) -> Fills:
    rows = rows[np.argsort(_column(rows, at.FILL_RECV), kind="stable")]
    desk = _column(rows, at.FILL_DESK)
    kept = _column(rows, at.FILL_KEPT)
    fee = np.zeros(len(rows), np.int64)
    for number, instrument in enumerate(instruments):
        mine = desk == number
        if mine.any():
            fee[mine] = _valued(rows[mine], instrument)
    return Fills(
        recv_ns=_column(rows, at.FILL_RECV), exch_ns=_column(rows, at.FILL_EXCH), desk=desk,
        side=_column(rows, at.FILL_SIDE), price=_column(rows, at.FILL_PRICE), units=_column(rows, at.FILL_UNITS),
        maker=_column(rows, at.FILL_MAKER) == 1, order=_column(rows, at.FILL_ORDER), fee=fee, fee_base=kept,
        mid2=np.zeros(len(rows), np.int64),
    )  # fmt: skip


def _valued(rows: Cells, instrument: Instrument) -> Cells:
    """Fees in value units of the instrument; what is left over of a unit is rounded up."""
    atoms = _column(rows, at.FILL_FEE)
    in_base = _column(rows, at.FILL_KEPT) > 0
    quoted: Cells = _scaled(atoms, instrument.value_decimals - FEE_DECIMALS)
    if not in_base.any():
        return quoted
    worth: Any = _column(rows, at.FILL_PRICE) * instrument.tick_units
    if len(atoms) and float(np.abs(atoms).max()) * float(worth.max()) > LARGEST:
        worth, atoms = worth.astype(object), atoms.astype(object)
    valued = _scaled(atoms * worth, instrument.qty_decimals - FEE_DECIMALS).astype(np.int64)
    paid: Cells = np.where(in_base, valued, quoted)
    return paid


def _scaled(numbers: Any, decimals: int) -> Any:
    """Numbers times a power of ten, rounded up."""
    return numbers * 10**decimals if decimals >= 0 else -(-numbers // 10**-decimals)


def _orders(rows: Cells) -> Orders:
    rows = rows[np.argsort(_column(rows, at.ENDED_NUMBER), kind="stable")]
    what = _column(rows, at.ENDED_WHAT)
    return Orders(
        number=_column(rows, at.ENDED_NUMBER), desk=what & at.LOW32, side=(what >> 40).astype(np.int8),
        price=_column(rows, at.ENDED_PRICE), lots=_column(rows, at.ENDED_LOTS), sent_ns=_column(rows, at.ENDED_SENT),
        status=what >> 32 & 255, filled=_column(rows, at.ENDED_FILLED), mid2=_column(rows, at.ENDED_MID2),
    )  # fmt: skip


def _still_open(prepared: Prepared) -> Cells:
    """Orders whose end was never received, in the form of ended ones."""
    desks = {int(desk.cells.ctypes.data): number for number, desk in enumerate(prepared.memory.desks)}
    found = []
    for lane in prepared.memory.lanes:
        for slot in lane.room.open_slots():
            row = np.zeros(at.ENDED_BYTES // 8, np.int64)
            for to, source in (
                (at.ENDED_NUMBER, at.SLOT_NUMBER), (at.ENDED_PRICE, at.SLOT_PRICE), (at.ENDED_LOTS, at.SLOT_LOTS),
                (at.ENDED_SENT, at.SLOT_SENT), (at.ENDED_FILLED, at.SLOT_FILLED), (at.ENDED_MID2, at.SLOT_MID2),
            ):  # fmt: skip
                row[to // 8] = slot[source // 8]
            status, side = int(slot[at.SLOT_STATUS // 8]), int(slot[at.SLOT_SIDE // 8]) & 255
            row[at.ENDED_WHAT // 8] = desks[int(slot[at.SLOT_DESK // 8])] | status << 32 | side << 40
            found.append(row)
    return np.array(found, np.int64).reshape(-1, at.ENDED_BYTES // 8)
