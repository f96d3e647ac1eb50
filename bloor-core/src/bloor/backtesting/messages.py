"""Messages between a strategy and the venue, on their way (kernels; hot path).

Each direction of a lane is a queue. No message overtakes another, but for those whose latencies were measured: what
went over several connections may have. Where a queue has come to the end of its memory, messages that wait are moved to
the beginning of it, or to more.
"""

from __future__ import annotations

from bloor.backtesting import layout as at
from bloor.native.memory import call4, cell_at, put_cell

__all__ = [
    "arrive",
    "ask",
    "busy",
    "crowded",
    "entry_ns",
    "fault",
    "first_asked",
    "first_told",
    "latency",
    "make_room",
    "message",
    "message_at",
    "overtaking",
    "used",
]


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
    """The backtest cannot go on, and ends at once."""
    run = cell_at(lane + at.RUN)
    if cell_at(run + at.RUN_FAULT) == 0:
        put_cell(run + at.RUN_FAULT, number)
    put_cell(lane + at.HORIZON, at.LONG_AGO)


def make_room(lane: int, what: int) -> bool:
    """Asks for more memory; False when there is none.

    Args:
        lane: Address of the lane.
        what: A ``ROOM_`` number.
    """
    if call4(cell_at(lane + at.GROW), lane, what, 0, 0) == 1:
        return True
    fault(lane, at.FAULT_MEMORY)
    return False


def message(lane: int, queue: int, head: int, tail: int, ns: int) -> int:
    """Address of a new message of a queue that has room for it, not before the one before it.

    Args:
        lane: Address of the lane.
        queue: Where in the lane the queue's address is, and likewise its first and last message.
        head: See ``queue``.
        tail: See ``queue``.
        ns: When the message arrives.
    """
    last = cell_at(lane + tail)
    made = cell_at(lane + queue) + last * at.MESSAGE_BYTES
    if last != cell_at(lane + head):
        ns = max(ns, cell_at(made - at.MESSAGE_BYTES + at.MESSAGE_NS))
    put_cell(lane + tail, last + 1)
    put_cell(made + at.MESSAGE_NS, ns)
    return made


def message_at(lane: int, queue: int, place: int) -> int:
    """Address of a message of a queue; see :func:`message`."""
    return cell_at(lane + queue) + place * at.MESSAGE_BYTES


def crowded(lane: int) -> bool:
    """Whether the answers under way may have no room for those to one request, or to one row of the venue.

    An order that takes trades once with each level, and is told of each order of ours that it meets, as that one is.
    """
    most = cell_at(lane + at.LEVEL_COUNT) + 2 * cell_at(lane + at.LIVE_COUNT) + at.ANSWERS
    return cell_at(lane + at.TOLD_TAIL) + most > cell_at(lane + at.TOLD_ROOM)


def used(lane: int, head: int, tail: int) -> None:
    """The first message of a queue is used; one that is empty begins anew, in memory that is at hand."""
    first = cell_at(lane + head) + 1
    if first == cell_at(lane + tail):
        first = 0
        put_cell(lane + tail, 0)
    put_cell(lane + head, first)


def entry_ns(lane: int, now_ns: int) -> int:
    """When a request that is sent now arrives at the venue."""
    return now_ns + latency(lane, at.ENTRY, at.ENTRY_COUNT, at.ENTRY_NEXT, at.ENTRY_MOMENTS, now_ns)


def ask(lane: int, now_ns: int, kind: int, slot: int) -> int:
    """Sends a request to the venue; address of the message, whose last three numbers are the caller's."""
    return arrive(lane, entry_ns(lane, now_ns), kind, slot)


def arrive(lane: int, ns: int, kind: int, slot: int) -> int:
    """A request arrives at the venue at a time; address of the message, whose last three numbers are the caller's."""
    if cell_at(lane + at.ASKED_TAIL) >= cell_at(lane + at.ASKED_ROOM) and not make_room(lane, at.ROOM_ASKED):
        return cell_at(lane + at.ASKED)
    made = message(lane, at.ASKED, at.ASKED_HEAD, at.ASKED_TAIL, ns)
    if cell_at(made + at.MESSAGE_NS) != ns and cell_at(lane + at.ENTRY_MOMENTS) != 0:
        made = overtaking(lane, at.ASKED, at.ASKED_HEAD, at.ASKED_TAIL, ns, cell_at(slot + at.SLOT_NUMBER))
    put_cell(made + at.MESSAGE_KIND, kind)
    put_cell(made + at.MESSAGE_SLOT, slot)
    put_cell(made + at.MESSAGE_NUMBER, cell_at(slot + at.SLOT_NUMBER))
    return made


def overtaking(lane: int, queue: int, head: int, tail: int, ns: int, number: int) -> int:
    """Address of the newest message of a queue, put before those about other orders that arrive later than it does.

    Args:
        lane: Address of the lane.
        queue: Where in the lane the queue's address is, and likewise its first and last message.
        head: See ``queue``.
        tail: See ``queue``.
        ns: When the message arrives.
        number: Of the order that it is about.
    """
    first, place = cell_at(lane + head), cell_at(lane + tail) - 1
    made = message_at(lane, queue, place)
    while place > first:
        before = message_at(lane, queue, place - 1)
        if cell_at(before + at.MESSAGE_NS) <= ns or cell_at(before + at.MESSAGE_NUMBER) == number:
            ns = max(ns, cell_at(before + at.MESSAGE_NS))
            break
        for cell in range(0, at.MESSAGE_BYTES, 8):
            put_cell(made + cell, cell_at(before + cell))
        made = before
        place -= 1
    put_cell(made + at.MESSAGE_NS, ns)
    return made


def busy(lane: int) -> bool:
    """Whether anything of ours is at the venue, or on its way there."""
    return cell_at(lane + at.LIVE_COUNT) > 0 or cell_at(lane + at.ASKED_HEAD) != cell_at(lane + at.ASKED_TAIL)


def first_asked(lane: int) -> int:
    """When the next request arrives at the venue; NEVER when none is on its way."""
    head = cell_at(lane + at.ASKED_HEAD)
    if head == cell_at(lane + at.ASKED_TAIL):
        return at.NEVER
    return cell_at(message_at(lane, at.ASKED, head) + at.MESSAGE_NS)


def first_told(lane: int) -> int:
    """When the next answer of the venue is received; NEVER when none is on its way."""
    head = cell_at(lane + at.TOLD_HEAD)
    if head == cell_at(lane + at.TOLD_TAIL):
        return at.NEVER
    return cell_at(message_at(lane, at.TOLD, head) + at.MESSAGE_NS)
