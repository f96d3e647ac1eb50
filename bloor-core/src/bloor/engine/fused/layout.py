"""The memory that the fused path works in: int64 cells, which Python and compiled code read and write alike.

One array for the run, one for each venue, one for each desk; cells hold numbers, and addresses of other memory that
:mod:`bloor.engine.fused.memory` keeps alive.
"""

from __future__ import annotations

from bloor.market.events import EventView
from bloor.market.view import BookView
from bloor.risk.check import Exposure, OrderIntent
from bloor.strategy.memory import OrdersRecord
from bloor.venue.entry import LONGEST, EntryOrder

__all__ = ["DESK_CELLS", "LINE_CELLS", "OUT_CELLS", "REQUESTS_MAX", "RESERVE", "RUN_CELLS"]

#: Most orders and cancels that one handler may ask for; the same for strategies that are not compiled.
REQUESTS_MAX = 256
#: Most open orders of a desk that compiled code knows; with more, Python handles the desk's events.
OPEN_MAX = 256

# cells of the run
NOW = 0  # time of the event in hand, wall ns
MARK = 1  # monotonic time when it arrived
NUMBERS = 2  # address of the cell with the number of the last order
JOURNAL = 3  # address of the journal's cells
GATE = 4  # address of the gate's cells
CODES = 5  # address of two cells for each check: address of its denials' codes, how many
CLIENT_HEAD = 6  # the first seven characters of every client order id
OUT = 7  # address of the records of what was asked for
OUT_COUNT = 8
FRAMES = 9  # address of the bytes of the frames to send
FRAMES_USED = 10
FRAMES_COUNT = 11
FAULT = 12  # why a handler cannot go on, a FAULT_ number
DESK = 13  # address of the desk whose handler was called last
FRAMES_SEEN = 14  # frames taken
EVENTS_SEEN = 15  # events handed to strategies
FRAMES_FUSED = 16  # frames that compiled code took to their end, or to a handler
CHANGED = 17  # 1 when the handler has asked for a change of an order, which Python carries out meanwhile
RUN_CELLS = 20

# cells of a venue
LINE_RUN = 0
LINE_CONN = 1  # number of the connection of its market data
TAKE = 2  # address of the normalizer's C function
CONTEXT = 3  # address of its context
ORDINARY = 4  # 1 while frames need nothing but the pipeline
TAKEN = 5  # address of the pipeline's counts by kind
ROWS = 6  # address of four cells for each instrument of the run: ROW_FIRST and what follows
LIST = 7  # address of the addresses of desks
ANSWER = 8  # what the normalizer answered last
NEXT = 9  # which desk of the instrument the event has yet to be handed to
TOUCHED = 10  # time of the last frame, 0 once the session was told
DEADLINE = 11  # from then on a frame is not ordinary: bars and timers are due
SEND = 12  # address of the callable that writes a frame of an order: (connection, frame)
ORDER_CONN = 13  # address of the int that it takes for the connection
SETTLED = 14  # address of the callable that does what is left after it: ()
LEFT = 15  # address of the callable that does what compiled code has left of a frame: (code, frame, receive time ns)
ARGUMENTS = 17  # three arguments of a call of these; the cell before is the callee's to use
LINE_CELLS = 20

# cells of an instrument
ROW_FIRST = 0  # the first of its desks in the list
ROW_COUNT = 1  # how many; -1 when Python hands on its events
ROW_BARS = 2  # address of the addresses of its open bars
ROW_BARS_COUNT = 3
ROW_CELLS = 4

# cells of a desk
DESK_RUN = 0
ORDERS = 1  # address of its OrdersRecord
STATE = 2  # WAITING, RUNNING, HALTED
STRATEGY = 3
INSTRUMENT = 4
LOT_UNITS = 5
INTENT = 6  # address of its OrderIntent
EXPOSURE = 7  # address of its Exposure
BOOK = 8  # address of the BookView
ENTRY = 9  # address of the cells of the venue's order entry
PLACE = 10  # address of the C function that encodes an order
CANCEL = 11  # address of the one that encodes a cancel
ENTRY_INSTRUMENT = 12  # index of the instrument there
CONN = 13  # number of the connection of the orders
OPEN = 14  # address of the open orders
OPEN_COUNT = 15
MARK2 = 16  # twice the price of the last trade while the book has no mid
INVOKE = 17  # address of the C function of the strategy's handlers
MEMORY = 18  # address of the strategy's state
HANDLERS = 19  # bit h is set when it has handler h
MEMORY_BYTES = 20  # size of that state
BEFORE = 21  # address of a copy of it, made before each handler
DESK_CELLS = 24

