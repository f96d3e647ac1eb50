"""The memory that a compiled normalizer works in, and the instruments it knows: one context for each pipeline.

A context is one int64 array whose address never changes. Its cells hold addresses of other arrays, which this class
keeps alive, the sequence rule, and the venue's settings and scratch cells. Each known instrument has a slot of
:data:`SLOT_CELLS` cells, found by the bytes of its venue symbol in a hash table; the cells of its book say where that
is (:mod:`bloor.market.ladder`). The functions below are kernels; the class is for the pipeline.
"""

from __future__ import annotations

import numpy as np

from bloor.market.compiled.sequence import RULES
from bloor.market.connection import NOTHING_YET, ConnectionNumbers
from bloor.market.events import EventView
from bloor.market.normalizer import SequenceRule
from bloor.model.instrument import Instrument
from bloor.native.clock import WallClock
from bloor.native.memory import Cells, byte_at, cell_at

__all__ = [
    "CONTEXT_CELLS",
    "LEVELS_CAP",
    "LONGEST_SYMBOL",
    "MEMORY_CELLS",
    "Context",
    "find_slot",
]

# cells of a context
EVENT = 0  # address of the event records: two, for kinds that make two
LEVELS = 1  # address of the scratch rows (price, quantity)
SYMBOLS = 2  # address of the hash table: number of the slot plus one, 0 where free
SYMBOL_MASK = 3
SLOTS = 4  # address of the slots
RULE = 5  # how changes are numbered: CONTIGUOUS, PREVIOUS, NONE of `sequence`
SETTINGS = 6  # the venue's own
LAST_TRADE = 7  # id of the newest trade
LEVEL_BIDS = 8  # how many of the scratch rows, from the first, are bids of the present message; -1 before they are read
LEVEL_ASKS = 9  # how many rows after them are asks
CLOCK = 10  # address of the wall clock for frames that come without a time
MEMORY = 11  # address of cells that are the venue's own, zero at first and whenever slots move
ROWS = 12  # how many scratch rows there are
CONNECTION = 13  # number of the newest frame of the connection, where the venue numbers it; -1 before the first
ROWS_NEEDED = 14  # with the answer NEEDS_ROOM: how many levels the message has, at most
SLOT_NEEDED = 15  # and the number of the slot of its instrument
CHECKED = 16  # how many book messages were applied whose checksum agreed, since the pipeline last counted them
VENUE = 24  # from here on: the venue's scratch cells
CONTEXT_CELLS = 160
#: How many cells of its own a venue has.
MEMORY_CELLS = 1 << 13

#: Rows of scratch at first; for a message with more levels it is the reference's, or room is made (``NEEDS_ROOM``).
LEVELS_CAP = 1 << 14

# cells of a slot
NUMBER = 0  # the slot's own number
BOOK = 1  # address of the book's core; 0 without a book
INSTRUMENT = 2  # index in the table of the run
PRICE_DECIMALS, PRICE_SCALE, TICK_UNITS, QTY_DECIMALS, QTY_SCALE = 3, 4, 5, 6, 7
LENGTH = 8  # bytes of the venue symbol
NAME = 9  # the symbol's bytes, four cells of eight
NEWEST_TRADE = 13  # number of the newest trade that compiled code took, where it keeps that; -1 before the first one
DEPTH = 14  # levels a side that the venue's book keeps; 0 for all
SENT_PRICE_DECIMALS, SENT_QTY_DECIMALS = 15, 16  # decimals in which the levels of its book are sent; -1 when not known
SLOT_CELLS = 24
SLOT_BYTES = 8 * SLOT_CELLS
#: Bytes of the longest venue symbol that has a slot.
LONGEST_SYMBOL = 32
#: Powers of ten above it are of no use: see :func:`bloor.market.compiled.text.read_decimal`.
SCALE_DECIMALS_MAX = 17
#: Keeps hashes below 2**63 when they are multiplied.
HASH_MASK = (1 << 40) - 1


