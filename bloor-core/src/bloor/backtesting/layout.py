"""The memory that a backtest works in: int64 cells, which Python and compiled code read and write alike.

Names of cells are their offsets in bytes: ``cell_at(lane + XI)``. One record for the run, one for each *lane* (an
instrument at a venue), one for each *desk* (a strategy in an instrument); :mod:`bloor.backtesting.memory` makes them
and keeps alive what their cells point to.
"""

from __future__ import annotations

from bloor.engine.fused.layout import offset
from bloor.market.bars import BarRecord
from bloor.market.events import EventView
from bloor.market.view import BookView
from bloor.risk.check import Exposure, OrderIntent
from bloor.strategy.memory import FillRecord, OrderRecord, OrdersRecord

#: Rows that a log has room for where a kernel goes on: twice the answers of the venue that it hands on at a time. What
#: handlers decide may be more.
LOG_RESERVE = 2048
#: Later than any time, and earlier.
NEVER = 1 << 62
LONG_AGO = -(1 << 62)

# ---- what a kernel answers
DONE = 0
NEED_ROWS = 1  # the lane's local rows are used up
NEED_VENUE = 2  # the lane's rows of the venue are used up
NEED_LOG = 3  # a log has little room left
FAILED = 4  # FAULT says why the backtest cannot go on
NEED_TOLD = 5  # the lane's answers under way have little room left

# ---- why
FAULT_MEMORY = 1
FAULT_QUANTITY = 2
FAULT_INTERRUPTED = 3
FAULT_ENDED = 4

# ---- what there may be more room for (:mod:`bloor.backtesting.room`)
ROOM_ORDERS, ROOM_ASKED, ROOM_TOLD, ROOM_TAKES, ROOM_DECISIONS, ROOM_LEVELS = 1, 2, 3, 4, 5, 6

# ---- the run
RUN_NOW = 0  # local time, ns
RUN_GATE = 8  # address of the gate's cells, 0 of none
RUN_NUMBER = 16  # number of the last order
RUN_FAULT = 24
RUN_LANES = 32  # address of the addresses of lanes
RUN_LANE_COUNT = 40
RUN_AT = 48  # the lane that a kernel came back for
RUN_EVENTS = 56  # events handed to strategies
RUN_DECISIONS = 64  # address, used rows, room
RUN_DECISION_COUNT = 72
RUN_DECISION_ROOM = 80
RUN_FILLS = 88
RUN_FILL_COUNT = 96
RUN_FILL_ROOM = 104
RUN_ENDED = 112
RUN_ENDED_COUNT = 120
RUN_ENDED_ROOM = 128
RUN_STOPPING = 136  # nothing new passes
RUN_UNTIL = 144  # another lane has something to do then
RUN_DESKS = 152  # address of the addresses of all desks
RUN_DESK_COUNT = 160
RUN_KEEPS = 168  # 1 when decisions are kept; denials always are
RUN_SUM = 176  # over all decisions
RUN_DECIDED = 184  # how many they are
RUN_CELLS = 24

