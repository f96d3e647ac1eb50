"""Event arrays of hftbacktest 2: ``.npz`` files whose ``data`` has the fields ``ev, exch_ts, local_ts, px, qty, ...``.

Source: hftbacktest's ``types.py`` and its guide to data. ``ev`` is a kind and flags; rows flagged ``LOCAL_EVENT`` are
what was received, in the order of ``local_ts``, and they are what is imported. Prices are floats there; here they
become the shortest decimal text that is the same float, hence exact ticks. Rows with the same two times are one book
message. Snapshots and clearings change a range of prices and not the whole book, so books begin empty.
"""

from __future__ import annotations

import zipfile
import zlib
from collections.abc import Iterator, Sequence
from decimal import Decimal
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

import numpy as np

from bloor.errors import InputFileError
from bloor.market.events import EventView
from bloor.market.messages import BookMessage, TradeMessage
from bloor.model.orders import Side
from bloor.storage.formats.prepared import Prepared

if TYPE_CHECKING:
    from bloor.storage.reading import Reading

__all__ = ["BUY", "CLEAR", "DEPTH", "DTYPE", "EXCHANGE", "LOCAL", "SELL", "SNAPSHOT", "TRADE", "read"]

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
KIND = 0xFF
EXCHANGE, LOCAL, BUY, SELL = 1 << 31, 1 << 30, 1 << 29, 1 << 28
#: Rows that are taken at a time.
BLOCK_ROWS = 1 << 16
_BOOK = (DEPTH, CLEAR, SNAPSHOT)


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
        _Conversion(reading, path, reading.table[index].venue_symbol).run()


class _Conversion:
    """One array."""

    def __init__(self, reading: Reading, path: Path, venue_symbol: str) -> None:
        self.reading = reading
        self.path = path
        self.symbol = venue_symbol
        self.feed = Prepared(reading, assume_empty=True)
        self.number = 0
        self.times = (0, 0)
        self.bids: list[tuple[str, str]] = []
        self.asks: list[tuple[str, str]] = []

    def run(self) -> None:
        """Takes every row that was received."""
        for block in _blocks(self.path):
            self.reading.read(len(block))
            received = block[block["ev"] & np.uint64(LOCAL) != 0]
            columns = (received[name].tolist() for name in ("ev", "exch_ts", "local_ts", "px", "qty"))
            for ev, exch_ns, recv_ns, price, qty in zip(*columns, strict=True):
                self.number += 1
                self.take(ev, exch_ns, recv_ns, price, qty)
        self.message()

    def take(self, ev: int, exch_ns: int, recv_ns: int, price: float, qty: float) -> None:
        """One row."""
        kind = ev & KIND
        if (exch_ns, recv_ns) != self.times or kind not in _BOOK:
            self.message()
            self.times = (exch_ns, recv_ns)
        if kind in (DEPTH, SNAPSHOT):
            (self.bids if ev & BUY else self.asks).append((decimal_text(price), decimal_text(qty)))
        elif kind == CLEAR:
            self.clear(ev, price)
        elif kind == TRADE:
            side = (1 if ev & BUY else 0) - (1 if ev & SELL else 0)
            self.give(TradeMessage(self.symbol, "", decimal_text(price), decimal_text(qty), side, exch_ns))

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

    def give(self, message: BookMessage | TradeMessage) -> None:
        """Hands a message on."""
        if reason := self.feed.take(message, self.times[1]):
            self.reading.error(str(self.path), self.number, reason)


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
