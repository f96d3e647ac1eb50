"""The C function of a strategy's handlers (kernels; hot path).

:mod:`bloor.strategy.compiled.handlers` puts in the names that are ``None`` here. A handler that the strategy does not
override has its ``HAS_`` false, and becomes no code at all.
"""

from __future__ import annotations

from typing import Any

from bloor.strategy.memory import Handler

__all__ = ["DONE", "RAISED", "invoke", "with_book", "with_event", "with_orders"]

DONE, RAISED = 0, 1

TRADE, BBO, BOOK = int(Handler.TRADE), int(Handler.BBO), int(Handler.BOOK)
START, STOP = int(Handler.START), int(Handler.STOP)
FILL, ORDER = int(Handler.FILL), int(Handler.ORDER)
BAR, TIMER = int(Handler.BAR), int(Handler.TIMER)

HAS_TRADE = HAS_BBO = HAS_BOOK = HAS_START = HAS_STOP = HAS_FILL = HAS_ORDER = HAS_BAR = HAS_TIMER = False
on_trade: Any = None
on_bbo: Any = None
on_book: Any = None
on_start: Any = None
on_stop: Any = None
on_fill: Any = None
on_order: Any = None
on_bar: Any = None
on_timer: Any = None

method: Any = None
self_at: Any = None
event_at: Any = None
book_at: Any = None
orders_at: Any = None


def with_event(state: int, event: int, book: int, orders: int) -> None:
    """Calls a handler of ``(self, event, book, orders)``."""
    method(self_at(state), event_at(event), book_at(book), orders_at(orders))


def with_book(state: int, _event: int, book: int, orders: int) -> None:
    """Calls a handler of ``(self, book, orders)``."""
    method(self_at(state), book_at(book), orders_at(orders))


def with_orders(state: int, _event: int, _book: int, orders: int) -> None:
    """Calls a handler of ``(self, orders)``."""
    method(self_at(state), orders_at(orders))


def invoke(handler: int, state: int, event: int, book: int, orders: int) -> int:
    """Calls a handler; 1 when it raised, else 0.

    Args:
        handler: A :class:`~bloor.strategy.memory.Handler`.
        state: Address of the strategy's memory.
        event: Address of what happened; 0 for handlers that are given nothing but the book.
        book: Address of the ``BookView``.
        orders: Address of the ``OrdersRecord``.
    """
    try:
        if HAS_TRADE and handler == TRADE:
            on_trade(state, event, book, orders)
        if HAS_BBO and handler == BBO:
            on_bbo(state, event, book, orders)
        if HAS_BOOK and handler == BOOK:
            on_book(state, event, book, orders)
        if HAS_START and handler == START:
            on_start(state, event, book, orders)
        if HAS_STOP and handler == STOP:
            on_stop(state, event, book, orders)
        if HAS_FILL and handler == FILL:
            on_fill(state, event, book, orders)
        if HAS_ORDER and handler == ORDER:
            on_order(state, event, book, orders)
        if HAS_BAR and handler == BAR:
            on_bar(state, event, book, orders)
        if HAS_TIMER and handler == TIMER:
            on_timer(state, event, book, orders)
    except Exception:  # noqa: BLE001 (whatever a handler raises)
        return RAISED
    return DONE
