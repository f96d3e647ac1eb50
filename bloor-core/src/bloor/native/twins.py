"""The compiled form of each word of :mod:`bloor.native.memory` and :mod:`bloor.native.python_api`.

numba is imported by :func:`twins` only.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache
from typing import Any, cast

from bloor.native import carryless, memory, python_api

__all__ = ["twins"]


#: Eight zeros, as text.
ZEROS = 0x3030303030303030


@cache
def twins() -> dict[Callable[..., Any], Any]:
    """Plain function -> what stands in its place inside compiled code."""
    words = _memory()
    return {**words, **_api(words[memory.cell_at]), **_carryless()}


def _memory() -> dict[Callable[..., Any], Any]:
    from llvmlite import ir
    from numba import types
    from numba.core import cgutils
    from numba.extending import intrinsic
    from numba.np import arrayobj

    fill: Any = arrayobj.populate_array  # not typed
    copied: Any = cgutils.raw_memcpy
    cell = types.int64
    word = ir.IntType(64)

    def load(builder: Any, address: Any, bits: int) -> Any:
        found = builder.load(builder.inttoptr(address, ir.IntType(bits).as_pointer()), align=1)
        return builder.zext(found, word) if bits < 64 else found

    @intrinsic
    def byte_at(_typing: Any, _address: Any) -> Any:
        return cell(cell), lambda _context, builder, _signature, args: load(builder, args[0], 8)

    @intrinsic
    def cell_at(_typing: Any, _address: Any) -> Any:
        return cell(cell), lambda _context, builder, _signature, args: load(builder, args[0], 64)

    @intrinsic
    def float_at(_typing: Any, _address: Any) -> Any:
        def read(_context: Any, builder: Any, _signature: Any, args: Any) -> Any:
            return builder.load(builder.inttoptr(args[0], ir.DoubleType().as_pointer()), align=1)

        return types.float64(cell), read

    @intrinsic
    def put_float(_typing: Any, _address: Any, _value: Any) -> Any:
        def write(context: Any, builder: Any, _signature: Any, args: Any) -> Any:
            builder.store(args[1], builder.inttoptr(args[0], ir.DoubleType().as_pointer()), align=1)
            return context.get_dummy_value()

        return types.void(cell, types.float64), write

    @intrinsic
    def put_cell(_typing: Any, _address: Any, _value: Any) -> Any:
        def write(context: Any, builder: Any, _signature: Any, args: Any) -> Any:
            builder.store(args[1], builder.inttoptr(args[0], word.as_pointer()), align=1)
            return context.get_dummy_value()

        return types.void(cell, cell), write

    @intrinsic
    def commit_cell(_typing: Any, _address: Any, _value: Any) -> Any:
        def write(context: Any, builder: Any, _signature: Any, args: Any) -> Any:
            # in the machine code too the last of the stores so far: an ordinary mov on x86-64, stlr on ARM
            builder.store_atomic(args[1], builder.inttoptr(args[0], word.as_pointer()), "release", 8)
            return context.get_dummy_value()

        return types.void(cell, cell), write

    @intrinsic
    def word_at(_typing: Any, _address: Any) -> Any:
        return cell(cell), lambda _context, builder, _signature, args: load(builder, args[0], 32)

    @intrinsic
    def put_byte(_typing: Any, _address: Any, _value: Any) -> Any:
        def write(context: Any, builder: Any, _signature: Any, args: Any) -> Any:
            byte = ir.IntType(8)
            builder.store(builder.trunc(args[1], byte), builder.inttoptr(args[0], byte.as_pointer()), align=1)
            return context.get_dummy_value()

        return types.void(cell, cell), write

    @intrinsic
    def copy_bytes(_typing: Any, _target: Any, _source: Any, _size: Any) -> Any:
        def copy(context: Any, builder: Any, _signature: Any, args: Any) -> Any:
            at = ir.IntType(8).as_pointer()
            copied(builder, builder.inttoptr(args[0], at), builder.inttoptr(args[1], at), args[2], 1)
            return context.get_dummy_value()

        return types.void(cell, cell, cell), copy

    @intrinsic
    def copy_blocks(_typing: Any, _target: Any, _source: Any, _size: Any) -> Any:
        def copy(context: Any, b: Any, _signature: Any, args: Any) -> Any:
            block, reserved = ir.VectorType(word, 2).as_pointer(), cast("Any", cgutils.alloca_once)
            offset = reserved(b, word)
            b.store(word(0), offset)
            with loop(b, lambda: b.icmp_signed("<", b.load(offset), args[2])):
                at = b.load(offset)
                found = b.load(b.inttoptr(b.add(args[1], at), block), align=1)
                b.store(found, b.inttoptr(b.add(args[0], at), block), align=1)
                b.store(b.add(at, word(16)), offset)
            return context.get_dummy_value()

        return types.void(cell, cell, cell), copy

    @intrinsic
    def high_bit(_typing: Any, _value: Any) -> Any:
        def find(_context: Any, b: Any, _signature: Any, args: Any) -> Any:
            return b.sub(word(63), b.ctlz(args[0], ir.IntType(1)(0)))

        return cell(cell), find

    @intrinsic
    def prefetch(_typing: Any, _address: Any) -> Any:
        def fetch(context: Any, builder: Any, _signature: Any, args: Any) -> Any:
            at, number = ir.IntType(8).as_pointer(), ir.IntType(32)
            kind = ir.FunctionType(ir.VoidType(), [at, number, number, number])
            declared: Any = cgutils.get_or_insert_function
            for_write, keep, data = number(1), number(3), number(1)
            where = builder.inttoptr(args[0], at)
            builder.call(declared(builder.module, kind, "llvm.prefetch.p0i8"), [where, for_write, keep, data])
            return context.get_dummy_value()

        return types.void(cell), fetch

    @intrinsic
    def shifted(_typing: Any, _value: Any, _places: Any) -> Any:
        return cell(cell, cell), lambda _context, builder, _signature, args: builder.lshr(args[0], args[1])

    @intrinsic
    def product_above(_typing: Any, _a: Any, _b: Any, _c: Any, _high: Any, _low: Any) -> Any:
        def compare(_context: Any, b: Any, _signature: Any, args: Any) -> Any:
            wide = ir.IntType(192)  # three int64
            first, second, third, high = (b.sext(arg, wide) for arg in args[:4])
            limit = b.or_(b.shl(high, wide(64)), b.zext(args[4], wide))
            return b.icmp_signed(">", b.mul(b.mul(first, second), third), limit)

        return types.boolean(cell, cell, cell, cell, cell), compare

    @intrinsic
    def product_float(_typing: Any, _a: Any, _b: Any, _c: Any) -> Any:
        """The upper 64 bits of the product, the lowest of them set if any below was: rounds as the whole would."""

        def convert(_context: Any, b: Any, _signature: Any, args: Any) -> Any:
            wide, real = ir.IntType(192), ir.DoubleType()  # three int64
            first, second, third = (b.sext(arg, wide) for arg in args)
            product = b.mul(b.mul(first, second), third)
            excess = b.sub(wide(128), b.ctlz(product, ir.Constant(ir.IntType(1), 0)))
            places = b.select(b.icmp_signed(">", excess, wide(0)), excess, wide(0))
            upper = b.lshr(product, places)
            lost = b.icmp_unsigned("!=", b.shl(upper, places), product)
            rounded = b.uitofp(b.or_(b.trunc(upper, word), b.zext(lost, word)), real)
            power = b.shl(b.add(b.trunc(places, word), word(1023)), word(52))  # the bits of 2.0**places
            return b.fmul(rounded, b.bitcast(power, real))

        return types.float64(cell, cell, cell), convert

    @intrinsic
    def sum_above(_typing: Any, _a: Any, _x: Any, _b: Any, _y: Any, _c: Any, _z: Any, _limit: Any) -> Any:
        def compare(_context: Any, b: Any, _signature: Any, args: Any) -> Any:
            double, wide = ir.IntType(128), ir.IntType(192)  # a product of two, and a sum of three of those
            factors = [b.sext(arg, double) for arg in args[:6]]
            terms = [b.sext(b.mul(*factors[i : i + 2]), wide) for i in (0, 2, 4)]
            return b.icmp_signed(">", b.add(b.add(terms[0], terms[1]), terms[2]), b.sext(args[6], wide))

        return types.boolean(*[cell] * 7), compare

    def caller(count: int) -> Any:
        """The intrinsic that calls a C function of ``count`` int64."""

        def call(_context: Any, builder: Any, _signature: Any, args: Any) -> Any:
            kind = ir.FunctionType(word, [word] * count)
            return builder.call(builder.inttoptr(args[0], kind.as_pointer()), args[1:])

        return cell(*[cell] * (count + 1)), call

    @intrinsic
    def call4(_typing: Any, _function: Any, _a: Any, _b: Any, _c: Any, _d: Any) -> Any:
        return caller(4)

    @intrinsic
    def call5(_typing: Any, _function: Any, _a: Any, _b: Any, _c: Any, _d: Any, _e: Any) -> Any:
        return caller(5)

    @intrinsic
    def call6(_typing: Any, _function: Any, _a: Any, _b: Any, _c: Any, _d: Any, _e: Any, _f: Any) -> Any:
        return caller(6)

    @intrinsic
    def leading_digits(_typing: Any, _address: Any, _count: Any) -> Any:
        """Eight digits at once: subtract, check that all are digits, then pairs, fours and eights by multiplication."""

        def read(_context: Any, b: Any, _signature: Any, args: Any) -> Any:
            digits = b.xor(load(b, args[0], 64), word(ZEROS))
            above_nine = b.or_(b.add(digits, word(0x0606060606060606)), digits)
            all_digits = b.icmp_unsigned("==", b.and_(above_nine, word(0xF0F0F0F0F0F0F0F0)), word(0))
            unused = b.sub(word(64), b.mul(args[1], word(8)))
            moved = b.shl(digits, unused)
            zeros = b.icmp_unsigned("==", b.lshr(moved, unused), digits)
            return b.select(b.and_(all_digits, zeros), number(b, moved), word(-1))

        return cell(cell, cell), read

    def number(b: Any, digits: Any) -> Any:
        """What eight digits make, each a byte of 0 to 9, the first one in the lowest byte."""
        pairs = b.add(b.mul(digits, word(10)), b.lshr(digits, word(8)))
        odd = b.mul(b.and_(pairs, word(0x000000FF000000FF)), word(0x000F424000000064))
        even = b.mul(b.and_(b.lshr(pairs, word(16)), word(0x000000FF000000FF)), word(0x0000271000000001))
        return b.lshr(b.add(odd, even), word(32))

    @intrinsic
    def leading_count(_typing: Any, _address: Any) -> Any:
        """A byte above nine sets its highest bit in a sum that carries nothing into the next."""

        def count(_context: Any, b: Any, _signature: Any, args: Any) -> Any:
            digits = b.xor(load(b, args[0], 64), word(ZEROS))
            sums = b.add(b.and_(digits, word(0x7F7F7F7F7F7F7F7F)), word(0x7676767676767676))
            others = b.and_(b.or_(sums, digits), word(0x8080808080808080))
            return b.lshr(b.cttz(others, ir.IntType(1)(0)), word(3))  # 64 of none

        return cell(cell), count

    @intrinsic
    def leading_value(_typing: Any, _address: Any, _count: Any) -> Any:
        def read(_context: Any, b: Any, _signature: Any, args: Any) -> Any:
            digits = b.xor(load(b, args[0], 64), word(ZEROS))
            moved = b.shl(digits, b.and_(b.sub(word(64), b.mul(args[1], word(8))), word(63)))
            return b.select(b.icmp_signed("==", args[1], word(0)), word(0), number(b, moved))

        return cell(cell, cell), read

    def view(context: Any, builder: Any, kind: Any, address: Any, shape: tuple[Any, ...]) -> Any:
        """An array over memory that it does not own, C-contiguous."""
        array = context.make_array(kind)(context, builder)
        strides = (word(8),) if len(shape) == 1 else (word(16), word(8))
        fill(array, builder.inttoptr(address, word.as_pointer()), shape, strides, itemsize=word(8), meminfo=None)
        return array._getvalue()

    one, two = types.Array(cell, 1, "C"), types.Array(cell, 2, "C")

    @intrinsic
    def cells_at(_typing: Any, _address: Any, _size: Any) -> Any:
        return one(cell, cell), lambda context, b, _signature, args: view(context, b, one, args[0], (args[1],))

    @intrinsic
    def rows_at(_typing: Any, _address: Any, _rows: Any) -> Any:
        return two(cell, cell), lambda context, b, _signature, args: view(context, b, two, args[0], (args[1], word(2)))

    return {
        memory.byte_at: byte_at,
        memory.cell_at: cell_at,
        memory.float_at: float_at,
        memory.put_cell: put_cell,
        memory.put_float: put_float,
        memory.commit_cell: commit_cell,
        memory.word_at: word_at,
        memory.put_byte: put_byte,
        memory.copy_blocks: copy_blocks,
        memory.copy_bytes: copy_bytes,
        memory.high_bit: high_bit,
        memory.prefetch: prefetch,
        memory.shifted: shifted,
        memory.product_above: product_above,
        memory.product_float: product_float,
        memory.sum_above: sum_above,
        memory.call4: call4,
        memory.call5: call5,
        memory.call6: call6,
        memory.leading_count: leading_count,
        memory.leading_digits: leading_digits,
        memory.leading_value: leading_value,
        memory.cells_at: cells_at,
        memory.rows_at: rows_at,
    }


def _api(cell_at: Any) -> dict[Callable[..., Any], Any]:
    import time

    import numba
    from numba import types

    cell = types.int64
    read_clock: Any = types.ExternalFunction("clock_gettime", types.int32(types.int32, cell))
    wall, steady = time.CLOCK_REALTIME, time.CLOCK_MONOTONIC
    njit: Any = numba.njit
    jit: Any = njit(error_model="numpy", _nrt=False, no_cpython_wrapper=True, no_cfunc_wrapper=True)

    @jit  # type: ignore[untyped-decorator]
    def wall_ns(scratch: int) -> int:
        read_clock(wall, scratch)
        return int(cell_at(scratch) * 1_000_000_000 + cell_at(scratch + 8))

    @jit  # type: ignore[untyped-decorator]
    def monotonic_ns(scratch: int) -> int:
        read_clock(steady, scratch)
        return int(cell_at(scratch) * 1_000_000_000 + cell_at(scratch + 8))

    return {
        python_api.bytes_address: types.ExternalFunction("PyBytes_AsString", cell(cell)),
        python_api.bytes_size: types.ExternalFunction("PyBytes_Size", cell(cell)),
        python_api.read_int: types.ExternalFunction("PyLong_AsLongLong", cell(cell)),
        python_api.new_int: types.ExternalFunction("PyLong_FromLongLong", cell(cell)),
        python_api.new_bytes: types.ExternalFunction("PyBytes_FromStringAndSize", cell(cell, cell)),
        python_api.wall_ns: wall_ns,
        python_api.monotonic_ns: monotonic_ns,
        python_api.call_object: types.ExternalFunction("PyObject_Vectorcall", cell(cell, cell, cell, cell)),
        python_api.drop_object: types.ExternalFunction("Py_DecRef", types.void(cell)),
        python_api.error_occurred: types.ExternalFunction("PyErr_Occurred", cell()),
        python_api.bad_argument: types.ExternalFunction("PyErr_BadArgument", types.int32()),
    }


def _carryless() -> dict[Callable[..., Any], Any]:
    from llvmlite import binding, ir
    from numba import types
    from numba.core import cgutils
    from numba.extending import intrinsic

    cell, word = types.int64, ir.IntType(64)
    pair = ir.VectorType(word, 2)
    byte, index = ir.IntType(8), ir.IntType(32)
    features: Any = binding.get_host_cpu_features()
    has_it = bool(features.get("pclmul", False))
    declared: Any = cgutils.get_or_insert_function
    reserved: Any = cgutils.alloca_once

    def moved(b: Any, value: Any, by: tuple[int, int]) -> Any:
        """128 bits moved on by a constant pair."""
        times = declared(b.module, ir.FunctionType(pair, [pair, pair, byte]), "llvm.x86.pclmulqdq")
        constant = ir.Constant(pair, list(by))
        return b.xor(b.call(times, [value, constant, byte(0x00)]), b.call(times, [value, constant, byte(0x11)]))

    @intrinsic
    def can_fold(_typing: Any) -> Any:
        return cell(), lambda _context, _builder, _signature, _args: word(int(has_it))

    def product(b: Any, value: Any, by: int) -> Any:
        """The lower 64 bits of a number of 64 bits multiplied by a constant, without carry."""
        times = declared(b.module, ir.FunctionType(pair, [pair, pair, byte]), "llvm.x86.pclmulqdq")
        first = b.insert_element(ir.Constant(pair, [0, 0]), value, index(0))
        return b.extract_element(b.call(times, [first, ir.Constant(pair, [by, 0]), byte(0x00)]), index(0))

    def reduced(b: Any, total: Any) -> Any:
        """As :func:`bloor.native.carryless._reduced`; what is above the lower 64 bits after the first step is kept."""
        low32 = word(0xFFFFFFFF)
        times = declared(b.module, ir.FunctionType(pair, [pair, pair, byte]), "llvm.x86.pclmulqdq")
        moved_on = b.call(times, [total, ir.Constant(pair, list(carryless.FOLD_16)), byte(0x10)])
        low = b.xor(b.extract_element(total, index(1)), b.extract_element(moved_on, index(0)))
        high = b.extract_element(moved_on, index(1))
        rest = b.or_(b.lshr(low, word(32)), b.shl(high, word(32)))
        last = b.xor(rest, product(b, b.and_(low, low32), carryless.FOLD_32))
        quotient = b.and_(product(b, b.and_(last, low32), carryless.QUOTIENT), low32)
        return b.lshr(b.xor(last, product(b, quotient, carryless.POLYNOMIAL)), word(32))

    @intrinsic
    def folded_crc(_typing: Any, _at: Any, _size: Any, _code: Any) -> Any:
        def generate(_context: Any, b: Any, _signature: Any, args: Any) -> Any:
            if not has_it:
                return word(0)  # never called: `can_fold` says so
            at, size, code = args
            sums = [reserved(b, pair) for _ in range(4)]
            offset = reserved(b, word)

            def load(extra: int) -> Any:
                address = b.add(at, b.add(b.load(offset), word(extra)))
                return b.load(b.inttoptr(address, pair.as_pointer()), align=1)

            code = b.and_(code, word(0xFFFFFFFF))
            with b.if_else(b.icmp_unsigned("==", b.and_(size, word(8)), word(0))) as (even, odd):
                with even:
                    first = b.load(b.inttoptr(at, pair.as_pointer()), align=1)
                    begin = b.insert_element(ir.Constant(pair, [0, 0]), code, index(0))
                    b.store(b.xor(first, begin), sums[0])
                    b.store(word(16), offset)
                with odd:
                    eight = b.xor(b.load(b.inttoptr(at, word.as_pointer()), align=1), code)
                    b.store(b.insert_element(ir.Constant(pair, [0, 0]), eight, index(1)), sums[0])
                    b.store(word(8), offset)
            with b.if_then(b.icmp_unsigned(">=", size, word(carryless.WIDE))):
                for k in range(3):
                    b.store(load(16 * k), sums[k + 1])
                b.store(b.add(b.load(offset), word(48)), offset)
                with loop(b, lambda: b.icmp_unsigned("<=", b.add(b.load(offset), word(64)), size)):
                    for k, total in enumerate(sums):
                        b.store(b.xor(moved(b, b.load(total), carryless.FOLD_64), load(16 * k)), total)
                    b.store(b.add(b.load(offset), word(64)), offset)
                for total in sums[1:]:
                    b.store(b.xor(moved(b, b.load(sums[0]), carryless.FOLD_16), b.load(total)), sums[0])
            with loop(b, lambda: b.icmp_unsigned("<", b.load(offset), size)):
                b.store(b.xor(moved(b, b.load(sums[0]), carryless.FOLD_16), load(0)), sums[0])
                b.store(b.add(b.load(offset), word(16)), offset)
            return reduced(b, b.load(sums[0]))

        return cell(cell, cell, cell), generate

    return {carryless.can_fold: can_fold, carryless.folded_crc: folded_crc}


@contextmanager
def loop(b: Any, go_on: Callable[[], Any]) -> Iterator[None]:
    """The body of a loop that runs as long as ``go_on`` computes true."""
    test, body, end = (b.append_basic_block(name) for name in ("loop.test", "loop.body", "loop.end"))
    b.branch(test)
    b.position_at_end(test)
    b.cbranch(go_on(), body, end)
    b.position_at_end(body)
    yield
    b.branch(test)
    b.position_at_end(end)
