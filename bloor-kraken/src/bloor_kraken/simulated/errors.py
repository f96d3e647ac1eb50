"""The refusals of Kraken's APIs (docs.kraken.com, "Errors").

REST says them in the list ``error``, WebSocket v2 in the text ``error``. Texts marked *unverified* are not in the
documents; they follow the form of those that are.
"""

from __future__ import annotations

from enum import Enum

from bloor.errors import BloorError

__all__ = ["ApiError", "Text", "invalid"]


class Text(Enum):
    """Refusals without an argument."""

    INVALID_KEY = "EAPI:Invalid key"
    INVALID_SIGNATURE = "EAPI:Invalid signature"
    INVALID_NONCE = "EAPI:Invalid nonce"
    API_RATE_LIMIT = "EAPI:Rate limit exceeded"
    PERMISSION_DENIED = "EGeneral:Permission denied"
    UNKNOWN_METHOD = "EGeneral:Unknown method"
    INTERNAL = "EGeneral:Internal error"
    UNKNOWN_PAIR = "EQuery:Unknown asset pair"
    UNKNOWN_ASSET = "EQuery:Unknown asset"
    DEADLINE_ELAPSED = "EService:Deadline elapsed"
    UNAVAILABLE = "EService:Unavailable"
    CANCEL_ONLY = "EService:Market in cancel_only mode"
    POST_ONLY = "EService:Market in post_only mode"
    INVALID_SESSION = "ESession:Invalid session"
    ORDER_RATE_LIMIT = "EOrder:Rate limit exceeded"
    ORDERS_LIMIT = "EOrder:Orders limit exceeded"
    INSUFFICIENT_FUNDS = "EOrder:Insufficient funds"
    VOLUME_MINIMUM = "EGeneral:Invalid arguments:volume minimum not met"
    COST_MINIMUM = "EOrder:Cost minimum not met"
    TICK_SIZE = "EOrder:Tick size check failed"
    INVALID_PRICE = "EOrder:Invalid price"
    INVALID_ORDER = "EOrder:Invalid order"
    UNKNOWN_ORDER = "EOrder:Unknown order"
    #: Unverified.
    DUPLICATE_CLIENT_ID = "EOrder:Duplicate cl_ord_id"
    #: What a book of another depth than those that are offered is refused with.
    DEPTH = "Subscription depth not supported"
    INTERVAL = "Subscription ohlc interval not supported"
    #: Unverified.
    ALREADY_SUBSCRIBED = "Already subscribed"
    #: Unverified.
    NOT_SUBSCRIBED = "Subscription Not Found"
    CHANNEL = "Subscription name invalid"
    PUBLIC_ENDPOINT = "Private data and trading are unavailable on this endpoint"
    MALFORMED = "Malformed request"
    METHOD = "Event(s) not found"
    #: Unverified.
    UNTOLD = "Token(s) not found"
    #: Unverified: too many books by order on a connection.
    SYMBOLS_LIMIT = "Exceeded maximum number of symbols"


class ApiError(BloorError):
    """What a request is refused with.

    Attributes:
        text: Kraken's words.
        symbol: The symbol that a refused subscription was about; empty for none.
    """

    def __init__(self, text: Text | str, symbol: str = "") -> None:
        self.text = text.value if isinstance(text, Text) else text
        self.symbol = symbol
        super().__init__(self.text)

    def __str__(self) -> str:
        return self.text


def invalid(argument: str) -> ApiError:
    """``EGeneral:Invalid arguments:<name>``."""
    return ApiError(f"EGeneral:Invalid arguments:{argument}")
