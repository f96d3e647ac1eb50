"""What Coinbase says about an account over REST, before it is traded on (sans I/O).

A key belongs to one portfolio, and sees and trades that alone. Wallets are its accounts, one for each asset.
Source: docs.cdp.coinbase.com, "Get API Key Permissions", "List Accounts", "List Orders", "Cancel Orders", "Preview
Order".
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal
from typing import Any, TypeVar
from urllib.parse import urlsplit

import orjson

from bloor.errors import RemoteProtocolError
from bloor.hookspecs import ExecutorContext
from bloor.model.orders import OrderRequest
from bloor.venue.account import AccountState, AssetBalance, DeadMan, KeyRights, OpenOrder, Question
from bloor.venue.session import Request
from bloor_coinbase.frames.fields import objects, plain, wrong
from bloor_coinbase.instruments import PREFIX
from bloor_coinbase.order_requests import Operation, Query, cancellation, encoded, new_order, open_orders
from bloor_coinbase.refusals import said
from bloor_coinbase.signing import CoinbaseCredentials, Tokens

__all__ = ["DEAD_MAN", "CoinbaseAccount"]

#: The most wallets that one answer holds.
_MOST_WALLETS = 250
#: Refusals of a cancel that say that there was nothing to cancel.
_GONE = frozenset({"UNKNOWN_CANCEL_ORDER", "ORDER_IS_FULLY_FILLED", "DUPLICATE_CANCEL_REQUEST"})
T = TypeVar("T")

DEAD_MAN = DeadMan(
    supported=False,
    text="Coinbase Advanced Trade cancels nothing by itself when a connection or a program dies: open orders stay in "
    "the market until somebody cancels them",
)


class CoinbaseAccount:
    """See :class:`bloor.venue.account.AccountInterface`."""

    def __init__(self, context: ExecutorContext) -> None:
        assert isinstance(context.credentials, CoinbaseCredentials)
        self._tokens = Tokens(context.credentials, urlsplit(context.endpoints.rest).netloc)

    def rights(self, now_ns: int) -> Question[KeyRights]:
        """``key_permissions``; what it does not say is not known."""

        def read(status: int, body: bytes) -> KeyRights:
            if status == 404:
                return KeyRights(trade=None, withdraw=None)
            row = _answer("key_permissions", status, body)
            return KeyRights(trade=_flag(row, "can_trade"), withdraw=_flag(row, "can_transfer"))

        return self._ask("GET", f"{PREFIX}/key_permissions", now_ns, read)

    def state(self, now_ns: int) -> Question[AccountState]:
        """``accounts``."""

        def read(status: int, body: bytes) -> AccountState:
            document = _answer("accounts", status, body)
            if document.get("has_next") is True:
                raise RemoteProtocolError(
                    f"accounts: expected at most {_MOST_WALLETS} wallets in the portfolio, got more; trade in a "
                    "portfolio of its own"
                )
            balances = {}
            for wallet in objects("accounts", document, "accounts"):
                free, locked = _amount(wallet, "available_balance"), _amount(wallet, "hold")
                if free or locked:
                    balances[str(wallet.get("currency"))] = AssetBalance(free, locked)
            return AccountState(may_trade=True, balances=balances)

        return self._ask("GET", f"{PREFIX}/accounts", now_ns, read, query={"limit": _MOST_WALLETS})

    def open_orders(self, now_ns: int) -> Question[Sequence[OpenOrder]]:
        """``orders/historical/batch``, of every product."""

        def read(status: int, body: bytes) -> Sequence[OpenOrder]:
            document = _answer("orders/historical/batch", status, body)
            if document.get("has_next") is True:
                raise RemoteProtocolError(
                    "orders/historical/batch: more open orders than one answer holds; cancel those that are not needed"
                )
            return [_open_order(row) for row in objects("orders", document, "orders")]

        route = Operation.LIST.value
        return self._ask(route.verb, route.path, now_ns, read, query=open_orders())

    def cancel(self, order: OpenOrder, now_ns: int) -> Question[bool]:
        """``orders/batch_cancel``, by the venue's id."""

        def read(status: int, body: bytes) -> bool:
            document = _answer("orders/batch_cancel", status, body)
            rows = objects("orders/batch_cancel", document, "results")
            if len(rows) != 1 or type(rows[0].get("success")) is not bool:
                raise wrong("orders/batch_cancel", "results", "one result with success", rows)
            reason = str(rows[0].get("failure_reason") or "")
            if not rows[0]["success"] and reason not in _GONE:
                raise RemoteProtocolError(f"orders/batch_cancel: {reason}")
            return bool(rows[0]["success"])

        route = Operation.CANCEL.value
        body = cancellation([order.venue_order_id])
        return self._ask(route.verb, route.path, now_ns, read, body=body, urgent=True)

    def test_order(self, order: OrderRequest, now_ns: int) -> Question[None]:
        """``orders/preview``."""

        def read(status: int, body: bytes) -> None:
            errors = _answer("orders/preview", status, body).get("errs") or []
            if errors:
                raise RemoteProtocolError(f"orders/preview: {' '.join(map(str, errors))[:200]}")

        whole = new_order(order)
        del whole["client_order_id"]
        return self._ask("POST", f"{PREFIX}/orders/preview", now_ns, read, body=whole)

    def _ask(
        self,
        method: str,
        path: str,
        now_ns: int,
        read: Callable[[int, bytes], T],
        *,
        query: Query | None = None,
        body: Mapping[str, Any] | None = None,
        urgent: bool = False,
    ) -> Question[T]:
        """A request with a token that is made now: times here are the venue's."""
        head = self._tokens.of_request(method, path, now_ns)
        request = Request(
            tag=path,
            method=method,
            path=path,
            params=encoded(query) if query else "",
            headers=head if body is None else {**head, "Content-Type": "application/json"},
            body=b"" if body is None else orjson.dumps(body),
            urgent=urgent,
        )
        return Question(request=request, read=read)


def _answer(what: str, status: int, body: bytes) -> dict[str, Any]:
    """The document of an answer of status 200.

    Raises:
        RemoteProtocolError: It is another answer; the message has Coinbase's words.
    """
    document: Any = None
    try:
        document = orjson.loads(body)
    except orjson.JSONDecodeError:
        document = None
    if status == 200 and isinstance(document, dict):
        return document
    if status == 200:
        raise RemoteProtocolError(f"{what}: expected a JSON object, got {body[:60]!r}")
    hint = "; is it a CDP key of this portfolio, with the right to view and trade?" if status in (401, 403) else ""
    raise RemoteProtocolError(f"{what}: {said(status, document)}{hint}")


def _flag(row: Mapping[str, Any], name: str) -> bool | None:
    value = row.get(name)
    return value if isinstance(value, bool) else None


def _amount(wallet: dict[str, Any], name: str) -> Decimal:
    amount = wallet.get(name)
    return Decimal(plain("accounts", amount, "value")) if type(amount) is dict else Decimal(0)


def _open_order(row: dict[str, Any]) -> OpenOrder:
    said = row.get("order_configuration")
    (parts, *_) = [part for part in said.values() if type(part) is dict] if type(said) is dict and said else [{}]
    return OpenOrder(
        client_id=str(row.get("client_order_id") or ""),
        venue_order_id=str(row.get("order_id") or ""),
        venue_symbol=str(row.get("product_id") or ""),
        side=str(row.get("side") or ""),
        price=str(parts.get("limit_price") or ""),
        qty=str(parts.get("base_size") or ""),
        filled=plain("orders", row, "filled_size"),
    )
