"""The fused path (kernels; hot path): one call takes a market frame from the socket's bytes to the order's bytes.

A call does, in this order and nothing else: journal the frame, read it, change the book, run the handlers of the
strategies of its instrument, put each order through the gate, journal the decision, write the order's frame, journal
that. Python writes the frame to the socket, then does what is left (:mod:`bloor.engine.fused.settle`).

Whatever is out of the ordinary is left to Python, from a point where nothing of it was begun. Both work on the same
memory, so either may take the next frame; the records in the journal are the same.
"""

from __future__ import annotations

from bloor.engine.fused import layout as at
from bloor.engine.fused.requests import cancel, cancel_all, place
from bloor.journal.kernel import append_at, room, stamp
from bloor.journal.record import RecordKind
from bloor.market.bars_kernel import add_trade
from bloor.market.compiled.answers import AGG_TRADE, BBO, BOOK, DROPPED, KIND_MASK, TRADE
from bloor.market.compiled.context import CLOCK, EVENT
from bloor.market.events import NO_PRICE
from bloor.market.view import BookState
from bloor.native.clock import wall_now
from bloor.native.memory import call4, call5, cell_at, copy_bytes, put_cell
from bloor.native.python_api import (
    bad_argument,
    bytes_address,
    bytes_size,
    call_object,
    drop_object,
    error_occurred,
    new_bytes,
    new_int,
    read_int,
)
from bloor.risk.kernel import LATCHED
from bloor.strategy.memory import Handler

__all__ = ["ask", "call", "cancel", "cancel_all", "frame", "handle", "place", "step"]

FRAME_IN = int(RecordKind.FRAME_IN)
ON_TRADE, ON_BBO, ON_BOOK = int(Handler.TRADE), int(Handler.BBO), int(Handler.BOOK)
SYNCED = int(BookState.SYNCED)
#: PY_VECTORCALL_ARGUMENTS_OFFSET: the callee may use the cell before the first argument.
SELF_FITS = -1 << 63


# ---- handlers


def begin(run: int, desk: int) -> None:
    """Nothing is asked for yet."""
    put_cell(run + 8 * at.DESK, desk)
    put_cell(run + 8 * at.OUT_COUNT, 0)
    put_cell(run + 8 * at.FRAMES_USED, 0)
    put_cell(run + 8 * at.FRAMES_COUNT, 0)
    put_cell(run + 8 * at.FAULT, 0)
    put_cell(run + 8 * at.CHANGED, 0)


def run_handler(run: int, desk: int, handler: int, event: int) -> int:
    """Runs one handler of a desk; DONE, ORDERS_ASKED or RAISED."""
    if cell_at(desk + 8 * at.HANDLERS) >> handler & 1 == 0:
        return at.DONE
    orders = cell_at(desk + 8 * at.ORDERS)
    put_cell(orders + at.ORDERS_NOW, cell_at(run + 8 * at.NOW))
    begin(run, desk)
    memory, book = cell_at(desk + 8 * at.MEMORY), cell_at(desk + 8 * at.BOOK)
    copy_bytes(cell_at(desk + 8 * at.BEFORE), memory, cell_at(desk + 8 * at.MEMORY_BYTES))
    raised = call5(cell_at(desk + 8 * at.INVOKE), handler, memory, event, book, orders)
    if raised != 0 or cell_at(run + 8 * at.FAULT) != 0:
        return at.RAISED
    asked = cell_at(run + 8 * at.OUT_COUNT) > 0 or cell_at(run + 8 * at.CHANGED) != 0
    return at.ORDERS_ASKED if asked else at.DONE


def may(run: int, desk: int) -> int:
    """1 when a desk's orders may be decided and written by compiled code now."""
    ready = cell_at(cell_at(desk + 8 * at.ENTRY))
    latched = cell_at(cell_at(run + 8 * at.GATE) + 8 * LATCHED)
    return 1 if ready != 0 and latched == 0 and cell_at(desk + 8 * at.OPEN_COUNT) < at.OPEN_MAX else 0


def handle(desk: int, handler: int, event: int, now_ns: int) -> int:
    """One handler, called by Python.

    Args:
        desk: Address of the desk's cells.
        handler: A :class:`~bloor.strategy.memory.Handler`.
        event: Address of its event, 0 of none.
        now_ns: Time of the event, wall ns.

    Returns:
        DONE, ORDERS_ASKED, RAISED; NOT_ORDINARY when Python must run the handler, ROLL when the journal has no room.
    """
    run = cell_at(desk + 8 * at.DESK_RUN)
    if may(run, desk) == 0:
        return at.NOT_ORDINARY
    if room(cell_at(run + 8 * at.JOURNAL)) < at.RESERVE:
        return at.ROLL
    put_cell(run + 8 * at.NOW, now_ns)
    return run_handler(run, desk, handler, event)


# ---- frames


