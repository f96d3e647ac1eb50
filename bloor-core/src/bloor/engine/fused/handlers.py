"""The handlers of a fused desk as the engine calls them from Python: each is one call into compiled code."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from bloor.engine.effects import order_conn
from bloor.engine.fused import layout
from bloor.engine.fused.explain import explanation
from bloor.market.events import EventKind, EventView
from bloor.strategy.memory import METHODS, FillRecord, Handler, OrderRecord

if TYPE_CHECKING:
    from bloor.engine.core import Engine
    from bloor.engine.desk import Desk
    from bloor.engine.fused.changing import CompiledChanges
    from bloor.engine.fused.fusion import NativeJournal
    from bloor.engine.fused.memory import DeskMemory
    from bloor.engine.fused.settle import Settler
    from bloor.market.view import BookView
    from bloor.model.orders import Fill
    from bloor.strategy.api import OrderUpdate

__all__ = ["FusedHandlers"]

_ON_EVENT = {
    int(EventKind.TRADE): Handler.TRADE,
    int(EventKind.AGG_TRADE): Handler.TRADE,
    int(EventKind.BBO): Handler.BBO,
    int(EventKind.BOOK): Handler.BOOK,
}


class FusedHandlers:
    """The handlers of :class:`~bloor.strategy.api.Strategy`, of one desk."""

    def __init__(
        self,
        engine: Engine,
        desk: Desk,
        strategy: Any,
        memory: DeskMemory,
        settler: Settler,
        changes: CompiledChanges,
        journal: NativeJournal,
    ) -> None:
        self._engine = engine
        self._desk = desk
        self._strategy = strategy
        self._memory = memory
        self._settler = settler
        self._changes = changes
        self._journal = journal
        self._run = memory.run
        self._fill = FillRecord()
        self._order = OrderRecord()

    def on_start(self, orders: Desk) -> None:
        """As a strategy's; so the others."""
        self._handle(Handler.START, 0, orders)

    def on_trade(self, trade: EventView, book: BookView, orders: Desk) -> None:
        """A public trade."""
        self._handle(Handler.TRADE, trade.address, trade, book, orders)

    def on_bbo(self, bbo: EventView, book: BookView, orders: Desk) -> None:
        """The venue's own best bid and offer."""
        self._handle(Handler.BBO, bbo.address, bbo, book, orders)

    def on_book(self, book: BookView, orders: Desk) -> None:
        """The book changed."""
        self._handle(Handler.BOOK, 0, book, orders)

    def on_bar(self, bar: Any, book: BookView, orders: Desk) -> None:
        """A bar has closed."""
        self._handle(Handler.BAR, bar.address, bar, book, orders)

    def on_timer(self, orders: Desk) -> None:
        """The period is over."""
        self._handle(Handler.TIMER, 0, orders)

    def on_fill(self, fill: Fill, book: BookView, orders: Desk) -> None:
        """An order traded."""
        r = self._fill
        r.side, r.price_ticks, r.units = int(fill.side), fill.price_ticks, fill.units
        r.liquidity, r.exch_ns, r.recv_ns = int(fill.liquidity), fill.exch_ns, fill.recv_ns
        self._handle(Handler.FILL, r.address, fill, book, orders)

    def on_order(self, order: OrderUpdate, book: BookView, orders: Desk) -> None:
        """An order changed."""
        r = self._order
        r.number, r.side, r.price, r.lots = order.number, order.side, order.price, order.lots
        r.filled, r.status, r.closed = order.filled, int(order.status), int(order.closed)
        self._handle(Handler.ORDER, r.address, order, book, orders)

    def on_stop(self, orders: Desk) -> None:
        """The run ends."""
        self._handle(Handler.STOP, 0, orders)

    def raiser(self, event: EventView) -> Callable[[], None]:
        """A function named as the handler of an event, which settles what that asked for and raises what it raised."""
        handler = _ON_EVENT[event.kind]
        view = self._desk.book
        arguments = (view, self._desk) if handler is Handler.BOOK else (event, view, self._desk)
        error = self._explained(handler, arguments)

        def raise_it() -> None:
            self._settler.settle()
            raise error

        raise_it.__name__ = METHODS[handler]
        return raise_it

    def _handle(self, handler: Handler, event: int, *arguments: Any) -> None:
        """Runs a handler in compiled code, or in Python when that may not be."""
        code = self._memory.call(handler, event, self._engine.now_ns)
        if not code:
            return
        if code.__class__ is bytes:
            self._engine.effects.send(order_conn(self._desk.line), code)
            self._settler.settle(sent=True)
        elif code == layout.ROLL and self._journal.make_room(layout.RESERVE):
            self._handle(handler, event, *arguments)
        elif code in (layout.ROLL, layout.NOT_ORDINARY):
            getattr(self._strategy, METHODS[handler])(*arguments)
        else:
            error = self._explained(handler, arguments) if code == layout.RAISED else None
            self._settler.settle()
            if error is not None:
                raise error

    def _explained(self, handler: Handler, arguments: tuple[Any, ...]) -> BaseException:
        method = getattr(self._strategy, METHODS[handler])
        answers = self._changes.answers if self._run[layout.CHANGED] else ()
        return explanation(self._desk, self._memory, self._strategy, method, arguments, answers)
