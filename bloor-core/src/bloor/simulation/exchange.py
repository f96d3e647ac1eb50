"""What every simulated spot exchange does, without a protocol: accounts trade in books that a market moves.

An :class:`Exchange` keeps the order of things: funds are reserved, the order is announced, matched, every execution
settled, and what is left released; each step is told to a :class:`Listener`, which a venue's package turns into its own
messages. Times are wall ns since the epoch and come with every call.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping, Sequence
from typing import NamedTuple, Protocol

from bloor.model.instrument import Instrument
from bloor.model.orders import OrderType, Side
from bloor.simulation.account import Account, base_atoms, quote_atoms
from bloor.simulation.account_orders import (
    AccountEvent,
    AccountEventKind,
    AccountFill,
    AccountOrder,
    Prevention,
    Refusal,
)
from bloor.simulation.matching import MatchingBook
from bloor.simulation.orders import Ended, EndReason, Execution, OrderState, Outcome, Prevented
from bloor.simulation.stops import StopOrders, passed, reached

__all__ = [
    "AccountEvent",
    "AccountEventKind",
    "AccountFill",
    "AccountOrder",
    "Exchange",
    "Listener",
    "Market",
    "MarketDriver",
    "Prevention",
    "PublicTrade",
    "Refusal",
]

#: Public trades that a market remembers.
RECENT_TRADES = 1000
#: Prices between which nothing was traded.
_NO_TRADES = (1 << 62, 0)


class PublicTrade(NamedTuple):
    """A trade that everybody sees."""

    trade_id: int
    price: int
    units: int
    aggressor: Side
    ns: int
    #: Equal for the trades of one taker order.
    taker: int


class Listener(Protocol):
    """Whom an exchange tells, in order."""

    def account_event(self, event: AccountEvent) -> None:
        """An account's order changed; its fields and the account's balances are as of this event."""

    def public_trade(self, market: Market, trade: PublicTrade) -> None:
        """Somebody traded."""


class MarketDriver(Protocol):
    """What moves a market by itself: a seeded model, or a recording."""

    #: Wall ns of the next thing it will do.
    next_ns: int

    def step(self) -> Sequence[Outcome]:
        """Does it, and says what that made happen in the book."""

    def restore(self, ns: int) -> Sequence[Outcome]:
        """An account's order was matched: a chance to put liquidity back."""


class Market:
    """One listed instrument.

    Attributes:
        instrument: What is traded.
        book: Its matching book.
        driver: What moves it.
        trades: The latest public trades, oldest first.
        last_trade_id: Id of the latest trade.
        last_price: Price of the latest public trade in ticks; 0 before the first.
        stops: Orders that wait for a price.
        publishes_market_trades: Whether executions in the book are public trades; a recording prints its own.
    """

    def __init__(self, instrument: Instrument, book: MatchingBook, *, publishes_market_trades: bool = True) -> None:
        self.instrument = instrument
        self.book = book
        self.driver: MarketDriver | None = None
        self.trades: deque[PublicTrade] = deque(maxlen=RECENT_TRADES)
        self.last_trade_id = 0
        self.last_price = 0
        self.publishes_market_trades = publishes_market_trades
        self.stops = StopOrders()
        self._range = _NO_TRADES

    def printed(self, price: int) -> None:
        """The public saw a trade at a price."""
        self.last_price = price
        low, high = self._range
        self._range = (min(low, price), max(high, price))

    def triggered(self) -> AccountOrder | None:
        """The next waiting order that a trade since the last None triggers; it does not wait any longer."""
        low, high = self._range
        order = self.stops.take(low, high) if high else None
        if order is None:
            self._range = _NO_TRADES
        return order

    def next_trade_id(self) -> int:
        """A new trade id, one more than the last."""
        self.last_trade_id += 1
        return self.last_trade_id


