"""Orders of accounts: new ones, changes, cancels, the dead man's switch (docs.kraken.com, "Trading").

The same for REST and WebSocket: a request comes as a draft or a change, a refusal leaves as an ApiError, and what
happened to orders is told by the exchange.
"""

from __future__ import annotations

import heapq
from collections.abc import Callable

from bloor.model.orders import OrderType
from bloor.simulation.exchange import AccountOrder, Exchange, Refusal
from bloor.simulation.orders import OrderState
from bloor.venue.session import NEVER
from bloor_kraken.simulated.counters import OrderCounters, amend_cost, cancel_cost, edit_cost
from bloor_kraken.simulated.drafts import Change, Draft, OrderName, check_deadline
from bloor_kraken.simulated.errors import ApiError, Text, invalid
from bloor_kraken.simulated.ids import Ids
from bloor_kraken.simulated.new_orders import build_order, check_size, parse_price, parse_qty
from bloor_kraken.simulated.system import System

__all__ = ["OrderDesk"]

_SECOND = 1_000_000_000
#: Longest time of the dead man's switch.
_LONGEST_SWITCH_S = 86_400
_REFUSALS = {
    Refusal.INSUFFICIENT_BALANCE: Text.INSUFFICIENT_FUNDS,
    Refusal.WOULD_TRIGGER: Text.INVALID_PRICE,
    Refusal.WOULD_TAKE: Text.INVALID_PRICE,
}


