"""The kernels below a compiled book message, one by one, as plain Python."""

from __future__ import annotations

from datetime import UTC, datetime
from zlib import crc32

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bloor_kraken.compiled.crc import crc32_of, make_tables
from bloor_kraken.compiled.numbers import in_units, put_digits, read_bare
from bloor_kraken.compiled.times import time_at
from bloor_kraken.frames.fields import epoch_ns

room = np.zeros(1024, np.int64)
tables = np.zeros(1024, np.int64)
make_tables(tables.ctypes.data)


def placed(text: bytes) -> int:
    """The address of a text with a NUL behind it."""
    room.view(np.uint8)[: len(text) + 8] = np.frombuffer(text + b"\0" * 8, np.uint8)
    return int(room.ctypes.data)


@given(value=st.integers(0, 10**18 - 1) | st.integers(0, 18).map(lambda n: 10**n - (n > 3)))
def test_digits_are_written_without_leading_zeros(value: int) -> None:
    """As ``str`` writes them."""
    at = placed(b"")
    end = put_digits(at, value)
    assert room.view(np.uint8)[: end - at].tobytes() == str(value).encode()


@given(text=st.binary(max_size=800))
def test_the_sum_is_zlibs(text: bytes) -> None:
    """Of every length."""
    at = placed(text)
    assert crc32_of(tables.ctypes.data, at, at + len(text)) == crc32(text)


@pytest.mark.parametrize(
    ("text", "value", "decimals"),
    [
        (b"0.00000000,", 0, 8), (b"78871.5}", 788715, 1), (b"12", 12, 0), (b"0,", 0, 0), (b"01", -1, 0),
        (b"1.", -1, 0), (b".5", -1, 0), (b"1e5", -1, 0), (b"1.5E5", -1, 0), (b"-1", -1, 0), (b"", -1, 0),
        (b"12345678901234567", 12345678901234567, 0), (b"123456789012345678", -1, 0), (b"1.12345678901234567", -1, 0),
    ],
)  # fmt: skip
def test_a_bare_number(text: bytes, value: int, decimals: int) -> None:
    """Digits with at most one dot between them; anything else is left to the reference."""
    at = placed(text)
    found, places, behind = read_bare(at)
    assert (found, places) == (value, decimals)
    if value >= 0:
        assert text[behind - at :] in (b"", b",", b"}")


@pytest.mark.parametrize(
    ("value", "decimals", "wanted", "units"),
    [(15, 1, 3, 1500), (1500, 3, 1, 15), (1501, 3, 1, -1), (10**17, 0, 1, -1), (0, 8, 0, 0), (7, 2, 2, 7)],
)
def test_units(value: int, decimals: int, wanted: int, units: int) -> None:
    """Exact, or not at all."""
    assert in_units(value, decimals, wanted) == units


@given(st.datetimes(datetime(2000, 1, 1), datetime(2199, 12, 31, 23, 59, 59, 999_999)))  # noqa: DTZ001 (naive bounds)
def test_a_time_is_that_of_the_reference(when: datetime) -> None:
    """To the microsecond."""
    text = f"{when:%Y-%m-%dT%H:%M:%S.%f}Z"
    seconds = int(when.replace(microsecond=0, tzinfo=UTC).timestamp())
    assert time_at(placed(text.encode())) == seconds * 10**9 + when.microsecond * 1000
    assert epoch_ns("x", "x", text) == time_at(placed(text.encode()))


@pytest.mark.parametrize(
    "text",
    [
        "2023-02-29T00:00:00.000000Z", "2024-02-30T00:00:00.000000Z", "2024-13-01T00:00:00.000000Z",
        "2024-04-31T00:00:00.000000Z", "2024-01-01T24:00:00.000000Z", "2024-01-01T00:60:00.000000Z",
        "2024-01-01T00:00:60.000000Z", "1999-01-01T00:00:00.000000Z", "2024-01-01 00:00:00.000000Z",
        "2024-01-01T00:00:00.0000000", "2024-00-01T00:00:00.000000Z", "2024-01-00T00:00:00.000000Z",
        "2024-01-01T00:00:0x.000000Z",
    ],
)  # fmt: skip
def test_another_time_is_left_to_the_reference(text: str) -> None:
    """No such day, no such hour, another form."""
    assert time_at(placed(text.encode())) == -1