class Exchange:
    """Markets and accounts.

    Attributes:
        markets: The venue's symbol -> market.
        accounts: Account number -> account.
        orders: Order id -> order, open and ended.
        preventions: Matches that self-trade prevention did not let happen, oldest first.
    """

    def __init__(self, markets: Mapping[str, Market], accounts: Sequence[Account], listener: Listener) -> None:
        self.markets = markets
        self.accounts = {account.number: account for account in accounts}
        self.orders: dict[int, AccountOrder] = {}
        self.preventions: list[Prevention] = []
        self._open: dict[int, AccountOrder] = {}
        self._listener = listener
        self._last_order_id = 1_000_000

    def next_order_id(self) -> int:
        """A new order id, unique on the exchange."""
        self._last_order_id += 1
        return self._last_order_id

    def open_orders(self, account: int, symbol: str | None = None) -> list[AccountOrder]:
        """Open orders of an account, oldest first."""
        return [
            order
            for order in self._open.values()
            if order.owner == account and (symbol is None or order.market.instrument.venue_symbol == symbol)
        ]

    def place(self, order: AccountOrder, now_ns: int) -> Refusal | None:
        """Accepts an order and matches it, or says why not.

        Args:
            order: A new order; its ``owner`` is an account number here and its ``id`` came from :meth:`next_order_id`.
            now_ns: Wall time.
        """
        market = order.market
        if order.type is OrderType.POST_ONLY and market.book.would_take(order.side, order.price):
            return Refusal.WOULD_TAKE
        if order.stop and reached(order, market.last_price):
            return Refusal.WOULD_TRIGGER
        account = self._account(order)
        cost = self._cost(order)
        if not account.reserve(order.pay_asset, cost):
            return Refusal.INSUFFICIENT_BALANCE
        order.reserved = cost
        order.created_ns = order.updated_ns = now_ns
        self.orders[order.id] = self._open[order.id] = order
        order.status = OrderState.OPEN
        if order.stop:
            market.stops.add(order)
        else:
            order.working_ns = now_ns
        self._listener.account_event(AccountEvent(AccountEventKind.NEW, order, now_ns))
        if not order.stop:
            self._work(order, now_ns)
        return None

    def cancel(self, order: AccountOrder, now_ns: int) -> bool:
        """Cancels an open order; False when it is not open."""
        if not self._take_out(order, OrderState.CANCELLED):
            return False
        self._close(order, OrderState.CANCELLED, now_ns)
        self._listener.account_event(AccountEvent(AccountEventKind.CANCELLED, order, now_ns))
        return True

    def expire(self, order: AccountOrder, now_ns: int) -> bool:
        """Ends an open order because its time is up; False when it is not open."""
        if not self._take_out(order, OrderState.EXPIRED):
            return False
        self._close(order, OrderState.EXPIRED, now_ns)
        self._listener.account_event(AccountEvent(AccountEventKind.EXPIRED, order, now_ns, reason=EndReason.TIME))
        return True

    def change(
        self, order: AccountOrder, *, price: int, units: int, now_ns: int, stop: int | None = None
    ) -> Refusal | None:
        """Gives an open order another price, quantity or stop; it keeps its id.

        It keeps its place in the queue where only its quantity sinks. Otherwise it comes to the book as if it were new,
        and may take.

        Args:
            order: An open limit order.
            price: Its price in ticks from now on.
            units: Its whole quantity from now on, more than what is settled of it.
            now_ns: Wall time.
            stop: For an order that waits: its stop from now on; None for the one that it has.

        Returns:
            Why nothing was changed, or None.
        """
        stop = order.stop if stop is None else stop
        if (price, stop) == (order.price, order.stop) and self.amend(order, units, order.client_id, now_ns):
            return None
        if order.waiting:
            if passed(stop, order.market.last_price, rises=order.rises):
                return Refusal.WOULD_TRIGGER
        elif order.type is OrderType.POST_ONLY and order.market.book.would_take(order.side, price):
            return Refusal.WOULD_TAKE
        left = units - order.executed - order.prevented
        need = self._locked_for(order, price, left)
        if not self._account(order).reserve(order.pay_asset, max(0, need - order.reserved)):
            return Refusal.INSUFFICIENT_BALANCE
        order.reserved = max(order.reserved, need)
        waits = order.waiting
        self._take_out(order, OrderState.NEW)
        order.price, order.stop, order.units, order.remaining = price, stop, units, left
        order.updated_ns = now_ns
        self._release(order, need)
        if waits:
            order.market.stops.add(order)
        self._listener.account_event(AccountEvent(AccountEventKind.AMENDED, order, now_ns, former_id=order.client_id))
        if not waits:
            self._work(order, now_ns)
        return None

    def _take_out(self, order: AccountOrder, state: OrderState) -> bool:
        """Takes an open order out of the book or from waiting; False when it is not open."""
        if order.waiting:
            order.market.stops.remove(order)
        elif not order.market.book.cancel(order):
            return False
        order.state = state
        return True

    def amend(self, order: AccountOrder, units: int, client_id: str, now_ns: int) -> bool:
        """Reduces the quantity of an open order to ``units``; it keeps its place in the queue.

        Returns:
            False when it is not open, or ``units`` is not between what is settled and the quantity it has.
        """
        cut = order.units - units
        if order.status is not OrderState.OPEN or not 0 < cut < order.unsettled:
            return False
        if order.waiting:
            order.units -= cut
            order.remaining -= cut
        elif not order.market.book.reduce(order, cut):
            return False
        former, order.client_id = order.client_id, client_id
        order.updated_ns = now_ns
        self._release(order, self._still_needed(order))
        self._listener.account_event(AccountEvent(AccountEventKind.AMENDED, order, now_ns, former_id=former))
        return True

    def absorb(self, market: Market, outcomes: Sequence[Outcome], now_ns: int) -> None:
        """Settles what happened in a book and tells it; then triggers the stops that were reached."""
        self._digest(market, outcomes, now_ns)
        while (order := market.triggered()) is not None:
            self._trigger(order, now_ns)

    def _digest(self, market: Market, outcomes: Sequence[Outcome], now_ns: int) -> None:
        for outcome in outcomes:
            if isinstance(outcome, Execution):
                self._executed(market, outcome, now_ns)
            elif isinstance(outcome, Prevented):
                self._prevented(outcome, now_ns)
            elif isinstance(outcome.order, AccountOrder):
                self._ended(outcome, outcome.order, now_ns)

    def _work(self, order: AccountOrder, now_ns: int) -> None:
        """An order comes to the book."""
        market = order.market
        self.absorb(market, market.book.submit(order), now_ns)
        if market.driver is not None:
            self.absorb(market, market.driver.restore(now_ns), now_ns)

    def _trigger(self, order: AccountOrder, now_ns: int) -> None:
        """A waiting order's stop was reached: what it must pay may differ from what was locked for it."""
        order.working_ns = order.updated_ns = now_ns
        self._listener.account_event(AccountEvent(AccountEventKind.TRIGGERED, order, now_ns))
        if order.type is OrderType.MARKET and order.side is Side.BUY:
            cost = self._market_cost(order)
            self._release(order, cost)
            if not self._account(order).reserve(order.pay_asset, cost - order.reserved):
                order.state = OrderState.EXPIRED
                self._ended(Ended(order, EndReason.NO_FUNDS), order, now_ns)
                return
            order.reserved = cost
        self._digest(order.market, order.market.book.submit(order), now_ns)
        if order.market.driver is not None:
            self._digest(order.market, order.market.driver.restore(now_ns), now_ns)

    def _executed(self, market: Market, execution: Execution, now_ns: int) -> None:
        trade_id = market.next_trade_id()
        taker = execution.taker
        if market.publishes_market_trades:
            taker_id = taker.id if taker is not None else 0
            trade = PublicTrade(trade_id, execution.price, execution.units, execution.aggressor, now_ns, taker_id)
            market.trades.append(trade)
            market.printed(execution.price)
            self._listener.public_trade(market, trade)
        for order, maker in ((execution.maker, True), (taker, False)):
            if isinstance(order, AccountOrder):
                self._settle(order, execution, trade_id, now_ns, maker=maker)

    def _settle(self, order: AccountOrder, execution: Execution, trade_id: int, now_ns: int, *, maker: bool) -> None:
        instrument = order.market.instrument
        account = self._account(order)
        value = quote_atoms(instrument, execution.price, execution.units)
        base = base_atoms(instrument, execution.units)
        pay, receive = (value, base) if order.side is Side.BUY else (base, value)
        fee, fee_asset = self._charge(account, order, value, maker=maker)
        exempt = bool(fee_asset)
        taken_off = account.settle(order.pay_asset, pay, order.receive_asset, receive, maker=maker, exempt=exempt)
        if not exempt:
            fee, fee_asset = taken_off, order.receive_asset
        order.reserved -= pay
        order.executed += execution.units
        order.value += value
        order.updated_ns = now_ns
        if order.type is not OrderType.MARKET or not order.unsettled:
            self._release(order, self._still_needed(order))
        fill = AccountFill(trade_id, execution.price, execution.units, value, fee, fee_asset, maker, now_ns)
        order.fills.append(fill)
        if not order.unsettled:
            self._close(order, OrderState.FILLED, now_ns)
        self._listener.account_event(AccountEvent(AccountEventKind.TRADE, order, now_ns, fill))

    def _charge(self, account: Account, order: AccountOrder, value: int, *, maker: bool) -> tuple[int, str]:
        """Takes a commission that is not taken off what is received, and says in which asset; ``(0, "")`` for none."""
        third = self._third_asset_fee(account, order, value, maker=maker)
        if third and account.charge(account.fees.asset, third):
            return third, account.fees.asset
        if account.fees.in_quote and order.side is Side.BUY:
            on_top = account.fees.commission(value, maker=maker)
            account.surcharge(order.pay_asset, on_top)
            order.reserved -= on_top
            return on_top, order.pay_asset
        return 0, ""

    def _third_asset_fee(self, account: Account, order: AccountOrder, value: int, *, maker: bool) -> int:
        """A commission in atoms of a third asset, at its last price; 0 when it is to be taken in what is received."""
        asset, quote = account.fees.asset, order.market.instrument.quote
        if not asset or asset == order.receive_asset:
            return 0
        for market in self.markets.values():
            i = market.instrument
            if (i.base, i.quote) == (asset, quote) and market.last_price:
                price = quote_atoms(i, market.last_price, 10**i.qty_decimals)
                return account.fees.in_asset(value, price, maker=maker)
        return 0

    def _prevented(self, kept_apart: Prevented, now_ns: int) -> None:
        """Notes it on both orders; one that lives on with less is told here, one that ends when it does."""
        price, maker, taker, maker_units, taker_units = kept_apart
        assert isinstance(maker, AccountOrder)
        assert isinstance(taker, AccountOrder)
        number = len(self.preventions) + 1
        prevention = Prevention(number, price, maker, taker, maker_units, taker_units, now_ns)
        self.preventions.append(prevention)
        for order, units in ((maker, maker_units), (taker, taker_units)):
            if units:
                order.preventions.append(prevention)
                order.prevented += units
                order.updated_ns = now_ns
                if order.unsettled:
                    if order.type is not OrderType.MARKET:
                        self._release(order, self._still_needed(order))
                    self._listener.account_event(AccountEvent(AccountEventKind.PREVENTED, order, now_ns))

    def _ended(self, ended: Ended, order: AccountOrder, now_ns: int) -> None:
        prevented = ended.reason is EndReason.SELF_TRADE
        self._close(order, OrderState.PREVENTED if prevented else OrderState.EXPIRED, now_ns)
        kind = AccountEventKind.PREVENTED if prevented else AccountEventKind.EXPIRED
        self._listener.account_event(AccountEvent(kind, order, now_ns, reason=ended.reason))

    def _close(self, order: AccountOrder, status: OrderState, now_ns: int) -> None:
        order.status = status
        order.updated_ns = now_ns
        self._release(order, 0)
        del self._open[order.id]

    def _release(self, order: AccountOrder, keep: int) -> None:
        if order.reserved > keep:
            self._account(order).release(order.pay_asset, order.reserved - keep)
            order.reserved = keep

    def _cost(self, order: AccountOrder) -> int:
        """What must be locked for an order, in atoms of what it pays with."""
        instrument = order.market.instrument
        if order.side is Side.SELL:
            return base_atoms(instrument, order.units)
        if order.type is OrderType.MARKET and not order.stop:
            return self._market_cost(order)
        return self._locked_for(order, order.price or order.stop, order.units)

    def _market_cost(self, order: AccountOrder) -> int:
        """What a market order would pay in the book as it is."""
        book, instrument = order.market.book, order.market.instrument
        value = sum(quote_atoms(instrument, price, units) for price, units in book.takes(order))
        return self._account(order).fees.with_commission(value)

    def _still_needed(self, order: AccountOrder) -> int:
        """What must stay locked for the unsettled rest of an order."""
        return self._locked_for(order, order.price or (order.stop if order.waiting else 0), order.unsettled)

    def _locked_for(self, order: AccountOrder, price: int, units: int) -> int:
        """What must be locked for a quantity at a price; nothing where a purchase has none."""
        instrument = order.market.instrument
        if order.side is Side.SELL:
            return base_atoms(instrument, units)
        return self._account(order).fees.with_commission(quote_atoms(instrument, price, units)) if price else 0

    def _account(self, order: AccountOrder) -> Account:
        if order.owner is None:
            raise ValueError(f"order {order.id}: expected an order of an account, got one of the market")
        return self.accounts[order.owner]
