"""A gate whose checks do not all have a compiled form, as kernels find it: every order asks ordinary Python."""

from __future__ import annotations

from collections.abc import Sequence
from ctypes import CFUNCTYPE, c_int64, c_void_p, cast

import numpy as np

from bloor.backtesting import layout as at
from bloor.backtesting.memory import DeskMemory, address
from bloor.native.memory import cell_at, put_cell
from bloor.risk import kernel
from bloor.risk.gate import Denial, Gate

__all__ = ["PythonGate"]

_CHECK = CFUNCTYPE(c_int64, c_int64, c_int64, c_int64, c_int64, c_int64)


class PythonGate:
    """The cells of a gate with one check, which is the whole of a gate in Python.

    Attributes:
        address: Address of the cells, for :func:`bloor.risk.kernel.decide`.
    """

    def __init__(self, gate: Gate, desks: Sequence[DeskMemory]) -> None:
        """Makes the cells.

        Args:
            gate: The gate; it counts its decisions itself.
            desks: Whose orders pass it.
        """
        self._gate = gate
        self._desks = {desk.intent.address: desk for desk in desks}
        self._numbers: dict[Denial, int] = {}
        self._function = _CHECK(self._decide)
        self._cells = np.zeros(kernel.CHECKS + 2, np.int64)
        self._cells[kernel.COUNT] = 1
        self._cells[kernel.CHECKS] = cast(self._function, c_void_p).value or 0
        self.address = address(self._cells)

    def _decide(self, _cells: int, intent: int, _book: int, _exposure: int, now_ns: int) -> int:
        """0 to send an order, else a number for the denial."""
        desk = self._desks[intent]
        try:
            denial = self._gate.decide(desk.intent, desk.lane.view, desk.exposure, now_ns)
        except BaseException as error:  # noqa: BLE001 (there is Python again only at the end of the backtest)
            desk.raised = error
            lane = address(desk.lane.cells)
            put_cell(cell_at(lane + at.RUN) + at.RUN_FAULT, at.FAULT_INTERRUPTED)
            put_cell(lane + at.HORIZON, at.LONG_AGO)  # a fault ends the run at once
            return kernel.NUMBER_MASK
        return 0 if denial is None else self._numbers.setdefault(denial, len(self._numbers) + 1)