class OrderDesk:
    """Takes requests about orders.

    Args:
        exchange: Where they trade.
        counters: The trading engine's counters.
        ids: Makes ids.
        system: The engine's state.
        post_only_ended: Told of a post-only order that would have taken: it is accepted, and cancelled at once.

    Attributes:
        deadline_ns: When :meth:`advance` wants to be called next.
    """

    def __init__(
        self,
        exchange: Exchange,
        counters: OrderCounters,
        ids: Ids,
        system: System,
        post_only_ended: Callable[[AccountOrder, int], None],
    ) -> None:
        self._exchange = exchange
        self._counters = counters
        self._ids = ids
        self._system = system
        self._post_only_ended = post_only_ended
        self._switches: dict[int, int] = {}
        self._expiring: list[tuple[int, int]] = []
        self.deadline_ns = NEVER

    # -- new orders -------------------------------------------------------------------------------------------------

    def add(self, draft: Draft, account: int, now_ns: int, *, validate: bool = False) -> AccountOrder:
        """A new order. Raises ApiError; the fixed part of the counter is charged all the same.

        Args:
            draft: The order.
            account: Whose.
            now_ns: Wall time.
            validate: Only check it.
        """
        if not validate:
            self._counters.charge(draft.market.instrument.venue_symbol, 1, now_ns)
        order = self.check(draft, account, now_ns)
        if not validate:
            self.accept(order, now_ns)
        return order

    def check(self, draft: Draft, account: int, now_ns: int) -> AccountOrder:
        """An order of a batch, built and not accepted yet. Raises ApiError."""
        self._system.check_order(post_only=draft.post_only)
        return build_order(draft, self._exchange, account, now_ns)

    def charge(self, symbol: str, cost: float, now_ns: int) -> None:
        """Counts a request. Raises ApiError EOrder:Rate limit exceeded."""
        self._counters.charge(symbol, cost, now_ns)

    def accept(self, order: AccountOrder, now_ns: int) -> None:
        """Lets an order trade. Raises ApiError."""
        assert order.owner is not None
        if order.client_id and self._open(order.owner, OrderName(client_id=order.client_id)):
            raise ApiError(Text.DUPLICATE_CLIENT_ID)
        symbol = order.market.instrument.venue_symbol
        if len(self._exchange.open_orders(order.owner, symbol)) >= self._counters.tier.open_orders:
            raise ApiError(Text.ORDERS_LIMIT)
        self._ids.order(order)
        refusal = self._exchange.place(order, now_ns)
        if refusal is Refusal.WOULD_TAKE:
            order.created_ns = order.updated_ns = now_ns
            order.status = order.state = OrderState.REJECTED
            self._exchange.orders[order.id] = order
            self._post_only_ended(order, now_ns)
        elif refusal is not None:
            raise ApiError(_REFUSALS[refusal])
        elif order.style["expires"] != "0" and order.status is OrderState.OPEN:
            heapq.heappush(self._expiring, (int(order.style["expires"]), order.id))
            self._set_deadline()

    # -- changes ----------------------------------------------------------------------------------------------------

    def amend(self, change: Change, account: int, now_ns: int) -> tuple[str, AccountOrder]:
        """Changes an open order, which keeps its ids and what is executed.

        Returns:
            The id of the amendment, and the order.
        """
        check_deadline(change.deadline_ns, now_ns)
        order = self.one(change.order, account)
        self._system.check_order(post_only=order.type is OrderType.POST_ONLY)
        self._counters.charge(order.market.instrument.venue_symbol, amend_cost(_age(order, now_ns)), now_ns)
        price, stop, units = self._changed(change, order)
        if units <= order.executed:
            order.style["reason"] = "User requested"
            self._exchange.cancel(order, now_ns)
        else:
            self._change(order, price, stop, units, now_ns, post_only=change.post_only)
            order.style["amended"] = str(now_ns)
        return self._ids.amendment(), order

    def edit(self, change: Change, account: int, now_ns: int, *, validate: bool = False) -> AccountOrder:
        """Cancels an order and places it anew with what changes; it must not be executed in part.

        Returns:
            The new order.
        """
        check_deadline(change.deadline_ns, now_ns)
        old = self.one(change.order, account)
        self._system.check_order(post_only=change.post_only or old.type is OrderType.POST_ONLY)
        self._counters.charge(old.market.instrument.venue_symbol, edit_cost(_age(old, now_ns)), now_ns)
        if old.executed:
            raise ApiError(Text.INVALID_ORDER)
        price, stop, units = self._changed(change, old)
        check_size(old.market.instrument, price or stop, units)
        new = AccountOrder(
            id=self._exchange.next_order_id(),
            owner=account,
            market=old.market,
            side=old.side,
            price=price,
            units=units,
            type=OrderType.POST_ONLY if change.post_only else old.type,
            tif=old.tif,
            self_trade=old.self_trade,
            client_id=old.client_id,
            stop=stop,
            rises=old.rises,
            style={**old.style, "reason": "", "replaces": self._ids.order(old)},
        )
        if validate:
            return new
        old.style["reason"] = "User requested"
        self._exchange.cancel(old, now_ns)
        self.accept(new, now_ns)
        return new

    def _changed(self, change: Change, order: AccountOrder) -> tuple[int, int, int]:
        """Price, stop and quantity after a change."""
        qty_name, price_name, trigger_name = change.names
        instrument = order.market.instrument
        if change.qty is None and change.price is None and change.trigger is None:
            raise invalid(qty_name)
        if change.price is not None and not order.price:
            raise invalid(price_name)
        if change.trigger is not None and not order.waiting:
            raise invalid(trigger_name)
        price = parse_price(change.price, instrument, price_name) if change.price is not None else order.price
        stop = parse_price(change.trigger, instrument, trigger_name) if change.trigger is not None else order.stop
        units = parse_qty(change.qty, instrument, qty_name) if change.qty is not None else order.units
        return price, stop, units

    def _change(self, order: AccountOrder, price: int, stop: int, units: int, now_ns: int, *, post_only: bool) -> None:
        if (price, stop, units) == (order.price, order.stop, order.units):
            return
        check_size(order.market.instrument, price or stop, units)
        if post_only and not order.waiting and order.market.book.would_take(order.side, price):
            raise ApiError(Text.INVALID_PRICE)
        refusal = self._exchange.change(order, price=price, units=units, now_ns=now_ns, stop=stop)
        if refusal is not None:
            raise ApiError(_REFUSALS[refusal])

    # -- cancels ----------------------------------------------------------------------------------------------------

    def cancel(self, name: OrderName, account: int, now_ns: int) -> list[AccountOrder]:
        """Cancels the open orders that a name stands for. Raises ApiError EOrder:Unknown order, or of the counter."""
        self._system.check_cancel()
        orders = self._open(account, name)
        if not orders:
            raise ApiError(Text.UNKNOWN_ORDER)
        for order in orders:
            self._counters.charge(order.market.instrument.venue_symbol, cancel_cost(_age(order, now_ns)), now_ns)
            self._end(order, "User requested", now_ns)
        return orders

    def cancel_everything(self, account: int, now_ns: int) -> int:
        """Cancels all open orders and says how many there were. Raises ApiError while nothing is cancelled."""
        self._system.check_cancel()
        return self._end_all(account, "User requested", now_ns)

    def cancel_after(self, timeout_s: int, account: int, now_ns: int) -> int:
        """Arms the dead man's switch, or disarms it with 0.

        Returns:
            When everything will be cancelled, wall ns; 0 for never.
        """
        if not 0 <= timeout_s <= _LONGEST_SWITCH_S:
            raise invalid("timeout")
        self._switches.pop(account, None)
        if timeout_s:
            self._switches[account] = now_ns + timeout_s * _SECOND
        self._set_deadline()
        return self._switches.get(account, 0)

    def advance(self, now_ns: int) -> None:
        """Ends the orders whose time is up, and does what an armed switch is for."""
        if now_ns < self.deadline_ns:
            return
        while self._expiring and self._expiring[0][0] <= now_ns:
            order = self._exchange.orders[heapq.heappop(self._expiring)[1]]
            if order.status is OrderState.OPEN:
                order.style["reason"] = "Order expired"
                self._exchange.expire(order, now_ns)
        for account, due_ns in list(self._switches.items()):
            if due_ns <= now_ns:
                del self._switches[account]
                self._end_all(account, "Cancel all orders after timeout", now_ns)
        self._set_deadline()

    def _end_all(self, account: int, reason: str, now_ns: int) -> int:
        orders = self._exchange.open_orders(account)
        for order in orders:
            self._end(order, reason, now_ns)
        return len(orders)

    def _end(self, order: AccountOrder, reason: str, now_ns: int) -> None:
        order.style["reason"] = reason
        self._exchange.cancel(order, now_ns)

    def _set_deadline(self) -> None:
        self.deadline_ns = min([*self._switches.values(), *(entry[0] for entry in self._expiring[:1])], default=NEVER)

    # -- finding ----------------------------------------------------------------------------------------------------

    def one(self, name: OrderName, account: int) -> AccountOrder:
        """The open order of a name. Raises ApiError EOrder:Unknown order."""
        orders = self._open(account, name)
        if not orders:
            raise ApiError(Text.UNKNOWN_ORDER)
        return orders[0]

    def known(self, text: str, account: int) -> AccountOrder | None:
        """The order, open or ended, of one of Kraken's ids."""
        order = self._exchange.orders.get(self._ids.order_number(text))
        return order if order is not None and order.owner == account else None

    def _open(self, account: int, name: OrderName) -> list[AccountOrder]:
        if name.id:
            order = self.known(name.id, account)
            return [order] if order is not None and order.status is OrderState.OPEN else []
        orders = self._exchange.open_orders(account)
        if name.client_id:
            return [order for order in orders if order.client_id == name.client_id]
        return [order for order in orders if name.reference and order.style["userref"] == str(name.reference)]


def _age(order: AccountOrder, now_ns: int) -> int:
    """Time since an order was placed, or last amended."""
    return now_ns - int(order.style.get("amended", order.created_ns))
