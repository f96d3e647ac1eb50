"""What Binance says about an account over REST, before it is traded on (sans I/O).

Sources: rest-api.md, "Account endpoints" and "Trading endpoints"; what a *key* may do only the wallet API says
(``GET /sapi/v1/account/apiRestrictions``, production only). On the testnet there is no wallet API, and what the account
may do says nothing of the key.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal, InvalidOperation
from typing import Any, TypeVar

import orjson

from bloor.errors import RemoteProtocolError
from bloor.hookspecs import ExecutorContext
from bloor.model.orders import OrderRequest
from bloor.venue.account import AccountState, AssetBalance, DeadMan, KeyRights, OpenOrder, Question
from bloor.venue.session import Request
from bloor_binance.config import BinanceConfig
from bloor_binance.order_requests import new_order
from bloor_binance.signing import BinanceCredentials, Value

__all__ = ["DEAD_MAN", "BinanceAccount"]

_MS = 1_000_000
_UNKNOWN_ORDER = -2011
T = TypeVar("T")

DEAD_MAN = DeadMan(
    supported=False,
    text="Binance spot cancels nothing by itself when a connection or a program dies: open orders stay in the market "
    "until somebody cancels them",
)


class BinanceAccount:
    """See :class:`bloor.venue.account.AccountInterface`."""

    def __init__(self, context: ExecutorContext) -> None:
        config = context.config or BinanceConfig()
        assert isinstance(config, BinanceConfig)
        assert isinstance(context.credentials, BinanceCredentials)
        self._keys: BinanceCredentials = context.credentials
        self._window = config.recv_window_ms

    def rights(self, now_ns: int) -> Question[KeyRights]:
        """``apiRestrictions``; where there is no wallet API nothing is known."""

        def read(status: int, body: bytes) -> KeyRights:
            if status in (404, 405):
                return KeyRights(trade=None, withdraw=None)
            row = _answer("apiRestrictions", status, body, dict)
            return KeyRights(
                trade=row.get("enableSpotAndMarginTrading"),
                withdraw=row.get("enableWithdrawals"),
                limited_to_addresses=row.get("ipRestrict"),
            )

        return self._ask("GET", "/sapi/v1/account/apiRestrictions", {}, now_ns, read)

    def state(self, now_ns: int) -> Question[AccountState]:
        """``account``."""

        def read(status: int, body: bytes) -> AccountState:
            row = _answer("account", status, body, dict)
            held = {b["asset"]: AssetBalance(Decimal(b["free"]), Decimal(b["locked"])) for b in row["balances"]}
            return AccountState(bool(row["canTrade"]), {asset: b for asset, b in held.items() if any(b)})

        return self._ask("GET", "/api/v3/account", {"omitZeroBalances": "true"}, now_ns, _checked("account", read))

    def open_orders(self, now_ns: int) -> Question[Sequence[OpenOrder]]:
        """``openOrders`` of every symbol."""

        def read(status: int, body: bytes) -> Sequence[OpenOrder]:
            rows = _answer("openOrders", status, body, list)
            return [
                OpenOrder(
                    client_id=row["clientOrderId"], venue_order_id=str(row["orderId"]), venue_symbol=row["symbol"],
                    side=row["side"], price=row["price"], qty=row["origQty"], filled=row["executedQty"],
                )
                for row in rows
            ]  # fmt: skip

        return self._ask("GET", "/api/v3/openOrders", {}, now_ns, _checked("openOrders", read))

    def cancel(self, order: OpenOrder, now_ns: int) -> Question[bool]:
        """``DELETE order``, by the venue's id."""

        def read(status: int, body: bytes) -> bool:
            try:
                _answer("order", status, body, dict)
            except RemoteProtocolError:
                if _code(body) == _UNKNOWN_ORDER:
                    return False
                raise
            return True

        params: dict[str, Value] = {"symbol": order.venue_symbol, "orderId": order.venue_order_id}
        return self._ask("DELETE", "/api/v3/order", params, now_ns, read, urgent=True)

    def test_order(self, order: OrderRequest, now_ns: int) -> Question[None]:
        """``order/test``."""

        def read(status: int, body: bytes) -> None:
            _answer("order/test", status, body, dict)

        params = new_order(order)
        return self._ask("POST", "/api/v3/order/test", params, now_ns, read)

    def _ask(
        self,
        method: str,
        path: str,
        params: Mapping[str, Value],
        now_ns: int,
        read: Callable[[int, bytes], T],
        *,
        urgent: bool = False,
    ) -> Question[T]:
        whole = {**params, "recvWindow": self._window, "timestamp": now_ns // _MS}
        query, signature = self._keys.signed_query(whole)
        request = Request(
            tag=path, method=method, path=path, params=query, signature=signature, headers=self._keys.headers,
            urgent=urgent,
        )  # fmt: skip
        return Question(request=request, read=read)


def _checked(what: str, read: Callable[[int, bytes], T]) -> Callable[[int, bytes], T]:
    """``read`` with the errors of an answer in the wrong form in our words."""

    def checked(status: int, body: bytes) -> T:
        try:
            return read(status, body)
        except (KeyError, TypeError, InvalidOperation) as error:
            raise RemoteProtocolError(f"{what}: missing or wrong {error}") from error

    return checked


def _answer(what: str, status: int, body: bytes, kind: type[T]) -> T:
    """The document of an answer of status 200.

    Raises:
        RemoteProtocolError: It is another answer; the message has Binance's code and words.
    """
    document: Any = None
    try:
        document = orjson.loads(body)
    except orjson.JSONDecodeError:
        document = None
    if status == 200 and isinstance(document, kind):
        return document
    if isinstance(document, dict) and "code" in document:
        raise RemoteProtocolError(f"{what}: {document['code']} {document.get('msg', '')}")
    raise RemoteProtocolError(f"{what}: expected status 200 with a JSON {kind.__name__}, got status {status}")


def _code(body: bytes) -> int:
    try:
        document = orjson.loads(body)
    except orjson.JSONDecodeError:
        return 0
    return int(document.get("code", 0)) if isinstance(document, dict) else 0
