"""Where kernels of risk checks find the fields of what they are given: numbers of int64 cells.

``cell_at(intent + 8 * PRICE)`` is the price of an order. The records are :class:`~bloor.risk.check.OrderIntent`,
:class:`~bloor.market.view.BookView` and :class:`~bloor.risk.check.Exposure`, where each field is described.
"""

from __future__ import annotations

__all__ = [
    "ASK_QTY",
    "BEST_ASK",
    "BEST_BID",
    "BID_QTY",
    "EXCH_NS",
    "INSTRUMENT",
    "INVENTORY",
    "LOTS",
    "OPEN_BUY",
    "OPEN_ORDERS",
    "OPEN_SELL",
    "POSITION",
    "PRICE",
    "RECV_NS",
    "SEQ",
    "SIDE",
    "STATE",
    "STRATEGY",
    "SYNCED",
    "TIF",
    "TYPE",
    "UNITS",
]

# an order intent
INSTRUMENT = 0
SIDE = 1
TYPE = 2
TIF = 3
PRICE = 4
LOTS = 5
UNITS = 6
STRATEGY = 7

# a view of a book
BEST_BID = 0
BID_QTY = 1
BEST_ASK = 2
ASK_QTY = 3
SEQ = 4
EXCH_NS = 5
RECV_NS = 6
STATE = 7

# an exposure
POSITION = 0
OPEN_BUY = 1
OPEN_SELL = 2
OPEN_ORDERS = 3
INVENTORY = 4

#: The state of a book that may be believed, of :class:`~bloor.market.view.BookState`.
SYNCED = 2
