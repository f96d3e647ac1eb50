"""The cells of the compiled order entry, and of the row that each instrument has (a kernel file: numbers only).

A *piece* is two cells: the address of a text and its length.
"""

from __future__ import annotations

__all__ = ["ENTRY_CELLS", "ROW_CELLS"]

# behind bloor.venue.entry.READY
OFFSET = 1  # venue clock less ours, ns
COUNT = 2  # instruments
ROWS = 3  # address of the first one's row
OPEN_PLACE = 4  # piece: to the client order id in the request's own id
OPEN_CANCEL = 6
CLIENT_ID = 8  # from the quantity to the client order id
PRICE = 10  # from the client order id to the price
ENDS = 12  # five pieces, from the price (MARKET: from the client order id) to the timestamp: GTC, IOC, FOK and these
END_POST_ONLY, END_MARKET = 3, 4
BY_VENUE_ID = 22  # from the symbol to the venue's order id
AFTER_VENUE_ID = 24  # from there to the timestamp
BY_CLIENT_ID = 26  # from the symbol to the client order id
AFTER_CLIENT_ID = 28  # from there to the timestamp
CLOSE = 30  # behind the timestamp
ENTRY_CELLS = 32

# a row
PRICE_DECIMALS, PRICE_SCALE, TICK_UNITS, TICKS_MAX = 0, 1, 2, 3
QTY_DECIMALS, QTY_SCALE, LOT_UNITS, LOTS_MAX = 4, 5, 6, 7
PLACE = (
    8  # six pieces, from the request's own id to the quantity: LIMIT buy, sell, MARKET buy, sell, POST_ONLY buy, sell
)
CANCEL = 20  # piece: from the request's own id to behind the symbol; empty where frames could get too long
ROW_CELLS = 22
