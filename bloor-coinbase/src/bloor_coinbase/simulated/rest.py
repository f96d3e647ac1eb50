"""REST: routes, tokens, limits, faults (docs.cdp.coinbase.com, "Advanced Trade API Endpoints")."""

from __future__ import annotations

from collections.abc import Callable
from enum import Enum
from typing import Any

import orjson
from attrs import frozen

from bloor.simulation.exchange import Exchange
from bloor.simulation.faults import Fault, Faults
from bloor.simulation.venue import HttpAnswer, HttpRequest
from bloor_coinbase.simulated.accounts import Accounts
from bloor_coinbase.simulated.currencies import Currencies
from bloor_coinbase.simulated.desk import OrderDesk
from bloor_coinbase.simulated.errors import ApiError, forbidden, invalid, not_found, too_many, unauthorized, unavailable
from bloor_coinbase.simulated.history import list_fills, list_orders, order_ids
from bloor_coinbase.simulated.products import Products
from bloor_coinbase.simulated.queries import Query
from bloor_coinbase.simulated.rate_limits import RateLimits
from bloor_coinbase.simulated.tokens import ApiKey, KeyRing
from bloor_coinbase.simulated.words import clock_text

__all__ = ["RestApi"]

PREFIX = "/api/v3/brokerage"
_JSON = {"Content-Type": "application/json"}
_PART = "*"


class Access(Enum):
    """Who may call an operation."""

    PUBLIC = "public"
    VIEW = "view"
    TRADE = "trade"


@frozen
class Call:
    """One request, read.

    Attributes:
        query: Its parameters.
        body: Its document; empty without one.
        parts: The parts of its path that the route leaves open.
        account: Number of the account that asks; 0 for the public.
        key: The key that signed it.
        now_ns: Wall time.
    """

    query: Query
    body: dict[str, Any]
    parts: tuple[str, ...]
    account: int
    key: ApiKey | None
    now_ns: int


@frozen
class Operation:
    """One thing that can be asked for.

    Attributes:
        handler: Does it.
        access: Who may ask.
        changes: Whether it changes an order; then its answer may get lost (:mod:`bloor.simulation.faults`).
        steady: Whether it is never refused by an injected fault: clients begin with it.
        market: Whether it is about market data.
    """

    handler: Callable[[Call], Any]
    access: Access = Access.PUBLIC
    changes: bool = False
    steady: bool = False
    market: bool = False


