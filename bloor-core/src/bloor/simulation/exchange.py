"""What every simulated spot exchange does, without a protocol: accounts trade in books that a market moves.

An :class:`Exchange` keeps the order of things: funds are reserved, the order is announced, matched, every execution
settled, and what is left released; each step is told to a :class:`Listener`, which a venue's package turns into its own
messages. Times are wall ns since the epoch and come with every call.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping, Sequence
from enum import Enum
from itertools import islice
from typing import NamedTuple, Protocol

from attrs import define, field

from bloor.model.instrument import Instrument
from bloor.model.orders import OrderType, Side
from bloor.simulation.account import Account, base_atoms, quote_atoms
from bloor.simulation.matching import MatchingBook
from bloor.simulation.orders import BookOrder, Ended, EndReason, Execution, OrderState, Outcome

__all__ = [
    "AccountEvent",
    "AccountEventKind",
    "AccountFill",
    "AccountOrder",
    "Exchange",
    "Listener",
    "Market",
    "MarketDriver",
    "PublicTrade",
    "Refusal",
]

#: Public trades that a market remembers.
RECENT_TRADES = 1000


class AccountFill(NamedTuple):
    """One execution of an account's order."""

    trade_id: int
    price: int
    units: int
    value: int
    fee: int
    fee_asset: str
    maker: bool
    ns: int


@define(eq=False, kw_only=True)
class AccountOrder(BookOrder):
    """An order of an account, with what the ledger knows of it.

    Attributes:
        market: Where it trades.
        client_id: The client's id of it.
        style: Whatever the venue needs to remember of how the order was worded (its protocol's own fields).
        created_ns: When it was placed.
        updated_ns: When it last changed.
        executed: Settled quantity in units; advances event by event, unlike ``remaining``.
        value: Settled value in atoms of the quote asset.
        reserved: Atoms still locked for it.
        status: Its state as of the event being told.
        fills: Its executions.
    """

    market: Market
    client_id: str
    style: dict[str, str] = field(factory=dict)
    created_ns: int = 0
    updated_ns: int = 0
    executed: int = 0
    value: int = 0
    reserved: int = 0
    status: OrderState = OrderState.NEW
    fills: list[AccountFill] = field(factory=list)

    @property
    def pay_asset(self) -> str:
        """The asset it pays with."""
        instrument = self.market.instrument
        return instrument.quote if self.side is Side.BUY else instrument.base

    @property
    def receive_asset(self) -> str:
        """The asset it receives."""
        instrument = self.market.instrument
        return instrument.base if self.side is Side.BUY else instrument.quote


class Refusal(Enum):
    """Why an order was not accepted."""

    INSUFFICIENT_BALANCE = "insufficient-balance"
    WOULD_TAKE = "would-take"


class AccountEventKind(Enum):
    """What happened to an account's order."""

    NEW = "new"
    TRADE = "trade"
    CANCELLED = "cancelled"
    EXPIRED = "expired"
    PREVENTED = "prevented"


class AccountEvent(NamedTuple):
    """One step of an order's life; ``fill`` for TRADE, ``reason`` for EXPIRED and PREVENTED."""

    kind: AccountEventKind
    order: AccountOrder
    ns: int
    fill: AccountFill | None = None
    reason: EndReason | None = None


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
        self.taker_orders = 0

    def next_trade_id(self) -> int:
        """A new trade id, one more than the last."""
        self.last_trade_id += 1
        return self.last_trade_id

    def recent(self, limit: int) -> list[PublicTrade]:
        """The latest ``limit`` trades, oldest first."""
        return list(islice(self.trades, max(0, len(self.trades) - limit), None))


class Exchange:
    """Markets and accounts.

    Attributes:
        markets: The venue's symbol -> market.
        accounts: Account number -> account.
        orders: Order id -> order, open and ended.
    """

    def __init__(self, markets: Mapping[str, Market], accounts: Sequence[Account], listener: Listener) -> None:
        self.markets = markets
        self.accounts = {account.number: account for account in accounts}
        self.orders: dict[int, AccountOrder] = {}
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
        book = order.market.book
        if order.type is OrderType.POST_ONLY and book.would_take(order.side, order.price):
            return Refusal.WOULD_TAKE
        account = self._account(order)
        cost = self._cost(order)
        if not account.reserve(order.pay_asset, cost):
            return Refusal.INSUFFICIENT_BALANCE
        order.reserved = cost
        order.created_ns = order.updated_ns = now_ns
        self.orders[order.id] = self._open[order.id] = order
        order.status = OrderState.OPEN
        self._listener.account_event(AccountEvent(AccountEventKind.NEW, order, now_ns))
        self.absorb(order.market, book.submit(order), now_ns)
        driver = order.market.driver
        if driver is not None:
            self.absorb(order.market, driver.restore(now_ns), now_ns)
        return None

    def cancel(self, order: AccountOrder, now_ns: int) -> bool:
        """Cancels an open order; False when it is not open."""
        if not order.market.book.cancel(order):
            return False
        self._close(order, OrderState.CANCELLED, now_ns)
        self._listener.account_event(AccountEvent(AccountEventKind.CANCELLED, order, now_ns))
        return True

    def absorb(self, market: Market, outcomes: Sequence[Outcome], now_ns: int) -> None:
        """Settles what happened in a book and tells it."""
        for outcome in outcomes:
            if isinstance(outcome, Execution):
                self._executed(market, outcome, now_ns)
            elif isinstance(outcome.order, AccountOrder):
                self._ended(outcome, outcome.order, now_ns)

    def _executed(self, market: Market, execution: Execution, now_ns: int) -> None:
        trade_id = market.next_trade_id()
        taker = execution.taker
        if market.publishes_market_trades:
            taker_id = taker.id if taker is not None else 0
            trade = PublicTrade(trade_id, execution.price, execution.units, execution.aggressor, now_ns, taker_id)
            market.trades.append(trade)
            market.last_price = execution.price
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
        fee = account.settle(order.pay_asset, pay, order.receive_asset, receive, maker=maker)
        order.reserved -= pay
        order.executed += execution.units
        order.value += value
        order.updated_ns = now_ns
        if order.type is not OrderType.MARKET or order.executed == order.units:
            self._release(order, self._still_needed(order))
        fill = AccountFill(trade_id, execution.price, execution.units, value, fee, order.receive_asset, maker, now_ns)
        order.fills.append(fill)
        if order.executed == order.units:
            self._close(order, OrderState.FILLED, now_ns)
        self._listener.account_event(AccountEvent(AccountEventKind.TRADE, order, now_ns, fill))

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
        if order.type is OrderType.MARKET:
            return sum(quote_atoms(instrument, price, units) for price, units in order.market.book.takes(order))
        return quote_atoms(instrument, order.price, order.units)

    def _still_needed(self, order: AccountOrder) -> int:
        """What must stay locked for the unsettled rest of an order."""
        left = order.units - order.executed
        if order.side is Side.SELL:
            return base_atoms(order.market.instrument, left)
        return quote_atoms(order.market.instrument, order.price, left) if order.price else 0

    def _account(self, order: AccountOrder) -> Account:
        if order.owner is None:
            raise ValueError(f"order {order.id}: expected an order of an account, got one of the market")
        return self.accounts[order.owner]
