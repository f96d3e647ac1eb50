"""Event arrays of hftbacktest 2: ``.npz`` files whose ``data`` has the fields ``ev, exch_ts, local_ts, px, qty, ...``.

Source: hftbacktest's ``types.py`` and its guide to data. ``ev`` is a kind and flags; rows flagged ``LOCAL_EVENT`` are
what was received, in the order of ``local_ts``, and they are what is imported. Prices are floats there; here they
become the shortest decimal text that is the same float, hence exact ticks. Rows with the same two times are one book
message. Snapshots and clearings change a range of prices and not the whole book, so books begin empty.

Order-level arrays (market by order) have rows that add, cancel, modify and fill orders, by ``order_id``, in place of
changes of levels. A filled order leaves, or becomes smaller, with a row that follows; a modified one that becomes
smaller at its price keeps its place; a clearing removes all orders of a side.
"""

from __future__ import annotations

import zipfile
import zlib
from collections.abc import Iterator, Sequence
from decimal import Decimal
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

import numpy as np

from bloor.errors import InputFileError, MoneyError, RemoteProtocolError
from bloor.market.events import EventView
from bloor.market.messages import BookMessage, TradeMessage
from bloor.market.orders import OrderChange, OrderQueues
from bloor.model.orders import Side
from bloor.storage.formats.prepared import Prepared

if TYPE_CHECKING:
    from bloor.storage.reading import Reading

__all__ = [
    "ADD",
    "BUY",
    "CANCEL",
    "CLEAR",
    "DEPTH",
    "DTYPE",
    "EXCHANGE",
    "FILL",
    "LOCAL",
    "MODIFY",
    "SELL",
    "SNAPSHOT",
    "TRADE",
    "read",
]

#: The fields of an event.
DTYPE = np.dtype(
    [
        ("ev", "<u8"),
        ("exch_ts", "<i8"),
        ("local_ts", "<i8"),
        ("px", "<f8"),
        ("qty", "<f8"),
        ("order_id", "<u8"),
        ("ival", "<i8"),
        ("fval", "<f8"),
    ]
)
DEPTH, TRADE, CLEAR, SNAPSHOT = 1, 2, 3, 4
ADD, CANCEL, MODIFY, FILL = 10, 11, 12, 13
KIND = 0xFF
EXCHANGE, LOCAL, BUY, SELL = 1 << 31, 1 << 30, 1 << 29, 1 << 28
#: Rows that are taken at a time.
BLOCK_ROWS = 1 << 16
_LEVELS, _ORDERS = (DEPTH, SNAPSHOT), (ADD, CANCEL, MODIFY, FILL)
_BOOK = (*_LEVELS, CLEAR, *_ORDERS)


def read(reading: Reading, paths: Sequence[Path]) -> None:
    """Reads arrays.

    Raises:
        InputFileError: A file is not such an array, or it was not said whose events these are.
    """
    for path in paths:
        index = reading.only_instrument()
        if index < 0:
            raise InputFileError(
                str(path), "an array does not say whose events it has: name the instrument with --symbol"
            )
        reading.begin(str(path))
        _Conversion(reading, path, index).run()


