"""What both APIs can do, by one name each: the WebSocket API's method names.

An operation takes the parameters, the account, the time and the time unit of the answer, and returns the answer's
result as Binance words it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from enum import Enum
from typing import Any

from attrs import frozen

from bloor.simulation.account import Account, format_atoms
from bloor.simulation.exchange import Exchange, Market
from bloor.simulation.faults import Fault, Faults
from bloor_binance.simulated.errors import ApiError, unknown_outcome
from bloor_binance.simulated.exchange_info import symbol_filters
from bloor_binance.simulated.market_data import MarketData
from bloor_binance.simulated.orders import OrderDesk
from bloor_binance.simulated.params import Params
from bloor_binance.simulated.published import Published
from bloor_binance.simulated.rate_limits import RateLimits

__all__ = ["Operation", "Operations", "Security"]

#: parameters, account (0 without one), wall ns, time unit in ns -> result
Handler = Callable[[Params, int, int, int], Any]


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
        changes: Whether it changes an order; then its answer may get lost (:mod:`bloor.simulation.faults`).
        steady: Whether it is never refused by an injected fault: clients begin with it.
    """

    handler: Handler
    security: Security = Security.NONE
    weight: int = 1
    orders: bool = False
    changes: bool = False
    steady: bool = False


class Operations:
    """All operations of one exchange."""

    def __init__(
        self,
        exchange: Exchange,
        published: Mapping[str, Published],
        desk: OrderDesk,
        limits: RateLimits,
        faults: Faults,
    ) -> None:
        self._exchange = exchange
        self._limits = limits
        self._faults = faults
        data = MarketData(published, limits)
        self.table: dict[str, Operation] = {
            "ping": Operation(lambda *_: {}, steady=True),
            "time": Operation(lambda _p, _a, now_ns, unit: {"serverTime": now_ns // unit}, steady=True),
            "exchangeInfo": Operation(data.exchange_info, weight=20, steady=True),
            "depth": Operation(data.depth, weight=5),
            "trades.recent": Operation(data.trades, weight=25),
            "trades.historical": Operation(data.trades, weight=25),
            "trades.aggregate": Operation(data.aggregates, weight=4),
            "klines": Operation(data.candles, weight=2),
            "uiKlines": Operation(data.candles, weight=2),
            "avgPrice": Operation(data.average, weight=2),
            "ticker": Operation(data.ticker_window, weight=4),
            "ticker.24hr": Operation(data.ticker_day, weight=2),
            "ticker.tradingDay": Operation(data.trading_day, weight=4),
            "ticker.price": Operation(data.ticker_price, weight=2),
            "ticker.book": Operation(data.ticker_book, weight=2),
            **self._of_orders(desk),
            **self._of_account(desk),
        }

    def done(self, operation: Operation, now_ns: int) -> None:
        """A request was carried out."""
        if operation.changes and operation.weight == 1:
            self._limits.refund(operation.weight, now_ns)

    # -- faults -----------------------------------------------------------------------------------------------------

    def fail_before(self, operation: Operation) -> None:
        """Refuses a request that meets an injected fault. Raises ApiError -1003, status 429."""
        if not operation.steady and self._faults.happens(Fault.RATE_LIMIT):
            raise ApiError(-1003, "Too many requests; current limit is 6000 requests per 1 MINUTE.", 429, 1)

    def fail_after(self, operation: Operation) -> bool:
        """Whether the answer to a request that was carried out is lost. Raises ApiError -1007, status 503."""
        if not operation.changes:
            return False
        if self._faults.happens(Fault.ERROR_AFTER_ACCEPT):
            raise unknown_outcome()
        return self._faults.happens(Fault.LOST_ACK)

    # -- the table --------------------------------------------------------------------------------------------------

    def _of_orders(self, desk: OrderDesk) -> dict[str, Operation]:
        signed = Security.SIGNED
        return {
            "order.place": Operation(desk.place, signed, orders=True, changes=True),
            "order.test": Operation(desk.test, signed),
            "order.status": Operation(desk.status, signed, 4),
            "order.cancel": Operation(desk.cancel, signed, changes=True),
            "order.cancelReplace": Operation(desk.cancel_replace, signed, orders=True, changes=True),
            "order.amend.keepPriority": Operation(desk.amend, signed, 4, changes=True),
            "order.amendments": Operation(desk.amendments, signed, 4),
            "openOrders.status": Operation(desk.open_orders, signed, 6),
            "openOrders.cancelAll": Operation(desk.cancel_all, signed, changes=True),
            "allOrders": Operation(desk.all_orders, signed, 20),
            "myTrades": Operation(desk.my_trades, signed, 20),
            "myPreventedMatches": Operation(desk.prevented, signed, 20),
        }

    def _of_account(self, desk: OrderDesk) -> dict[str, Operation]:
        signed = Security.SIGNED
        return {
            "account.status": Operation(self._account, signed, 20),
            "account.commission": Operation(lambda p, a, *_: self._commission(desk.market(p), a), signed, 20),
            "account.rateLimits.orders": Operation(self._order_limits, signed, 40),
            "myFilters": Operation(lambda p, *_: self._filters(desk.market(p)), signed, 40),
            "wallet.coins": Operation(self._coins, signed, 10),
            "wallet.restrictions": Operation(_restrictions, signed),
            "margin.pairs": Operation(lambda *_: [], signed),
        }

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

    def _commission(self, market: Market, account: int) -> dict[str, Any]:
        fees = self._exchange.accounts[account].fees
        nothing = dict.fromkeys(("maker", "taker", "buyer", "seller"), _rate(0))
        return {
            "symbol": market.instrument.venue_symbol,
            "standardCommission": {**nothing, "maker": _rate(fees.maker_ppm), "taker": _rate(fees.taker_ppm)},
            "specialCommission": nothing,
            "taxCommission": nothing,
            "discount": {
                "enabledForAccount": False,
                "enabledForSymbol": False,
                "discountAsset": "BNB",
                "discount": _rate(0),
            },
        }

    def _filters(self, market: Market) -> dict[str, Any]:
        return {"exchangeFilters": [], "symbolFilters": symbol_filters(market.instrument), "assetFilters": []}

    def _coins(self, _params: Params, account: int, _now_ns: int, _unit: int) -> list[dict[str, Any]]:
        """Assets of the account: the wallet's own API, which clients read for the names of currencies."""
        return [
            {
                "coin": balance["asset"],
                "name": balance["asset"],
                "free": balance["free"],
                "locked": balance["locked"],
                "depositAllEnable": False,
                "withdrawAllEnable": False,
                "isLegalMoney": False,
                "trading": True,
                "networkList": [],
            }
            for balance in _balances(self._exchange.accounts[account], omit_zero=False)
        ]


def _restrictions(_params: Params, _account: int, now_ns: int, unit: int) -> dict[str, Any]:
    """What the key may do (wallet API, "Get API Key Permission")."""
    return {
        "ipRestrict": False,
        "createTime": now_ns // unit,
        "enableReading": True,
        "enableSpotAndMarginTrading": True,
        "enableWithdrawals": False,
        "enableInternalTransfer": False,
        "permitsUniversalTransfer": False,
        "enableMargin": False,
        "enableFutures": False,
        "enableVanillaOptions": False,
        "enablePortfolioMarginTrading": False,
    }


def _balances(account: Account, *, omit_zero: bool) -> list[dict[str, str]]:
    return [
        {"asset": asset, "free": format_atoms(balance.free), "locked": format_atoms(balance.locked)}
        for asset, balance in account.balances.items()
        if balance.total or not omit_zero
    ]


def _rate(ppm: int) -> str:
    return f"0.{ppm * 100:08d}"
