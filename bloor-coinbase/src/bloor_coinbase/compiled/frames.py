"""The entry: which channel a frame is of (kernel; hot path)."""

from __future__ import annotations

from bloor.market.compiled.answers import UNSURE
from bloor.native.memory import Cells, cell_at
from bloor_coinbase.compiled.envelope import read_envelope
from bloor_coinbase.compiled.fields import market_trades, ticker
from bloor_coinbase.compiled.level2 import level2
from bloor_coinbase.compiled.words import cell

__all__ = ["step"]

#: The shortest frame that is looked at.
SHORTEST = 120
CHANNEL_0, CHANNEL_4 = cell(b'{"channe'), cell(b'annel":"')
BOOK, TICKER = cell(b'l2_data"'), cell(b'ticker",')
TRADES_0, TRADES_6 = cell(b"market_t"), cell(b'_trades"')


def step(context: Cells, text: int, size: int, recv_ns: int) -> int:
    """Takes one frame; see :class:`bloor.market.normalizer.CompiledNormalizer`."""
    end = text + size
    if size < SHORTEST or cell_at(text) != CHANNEL_0 or cell_at(text + 4) != CHANNEL_4:
        return UNSURE
    p = text + 12
    name = cell_at(p)
    if name == BOOK:
        p = read_envelope(context, p + 8, end)
        return level2(context, p, end, recv_ns) if p != 0 else UNSURE
    if name == TICKER:
        p = read_envelope(context, p + 7, end)
        return ticker(context, p, end, recv_ns) if p != 0 else UNSURE
    if name == TRADES_0 and cell_at(p + 6) == TRADES_6:
        p = read_envelope(context, p + 14, end)
        return market_trades(context, p, end, recv_ns) if p != 0 else UNSURE
    return UNSURE
