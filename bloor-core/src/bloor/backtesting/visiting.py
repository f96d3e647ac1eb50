"""What happened at the venue of a lane, met by orders of ours, row after row (kernels; hot path)."""

from __future__ import annotations

from bloor.backtesting import layout as at
from bloor.backtesting.matching import crossed, level_changed, traded
from bloor.backtesting.messages import crowded
from bloor.backtesting.takes import take_changed
from bloor.native.memory import cell_at, put_cell

__all__ = ["note_best", "row_ns", "visit_rows"]


def row_ns(rows: int, i: int) -> int:
    """When a row happened."""
    return cell_at(rows + i * at.ROW_BYTES + at.ROW_NS)


def note_best(lane: int) -> None:
    """Notes the best prices where the rows are used up to, and what is there."""
    xi = cell_at(lane + at.XI)
    if xi > 0:
        row = cell_at(lane + at.VENUE_ROWS) + (xi - 1) * at.ROW_BYTES
        put_cell(lane + at.XBID, cell_at(row + at.ROW_BID))
        put_cell(lane + at.XASK, cell_at(row + at.ROW_ASK))
        put_cell(lane + at.XBID_QTY, cell_at(row + at.ROW_BID_QTY))
        put_cell(lane + at.XASK_QTY, cell_at(row + at.ROW_ASK_QTY))


def visit_rows(lane: int, xi: int, count: int, limit: int, reacts: int) -> int:
    """Lets orders of ours meet what others did, up to a time; the row after the last one that was looked at.

    With ``reacts`` it ends behind the first row that anything of ours traded at, and always where answers under way may
    have no room for those to another row.
    """
    rows = cell_at(lane + at.VENUE_ROWS)
    low_bid, high_bid = cell_at(lane + at.LOW_BID), cell_at(lane + at.HIGH_BID)
    low_ask, high_ask = cell_at(lane + at.LOW_ASK), cell_at(lane + at.HIGH_ASK)
    lowest, highest = min(low_bid, low_ask), max(high_bid, high_ask)
    took = cell_at(lane + at.TAKEN_COUNT) > 0
    while xi < count:
        row = rows + xi * at.ROW_BYTES
        ns, what = cell_at(row + at.ROW_NS), cell_at(row + at.ROW_WHAT)
        if ns > limit:
            break
        xi += 1
        price, code = what >> at.CODE_BITS, what & at.CODE_MASK
        # one test for most rows: buyers below everything of ours, sellers above (the codes of buyers are odd)
        beyond = lowest - price if code & 1 == 1 else price - highest
        if beyond > 0 and not took:
            continue
        if code == at.BID_LEVEL:
            if low_bid <= price <= high_bid:
                level_changed(lane, 1, price, cell_at(row + at.ROW_BEFORE), cell_at(row + at.ROW_QTY))
            concerned = price >= low_ask
        elif code == at.ASK_LEVEL:
            if low_ask <= price <= high_ask:
                level_changed(lane, -1, price, cell_at(row + at.ROW_BEFORE), cell_at(row + at.ROW_QTY))
            concerned = price <= high_bid
        else:
            concerned = price >= low_ask if code == at.BOUGHT else price <= high_bid
        if took and code <= at.ASK_LEVEL:
            take_changed(lane, 1 if code == at.BID_LEVEL else -1, price)
            took = cell_at(lane + at.TAKEN_COUNT) > 0
        if concerned:
            units = cell_at(row + at.ROW_QTY)
            if code > at.ASK_LEVEL:
                traded(lane, ns, 1 if code == at.BOUGHT else -1, price, units)
            elif units > cell_at(row + at.ROW_BEFORE):
                more = units - cell_at(row + at.ROW_BEFORE)
                crossed(lane, ns, 1 if code == at.BID_LEVEL else -1, price, more)
                took = cell_at(lane + at.TAKEN_COUNT) > 0
            low_bid, high_bid = cell_at(lane + at.LOW_BID), cell_at(lane + at.HIGH_BID)
            low_ask, high_ask = cell_at(lane + at.LOW_ASK), cell_at(lane + at.HIGH_ASK)
            lowest, highest = min(low_bid, low_ask), max(high_bid, high_ask)
            if reacts != 0:
                put_cell(lane + at.XNOW, max(ns, cell_at(lane + at.XNOW)))
                break
            if (cell_at(lane + at.LIVE_COUNT) == 0 and not took) or crowded(lane):
                break
    return xi
