"""What both APIs can do, by one name each: the WebSocket API's method names.

An operation takes the parameters, the account, the time and the time unit of the answer, and returns the answer's
result as Binance words it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from enum import Enum
from typing import Any

import orjson
from attrs import frozen

from bloor.model.orders import Side
from bloor.simulation.account import Account, format_atoms
from bloor.simulation.exchange import Exchange
from bloor_binance.simulated.errors import ApiError, bad_parameter
from bloor_binance.simulated.exchange_info import exchange_info
from bloor_binance.simulated.orders import OrderDesk
from bloor_binance.simulated.params import Params
from bloor_binance.simulated.published import Published
from bloor_binance.simulated.rate_limits import RateLimits
from bloor_binance.simulated.words import price_text, qty_text

__all__ = ["Operation", "Operations", "Security"]

#: parameters, account (0 without one), wall ns, time unit in ns -> result
Handler = Callable[[Params, int, int, int], Any]

#: Most levels of a depth answer.
MAX_DEPTH = 5000


class Security(Enum):
    """Who may call an operation."""

    NONE = "none"
    SIGNED = "signed"


@frozen
class Operation:
    """One thing that can be asked for.

    Attributes:
        handler: Does it.
        security: Who may ask.
        weight: Its request weight.
        orders: Whether answers carry the order count instead of the weight.
    """

    handler: Handler
    security: Security = Security.NONE
    weight: int = 1
    orders: bool = False


class Operations:
    """All operations of one exchange."""

    def __init__(
        self, exchange: Exchange, published: Mapping[str, Published], desk: OrderDesk, limits: RateLimits
    ) -> None:
        self._exchange = exchange
        self._published = published
        self._limits = limits
        signed = Security.SIGNED
        self.table: dict[str, Operation] = {
            "ping": Operation(lambda *_: {}),
            "time": Operation(lambda _p, _a, now_ns, unit: {"serverTime": now_ns // unit}),
            "exchangeInfo": Operation(self._exchange_info, weight=20),
            "depth": Operation(self._depth, weight=5),
            "trades.recent": Operation(self._trades, weight=25),
            "ticker.book": Operation(self._ticker_book, weight=2),
            "ticker.price": Operation(self._ticker_price, weight=2),
            "avgPrice": Operation(self._average, weight=2),
            "order.place": Operation(desk.place, signed, orders=True),
            "order.test": Operation(desk.test, signed),
            "order.cancel": Operation(desk.cancel, signed),
            "order.status": Operation(desk.status, signed, 4),
            "openOrders.status": Operation(desk.open_orders, signed, 6),
            "openOrders.cancelAll": Operation(desk.cancel_all, signed),
            "allOrders": Operation(desk.all_orders, signed, 20),
            "account.status": Operation(self._account, signed, 20),
            "account.rateLimits.orders": Operation(self._order_limits, signed, 40),
            "myTrades": Operation(desk.my_trades, signed, 20),
        }

    # -- public -----------------------------------------------------------------------------------------------------

    def _market(self, params: Params) -> Published:
        found = self._published.get(params.text("symbol"))
        if found is None:
            raise ApiError(-1121, "Invalid symbol.")
        return found

    def _some(self, params: Params) -> list[Published]:
        """The markets of ``symbol`` or ``symbols``, or all."""
        if "symbol" in params and "symbols" in params:
            raise ApiError(-1128, "Combination of optional parameters invalid.")
        if "symbol" in params:
            return [self._market(params)]
        if "symbols" not in params:
            return list(self._published.values())
        try:
            names = orjson.loads(params["symbols"])
        except orjson.JSONDecodeError:
            names = None
        if not isinstance(names, list) or not names or not all(isinstance(name, str) for name in names):
            raise bad_parameter("symbols")
        return [self._market(Params(symbol=name)) for name in names]

    def _exchange_info(self, params: Params, _account: int, now_ns: int, unit: int) -> dict[str, Any]:
        instruments = [published.market.instrument for published in self._some(params)]
        return exchange_info(instruments, self._limits, now_ns // unit)

    def _depth(self, params: Params, _account: int, now_ns: int, _unit: int) -> dict[str, Any]:
        published = self._market(params)
        limit = min(params.integer("limit", 100) or 100, MAX_DEPTH)
        if limit > 100:
            self._limits.spend(20 if limit <= 500 else 45 if limit <= 1000 else 245, now_ns)
        bids, asks = published.depth(limit)
        return {"lastUpdateId": published.update_id, "bids": bids, "asks": asks}

    def _trades(self, params: Params, _account: int, _now_ns: int, unit: int) -> list[dict[str, Any]]:
        published = self._market(params)
        instrument = published.market.instrument
        return [
            {
                "id": trade.trade_id,
                "price": price_text(instrument, trade.price),
                "qty": qty_text(instrument, trade.units),
                "quoteQty": f"{instrument.value(trade.price, trade.units):.8f}",
                "time": trade.ns // unit,
                "isBuyerMaker": trade.aggressor is Side.SELL,
                "isBestMatch": True,
            }
            for trade in published.trades(min(params.integer("limit", 500) or 500, 1000))
        ]

    def _ticker_book(self, params: Params, _account: int, _now_ns: int, _unit: int) -> Any:
        answers = [_book_ticker(published) for published in self._some(params)]
        return answers[0] if "symbol" in params else answers

    def _ticker_price(self, params: Params, _account: int, _now_ns: int, _unit: int) -> Any:
        answers = []
        for published in self._some(params):
            instrument = published.market.instrument
            price = price_text(instrument, published.market.last_price)
            answers.append({"symbol": instrument.venue_symbol, "price": price})
        return answers[0] if "symbol" in params else answers

    def _average(self, params: Params, _account: int, now_ns: int, unit: int) -> dict[str, Any]:
        published = self._market(params)
        trades = published.trades(1000)
        close = trades[-1].ns if trades else now_ns
        units = sum(trade.units for trade in trades)
        ticks = sum(trade.price * trade.units for trade in trades) // units if units else published.market.last_price
        return {"mins": 5, "price": price_text(published.market.instrument, ticks), "closeTime": close // unit}

    # -- of an account ----------------------------------------------------------------------------------------------

    def _account(self, params: Params, account: int, now_ns: int, unit: int) -> dict[str, Any]:
        owner = self._exchange.accounts[account]
        nothing = params.get("omitZeroBalances") == "true"
        rates = {"maker": _rate(owner.fees.maker_ppm), "taker": _rate(owner.fees.taker_ppm)}
        return {
            "makerCommission": owner.fees.maker_ppm // 100,
            "takerCommission": owner.fees.taker_ppm // 100,
            "buyerCommission": 0,
            "sellerCommission": 0,
            "commissionRates": {**rates, "buyer": _rate(0), "seller": _rate(0)},
            "canTrade": True,
            "canWithdraw": False,
            "canDeposit": False,
            "brokered": False,
            "requireSelfTradePrevention": False,
            "preventSor": False,
            "updateTime": now_ns // unit,
            "accountType": "SPOT",
            "balances": _balances(owner, omit_zero=nothing),
            "permissions": ["SPOT"],
            "uid": account,
        }

    def _order_limits(self, _params: Params, _account: int, now_ns: int, _unit: int) -> list[dict[str, Any]]:
        return self._limits.document(now_ns, orders=True)


def _book_ticker(published: Published) -> dict[str, str]:
    instrument = published.market.instrument
    (bid, bid_units), (ask, ask_units) = published.top()
    return {
        "symbol": instrument.venue_symbol,
        "bidPrice": price_text(instrument, bid),
        "bidQty": qty_text(instrument, bid_units),
        "askPrice": price_text(instrument, ask),
        "askQty": qty_text(instrument, ask_units),
    }


def _balances(account: Account, *, omit_zero: bool) -> list[dict[str, str]]:
    return [
        {"asset": asset, "free": format_atoms(balance.free), "locked": format_atoms(balance.locked)}
        for asset, balance in account.balances.items()
        if balance.total or not omit_zero
    ]


def _rate(ppm: int) -> str:
    return f"0.{ppm * 100:08d}"
