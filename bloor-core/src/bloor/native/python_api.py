"""The functions of Python's own C interface that compiled code calls, by address and integer.

Only functions of the stable interface: no object layout is assumed and no reference count is touched by hand. These are
the plain forms, through ctypes; :mod:`bloor.native.twins` has what compiled code calls.
"""

from __future__ import annotations

import time
from ctypes import PYFUNCTYPE, c_int, c_longlong, c_ssize_t, pythonapi

__all__ = [
    "bad_argument",
    "bytes_address",
    "bytes_size",
    "call_object",
    "drop_object",
    "error_occurred",
    "monotonic_ns",
    "new_bytes",
    "new_int",
    "read_int",
    "wall_ns",
]

_bytes_address = PYFUNCTYPE(c_ssize_t, c_ssize_t)(("PyBytes_AsString", pythonapi))
_bytes_size = PYFUNCTYPE(c_ssize_t, c_ssize_t)(("PyBytes_Size", pythonapi))
_read_int = PYFUNCTYPE(c_longlong, c_ssize_t)(("PyLong_AsLongLong", pythonapi))
_new_int = PYFUNCTYPE(c_ssize_t, c_longlong)(("PyLong_FromLongLong", pythonapi))
_new_bytes = PYFUNCTYPE(c_ssize_t, c_ssize_t, c_ssize_t)(("PyBytes_FromStringAndSize", pythonapi))
_call_object = PYFUNCTYPE(c_ssize_t, c_ssize_t, c_ssize_t, c_ssize_t, c_ssize_t)(("PyObject_Vectorcall", pythonapi))
_drop_object = PYFUNCTYPE(None, c_ssize_t)(("Py_DecRef", pythonapi))
_error_occurred = PYFUNCTYPE(c_ssize_t)(("PyErr_Occurred", pythonapi))
_bad_argument = PYFUNCTYPE(c_int)(("PyErr_BadArgument", pythonapi))


def bytes_address(thing: int) -> int:
    """``char *PyBytes_AsString(PyObject *)``: 0 and a TypeError when it is no bytes object."""
    return int(_bytes_address(thing))


def bytes_size(thing: int) -> int:
    """``Py_ssize_t PyBytes_Size(PyObject *)``."""
    return int(_bytes_size(thing))


def read_int(thing: int) -> int:
    """``long long PyLong_AsLongLong(PyObject *)``: -1 and an error when it is no int or too large."""
    return int(_read_int(thing))


def new_int(value: int) -> int:
    """``PyObject *PyLong_FromLongLong(long long)``: a new reference."""
    return int(_new_int(value))


def new_bytes(address: int, size: int) -> int:
    """``PyObject *PyBytes_FromStringAndSize(const char *, Py_ssize_t)``: a new reference."""
    return int(_new_bytes(address, size))


def call_object(thing: int, arguments: int, count: int, names: int) -> int:
    """``PyObject *PyObject_Vectorcall(PyObject *callable, PyObject *const *args, size_t nargs, PyObject *kwnames)``.

    Args:
        thing: What to call.
        arguments: Address of its arguments.
        count: How many.
        names: A tuple of the names of the last ones, or 0.

    Returns:
        A new reference to the answer; 0, and an error set, when it raised.
    """
    return int(_call_object(thing, arguments, count, names))


def drop_object(thing: int) -> None:
    """``void Py_DecRef(PyObject *)``: gives a reference back."""
    _drop_object(thing)


def error_occurred() -> int:
    """``PyObject *PyErr_Occurred()``: 0 when there is no error."""
    return int(_error_occurred())


def bad_argument() -> int:
    """``int PyErr_BadArgument()``: sets a TypeError."""
    return int(_bad_argument())


def wall_ns(scratch: int) -> int:  # noqa: ARG001 (the compiled form needs it)
    """The wall clock, ns since the epoch.

    Args:
        scratch: Address of 16 bytes that the compiled form may write to.
    """
    return time.time_ns()


def monotonic_ns(scratch: int) -> int:  # noqa: ARG001 (the compiled form needs it)
    """The clock of :func:`time.monotonic_ns`; ``scratch`` as in :func:`wall_ns`."""
    return time.monotonic_ns()
