"""Calling the handlers of a strategy that is ordinary Python, and what they ask for (kernels; hot path).

To the course of a backtest a handler is a C function, compiled or not. For ordinary Python it is :func:`invoke`: it
calls the strategy's own method, with objects that were made once and look at the memory that kernels write.
"""

from __future__ import annotations

from bloor.backtesting import layout as at
from bloor.engine.fused.layout import offset
from bloor.native.memory import call4, call6, cell_at, copy_blocks, put_cell
from bloor.native.python_api import (
    bad_argument,
    bytes_address,
    call_object,
    drop_object,
    error_occurred,
    new_int,
    read_int,
)
from bloor.strategy.memory import Handler, OrdersRecord

__all__ = ["ask", "invoke"]

DESK, NOW = offset(OrdersRecord, "desk"), offset(OrdersRecord, "now_ns")
BBO = int(Handler.BBO)

# ---- the table of a desk's handlers
EVENT = 0  # address of the event that handlers are given
FETCH = 8  # address of ``void PyErr_Fetch(PyObject **, PyObject **, PyObject **)``
ERROR = 16  # what it has written: type, value and traceback
UNTIL = 40  # the run ends with the first event after this
CALLS = 48  # for each handler; the first, of number 0, is what is called when another one has raised:
CALL_BYTES = 48
CALL_METHOD = 0  # the object to call
CALL_ARGUMENTS = 16  # behind a cell that a bound method may use for a moment
CALL_COUNT = 40
TABLE_CELLS = (CALLS + CALL_BYTES * (1 + max(Handler))) // 8

#: Bit of a number of arguments: the cell before them may be used for a moment (PY_VECTORCALL_ARGUMENTS_OFFSET).
SELF_FITS = -1 << 63

# ---- a request
ASKED_FUNCTION = 0
ASKED_ORDERS = 8
ASKED_COUNT = 16
ASKED_CELLS = 3


def invoke(handler: int, _state: int, event: int, _book: int, orders: int) -> int:
    """Calls a handler; 1 when it raised, else 0 (:func:`bloor.strategy.compiled.driver.invoke`).

    Args:
        handler: A :class:`~bloor.strategy.memory.Handler`.
        event: Address of what happened; that of a trade or a quote is copied to where the handler's event looks.
        orders: Address of the ``OrdersRecord``.
    """
    table = cell_at(cell_at(orders + DESK) + at.DESK_CALLS)
    if handler <= BBO:
        copy_blocks(cell_at(table + EVENT), event, at.EVENT_BYTES)
    call = table + CALLS + CALL_BYTES * handler
    result = 0
    if cell_at(orders + NOW) <= cell_at(table + UNTIL):
        result = call_object(
            cell_at(call + CALL_METHOD), call + CALL_ARGUMENTS, cell_at(call + CALL_COUNT) | SELF_FITS, 0
        )
        if result != 0:
            drop_object(result)
            return 0
        error = table + ERROR
        call4(cell_at(table + FETCH), error, error + 8, error + 16, 0)
    else:
        put_cell(table + ERROR, 0)
    rescue = table + CALLS
    result = call_object(cell_at(rescue + CALL_METHOD), rescue + CALL_ARGUMENTS, 1 | SELF_FITS, 0)
    if result != 0:
        drop_object(result)
    return 1


def ask(owner: int, arguments: int, count: int) -> int:
    """A request of :class:`~bloor.strategy.api.Orders`, as a builtin of Python: METH_FASTCALL.

    ``owner`` holds the address of three cells: the C function, the ``OrdersRecord`` and the number of arguments.

    Returns:
        A new reference to the int that the function gives; 0 with an error set when an argument is no int64.
    """
    asked = cell_at(bytes_address(owner))
    if count != cell_at(asked + ASKED_COUNT):
        bad_argument()
        return 0
    first = read_int(cell_at(arguments)) if count > 0 else 0
    second = read_int(cell_at(arguments + 8)) if count > 1 else 0
    third = read_int(cell_at(arguments + 16)) if count > 2 else 0
    if (first == -1 or second == -1 or third == -1) and error_occurred() != 0:
        return 0
    function, orders = cell_at(asked + ASKED_FUNCTION), cell_at(asked + ASKED_ORDERS)
    if count == 5:
        kind, tif = read_int(cell_at(arguments + 24)), read_int(cell_at(arguments + 32))
        return new_int(call6(function, orders, first, second, third, kind, tif))
    return new_int(call4(function, orders, first, second, third))
