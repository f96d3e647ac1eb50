"""The venue's side of a lane brought forward in the venue's time (kernels; hot path).

An order that is decided on now reaches the venue no sooner than the shortest entry latency later. So the venue may be
simulated up to there before the strategy goes on, in one tight loop, which looks at a row only as far as an order of
ours may be concerned.
"""

from __future__ import annotations

from bloor.backtesting import layout as at
from bloor.backtesting.matching import crossed, level_changed, request, take_changed, traded
from bloor.backtesting.messages import first_asked, first_told, used
from bloor.native.memory import cell_at, put_cell

__all__ = ["advance"]


def later_than(rows: int, i: int, count: int, limit: int) -> int:
    """The first row from ``i`` on whose time is after a limit, by doubling steps."""
    if i >= count or cell_at(rows + i * at.ROW_BYTES + at.ROW_NS) > limit:
        return i
    step, low = 1, i
    while low + step < count and cell_at(rows + (low + step) * at.ROW_BYTES + at.ROW_NS) <= limit:
        low += step
        step *= 2
    high = min(count, low + step)
    while high - low > 1:
        middle = (low + high) >> 1
        if cell_at(rows + middle * at.ROW_BYTES + at.ROW_NS) <= limit:
            low = middle
        else:
            high = middle
    return low + 1


def stand(lane: int, xi: int) -> None:
    """Notes how far the rows are used, and the best prices there."""
    put_cell(lane + at.XI, xi)
    if xi > 0:
        row = cell_at(lane + at.VENUE_ROWS) + (xi - 1) * at.ROW_BYTES
        put_cell(lane + at.XBID, cell_at(row + at.ROW_BID))
        put_cell(lane + at.XASK, cell_at(row + at.ROW_ASK))


def advance(lane: int, limit: int, reacts: int, _unused: int) -> int:
    """Simulates the venue up to a time, that time included.

    Args:
        lane: Address of the lane.
        limit: The venue's time.
        reacts: 1 to stop where an answer to the first response could arrive.

    Returns:
        DONE, or NEED_VENUE: then nothing is lost, and the same call goes on with the next rows.
    """
    told = cell_at(lane + at.TOLD_TAIL)
    floor = cell_at(lane + at.ENTRY_MIN)
    while True:
        stop, asked = limit, 0
        head = cell_at(lane + at.ASKED_HEAD)
        if head != cell_at(lane + at.ASKED_TAIL):
            message = cell_at(lane + at.ASKED) + (head & at.RING_MASK) * at.MESSAGE_BYTES
            if cell_at(message + at.MESSAGE_NS) <= limit:
                stop, asked = cell_at(message + at.MESSAGE_NS), message
        count, xi = cell_at(lane + at.VENUE_COUNT), cell_at(lane + at.XI)
        rows = cell_at(lane + at.VENUE_ROWS)
        if cell_at(lane + at.LIVE_COUNT) == 0 and cell_at(lane + at.TAKEN_COUNT) == 0:
            xi = later_than(rows, xi, count, stop)
        else:
            xi = visit_rows(lane, xi, count, stop, reacts)
        stand(lane, xi)
        if reacts != 0 and cell_at(lane + at.TOLD_TAIL) != told:
            limit = min(limit, max(cell_at(lane + at.XNOW), first_told(lane) + floor))
            told = cell_at(lane + at.TOLD_TAIL)
            continue
        if xi < count and cell_at(rows + xi * at.ROW_BYTES + at.ROW_NS) <= stop:
            continue
        if xi >= count and cell_at(lane + at.VENUE_ENDED) == 0:
            return at.NEED_VENUE
        if asked == 0:
            break
        put_cell(lane + at.XNOW, stop)
        used(lane, at.ASKED_HEAD, at.ASKED_TAIL)
        request(lane, asked)
        while reacts == 0 and first_asked(lane) == stop:
            asked = cell_at(lane + at.ASKED) + (cell_at(lane + at.ASKED_HEAD) & at.RING_MASK) * at.MESSAGE_BYTES
            used(lane, at.ASKED_HEAD, at.ASKED_TAIL)
            request(lane, asked)
        if reacts != 0 and cell_at(lane + at.TOLD_TAIL) != told:
            limit = min(limit, max(stop, first_told(lane) + floor))
            told = cell_at(lane + at.TOLD_TAIL)
    put_cell(lane + at.XNOW, max(limit, cell_at(lane + at.XNOW)))
    return at.DONE


def visit_rows(lane: int, xi: int, count: int, limit: int, reacts: int) -> int:
    """Lets orders of ours meet what others did, up to a time; the row after the last one that was looked at.

    With ``reacts`` it ends behind the first row that anything of ours traded at.
    """
    rows = cell_at(lane + at.VENUE_ROWS)
    low_bid, high_bid = cell_at(lane + at.LOW_BID), cell_at(lane + at.HIGH_BID)
    low_ask, high_ask = cell_at(lane + at.LOW_ASK), cell_at(lane + at.HIGH_ASK)
    took = cell_at(lane + at.TAKEN_COUNT) > 0
    while xi < count:
        row = rows + xi * at.ROW_BYTES
        ns = cell_at(row + at.ROW_NS)
        if ns > limit:
            break
        xi += 1
        price, code = cell_at(row + at.ROW_PRICE), cell_at(row + at.ROW_CODE)
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
            stand(lane, xi)
            units = cell_at(row + at.ROW_QTY)
            if code > at.ASK_LEVEL:
                traded(lane, ns, 1 if code == at.BOUGHT else -1, price, units)
            elif units > cell_at(row + at.ROW_BEFORE):
                more = units - cell_at(row + at.ROW_BEFORE)
                crossed(lane, ns, 1 if code == at.BID_LEVEL else -1, price, more)
            low_bid, high_bid = cell_at(lane + at.LOW_BID), cell_at(lane + at.HIGH_BID)
            low_ask, high_ask = cell_at(lane + at.LOW_ASK), cell_at(lane + at.HIGH_ASK)
            if reacts != 0:
                put_cell(lane + at.XNOW, max(ns, cell_at(lane + at.XNOW)))
                break
            if cell_at(lane + at.LIVE_COUNT) == 0 and not took:
                break
    return xi