def find_slot(table: int, mask: int, slots: int, start: int, end: int, upper: int) -> int:
    """The address of the slot of the symbol between two addresses; 0 when there is none.

    Args:
        table: Address of the hash table.
        mask: Its size less one.
        slots: Address of the slots.
        start: The symbol's first byte.
        end: Behind its last byte.
        upper: 1 when small letters count as capital ones; then a name beyond ASCII is not found.
    """
    length = end - start
    if length < 1 or length > LONGEST_SYMBOL:
        return 0
    name0 = name1 = name2 = name3 = code = 0
    for i in range(length):
        c = byte_at(start + i)
        if upper == 1:
            if c >= 128:
                return 0
            if 97 <= c <= 122:
                c -= 32
        code = (code * 31 + c) & HASH_MASK
        placed = c << (8 * (i & 7))
        if i < 8:
            name0 |= placed
        elif i < 16:
            name1 |= placed
        elif i < 24:
            name2 |= placed
        else:
            name3 |= placed
    i = code & mask
    while True:
        number = cell_at(table + 8 * i)
        if number == 0:
            return 0
        slot = slots + (number - 1) * SLOT_BYTES
        at = slot + 8 * NAME
        if (
            cell_at(slot + 8 * LENGTH) == length
            and cell_at(at) == name0
            and cell_at(at + 8) == name1
            and cell_at(at + 16) == name2
            and cell_at(at + 24) == name3
        ):
            return slot
        i = (i + 1) & mask


def symbol_code(name: bytes) -> int:
    """The hash of a symbol: where its probe begins."""
    code = 0
    for c in name:
        code = (code * 31 + c) & HASH_MASK
    return code


class SharedNumbers(ConnectionNumbers):
    """The numbers of a connection where compiled code reads and writes them too."""

    __slots__ = ("_cell",)

    def __init__(self, cell: memoryview) -> None:
        self._cell = cell

    @property
    def last(self) -> int:
        """Number of the newest frame."""
        return int(self._cell[0])

    @last.setter
    def last(self, seq: int) -> None:
        self._cell[0] = seq


