"""The scanning kernels against orjson and the exact conversion, compiled and not."""

from __future__ import annotations

import ctypes
from functools import cache
from typing import Any

import orjson
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from bloor.errors import MoneyError
from bloor.market.compiled import text
from bloor.model.decimals import parse_units
from bloor.native.linking import linked
from bloor.native.twins import twins

json_values = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**63) | st.floats(allow_nan=False) | st.text(max_size=12),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=4), inner, max_size=4),
    max_leaves=20,
)
changes = st.lists(
    st.tuples(st.integers(0, 200), st.sampled_from(b'0123456789".,:{}[]eE-+ \\\0abtrue\x80\xc3')), max_size=3
)
digits = st.text("0123456789", max_size=22)
numbers = st.one_of(
    st.builds("{}.{}".format, digits, digits),
    st.builds("{}.{:08}".format, st.integers(0, 10**12), st.integers(0, 10**8 - 1)),
    st.builds("{}.{}000000".format, st.integers(0, 10**9), st.integers(10, 99)),
    digits,
    st.text("0123456789.-+eE ", max_size=12),
)


@cache
def compiled() -> dict[Any, Any]:
    import numba

    return linked((text,), numba.njit, twins())


def address_of(payload: bytes) -> int:
    return ctypes.cast(payload, ctypes.c_void_p).value or 0


def both(kernel: Any, *arguments: Any) -> Any:
    """The result of a kernel, the same compiled and not."""
    plain = kernel(*arguments)
    assert compiled()[kernel](*arguments) == plain
    return plain


def length_read(payload: bytes, kernel: Any, begin: int = 0) -> int:
    """How many bytes a kernel that starts at ``begin`` has read; -1 when it is not sure."""
    at = address_of(payload)
    end = both(kernel, at + begin)
    return end - at if end else -1


@given(json_values, st.integers(0, 3))
def test_a_value_is_passed_over_as_a_whole(value: Any, indent: int) -> None:
    """The end of a value is its end, whatever is in it and behind it."""
    payload = orjson.dumps(value, option=orjson.OPT_INDENT_2 if indent else None)
    assert length_read(payload + b",1", text.value_end) in (len(payload), -1)


@given(
    json_values,
    changes,
)
def test_what_is_accepted_is_json(value: Any, edits: list[tuple[int, int]]) -> None:
    """No broken text is passed over as a value."""
    payload = bytearray(orjson.dumps(value))
    for at, byte in edits:
        payload[at % len(payload)] = byte
    read = length_read(bytes(payload), text.value_end)
    if read >= 0:
        orjson.loads(bytes(payload[:read]))


@given(st.binary(max_size=24))
@example("é€😀".encode())
@example(b"\xed\xa0\x80")
@example(b"\xf4\x90\x80\x80")
@example(b"\xe0\x80\x80")
@example(b"\xf0\x8f\xbf\xbf")
@example(b"\xc3")
@example(b"\x7f")
def test_a_string_ends_where_json_says(inner: bytes) -> None:
    """A string that is accepted is one for orjson too; one without escapes that orjson reads is accepted."""
    payload = b'"' + inner + b'"'
    read = length_read(payload, text.string_end, 1)
    try:
        whole = orjson.loads(payload)
    except orjson.JSONDecodeError:
        assert read != len(payload) - 1
    else:
        assert (read == len(payload) - 1) is (b"\\" not in inner)
        assert whole is not None


@given(numbers, st.integers(0, 18), st.integers(0, 12))
@example("100000000000000000", 0, 0)
@example("100000000000000001", 0, 0)
@example("1000000000.00000000", 8, 0)
@example("999999999.99999999", 8, 0)
@example("9999999999.99999999", 8, 0)
@example("92233720368547758.08", 2, 0)
@example("18446744073709551717.00", 2, 0)
@example("184467440737095516.17", 2, 0)
@example("0.10000000", 0, 0)
@example("0.00000000", 0, 0)
@example("1.5", 18, 0)
@example("0." + "0" * 45, 2, 0)
def test_decimals_are_exact_or_left_alone(number: str, decimals: int, behind: int) -> None:
    """What is read is what the exact conversion says; nothing overflows, nothing is rounded."""
    payload = number.encode() + b'"' + b"0" * behind
    at = address_of(payload)
    units, end = both(text.read_decimal, at, at + len(payload), decimals, 10 ** min(decimals, 17))
    try:
        exact = parse_units(number, decimals)
    except MoneyError:
        assert units == -1
        return
    if units == -1:
        assert (
            exact > 10**17
            or len(number.partition(".")[0]) > 17
            or len(number.partition(".")[2]) > 40
            or exact * 10 > 10**17
        )
    else:
        assert (units, end - at) == (exact, len(number) + 1)


@given(st.integers(0, 10**9 - 1), st.integers(0, 10**8 - 1), st.integers(0, 8))
def test_prices_of_a_venue_are_always_read(whole: int, fraction: int, decimals: int) -> None:
    """Numbers as a venue prints them, of up to 17 digits, are read, so that the reference has nothing to do."""
    fraction -= fraction % 10 ** (8 - decimals)
    payload = f'{whole}.{fraction:08}",'.encode()
    at = address_of(payload)
    units, _ = both(text.read_decimal, at, at + len(payload), decimals, 10**decimals)
    assert units == (whole * 10**8 + fraction) // 10 ** (8 - decimals)


@pytest.mark.parametrize("number", [0, 1, 10**18 - 1, 10**18, 2**63 - 1, 2**63, 2**64, 10**30])
def test_whole_numbers_of_at_most_eighteen_digits(number: int) -> None:
    """A longer number is left alone rather than cut."""
    payload = str(number).encode() + b","
    assert both(text.read_integer, address_of(payload)) == (number if number < 10**18 else -1)


@pytest.mark.parametrize("payload", [b"1.5,", b"1e3,", b"-1,", b'"1",', b"null,"])
def test_what_is_no_whole_number(payload: bytes) -> None:
    """No fraction, exponent, sign or text passes for a whole number."""
    assert both(text.read_integer, address_of(payload)) == -1
