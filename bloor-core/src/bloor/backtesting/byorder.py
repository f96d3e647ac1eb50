"""Order-level data, for queue models that ask for them (``QueueModel.by_order``): whether there are any.

A record of a level then says whose order changed: ``price2`` is the order's number in the sequence in which orders
joined, ``qty2`` what was executed of it then (:mod:`bloor.market.events`).
"""

from __future__ import annotations

import numpy as np

from bloor.backtesting.rows import StoredRows
from bloor.errors import UsageError
from bloor.market.events import EventKind

__all__ = ["require_orders", "tells_orders"]


def tells_orders(rows: StoredRows) -> bool:
    """Whether data say whose orders changed."""
    return any(bool(np.any((window["kind"] == EventKind.LEVEL) & (window["price2"] != 0))) for window in rows.windows())


def require_orders(model: str, name: str, rows: StoredRows) -> None:
    """Refuses data that do not say whose order changed, or not what was executed of each.

    Args:
        model: Name of the queue model.
        name: What the data are called in messages.
        rows: The stored events.

    Raises:
        UsageError: The data are not order-level data.
    """
    levels = unnamed = executed = trades = 0
    for window in rows.windows():
        kinds = window["kind"]
        of_level = window[kinds == EventKind.LEVEL]
        levels += len(of_level)
        unsaid = (of_level["price2"] == 0) & (of_level["qty2"] == 0)
        unnamed += int(np.count_nonzero(unsaid & (of_level["qty"] != 0)))
        executed += int(np.count_nonzero(of_level["qty2"]))
        trades += int(np.count_nonzero(np.isin(kinds, (EventKind.TRADE, EventKind.AGG_TRADE))))
    if unnamed or not levels:
        came = f"{unnamed:,} of {levels:,} changes of levels do not say whose order changed" if levels else "no book"
        said = f"{came}: a book by price"
    elif trades and not executed:
        said = f"{trades:,} trades, and of no order that it was executed"
    else:
        return
    raise UsageError(
        f"--queue-model {model}: expected order-level data of {name} (each order that joins, changes, leaves or is "
        f"executed), got {said}; choose a model that estimates the queue, such as --queue-model risk-averse"
    )
