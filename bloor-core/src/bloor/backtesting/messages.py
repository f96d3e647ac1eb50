"""Messages between a strategy and the venue, on their way (kernels; hot path).

Each direction of a lane is a ring; no message overtakes another.
"""

from __future__ import annotations

from bloor.backtesting import layout as at
from bloor.native.memory import cell_at, put_cell

__all__ = ["ask", "busy", "fault", "first_asked", "first_told", "latency", "message", "used"]


def latency(lane: int, table: int, count: int, following: int, moments: int, ns: int) -> int:
    """A latency of a table: that which was measured at a time, else the next one, round and round.

    Args:
        lane: Address of the lane.
        table: Where in the lane the table's address is, and likewise its size, the next index, and the moments.
        count: See ``table``.
        following: See ``table``.
        moments: See ``table``.
        ns: The time at which it is wanted.
    """
    size = cell_at(lane + count)
    if size == 1:
        return cell_at(cell_at(lane + table))
    i = cell_at(lane + following)
    times = cell_at(lane + moments)
    if times != 0 and cell_at(times) <= ns <= cell_at(times + 8 * (size - 1)):
        i = measured_at(times, size, i, ns)
    put_cell(lane + following, i + 1 if i + 1 < size else 0)
    return cell_at(cell_at(lane + table) + 8 * i)


def measured_at(times: int, size: int, following: int, ns: int) -> int:
    """Index of the moment that is next to a time; of several that are it, one after the other, and the last again."""
    low, high = 0, size
    while low < high:
        middle = (low + high) >> 1
        if cell_at(times + 8 * middle) < ns:
            low = middle + 1
        else:
            high = middle
    if cell_at(times + 8 * low) != ns:
        earlier = low - 1  # there is one: the first moment is not later
        return earlier if ns - cell_at(times + 8 * earlier) <= cell_at(times + 8 * low) - ns else low
    if following > low and cell_at(times + 8 * (following - 1)) == ns:
        return following if following < size and cell_at(times + 8 * following) == ns else following - 1
    return low


def fault(lane: int, number: int) -> None:
    """The backtest cannot go on."""
    run = cell_at(lane + at.RUN)
    if cell_at(run + at.RUN_FAULT) == 0:
        put_cell(run + at.RUN_FAULT, number)


def message(lane: int, ring: int, head: int, tail: int, ns: int) -> int:
    """Address of a new message of a ring, not before the one before it."""
    messages, last = cell_at(lane + ring), cell_at(lane + tail)
    if last - cell_at(lane + head) >= at.RING:
        fault(lane, at.FAULT_RING)
        return messages + (last & at.RING_MASK) * at.MESSAGE_BYTES
    if last != cell_at(lane + head):
        before = cell_at(messages + (last - 1 & at.RING_MASK) * at.MESSAGE_BYTES + at.MESSAGE_NS)
        ns = max(ns, before)
    put_cell(lane + tail, last + 1)
    made = messages + (last & at.RING_MASK) * at.MESSAGE_BYTES
    put_cell(made + at.MESSAGE_NS, ns)
    return made


def used(lane: int, head: int, tail: int) -> None:
    """The first message of a ring is used; a ring that is empty begins anew, in memory that is at hand."""
    first = cell_at(lane + head) + 1
    if first == cell_at(lane + tail):
        first = 0
        put_cell(lane + tail, 0)
    put_cell(lane + head, first)


def ask(lane: int, now_ns: int, kind: int, slot: int) -> int:
    """Sends a request to the venue; address of the message, whose last three numbers are the caller's."""
    ns = now_ns + latency(lane, at.ENTRY, at.ENTRY_COUNT, at.ENTRY_NEXT, at.ENTRY_MOMENTS, now_ns)
    made = message(lane, at.ASKED, at.ASKED_HEAD, at.ASKED_TAIL, ns)
    put_cell(made + at.MESSAGE_KIND, kind)
    put_cell(made + at.MESSAGE_SLOT, slot)
    put_cell(made + at.MESSAGE_NUMBER, cell_at(slot + at.SLOT_NUMBER))
    return made


def busy(lane: int) -> bool:
    """Whether anything of ours is at the venue, or on its way there."""
    return cell_at(lane + at.LIVE_COUNT) > 0 or cell_at(lane + at.ASKED_HEAD) != cell_at(lane + at.ASKED_TAIL)


def first_asked(lane: int) -> int:
    """When the next request arrives at the venue; NEVER when none is on its way."""
    head = cell_at(lane + at.ASKED_HEAD)
    if head == cell_at(lane + at.ASKED_TAIL):
        return at.NEVER
    return cell_at(cell_at(lane + at.ASKED) + (head & at.RING_MASK) * at.MESSAGE_BYTES + at.MESSAGE_NS)


def first_told(lane: int) -> int:
    """When the next answer of the venue is received; NEVER when none is on its way."""
    head = cell_at(lane + at.TOLD_HEAD)
    if head == cell_at(lane + at.TOLD_TAIL):
        return at.NEVER
    return cell_at(cell_at(lane + at.TOLD) + (head & at.RING_MASK) * at.MESSAGE_BYTES + at.MESSAGE_NS)
