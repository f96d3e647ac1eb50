"""Orders of accounts: what the ledger knows of them beyond the book, and the steps of their lives.

An order with a :attr:`~AccountOrder.stop` waits outside the book until the market trades at its stop price
(:mod:`bloor.simulation.stops`).
"""

from __future__ import annotations

from enum import Enum
from typing import TYPE_CHECKING, NamedTuple

from attrs import define, field

from bloor.model.orders import Side
from bloor.simulation.orders import BookOrder, EndReason, OrderState

if TYPE_CHECKING:
    from bloor.simulation.exchange import Market

__all__ = ["AccountEvent", "AccountEventKind", "AccountFill", "AccountOrder", "Prevention", "Refusal"]


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


class Prevention(NamedTuple):
    """A match of two orders of one account that did not happen.

    Attributes:
        number: Its id, unique on the exchange.
        price: The maker's price in ticks.
        maker: The resting order.
        taker: The order that would have met it.
        maker_units: What the maker lost by it, in units.
        taker_units: What the taker lost by it.
        ns: When.
    """

    number: int
    price: int
    maker: AccountOrder
    taker: AccountOrder
    maker_units: int
    taker_units: int
    ns: int


@define(eq=False, kw_only=True)
class AccountOrder(BookOrder):
    """An order of an account, with what the ledger knows of it.

    Attributes:
        market: Where it trades.
        client_id: The client's id of it.
        style: Whatever the venue needs to remember of how the order was worded (its protocol's own fields).
        stop: Stop price in ticks; 0 for an order that works at once.
        rises: Whether the stop is reached by a trade at or above it; otherwise at or below.
        waiting: Whether it waits for its stop.
        created_ns: When it was placed.
        updated_ns: When it last changed.
        working_ns: When it came to the book; 0 before.
        executed: Settled quantity in units; advances event by event, unlike ``remaining``.
        prevented: What self-trade prevention took off it, in units.
        value: Settled value in atoms of the quote asset.
        reserved: Atoms still locked for it.
        status: Its state as of the event being told.
        fills: Its executions.
        preventions: Matches with itself that did not happen.
    """

    market: Market
    client_id: str
    style: dict[str, str] = field(factory=dict)
    stop: int = 0
    rises: bool = False
    waiting: bool = False
    created_ns: int = 0
    updated_ns: int = 0
    working_ns: int = 0
    executed: int = 0
    prevented: int = 0
    value: int = 0
    reserved: int = 0
    status: OrderState = OrderState.NEW
    fills: list[AccountFill] = field(factory=list)
    preventions: list[Prevention] = field(factory=list)

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

    @property
    def unsettled(self) -> int:
        """What is neither executed nor prevented as of the event being told, in units."""
        return self.units - self.executed - self.prevented


class Refusal(Enum):
    """Why an order was not accepted."""

    INSUFFICIENT_BALANCE = "insufficient-balance"
    WOULD_TAKE = "would-take"
    WOULD_TRIGGER = "would-trigger"


class AccountEventKind(Enum):
    """What happened to an account's order."""

    NEW = "new"
    #: A waiting order's stop was reached; it goes to the book.
    TRIGGERED = "triggered"
    #: Its quantity was reduced and it kept its place, or its price or quantity changed and it goes to the book anew.
    AMENDED = "amended"
    TRADE = "trade"
    CANCELLED = "cancelled"
    EXPIRED = "expired"
    PREVENTED = "prevented"


class AccountEvent(NamedTuple):
    """One step of an order's life.

    Attributes:
        kind: What happened.
        order: To whom; its fields are as of this event.
        ns: When.
        fill: For TRADE.
        reason: For EXPIRED and PREVENTED, when the order ended by it.
        former_id: For AMENDED: the client id until now.
    """

    kind: AccountEventKind
    order: AccountOrder
    ns: int
    fill: AccountFill | None = None
    reason: EndReason | None = None
    former_id: str = ""
