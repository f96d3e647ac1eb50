"""The form for keeping: Parquet with integer ticks and units, delta encoding and zstd.

The records are taken in blocks; in each, those of one kind stand together as a row group of their own, so that numbers
that resemble each other are neighbours and a query for trades reads only trades. The column ``row`` is a record's place
in the stream, and with it the stream is restored exactly. Needs pyarrow, which comes with ``bloor-core[data]``.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from bloor.errors import InputFileError, UsageError
from bloor.market.events import EventView
from bloor.model.instrument import Instrument
from bloor.storage.cells import Records

__all__ = ["BLOCK_ROWS", "COLUMNS", "has_parquet", "read_parquet", "write_parquet"]

#: Records that are sorted at a time: 16 MB of them.
BLOCK_ROWS = 1 << 18
#: The columns after ``row``: the fields of an event record but for ``instrument``, which is the file's.
COLUMNS = ("kind", "side", "flags", "seq", "exch_ns", "recv_ns", "price", "qty", "price2", "qty2")
SMALL = ("kind", "side", "flags")
#: Quantities are as chance wills, and the second price is often none or the last one: zstd alone makes less of them
#: than of their differences.
PLAIN = ("qty", "price2", "qty2")
DELTA = ("row", *(name for name in COLUMNS if name not in SMALL + PLAIN))
#: A record is eight cells; the first is made of these.
CELLS = EventView.DTYPE.itemsize // 8
HEAD = np.dtype([("kind", "u1"), ("side", "i1"), ("flags", "<u2"), ("instrument", "<u4")])


def has_parquet() -> bool:
    """Whether Parquet can be written and read here."""
    from importlib.util import find_spec

    return find_spec("pyarrow") is not None


def _pyarrow() -> Any:
    try:
        import pyarrow as pa
        import pyarrow.parquet
    except ImportError:
        raise UsageError("Parquet needs pyarrow, which is not installed: pip install 'bloor-core[data]'") from None
    return pa


def write_parquet(rows: Records, path: Path, instrument: Instrument, *, block_rows: int = BLOCK_ROWS) -> None:
    """Writes records as Parquet.

    Args:
        rows: The records of one instrument, in order; may be memory-mapped.
        path: The file to make.
        instrument: Its name and units go into the file's metadata.
        block_rows: Records sorted at a time.

    Raises:
        UsageError: pyarrow is not installed.
    """
    pa = _pyarrow()
    said = {
        "bloor.venue": instrument.venue,
        "bloor.symbol": instrument.symbol,
        "bloor.price_decimals": str(instrument.price_decimals),
        "bloor.tick_units": str(instrument.tick_units),
        "bloor.qty_decimals": str(instrument.qty_decimals),
    }
    types = [("row", pa.int64()), *((name, pa.from_numpy_dtype(EventView.DTYPE[name])) for name in COLUMNS)]
    schema = pa.schema(types, metadata=said)
    with pa.parquet.ParquetWriter(
        path,
        schema,
        compression="zstd",
        use_dictionary=list(SMALL),
        column_encoding={**dict.fromkeys(DELTA, "DELTA_BINARY_PACKED"), **dict.fromkeys(PLAIN, "PLAIN")},
        write_statistics=["kind", "side", "recv_ns", "exch_ns", "price"],
        data_page_version="2.0",
    ) as writer:
        for begin in range(0, len(rows), block_rows):
            for columns in _by_kind(_block(rows, begin, block_rows), begin):
                # not pa.array, which imports pandas: half a second, and a heap that takes the collector 75 ms to walk
                arrays = [
                    pa.Array.from_buffers(form, len(values), [None, pa.py_buffer(values)])
                    for form, values in zip(schema.types, columns, strict=True)
                ]
                writer.write_table(pa.Table.from_arrays(arrays, schema=schema), row_group_size=block_rows)


def _by_kind(block: Records, begin: int) -> Iterator[list[np.ndarray[Any, Any]]]:
    """The columns of a block's records of one kind after the other, each in the order they came; ``row`` first.

    Args:
        block: Records.
        begin: The place of the first in the stream.
    """
    cells = np.ascontiguousarray(block).view(np.int64).reshape(-1, CELLS)
    heads = cells[:, 0].copy().view(HEAD)
    order = np.argsort(heads["kind"], kind="stable")  # of one byte, thus by counting
    heads = np.take(heads, order)
    columns = [
        order + begin,
        *(np.ascontiguousarray(heads[name]) for name in SMALL),
        *(np.take(cells[:, cell], order) for cell in range(1, CELLS)),
    ]
    begins = np.flatnonzero(np.diff(heads["kind"], prepend=~heads["kind"][:1])).tolist()
    for first, last in zip(begins, [*begins[1:], len(block)], strict=True):
        yield [column[first:last] for column in columns]


def _block(rows: Records, begin: int, count: int) -> Records:
    """Some records; those of a mapped file are read from it, so that its pages are not held."""
    if isinstance(rows, np.memmap) and rows.filename is not None and rows.offset == 0:
        return np.fromfile(rows.filename, rows.dtype, count, offset=begin * rows.dtype.itemsize)
    return rows[begin : begin + count]


def read_parquet(path: Path) -> Records:
    """The records of a file in the order they came, equal to those it was made of.

    Raises:
        UsageError: pyarrow is not installed.
        InputFileError: The file is damaged or is not one of ours.
    """
    pa = _pyarrow()
    try:
        file = pa.parquet.ParquetFile(path)
        rows = np.zeros(file.metadata.num_rows, EventView.DTYPE)
        for group in range(file.num_row_groups):
            table = file.read_row_group(group)
            places = _values(table["row"], np.dtype(np.int64))
            for name in COLUMNS:
                rows[name][places] = _values(table[name], EventView.DTYPE[name])
    except (pa.ArrowException, OSError, KeyError, IndexError) as error:
        raise InputFileError(str(path), f"expected events in Parquet: {error}") from None
    return rows


def _values(column: Any, form: np.dtype[Any]) -> np.ndarray[Any, Any]:
    """The numbers of a column; not by its ``to_numpy``, which imports pandas.

    Raises:
        IndexError: It has none, or is of another type.
    """
    parts = []
    for chunk in column.chunks:
        if chunk.null_count or chunk.type.bit_width != 8 * form.itemsize:
            raise IndexError(f"expected numbers of {form.itemsize} bytes, got {chunk.type}")
        parts.append(np.frombuffer(chunk.buffers()[1], form, len(chunk), chunk.offset * form.itemsize))
    return parts[0] if len(parts) == 1 else np.concatenate([*parts, np.zeros(0, form)])
