"""Records in numpy memory."""

from __future__ import annotations

from typing import Annotated

import numpy as np
import pytest

from bloor.market.events import NO_PRICE, EventKind, EventView
from bloor.model.records import RecordView, record


def test_the_event_record_is_64_bytes_with_a_fixed_layout() -> None:
    """The layout that stored events and compiled code rely on."""
    fields = EventView.DTYPE.fields
    assert fields is not None
    assert EventView.DTYPE.itemsize == 64
    assert [(n, fields[n][1]) for n in EventView.DTYPE.names or ()] == [
        ("kind", 0), ("side", 1), ("flags", 2), ("instrument", 4), ("seq", 8), ("exch_ns", 16), ("recv_ns", 24),
        ("price", 32), ("qty", 40), ("price2", 48), ("qty2", 56),
    ]  # fmt: skip


def test_python_and_numpy_see_the_same_memory() -> None:
    """A field written by one side is read by the other, in both directions and at every width."""
    event = EventView()
    event.kind, event.side, event.instrument, event.price = EventKind.BBO, -1, 7, NO_PRICE
    row = event.array[0]
    assert (row["kind"], row["side"], row["instrument"], row["price"]) == (3, -1, 7, NO_PRICE)
    event.array["qty2"] = 42
    assert event.qty2 == 42
    assert event.address == event.array.ctypes.data


def test_a_view_of_foreign_memory_is_checked() -> None:
    """A view over an array of another shape or dtype is refused."""
    with pytest.raises(ValueError, match="expected a"):
        EventView(np.zeros(2, EventView.DTYPE))
    with pytest.raises(ValueError, match="expected a"):
        EventView(np.zeros(1, "i8"))


def test_an_unknown_annotation_is_refused() -> None:
    """A field that has no cell type is named."""
    with pytest.raises(TypeError, match=r"Wrong\.name"):

        @record
        class Wrong(RecordView):
            name: str


def test_floats_and_narrow_integers() -> None:
    """Every cell type of the annotations keeps its value."""

    @record
    class Mixed(RecordView):
        ratio: float
        small: Annotated[int, "u2"]
        negative: Annotated[int, "i4"]

    mixed = Mixed()
    mixed.ratio, mixed.small, mixed.negative = 0.5, 65535, -7
    assert (mixed.ratio, mixed.small, mixed.negative) == (0.5, 65535, -7)
    assert "ratio=0.5" in repr(mixed)