class Context:
    """The arrays of one compiled normalizer.

    Attributes:
        cells: The context, ``(CONTEXT_CELLS,)`` int64; its address never changes.
        event: The first event record, rewritten for each message.
        second: The second record, of kinds that make two.
        connection: The numbers of the connection, in one of the cells.
        clock: When a frame was received that came without a time.
    """

    def __init__(self, rule: SequenceRule, settings: int = 0) -> None:
        """Makes a context that knows no instrument.

        Args:
            rule: How the venue numbers changes.
            settings: The venue's own cell.
        """
        self._events = np.zeros(2, EventView.DTYPE)
        self.event = EventView(self._events[:1])
        self.second = EventView(self._events[1:])
        self._slots = np.zeros((8, SLOT_CELLS), np.int64)
        self._known: dict[str, int] = {}
        self.cells = np.zeros(CONTEXT_CELLS, np.int64)
        self.cells[EVENT] = self._events.ctypes.data
        self.make_rows(LEVELS_CAP)
        self.cells[CONNECTION] = NOTHING_YET
        self.connection = SharedNumbers(memoryview(self.cells.data)[CONNECTION : CONNECTION + 1])
        self.cells[RULE] = RULES[rule.name]
        self.cells[SETTINGS] = settings
        self._memory = np.zeros(MEMORY_CELLS, np.int64)
        self.cells[MEMORY] = self._memory.ctypes.data
        self.share_clock(WallClock())
        self._trade = memoryview(self.cells.data)[LAST_TRADE : LAST_TRADE + 1]
        self._checked = memoryview(self.cells.data)[CHECKED : CHECKED + 1]
        self._build_table()

    @property
    def address(self) -> int:
        """Where the context lies."""
        return int(self.cells.ctypes.data)

    def share_clock(self, clock: WallClock) -> None:
        """Makes a clock that others read as well the one of this context."""
        self.clock = clock
        self.cells[CLOCK] = clock.address

    def make_rows(self, rows: int) -> None:
        """Makes so many scratch rows; what was in them is gone."""
        self._levels = np.zeros((rows, 2), np.int64)
        self.cells[LEVELS] = self._levels.ctypes.data
        self.cells[ROWS] = rows

    def newest_trade(self, venue_symbol: str) -> int:
        """The number of the newest trade that compiled code took of an instrument; -1 for none."""
        number = self._known.get(venue_symbol)
        return -1 if number is None else int(self._slots[number, NEWEST_TRADE])

    def changed(self) -> tuple[Cells, int]:
        """``(rows, bids)`` of the newest book message: its levels as ``(n, 2)`` ticks and units, the bids first."""
        bids, asks = int(self.cells[LEVEL_BIDS]), int(self.cells[LEVEL_ASKS])
        return self._levels[: bids + asks], bids

    def checked(self) -> int:
        """How many checksums agreed since this was last asked."""
        count, self._checked[0] = self._checked[0], 0
        return count

    @property
    def last_trade(self) -> int:
        """The id of the newest trade."""
        return self._trade[0]

    def register(
        self,
        instrument: Instrument,
        index: int,
        book: Cells | None,
        *,
        depth: int = 0,
        sent_decimals: tuple[int, int] = (-1, -1),
    ) -> int:
        """Makes an instrument known, or says anew what it is.

        Args:
            instrument: As it is now.
            index: Its index in the table of the run.
            book: The core of its book, which the caller keeps alive; None without one.
            depth: Levels a side that the venue's book keeps; 0 for all.
            sent_decimals: Decimals in which prices and quantities of its book are sent; -1 when not known.

        Returns:
            The number of its slot, counted from 0 in the order they are made; -1 when its name does not fit a slot.
        """
        name = instrument.venue_symbol.encode()
        if not 0 < len(name) <= LONGEST_SYMBOL:
            return -1
        number = self._known.get(instrument.venue_symbol)
        if number is None:
            number = self._known[instrument.venue_symbol] = len(self._known)
            if number == len(self._slots):
                self._slots = np.concatenate([self._slots, np.zeros_like(self._slots)])
            self._slots[number, NAME : NAME + 4] = np.frombuffer(name.ljust(LONGEST_SYMBOL, b"\0"), np.int64)
            self._slots[number, LENGTH] = len(name)
            self._slots[number, NEWEST_TRADE] = -1
            self._build_table()
        slot = self._slots[number]
        slot[NUMBER] = number
        slot[INSTRUMENT] = index
        slot[PRICE_DECIMALS] = instrument.price_decimals
        slot[PRICE_SCALE] = 10 ** min(instrument.price_decimals, SCALE_DECIMALS_MAX)
        slot[TICK_UNITS] = min(instrument.tick_units, 1 << 62)
        slot[QTY_DECIMALS] = instrument.qty_decimals
        slot[QTY_SCALE] = 10 ** min(instrument.qty_decimals, SCALE_DECIMALS_MAX)
        slot[BOOK] = 0 if book is None else book.ctypes.data
        slot[DEPTH] = depth
        slot[SENT_PRICE_DECIMALS], slot[SENT_QTY_DECIMALS] = sent_decimals
        return number

    def _build_table(self) -> None:
        """Makes the hash table anew, at least half of it free, and writes where everything lies."""
        size = 16
        while size < 4 * len(self._known):
            size *= 2
        self._table = np.zeros(size, np.int64)
        for symbol, number in self._known.items():
            i = symbol_code(symbol.encode()) & (size - 1)
            while self._table[i]:
                i = (i + 1) & (size - 1)
            self._table[i] = number + 1
        self.cells[SYMBOLS] = self._table.ctypes.data
        self.cells[SYMBOL_MASK] = size - 1
        self.cells[SLOTS] = self._slots.ctypes.data
        self._memory[:] = 0
