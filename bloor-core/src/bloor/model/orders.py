"""Orders and fills as everybody in the house speaks of them.

Small integer enums, because the same numbers stand in records that compiled code reads.
"""

from __future__ import annotations

from decimal import Decimal
from enum import IntEnum

from attrs import frozen

from bloor.model.instrument import Instrument

__all__ = [
    "AmendRequest",
    "CancelRequest",
    "Fill",
    "Liquidity",
    "OrderRequest",
    "OrderType",
    "ReplaceRequest",
    "ReportKind",
    "Side",
    "TimeInForce",
    "VenueFill",
    "VenueReport",
]


class Side(IntEnum):
    """The sign of the position an order makes."""

    BUY = 1
    SELL = -1


class OrderType(IntEnum):
    """How an order meets the book."""

    LIMIT = 1
    MARKET = 2
    #: A limit order that is rejected rather than take liquidity.
    POST_ONLY = 3


class TimeInForce(IntEnum):
    """How long an order rests."""

    GTC = 1
    IOC = 2
    FOK = 3


class Liquidity(IntEnum):
    """Which side of a trade an order was."""

    MAKER = 1
    TAKER = 2


@frozen(kw_only=True)
class OrderRequest:
    """A new order as it leaves the gate for a venue.

    Attributes:
        client_id: Our id of it, unique for the account.
        instrument: What is traded.
        side: Buy or sell.
        type: Limit, market or post-only.
        tif: Time in force.
        price_ticks: Limit price in ticks; 0 for a market order.
        lots: Quantity in lots.
    """

    client_id: str
    instrument: Instrument
    side: Side
    type: OrderType
    tif: TimeInForce
    price_ticks: int
    lots: int


@frozen(kw_only=True)
class CancelRequest:
    """A request to cancel one of our orders.

    Attributes:
        client_id: Our id of the order.
        venue_order_id: The venue's id of it, when known; empty otherwise.
        instrument: What is traded.
    """

    client_id: str
    venue_order_id: str
    instrument: Instrument


@frozen(kw_only=True)
class ReplaceRequest:
    """A request to cancel one of our orders and place another in its stead, as one request.

    The new order is placed only if the cancel succeeds.

    Attributes:
        old: The order to cancel.
        new: The order to place.
        only_unfilled: Refuse both if anything of the old order has traded: then what both can fill together is never
            more than the larger of the two.
    """

    old: CancelRequest
    new: OrderRequest
    only_unfilled: bool


@frozen(kw_only=True)
class AmendRequest:
    """A request to reduce the quantity of one of our orders, which keeps its id and its place in the queue.

    Attributes:
        order: The order.
        lots: Its new quantity in lots, what is filled already included.
    """

    order: CancelRequest
    lots: int


class ReportKind(IntEnum):
    """What a venue says of an order. Each is an input of the table in :mod:`bloor.execution.life`."""

    #: The venue has accepted the order.
    ACK = 1
    #: A definite refusal, by a code the venue lists as such.
    REJECT = 2
    #: The outcome of a submission is not known (time-out, 5xx, disconnect, unparseable answer).
    UNCERTAIN = 3
    #: A (partial) fill.
    FILL = 4
    #: Cancelled because we asked.
    CANCELLED = 5
    #: The cancel was refused: too late, or unknown order.
    CANCEL_REJECT = 6
    #: The venue ended the order by itself: expiry, self-trade prevention, an unfilled IOC remainder.
    EXPIRED = 7
    #: A query found the order open.
    FOUND_OPEN = 8
    #: A query found the order ended; ``reason`` says how.
    FOUND_CLOSED = 9
    #: A query did not find the order.
    NOT_FOUND = 10
    #: The outcome of a cancel is not known.
    CANCEL_UNCERTAIN = 11
    #: The quantity was reduced because we asked; ``quantity_units`` says to what.
    REPLACED = 12
    #: The reduction was refused: too late, unknown order, or not allowed.
    REPLACE_REJECT = 13
    #: The outcome of a reduction is not known.
    REPLACE_UNCERTAIN = 14
    #: The account's trades in the order's instrument while it may have lived: ``order_ids`` says of which orders.
    TRADES_SEEN = 15


@frozen(kw_only=True)
class VenueFill:
    """One execution as a venue reports it.

    Attributes:
        trade_id: The venue's id of the trade; unique only within one instrument.
        price_ticks: Price in ticks.
        units: Quantity in units of ``10**-qty_decimals``.
        fee: Fee in ``fee_asset``; negative for a rebate.
        fee_asset: Asset the fee was taken in.
        liquidity: Maker or taker.
        exch_ns: The venue's time of the trade, ns since the epoch.
    """

    trade_id: str
    price_ticks: int
    units: int
    fee: Decimal
    fee_asset: str
    liquidity: Liquidity
    exch_ns: int


@frozen(kw_only=True)
class VenueReport:
    """One thing a venue said about one order, in our words.

    Attributes:
        kind: What is said.
        client_id: Our id of the order.
        venue_symbol: The venue's name of the instrument; empty when the answer does not say it.
        venue_order_id: The venue's id, empty when not said.
        cumulative_units: Filled quantity so far as the venue counts it, in units; -1 when not said.
        quantity_units: Ordered quantity as the venue has it, in units; -1 when not said.
        fill: The execution, for ``FILL``.
        reason: The venue's code and text for a refusal or an end, e.g. ``-2010 insufficient balance``.
        exch_ns: The venue's time of the event, ns since the epoch; 0 when not said.
        order_ids: For ``TRADES_SEEN``: the venue's ids of the orders that traded; None when there may be more.
    """

    kind: ReportKind
    client_id: str
    venue_symbol: str = ""
    venue_order_id: str = ""
    cumulative_units: int = -1
    quantity_units: int = -1
    fill: VenueFill | None = None
    reason: str = ""
    exch_ns: int = 0
    order_ids: frozenset[str] | None = None


@frozen(kw_only=True)
class Fill:
    """An execution of one of our orders, as it entered our position.

    Attributes:
        client_id: Our id of the order.
        instrument: What was traded.
        side: Buy or sell.
        trade_id: The venue's id of the trade.
        price_ticks: Price in ticks.
        units: Quantity in units of ``10**-qty_decimals``.
        fee: Fee in ``fee_asset``.
        fee_asset: Asset of the fee.
        fee_quote: The same fee valued in the quote asset at this fill.
        liquidity: Maker or taker.
        exch_ns: The venue's time, ns since the epoch.
        recv_ns: When we received it, ns since the epoch.
    """

    client_id: str
    instrument: Instrument
    side: Side
    trade_id: str
    price_ticks: int
    units: int
    fee: Decimal
    fee_asset: str
    fee_quote: Decimal
    liquidity: Liquidity
    exch_ns: int
    recv_ns: int