# ---- a lane: an instrument at a venue
RUN = 0
# its stored events, in the order they were received
ROWS = 8  # address of the first record
VISITS = 16  # address of the sights that are handed on, the end of a window last
VISIT = 24  # the next one
VISIT_COUNT = 32
ROWS_ENDED = 40  # 1 when no more rows follow
VIEW = 48  # address of the BookView
# the venue's side: annotated rows in the order of the venue's time
VENUE_ROWS = 56
VENUE_COUNT = 64
VENUE_ENDED = 72
XI = 80  # the next row
XNOW = 88  # the venue is simulated up to here
XBID = 96  # best prices where a request arrived, and how much is there: XBID_QTY, XASK_QTY
XASK = 104
HASH = 112  # address of slots: id of a level + 1
HASH_MASK = 120
LEVELS = 128  # address of levels
ORDERED = 136  # address of ids by key
LEVEL_COUNT = 144
# what rests there of ours
LIVE = 152  # address of slots that rest, the oldest first
LIVE_COUNT = 160
LOW_BID = 168  # own prices lie between these
HIGH_BID = 176
LOW_ASK = 184
HIGH_ASK = 192
TAKEN = 200  # address of the table of takes, and how many they are
TAKEN_COUNT = 208
# messages under way
ASKED = 216  # address of the queue of requests, the place of its first one and that behind its last
ASKED_HEAD = 224
ASKED_TAIL = 232
TOLD = 240  # address of the queue of responses, likewise
TOLD_HEAD = 248
TOLD_TAIL = 256
ENTRY = 264  # address of order entry latencies, how many, the next; the shortest
ENTRY_COUNT = 272
ENTRY_NEXT = 280
ENTRY_MIN = 288
RESPONSE = 296
RESPONSE_COUNT = 304
RESPONSE_NEXT = 312
RESPONSE_MIN = 320
# models
QUEUE = 328  # address of its parameters
PLACED = 336
TRADED = 344
CHANGED = 352
PARTIAL = 360  # 1: fills are limited to what trades; 0: an order fills whole
SELF_TRADE = 368  # an STP_ number
OVERSELL = 376  # 1 when more may be sold than is held
MIN_UNITS = 384
MAX_UNITS = 392
MIN_VALUE = 400  # in ticks times units
FEES = 408  # address of the fees' cells, 0 of none
ATOMS = 416  # atoms of a fee in a unit of the base asset
# orders
GROW = 424  # address of the function that gives more memory
FREE = 432  # addresses of free slots
FREE_COUNT = 440
# who trades it
DESKS = 448
DESK_COUNT = 456
HORIZON = 464  # nothing happens to its desks before this but what the rows say
DUE = 472  # the next timer or end of a bar
REACTS = 480  # 1 when a desk is told of fills or orders
HELD = 488  # units of the base asset that the account holds here
LAST_NS = 496  # time of the newest visit
BOOKS = 504  # address of what is known of the book's rows
# the levels of the book, where a strategy asks for them
DEEP = 512  # address of the ladder's cells, 0 when nobody asks
DEEP_ROW = 520  # rows are applied up to here
ASKED_ROOM = 528  # how many messages there is room for
TOLD_ROOM = 536
BOOK_COUNT = 544
BOOK_AT = 552  # how many of the book's rows the view has seen
END_NS = 560  # the end, once it is known
ROW_COUNT = 568
ADVANCE = 576  # address of the C function that simulates the venue
BEGIN_NS = 584  # strategies see nothing that was received earlier
SEEN_NS = 592  # when the newest row so far was known here
FOUND_BID = 600  # the level that an order joined last: its key, and its address
FOUND_ASK = 616
# answers that a venue really gave, in place of simulated ones
RECORDED = 632  # address of rows, how many, the next
RECORDED_COUNT = 640
RECORDED_NEXT = 648
ENTRY_MOMENTS = 656  # address of the times at which the latencies were measured, 0 where they have none
RESPONSE_MOMENTS = 664
WITHIN = 672  # 1 where orders of ours are part of the data: what a session's venue published contains them
ORDERS = 680  # address of whose orders the venue's rows are of, where the queue model asks for it
ORDER = 688  # the order that a row is of; 0 elsewhere
NEWEST_ORDER = 696  # the one that joined last, where a request arrives; 0 elsewhere
VENUE_MARKS = 704  # address of the times of some of the venue's rows
XBID_QTY = 712
XASK_QTY = 720
ORDER_CHANGED = 728  # of the queue model, where it asks for orders
TAKEN_MASK = 736  # how many takes there is room for, less one
LANE_CELLS = 93

# ---- a sight: an event that is handed on, and when it is known here
SIGHT_BYTES = 32
SIGHT_NS = 0
SIGHT_BOOKS = 8  # how many of the book's rows are known then
SIGHT_EVENT = 16  # address of its record; 0 where only time passes
SIGHT_TOP = 24  # address of the last of the book's records then, 0 of none
#: Sights behind the last one that may be read.
SIGHT_SPARE = 8

# ---- a row of the book, and when it is known here
KNOWN_BYTES = 24
KNOWN_NS = 0
KNOWN_TOP = 8  # address of its record
KNOWN_ROW = 16  # its number in the window

STP_NONE, STP_TAKER, STP_MAKER, STP_BOTH, STP_DECREMENT = 0, 1, 2, 3, 4

# ---- a row of the venue
ROW_BYTES = 64
ROW_NS = 0
ROW_WHAT = 8  # price << CODE_BITS | code
ROW_QTY = 16  # the level's quantity, or the trade's
ROW_BEFORE = 24  # the level's quantity before
ROW_BID = 32  # best prices after
ROW_ASK = 40
ROW_BID_QTY = 48  # what is there, where its message ends
ROW_ASK_QTY = 56
CODE_BITS = 3
CODE_MASK = 7
#: Of every so many rows the time is noted once more, to pass over many at once: 1 << MARK_BITS.
MARK_BITS = 4
BID_LEVEL, ASK_LEVEL, BOUGHT, SOLD = 1, 2, 3, 4
LOW32 = (1 << 32) - 1

