"""Parameters of order requests over REST as drafts and changes (docs.kraken.com, Spot REST, "Trading")."""

from __future__ import annotations

from bloor_kraken.simulated.drafts import Change, Draft, OrderName, client_id, time_ns, user_reference
from bloor_kraken.simulated.errors import ApiError, Text, invalid
from bloor_kraken.simulated.names import Names
from bloor_kraken.simulated.params import Params

__all__ = ["draft_of", "named", "read_amendment", "read_edit"]

_SECOND = 1_000_000_000
_NAMES = ("volume", "price", "price", "type", "ordertype")
_FLAGS = frozenset(("post", "fciq", "viqc", "nompp"))
#: Parameters that this venue has nothing to offer for.
_NOT_OFFERED = ("displayvol", "starttm", "leverage", "asset_class", "sender_sub_id")


def draft_of(params: Params, names: Names, now_ns: int, pair: str = "") -> Draft:
    """A new order. Raises ApiError.

    Args:
        params: Those of ``AddOrder``, or of one order of a batch.
        names: Finds the market.
        now_ns: Wall time; an order may say how long it lives.
        pair: The batch's pair.
    """
    _refuse_what_is_not_offered(params)
    market = names.find(pair or params.text("pair"))
    if market is None:
        raise ApiError(Text.UNKNOWN_PAIR)
    kind = params.text("ordertype")
    flags = _flags(params)
    stops = kind.startswith(("stop-loss", "take-profit"))
    price, second = params.optional("price"), params.optional("price2")
    tif = params.text("timeinforce", "GTC").lower()
    value = params.text("volume")
    return Draft(
        market=market,
        side=params.text("type"),
        type=kind,
        qty=None if "viqc" in flags else value,
        cost=value if "viqc" in flags else None,
        price=second if stops else price,
        trigger=price if stops else None,
        tif=tif,
        expires_ns=_expiry(params, now_ns) if tif == "gtd" else 0,
        post_only="post" in flags,
        client_id=_client_id(params),
        reference=_reference(params),
        self_trade=params.text("stptype", "cancel-newest"),
        deadline_ns=_deadline(params),
        names=_NAMES,
    )


def read_amendment(params: Params) -> Change:
    """``AmendOrder``. Raises ApiError."""
    if params.optional("display_qty") is not None:
        raise invalid("display_qty")
    return Change(
        order=named(params),
        qty=params.optional("order_qty"),
        price=params.optional("limit_price"),
        trigger=params.optional("trigger_price"),
        post_only=params.flag("post_only"),
        deadline_ns=_deadline(params),
    )


def read_edit(params: Params) -> Change:
    """``EditOrder``. Raises ApiError."""
    if params.optional("displayvol") is not None:
        raise invalid("displayvol")
    price, second = params.optional("price"), params.optional("price2")
    stops = second is not None
    return Change(
        order=_by_id(params.text("txid")),
        qty=params.optional("volume"),
        price=second if stops else price,
        trigger=price if stops else None,
        post_only="post" in _flags(params),
        deadline_ns=_deadline(params),
        names=("volume", "price", "price"),
    )


def named(params: Params) -> OrderName:
    """The order of a request: ``txid``, which may be a reference of the client's, or ``cl_ord_id``. Raises ApiError."""
    text = params.optional("txid")
    if text is not None:
        return _by_id(text)
    if params.optional("cl_ord_id") is not None:
        return OrderName(client_id=params.text("cl_ord_id"))
    raise invalid("txid")


def _by_id(text: str) -> OrderName:
    if text.lstrip("-").isdigit() and text.isascii():
        return OrderName(reference=user_reference(text, "txid"))
    return OrderName(id=text)


def _refuse_what_is_not_offered(params: Params) -> None:
    for name in _NOT_OFFERED:
        if params.optional(name) not in (None, "0", "none"):
            raise invalid(name)
    if any(name.startswith("close[") for name in params) or params.get("close"):
        raise invalid("close")
    if params.flag("reduce_only"):
        raise invalid("reduce_only")
    if params.text("trigger", "last") != "last":
        raise invalid("trigger")


def _flags(params: Params) -> frozenset[str]:
    """``oflags``; fees are in the quote asset. Raises ApiError."""
    flags = frozenset(part.strip() for part in params.text("oflags", "").split(",") if part.strip())
    if not flags <= _FLAGS:
        raise invalid("oflags")
    return flags


def _expiry(params: Params, now_ns: int) -> int:
    """``expiretm``: seconds since the epoch, or ``+`` seconds from now. Raises ApiError."""
    text = params.text("expiretm")
    digits = text.removeprefix("+")
    if not (digits.isascii() and digits.isdigit() and len(digits) <= 11):
        raise invalid("expiretm")
    return int(digits) * _SECOND + (now_ns if text.startswith("+") else 0)


def _client_id(params: Params) -> str:
    text = params.optional("cl_ord_id")
    if text is None:
        return ""
    if params.optional("userref") is not None:
        raise invalid("cl_ord_id")
    return client_id(text)


def _reference(params: Params) -> int:
    text = params.optional("userref")
    return 0 if text is None else user_reference(text, "userref")


def _deadline(params: Params) -> int:
    text = params.optional("deadline")
    return 0 if text is None else time_ns(text, "deadline")