class _Conversion:
    """One array."""

    def __init__(self, reading: Reading, path: Path, index: int) -> None:
        self.reading = reading
        self.path = path
        self.index = index
        self.symbol = reading.table[index].venue_symbol
        self.of_levels = False
        self.feed = Prepared(reading, assume_empty=True)
        self.number = 0
        self.times = (0, 0)
        self.bids: list[tuple[str, str]] = []
        self.asks: list[tuple[str, str]] = []
        self.queues: OrderQueues | None = None
        self.changes: list[OrderChange] = []
        self.early: dict[int, Decimal] = {}

    def run(self) -> None:
        """Takes every row that was received."""
        for block in _blocks(self.path):
            self.reading.read(len(block))
            received = block[block["ev"] & np.uint64(LOCAL) != 0]
            names = ("ev", "exch_ts", "local_ts", "px", "qty")
            ids = received["order_id"] if "order_id" in (received.dtype.names or ()) else np.zeros(len(received), "u8")
            columns = (*(received[name].tolist() for name in names), ids.tolist())
            for ev, exch_ns, recv_ns, price, qty, order in zip(*columns, strict=True):
                self.number += 1
                self.take(ev, exch_ns, recv_ns, price, qty, order)
        self.message()

    def take(self, ev: int, exch_ns: int, recv_ns: int, price: float, qty: float, order: int) -> None:
        """One row."""
        kind = ev & KIND
        if (exch_ns, recv_ns) != self.times or kind not in _BOOK:
            self.message()
            self.times = (exch_ns, recv_ns)
        if kind in _LEVELS:
            self.expect(by_order=False)
            (self.bids if ev & BUY else self.asks).append((decimal_text(price), decimal_text(qty)))
        elif kind in _ORDERS:
            self.expect(by_order=True)
            self.take_order(ev, price, qty, order)
        elif kind == CLEAR and self.queues is not None:
            self.changes += self.queues.clear(_side(ev))
        elif kind == CLEAR:
            self.clear(ev, price)
        elif kind == TRADE:
            self.give(TradeMessage(self.symbol, "", decimal_text(price), decimal_text(qty), _side(ev), exch_ns))

    def expect(self, *, by_order: bool) -> None:
        """Sees to it that an array has changes of levels or of orders, not of both.

        Raises:
            InputFileError: It has both.
        """
        known = self.reading.tap.queues.get(self.index)
        if by_order and known is None:
            if self.of_levels:
                raise InputFileError(str(self.path), self.mixed(self.number))
            known = self.reading.tap.queues[self.index] = OrderQueues()
        elif not by_order and known is not None:
            raise InputFileError(str(self.path), self.mixed(self.number))
        self.of_levels, self.queues = not by_order, known

    @staticmethod
    def mixed(number: int) -> str:
        """What is wrong with an array that has changes of levels and of orders."""
        return f"expected changes of levels or of orders, got both: row {number} is the first of the other kind"

    def take_order(self, ev: int, price: float, qty: float, order: int) -> None:
        """One row that is about an order."""
        kind, queues = ev & KIND, self.queues
        assert queues is not None
        try:
            if kind == ADD:
                self.changes += queues.add(order, _side(ev), decimal_text(price), decimal_text(qty))
            elif kind == FILL:
                self.changes += self.printed(order, queues.execute(order, decimal_text(qty)))
            elif kind == CANCEL:
                self.changes += self.also(order, queues.cancel(order))
            else:
                self.changes += self.also(order, queues.modify(order, decimal_text(price), decimal_text(qty)))
        except RemoteProtocolError as error:
            self.reading.error(str(self.path), self.number, str(error))

    def printed(self, order: int, changes: list[OrderChange]) -> list[OrderChange]:
        """What was executed of an order, if the instrument's units are fine enough; else it waits for its change."""
        for each in changes:
            try:
                self.reading.table[self.index].parse_qty(each.executed)
            except MoneyError:
                self.early[order] = self.early.get(order, Decimal(0)) + Decimal(each.executed)
                return []
        return changes

    def also(self, order: int, changes: list[OrderChange]) -> list[OrderChange]:
        """A change of an order, with what was executed of it and is not told yet."""
        executed = self.early.pop(order, None)
        return changes if executed is None else [changes[0]._replace(executed=f"{executed:f}"), *changes[1:]]

    def clear(self, ev: int, price: float) -> None:
        """Removes the levels of a side up to a price, all without one."""
        self.message()
        book = self.feed.pipeline.book(self.symbol)
        if book is None:
            return
        unit = book.instrument
        limit = Decimal(decimal_text(price)) if np.isfinite(price) and price > 0 and ev & (BUY | SELL) else None
        for side, flag, rows in ((Side.BUY, BUY, self.bids), (Side.SELL, SELL, self.asks)):
            if not ev & (BUY | SELL) or ev & flag:
                for ticks, _ in book.depth(side):
                    far = limit is not None and (
                        unit.price(ticks) < limit if side is Side.BUY else unit.price(ticks) > limit
                    )
                    if not far:
                        rows.append((unit.format_price(ticks), "0"))

    def message(self) -> None:
        """Gives the book message that was collected."""
        if self.bids or self.asks:
            self.give(BookMessage(self.symbol, False, -1, -1, -1, self.bids, self.asks, self.times[0]))
            self.bids, self.asks = [], []
        if self.changes and self.queues is not None:
            changes, self.changes = self.changes, []
            if reason := self.feed.take_orders(self.symbol, self.queues, changes, self.times):
                self.reading.error(str(self.path), self.number, reason)

    def give(self, message: BookMessage | TradeMessage) -> None:
        """Hands a message on."""
        if reason := self.feed.take(message, self.times[1]):
            self.reading.error(str(self.path), self.number, reason)


def _side(ev: int) -> int:
    """+1 for a row of a buyer, -1 of a seller, 0 of neither or both."""
    return (1 if ev & BUY else 0) - (1 if ev & SELL else 0)


def decimal_text(value: float) -> str:
    """The shortest decimal number that is this float, without exponent; text that is no number for no number."""
    text = repr(value)
    if text.endswith(".0"):
        return text[:-2]
    return f"{Decimal(text):f}" if "e" in text else text


def _blocks(path: Path) -> Iterator[np.ndarray[Any, Any]]:
    """The rows of the array, some at a time."""
    try:
        with zipfile.ZipFile(path) as archive:
            names = archive.namelist()
            name = "data.npy" if "data.npy" in names else names[0] if len(names) == 1 else ""
            if not name:
                raise InputFileError(str(path), f"expected an array named data, got {', '.join(names) or 'none'}")
            with archive.open(name) as file:
                yield from _rows(path, file)
    except (OSError, EOFError, ValueError, zlib.error, zipfile.BadZipFile) as error:
        raise InputFileError(str(path), f"cannot be read as an array: {error}") from None


def _rows(path: Path, file: IO[bytes]) -> Iterator[np.ndarray[Any, Any]]:
    version = np.lib.format.read_magic(file)
    read_header = np.lib.format.read_array_header_1_0 if version == (1, 0) else np.lib.format.read_array_header_2_0
    shape, _, dtype = read_header(file)
    wanted = DTYPE.names or ()
    if len(shape) != 1 or dtype.hasobject or dtype.names is None or not set(wanted[:5]) <= set(dtype.names):
        raise InputFileError(
            str(path), f"expected rows with the fields {', '.join(wanted)}, got {dtype} of shape {shape}"
        )
    left = int(shape[0])
    while left:
        content = file.read(min(left, BLOCK_ROWS) * dtype.itemsize)
        block = np.frombuffer(content[: len(content) // dtype.itemsize * dtype.itemsize], dtype)
        if not len(block):
            raise InputFileError(str(path), f"the array ends {left} rows too early")
        left -= len(block)
        yield block


assert DTYPE.itemsize == EventView.DTYPE.itemsize