# ---- whose order a row of the venue is of: the pair behind the one of its number, as the first is before all rows
ORDER_BYTES = 16
ORDER_OF = 0  # the order's number in the sequence in which orders joined; 0 where the row is of no single one
ORDER_NEWEST = 8  # the newest number so far

# ---- a level of a window of the venue's rows
LEVEL_BYTES = 64
LEVEL_KEY = 0  # price * 2 + (1 for a bid)
LEVEL_CHANGES = 8  # address of its changes
LEVEL_AT = 16  # the change that was looked at last, -1 before the first
LEVEL_START = 24  # its quantity when the window begins
LEVEL_RANK = 32
LEVEL_UNITS = 40  # its quantity where the window is written
LEVEL_CHANGED = 48  # how many changes
LEVEL_NAMED = 56  # the last message that named it

# ---- a change of a level
CHANGE_BYTES = 16
CHANGE_ROW = 0
CHANGE_QTY = 8  # the level's quantity after

# ---- a take
TAKE_BYTES = 16
TAKE_KEY = 0  # of the level
TAKE_QTY = 8  # 0 where there is none

# ---- a message
MESSAGE_BYTES = 88
MESSAGE_NS = 0
MESSAGE_SLOT = 8
MESSAGE_NUMBER = 16
MESSAGE_KIND = 24
MESSAGE_PRICE = 32
MESSAGE_UNITS = 40
MESSAGE_MAKER = 48
MESSAGE_LAST = 56  # 1 when the order is over
MESSAGE_EXCH = 64  # the venue's time of a response
MESSAGE_FEE = 72  # of a fill, in atoms of its asset
MESSAGE_KEPT = 80  # units of a bought quantity that are kept as the fee
#: The most answers to a request, beside those about levels and other orders.
ANSWERS = 4
# requests
PLACE, CANCEL, AMEND, REPLACE = 1, 2, 3, 4
# responses
ACKED, FILLED, CANCELLED, EXPIRED, REJECTED, REFUSED, AMENDED = 1, 2, 3, 4, 5, 6, 7
REDUCED = 8  # by the venue itself: self-trade prevention took some off

# ---- an answer that was recorded
RECORDED_BYTES = 80
RECORDED_NS = 0  # when it was received
RECORDED_NUMBER = 8
RECORDED_KIND = 16
RECORDED_PRICE = 24
RECORDED_UNITS = 32
RECORDED_MAKER = 40
RECORDED_LAST = 48
RECORDED_EXCH = 56
RECORDED_KEPT = 64

# ---- a slot: one order
SLOT_BYTES = 192
SLOT_NUMBER = 0
SLOT_DESK = 8
SLOT_SIDE = 16
SLOT_PRICE = 24
SLOT_UNITS = 32  # ordered
SLOT_LEFT = 40  # at the venue
SLOT_TYPE = 48
SLOT_TIF = 56
SLOT_RESTS = 64  # 1 while it rests at the venue
SLOT_STATUS = 72  # as the strategy knows it; 0: free
SLOT_PENDING = 80  # the request that has no answer yet, 0 of none
SLOT_FILLED = 88  # as the strategy knows it
SLOT_QUEUE = 96  # four cells of the queue model
SLOT_LOTS = 128
SLOT_SENT = 136
SLOT_MID2 = 144  # twice the mid when it was decided
SLOT_NEXT = 152  # address of the order that replaces it and shares what it reserves, 0 of none
SLOT_TELL = 160  # 1 when the strategy has yet to be told of its own request
SLOT_SHARED = 168  # units that it need not reserve, as the order that it replaces reserves them
SLOT_TRADED = 176  # at the venue
SLOT_SEEN = 184  # how much of it is in the data's quantity of its level

