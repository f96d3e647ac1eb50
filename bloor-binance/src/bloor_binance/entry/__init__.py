"""Order entry at Binance spot in machine code; see :mod:`bloor.venue.entry`."""
