"""The gate's decision in compiled code: the checks in a row, each called by its address.

Kernels; hot path. The same answers as :meth:`~bloor.risk.gate.Gate.decide` on the same memory, which either of them
may go on from; what they count is told to :meth:`~bloor.risk.gate.Gate.account`.
"""

from __future__ import annotations

from bloor.native.memory import call5, cell_at
from bloor.native.python_api import bad_argument, bytes_address, error_occurred, new_int, read_int

__all__ = ["CHECKS", "COUNT", "LATCHED", "NUMBER_MASK", "NUMBER_SHIFT", "UNDECIDED", "call", "decide"]

# the cells of a gate
LATCHED = 0  # not 0 while a halt or reduce-only is set: the Python form decides
COUNT = 1  # how many checks
CHECKS = 2  # for each check the address of its entry, then that of its cells

#: The answer of a latched gate: nothing was decided, and no check was asked.
UNDECIDED = -1
#: An answer above zero is the number of a check, counted from 1, and in the lower bits its number for the reason.
NUMBER_SHIFT = 16
NUMBER_MASK = (1 << NUMBER_SHIFT) - 1


def decide(gate: int, intent: int, book: int, exposure: int, now_ns: int) -> int:
    """Whether an order may be sent now.

    Args:
        gate: Address of the gate's cells.
        intent: Address of an :class:`~bloor.risk.check.OrderIntent`.
        book: Address of the :class:`~bloor.market.view.BookView` of its instrument.
        exposure: Address of the :class:`~bloor.risk.check.Exposure` that it would add to.
        now_ns: Time of the event, wall ns since the epoch.

    Returns:
        0 to send it; above zero the check that denies and why, see :data:`NUMBER_SHIFT`; :data:`UNDECIDED`.
    """
    if cell_at(gate + 8 * LATCHED) != 0:
        return UNDECIDED
    at = gate + 8 * CHECKS
    for i in range(cell_at(gate + 8 * COUNT)):
        number = call5(cell_at(at), cell_at(at + 8), intent, book, exposure, now_ns)
        if number != 0:
            # one that does not fit is told as 0, which is nobody's code and denies too
            return (i + 1) << NUMBER_SHIFT | (number if 0 < number <= NUMBER_MASK else 0)
        at += 16
    return 0


def call(owner: int, arguments: int, count: int) -> int:
    """``PyObject *decide(self, intent, book, exposure, now_ns)`` with METH_FASTCALL; ``self`` holds the gate's address.

    Returns:
        A new reference to the int of :func:`decide`, or 0 with an error set when the arguments are not four int64.
    """
    if count != 4:
        bad_argument()
        return 0
    intent, book = read_int(cell_at(arguments)), read_int(cell_at(arguments + 8))
    exposure, now_ns = read_int(cell_at(arguments + 16)), read_int(cell_at(arguments + 24))
    if (intent == -1 or book == -1 or exposure == -1 or now_ns == -1) and error_occurred() != 0:
        return 0
    return new_int(decide(cell_at(bytes_address(owner)), intent, book, exposure, now_ns))
