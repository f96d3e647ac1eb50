"""Orders and changes as requests word them, in one form for REST and WebSocket.

Numbers are plain decimal text: what is wrong with them is found where they are used, so that both APIs refuse the same.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import UTC, datetime
from decimal import Decimal

from attrs import field, frozen

from bloor.simulation.exchange import Market
from bloor_kraken.simulated.errors import ApiError, Text, invalid

__all__ = ["Change", "Draft", "OrderName", "check_deadline", "client_id", "plain_number", "time_ns", "user_reference"]

_NUMBER = re.compile(r"(-?)([0-9]{1,20})(\.[0-9]{1,20})?([eE][+-]?[0-9]{1,2})?\Z", re.ASCII)
_UUID = re.compile(r"[0-9a-fA-F]{8}(-?)[0-9a-fA-F]{4}\1[0-9a-fA-F]{4}\1[0-9a-fA-F]{4}\1[0-9a-fA-F]{12}\Z")
_FREE_TEXT = re.compile(r"[\x20-\x7e]{1,18}\Z")


@frozen(kw_only=True)
class Draft:
    """A new order.

    Attributes:
        market: Where.
        side: ``buy`` or ``sell``.
        type: Kraken's ``order_type``.
        qty: Quantity; None where the value is given.
        cost: Value in the quote asset, of a market order to buy; None where the quantity is given.
        price: Limit price; None for none.
        trigger: Trigger price; None for none.
        tif: ``gtc``, ``gtd``, ``ioc`` or ``fok``.
        expires_ns: When it expires, for ``gtd``.
        post_only: Whether it must not take.
        client_id: ``cl_ord_id``; empty for none.
        reference: ``order_userref``; 0 for none.
        self_trade: ``stp_type``, with dashes.
        deadline_ns: Until when it may be accepted; 0 for always.
        names: What this API calls quantity, price, trigger price, side and order type, for refusals.
    """

    market: Market
    side: str
    type: str
    qty: str | None = None
    cost: str | None = None
    price: str | None = None
    trigger: str | None = None
    tif: str = "gtc"
    expires_ns: int = 0
    post_only: bool = False
    client_id: str = ""
    reference: int = 0
    self_trade: str = "cancel-newest"
    deadline_ns: int = 0
    names: Sequence[str] = field(default=("volume", "price", "price2", "type", "ordertype"))


@frozen(kw_only=True)
class OrderName:
    """Which orders a request is about: one of the three is given.

    Attributes:
        id: Kraken's id; empty for none.
        client_id: The client's id; empty for none.
        reference: The client's reference, which several orders may have; 0 for none.
    """

    id: str = ""
    client_id: str = ""
    reference: int = 0


@frozen(kw_only=True)
class Change:
    """What an amendment or an edit changes of an order; None leaves it.

    Attributes:
        order: Which one.
        qty: Its whole quantity.
        price: Its limit price.
        trigger: Its trigger price.
        post_only: Whether the change must not take.
        deadline_ns: Until when it may be accepted; 0 for always.
        names: What this API calls quantity, price and trigger price, for refusals.
    """

    order: OrderName
    qty: str | None = None
    price: str | None = None
    trigger: str | None = None
    post_only: bool = False
    deadline_ns: int = 0
    names: Sequence[str] = field(default=("order_qty", "limit_price", "trigger_price"))


def plain_number(text: str, argument: str) -> str:
    """A number without exponent. Raises ApiError EGeneral:Invalid arguments."""
    match = _NUMBER.match(text)
    if match is None or match[1]:
        raise invalid(argument)
    return f"{Decimal(text):f}" if match[4] else text


def client_id(text: str) -> str:
    """A ``cl_ord_id``: a UUID with or without dashes, or at most 18 printable characters. Raises ApiError."""
    if not (_UUID.match(text) or _FREE_TEXT.match(text)):
        raise invalid("cl_ord_id")
    return text


def user_reference(text: str, argument: str) -> int:
    """A signed integer of 32 bits. Raises ApiError EGeneral:Invalid arguments."""
    digits = text.removeprefix("-")
    if not (digits.isascii() and digits.isdigit() and len(digits) <= 10) or not -(1 << 31) <= int(text) < 1 << 31:
        raise invalid(argument)
    return int(text)


def time_ns(text: str, argument: str) -> int:
    """An RFC 3339 time as ns since the epoch. Raises ApiError EGeneral:Invalid arguments."""
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise invalid(argument) from None
    if moment.tzinfo is None:
        raise invalid(argument)
    since = moment - datetime(1970, 1, 1, tzinfo=UTC)
    return (since.days * 86_400 + since.seconds) * 1_000_000_000 + since.microseconds * 1_000


def check_deadline(deadline_ns: int, now_ns: int) -> None:
    """Refuses what comes after its deadline, or with one farther away than a minute."""
    if not deadline_ns:
        return
    if deadline_ns <= now_ns:
        raise ApiError(Text.DEADLINE_ELAPSED)
    if deadline_ns > now_ns + 60_000_000_000:
        raise invalid("deadline")
