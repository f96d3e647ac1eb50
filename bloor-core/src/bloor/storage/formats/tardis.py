"""CSV files of Tardis: ``trades`` and ``incremental_book_L2``, plain or gzip.

Source: docs.tardis.dev, "Downloadable CSV files". Times are us since the epoch. Both have a line of names:

- ``exchange,symbol,timestamp,local_timestamp,id,side,price,amount`` (side: the taker's, ``buy``, ``sell``, ``unknown``)
- ``exchange,symbol,timestamp,local_timestamp,is_snapshot,side,price,amount`` (side: ``bid``, ``ask``)

Rows of one message stand together and share both times. A run of rows with ``is_snapshot`` after one without begins
the book anew. An amount of 0 removes the level. There are no sequence numbers.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from bloor.errors import InputFileError, RemoteProtocolError
from bloor.market.messages import BookMessage, TradeMessage
from bloor.storage.formats.lines import batches, first_line
from bloor.storage.formats.prepared import Prepared, plain

if TYPE_CHECKING:
    from bloor.storage.reading import Reading

__all__ = ["claims", "read"]

_HEAD = b"exchange,symbol,timestamp,local_timestamp,"
_TRADES = _HEAD + b"id,side,price,amount"
_BOOK = _HEAD + b"is_snapshot,side,price,amount"
_TAKER = {"buy": 1, "sell": -1, "unknown": 0}
_SIDES = ("bid", "ask")


class _Row(NamedTuple):
    """One line: of a trade when ``snapshot`` is its id, of a level when it is ``true`` or ``false``."""

    line: int
    symbol: str
    exch_us: int
    recv_us: int
    snapshot: str
    side: str
    price: str
    amount: str


def claims(line: bytes) -> bool:
    """Whether a first line is one of these files'."""
    return line in (_TRADES, _BOOK)


def read(reading: Reading, paths: Sequence[Path]) -> None:
    """Reads files.

    Raises:
        InputFileError: A file has other columns.
    """
    for path in paths:
        head = first_line(path)
        if not claims(head):
            shown = head[:80].decode("utf-8", "backslashreplace")
            raise InputFileError(
                str(path), f"expected the columns {_TRADES.decode()} or {_BOOK.decode()}, got {shown}", 1
            )
        reading.begin(str(path))
        (_read_trades if head == _TRADES else _read_book)(reading, path)


def _read_trades(reading: Reading, path: Path) -> None:
    feed = Prepared(reading)
    for row in _rows(reading, path, _TAKER):
        try:
            message = TradeMessage(
                row.symbol, row.snapshot, plain(row.price), plain(row.amount), _TAKER[row.side], row.exch_us * 1_000
            )
        except RemoteProtocolError as error:
            reading.error(str(path), row.line, str(error))
            continue
        if reason := feed.take(message, row.recv_us * 1_000):
            reading.error(str(path), row.line, reason)


def _read_book(reading: Reading, path: Path) -> None:
    feed = Prepared(reading)
    loading: dict[str, bool] = {}
    rows = _rows(reading, path, _SIDES)
    for (symbol, exch_us, recv_us, snapshot), members in groupby(rows, lambda r: (r.symbol, r[2], r[3], r.snapshot)):
        levels: dict[str, list[tuple[str, str]]] = {"bid": [], "ask": []}
        line = 0
        for row in members:
            line = line or row.line
            levels[row.side].append((_plain(row.price), _plain(row.amount)))
        is_snapshot = snapshot == "true"
        begins = is_snapshot and not loading.get(symbol, False)
        loading[symbol] = is_snapshot
        message = BookMessage(symbol, begins, -1, -1, -1, levels["bid"], levels["ask"], exch_us * 1_000)
        if reason := feed.take(message, recv_us * 1_000):
            reading.error(str(path), line, reason)


def _plain(text: str) -> str:
    """The number as plain text; one that is none is left for the pipeline to refuse."""
    try:
        return plain(text)
    except RemoteProtocolError:
        return text


def _rows(reading: Reading, path: Path, sides: Sequence[str] | dict[str, int]) -> Iterator[_Row]:
    """The rows that can be read; the others are told."""
    for number, lines in batches(path):
        reading.read(len(lines))
        for offset, line in enumerate(lines):
            if number + offset == 1 or not line:
                continue
            row = _row(number + offset, line)
            if row is None or row.side not in sides:
                shown = repr(line[:60].decode("utf-8", "backslashreplace"))
                reading.error(
                    str(path), number + offset, f"expected 8 columns with times in us and a side, got {shown}"
                )
            else:
                yield row


def _row(number: int, line: bytes) -> _Row | None:
    try:
        _, symbol, exch_us, recv_us, *rest = line.decode().split(",")
        what, side, price, amount = rest
        return _Row(number, symbol, int(exch_us), int(recv_us), what, side, price, amount)
    except ValueError:
        return None
