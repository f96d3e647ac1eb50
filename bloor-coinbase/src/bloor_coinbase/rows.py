"""Rows about orders and fills, of the user stream and of REST, in one form (sans I/O).

The two name the same things differently: ``cumulative_quantity`` and ``filled_size``, ``avg_price`` and
``average_filled_price``. Averages, fees and quantities are text; a missing or empty one is 0.
Source: docs.cdp.coinbase.com, "WebSocket Channels: User Channel", "Get Order", "List Fills".
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from enum import Enum
from typing import Any

from attrs import frozen

from bloor.errors import MoneyError, RemoteProtocolError
from bloor.model.instrument import Instrument
from bloor.model.orders import Liquidity, OrderRequest, VenueFill
from bloor_coinbase.fills import Mark, in_base
from bloor_coinbase.frames.fields import objects, plain, positive, quantity, time_ns, wrong
from bloor_coinbase.order_requests import configuration

__all__ = ["FillRow", "OrderRow", "OrderStatus", "fill_row", "is_same_order", "listed_row", "user_row"]


class OrderStatus(Enum):
    """The states of an order."""

    PENDING = "PENDING"
    OPEN = "OPEN"
    QUEUED = "QUEUED"
    CANCEL_QUEUED = "CANCEL_QUEUED"
    EDIT_QUEUED = "EDIT_QUEUED"
    FILLED = "FILLED"
    CANCELLED = "CANCELLED"
    EXPIRED = "EXPIRED"
    FAILED = "FAILED"
    #: The venue says so itself, or a word that is new.
    UNKNOWN = "UNKNOWN_ORDER_STATUS"

    @property
    def is_open(self) -> bool:
        """Whether the order may still trade."""
        return self in _OPEN

    @property
    def is_final(self) -> bool:
        """Whether the order has ended."""
        return self in _FINAL


_OPEN = frozenset(
    {OrderStatus.PENDING, OrderStatus.OPEN, OrderStatus.QUEUED, OrderStatus.CANCEL_QUEUED, OrderStatus.EDIT_QUEUED}
)
_FINAL = frozenset({OrderStatus.FILLED, OrderStatus.CANCELLED, OrderStatus.EXPIRED, OrderStatus.FAILED})


@frozen(kw_only=True)
class OrderRow:
    """One order as the venue has it.

    Attributes:
        order_id: The venue's id.
        client_id: The id that whoever placed it gave it; empty without.
        product: The product.
        status: Its state.
        mark: How much of it is filled, and for how much.
        ordered: The ordered quantity in units; -1 when it is not said.
        reason: Why it ended, in the venue's words.
    """

    order_id: str
    client_id: str
    product: str
    status: OrderStatus
    mark: Mark
    ordered: int
    reason: str


@frozen(kw_only=True)
class FillRow:
    """One fill, and the venue's id of its order.

    Attributes:
        order_id: The venue's id of the order.
        instrument: What was traded.
        fill: The fill.
        is_trade: False for what takes back or corrects an earlier one.
    """

    order_id: str
    instrument: Instrument
    fill: VenueFill
    is_trade: bool


def user_row(row: dict[str, Any], instrument: Instrument, exch_ns: int) -> OrderRow:
    """A row of the channel ``user``.

    Args:
        row: The row.
        instrument: What it is about.
        exch_ns: The venue's time of the frame.

    Raises:
        RemoteProtocolError: A field is missing or wrong.
    """
    filled = _units(instrument, "user", row, "cumulative_quantity")
    status = _status("user", row)
    leaves = _units(instrument, "user", row, "leaves_quantity")
    return OrderRow(
        order_id=_id("user", row, "order_id"),
        client_id=str(row.get("client_order_id") or ""),
        product=instrument.symbol,
        status=status,
        mark=Mark(
            units=filled, average=plain("user", row, "avg_price"), fees=_fees("user", row), exch_ns=exch_ns
        ),
        ordered=filled + leaves if status.is_open and leaves else -1,  # an order that has ended leaves nothing
        reason=_words(row, "cancel_reason", "reject_reason"),
    )  # fmt: skip


def listed_row(row: dict[str, Any], instrument: Instrument) -> OrderRow:
    """An order of a REST answer.

    Raises:
        RemoteProtocolError: A field is missing or wrong.
    """
    exch_ns = time_ns("order", row, "last_update_time") or time_ns("order", row, "last_fill_time")
    return OrderRow(
        order_id=_id("order", row, "order_id"),
        client_id=str(row.get("client_order_id") or ""),
        product=instrument.symbol,
        status=_status("order", row),
        mark=Mark(
            units=_units(instrument, "order", row, "filled_size"),
            average=plain("order", row, "average_filled_price"),
            fees=_fees("order", row),
            exch_ns=exch_ns,
        ),
        ordered=_ordered(row, instrument),
        reason=_words(row, "cancel_message", "reject_reason", "reject_message"),
    )


def fill_row(row: dict[str, Any], instrument: Instrument) -> FillRow:
    """A fill of a REST answer.

    Raises:
        RemoteProtocolError: A field is missing or wrong.
    """
    kind = "fill"
    price = positive(kind, row, "price")
    size = positive(kind, row, "size")
    liquidity = row.get("liquidity_indicator")
    try:
        fill = VenueFill(
            trade_id=_id(kind, row, "trade_id"),
            price_ticks=instrument.parse_price(price),
            units=in_base(instrument, price, size, is_quote=row.get("size_in_quote") is True),
            fee=_signed(kind, row, "commission"),
            fee_asset=instrument.quote,
            liquidity=Liquidity.MAKER if liquidity == "MAKER" else Liquidity.TAKER,
            exch_ns=time_ns(kind, row, "trade_time") or time_ns(kind, row, "sequence_timestamp"),
        )
    except MoneyError as error:
        raise RemoteProtocolError(f"fill of {instrument.symbol}: {error}") from error
    return FillRow(
        order_id=_id(kind, row, "order_id"),
        instrument=instrument,
        fill=fill,
        is_trade=row.get("trade_type") in (None, "", "FILL"),
    )


def is_same_order(order: OrderRequest, row: Mapping[str, Any]) -> bool:
    """Whether a REST answer about an order, with ``side`` and ``order_configuration``, is about what we asked for.

    What it does not say counts as the same. A size may have become smaller since.
    """
    side = row.get("side")
    if side in ("BUY", "SELL") and (side == "BUY") != (order.side > 0):
        return False
    said = row.get("order_configuration")
    if not isinstance(said, dict) or not said:
        return True
    ((name, mine),) = configuration(order).items()
    theirs = said.get(name)
    if not isinstance(theirs, dict):
        return False
    price = theirs.get("limit_price")
    try:
        if price not in (None, "") and order.instrument.parse_price(str(price)) != order.price_ticks:
            return False
        size = theirs.get("base_size")
        return size in (None, "") or order.instrument.parse_qty(str(size)) <= order.instrument.parse_qty(
            mine["base_size"]
        )
    except MoneyError:
        return False


def _status(kind: str, row: dict[str, Any]) -> OrderStatus:
    word = row.get("status")
    if type(word) is not str or not word:
        raise wrong(kind, "status", "the state of an order", word)
    return _STATUSES.get(word, OrderStatus.UNKNOWN)


_STATUSES = {status.value: status for status in OrderStatus}


def _id(kind: str, row: dict[str, Any], name: str) -> str:
    value = row.get(name)
    if type(value) is not str or not value or len(value) > 128:
        raise wrong(kind, name, "an id", value)
    return value


def _units(instrument: Instrument, kind: str, row: dict[str, Any], name: str) -> int:
    try:
        return instrument.parse_qty(plain(kind, row, name))
    except MoneyError as error:
        raise RemoteProtocolError(f"{kind}: field {name!r} of {instrument.symbol}: {error}") from error


def _fees(kind: str, row: dict[str, Any]) -> Decimal | None:
    return _signed(kind, row, "total_fees") if row.get("total_fees") not in (None, "") else None


def _signed(kind: str, row: dict[str, Any], name: str) -> Decimal:
    """An amount of money that may be negative: a rebate."""
    text = row.get(name)
    if type(text) is str and text.startswith("-"):
        return -Decimal(quantity(kind, {name: text[1:]}, name))
    return Decimal(plain(kind, row, name))


def _ordered(row: dict[str, Any], instrument: Instrument) -> int:
    """The ordered quantity: that of the last edition, or of the configuration; an order by value has none."""
    history = row.get("edit_history")
    edited = objects("order", row, "edit_history")[-1].get("size") if history else None
    said = row.get("order_configuration")
    kinds = [part.get("base_size") for part in said.values() if type(part) is dict] if type(said) is dict else []
    for text in (edited, *kinds):
        if text not in (None, ""):
            return _units(instrument, "order", {"base_size": text}, "base_size")
    return -1


def _words(row: dict[str, Any], *names: str) -> str:
    """What the venue said about an end; ``REJECT_REASON_UNSPECIFIED`` and the like say nothing."""
    said = [str(row[name]) for name in names if row.get(name)]
    return " ".join(dict.fromkeys(text for text in said if not text.endswith(("_UNSPECIFIED", "UNKNOWN_REASON"))))[:200]
