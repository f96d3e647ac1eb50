"""The words of compiled kernels: the plain form and the compiled twin do the same."""

from __future__ import annotations

import ctypes
import inspect
from collections.abc import Callable
from functools import cache
from typing import Any

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from bloor.native import memory, python_api
from bloor.native.twins import twins

LOWEST, HIGHEST = -(2**63), 2**63 - 1
int64 = st.integers(LOWEST, HIGHEST) | st.sampled_from([LOWEST, LOWEST + 1, -1, 0, 1, HIGHEST - 1, HIGHEST])
Word = Callable[..., Any]


@cache
def compiled(word: Word) -> Word:
    """A compiled function of int64 that does nothing but say one word."""
    import numba

    names = ", ".join(inspect.signature(word).parameters)
    made: dict[str, Any] = {"word": twins()[word]}
    exec(f"def said({names}): return word({names})", made)
    jit: Any = numba.njit
    said: Word = jit(made["said"])
    return said


def forms(word: Word) -> tuple[Word, Word]:
    return word, compiled(word)


def test_every_word_has_a_twin() -> None:
    """A kernel never meets a word that runs plainly only."""
    for module in (memory, python_api):
        words = {value for name in module.__all__ if inspect.isfunction(value := vars(module)[name])}
        assert words <= set(twins())


@given(st.binary(min_size=16, max_size=64), st.data())
def test_reading(content: bytes, data: st.DataObject) -> None:
    """Bytes, words of 32 bits and cells are read at every address, aligned or not, little-endian."""
    at = ctypes.cast(content, ctypes.c_void_p).value or 0
    offset = data.draw(st.integers(0, len(content) - 8))
    for byte_at in forms(memory.byte_at):
        assert byte_at(at + offset) == content[offset]
    for word_at in forms(memory.word_at):
        assert word_at(at + offset) == int.from_bytes(content[offset : offset + 4], "little")
    for cell_at in forms(memory.cell_at):
        assert cell_at(at + offset) == int.from_bytes(content[offset : offset + 8], "little", signed=True)


