"""The venue's side of a lane brought forward in the venue's time (kernels; hot path).

An order that is decided on now reaches the venue no sooner than the shortest entry latency later. So the venue may be
simulated up to there before the strategy goes on, in one tight loop, which looks at a row only as far as an order of
ours may be concerned.
"""

from __future__ import annotations

from bloor.backtesting import layout as at
from bloor.backtesting.arriving import request
from bloor.backtesting.messages import crowded, first_asked, first_told, message_at, used
from bloor.backtesting.visiting import note_best, row_ns, visit_rows
from bloor.native.memory import cell_at, put_cell

__all__ = ["advance"]


def later_than(lane: int, i: int, count: int, limit: int) -> int:
    """The first row from ``i`` on whose time is after a limit: by times of some rows, then by its own.

    Args:
        lane: Address of the lane.
        i: The first row that may be it.
        count: How many rows there are.
        limit: The limit.
    """
    rows, marks = cell_at(lane + at.VENUE_ROWS), cell_at(lane + at.VENUE_MARKS)
    if i >= count or row_ns(rows, i) > limit:
        return i
    step, low, count_marks = 1, i >> at.MARK_BITS, ((count - 1) >> at.MARK_BITS) + 1
    while low + step < count_marks and cell_at(marks + 8 * (low + step)) <= limit:
        low += step
        step *= 2
    high = min(count_marks, low + step)
    while high - low > 1:
        middle = (low + high) >> 1
        if cell_at(marks + 8 * middle) <= limit:
            low = middle
        else:
            high = middle
    low, high = max(i, low << at.MARK_BITS), min(count, high << at.MARK_BITS)
    while high - low > 1:
        middle = (low + high) >> 1
        if row_ns(rows, middle) <= limit:
            low = middle
        else:
            high = middle
    return low + 1


def advance(lane: int, limit: int, reacts: int, _unused: int) -> int:
    """Simulates the venue up to a time, that time included.

    Args:
        lane: Address of the lane.
        limit: The venue's time.
        reacts: 1 to stop where an answer to the first response could arrive.

    Returns:
        DONE, NEED_VENUE or NEED_TOLD: then nothing is lost, and the same call goes on with the next rows, or with more
        room.
    """
    told = cell_at(lane + at.TOLD_TAIL)
    floor = cell_at(lane + at.ENTRY_MIN)
    while True:
        if crowded(lane):
            return at.NEED_TOLD
        stop, asked = limit, 0
        head = cell_at(lane + at.ASKED_HEAD)
        if head != cell_at(lane + at.ASKED_TAIL):
            message = message_at(lane, at.ASKED, head)
            if cell_at(message + at.MESSAGE_NS) <= limit:
                stop, asked = cell_at(message + at.MESSAGE_NS), message
        count, xi = cell_at(lane + at.VENUE_COUNT), cell_at(lane + at.XI)
        rows = cell_at(lane + at.VENUE_ROWS)
        if cell_at(lane + at.LIVE_COUNT) == 0 and cell_at(lane + at.TAKEN_COUNT) == 0:
            xi = later_than(lane, xi, count, stop)
        else:
            xi = visit_rows(lane, xi, count, stop, reacts)
        put_cell(lane + at.XI, xi)
        if reacts != 0 and cell_at(lane + at.TOLD_TAIL) != told:
            limit = min(limit, max(cell_at(lane + at.XNOW), first_told(lane) + floor))
            told = cell_at(lane + at.TOLD_TAIL)
            continue
        if xi < count and row_ns(rows, xi) <= stop:
            continue
        if xi >= count and cell_at(lane + at.VENUE_ENDED) == 0:
            note_best(lane)
            return at.NEED_VENUE
        if asked == 0:
            break
        if crowded(lane):
            continue
        put_cell(lane + at.XNOW, stop)
        note_best(lane)
        used(lane, at.ASKED_HEAD, at.ASKED_TAIL)
        request(lane, asked)
        while reacts == 0 and first_asked(lane) == stop and not crowded(lane):
            asked = message_at(lane, at.ASKED, cell_at(lane + at.ASKED_HEAD))
            used(lane, at.ASKED_HEAD, at.ASKED_TAIL)
            request(lane, asked)
        if reacts != 0 and cell_at(lane + at.TOLD_TAIL) != told:
            limit = min(limit, max(stop, first_told(lane) + floor))
            told = cell_at(lane + at.TOLD_TAIL)
    put_cell(lane + at.XNOW, max(limit, cell_at(lane + at.XNOW)))
    return at.DONE
