"""What a handler asks for in compiled code: orders and cancels (kernels; hot path).

Each is decided, journaled and written before the handler goes on; :mod:`bloor.engine.fused.settle` does the rest.
"""

from __future__ import annotations

from bloor.engine.decisions import DecisionKind
from bloor.engine.fused import layout as at
from bloor.journal.kernel import append_at, stamp
from bloor.journal.record import RecordKind
from bloor.native.memory import call4, cell_at, put_byte, put_cell
from bloor.risk.kernel import NUMBER_MASK, NUMBER_SHIFT, decide

__all__ = ["cancel", "cancel_all", "place"]


FRAME_OUT, DECIDED = int(RecordKind.FRAME_OUT), int(RecordKind.DECISION)
PLACES, DENIES, CANCELS = int(DecisionKind.PLACE), int(DecisionKind.DENY), int(DecisionKind.CANCEL)
INT64_MAX = (1 << 63) - 1
#: Largest number that a client order id has room for.
NUMBER_MAX = 36**6 - 1


def digit(value: int) -> int:
    """The character of a digit to the base 36."""
    return 48 + value if value < 10 else 55 + value


def put_client_id(to: int, head: int, strategy: int, number: int) -> None:
    """Writes a client order id of 15 characters and a NUL, as :class:`bloor.execution.client_id.ClientIds` makes it.

    Args:
        to: Address of 16 bytes.
        head: The first seven characters.
        strategy: Index of the strategy.
        number: Number of the order.
    """
    put_cell(to, head)
    put_cell(to + 8, 0)
    put_byte(to + 7, digit(strategy // 36))
    put_byte(to + 8, digit(strategy % 36))
    put_three(to + 9, number // 46_656)
    put_three(to + 12, number % 46_656)


def put_three(to: int, number: int) -> None:
    """Writes three digits to the base 36."""
    put_byte(to, digit(number // 1296))
    put_byte(to + 1, digit(number // 36 % 36))
    put_byte(to + 2, digit(number % 36))


def put_decision(run: int, desk: int, to: int, kind: int, code: int, number: int, entry: int) -> None:
    """Writes a decision (:mod:`bloor.engine.decisions`) and journals it.

    Args:
        run: Address of the run's cells.
        desk: Address of the desk's.
        to: Address of its 64 bytes.
        kind: A :class:`~bloor.engine.decisions.DecisionKind`.
        code: CRC-32 of the denial, or 0.
        number: The order's number, 0 of none.
        entry: Address of the EntryOrder.
    """
    side = cell_at(entry + at.ENTRY_SIDE) & 255
    form = cell_at(entry + at.ENTRY_TYPE) << 16 | cell_at(entry + at.ENTRY_TIF) << 24
    put_cell(to, kind | side << 8 | form | cell_at(desk + 8 * at.INSTRUMENT) << 32)
    put_cell(to + 8, cell_at(desk + 8 * at.STRATEGY) | code)
    put_cell(to + 16, number)
    put_cell(to + 24, cell_at(entry + at.ENTRY_PRICE))
    put_cell(to + 32, cell_at(entry + at.ENTRY_LOTS))
    put_cell(to + 40, cell_at(run + 8 * at.NOW))
    put_cell(to + 48, cell_at(entry + at.ENTRY_CLIENT0))
    put_cell(to + 56, cell_at(entry + at.ENTRY_CLIENT1))
    stamped = cell_at(to + 8 * at.DECIDED)
    append_at(cell_at(run + 8 * at.JOURNAL), DECIDED, 0, cell_at(run + 8 * at.NOW), to, 64, stamped)


def request(run: int) -> int:
    """Address of the next record of what is asked for; 0, and a fault, when there is no more room."""
    count = cell_at(run + 8 * at.OUT_COUNT)
    if count >= at.REQUESTS_MAX:
        put_cell(run + 8 * at.FAULT, at.FAULT_REQUESTS)
        return 0
    return cell_at(run + 8 * at.OUT) + count * at.OUT_BYTES


def sent(run: int, desk: int, out: int, kind: int, number: int, verdict: int, size: int) -> None:
    """Journals a frame that is to be sent, and counts the request.

    Args:
        run: Address of the run's cells.
        desk: Address of the desk's.
        out: Address of the request.
        kind: What was decided.
        number: The order's number.
        verdict: What the gate said.
        size: Bytes of the frame, which stands behind those before it; 0 of none.
    """
    start = cell_at(run + 8 * at.FRAMES_USED)
    put_cell(out + 8 * at.KIND, kind)
    put_cell(out + 8 * at.NUMBER, number)
    put_cell(out + 8 * at.VERDICT, verdict)
    put_cell(out + 8 * at.START, start)
    put_cell(out + 8 * at.LENGTH, size)
    put_cell(run + 8 * at.OUT_COUNT, cell_at(run + 8 * at.OUT_COUNT) + 1)
    if size > 0:
        conn, text = cell_at(desk + 8 * at.CONN), cell_at(run + 8 * at.FRAMES) + start
        stamped = cell_at(out + 8 * at.DECIDED)
        append_at(cell_at(run + 8 * at.JOURNAL), FRAME_OUT, conn, cell_at(run + 8 * at.NOW), text, size, stamped)
        put_cell(run + 8 * at.FRAMES_USED, start + size)
        put_cell(run + 8 * at.FRAMES_COUNT, cell_at(run + 8 * at.FRAMES_COUNT) + 1)


def denial_code(run: int, verdict: int) -> int:
    """The code of a denial as a decision has it: a CRC-32, in the upper half of the cell."""
    row = cell_at(run + 8 * at.CODES) + 16 * ((verdict >> NUMBER_SHIFT) - 1)
    number = verdict & NUMBER_MASK
    return cell_at(cell_at(row) + 8 * (number if number < cell_at(row + 8) else 0))


def place(orders: int, side: int, price: int, lots: int, kind: int, tif: int) -> int:
    """One order: gate, journal, encoding, journal.

    Args:
        orders: Address of the desk's OrdersRecord.
        side: +1 buy, -1 sell.
        price: Limit price in ticks.
        lots: Quantity in lots.
        kind: An :class:`~bloor.model.orders.OrderType`.
        tif: A :class:`~bloor.model.orders.TimeInForce`.

    Returns:
        Its number; 0 when it was denied.
    """
    desk = cell_at(orders + at.ORDERS_DESK)
    run = cell_at(desk + 8 * at.DESK_RUN)
    lot_units = cell_at(desk + 8 * at.LOT_UNITS)
    most = INT64_MAX // lot_units
    if lots > most or lots < -most:
        put_cell(run + 8 * at.FAULT, at.FAULT_QUANTITY)
    if cell_at(run + 8 * at.FAULT) != 0:
        return 0
    out = request(run)
    if out == 0:
        return 0
    journal, now_ns = cell_at(run + 8 * at.JOURNAL), cell_at(run + 8 * at.NOW)
    put_cell(out + 8 * at.DECIDED, stamp(journal))
    units = lots * lot_units
    intent, exposure = cell_at(desk + 8 * at.INTENT), cell_at(desk + 8 * at.EXPOSURE)
    put_cell(intent + at.INTENT_SIDE, side)
    put_cell(intent + at.INTENT_TYPE, kind)
    put_cell(intent + at.INTENT_TIF, tif)
    put_cell(intent + at.INTENT_PRICE, price)
    put_cell(intent + at.INTENT_LOTS, lots)
    put_cell(intent + at.INTENT_UNITS, units)
    verdict = decide(cell_at(run + 8 * at.GATE), intent, cell_at(desk + 8 * at.BOOK), exposure, now_ns)
    entry = out + 8 * at.ENTRY_ORDER
    put_cell(entry + at.ENTRY_WHICH, cell_at(desk + 8 * at.ENTRY_INSTRUMENT))
    put_cell(entry + at.ENTRY_SIDE, side)
    put_cell(entry + at.ENTRY_TYPE, kind)
    put_cell(entry + at.ENTRY_TIF, tif)
    put_cell(entry + at.ENTRY_PRICE, price)
    put_cell(entry + at.ENTRY_LOTS, lots)
    put_cell(entry + at.ENTRY_VENUE_ID, -1)
    if verdict != 0:
        put_cell(entry + at.ENTRY_CLIENT0, 0)
        put_cell(entry + at.ENTRY_CLIENT1, 0)
        put_decision(run, desk, out, DENIES, denial_code(run, verdict), 0, entry)
        sent(run, desk, out, DENIES, 0, verdict, 0)
        return 0
    numbers = cell_at(run + 8 * at.NUMBERS)
    number = cell_at(numbers) + 1
    if number > NUMBER_MAX:
        put_cell(run + 8 * at.FAULT, at.FAULT_NUMBERS)
        return 0
    put_client_id(entry + at.ENTRY_CLIENT0, cell_at(run + 8 * at.CLIENT_HEAD), cell_at(desk + 8 * at.STRATEGY), number)
    text = cell_at(run + 8 * at.FRAMES) + cell_at(run + 8 * at.FRAMES_USED)
    size = call4(cell_at(desk + 8 * at.PLACE), cell_at(desk + 8 * at.ENTRY), entry, text, now_ns)
    if size <= 0:
        put_cell(run + 8 * at.FAULT, at.FAULT_ENCODING)
        return 0
    put_cell(numbers, number)
    reserved = exposure + (at.OPEN_BUY if side > 0 else at.OPEN_SELL)
    put_cell(reserved, cell_at(reserved) + units)
    put_cell(exposure + at.OPEN_ORDERS, cell_at(exposure + at.OPEN_ORDERS) + 1)
    put_decision(run, desk, out, PLACES, 0, number, entry)
    sent(run, desk, out, PLACES, number, 0, size)
    open_order(desk, entry, number)
    return number


def open_order(desk: int, entry: int, number: int) -> None:
    """Notes an order as open; with more than there is room for, Python takes over the desk once it is told."""
    count = cell_at(desk + 8 * at.OPEN_COUNT)
    if count < at.OPEN_MAX:
        row = cell_at(desk + 8 * at.OPEN) + count * at.OPEN_BYTES
        put_cell(row + 8 * at.OPEN_NUMBER, number)
        put_cell(row + 8 * at.OPEN_READY, 1)
        put_cell(row + 8 * at.OPEN_VENUE_ID, -1)
        put_cell(row + 8 * at.OPEN_CLIENT0, cell_at(entry + at.ENTRY_CLIENT0))
        put_cell(row + 8 * at.OPEN_CLIENT1, cell_at(entry + at.ENTRY_CLIENT1))
        put_cell(row + 8 * at.OPEN_SIDE, cell_at(entry + at.ENTRY_SIDE))
        put_cell(row + 8 * at.OPEN_TYPE, cell_at(entry + at.ENTRY_TYPE))
        put_cell(row + 8 * at.OPEN_TIF, cell_at(entry + at.ENTRY_TIF))
        put_cell(row + 8 * at.OPEN_PRICE, cell_at(entry + at.ENTRY_PRICE))
        put_cell(row + 8 * at.OPEN_LOTS, cell_at(entry + at.ENTRY_LOTS))
        put_cell(desk + 8 * at.OPEN_COUNT, count + 1)


def cancel_row(run: int, desk: int, row: int) -> int:
    """Cancels the open order of a row; 1, or 0 when a cancel is on its way or cannot be written."""
    if cell_at(row + 8 * at.OPEN_READY) == 0 or cell_at(run + 8 * at.FAULT) != 0:
        return 0
    out = request(run)
    if out == 0:
        return 0
    put_cell(out + 8 * at.DECIDED, stamp(cell_at(run + 8 * at.JOURNAL)))
    entry = out + 8 * at.ENTRY_ORDER
    put_cell(entry + at.ENTRY_WHICH, cell_at(desk + 8 * at.ENTRY_INSTRUMENT))
    put_cell(entry + at.ENTRY_SIDE, cell_at(row + 8 * at.OPEN_SIDE))
    put_cell(entry + at.ENTRY_TYPE, cell_at(row + 8 * at.OPEN_TYPE))
    put_cell(entry + at.ENTRY_TIF, cell_at(row + 8 * at.OPEN_TIF))
    put_cell(entry + at.ENTRY_PRICE, cell_at(row + 8 * at.OPEN_PRICE))
    put_cell(entry + at.ENTRY_LOTS, cell_at(row + 8 * at.OPEN_LOTS))
    put_cell(entry + at.ENTRY_VENUE_ID, cell_at(row + 8 * at.OPEN_VENUE_ID))
    put_cell(entry + at.ENTRY_CLIENT0, cell_at(row + 8 * at.OPEN_CLIENT0))
    put_cell(entry + at.ENTRY_CLIENT1, cell_at(row + 8 * at.OPEN_CLIENT1))
    text = cell_at(run + 8 * at.FRAMES) + cell_at(run + 8 * at.FRAMES_USED)
    now_ns = cell_at(run + 8 * at.NOW)
    size = call4(cell_at(desk + 8 * at.CANCEL), cell_at(desk + 8 * at.ENTRY), entry, text, now_ns)
    if size <= 0:
        put_cell(run + 8 * at.FAULT, at.FAULT_ENCODING)
        return 0
    number = cell_at(row + 8 * at.OPEN_NUMBER)
    put_cell(row + 8 * at.OPEN_READY, 0)
    put_decision(run, desk, out, CANCELS, 0, number, entry)
    sent(run, desk, out, CANCELS, number, 0, size)
    return 1


def cancel(orders: int, number: int, _first: int, _second: int) -> int:
    """Cancels one open order of the desk; 1, or 0 when there is none of that number or a cancel is on its way."""
    desk = cell_at(orders + at.ORDERS_DESK)
    rows, count = cell_at(desk + 8 * at.OPEN), cell_at(desk + 8 * at.OPEN_COUNT)
    for i in range(count):
        row = rows + i * at.OPEN_BYTES
        if cell_at(row + 8 * at.OPEN_NUMBER) == number:
            return cancel_row(cell_at(desk + 8 * at.DESK_RUN), desk, row)
    return 0


def cancel_all(orders: int, _first: int, _second: int, _third: int) -> int:
    """Cancels every open order of the desk, the oldest first; how many cancels were written."""
    desk = cell_at(orders + at.ORDERS_DESK)
    rows, count = cell_at(desk + 8 * at.OPEN), cell_at(desk + 8 * at.OPEN_COUNT)
    done = 0
    for i in range(count):
        done += cancel_row(cell_at(desk + 8 * at.DESK_RUN), desk, rows + i * at.OPEN_BYTES)
    return done
