"""Why Coinbase does not do what it is asked, and what that means (sans I/O).

Create Order answers 200 to refusals too; ``success`` decides, and one of four fields says why. A reason that is not
listed here refuses all the same, with its text. Status codes below 500 that say the request was not carried out are
refusals as well; everything else (5xx, no answer, an answer that cannot be read) leaves the outcome unknown.

Sources: docs.cdp.coinbase.com, "Create Order", "Edit Order", "Cancel Orders", "Advanced Trade REST API Rate Limits".
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import Enum
from typing import Any

__all__ = ["TOLD", "Refusal", "edit_reason", "is_certain", "meaning", "order_reason", "said"]


class Refusal(Enum):
    """What a refusal means for whoever trades."""

    #: A post-only order would have traded: quote again.
    WOULD_TAKE = "would take"
    #: The account has too little.
    FUNDS = "funds"
    #: Size or price does not fit the product: what we know of its rules is wrong.
    RULES = "rules"
    #: The product, or order entry as a whole, is closed.
    CLOSED = "closed"
    #: There is nothing to trade with.
    NO_LIQUIDITY = "no liquidity"
    #: The price is too far away.
    PRICE_BAND = "price band"
    #: The venue does not take such an order, or such a change of one.
    UNSUPPORTED = "unsupported"
    #: The order is being changed already.
    BUSY = "busy"
    #: The account may not trade this.
    NOT_ALLOWED = "not allowed"
    #: The client order id has an order: whose, and which, must be asked.
    DUPLICATE = "duplicate"
    #: Anything else.
    OTHER = "other"


#: Without the ``PREVIEW_`` that the same reason has where it comes from the preview.
_MEANINGS = {
    "INVALID_LIMIT_PRICE_POST_ONLY": Refusal.WOULD_TAKE,
    "INSUFFICIENT_FUND": Refusal.FUNDS,
    "INSUFFICIENT_FUNDS": Refusal.FUNDS,
    "INVALID_LEDGER_BALANCE": Refusal.FUNDS,
    "INVALID_SIZE_PRECISION": Refusal.RULES,
    "INVALID_PRICE_PRECISION": Refusal.RULES,
    "INVALID_BASE_SIZE_TOO_SMALL": Refusal.RULES,
    "INVALID_BASE_SIZE_TOO_LARGE": Refusal.RULES,
    "INVALID_QUOTE_SIZE_TOO_SMALL": Refusal.RULES,
    "INVALID_QUOTE_SIZE_TOO_LARGE": Refusal.RULES,
    "INVALID_BASE_SIZE_PRECISION": Refusal.RULES,
    "INVALID_QUOTE_SIZE_PRECISION": Refusal.RULES,
    "INVALID_LIMIT_PRICE": Refusal.RULES,
    "INVALID_PRODUCT_ID": Refusal.CLOSED,
    "UNTRADABLE_PRODUCT": Refusal.CLOSED,
    "PRODUCT_TRADING_HALTED": Refusal.CLOSED,
    "TRADING_DISABLED": Refusal.CLOSED,
    "ORDER_ENTRY_DISABLED": Refusal.CLOSED,
    "INELIGIBLE_PAIR": Refusal.CLOSED,
    "INVALID_NO_LIQUIDITY": Refusal.NO_LIQUIDITY,
    "LIMIT_PRICE_TOO_FAR_FROM_MARKET": Refusal.PRICE_BAND,
    "LIMIT_ORDER_PRICE_EXCEEDS_PRICE_BAND_ON_BUY": Refusal.PRICE_BAND,
    "LIMIT_ORDER_PRICE_EXCEEDS_PRICE_BAND_ON_SELL": Refusal.PRICE_BAND,
    "UNSUPPORTED_ORDER_CONFIGURATION": Refusal.UNSUPPORTED,
    "INVALID_REQUEST": Refusal.UNSUPPORTED,
    "REPLACE_NOT_SUPPORTED": Refusal.UNSUPPORTED,
    "ONLY_LIMIT_ORDER_EDITS_SUPPORTED": Refusal.UNSUPPORTED,
    "ORDER_IS_PENDING_CANCEL": Refusal.BUSY,
    "TOO_MANY_PENDING_REPLACES": Refusal.BUSY,
    "GEOFENCING_RESTRICTION": Refusal.NOT_ALLOWED,
    "COMMANDER_REJECTED_NEW_ORDER": Refusal.OTHER,
    "DUPLICATE_CLIENT_ORDER_ID": Refusal.DUPLICATE,
}

#: Words that say nothing.
_EMPTY = frozenset(
    {"", "UNKNOWN_FAILURE_REASON", "UNKNOWN_PREVIEW_FAILURE_REASON", "UNKNOWN_EDIT_ORDER_FAILURE_REASON"}
)

#: Statuses by which a request was certainly not carried out.
_REFUSING = frozenset({400, 401, 403, 404, 405, 413, 415, 422, 429})

#: What a person should know of, beside the strategy: code of the alert, and what to do.
TOLD = {
    Refusal.RULES: ("product_rules", "the product's increments or limits are not those of the list; start anew"),
    Refusal.CLOSED: ("product_closed", "the product takes no orders at present"),
    Refusal.NOT_ALLOWED: ("not_allowed", "the account may not trade this"),
}


def meaning(reason: str) -> Refusal:
    """What a reason, with or without text behind it, means."""
    words = reason.split(maxsplit=1)
    return _MEANINGS.get(words[0].removeprefix("PREVIEW_"), Refusal.OTHER) if words else Refusal.OTHER


def is_certain(status: int) -> bool:
    """Whether this status says that the request was certainly not carried out."""
    return status in _REFUSING


def order_reason(document: Mapping[str, Any]) -> str:
    """Why an order was refused, by the answer to Create Order: the most telling word, then text."""
    error = document.get("error_response")
    error = error if isinstance(error, dict) else {}
    words = [
        error.get("error"),
        error.get("new_order_failure_reason"),
        error.get("preview_failure_reason"),
        document.get("failure_reason"),
    ]
    return _joined(words, error.get("message") or error.get("error_details"))


def edit_reason(document: Mapping[str, Any]) -> str:
    """Why an edition was refused, by the answer to Edit Order."""
    errors = document.get("errors")
    first = errors[0] if isinstance(errors, list) and errors and isinstance(errors[0], dict) else {}
    return _joined([first.get("edit_failure_reason"), first.get("preview_failure_reason")], None)


def said(status: int, document: Any) -> str:
    """What an answer of another status than 200 said: ``{"error", "message"}``, or ``{"errors": [{"id", ...}]}``."""
    if status == 0:
        return "no answer"
    if not isinstance(document, dict):
        return f"{status} the rate limit is used up" if status == 429 else str(status)
    errors = document.get("errors")
    if isinstance(errors, list) and errors and isinstance(errors[0], dict):
        return f"{status} {_joined([errors[0].get('id')], errors[0].get('message'))}"
    return f"{status} {_joined([document.get('error')], document.get('message') or document.get('error_details'))}"


def _joined(words: list[Any], text: Any) -> str:
    told = [word for word in words if isinstance(word, str) and word not in _EMPTY]
    first = told[0] if told else "UNKNOWN_FAILURE_REASON"
    return f"{first} {text}"[:200] if isinstance(text, str) and text and text != first else first
