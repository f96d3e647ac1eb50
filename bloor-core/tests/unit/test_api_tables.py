"""Tables of the Python API."""

from __future__ import annotations

from decimal import Decimal

import numpy as np
import pytest

from bloor.api.tables import Table
from bloor.errors import UsageError

ROWS = [
    {"n": 1, "price": Decimal("1.50"), "side": "buy", "ok": True, "levels": ["1", "2"], "gone": 3},
    {"n": 2, "price": Decimal("0.25"), "side": "sell", "ok": False, "levels": None},
]


def test_a_table_is_a_sequence_of_rows() -> None:
    """Rows by index and slice, columns in the order in which they appear."""
    table = Table(ROWS)
    assert (len(table), table[1], list(table)) == (2, ROWS[1], ROWS)
    assert table.columns == ("n", "price", "side", "ok", "levels", "gone")
    assert list(table[:1]) == ROWS[:1]
    assert table[:1].columns == table.columns
    assert table.column("gone") == [3, None]
    with pytest.raises(UsageError, match=r"expected one of n, price, side.*got 'nothing'"):
        table.column("nothing")


def test_columns_become_arrays_of_their_kind() -> None:
    """Integers, floats for decimals and for what is missing, text, truth, objects."""
    made = Table(ROWS).to_numpy()
    kinds = {name: made.dtype[name].kind for name in made.dtype.names}
    assert kinds == {"n": "i", "price": "f", "side": "U", "ok": "b", "levels": "O", "gone": "f"}
    assert made["price"].tolist() == [1.5, 0.25]
    assert np.isnan(made["gone"][1])
    assert made["levels"][0] == ["1", "2"]
    assert Table([], ("n", "price")).to_numpy().dtype.names == ("n", "price")


def test_frames_hold_the_same() -> None:
    """pandas and polars, an empty table too."""
    table = Table(ROWS)
    assert table.to_pandas()["price"].tolist() == table.to_polars()["price"].to_list() == [1.5, 0.25]
    assert table.to_polars().columns == list(table.columns)
    empty = Table([], ("n", "price"))
    assert list(empty.to_pandas().columns) == empty.to_polars().columns == ["n", "price"]


def test_html_is_escaped_and_short() -> None:
    """What a venue or a user wrote is no markup, and a long table is cut in the middle."""
    html = Table([{"reason": "<script>alert(1)</script>"}])._repr_html_()
    assert "<script>" not in html
    assert "&lt;script&gt;" in html
    long = Table([{"n": n} for n in range(1000)])._repr_html_()
    assert long.count("<tr>") == 22
    assert "1,000 rows" in long
