"""Names for keys of Binance's objects, and the scratch cells of a context that the kernels here use.

A key is a number from 1 to 62, so that one cell says with a bit for each which keys an object has: a single character
is its code less 64, and a few longer keys take numbers that no letter has.
"""

from __future__ import annotations

from bloor.market.compiled.context import LEVEL_ASKS, LEVEL_BIDS, VENUE

__all__ = ["AT", "SEEN"]

# keys of one character
KEY_A, KEY_B, KEY_E, KEY_P, KEY_Q, KEY_T, KEY_U, KEY_V, KEY_X = 1, 2, 5, 16, 17, 20, 21, 22, 24
KEY_a, KEY_b, KEY_c, KEY_e, KEY_f, KEY_h, KEY_i, KEY_k, KEY_l = 33, 34, 35, 37, 38, 40, 41, 43, 44
KEY_m, KEY_n, KEY_o, KEY_p, KEY_q, KEY_r, KEY_s, KEY_t, KEY_u = 45, 46, 47, 48, 49, 50, 51, 52, 53
KEY_v, KEY_x = 54, 56
# longer keys
KEY_pu, KEY_lastUpdateId, KEY_bids, KEY_asks = 59, 60, 61, 62
#: The keys of an envelope, which an event does not have: an object that has them elsewhere is the reference's.
KEY_ENVELOPE = -1

# cells of the context
SEEN = VENUE  # a bit for each key of the object
SLOT = VENUE + 1  # address of the slot of the instrument; 0 when not known
BIDS = LEVEL_BIDS  # how many bid levels are in the scratch rows; -1 when they were not read yet
ASKS = LEVEL_ASKS
STREAM = VENUE + 4  # what the stream's name says: one of the next four
MISSES = VENUE + 5  # frames that had no shape (`shapes`)
AT = VENUE + 8  # address of the value of each key, 63 cells

#: No envelope.
STREAM_NONE = 0
#: An envelope whose stream is no depth stream, or one with changes.
STREAM_PLAIN = 1
STREAM_DEPTH = 2
#: A stream of the best 5, 10 or 20 levels.
STREAM_PARTIAL = 3

#: Value of the context's settings: 0 for spot.
USDM = 1
