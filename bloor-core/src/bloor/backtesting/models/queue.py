"""What a queue model is: a guess of how much stands ahead of a resting order at its price.

Books by price say how much a level holds and not who came first. A model keeps its estimate in the four cells that the
engine gives each order, and is asked at three moments by C functions of int64, called by their address:

``placed(params, queue, level, newest) -> 0``
    The order joined its level, which held ``level`` units.
``traded(params, queue, units, order) -> past``
    ``units`` traded at its price. The answer is how many of them reached past what was ahead of the order, which it is
    filled with; 0 when they did not reach it.
``changed(params, queue, before, after) -> 0``
    The level went from ``before`` to ``after`` units. A trade comes first, and the change that it made to the level
    after it, as venues send them.

``newest`` and ``order`` are 0, unless the model asks for order-level data (:attr:`QueueModel.by_order`). Orders are
numbered in the sequence in which they joined any queue of the instrument, from 1 on. Such a model is told:

``placed(params, queue, level, newest) -> 0``
    ``newest`` is the number of the newest order that had joined before ours.
``traded(params, queue, units, order) -> past``
    ``units`` of this order, which rested at the price, were executed; in place of trades.
``order_changed(params, queue, units, order) -> 0``, a fourth function, and ``changed`` after it
    This order changed the level by ``units``; what was executed of it leaves the level so too. An order that loses its
    place leaves, and joins with another number. ``order`` 0: the level is empty now, and orders that are there all the
    same follow with the numbers that they had.

``params`` is the address of the model's own cells, ``queue`` that of the order's four, which are 0 before ``placed``.
Orders at the same price have cells of their own: a model never sees another order.
"""

from __future__ import annotations

import inspect
from abc import ABC, abstractmethod
from types import ModuleType
from typing import ClassVar

from attrs import frozen

from bloor.errors import KernelError, PluginError
from bloor.model.instrument import Instrument
from bloor.native.entries import Entries, compiled_entries
from bloor.native.memory import Cells

__all__ = ["QUEUE_CELLS", "QUEUE_FUNCTIONS", "QueueEntries", "QueueModel"]

#: How many cells a model has in each order.
QUEUE_CELLS = 4
#: The functions in the last kernel file of a model, and how many arguments each has.
QUEUE_FUNCTIONS = (("placed", 4), ("traded", 4), ("changed", 4))
#: That of a model that asks for order-level data, beside these.
ORDER_FUNCTIONS = (("order_changed", 4),)


@frozen(eq=False)
class QueueEntries:
    """A queue model as compiled code calls it; the addresses are good for as long as this lives.

    Attributes:
        placed: Address of the C function of this name, as the others.
        traded: See ``placed``.
        changed: See ``placed``.
        order_changed: See ``placed``; 0 where the model does not ask for order-level data.
        cells: The model's parameters, ``(n,)`` int64.
        entries: The compiled code; ``entries.call`` has the functions to be called from Python.
    """

    placed: int
    traded: int
    changed: int
    order_changed: int
    cells: Cells
    entries: Entries

    @property
    def params(self) -> int:
        """Address of the parameters: the first argument of every function."""
        return int(self.cells.ctypes.data)


class QueueModel(ABC):
    """Base of every queue model: an attrs class whose fields are its parameters.

    Its class is handed over by ``bloor_queue_model``, and an instance is the model with its parameters.
    """

    #: What a user types after ``--queue-model``; a plug-in's name.
    name: ClassVar[str]
    #: The kernel files, callees first, in the words of :mod:`bloor.native.memory`; the last has the functions.
    kernels: ClassVar[tuple[ModuleType, ...]]
    #: Whether it asks for order-level data; a backtest over others is refused.
    by_order: ClassVar[bool] = False

    @abstractmethod
    def cells(self, instrument: Instrument) -> Cells:
        """The parameters as the kernels read them, new cells ``(n,)`` int64, n at least 1; no kernel writes there.

        Args:
            instrument: The instrument whose units the quantities count in.
        """

    def entries(self, instrument: Instrument) -> QueueEntries:
        """Compiles the kernels, or reads them from disk: once a process for all models of the class.

        Args:
            instrument: The instrument that is traded.

        Raises:
            PluginError: The kernels lack a function, or one has other arguments, or they cannot be compiled.
        """
        entries = _compiled(self)
        at = entries.address
        return QueueEntries(
            at["placed"], at["traded"], at["changed"], at.get("order_changed", 0), self.cells(instrument), entries
        )


def _compiled(model: QueueModel) -> Entries:
    modules = tuple(model.kernels)
    functions = QUEUE_FUNCTIONS + (ORDER_FUNCTIONS if model.by_order else ())
    for function, count in functions:
        entry = getattr(modules[-1], function, None) if modules else None
        if not inspect.isfunction(entry) or len(inspect.signature(entry).parameters) != count:
            where = modules[-1].__name__ if modules else "no module"
            cause = f"queue model: expected {function}() of {count} arguments in its last kernel file, {where}"
            raise PluginError(model.name, cause)
    name = f"queue-{modules[-1].__name__.rpartition('.')[2].replace('_', '-')}"
    try:
        return compiled_entries(name, modules, functions)
    except KernelError as error:
        raise PluginError(model.name, f"queue model: {error}") from error