# ---- a desk
DESK_LANE = 0
DESK_INVOKE = 8
DESK_MEMORY = 16
DESK_HANDLERS = 24
DESK_ORDERS = 32
DESK_EXPOSURE = 40
DESK_STATE = 48
DESK_NUMBER = 56  # in the run
DESK_STRATEGY = 64
DESK_INSTRUMENT = 72
DESK_LOT_UNITS = 80
DESK_OPEN = 88  # address of indices of its open orders, the oldest first
DESK_OPEN_COUNT = 96
DESK_INTENT = 104
DESK_FILL = 112
DESK_ORDER = 120
DESK_PERIOD = 128  # of its timer, 0 of none
DESK_TIMER = 136
DESK_BAR_PERIOD = 144
DESK_BAR = 152  # address of the open bar
DESK_CLOSED_BAR = 160
DESK_TELLS = 168  # orders it has yet to be told of
DESK_DENIED = 176
DESK_FAULT_HANDLER = 184
DESK_FAULT_NS = 192
DESK_CANCELS = 200
DESK_CALLS = 208  # address of the table of its handlers that are ordinary Python
DESK_START = 216  # when it starts; 0: with the first book message
DESK_BARRED = 224  # 1 when its strategy was halted in another instrument: the gate denies what it asks for
DESK_MOST = 232  # lots that fit an int64 in units
DESK_CELLS = 32
WAITING, RUNNING, HALTED = 0, 1, 2
#: The verdict of a gate that a strategy has been halted at.
STRATEGY_HALTED = (1 << 31) - 1

# ---- logs
DECISION_BYTES = 64
FILL_BYTES = 88
FILL_EXCH = 0
FILL_RECV = 8
FILL_DESK = 16
FILL_SIDE = 24
FILL_PRICE = 32
FILL_UNITS = 40
FILL_MAKER = 48
FILL_ORDER = 56
FILL_LEFT = 64
FILL_FEE = 72
FILL_KEPT = 80
ENDED_BYTES = 56
ENDED_NUMBER = 0
ENDED_WHAT = 8  # desk | status << 32 | side << 40
ENDED_PRICE = 16
ENDED_LOTS = 24
ENDED_SENT = 32
ENDED_FILLED = 40
ENDED_MID2 = 48

# ---- fields of the records that kernels share with the rest of the house
EVENT_EXCH, EVENT_RECV, EVENT_SEQ = (offset(EventView, name) for name in ("exch_ns", "recv_ns", "seq"))
EVENT_PRICE, EVENT_QTY, EVENT_PRICE2, EVENT_QTY2 = (
    offset(EventView, name) for name in ("price", "qty", "price2", "qty2")
)
EVENT_BYTES = EventView.DTYPE.itemsize
VIEW_BID, VIEW_ASK, VIEW_SEQ = (offset(BookView, name) for name in ("best_bid", "best_ask", "seq"))
VIEW_EXCH, VIEW_RECV, VIEW_STATE = (offset(BookView, name) for name in ("exch_ns", "recv_ns", "state"))
POSITION, INVENTORY = offset(Exposure, "position"), offset(Exposure, "inventory")
OPEN_BUY, OPEN_SELL, OPEN_ORDERS = (offset(Exposure, name) for name in ("open_buy", "open_sell", "open_orders"))
ORDERS_NOW, ORDERS_DESK = offset(OrdersRecord, "now_ns"), offset(OrdersRecord, "desk")
INTENT_SIDE, INTENT_TYPE, INTENT_TIF = (offset(OrderIntent, name) for name in ("side", "type", "tif"))
INTENT_PRICE, INTENT_LOTS, INTENT_UNITS = (offset(OrderIntent, name) for name in ("price", "lots", "units"))
SAID_NUMBER, SAID_SIDE, SAID_PRICE = (offset(OrderRecord, name) for name in ("number", "side", "price"))
SAID_LOTS, SAID_FILLED = offset(OrderRecord, "lots"), offset(OrderRecord, "filled")
SAID_STATUS, SAID_CLOSED = offset(OrderRecord, "status"), offset(OrderRecord, "closed")
PAID_SIDE, PAID_PRICE, PAID_UNITS = (offset(FillRecord, name) for name in ("side", "price_ticks", "units"))
PAID_LIQUIDITY, PAID_EXCH, PAID_RECV = (offset(FillRecord, name) for name in ("liquidity", "exch_ns", "recv_ns"))
BAR_OPEN, BAR_HIGH, BAR_LOW, BAR_CLOSE = (offset(BarRecord, name) for name in ("open", "high", "low", "close"))
BAR_VOLUME, BAR_VALUE, BAR_TRADES = (offset(BarRecord, name) for name in ("volume", "value", "trades"))
BAR_START, BAR_END = offset(BarRecord, "start_ns"), offset(BarRecord, "end_ns")
BAR_BYTES = BarRecord.DTYPE.itemsize
