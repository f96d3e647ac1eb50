"""The course of a backtest (kernels; hot path): rows of the market, answers of the venue, timers and bars, in order.

What happens at the same local time is told in this order: ends of bars and timers, market data, answers of the venue.
At the venue, what others did comes before a request of ours that arrives at the same moment.

A kernel comes back to Python only when rows or a log run out, and the same call goes on from there.
"""

from __future__ import annotations

from bloor.backtesting import layout as at
from bloor.backtesting.agenda import begin_schedule, run_due
from bloor.backtesting.answers import deliver
from bloor.backtesting.messages import busy, first_asked, first_told
from bloor.backtesting.sight import collect, fetch_ahead, show, show_before_ns, show_book
from bloor.backtesting.telling import cancel_desk, cancel_legs, fail, handle, tell_requests
from bloor.market.bars_kernel import add_trade
from bloor.market.events import EventKind, Flag
from bloor.market.view import BookState
from bloor.native.memory import call4, call5, cell_at, put_cell
from bloor.strategy.memory import Handler

__all__ = ["collect", "run", "stop"]

BBO, BOOK, UNSEEN = int(EventKind.BBO), int(EventKind.BOOK), int(Flag.UNSEEN)
GAP, CHECKSUM, CLEARED = int(EventKind.GAP), int(EventKind.CHECKSUM), int(EventKind.CLEARED)
ON_TRADE, ON_BBO, ON_BOOK = int(Handler.TRADE), int(Handler.BBO), int(Handler.BOOK)
ON_START, ON_STOP = int(Handler.START), int(Handler.STOP)
UNSYNCED = int(BookState.UNSYNCED)


def visit(run: int, lane: int, sight: int, now_ns: int) -> None:
    """One row of the market that concerns the strategies of a lane."""
    record = cell_at(sight + at.SIGHT_EVENT)
    show_book(lane, cell_at(sight + at.SIGHT_BOOKS), cell_at(sight + at.SIGHT_TOP))
    if record == 0:
        return
    kind = cell_at(record) & 255
    desks, count = cell_at(lane + at.DESKS), cell_at(lane + at.DESK_COUNT)
    if kind in (GAP, CHECKSUM, CLEARED):
        put_cell(cell_at(lane + at.VIEW) + at.VIEW_STATE, UNSYNCED)
        put_cell(run + at.RUN_NOW, now_ns)
        for i in range(count):
            desk = cell_at(desks + 8 * i)
            if cell_at(desk + at.DESK_STATE) == at.RUNNING:
                cancel_legs(run, desk)
        return
    handler = ON_BOOK if kind == BOOK else ON_BBO if kind == BBO else ON_TRADE
    unseen = cell_at(record) >> 16 & UNSEEN != 0
    for i in range(count):
        desk = cell_at(desks + 8 * i)
        if handler == ON_TRADE and cell_at(desk + at.DESK_BAR_PERIOD) > 0:
            price, units = cell_at(record + at.EVENT_PRICE), cell_at(record + at.EVENT_QTY)
            add_trade(cell_at(desk + at.DESK_BAR), kind, price, units, now_ns)
        if unseen:
            continue
        if cell_at(desk + at.DESK_STATE) == at.WAITING:
            if kind == BOOK and cell_at(desk + at.DESK_START) == 0:
                put_cell(desk + at.DESK_STATE, at.RUNNING)
                handle(run, desk, ON_START, 0, now_ns)
        else:
            handle(run, desk, handler, record, now_ns)