def noted(desk: int, event: int) -> None:
    """A public trade is a mark for as long as the book has no mid."""
    book = cell_at(desk + 8 * at.BOOK)
    if cell_at(book + at.VIEW_BID) == NO_PRICE or cell_at(book + at.VIEW_ASK) == NO_PRICE:
        put_cell(desk + 8 * at.MARK2, 2 * cell_at(event + at.EVENT_PRICE))


def count_trade(row: int, run: int, event: int) -> None:
    """Counts a public trade in the open bars of its instrument."""
    bars, now_ns = cell_at(row + 8 * at.ROW_BARS), cell_at(run + 8 * at.NOW)
    for i in range(cell_at(row + 8 * at.ROW_BARS_COUNT)):
        price, qty = cell_at(event + at.EVENT_PRICE), cell_at(event + at.EVENT_QTY)
        add_trade(cell_at(bars + 8 * i), cell_at(event) & 255, price, qty, now_ns)


def hand_on(line: int, run: int, kind: int, event: int) -> int:
    """Hands an event to every desk of its instrument, until one asks for something or needs Python.

    Args:
        line: Address of the venue's cells.
        run: Address of the run's.
        kind: BOOK, TRADE, AGG_TRADE or BBO.
        event: Address of the event.
    """
    row = cell_at(line + 8 * at.ROWS) + 8 * at.ROW_CELLS * (cell_at(event) >> 32)
    count = cell_at(row + 8 * at.ROW_COUNT)
    is_trade = kind in (TRADE, AGG_TRADE)
    if is_trade:
        count_trade(row, run, event)
    put_cell(line + 8 * at.NEXT, 0)
    if count < 0:
        return at.PARTIAL
    desks = cell_at(line + 8 * at.LIST) + 8 * cell_at(row + 8 * at.ROW_FIRST)
    handler = ON_BOOK if kind == BOOK else ON_BBO if kind == BBO else ON_TRADE
    for i in range(count):
        desk = cell_at(desks + 8 * i)
        state = cell_at(desk + 8 * at.STATE)
        if state == at.WAITING or (state == at.RUNNING and may(run, desk) == 0):
            put_cell(line + 8 * at.NEXT, i)
            return at.PARTIAL
        if is_trade:
            noted(desk, event)
        if state == at.HALTED:
            continue
        if kind == BOOK and cell_at(cell_at(desk + 8 * at.BOOK) + at.VIEW_STATE) != SYNCED:
            continue
        code = run_handler(run, desk, handler, event)
        if code != at.DONE:
            put_cell(line + 8 * at.NEXT, i + 1)
            return code
    return at.DONE


def frame(line: int, text: int, size: int, recv_ns: int) -> int:
    """Takes one market frame.

    Args:
        line: Address of the venue's cells.
        text: Address of the frame, a NUL behind it.
        size: Its bytes.
        recv_ns: When it was received, wall ns.

    Returns:
        DONE, or what is left to do: see :mod:`bloor.engine.fused.layout`.
    """
    if cell_at(line + 8 * at.ORDINARY) == 0 or recv_ns >= cell_at(line + 8 * at.DEADLINE):
        return at.NOT_ORDINARY
    run = cell_at(line + 8 * at.LINE_RUN)
    journal = cell_at(run + 8 * at.JOURNAL)
    if room(journal) < size + at.RESERVE:
        return at.ROLL
    arrived = stamp(journal)
    append_at(journal, FRAME_IN, cell_at(line + 8 * at.LINE_CONN), recv_ns, text, size, arrived)
    put_cell(run + 8 * at.MARK, arrived)
    put_cell(run + 8 * at.NOW, recv_ns)
    put_cell(run + 8 * at.FRAMES_SEEN, cell_at(run + 8 * at.FRAMES_SEEN) + 1)
    put_cell(line + 8 * at.TOUCHED, recv_ns)
    context = cell_at(line + 8 * at.CONTEXT)
    answer = call4(cell_at(line + 8 * at.TAKE), context, text, size, recv_ns)
    put_cell(line + 8 * at.ANSWER, answer)
    if answer < 0:
        return at.UNSURE
    kind = answer & KIND_MASK
    if kind > BBO and kind != DROPPED:
        return at.SELDOM
    taken = cell_at(line + 8 * at.TAKEN) + 8 * kind
    put_cell(taken, cell_at(taken) + 1)
    if kind == DROPPED:
        return at.DONE
    put_cell(run + 8 * at.FRAMES_FUSED, cell_at(run + 8 * at.FRAMES_FUSED) + 1)
    put_cell(run + 8 * at.EVENTS_SEEN, cell_at(run + 8 * at.EVENTS_SEEN) + 1)
    return hand_on(line, run, kind, cell_at(context + 8 * EVENT))


def answered(code: int, run: int) -> int:
    """What Python is given: the frame itself when there is just one to send, else the code."""
    if code == at.ORDERS_ASKED and cell_at(run + 8 * at.FRAMES_COUNT) == 1:
        return new_bytes(cell_at(run + 8 * at.FRAMES), cell_at(run + 8 * at.FRAMES_USED))
    return new_int(code)


