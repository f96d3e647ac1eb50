"""The section ``[venue.kraken]``."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from enum import Enum
from typing import Any

from attrs import Attribute, field, frozen, validators

from bloor.config.duration import UNITS_NS, Duration
from bloor_kraken.normalizer import DEPTHS, LEVEL3_DEPTHS

__all__ = ["BookKind", "KrakenConfig", "RestOrders", "SelfTrade", "Tier"]

_web = validators.matches_re(r"(https?://[^\s/]+(/\S*)?)?")
_websocket = validators.matches_re(r"(wss?://[^\s/]+(/\S*)?)?")
_DEAD_MAN, _DEADLINE = Duration(60 * UNITS_NS["s"]), Duration(5 * UNITS_NS["s"])
#: The venue accepts deadlines of 0.5 s to 60 s; with more than 5 s an order would have to be waited for the longer
#: before it may count as lost. A dead-man switch that fires before it is refreshed helps nobody.
_SHORTEST, _LONGEST, _LEAST = Duration(500 * UNITS_NS["ms"]), _DEADLINE, Duration(15 * UNITS_NS["s"])


class RestOrders(Enum):
    """What goes over REST while the order connection is down."""

    #: Nothing: everything waits for the connection.
    OFF = "off"
    #: What takes risk away: cancels, queries, open-order look-ups.
    CANCEL = "cancel"
    #: New orders and reductions too.
    ALL = "all"


class BookKind(Enum):
    """What books are made of."""

    #: Levels: channel ``book``, for everybody.
    LEVELS = "levels"
    #: Orders: channel ``level3``, for accounts.
    ORDERS = "orders"


class Tier(Enum):
    """Verification tier of the account, which decides how many orders the trading engine takes."""

    STARTER = "starter"
    INTERMEDIATE = "intermediate"
    PRO = "pro"


class SelfTrade(Enum):
    """What the venue does when an order would trade with another of the account."""

    CANCEL_NEWEST = "cancel_newest"
    CANCEL_OLDEST = "cancel_oldest"
    CANCEL_BOTH = "cancel_both"


def _fits_depth(config: object, _: Attribute[Any], book: BookKind) -> None:
    depth = config.book_depth  # type: ignore[attr-defined]
    if book is BookKind.ORDERS and depth not in LEVEL3_DEPTHS:
        known = ", ".join(map(str, LEVEL3_DEPTHS))
        raise ValueError(f"'book' = 'orders' needs a 'book_depth' of {known}, and that is {depth}")


def _rates_above_0(_: object, attribute: Attribute[Any], rates: Mapping[str, Decimal]) -> None:
    for asset, rate in rates.items():
        if rate <= 0:
            raise ValueError(f"'{attribute.name}' must be made of rates above 0, and that of {asset} is {rate}")


def _off_or_long(_: object, attribute: Attribute[Any], value: Duration) -> None:
    if value.ns and value < _LEAST:
        raise ValueError(f"'{attribute.name}' must be 0s (off) or at least {_LEAST}, and is {value}")


@frozen(kw_only=True)
class KrakenConfig:
    """Settings of the Kraken plug-in (docs.kraken.com: Spot WebSocket v2, Spot REST).

    Attributes:
        rest_url: Overrides the base URL of REST.
        streams_url: Overrides the URL of the public WebSocket.
        ws_api_url: Overrides the URL of the private WebSocket.
        level3_url: Overrides the URL of the WebSocket of market data by order.
        book_depth: Levels a side of a book: 10, 25, 100, 500 or 1000. The venue's checksum covers the best ten.
        book: What books are made of: ``levels``, or ``orders`` (channel level3, which needs the account's keys and a
            depth of 10, 100 or 1000).
        rest_orders: What goes over REST while the order connection is down: ``off``, ``cancel`` (cancels, queries and
            look-ups) or ``all``.
        dead_man: How long after our last sign of life the venue cancels every order of the account, whoever placed it;
            refreshed every third of it. ``0s`` turns it off.
        order_deadline: How long after it was sent an order may still reach the matching engine (0.5 s to 5 s).
        tier: Tier of the account until the venue has said its limits: ``starter``, ``intermediate`` or ``pro``.
        self_trade: What the venue does about an order that would trade with another of the account:
            ``cancel_newest``, ``cancel_oldest`` or ``cancel_both``.
        fee_rates: What one of an asset that fees are taken in, such as KFEE, is worth in the quote asset. A book of the
            two that the run has comes first; without either, such a fee counts as 0 and the summary says so.
    """

    rest_url: str = field(default="", validator=_web)
    streams_url: str = field(default="", validator=_websocket)
    ws_api_url: str = field(default="", validator=_websocket)
    level3_url: str = field(default="", validator=_websocket)
    book_depth: int = field(default=10, validator=validators.in_(DEPTHS))
    book: BookKind = field(default=BookKind.LEVELS, validator=_fits_depth)
    rest_orders: RestOrders = RestOrders.CANCEL
    dead_man: Duration = field(default=_DEAD_MAN, validator=_off_or_long)
    order_deadline: Duration = field(default=_DEADLINE, validator=[validators.ge(_SHORTEST), validators.le(_LONGEST)])
    tier: Tier = Tier.STARTER
    self_trade: SelfTrade = SelfTrade.CANCEL_NEWEST
    fee_rates: Mapping[str, Decimal] = field(factory=dict, validator=_rates_above_0)