def hand_on(run: int, lane: int, i: int, limit: int) -> int:
    """Hands events to the only strategy of a lane, one after the other, while nothing else comes between.

    What has more to it is left to :func:`visit`: bars, a book with levels, gaps, the end of a window.

    Args:
        run: Address of the run.
        lane: Address of the lane.
        i: The first visit.
        limit: Nothing else happens up to then.

    Returns:
        The visit that is next.
    """
    desk, sights = cell_at(cell_at(lane + at.DESKS)), cell_at(lane + at.VISITS)
    if (
        cell_at(lane + at.DESK_COUNT) != 1
        or cell_at(desk + at.DESK_STATE) != at.RUNNING
        or cell_at(desk + at.DESK_BAR_PERIOD) > 0
    ):
        return i
    invoke, memory, view = cell_at(desk + at.DESK_INVOKE), cell_at(desk + at.DESK_MEMORY), cell_at(lane + at.VIEW)
    handlers, orders = cell_at(desk + at.DESK_HANDLERS), cell_at(desk + at.DESK_ORDERS)
    most = cell_at(run + at.RUN_DECISION_ROOM) - at.LOG_RESERVE
    seen, last_ns, called = cell_at(lane + at.BOOK_AT), cell_at(lane + at.LAST_NS), 0
    sight = sights + i * at.SIGHT_BYTES
    end = sights + cell_at(lane + at.VISIT_COUNT) * at.SIGHT_BYTES
    while sight < end:
        ns, record = cell_at(sight + at.SIGHT_NS), cell_at(sight + at.SIGHT_EVENT)
        if ns > limit or record == 0:
            break
        head = cell_at(record)
        kind = head & 255
        if kind > BOOK or head >> 16 & UNSEEN != 0:
            break
        fetch_ahead(sight)
        if cell_at(sight + at.SIGHT_BOOKS) > seen:
            if cell_at(lane + at.DEEP) != 0:  # a handler before may have been the first to ask for the levels
                break
            seen = cell_at(sight + at.SIGHT_BOOKS)
            put_cell(lane + at.BOOK_AT, seen)
            show(lane, cell_at(sight + at.SIGHT_TOP))
        sight += at.SIGHT_BYTES
        last_ns = ns
        handler = ON_BOOK if kind == BOOK else ON_BBO if kind == BBO else ON_TRADE
        if handlers >> handler & 1 == 0:
            continue
        put_cell(run + at.RUN_NOW, ns)
        put_cell(orders + at.ORDERS_NOW, ns)
        called += 1
        if call5(invoke, handler, memory, record, view, orders) != 0:
            fail(run, desk, handler, ns)
            break
        while cell_at(desk + at.DESK_TELLS) > 0:
            tell_requests(run, desk, ns)
        limit = min(cell_at(lane + at.HORIZON), cell_at(run + at.RUN_UNTIL))
        if cell_at(run + at.RUN_DECISION_COUNT) > most:
            break
    i = (sight - sights) // at.SIGHT_BYTES
    put_cell(lane + at.VISIT, i)
    put_cell(lane + at.LAST_NS, last_ns)
    put_cell(run + at.RUN_EVENTS, cell_at(run + at.RUN_EVENTS) + called)
    return i


def log_full(run: int) -> bool:
    """Whether a log has no room for what one event may write."""
    return (
        cell_at(run + at.RUN_DECISION_COUNT) + at.LOG_RESERVE > cell_at(run + at.RUN_DECISION_ROOM)
        or cell_at(run + at.RUN_FILL_COUNT) + at.LOG_RESERVE > cell_at(run + at.RUN_FILL_ROOM)
        or cell_at(run + at.RUN_ENDED_COUNT) + at.LOG_RESERVE > cell_at(run + at.RUN_ENDED_ROOM)
    )


def prepare_venue(lane: int, ns: int) -> int:
    """Simulates the venue until all answers received before or at ``ns`` are known; DONE, or why it comes back."""
    reacts, shortest = cell_at(lane + at.REACTS), cell_at(lane + at.RESPONSE_MIN)
    while busy(lane):
        if cell_at(lane + at.LIVE_COUNT) == 0 and first_asked(lane) + shortest > ns:
            break
        if cell_at(lane + at.XNOW) >= ns - shortest:
            break
        limit = ns + cell_at(lane + at.ENTRY_MIN)
        if reacts != 0:
            limit = min(limit, first_told(lane) + cell_at(lane + at.ENTRY_MIN))
        if limit <= cell_at(lane + at.XNOW):
            break
        answer = call4(cell_at(lane + at.ADVANCE), lane, limit, reacts, 0)
        if answer != at.DONE:
            return answer
    return at.DONE


def catch_up(run: int, lane: int, ns: int) -> int:
    """Everything of a lane that comes before its market data of a time: answers of the venue, bars, timers.

    Returns:
        DONE, NEED_VENUE, NEED_TOLD, NEED_LOG or FAILED.
    """
    while True:
        if cell_at(run + at.RUN_FAULT) != 0:
            return at.FAILED
        if log_full(run):
            return at.NEED_LOG
        timer = cell_at(lane + at.DUE)
        is_due = timer <= ns
        until = timer if is_due else ns
        answer = prepare_venue(lane, until)
        if answer != at.DONE:
            return answer
        last = until if is_due else until - 1
        if first_told(lane) <= last:
            deliver(run, lane)
            if cell_at(lane + at.REACTS) == 0:  # nobody is told, so nothing new is asked
                deliver_more(run, lane, last)
        elif is_due:
            run_due(run, lane, timer)
        else:
            break
    put_cell(lane + at.HORIZON, horizon(lane, ns))
    return at.DONE