@given(st.integers(0, 24), int64)
def test_writing(offset: int, value: int) -> None:
    """A store changes its bytes and no other; a committing one stands at a multiple of eight."""
    for number in (0, 1):
        area = np.full(32, 0xA5, np.uint8)
        want = bytearray(area.tobytes())
        forms(memory.put_cell)[number](area.ctypes.data + offset, value)
        want[offset : offset + 8] = value.to_bytes(8, "little", signed=True)
        assert area.tobytes() == want
        forms(memory.put_byte)[number](area.ctypes.data + offset, value & 255)
        want[offset] = value & 255
        assert area.tobytes() == want
        forms(memory.commit_cell)[number](area.ctypes.data + offset // 8 * 8, value)
        want[offset // 8 * 8 : offset // 8 * 8 + 8] = value.to_bytes(8, "little", signed=True)
        assert area.tobytes() == want


@given(st.binary(max_size=300), st.integers(0, 7))
def test_copying(content: bytes, offset: int) -> None:
    """As many bytes as were asked for, none included."""
    for copy_bytes in forms(memory.copy_bytes):
        area = np.full(len(content) + 16, 0xA5, np.uint8)
        copy_bytes(area.ctypes.data + offset, ctypes.cast(content, ctypes.c_void_p).value or 0, len(content))
        assert area.tobytes() == b"\xa5" * offset + content + b"\xa5" * (16 - offset)


@given(st.binary(max_size=120), st.integers(0, 7))
def test_copying_in_blocks(content: bytes, offset: int) -> None:
    """The text, and at most fifteen bytes behind it."""
    source = np.frombuffer(content + bytes(range(100, 116)), np.uint8)
    for copy_blocks in forms(memory.copy_blocks):
        area = np.full(len(content) + 32, 0xA5, np.uint8)
        copy_blocks(area.ctypes.data + offset, source.ctypes.data, len(content))
        end = offset + len(content)
        assert area[:end].tobytes() == b"\xa5" * offset + content
        assert (area[end + 15 :] == 0xA5).all()


@given(st.integers(1, HIGHEST) | st.integers(0, 62).map(lambda bit: 1 << bit))
def test_highest_bit(value: int) -> None:
    """As the binary text of the number has it."""
    for high_bit in forms(memory.high_bit):
        assert high_bit(value) == len(f"{value:b}") - 1


@given(st.binary(min_size=8, max_size=8) | st.text("0123456789.,", min_size=8, max_size=8).map(str.encode))
def test_leading_digits_of_any_text(text: bytes) -> None:
    """As many as stand before the first byte that is none, and the number that they make."""
    count = len(text) - len(text.lstrip(b"0123456789"))
    at = ctypes.cast(text, ctypes.c_void_p).value or 0
    for leading_count, leading_value in zip(forms(memory.leading_count), forms(memory.leading_value), strict=True):
        assert leading_count(at) == count
        for n in range(count + 1):
            assert leading_value(at, n) == int(text[:n] or b"0")


@given(int64)
def test_fetching_ahead(address: int) -> None:
    """Whatever the address, nothing happens that can be seen."""
    for prefetch in forms(memory.prefetch):
        prefetch(address)


@given(int64, st.integers(0, 63))
def test_shifting(value: int, places: int) -> None:
    """Zeros come in from the left, for negative numbers too."""
    want = np.int64(value).view(np.uint64) >> np.uint64(places)
    for shifted in forms(memory.shifted):
        assert shifted(value, places) == want.view(np.int64)


@given(int64, int64, int64, int64, int64)
@example(LOWEST, LOWEST, LOWEST, HIGHEST, -1)
@example(LOWEST, LOWEST, HIGHEST, HIGHEST, -1)
@example(HIGHEST, HIGHEST, HIGHEST, LOWEST, 0)
@example(HIGHEST, HIGHEST, 1, HIGHEST // 2, 0)
@example(LOWEST, HIGHEST, 2, LOWEST, 0)
@example(0, 0, 0, 0, -1)
@example(0, 0, 0, -1, -1)
def test_products_are_exact(a: int, b: int, c: int, high: int, low: int) -> None:
    """Products of up to 189 bits are compared with 128-bit limits as Python's own integers are."""
    want = a * b * c > (high << 64) + (low & 2**64 - 1)
    for product_above in forms(memory.product_above):
        assert product_above(a, b, c, high, low) is want


@given(int64, int64, st.integers(-(2**31), 2**31), st.integers(-2, 2))
def test_products_at_the_limit(a: int, b: int, c: int, less: int) -> None:
    """One more or less than the limit is told apart, whatever the size."""
    limit = max(min(a * b * c - less, 2**127 - 1), -(2**127))
    high, low = limit >> 64, limit & 2**64 - 1
    low -= (low >> 63) << 64
    for product_above in forms(memory.product_above):
        assert product_above(a, b, c, high, low) is (a * b * c > limit)


@pytest.mark.parametrize("word", [memory.call4, memory.call5, memory.call6])
@given(st.lists(int64, min_size=6, max_size=6), int64)
def test_calls_by_address(word: Word, values: list[int], answer: int) -> None:
    """The arguments arrive in their order and the answer comes back, all 64 bits of them."""
    count = len(inspect.signature(word).parameters) - 1
    came: list[tuple[int, ...]] = []

    def answering(*arguments: int) -> int:
        came.append(arguments)
        return answer

    function = ctypes.CFUNCTYPE(ctypes.c_int64, *[ctypes.c_int64] * count)(answering)
    address = ctypes.cast(function, ctypes.c_void_p).value
    for call in forms(word):
        assert call(address, *values[:count]) == answer
    assert came == [tuple(values[:count])] * 2


@given(st.lists(int64, min_size=4, max_size=4))
def test_arrays_by_address(values: list[int]) -> None:
    """Cells and rows are the memory itself, in both forms."""
    area = np.array(values, np.int64)
    for cells_at in forms(memory.cells_at):
        cells = cells_at(area.ctypes.data, 4)
        assert cells.tolist() == area.tolist()
        cells[3] += np.int64(0)
        cells[0] ^= 1
        assert cells[0] == area[0]
    for rows_at in forms(memory.rows_at):
        rows = rows_at(area.ctypes.data, 2)
        assert rows.tolist() == area.reshape(2, 2).tolist()
        rows[1, 0] ^= 1
        assert rows[1, 0] == area[2]
    assert area.tolist() == values


@given(st.text("0123456789/:a", min_size=8, max_size=8), st.integers(1, 8))
@example("12300000", 3)
@example("99999999", 8)
def test_leading_digits(text: str, count: int) -> None:
    """Eight digits with zeros behind the first few make a number; anything else is -1."""
    at = text.encode()
    want = int(text[:count]) if text.isdigit() and not text[count:].strip("0") else -1
    for leading_digits in forms(memory.leading_digits):
        assert leading_digits(ctypes.cast(at, ctypes.c_void_p).value, count) == want
