"""A clock of virtual time that compiled code can read as well."""

from __future__ import annotations

import numpy as np

__all__ = ["CellClock"]


class CellClock:
    """Gives the time that was last put into its cell."""

    __slots__ = ("_cell", "_ns")

    def __init__(self, ns: int = 0) -> None:
        """Starts at a time.

        Args:
            ns: The time, ns.
        """
        self._cell = np.array([ns], np.int64)
        self._ns = memoryview(self._cell.data)

    def __call__(self) -> int:
        """The time, ns."""
        return self._ns[0]

    @property
    def ns(self) -> int:
        """The time, ns."""
        return self._ns[0]

    @ns.setter
    def ns(self, ns: int) -> None:
        self._ns[0] = ns

    @property
    def address(self) -> int:
        """Where the cell is; valid while this clock lives."""
        return int(self._cell.ctypes.data)
