"""REST of the simulated Acme: what is listed, the time, and what an account asks with a signature."""

from __future__ import annotations

import hmac
from collections.abc import Mapping
from typing import Any
from urllib.parse import parse_qs

import orjson
from bloor.simulation.account import format_atoms
from bloor.simulation.exchange import Exchange
from bloor.simulation.venue import HttpAnswer, HttpRequest

from bloor_acme.credentials import AcmeCredentials
from bloor_acme.simulated.listing import row
from bloor_acme.simulated.orders import WINDOW_NS, OrderDesk, RefusedError, order_row

__all__ = ["RestApi"]


class RestApi:
    """Answers requests.

    Args:
        exchange: Where accounts trade.
        account: The account's number.
        keys: What opens it.
        desk: Takes its orders.
    """

    def __init__(self, exchange: Exchange, account: int, keys: AcmeCredentials, desk: OrderDesk) -> None:
        self._exchange = exchange
        self._account = account
        self._keys = keys
        self._desk = desk

    def answer(self, request: HttpRequest, now_ns: int) -> HttpAnswer:
        """The answer to a request; a refusal has a code and a text."""
        try:
            return HttpAnswer(200, orjson.dumps(self._answer(request, now_ns)))
        except RefusedError as refused:
            document = {"code": refused.code, "text": refused.why}
            return HttpAnswer(404 if refused.code == "NO_SUCH_PATH" else 400, orjson.dumps(document))

    def _answer(self, request: HttpRequest, now_ns: int) -> Mapping[str, Any]:
        params = {name: values[-1] for name, values in parse_qs(request.query).items()}
        what = f"{request.method} {request.path}"
        if what == "GET /time":
            return {"time_ns": now_ns}
        if what == "GET /instruments":
            return {"instruments": self._listed(params)}
        if not request.path.startswith("/account"):
            raise RefusedError("NO_SUCH_PATH", f"there is no {what}")
        self._check_signature(request, now_ns)
        if what == "GET /account":
            return {"trade": True, "withdraw": False, "balances": self._balances()}
        if what == "GET /account/orders":
            return {"orders": [order_row(order) for order in self._exchange.open_orders(self._account)]}
        if what == "DELETE /account/orders":
            return {"order": order_row(self._desk.cancel({"op": "cancel", **params}, now_ns))}
        if what == "POST /account/orders/test":
            self._desk.built(params)
            return {}
        raise RefusedError("NO_SUCH_PATH", f"there is no {what}")

    def _listed(self, params: Mapping[str, str]) -> list[dict[str, Any]]:
        markets = self._exchange.markets
        named = params["symbols"].split(",") if "symbols" in params else list(markets)
        for name in named:
            if name not in markets:
                raise RefusedError("UNKNOWN_SYMBOL", f"{name!r:.60} is not listed")
        return [row(markets[name].instrument) for name in named]

    def _balances(self) -> list[dict[str, str]]:
        balances = self._exchange.accounts[self._account].balances
        return [
            {"asset": asset, "free": format_atoms(balance.free), "locked": format_atoms(balance.locked)}
            for asset, balance in balances.items()
            if balance.total
        ]

    def _check_signature(self, request: HttpRequest, now_ns: int) -> None:
        time_text = request.headers.get("acme-time", "")
        if not time_text.isascii() or not time_text.isdigit() or abs(int(time_text[:20]) - now_ns) > WINDOW_NS:
            raise RefusedError("BAD_TIME", f"expected a time within 30 s of {now_ns}, got {time_text!r:.40}")
        expected = self._keys.headers(request.method, request.path, request.query, int(time_text))
        for name in ("acme-key", "acme-signature"):
            given = request.headers.get(name, "")
            if not hmac.compare_digest(given.encode(), expected[name].encode()):
                raise RefusedError("BAD_KEY", "the key is not known or the signature is wrong")
