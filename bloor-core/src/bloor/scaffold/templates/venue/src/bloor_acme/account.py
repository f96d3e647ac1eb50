"""What Acme says about an account over REST, before it is traded on: ``bloor check`` and live mode ask."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal
from typing import Any, TypeVar
from urllib.parse import urlencode

from bloor.errors import RemoteProtocolError
from bloor.hookspecs import ExecutorContext
from bloor.model.orders import OrderRequest
from bloor.venue.account import AccountState, AssetBalance, KeyRights, OpenOrder, Question
from bloor.venue.session import Request

from bloor_acme.credentials import AcmeCredentials
from bloor_acme.protocol import flag, number, parsed, placed, text

__all__ = ["AcmeAccount"]

T = TypeVar("T")


class AcmeAccount:
    """See :class:`bloor.venue.account.AccountInterface`."""

    def __init__(self, context: ExecutorContext) -> None:
        assert isinstance(context.credentials, AcmeCredentials)
        self._keys: AcmeCredentials = context.credentials

    def rights(self, now_ns: int) -> Question[KeyRights]:
        """What the key may do."""

        def read(row: Mapping[str, Any]) -> KeyRights:
            return KeyRights(trade=flag("account", row, "trade"), withdraw=flag("account", row, "withdraw"))

        return self._ask("GET", "/account", {}, now_ns, read)

    def state(self, now_ns: int) -> Question[AccountState]:
        """Balances."""

        def read(row: Mapping[str, Any]) -> AccountState:
            balances = {text("balance", b, "asset"): _balance(b) for b in _rows(row, "balances")}
            return AccountState(flag("account", row, "trade"), balances)

        return self._ask("GET", "/account", {}, now_ns, read)

    def open_orders(self, now_ns: int) -> Question[Sequence[OpenOrder]]:
        """Every open order."""

        def read(row: Mapping[str, Any]) -> Sequence[OpenOrder]:
            return [_open(order) for order in _rows(row, "orders")]

        return self._ask("GET", "/account/orders", {}, now_ns, read)

    def cancel(self, order: OpenOrder, now_ns: int) -> Question[bool]:
        """Cancels an open order; False when it was not open any more."""
        params = {"client_id": order.client_id, "symbol": order.venue_symbol}
        question = self._ask("DELETE", "/account/orders", params, now_ns, lambda _: True, urgent=True)

        def read(status: int, body: bytes) -> bool:
            if status == 400 and parsed(body).get("code") == "NOT_OPEN":
                return False
            return question.read(status, body)

        return Question(request=question.request, read=read)

    def test_order(self, order: OrderRequest, now_ns: int) -> Question[None]:
        """Asks whether an order would be accepted, without placing it."""
        return self._ask("POST", "/account/orders/test", placed(order), now_ns, lambda _: None)

    def _ask(
        self,
        method: str,
        path: str,
        params: Mapping[str, str],
        now_ns: int,
        read: Callable[[Mapping[str, Any]], T],
        *,
        urgent: bool = False,
    ) -> Question[T]:
        query = urlencode(params)
        request = Request(
            tag=path,
            method=method,
            path=path,
            params=query,
            headers=self._keys.headers(method, path, query, now_ns),
            urgent=urgent,
        )

        def checked(status: int, body: bytes) -> T:
            row: Mapping[str, Any] = {}
            try:
                row = parsed(body)
            except RemoteProtocolError:
                if status == 200:
                    raise
            if status != 200:
                said = f"{row.get('code')} {row.get('text')}" if row else "no words"
                raise RemoteProtocolError(f"{method} {path}: acme answered {status}: {said:.200}")
            return read(row)

        return Question(request=request, read=checked)


def _rows(row: Mapping[str, Any], name: str) -> Sequence[Mapping[str, Any]]:
    rows = row.get(name)
    if type(rows) is not list or not all(type(one) is dict for one in rows):
        raise RemoteProtocolError(f"field {name!r}: expected a list of objects, got {rows!r:.60}")
    return rows


def _balance(row: Mapping[str, Any]) -> AssetBalance:
    return AssetBalance(Decimal(number("balance", row, "free")), Decimal(number("balance", row, "locked")))


def _open(row: Mapping[str, Any]) -> OpenOrder:
    return OpenOrder(
        client_id=text("order", row, "client_id"),
        venue_order_id=text("order", row, "id"),
        venue_symbol=text("order", row, "symbol"),
        side=text("order", row, "side"),
        price=number("order", row, "price"),
        qty=number("order", row, "qty"),
        filled=number("order", row, "filled"),
    )