def step(owner: int, arguments: int, count: int) -> int:
    """``PyObject *step(self, frame[, recv_ns])`` with METH_FASTCALL; ``self`` is a bytes object: the line's address.

    Takes one market frame to its end. A frame without a time was received now, by the clock of the normalizer's
    context. Most frames ask for nothing and never come to Python; the frame of a single order is handed to what sends
    it from here, since that is what time is counted for; then, and for all else, Python is called.

    Returns:
        A new reference to 0, or to what Python answered; 0 with an error set when the arguments are not
        ``(bytes, int)`` or ``(bytes,)``, and when Python raised.
    """
    if count != 1 and count != 2:
        bad_argument()
        return 0
    payload = cell_at(arguments)
    text = bytes_address(payload)
    if text == 0:
        return 0
    line = cell_at(bytes_address(owner))
    if count == 1:
        recv_ns = wall_now(cell_at(cell_at(line + 8 * at.CONTEXT) + 8 * CLOCK))
    else:
        recv_ns = read_int(cell_at(arguments + 8))
        if recv_ns == -1 and error_occurred() != 0:
            return 0
    code = frame(line, text, bytes_size(payload), recv_ns)
    if code == at.DONE:
        return new_int(0)
    made = answered(code, cell_at(line + 8 * at.LINE_RUN))
    if made == 0:
        return 0
    is_order = code == at.ORDERS_ASKED and cell_at(cell_at(line + 8 * at.LINE_RUN) + 8 * at.FRAMES_COUNT) == 1
    found = order_made(line, made) if is_order else left(line, made, payload, recv_ns)
    drop_object(made)
    return found


def order_made(line: int, made: int) -> int:
    """Hands an order's frame, a bytes object, to what sends it, and has Python do the rest."""
    arguments = line + 8 * at.ARGUMENTS
    put_cell(arguments, cell_at(line + 8 * at.ORDER_CONN))
    put_cell(arguments + 8, made)
    sent = call_object(cell_at(line + 8 * at.SEND), arguments, 2 | SELF_FITS, 0)
    if sent == 0:
        return 0
    drop_object(sent)
    return call_object(cell_at(line + 8 * at.SETTLED), arguments, SELF_FITS, 0)


def left(line: int, made: int, payload: int, recv_ns: int) -> int:
    """Hands what is left of a frame to Python: the int of :func:`frame`, the frame, and when it was received."""
    time = new_int(recv_ns)
    if time == 0:
        return 0
    arguments = line + 8 * at.ARGUMENTS
    put_cell(arguments, made)
    put_cell(arguments + 8, payload)
    put_cell(arguments + 16, time)
    found = call_object(cell_at(line + 8 * at.LEFT), arguments, 3 | SELF_FITS, 0)
    drop_object(time)
    return found


def call(owner: int, arguments: int, count: int) -> int:
    """``PyObject *call(self, handler, event, now_ns)`` with METH_FASTCALL: :func:`handle` of one desk.

    Returns:
        As :func:`answered`; 0 with an error set when the arguments are not three ints.
    """
    if count != 3:
        bad_argument()
        return 0
    handler, event = read_int(cell_at(arguments)), read_int(cell_at(arguments + 8))
    now_ns = read_int(cell_at(arguments + 16))
    if (handler == -1 or event == -1 or now_ns == -1) and error_occurred() != 0:
        return 0
    desk = cell_at(bytes_address(owner))
    return answered(handle(desk, handler, event, now_ns), cell_at(desk + 8 * at.DESK_RUN))


def ask(owner: int, arguments: int, count: int) -> int:
    """``PyObject *ask(self, side, price, lots, type, tif)`` with METH_FASTCALL: an order that Python asks for.

    Returns:
        As :func:`call`; NOT_ORDINARY and ROLL as :func:`handle`, and RAISED when it was not placed: then Python has to
        do it, or say why it cannot.
    """
    if count != 5:
        bad_argument()
        return 0
    side, price = read_int(cell_at(arguments)), read_int(cell_at(arguments + 8))
    lots, kind = read_int(cell_at(arguments + 16)), read_int(cell_at(arguments + 24))
    tif = read_int(cell_at(arguments + 32))
    if error_occurred() != 0:
        return 0
    desk = cell_at(bytes_address(owner))
    run = cell_at(desk + 8 * at.DESK_RUN)
    if may(run, desk) == 0:
        return new_int(at.NOT_ORDINARY)
    if room(cell_at(run + 8 * at.JOURNAL)) < at.RESERVE:
        return new_int(at.ROLL)
    begin(run, desk)
    place(cell_at(desk + 8 * at.ORDERS), side, price, lots, kind, tif)
    return answered(at.RAISED if cell_at(run + 8 * at.FAULT) != 0 else at.ORDERS_ASKED, run)
