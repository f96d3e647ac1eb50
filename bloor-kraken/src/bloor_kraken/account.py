"""What Kraken says about an account over REST, before it is traded on (sans I/O).

What a key may do is said by ``GetApiKeyInfo``; where that is not known, nothing is. Funds in earn and staking wallets
(``ETH.F``) cannot be traded and are left out. Sources: docs.kraken.com, Spot REST "Account Data", "Trading".
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal
from typing import Any, TypeVar

from bloor.errors import RemoteProtocolError
from bloor.hookspecs import ExecutorContext
from bloor.model.orders import OrderRequest
from bloor.venue.account import AccountState, AssetBalance, KeyRights, OpenOrder, Question
from bloor_kraken.answers import PairNames, order_rows
from bloor_kraken.config import KrakenConfig
from bloor_kraken.frames.fields import amount, wrong
from bloor_kraken.order_requests import new_order_by_rest
from bloor_kraken.private_rest import PrivateRequest, private_answer, private_request
from bloor_kraken.refusals import Refusal
from bloor_kraken.signing import KrakenCredentials
from bloor_kraken.symbols import balance_asset

__all__ = ["KrakenAccount"]

T = TypeVar("T")
#: Words for rights; an answer without any of them is in another form than we know.
_TRADE, _WITHDRAW = "modify-trades", "withdraw-funds"
_RIGHTS = frozenset(
    {_TRADE, _WITHDRAW, "close-trades", "query-funds", "query-open-trades", "query-closed-trades", "access-ws"}
)


class KrakenAccount:
    """See :class:`bloor.venue.account.AccountInterface`."""

    def __init__(self, context: ExecutorContext) -> None:
        config = context.config or KrakenConfig()
        assert isinstance(config, KrakenConfig)
        assert isinstance(context.credentials, KrakenCredentials)
        self._config = config
        self._keys: KrakenCredentials = context.credentials
        self._names = PairNames({i.venue_symbol: i for i in context.instruments})

    def rights(self, now_ns: int) -> Question[KeyRights]:
        """``GetApiKeyInfo``."""

        def read(status: int, body: bytes) -> KeyRights:
            answer = private_answer("GetApiKeyInfo", status, body)
            if answer.words.lower().startswith(("egeneral:unknown method", "status 404")):
                return KeyRights(trade=None, withdraw=None)
            row = _result("GetApiKeyInfo", status, body)
            said = row.get("permissions")
            words = {str(each) for each in said} if isinstance(said, list) else set()
            if not words & _RIGHTS:
                return KeyRights(trade=None, withdraw=None)
            addresses = row.get("ip_allowlist")
            limited = bool(addresses) if isinstance(addresses, list) else None
            return KeyRights(trade=_TRADE in words, withdraw=_WITHDRAW in words, limited_to_addresses=limited)

        return self._ask("GetApiKeyInfo", {}, now_ns, read)

    def state(self, now_ns: int) -> Question[AccountState]:
        """``BalanceEx``: totals, and what open orders hold of them."""

        def read(status: int, body: bytes) -> AccountState:
            balances: dict[str, AssetBalance] = {}
            for key, row in _result("BalanceEx", status, body).items():
                if type(row) is not dict:
                    raise wrong("BalanceEx", key, "an object", row)
                asset, wallet = balance_asset(key)
                whole, held = (_number(f"BalanceEx {key}", row, name) for name in ("balance", "hold_trade"))
                if not wallet and (whole or held):
                    balances[asset] = AssetBalance(whole - held, held)
            return AccountState(may_trade=True, balances=balances)

        return self._ask("BalanceEx", {}, now_ns, read)

    def open_orders(self, now_ns: int) -> Question[Sequence[OpenOrder]]:
        """``OpenOrders``."""

        def read(status: int, body: bytes) -> Sequence[OpenOrder]:
            rows = _result("OpenOrders", status, body).get("open")
            found = []
            for order in order_rows("OpenOrders", rows, self._names):
                told = order.row["descr"]
                symbol = order.instrument.venue_symbol if order.instrument is not None else str(told.get("pair"))
                found.append(
                    OpenOrder(
                        client_id=order.client_id, venue_order_id=order.order_id, venue_symbol=symbol,
                        side=str(told.get("type")).upper(), price=str(told.get("price")), qty=str(order.row.get("vol")),
                        filled=str(order.row.get("vol_exec")),
                    )
                )  # fmt: skip
            return found

        return self._ask("OpenOrders", {}, now_ns, read)

    def cancel(self, order: OpenOrder, now_ns: int) -> Question[bool]:
        """``CancelOrder``, by the venue's id."""

        def read(status: int, body: bytes) -> bool:
            if private_answer("CancelOrder", status, body).refusal is Refusal.UNKNOWN_ORDER:
                return False
            _result("CancelOrder", status, body)
            return True

        return self._ask("CancelOrder", {"txid": order.venue_order_id}, now_ns, read, urgent=True)

    def test_order(self, order: OrderRequest, now_ns: int) -> Question[None]:
        """``AddOrder`` with ``validate``: it is looked at and not placed."""

        def read(status: int, body: bytes) -> None:
            _result("AddOrder", status, body)

        deadline_ns = now_ns + self._config.order_deadline.ns
        params = {**new_order_by_rest(order, self._config.self_trade, deadline_ns), "validate": "true"}
        return self._ask("AddOrder", params, now_ns, read)

    def _ask(
        self,
        name: str,
        params: Mapping[str, Any],
        now_ns: int,
        read: Callable[[int, bytes], T],
        *,
        urgent: bool = False,
    ) -> Question[T]:
        def request() -> PrivateRequest:
            return private_request(self._keys, name, f"/0/private/{name}", params, now_ns, urgent=urgent)

        def again(status: int, body: bytes) -> Question[T] | None:
            """Another process has used the key with a higher nonce, as a run that ended a moment ago may have."""
            if private_answer(name, status, body).refusal is not Refusal.NONCE:
                return None
            self._keys.nonces.leap()
            return Question(request=request(), read=read)

        return Question(request=request(), read=read, again=again)


def _result(what: str, status: int, body: bytes) -> dict[str, Any]:
    """``result`` of an answer.

    Raises:
        RemoteProtocolError: It is a refusal, with Kraken's words, or no such answer.
    """
    answer = private_answer(what, status, body)
    if answer.refusal is not None:
        raise RemoteProtocolError(f"{what}: {answer.words}")
    if type(answer.result) is not dict:
        raise wrong(what, "result", "an object", answer.result)
    return answer.result


def _number(what: str, row: Mapping[str, Any], name: str) -> Decimal:
    value = row.get(name, "0")
    if type(value) is not str:
        raise wrong(what, name, "a number as text", value)
    return Decimal(amount(what, name, value.removeprefix("-"), str)).copy_sign(-1 if value.startswith("-") else 1)
