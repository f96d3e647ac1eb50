"""Python's own C interface as kernels say it: plain, and inside a builtin function that numba compiled."""

from __future__ import annotations

import ctypes
import sys
import time
from collections.abc import Callable
from functools import cache
from typing import Any

import numpy as np
import pytest

from bloor.native import python_api
from bloor.native.builtin import MethodDefinition, builtin
from bloor.native.caching import rebound
from bloor.native.memory import cell_at
from bloor.native.python_api import (
    bad_argument,
    bytes_address,
    bytes_size,
    call_object,
    drop_object,
    error_occurred,
    monotonic_ns,
    new_bytes,
    new_int,
    read_int,
    wall_ns,
)
from bloor.native.twins import twins

Method = Callable[[int, int, int], int]


def cut(_owner: int, arguments: int, count: int) -> int:
    """``cut(text, size)``: the first bytes of a bytes object."""
    if count != 2:
        bad_argument()
        return 0
    at = bytes_address(cell_at(arguments))
    if at == 0:
        return 0
    size = read_int(cell_at(arguments + 8))
    if size == -1 and error_occurred() != 0:
        return 0
    return new_bytes(at, min(size, bytes_size(cell_at(arguments))))


def same(_owner: int, arguments: int, _count: int) -> int:
    """``same(number)``: an int of the same value."""
    return new_int(read_int(cell_at(arguments)))


def steady(owner: int, _arguments: int, _count: int) -> int:
    """``steady()``: the monotonic clock."""
    return new_int(monotonic_ns(cell_at(bytes_address(owner))))


def called(owner: int, arguments: int, count: int) -> int:
    """``called(function, *arguments)``: what it answers, told twice."""
    first = call_object(cell_at(arguments), arguments + 8, count - 1, 0)
    if first == 0:
        return 0
    drop_object(first)
    return call_object(cell_at(arguments), arguments + 8, count - 1, 0)


def wall(owner: int, _arguments: int, _count: int) -> int:
    """``wall()``: the wall clock."""
    return new_int(wall_ns(cell_at(bytes_address(owner))))


@cache
def compiled(method: Method) -> Any:
    """A builtin whose C function is a compiled method; its owner has 16 bytes."""
    import numba
    from numba import types

    words: dict[str, Any] = {word.__name__: twin for word, twin in twins().items()}
    cell = types.int64
    made: Any = numba.cfunc(cell(cell, cell, cell), error_model="numpy")(rebound(method, words | {"min": min}))
    definition = MethodDefinition.of(b"method", made.address, b"")
    scratch = np.zeros(2, np.int64)
    return builtin(definition, scratch.ctypes.data, (scratch, made))


def test_bytes_go_in_and_out() -> None:
    """New bytes are a copy with a reference of their own; an empty one is the empty bytes object."""
    text = bytes(range(256)) * 4
    cutting = compiled(cut)
    for size in (0, 1, 2, 255, 1000, 5000):
        made = cutting(text, size)
        assert made == text[:size]
    made = cutting(text, 777)
    assert sys.getrefcount(made) == 2
    before = sys.getrefcount(text)
    for _ in range(10_000):
        cutting(text, 300)
    assert sys.getrefcount(text) == before


def test_python_is_called() -> None:
    """With what it was given; its answer and its error come through, and no reference is lost or left."""
    calling, told = compiled(called), []
    answer = object()

    def listen(*arguments: object) -> object:
        told.append(arguments)
        return answer

    before = sys.getrefcount(answer), sys.getrefcount(listen)
    for _ in range(1000):
        assert calling(listen, 1, "two") is answer
    assert told == [(1, "two")] * 2000
    assert calling(listen) is answer
    assert (sys.getrefcount(answer), sys.getrefcount(listen)) == before
    with pytest.raises(ZeroDivisionError):
        calling(divmod, 1, 0)
    with pytest.raises(TypeError):
        calling(None)


def test_wrong_arguments_raise() -> None:
    """What is no bytes object, no int or too large is the caller's error, as with any builtin."""
    cutting = compiled(cut)
    for wrong in ((), (b"a",), (b"a", 1, 2), ("text", 1), (b"a", "1"), (b"a", None)):
        with pytest.raises(TypeError):
            cutting(*wrong)
    with pytest.raises(OverflowError):
        cutting(b"a", 1 << 64)
    assert cutting(b"a", 1) == b"a"


@pytest.mark.parametrize("value", [-(2**63), -(2**31), -1, 0, 1, 256, 257, 2**32, 2**63 - 1])
def test_integers_go_in_and_out(value: int) -> None:
    """All 64 bits."""
    assert compiled(same)(value) == value
    made = python_api.new_int(value)
    assert ctypes.cast(made, ctypes.py_object).value == value
    assert python_api.read_int(made) == value
    ctypes.pythonapi.Py_DecRef(ctypes.c_void_p(made))


def test_clocks_are_those_of_python() -> None:
    """Between two looks at Python's clock lies that of compiled code, and of the plain form."""
    for ours, python in ((compiled(steady), time.monotonic_ns), (lambda: monotonic_ns(0), time.monotonic_ns)):
        times = [python(), ours(), python(), ours(), python()]
        assert times == sorted(times)
    for ours, python in ((compiled(wall), time.time_ns), (lambda: wall_ns(0), time.time_ns)):
        assert abs(ours() - python()) < 60_000_000_000  # a wall clock may be set meanwhile


def test_plain_forms() -> None:
    """The plain forms work on objects by address and raise where compiled code leaves an error set."""
    text = b"some text"
    at = python_api.bytes_address(id(text))
    assert (python_api.bytes_size(id(text)), at) == (9, ctypes.cast(text, ctypes.c_void_p).value)
    made = python_api.new_bytes(at + 5, 4)
    assert ctypes.cast(made, ctypes.py_object).value == b"text"
    ctypes.pythonapi.Py_DecRef(ctypes.c_void_p(made))
    assert python_api.error_occurred() == 0
    arguments = np.array([id(text), 0], np.int64)
    made = python_api.call_object(id(len), arguments.ctypes.data, 1, 0)
    assert ctypes.cast(made, ctypes.py_object).value == len(text)
    python_api.drop_object(made)
    with pytest.raises(TypeError):
        python_api.call_object(id(len), arguments.ctypes.data, 0, 0)
    with pytest.raises(TypeError):
        python_api.bytes_address(id("no bytes"))
    with pytest.raises(TypeError):
        python_api.bad_argument()
