"""The ways into a venue's compiled normalizer: a builtin's C function, a call with an address, and a batch.

Kernels; hot path. ``step`` stands for the venue's own kernel, which is put in its place when these are compiled.
"""

from __future__ import annotations

from bloor.market.compiled.context import CLOCK, CONTEXT_CELLS
from bloor.native.clock import wall_now
from bloor.native.memory import Cells, cell_at, cells_at
from bloor.native.python_api import (
    bad_argument,
    bytes_address,
    bytes_size,
    error_occurred,
    new_int,
    read_int,
)

__all__ = ["call", "run", "take"]

#: Answers of a step that are below zero ask for the reference; above, see :mod:`bloor.market.compiled.answers`.
UNSURE = -1


def step(context: Cells, text: int, size: int, recv_ns: int) -> int:  # noqa: ARG001 (the signature is the contract)
    """A normalizer that is sure of nothing: the venue's kernel takes its place."""
    return UNSURE


def call(owner: int, arguments: int, count: int) -> int:
    """``PyObject *step(self, frame, recv_ns)`` with METH_FASTCALL; ``self`` is a bytes object with the address.

    Without ``recv_ns`` the frame was received now, by the context's clock.

    Returns:
        A new reference to an int, or 0 with an error set when the arguments are not ``(bytes, int)`` or ``(bytes,)``.
    """
    if count != 1 and count != 2:
        bad_argument()
        return 0
    frame = cell_at(arguments)
    text = bytes_address(frame)
    if text == 0:
        return 0
    context = cells_at(cell_at(bytes_address(owner)), CONTEXT_CELLS)
    if count == 1:
        recv_ns = wall_now(context[CLOCK])
    else:
        recv_ns = read_int(cell_at(arguments + 8))
        if recv_ns == -1 and error_occurred() != 0:
            return 0
    return new_int(step(context, text, bytes_size(frame), recv_ns))


def take(context: int, text: int, size: int, recv_ns: int) -> int:
    """The same by addresses: the portable way, and what other compiled code calls."""
    return step(cells_at(context, CONTEXT_CELLS), text, size, recv_ns)


def run(context: int, text: int, ends: Cells, recv_ns: Cells, answers: Cells, events: Cells, begin: int) -> int:
    """Takes frame after frame, and keeps the event records.

    Args:
        context: Address of the context.
        text: Address of all frames, one behind the other, a NUL behind each.
        ends: For each frame, the offset of its NUL.
        recv_ns: For each frame, when it was received.
        answers: Gets the answer of each frame.
        events: Gets the 16 cells of each frame's two records, shape (frames, 16).
        begin: The first frame to take.

    Returns:
        The index of the first frame that needs the reference; the number of frames when none does.
    """
    cells = cells_at(context, CONTEXT_CELLS)
    written = cells_at(cells[0], 16)
    start = ends[begin - 1] + 1 if begin > 0 else 0
    for i in range(begin, ends.size):
        answer = step(cells, text + start, ends[i] - start, recv_ns[i])
        if answer < 0:
            return i
        answers[i] = answer
        for k in range(16):
            events[i, k] = written[k]
        start = ends[i] + 1
    return ends.size