class RestApi:
    """Answers REST requests.

    Args:
        exchange: Has the accounts.
        ring: The keys that the exchange knows.
        desk: Takes what is about orders.
        products: Takes what is about products.
        accounts: Takes what is about accounts.
        currencies: Takes what is about currencies.
        limits: How much may be asked.
        faults: What answers may meet.
    """

    def __init__(
        self,
        exchange: Exchange,
        ring: KeyRing,
        desk: OrderDesk,
        products: Products,
        accounts: Accounts,
        currencies: Currencies,
        limits: RateLimits,
        faults: Faults,
    ) -> None:
        self._exchange = exchange
        self._ring = ring
        self._desk = desk
        self._products = products
        self._accounts = accounts
        self._currencies = currencies
        self._limits = limits
        self._faults = faults
        self._routes = self._table()
        self._lengths = {len(path) for _, path in self._routes}

    def about_market(self, request: HttpRequest) -> bool:
        """Whether a request asks for market data."""
        found = self._route(request)
        return found is not None and found[0].market

    def answer(self, request: HttpRequest, now_ns: int) -> HttpAnswer:
        """One request."""
        headers, account = dict(_JSON), 0
        try:
            found = self._route(request)
            if found is None:
                raise not_found("Not found")
            operation, parts = found
            key = self._authorised(operation, request, now_ns)
            account = key.account if key is not None else 0
            self._limits.spend(account, now_ns)
            headers.update(self._limits.headers(account))
            if not operation.steady and self._faults.happens(Fault.RATE_LIMIT):
                raise too_many()
            call = Call(Query(request.query), _body(request), parts, account, key, now_ns)
            result = orjson.dumps(operation.handler(call))
            if operation.changes and (
                self._faults.happens(Fault.ERROR_AFTER_ACCEPT) or self._faults.happens(Fault.LOST_ACK)
            ):
                raise unavailable()  # a request over HTTP always ends: what the client sees is the gateway
        except ApiError as error:
            return HttpAnswer(error.status, error.body, {**headers, **error.headers})
        return HttpAnswer(200, result, headers)

    def _authorised(self, operation: Operation, request: HttpRequest, now_ns: int) -> ApiKey | None:
        """The key of a request that needs one. Raises ApiError 401, 403."""
        if operation.access is Access.PUBLIC:
            return None
        host, authorization = request.headers.get("host", ""), request.headers.get("authorization", "")
        key = self._ring.request(authorization, request.method, host, request.path, now_ns)
        if key is None:
            raise unauthorized()
        if operation.access is Access.TRADE and not key.trades:
            raise forbidden()
        return key

    # -- routes -----------------------------------------------------------------------------------------------------

    def _route(self, request: HttpRequest) -> tuple[Operation, tuple[str, ...]] | None:
        path = tuple(request.path.strip("/").split("/"))
        operation = self._routes.get((request.method, path))
        if operation is not None:
            return operation, ()
        if len(path) in self._lengths:
            for (method, known), operation in self._routes.items():
                if method == request.method and len(known) == len(path) and _fits(known, path):
                    return operation, tuple(part for part, open_ in zip(path, known, strict=True) if open_ == _PART)
        return None

    def _table(self) -> dict[tuple[str, tuple[str, ...]], Operation]:
        table = {**self._public(), **self._of_products(), **self._of_orders(), **self._of_accounts()}
        return {(method, tuple(path.strip("/").split("/"))): operation for (method, path), operation in table.items()}

    def _public(self) -> dict[tuple[str, str], Operation]:
        currencies, products = self._currencies, self._products
        return {
            ("GET", f"{PREFIX}/time"): Operation(lambda c: _time(c.now_ns), steady=True),
            ("GET", "/v2/time"): Operation(lambda c: currencies.time(c.now_ns), steady=True),
            ("GET", "/v2/currencies"): Operation(lambda _: currencies.fiat()),
            ("GET", "/v2/currencies/crypto"): Operation(lambda _: currencies.crypto()),
            ("GET", "/v2/exchange-rates"): Operation(lambda c: currencies.rates(c.query.one("currency", "USD"))),
            **{
                ("GET", f"/v2/prices/*/{kind}"): Operation(lambda c: currencies.price(c.parts[0]))
                for kind in ("spot", "buy", "sell")
            },
            ("GET", f"{PREFIX}/market/products"): Operation(lambda c: products.listed(c.query, c.now_ns), steady=True),
        }

    def _of_products(self) -> dict[tuple[str, str], Operation]:
        products = self._products
        found: dict[tuple[str, str], Operation] = {}
        for where, access in (("/market", Access.PUBLIC), ("", Access.VIEW)):
            base = f"{PREFIX}{where}"
            found |= {
                ("GET", f"{base}/product_book"): _market(lambda c: products.book(c.query, c.now_ns), access),
                ("GET", f"{base}/products/*"): _market(lambda c: products.get(c.parts[0], c.now_ns), access),
                ("GET", f"{base}/products/*/ticker"): _market(
                    lambda c: products.ticker(c.parts[0], c.query, c.now_ns), access
                ),
                ("GET", f"{base}/products/*/candles"): _market(
                    lambda c: products.candles(c.parts[0], c.query, c.now_ns), access
                ),
            }
        view = Access.VIEW
        found["GET", f"{PREFIX}/products"] = Operation(lambda c: products.listed(c.query, c.now_ns), view)
        found["GET", f"{PREFIX}/best_bid_ask"] = _market(lambda c: products.best(c.query, c.now_ns), view)
        return found

    def _of_orders(self) -> dict[tuple[str, str], Operation]:
        desk, orders, trade = self._desk, f"{PREFIX}/orders", Access.TRADE

        def change(handler: Callable[[dict[str, Any], int, int], Any]) -> Operation:
            return Operation(lambda c: handler(c.body, c.account, c.now_ns), trade, changes=True)

        def ask(handler: Callable[[dict[str, Any], int, int], Any]) -> Operation:
            return Operation(lambda c: handler(c.body, c.account, c.now_ns), Access.VIEW)

        return {
            ("POST", orders): change(desk.create),
            ("POST", f"{orders}/edit"): change(desk.edit),
            ("POST", f"{orders}/batch_cancel"): change(desk.cancel),
            ("POST", f"{orders}/close_position"): change(desk.close_position),
            ("POST", f"{orders}/preview"): ask(desk.preview),
            ("POST", f"{orders}/edit_preview"): ask(desk.edit_preview),
            ("GET", f"{orders}/historical/batch"): Operation(
                lambda c: list_orders(desk.orders(c.account, order_ids(c.query)), c.query), Access.VIEW
            ),
            ("GET", f"{orders}/historical/fills"): Operation(
                lambda c: list_fills(desk.orders(c.account, order_ids(c.query)), c.query), Access.VIEW
            ),
            ("GET", f"{orders}/historical/*"): Operation(lambda c: desk.historical(c.parts[0], c.account), Access.VIEW),
        }

    def _of_accounts(self) -> dict[tuple[str, str], Operation]:
        accounts, desk, view = self._accounts, self._desk, Access.VIEW
        owner = self._exchange.accounts
        return {
            ("GET", f"{PREFIX}/accounts"): Operation(
                lambda c: accounts.listed(owner[c.account], c.query, c.now_ns), view
            ),
            ("GET", f"{PREFIX}/accounts/*"): Operation(
                lambda c: accounts.get(owner[c.account], c.parts[0], c.now_ns), view
            ),
            ("GET", "/v2/accounts"): Operation(lambda c: accounts.wallets(owner[c.account], c.query, c.now_ns), view),
            ("GET", f"{PREFIX}/portfolios"): Operation(lambda _: accounts.portfolios(), view),
            ("GET", f"{PREFIX}/key_permissions"): Operation(lambda c: accounts.permissions(c.key), view),
            ("GET", f"{PREFIX}/transaction_summary"): Operation(
                lambda c: accounts.summary(owner[c.account], desk.orders(c.account)), view
            ),
        }


def _market(handler: Callable[[Call], Any], access: Access) -> Operation:
    return Operation(handler, access, market=True)


def _fits(known: tuple[str, ...], path: tuple[str, ...]) -> bool:
    return all(open_ in (_PART, part) for open_, part in zip(known, path, strict=True))


def _body(request: HttpRequest) -> dict[str, Any]:
    if request.method == "GET" or not request.body:
        return {}
    try:
        document = orjson.loads(request.body)
    except orjson.JSONDecodeError as error:
        raise invalid(f"the body is no JSON: {error.msg}") from None
    if not isinstance(document, dict):
        raise invalid("the body is no object")
    return document


def _time(now_ns: int) -> dict[str, str]:
    return {
        "iso": clock_text(now_ns),
        "epochSeconds": str(now_ns // 1_000_000_000),
        "epochMillis": str(now_ns // 1_000_000),
    }
