"""Private REST requests about funds, past orders and trades (docs.kraken.com, Spot REST, "Account Data")."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import Any

from bloor.model.orders import Side
from bloor.simulation.account import ATOM_DECIMALS, quote_atoms
from bloor.simulation.exchange import AccountFill, AccountOrder, Exchange
from bloor.simulation.orders import OrderState
from bloor_kraken.simulated.desk import OrderDesk
from bloor_kraken.simulated.errors import ApiError, Text, invalid
from bloor_kraken.simulated.ids import Ids
from bloor_kraken.simulated.names import Names
from bloor_kraken.simulated.order_views import order_row, trade_row
from bloor_kraken.simulated.params import Params
from bloor_kraken.simulated.reference import percent
from bloor_kraken.simulated.words import amount_text
from bloor_kraken.symbols import classed_asset

__all__ = ["AccountRest"]

_SECOND = 1_000_000_000
#: Entries of a page of history, and of a query by ids.
_PAGE, _QUERY = 50, 50

Handler = Callable[[Params, int, int], Any]


class AccountRest:
    """Answers what an account asks about itself.

    Args:
        exchange: Where it trades.
        desk: Finds orders.
        names: Finds markets.
        ids: Makes ids.
    """

    def __init__(self, exchange: Exchange, desk: OrderDesk, names: Names, ids: Ids) -> None:
        self._exchange = exchange
        self._desk = desk
        self._names = names
        self._ids = ids

    # -- funds ------------------------------------------------------------------------------------------------------

    def balance(self, _params: Params, account: int, _now_ns: int) -> dict[str, str]:
        """``Balance``: totals."""
        balances = self._exchange.accounts[account].balances
        return {classed_asset(name): _amount(name, balance.total) for name, balance in balances.items()}

    def balance_ex(self, _params: Params, account: int, _now_ns: int) -> dict[str, dict[str, str]]:
        """``BalanceEx``: totals, and what open orders hold."""
        balances = self._exchange.accounts[account].balances
        return {
            classed_asset(name): {
                "balance": _amount(name, balance.total),
                "hold_trade": _amount(name, balance.locked),
            }
            for name, balance in balances.items()
        }

    def trade_balance(self, params: Params, account: int, _now_ns: int) -> dict[str, str]:
        """``TradeBalance`` of an account without margin: what everything is worth, in one asset."""
        asset = params.text("asset", "ZUSD")
        quote = next((i for i in self._assets() if asset in (i, classed_asset(i))), None)
        if quote is None:
            raise ApiError(Text.UNKNOWN_ASSET)
        worth, cash = Decimal(0), Decimal(0)
        for name, balance in self._exchange.accounts[account].balances.items():
            amount = Decimal(balance.total).scaleb(-ATOM_DECIMALS)
            if name == quote:
                cash = amount
                worth += amount
            else:
                worth += amount * self._price(name, quote)
        nothing = "0.0000"
        total = f"{worth:.4f}"
        return {
            "eb": total, "tb": f"{cash:.4f}", "m": nothing, "n": nothing, "c": nothing, "v": nothing,
            "e": total, "mf": total, "uv": nothing,
        }  # fmt: skip

    def trade_volume(self, params: Params, account: int, _now_ns: int) -> dict[str, Any]:
        """``TradeVolume``: the account's commissions, the same for every pair and every volume."""
        fees = self._exchange.accounts[account].fees
        volume = sum(
            (
                fill.value
                for order in self._exchange.orders.values()
                if order.owner == account and order.market.instrument.quote == "USD"
                for fill in order.fills
            ),
            0,
        )
        result: dict[str, Any] = {"currency": "ZUSD", "volume": amount_text(volume, 4)}
        pairs = params.optional("pair")
        for name, ppm in (("fees", fees.taker_ppm), ("fees_maker", fees.maker_ppm)) if pairs else ():
            fee = f"{percent(ppm):.4f}"
            entry = {"fee": fee, "minfee": fee, "maxfee": fee, "nextfee": None, "nextvolume": None, "tiervolume": None}
            result[name] = {self._key(pair): entry for pair in (pairs or "").split(",")}
        return result

    def _assets(self) -> list[str]:
        return [name for m in self._exchange.markets.values() for name in (m.instrument.base, m.instrument.quote)]

    def _price(self, base: str, quote: str) -> Decimal:
        """What one of an asset is worth; 0 without a market."""
        for market in self._exchange.markets.values():
            i = market.instrument
            if (i.base, i.quote) == (base, quote):
                best = market.book.side(Side.BUY).best
                price = market.last_price or (best.price if best else 0)
                return Decimal(quote_atoms(i, price, 10**i.qty_decimals)).scaleb(-ATOM_DECIMALS)
        return Decimal(0)

    def _key(self, pair: str) -> str:
        market = self._names.find(pair.strip())
        if market is None:
            raise ApiError(Text.UNKNOWN_PAIR)
        return self._names.of(market).key

    # -- orders -----------------------------------------------------------------------------------------------------

    def open_orders(self, params: Params, account: int, _now_ns: int) -> dict[str, Any]:
        """``OpenOrders``."""
        chosen = [order for order in self._exchange.open_orders(account) if _wanted(order, params)]
        return {"open": self._rows(chosen, trades=params.flag("trades"))}

    def closed_orders(self, params: Params, account: int, _now_ns: int) -> dict[str, Any]:
        """``ClosedOrders``: a page, newest first."""
        start, end = self._span(params, account)
        by_opening = params.text("closetime", "both") == "open"
        ended = [
            order
            for order in self._exchange.orders.values()
            if order.owner == account and order.status is not OrderState.OPEN and _wanted(order, params)
            if start < (order.created_ns if by_opening else order.updated_ns) <= end
        ]
        ended.sort(key=lambda order: order.updated_ns, reverse=True)
        offset = params.integer("ofs", 0, 1 << 40)
        rows = self._rows(ended[offset : offset + _PAGE], trades=params.flag("trades"))
        return {"closed": rows, "count": len(ended)}

    def query_orders(self, params: Params, account: int, _now_ns: int) -> dict[str, Any]:
        """``QueryOrders``: those of the ids that are known."""
        names = _names(params)
        found = [self._desk.known(name, account) for name in names]
        chosen = [order for order in found if order is not None and _wanted(order, params)]
        return self._rows(chosen, trades=params.flag("trades"))

    def _rows(self, orders: list[AccountOrder], *, trades: bool) -> dict[str, Any]:
        return {self._ids.order(order): order_row(order, self._ids, trades=trades) for order in orders}

    # -- trades -----------------------------------------------------------------------------------------------------

    def trades_history(self, params: Params, account: int, _now_ns: int) -> dict[str, Any]:
        """``TradesHistory``: a page, newest first."""
        start, end = self._span(params, account)
        trades = [entry for entry in self._trades(account) if start < entry[1].ns <= end]
        trades.sort(key=lambda entry: (entry[1].ns, entry[1].trade_id), reverse=True)
        offset = params.integer("ofs", 0, 1 << 40)
        page = trades[offset : offset + _PAGE]
        return {"trades": self._trade_rows(page), "count": len(trades)}

    def query_trades(self, params: Params, account: int, _now_ns: int) -> dict[str, Any]:
        """``QueryTrades``: those of the ids that are known."""
        wanted = _names(params)
        trades = [entry for entry in self._trades(account) if self._ids.execution(*entry) in wanted]
        return self._trade_rows(trades)

    def _trades(self, account: int) -> list[tuple[AccountOrder, AccountFill]]:
        orders = (order for order in self._exchange.orders.values() if order.owner == account)
        return [(order, fill) for order in orders for fill in order.fills]

    def _trade_rows(self, trades: list[tuple[AccountOrder, AccountFill]]) -> dict[str, Any]:
        return {self._ids.execution(order, fill): trade_row(order, fill, self._ids) for order, fill in trades}

    def _span(self, params: Params, account: int) -> tuple[int, int]:
        """``start``, which is not included, and ``end``, which is: times in seconds or ids of orders and trades."""
        return (
            self._moment(params.optional("start"), account, "start", 0),
            self._moment(params.optional("end"), account, "end", 1 << 62),
        )

    def _moment(self, text: str | None, account: int, name: str, default: int) -> int:
        if text is None or text == "0":
            return default
        whole, _, fraction = text.partition(".")
        if whole.isascii() and whole.isdigit() and len(whole) <= 11 and (not fraction or fraction.isdigit()):
            return int(whole) * _SECOND + int(fraction[:9].ljust(9, "0"))
        order = self._desk.known(text, account)
        if order is not None:
            return order.updated_ns
        for owner, fill in self._trades(account):
            if self._ids.execution(owner, fill) == text:
                return fill.ns
        raise invalid(name)


def _amount(asset: str, atoms: int) -> str:
    return amount_text(atoms, 4 if asset in ("USD", "EUR") else 10)


def _wanted(order: AccountOrder, params: Params) -> bool:
    """Whether an order has the client's id and reference that are asked for."""
    client_id, reference = params.optional("cl_ord_id"), params.optional("userref")
    return client_id in (None, order.client_id) and reference in (None, order.style["userref"])


def _names(params: Params) -> list[str]:
    names = [name.strip() for name in params.text("txid").split(",") if name.strip()]
    if not 1 <= len(names) <= _QUERY:
        raise invalid("txid")
    if any(len(name) != 19 for name in names):
        raise ApiError(Text.INVALID_ORDER)
    return names
