"""Orders as a matching book knows them, and what can happen to them.

Prices are ticks and quantities units of one instrument (:mod:`bloor.model.instrument`).
"""

from __future__ import annotations

from enum import Enum
from typing import NamedTuple

from attrs import define, field

from bloor.model.orders import OrderType, Side, TimeInForce

__all__ = [
    "BookOrder",
    "EndReason",
    "Ended",
    "Execution",
    "OrderState",
    "Outcome",
    "Prevented",
    "SelfTrade",
    "opposite",
]


class SelfTrade(Enum):
    """What happens when an order would meet a resting order of its own account; the taker's mode decides."""

    NONE = "none"
    EXPIRE_MAKER = "expire-maker"
    EXPIRE_TAKER = "expire-taker"
    EXPIRE_BOTH = "expire-both"
    #: Both lose the smaller of their remainders without a trade; who has nothing left ends.
    DECREMENT = "decrement"


class OrderState(Enum):
    """Where an order is in its life in the book."""

    NEW = "new"
    OPEN = "open"
    FILLED = "filled"
    CANCELLED = "cancelled"
    EXPIRED = "expired"
    PREVENTED = "prevented"
    REJECTED = "rejected"


class EndReason(Enum):
    """Why an order ended without being filled or cancelled."""

    #: The unfilled rest of an immediate-or-cancel order.
    IOC_REMAINDER = "ioc-remainder"
    #: A fill-or-kill order that the book could not fill whole.
    FOK_UNFILLED = "fok-unfilled"
    #: A market order that found no more liquidity.
    NO_LIQUIDITY = "no-liquidity"
    #: A post-only order that would have taken.
    WOULD_TAKE = "would-take"
    #: Self-trade prevention.
    SELF_TRADE = "self-trade"
    #: A triggered market order that its account can no longer pay for.
    NO_FUNDS = "no-funds"
    #: The time it was good till.
    TIME = "time"


@define(eq=False, kw_only=True)
class BookOrder:
    """One entry of a level's queue, or an order on its way there.

    Attributes:
        id: Number of the order, unique in its book; 0 for market quantity that has no identity (a recording's).
        owner: The account, or None for the market itself.
        side: Buy or sell.
        price: Limit price in ticks; 0 for a market order.
        units: Quantity in units.
        type: Limit, market or post-only.
        tif: Time in force.
        self_trade: Self-trade prevention mode.
        remaining: What is not yet executed or prevented, in units.
        state: Where it is in its life.
        joined_ns: When it joined the queue that it is in, as far as a venue that tells so has noted it; 0 before.
    """

    id: int = 0
    owner: int | None = None
    side: Side
    price: int
    units: int
    type: OrderType = OrderType.LIMIT
    tif: TimeInForce = TimeInForce.GTC
    self_trade: SelfTrade = SelfTrade.EXPIRE_MAKER
    remaining: int = field(init=False)
    state: OrderState = field(init=False, default=OrderState.NEW)
    joined_ns: int = field(init=False, default=0)

    def __attrs_post_init__(self) -> None:
        if self.units <= 0:
            raise ValueError(f"expected a positive quantity in units, got {self.units}")
        if (self.price <= 0) is not (self.type is OrderType.MARKET):
            raise ValueError(f"expected a positive price unless the order is a market order, got {self.price}")
        self.remaining = self.units


class Execution(NamedTuple):
    """One match, at the maker's price.

    ``taker`` is None where the other side is a trade or a level of a recording. ``aggressor`` is the taker's side.
    """

    price: int
    units: int
    aggressor: Side
    maker: BookOrder
    taker: BookOrder | None


class Ended(NamedTuple):
    """An order left the book (or never entered it) with a remainder."""

    order: BookOrder
    reason: EndReason


class Prevented(NamedTuple):
    """Self-trade prevention kept two orders of one account apart; what ends by it is told by an :class:`Ended` after.

    Attributes:
        price: The maker's price in ticks.
        maker: The resting order.
        taker: The order that would have met it.
        maker_units: What the maker lost, in units; 0 when it stays as it was.
        taker_units: What the taker lost.
    """

    price: int
    maker: BookOrder
    taker: BookOrder
    maker_units: int
    taker_units: int


#: What a call to a matching book made happen, in order.
Outcome = Execution | Ended | Prevented


def opposite(side: Side) -> Side:
    """The other side."""
    return Side.SELL if side is Side.BUY else Side.BUY
