"""Rows with named columns, as notebooks want them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal
from html import escape
from typing import Any, overload

import numpy as np

from bloor.errors import UsageError

__all__ = ["Table", "html_table"]

#: Rows that a notebook shows of a long table.
SHOWN = 20


class Table(Sequence[Mapping[str, Any]]):
    """Rows, each a mapping; money as exact decimals, times as ns since the epoch.

    Args:
        rows: The rows.
        columns: Names of the columns, in order; None takes those of the rows as they come.
    """

    def __init__(self, rows: Sequence[Mapping[str, Any]], columns: Sequence[str] | None = None) -> None:
        self._rows = rows
        #: Names of the columns.
        self.columns: tuple[str, ...] = tuple(
            dict.fromkeys(key for row in rows for key in row) if columns is None else columns
        )

    def __len__(self) -> int:
        return len(self._rows)

    @overload
    def __getitem__(self, index: int) -> Mapping[str, Any]: ...
    @overload
    def __getitem__(self, index: slice) -> Table: ...
    def __getitem__(self, index: int | slice) -> Mapping[str, Any] | Table:
        return Table(self._rows[index], self.columns) if isinstance(index, slice) else self._rows[index]

    def __iter__(self) -> Iterator[Mapping[str, Any]]:
        return iter(self._rows)

    def column(self, name: str) -> list[Any]:
        """The cells of one column; None where a row has none.

        Raises:
            UsageError: There is no such column.
        """
        if name not in self.columns:
            raise UsageError(f"column: expected one of {', '.join(self.columns) or 'none'}, got {name!r}")
        return [row.get(name) for row in self._rows]

    def to_numpy(self) -> np.ndarray[Any, Any]:
        """A structured array with a field per column: int64, float64 (decimals too), bool or text.

        A cell that is missing is NaN, an empty text, or None in a column of objects.
        """
        columns = {name: _array([row.get(name) for row in self._rows]) for name in self.columns}
        made = np.empty(len(self._rows), [(name, values.dtype) for name, values in columns.items()])
        for name, values in columns.items():
            made[name] = values
        return made

    def to_pandas(self) -> Any:
        """A pandas data frame; decimals become floats.

        Raises:
            UsageError: pandas is not installed.
        """
        try:
            import pandas as pd
        except ImportError:
            raise UsageError("to_pandas needs pandas, which is not installed: pip install pandas") from None
        return pd.DataFrame({name: _cells(self.column(name)) for name in self.columns}, columns=list(self.columns))

    def to_polars(self) -> Any:
        """A polars data frame; decimals become floats.

        Raises:
            UsageError: polars is not installed.
        """
        try:
            import polars as pl
        except ImportError:
            raise UsageError("to_polars needs polars, which is not installed: pip install polars") from None
        return pl.DataFrame({name: _cells(self.column(name)) for name in self.columns}, strict=False)

    def __repr__(self) -> str:
        return f"<Table of {len(self):,} rows: {', '.join(self.columns)}>"

    def _repr_html_(self) -> str:
        rows = self._rows if len(self) <= SHOWN else [*self._rows[: SHOWN // 2], {}, *self._rows[-SHOWN // 2 :]]
        return html_table(self.columns, rows) + f"<p>{len(self):,} rows</p>"


def html_table(columns: Sequence[str], rows: Sequence[Mapping[str, Any]]) -> str:
    """Rows as an HTML table; an empty row becomes an ellipsis."""
    head = "".join(f"<th>{escape(name)}</th>" for name in columns)
    body = "".join(
        "<tr>"
        + "".join(f"<td>{escape(_shown(row.get(name, '' if row else '...')))}</td>" for name in columns)
        + "</tr>"
        for row in rows
    )
    return f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"


def _shown(value: Any) -> str:
    if isinstance(value, Decimal):
        return f"{value:f}"
    return "" if value is None else str(value)


def _cells(values: Sequence[Any]) -> list[Any]:
    return [float(value) if isinstance(value, Decimal) else value for value in values]


def _array(values: Sequence[Any]) -> np.ndarray[Any, Any]:
    """One column as an array of the narrowest of the kinds that hold it."""
    kinds = {type(value) for value in values if value is not None}
    if kinds <= {str}:
        return np.array([value or "" for value in values], np.str_)
    complete = None not in values
    if kinds <= {bool} and complete:
        return np.array(values, np.bool_)
    if kinds <= {int} and complete:
        return np.array(values, np.int64)
    if kinds <= {int, float, Decimal}:
        return np.array([np.nan if value is None else float(value) for value in values], np.float64)
    made = np.empty(len(values), np.object_)
    made[:] = values
    return made
