"""Declared arrays as types of numba: the address of the first element; how many there are is part of the type.

Indexing, assignment, ``len``, ``sum`` and loops are there, and nothing else: an index out of range raises as in Python.
numba is imported by :func:`array_types` only.
"""

from __future__ import annotations

import math
import operator
import sys
from collections.abc import Callable
from typing import Any

from attrs import frozen

__all__ = ["ArrayTypes", "array_types"]

#: From this version on Python's ``sum`` of floats carries along what is lost in rounding (Neumaier's algorithm).
COMPENSATED = sys.version_info >= (3, 12)


@frozen(eq=False)
class ArrayTypes:
    """What :func:`array_types` made.

    Attributes:
        type: ``type(kind, size)``: the numba type of an array of ``int``, ``float`` or ``bool``.
        kind: The class of those types.
        total: What stands for ``sum``.
    """

    type: Callable[[type, int], Any]
    kind: Any
    total: Any


def array_types(complaint: Callable[..., Exception], said: Callable[[Any], str]) -> ArrayTypes:
    """Teaches numba what an array is; once a process.

    Args:
        complaint: Makes the error that carries a message for the author of a strategy.
        said: Says a numba type with an article, in Python's words.
    """
    from llvmlite import ir as llvm
    from numba import core, extending
    from numba.np import arrayobj

    fill: Any = arrayobj.populate_array  # not typed
    types: Any = core.types
    typing: Any = core.typing
    models: Any = core.datamodel.models
    numba: Any = extending
    overload: Any = numba.overload
    word = llvm.IntType(64)
    elements: dict[type, Any] = {int: types.int64, float: types.float64, bool: types.boolean}
    lean: dict[str, Any] = {"jit_options": {"_nrt": False}, "strict": False}

    class ArrayType(types.IterableType):  # type: ignore[misc]
        """An array; its value is the address of its elements."""

        def __init__(self, kind: type, size: int) -> None:
            super().__init__(f"array of {size} {kind.__name__}")
            self.kind = kind
            self.size = size
            self.whole = types.Array(elements[kind], 1, "C")

        @property
        def iterator_type(self) -> Any:
            return self.whole.iterator_type

    @numba.register_model(ArrayType)
    class AddressModel(models.PrimitiveModel):  # type: ignore[misc]
        """An address in a register."""

        def __init__(self, dmm: Any, fe_type: Any) -> None:
            super().__init__(dmm, fe_type, word)

    def numpy_array(context: Any, builder: Any, kind: ArrayType, address: Any) -> Any:
        """The same memory as numba's own kind of array, which does not own it."""
        found = context.make_array(kind.whole)(context, builder)
        width = word(1 if kind.kind is bool else 8)
        data = builder.inttoptr(address, found.data.type)
        fill(found, data, (word(kind.size),), (width,), itemsize=width, meminfo=None)
        return found._getvalue()

    @numba.intrinsic  # type: ignore[untyped-decorator]
    def whole(_typing: Any, array: Any) -> Any:
        def make(context: Any, builder: Any, _signature: Any, args: Any) -> Any:
            return numpy_array(context, builder, array, args[0])

        return array.whole(array), make

    @numba.lower_builtin("getiter", ArrayType)  # type: ignore[untyped-decorator]
    def iterate(context: Any, builder: Any, sig: Any, args: Any) -> Any:
        [kind] = sig.args
        begin = context.get_function("getiter", typing.signature(kind.iterator_type, kind.whole))
        return begin(builder, (numpy_array(context, builder, kind, args[0]),))

    def check_index(index: Any) -> None:
        if not isinstance(index, types.Integer | types.Boolean | types.IntEnumMember):
            what = "a slice" if isinstance(index, types.SliceType) else said(index)
            raise complaint(f"an array is indexed by an int in compiled code, got {what}")

    @overload(len, **lean)  # type: ignore[untyped-decorator]
    def length(array: Any) -> Any:
        if not isinstance(array, ArrayType):
            return None
        size = array.size
        return lambda array: size  # noqa: ARG005 (numba wants the same names)

    @overload(operator.getitem, **lean)  # type: ignore[untyped-decorator]
    def get(array: Any, index: Any) -> Any:
        if not isinstance(array, ArrayType):
            return None
        check_index(index)
        size = array.size

        def read(array: Any, index: Any) -> Any:
            at = int(index)
            if at < 0:
                at += size
            if at < 0 or at >= size:
                raise IndexError("array index out of range")
            return whole(array)[at]

        return read

    @overload(operator.setitem, **lean)  # type: ignore[untyped-decorator]
    def put(array: Any, index: Any, value: Any) -> Any:
        if not isinstance(array, ArrayType):
            return None
        check_index(index)
        fits = {int: types.Integer, float: (types.Integer, types.Float), bool: types.Boolean}[array.kind]
        if not isinstance(value, fits):
            raise complaint(
                f"the elements of this array are {array.kind.__name__}, but {said(value)} is assigned to one"
            )
        size = array.size

        def write(array: Any, index: Any, value: Any) -> None:
            at = int(index)
            if at < 0:
                at += size
            if at < 0 or at >= size:
                raise IndexError("array index out of range")
            whole(array)[at] = value

        return write

    def total(array: Any) -> Any:
        """``sum(array)``."""

    @overload(total, **lean)  # type: ignore[untyped-decorator]
    def total_of(array: Any) -> Any:
        if not isinstance(array, ArrayType):
            raise complaint(f"sum: expected an array, got {said(array)}: add in a loop")
        return {int: whole_sum, bool: whole_sum, float: compensated_sum if COMPENSATED else float_sum}[array.kind]

    return ArrayTypes(ArrayType, ArrayType, total)


def whole_sum(array: Any) -> Any:
    """``sum`` of integers."""
    result = 0
    for x in array:
        result += int(x)
    return result


def float_sum(array: Any) -> Any:
    """``sum`` of floats before Python 3.12."""
    result = 0.0
    for x in array:
        result += x
    return result


def compensated_sum(array: Any) -> Any:
    """``sum`` of floats from Python 3.12 on, as ``bltinmodule.c`` has it."""
    result, lost = 0.0, 0.0
    for x in array:
        new = result + x
        if abs(result) >= abs(x):
            lost += (result - new) + x
        else:
            lost += (x - new) + result
        result = new
    if lost != 0.0 and math.isfinite(lost):
        result += lost
    return result