def deliver_more(run: int, lane: int, last: int) -> None:
    """Answers that are received up to a time, as far as the logs have room in any case."""
    for _ in range(at.LOG_RESERVE // 2):
        if first_told(lane) > last:
            break
        deliver(run, lane)


def horizon(lane: int, ns: int) -> int:
    """Before when nothing but market data can happen to the desks of a lane, as things are at ``ns``."""
    first = min(cell_at(lane + at.DUE), first_told(lane))
    if cell_at(lane + at.RECORDED) != 0:
        return min(first, max(next_recorded(lane), ns))
    if busy(lane):
        quiet = cell_at(lane + at.XNOW)
        if cell_at(lane + at.LIVE_COUNT) == 0:
            quiet = max(quiet, first_asked(lane))
        first = min(first, max(quiet + cell_at(lane + at.RESPONSE_MIN), ns))
    return first


def next_recorded(lane: int) -> int:
    """When the next answer that was recorded was received; NEVER after the last."""
    i = cell_at(lane + at.RECORDED_NEXT)
    if i >= cell_at(lane + at.RECORDED_COUNT):
        return at.NEVER
    return cell_at(cell_at(lane + at.RECORDED) + i * at.RECORDED_BYTES + at.RECORDED_NS)


def next_ns(lane: int) -> int:
    """When something happens in a lane; a lane that wants rows says so by an early time."""
    i, shown = cell_at(lane + at.VISIT), at.NEVER
    if i < cell_at(lane + at.VISIT_COUNT):
        shown = visit_ns(lane, i)
    elif cell_at(lane + at.ROWS_ENDED) == 0:
        shown = cell_at(lane + at.LAST_NS)
    return min(shown, cell_at(lane + at.HORIZON))


def visit_ns(lane: int, i: int) -> int:
    """Local time of a visit."""
    return cell_at(cell_at(lane + at.VISITS) + at.SIGHT_BYTES * i + at.SIGHT_NS)


def follow(run: int, lane: int) -> int:
    """Goes on with a lane until another one has something to do; DONE, or why it comes back."""
    while True:
        i = cell_at(lane + at.VISIT)
        if i < cell_at(lane + at.VISIT_COUNT):
            ns = visit_ns(lane, i)
        elif cell_at(lane + at.ROWS_ENDED) == 0:
            return at.NEED_ROWS
        else:
            ns = at.NEVER
        until = cell_at(run + at.RUN_UNTIL)
        if ns > cell_at(lane + at.HORIZON):
            answer = catch_up(run, lane, min(ns, until + 1, cell_at(lane + at.END_NS) + 1))
            if answer != at.DONE:
                return answer
            until = cell_at(run + at.RUN_UNTIL)
        if ns == at.NEVER or ns > until:
            return at.DONE
        if ns > cell_at(lane + at.HORIZON):
            continue
        if log_full(run):
            return at.NEED_LOG
        if cell_at(lane + at.LAST_NS) == at.LONG_AGO:
            begin_schedule(lane, ns)
        elif hand_on(run, lane, i, min(until, cell_at(lane + at.HORIZON))) > i:
            continue
        put_cell(lane + at.LAST_NS, ns)
        put_cell(lane + at.VISIT, i + 1)
        visit(run, lane, cell_at(lane + at.VISITS) + at.SIGHT_BYTES * i, ns)


def run(run: int, _first: int, _second: int, _third: int) -> int:
    """Goes on with a backtest.

    Returns:
        DONE at the end of all rows, else why it comes back, and ``RUN_AT`` for which lane.
    """
    lanes, count = cell_at(run + at.RUN_LANES), cell_at(run + at.RUN_LANE_COUNT)
    while True:
        chosen, first, second = 0, at.NEVER, at.NEVER
        for i in range(count):
            lane = cell_at(lanes + 8 * i)
            ns = next_ns(lane)
            if ns > cell_at(lane + at.END_NS) and cell_at(lane + at.ROWS_ENDED) == 1:
                ns = at.NEVER
            if ns < first:
                chosen, first, second = lane, ns, first
            elif ns < second:
                second = ns
        if chosen == 0:
            return at.DONE
        put_cell(run + at.RUN_AT, chosen)
        put_cell(run + at.RUN_UNTIL, second)
        answer = follow(run, chosen)
        if answer != at.DONE:
            return answer


def stop(run: int, ns: int, _second: int, _third: int) -> int:
    """The end: strategies are told, nothing new passes, and every open order is cancelled."""
    lanes = cell_at(run + at.RUN_LANES)
    for i in range(cell_at(run + at.RUN_LANE_COUNT)):
        lane = cell_at(lanes + 8 * i)
        desks = cell_at(lane + at.DESKS)
        show_before_ns(lane, ns + 1)
        for k in range(cell_at(lane + at.DESK_COUNT)):
            handle(run, cell_at(desks + 8 * k), ON_STOP, 0, ns)
    put_cell(run + at.RUN_STOPPING, 1)
    for i in range(cell_at(run + at.RUN_LANE_COUNT)):
        lane = cell_at(lanes + 8 * i)
        desks = cell_at(lane + at.DESKS)
        for k in range(cell_at(lane + at.DESK_COUNT)):
            desk = cell_at(desks + 8 * k)
            put_cell(run + at.RUN_NOW, ns)
            cancel_desk(run, desk)
            put_cell(desk + at.DESK_TELLS, 0)
            put_cell(desk + at.DESK_PERIOD, 0)
            put_cell(desk + at.DESK_BAR_PERIOD, 0)
        put_cell(lane + at.DUE, at.NEVER)
        put_cell(lane + at.END_NS, at.NEVER - 2)
    return at.DONE
