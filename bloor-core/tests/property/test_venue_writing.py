"""Numbers, texts and client order ids written by address: the same text as Python writes, plain and compiled."""

from __future__ import annotations

from types import ModuleType
from typing import Any

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from bloor.model.decimals import INT64_MAX, format_units
from bloor.native.entries import compiled_entries
from bloor.venue import writing
from bloor.venue.entry import (
    LONGEST,
    ORDER_CLIENT0,
    ORDER_CLIENT1,
    ORDER_INSTRUMENT,
    ORDER_LOTS,
    ORDER_PRICE,
    ORDER_SIDE,
    ORDER_TIF,
    ORDER_TYPE,
    ORDER_VENUE_ID,
    EntryOrder,
    client_cells,
)
from bloor.venue.writing import CLIENT_ID_MAX, DECIMAL_MAX, SPILL

MODULES: tuple[ModuleType, ...] = (writing,)
ENTRIES = (("put_number", 2), ("put_decimal", 4), ("put_client_id", 3), ("put_piece", 2))
CANARY = 0xA5


@pytest.fixture(params=["plain", "compiled"], scope="module")
def write(request: pytest.FixtureRequest) -> Any:
    """Calls a kernel with a place to write at, and gives the text written (None where it answered 0)."""
    compiled = compiled_entries("writing", MODULES, ENTRIES).call if request.param == "compiled" else None
    room = np.zeros(64, np.uint8)

    def call(name: str, *args: int) -> str | None:
        room[:] = CANARY
        kernel = compiled[name] if compiled else getattr(writing, name)
        end = kernel(room.ctypes.data, *args)
        if end == 0:
            return None
        size = end - room.ctypes.data
        assert (room[size + SPILL :] == CANARY).all(), "it wrote further than it may"
        return room[:size].tobytes().decode()

    return call


#: Numbers of every length, and the edges where one gets longer.
numbers = st.one_of(
    st.integers(0, INT64_MAX),
    st.integers(0, 62).map(lambda bits: 1 << bits),
    st.builds(lambda power, by: min(max(10**power + by, 0), INT64_MAX), st.integers(0, 19), st.integers(-1, 1)),
)


@given(value=numbers)
@example(value=0)
@example(value=INT64_MAX)
def test_whole_numbers(write: Any, value: int) -> None:
    """Every int64 that is not negative is written as str writes it."""
    text = write("put_number", value)
    assert text == str(value)
    assert len(text) <= DECIMAL_MAX


@given(units=numbers, decimals=st.integers(0, 18))
@example(units=INT64_MAX, decimals=18)
@example(units=0, decimals=18)
def test_decimal_numbers(write: Any, units: int, decimals: int) -> None:
    """A decimal number is written with exactly its decimals, as the model formats it."""
    text = write("put_decimal", units, decimals, 10**decimals)
    assert text == format_units(units, decimals)
    assert len(text) <= DECIMAL_MAX


@given(client_id=st.text("0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcxyz_-", min_size=15, max_size=CLIENT_ID_MAX))
def test_client_order_ids(write: Any, client_id: str) -> None:
    """An id of 15 or 16 characters comes out as it went into its two cells."""
    assert write("put_client_id", *client_cells(client_id)) == client_id


@given(client_id=st.text("AZ09", max_size=14))
def test_shorter_ids_are_not_written(write: Any, client_id: str) -> None:
    """Cells that hold fewer characters are refused, and so is an id with a byte that is not ASCII at the end."""
    text = client_id.encode().ljust(16, b"\0")
    assert write("put_client_id", int.from_bytes(text[:8], "little"), int.from_bytes(text[8:], "little")) is None
    assert write("put_client_id", int.from_bytes(b"A" * 8, "little"), -1) is None


@given(text=st.binary(max_size=40))
def test_pieces(write: Any, text: bytes) -> None:
    """A text made before is copied as it is."""
    kept = np.frombuffer(text + bytes(SPILL), np.uint8)
    piece = np.array([kept.ctypes.data, len(text)], np.int64)
    room = np.zeros(40 + SPILL, np.uint8)
    end = writing.put_piece(room.ctypes.data, piece.ctypes.data)
    assert room[: end - room.ctypes.data].tobytes() == text


def test_kernels_find_the_fields_of_an_order() -> None:
    """The offsets that kernels use are those of the record."""
    offsets = {name: found[1] for name, found in (EntryOrder.DTYPE.fields or {}).items()}
    assert offsets == {
        "instrument": ORDER_INSTRUMENT, "side": ORDER_SIDE, "type": ORDER_TYPE, "tif": ORDER_TIF,
        "price": ORDER_PRICE, "lots": ORDER_LOTS, "venue_order_id": ORDER_VENUE_ID, "client0": ORDER_CLIENT0,
        "client1": ORDER_CLIENT1,
    }  # fmt: skip
    assert LONGEST == 1024


@pytest.mark.parametrize("client_id", ["", "B0100010000002", "B0100010000002ABC", "B0100010000002Ä"])
def test_other_ids_have_no_cells(client_id: str) -> None:
    """An id that is too short, too long or no ASCII is refused with the text that came."""
    with pytest.raises(ValueError, match=r"15 or 16|ascii"):
        client_cells(client_id)
