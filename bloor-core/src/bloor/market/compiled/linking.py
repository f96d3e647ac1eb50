"""The kernel files that every venue's compiled normalizer may use, and what its code is made of."""

from __future__ import annotations

from types import ModuleType

from bloor.market import ladder
from bloor.market.compiled import context, exports, record, sequence, text
from bloor.native import carryless, clock, memory, python_api, twins

__all__ = ["SHARED", "SOURCES"]

#: The kernel files that every venue's kernels may use, callees first.
SHARED: tuple[ModuleType, ...] = (clock, ladder, text, record, sequence, context)
#: Beside kernels: what the code is made of.
SOURCES: tuple[ModuleType, ...] = (*SHARED, memory, python_api, carryless, twins, exports)
