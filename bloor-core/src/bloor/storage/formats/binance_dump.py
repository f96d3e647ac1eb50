"""Binance's public files of trades and aggregated trades (data.binance.vision): CSV, plain or zipped.

Source: README of github.com/binance/binance-public-data. Columns, with or without a line of names:

- spot trades: id, price, qty, quote qty, time, buyer is maker, is best match
- USD-M trades: id, price, qty, quote qty, time, buyer is maker
- spot aggregated trades: id, price, qty, first id, last id, time, buyer is maker, is best match
- USD-M aggregated trades: id, price, qty, first id, last id, time, buyer is maker

Times are ms; those of spot files are us since 2025-01-01. There is no receive time.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from attrs import frozen

from bloor.errors import BloorError, InputFileError
from bloor.market.events import EventKind, EventView
from bloor.market.recording import receive_ns
from bloor.storage.cells import Records
from bloor.storage.formats.columns import column_decimals, integers, refine_to
from bloor.storage.formats.lines import batches, first_line

if TYPE_CHECKING:
    from bloor.storage.reading import Reading

__all__ = ["claims", "read"]

_ROW = re.compile(rb"[0-9]+,[0-9.]+,[0-9.]+,[0-9.]+,[0-9]+,.*(?:true|false)", re.IGNORECASE)
_NAMES = (b"id,price,qty,", b"agg_trade_id,price,quantity,", b"trade_id,price,qty,")
_FILE = re.compile(r"(?P<symbol>[^-]+)-(?P<what>trades|aggTrades)-[0-9-]+\Z")
_SIDES = {b"true": -1, b"false": 1}


@frozen
class _Layout:
    """Which column is what."""

    aggregated: bool
    time: int
    maker: int
    columns: tuple[int, ...]


_TRADES = _Layout(aggregated=False, time=4, maker=5, columns=(6, 7))
_AGGREGATED = _Layout(aggregated=True, time=5, maker=6, columns=(7, 8))


def claims(line: bytes) -> bool:
    """Whether a first line is one of these files'."""
    return line.startswith(_NAMES) or bool(_ROW.match(line))


def read(reading: Reading, paths: Sequence[Path]) -> None:
    """Reads files of trades.

    Raises:
        InputFileError: The name says no symbol and none was asked for, or the columns are none of the above.
    """
    for path in paths:
        _read(reading, path)


def _read(reading: Reading, path: Path) -> None:
    named = _FILE.match(path.name.split(".")[0])
    index = reading.instrument(named["symbol"]) if named else reading.only_instrument()
    if index < 0:
        raise InputFileError(
            str(path), "expected a name like BTCUSDT-trades-2024-08-08.zip; say with --symbol whose trades these are"
        )
    if not reading.is_wanted(reading.table[index]):
        return
    reading.begin(str(path))
    keeps = reading.tap.keeps is None or reading.keeps(index)
    layout = _layout(path, first_line(path), named["what"] if named else "")
    for number, lines in batches(path):
        head = 1 if number == 1 and lines[0][:1].isalpha() else 0
        texts = lines[head:]
        reading.read(len(texts))
        rows = _rows(reading, index, layout, texts)
        for some in [rows] if rows is not None else _one_by_one(reading, index, layout, path, number + head, texts):
            if keeps:
                reading.sink.extend(some, index)


def _layout(path: Path, line: bytes, what: str) -> _Layout:
    cells = line.split(b",")
    named = line.startswith(b"agg_trade_id") if line[:1].isalpha() else None
    aggregated = named if named is not None else what == "aggTrades"
    if named is None and not what:
        aggregated = len(cells) == 8 or (len(cells) == 7 and cells[6].strip().lower() in _SIDES and cells[5].isdigit())
    layout = _AGGREGATED if aggregated else _TRADES
    if len(cells) not in layout.columns:
        raise InputFileError(
            str(path), f"expected {' or '.join(map(str, layout.columns))} columns, got {len(cells)}", 1
        )
    return layout


def _rows(reading: Reading, index: int, layout: _Layout, lines: Sequence[bytes]) -> Records | None:
    """Lines as records, a column at a time; None when any of them is not as it should be."""
    if not lines:
        return np.zeros(0, EventView.DTYPE)
    try:
        cells = list(zip(*(line.split(b",") for line in lines), strict=True))
        if len(cells) not in layout.columns:
            return None
        return _columns(reading, index, layout, cells)
    except (ValueError, KeyError, OverflowError, BloorError):
        return None


def _columns(reading: Reading, index: int, layout: _Layout, cells: list[tuple[bytes, ...]]) -> Records:
    """Columns of text as records.

    Raises:
        ValueError: A cell is no number.
        KeyError: A truth is neither true nor false.
        MoneyError: A price or quantity is not exact in the instrument.
    """
    sides = [_SIDES[text.strip().lower()] for text in cells[layout.maker]]
    refine_to(reading.table, index, column_decimals(cells[1]), column_decimals(cells[2]))
    instrument = reading.table[index]
    rows = np.zeros(len(sides), EventView.DTYPE)
    rows["price"] = integers(cells[1], instrument.price_decimals, instrument.tick_units)
    rows["qty"] = integers(cells[2], instrument.qty_decimals, 1)
    if int(rows["price"].min()) <= 0 or int(rows["qty"].min()) <= 0:
        raise ValueError("no trade has price or quantity 0")
    rows["kind"] = EventKind.AGG_TRADE if layout.aggregated else EventKind.TRADE
    rows["side"] = sides
    rows["instrument"] = index
    rows["seq"] = _whole(cells[0])
    rows["exch_ns"] = _times(cells[layout.time])
    if layout.aggregated:
        rows["price2"], rows["qty2"] = _whole(cells[3]), _whole(cells[4])
    return rows


def _whole(texts: Sequence[bytes]) -> np.ndarray[Any, np.dtype[np.int64]]:
    if not all(map(bytes.isdigit, texts)):
        raise ValueError("expected whole numbers")
    return np.array(list(map(int, texts)), np.int64)


def _times(texts: Sequence[bytes]) -> np.ndarray[Any, np.dtype[np.int64]]:
    """Times in ms, us or ns as ns, the unit told by the size."""
    values = _whole(texts)
    for limit, factor in ((10**14, 10**6), (10**17, 10**3)):
        if (values < limit).all() and (values * factor > 10**17).all():
            return values * factor
    return np.array([receive_ns(text.decode()) for text in texts], np.int64)


def _one_by_one(
    reading: Reading, index: int, layout: _Layout, path: Path, number: int, lines: Sequence[bytes]
) -> Iterator[Records]:
    """The lines that can be read, each by itself; the others are told."""
    for offset, line in enumerate(lines):
        row = _rows(reading, index, layout, [line])
        if row is not None:
            yield row
        elif line.strip():
            shown = repr(line[:60].decode("utf-8", "backslashreplace"))
            reading.error(str(path), number + offset, f"expected a trade in {layout.columns[0]} columns, got {shown}")
