"""The scratch cells of a context that the kernels here use."""

from __future__ import annotations

from bloor.market.compiled.context import LEVEL_ASKS, LEVEL_BIDS, VENUE

__all__ = ["SENT"]

# cells of the context
BIDS, ASKS = LEVEL_BIDS, LEVEL_ASKS
SENT = VENUE  # the frame's time, ns since the epoch
SEQ = VENUE + 1  # its number on the connection
SNAPSHOT = VENUE + 2  # whether its event is a snapshot: 1 or 0
SLOT = VENUE + 3  # address of the slot of its instrument
NEWEST = VENUE + 4  # newest time of the levels; 0 before the first
TIME_AT = VENUE + 5  # address of the text of the last time that was read in this frame; 0 before the first
TIME_SIZE = VENUE + 6  # its bytes, the closing quote among them
AT = VENUE + 8  # addresses of the values of an object's fields
