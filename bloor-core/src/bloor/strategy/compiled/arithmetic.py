"""Arithmetic that numba does without a word where Python raises, or to other last bits: made the same.

- ``int``, ``round``, ``math.floor``, ``math.ceil`` and ``math.trunc`` of a number that is no int64 raise.
- ``**`` and the functions of :mod:`math` are those of the C library that Python itself calls, not LLVM's idea of them
  (``x**2`` is ``x * x`` there, which differs in the last bit once in a thousand), and raise where Python does.

numba is imported by :func:`arithmetic` only.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from functools import cache
from typing import Any

from attrs import frozen

from bloor.strategy.compiled.typing import types_of_views

__all__ = ["BUILTINS", "Arithmetic", "arithmetic"]

#: Functions of one float that the C library has under the same name.
ONE = (
    "acos", "asin", "atan", "cos", "cosh", "exp", "expm1", "log", "log10", "log1p", "log2", "sin", "sinh", "tan",
    "tanh",
)  # fmt: skip
#: Functions of two.
TWO = ("atan2", "fmod", "pow")
#: What numba does as Python does.
SAME = ("copysign", "fabs", "isfinite", "isinf", "isnan")
CONSTANTS = ("e", "inf", "nan", "pi", "tau")
#: Builtins that have a form here.
BUILTINS = ("int", "round", "sum")
#: The first float past int64.
PAST = 2.0**63


@frozen(eq=False)
class Arithmetic:
    """Compiled functions that stand in place of Python's.

    Attributes:
        builtins: Name of a builtin -> its form.
        math: Name in :mod:`math` -> its form.
        power: The form of ``**``.
    """

    builtins: Mapping[str, Any]
    math: Mapping[str, Any]
    power: Any


@cache
def arithmetic() -> Arithmetic:
    """Makes the functions; each compiles when it is first called."""
    import numba
    from numba import extending, types

    overload: Any = extending.overload
    njit: Any = numba.njit
    jit = njit(error_model="numpy", _nrt=False, no_cpython_wrapper=True, no_cfunc_wrapper=True)

    def whole(x: Any) -> Any:
        """``int(x)``."""

    def nearest_whole(x: Any) -> Any:
        """``round(x)``."""

    def power(x: Any, y: Any) -> Any:
        """``x**y``."""

    @jit  # type: ignore[untyped-decorator]
    def fits(x: float) -> float:
        if not -PAST <= x < PAST:
            raise OverflowError("the number has more than 63 bits, or is none")
        return x

    @overload(whole, jit_options={"_nrt": False}, strict=False)  # type: ignore[untyped-decorator]
    def whole_of(x: Any) -> Any:
        return (lambda x: int(fits(x))) if isinstance(x, types.Float) else (lambda x: int(x))  # noqa: PLW0108 (numba compiles the lambda)

    @overload(nearest_whole, jit_options={"_nrt": False}, strict=False)  # type: ignore[untyped-decorator]
    def nearest_whole_of(x: Any) -> Any:
        return (lambda x: round(fits(x))) if isinstance(x, types.Float) else (lambda x: int(x))  # noqa: PLW0108

    functions: dict[str, Any] = {name: _checked(jit, _libm(name, 1), 1) for name in ONE}
    functions["sqrt"] = _checked(jit, math.sqrt, 1)  # one instruction, and exact
    functions |= {name: _checked(jit, _libm(name, 2), 2) for name in TWO}
    float_power = functions["pow"]

    @jit  # type: ignore[untyped-decorator]
    def int_power(x: int, y: int) -> int:
        if y < 0:
            raise ValueError("an int to the power of a negative int is no int: make the base a float")
        result = 1
        while y > 0:
            if y & 1:
                result *= x
            x *= x
            y >>= 1
        return result

    @overload(power, jit_options={"_nrt": False}, strict=False)  # type: ignore[untyped-decorator]
    def power_of(x: Any, y: Any) -> Any:
        whole_numbers = isinstance(x, types.Integer | types.Boolean) and isinstance(y, types.Integer | types.Boolean)
        if whole_numbers:
            return lambda x, y: int_power(x, y)  # noqa: PLW0108
        return lambda x, y: float_power(x, y)  # noqa: PLW0108

    @jit  # type: ignore[untyped-decorator]
    def floor(x: Any) -> Any:
        return math.floor(fits(x))

    @jit  # type: ignore[untyped-decorator]
    def ceil(x: Any) -> Any:
        return math.ceil(fits(x))

    functions |= {"floor": floor, "ceil": ceil, "trunc": whole}
    functions |= {name: getattr(math, name) for name in (*SAME, *CONSTANTS)}
    builtins = dict(zip(BUILTINS, (whole, nearest_whole, types_of_views().arrays.total), strict=True))
    return Arithmetic(builtins, functions, power)


def _libm(name: str, count: int) -> Any:
    """The function of the C library, one that LLVM does not know."""
    from llvmlite import ir
    from numba import types
    from numba.core import cgutils
    from numba.extending import intrinsic

    real = ir.DoubleType()
    insert: Any = cgutils.get_or_insert_function

    def call(_context: Any, builder: Any, _signature: Any, args: Any) -> Any:
        function = insert(builder.module, ir.FunctionType(real, [real] * count), name)
        function.attributes.add("nobuiltin")
        return builder.call(function, args)

    signature = types.float64(*[types.float64] * count)
    if count == 1:
        return intrinsic(lambda _typing, _x: (signature, call))
    return intrinsic(lambda _typing, _x, _y: (signature, call))


def _checked(jit: Any, function: Any, count: int) -> Any:
    """Raises where a finite argument gives no finite result, as Python's ``math`` does."""

    def one(x: float) -> float:
        result = function(x)
        if not math.isfinite(result) and math.isfinite(x):
            raise ValueError("math domain or range error")
        return result  # type: ignore[no-any-return]

    def two(x: float, y: float) -> float:
        result = function(x, y)
        if not math.isfinite(result) and math.isfinite(x) and math.isfinite(y):
            raise ValueError("math domain or range error")
        return result  # type: ignore[no-any-return]

    return jit(one if count == 1 else two)
