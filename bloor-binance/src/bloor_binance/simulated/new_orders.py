"""From the parameters of a request to a new order, past every filter (rest-api.md, "New order"; filters.md)."""

from __future__ import annotations

from collections.abc import Callable

from bloor.model.orders import OrderType, Side, TimeInForce
from bloor.simulation.account import base_atoms, quote_atoms
from bloor.simulation.exchange import AccountOrder, Exchange, Market
from bloor.simulation.orders import opposite
from bloor_binance.simulated import filters
from bloor_binance.simulated.errors import ApiError, bad_parameter, missing, order_rejected
from bloor_binance.simulated.params import Params
from bloor_binance.simulated.words import ORDER_TYPES, SELF_TRADE_MODES, SIDES, TIMES_IN_FORCE, Kind

__all__ = ["NewOrders"]

_RESPONSES = ("ACK", "RESULT", "FULL")
#: Types whose answer is FULL unless the request says otherwise.
_FULL = ("LIMIT", "MARKET")
#: Parameters that a new order of each kind of type must not have.
_NOT_WITH = {
    OrderType.LIMIT: ("quoteOrderQty",),
    OrderType.POST_ONLY: ("quoteOrderQty", "timeInForce"),
    OrderType.MARKET: ("price", "timeInForce"),
}
#: What the rules of a symbol do not allow here, by the parameter that asks for it.
_NOT_OFFERED = {
    "icebergQty": "Iceberg orders are not supported for this symbol.",
    "trailingDelta": "Trailing stop orders are not supported for this symbol.",
    "pegPriceType": "Pegged orders are not supported for this symbol.",
}


class NewOrders:
    """Builds orders.

    Args:
        exchange: Where they will trade.
        client_id: Makes an id for an order that came without.
    """

    def __init__(self, exchange: Exchange, client_id: Callable[[], str]) -> None:
        self._exchange = exchange
        self._client_id = client_id

    def market(self, params: Params) -> Market:
        """The market of ``symbol``. Raises ApiError -1102, -1121."""
        market = self._exchange.markets.get(params.text("symbol"))
        if market is None:
            raise ApiError(-1121, "Invalid symbol.")
        return market

    def build(self, params: Params, account: int) -> AccountOrder:
        """A new order from its parameters. Raises ApiError."""
        market = self.market(params)
        side = params.choice("side", SIDES, -1117, "side")
        kind = params.choice("type", ORDER_TYPES, -1116, "orderType")
        _check_shape(params, kind)
        tif = TimeInForce.GTC
        if kind.type is OrderType.LIMIT:
            tif = params.choice("timeInForce", TIMES_IN_FORCE, -1115, "timeInForce")
        mode = params.get("selfTradePreventionMode", "EXPIRE_MAKER")
        if mode not in SELF_TRADE_MODES:
            raise bad_parameter("selfTradePreventionMode")
        response = params.get("newOrderRespType", "FULL" if params["type"] in _FULL else "ACK")
        if response not in _RESPONSES:
            raise bad_parameter("newOrderRespType")
        client_id = params.client_id("newClientOrderId") or self._client_id()
        price = _price(params, market, kind)
        stop = filters.check_price(market.instrument, params.units("stopPrice"), 0) if kind.stops else 0
        units = self._units(params, market, side, kind)
        valued_at = price or stop or market.last_price or _touch(market, side)
        filters.check_notional(market.instrument, kind.type, valued_at, units)
        return AccountOrder(
            id=self._exchange.next_order_id(),
            owner=account,
            market=market,
            side=side,
            price=price,
            units=units,
            type=kind.type,
            tif=tif,
            self_trade=SELF_TRADE_MODES[mode],
            client_id=client_id,
            stop=stop,
            rises=(side is Side.BUY) is not kind.takes_profit,
            style={
                "type": params["type"],
                "response": response,
                "quote": params.get("quoteOrderQty", "0.00000000"),
                "strategyId": params.get("strategyId", ""),
                "strategyType": params.get("strategyType", ""),
            },
        )

    def _units(self, params: Params, market: Market, side: Side, kind: Kind) -> int:
        market_order = params["type"] == "MARKET"
        if market_order and "quoteOrderQty" in params:
            if "quantity" in params:
                raise ApiError(-1128, "Combination of optional parameters invalid.")
            qty_units = _units_for(params.units("quoteOrderQty"), market, side)
        elif market_order and "quantity" not in params:
            raise missing("quantity")
        else:
            qty_units = params.units("quantity")
        return filters.check_qty(market.instrument, qty_units, market_order=kind.type is OrderType.MARKET)


def _check_shape(params: Params, kind: Kind) -> None:
    """Which parameters a type must not have, and what no order here can have."""
    for name, why in _NOT_OFFERED.items():
        if name in params:
            raise order_rejected(why)
    unwanted = _NOT_WITH[kind.type] + (("quoteOrderQty",) if kind.stops else ("stopPrice",))
    for name in unwanted:
        if name in params:
            raise ApiError(-1106, f"Parameter '{name}' sent when not required.")
    for name in ("strategyId", "strategyType"):
        params.integer(name)


def _price(params: Params, market: Market, kind: Kind) -> int:
    if kind.type is OrderType.MARKET:
        return 0
    return filters.check_price(market.instrument, params.units("price"), market.last_price)


def _units_for(value_units: int, market: Market, side: Side) -> int:
    """How much ``value_units`` (1e-8 of the quote asset) trades in the book as it is, in 1e-8 of the base asset."""
    instrument = market.instrument
    left = value_units * 10**10
    units = 0
    for level in market.book.side(opposite(side)).best_first():
        part = min(level.units, left // quote_atoms(instrument, level.price, 1))
        units += part
        left -= quote_atoms(instrument, level.price, part)
        if part < level.units:
            break
    whole = units // instrument.lot_units * instrument.lot_units
    return base_atoms(instrument, whole) // 10**10


def _touch(market: Market, side: Side) -> int:
    best = market.book.side(opposite(side)).best
    return best.price if best is not None else 1