WAITING, RUNNING, HALTED = 0, 1, 2

# cells of an open order, oldest first
OPEN_NUMBER, OPEN_READY, OPEN_VENUE_ID, OPEN_CLIENT0, OPEN_CLIENT1 = 0, 1, 2, 3, 4
OPEN_SIDE, OPEN_TYPE, OPEN_TIF, OPEN_PRICE, OPEN_LOTS = 5, 6, 7, 8, 9
OPEN_CELLS = 10
OPEN_BYTES = 8 * OPEN_CELLS

# cells of what was asked for
DECISION = 0  # the 64 bytes of the decision, see bloor.engine.decisions
KIND, NUMBER, VERDICT, DECIDED, START, LENGTH = 8, 9, 10, 11, 12, 13
ENTRY_ORDER = 16  # an EntryOrder
OUT_CELLS = 28
OUT_BYTES = 8 * OUT_CELLS
assert EntryOrder.DTYPE.itemsize <= 8 * (OUT_CELLS - ENTRY_ORDER)

#: Bytes of journal that one frame may need beside its own: a decision and a frame for each request, and the heads.
RESERVE = 128 + REQUESTS_MAX * (2 * 64 + 64 + LONGEST)

# why a handler cannot go on
FAULT_REQUESTS, FAULT_QUANTITY, FAULT_ENCODING, FAULT_NUMBERS = 1, 2, 3, 4

# what a call answers
DONE = 0
ORDERS_ASKED = 1  # the desk's handler has asked for something
PARTIAL = 2  # from desk NEXT on, Python hands on the event
SELDOM = 3  # the normalizer's answer is of a kind that Python completes
UNSURE = 4  # journaled; the normalizer leaves the frame to the reference
NOT_ORDINARY = 5  # nothing was done
ROLL = 6  # nothing was done: the journal's segment has no room
RAISED = 7  # the desk's handler raised, or cannot go on


def offset(record: type, field: str) -> int:
    """Where a field of a record lies in it, bytes."""
    return int(record.DTYPE.fields[field][1])  # type: ignore[attr-defined]


ORDERS_NOW = offset(OrdersRecord, "now_ns")
ORDERS_DESK = offset(OrdersRecord, "desk")
INTENT_SIDE, INTENT_TYPE, INTENT_TIF = (offset(OrderIntent, name) for name in ("side", "type", "tif"))
INTENT_PRICE, INTENT_LOTS, INTENT_UNITS = (offset(OrderIntent, name) for name in ("price", "lots", "units"))
OPEN_BUY, OPEN_SELL, OPEN_ORDERS = (offset(Exposure, name) for name in ("open_buy", "open_sell", "open_orders"))
ENTRY_WHICH, ENTRY_VENUE_ID = offset(EntryOrder, "instrument"), offset(EntryOrder, "venue_order_id")
ENTRY_SIDE, ENTRY_TYPE, ENTRY_TIF = (offset(EntryOrder, name) for name in ("side", "type", "tif"))
ENTRY_PRICE, ENTRY_LOTS = offset(EntryOrder, "price"), offset(EntryOrder, "lots")
ENTRY_CLIENT0, ENTRY_CLIENT1 = offset(EntryOrder, "client0"), offset(EntryOrder, "client1")
VIEW_STATE = offset(BookView, "state")
VIEW_BID, VIEW_ASK = offset(BookView, "best_bid"), offset(BookView, "best_ask")
EVENT_PRICE = offset(EventView, "price")
EVENT_QTY = offset(EventView, "qty")
