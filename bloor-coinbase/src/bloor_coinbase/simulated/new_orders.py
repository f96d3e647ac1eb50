"""From the body of a request to a new order, past every rule ("Create Order", "Preview Order")."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from bloor.model.orders import OrderType, Side
from bloor.simulation.account import quote_atoms
from bloor.simulation.account_orders import Refusal
from bloor.simulation.exchange import Exchange, Market
from bloor.simulation.orders import SelfTrade, opposite
from bloor.simulation.stops import passed
from bloor_coinbase.simulated import rules
from bloor_coinbase.simulated.configuration import Configuration, read_configuration
from bloor_coinbase.simulated.errors import OrderRefusedError, invalid
from bloor_coinbase.simulated.keys import seeded_uuid
from bloor_coinbase.simulated.listing import Product
from bloor_coinbase.simulated.order import CoinbaseOrder
from bloor_coinbase.simulated.words import SIDES, decimal_text, qty_text

__all__ = ["NewOrders", "refused"]

_ATOMS = 18
_MILLION = 1_000_000
#: The longest client order id that is taken.
_MAX_ID = 128
_NO_MARGIN = (None, "", "1", "1.0")


def refused(refusal: Refusal) -> OrderRefusedError:
    """What the exchange did not accept."""
    if refusal is Refusal.INSUFFICIENT_BALANCE:
        return OrderRefusedError("INSUFFICIENT_FUND", "Insufficient balance in source account")
    return OrderRefusedError("INVALID_LIMIT_PRICE_POST_ONLY", "post only order would match at once")


class NewOrders:
    """Builds orders.

    Args:
        exchange: Where they will trade.
        products: What orders can be sent to, by name.
        seed: Fixes the ids of orders.
    """

    def __init__(self, exchange: Exchange, products: Mapping[str, Product], seed: int) -> None:
        self._exchange = exchange
        self._products = products
        self._seed = seed

    def build(self, body: dict[str, Any], account: int, now_ns: int) -> CoinbaseOrder:
        """A new order, not yet placed.

        Raises:
            ApiError: The body is none of an order (400).
            OrderRefusedError: The order breaks a rule.
        """
        client_id = _client_id(body)
        product = self._product(body)
        side = SIDES.get(str(body.get("side")))
        if side is None:
            raise OrderRefusedError("INVALID_SIDE", "side must be BUY or SELL")
        if body.get("leverage") not in _NO_MARGIN:
            raise OrderRefusedError("INVALID_REQUEST", "leverage is for futures only", "PREVIEW_INVALID_LEVERAGE")
        configuration = read_configuration(body.get("order_configuration"), now_ns)
        market = self._exchange.markets[product.book]
        if not market.instrument.trading:
            raise OrderRefusedError("UNTRADABLE_PRODUCT", f"{product.name} is not traded now")
        price, stop = self._prices(market, side, configuration)
        units = self._units(market, side, configuration, price, account)
        if configuration.quote is None:
            rules.check_value(market.instrument, price or market.last_price or _touch(market, side), units)
        number = self._exchange.next_order_id()
        return CoinbaseOrder(
            id=number,
            owner=account,
            market=market,
            side=side,
            price=price,
            units=units,
            type=configuration.type,
            tif=configuration.kind.tif,
            self_trade=SelfTrade.DECREMENT,
            client_id=client_id,
            stop=stop,
            rises=configuration.rises,
            uuid=seeded_uuid(self._seed, f"order {number}"),
            product=product,
            configuration=configuration,
            limit=decimal_text(configuration.limit) if configuration.limit is not None else "",
            size=qty_text(market.instrument, units),
        )

    def _product(self, body: dict[str, Any]) -> Product:
        name = body.get("product_id")
        product = self._products.get(name) if isinstance(name, str) else None
        if product is None:
            raise OrderRefusedError("INVALID_PRODUCT_ID", "unknown product_id")
        return product

    def _prices(self, market: Market, side: Side, configuration: Configuration) -> tuple[int, int]:
        """Limit and stop in ticks; 0 for none."""
        instrument, last = market.instrument, market.last_price
        if configuration.limit is None:
            return 0, 0
        price = rules.price_ticks(instrument, configuration.limit)
        if configuration.stop is None:
            rules.check_band(side, price, last)
            return price, 0
        stop = rules.price_ticks(instrument, configuration.stop, stop=True)
        check_stop(stop, price, side, last, rises=configuration.rises)
        return price, stop

    def _units(self, market: Market, side: Side, configuration: Configuration, price: int, account: int) -> int:
        instrument = market.instrument
        if configuration.base is not None:
            return rules.base_units(instrument, configuration.base)
        assert configuration.quote is not None
        if configuration.kind.type is OrderType.MARKET and side is Side.SELL:
            raise OrderRefusedError("INVALID_REQUEST", "a market sell needs base_size", "PREVIEW_INVALID_ORDER_CONFIG")
        amount = rules.quote_value(instrument, configuration.quote)
        if price:
            units = int(amount / instrument.price(price) * 10**instrument.qty_decimals)
        else:
            units = self._bought(market, amount, account)
        lots = units // instrument.lot_units
        if not lots:
            raise OrderRefusedError("INVALID_REQUEST", "order is too small", "PREVIEW_INVALID_QUOTE_SIZE_TOO_SMALL")
        return lots * instrument.lot_units

    def _bought(self, market: Market, amount: Decimal, account: int) -> int:
        """What an amount buys in the book as it is, commission included, in units."""
        fees = self._exchange.accounts[account].fees
        left = int(amount.scaleb(_ATOMS)) * _MILLION // (_MILLION + max(fees.taker_ppm, fees.maker_ppm))
        units = 0
        for level in market.book.side(opposite(Side.BUY)).best_first():
            part = min(level.units, left // quote_atoms(market.instrument, level.price, 1))
            units += part
            left -= quote_atoms(market.instrument, level.price, part)
            if part < level.units:
                break
        return units


def check_stop(stop: int, price: int, side: Side, last: int, *, rises: bool) -> None:
    """Refuses a stop that lies on the wrong side of the last price, or of the limit. Raises OrderRefusedError."""
    if passed(stop, last, rises=rises):
        where = "BELOW" if rises else "ABOVE"
        raise OrderRefusedError(
            "UNKNOWN_FAILURE_REASON",
            f"stop price is {where.lower()} the last trade price",
            f"PREVIEW_STOP_PRICE_{where}_LAST_TRADE_PRICE",
        )
    if side is Side.BUY and rises and price < stop:
        raise OrderRefusedError(
            "UNKNOWN_FAILURE_REASON", "stop price is above the limit price", "PREVIEW_STOP_PRICE_ABOVE_LIMIT_PRICE"
        )
    if side is Side.SELL and not rises and price > stop:
        raise OrderRefusedError(
            "UNKNOWN_FAILURE_REASON", "stop price is below the limit price", "PREVIEW_STOP_PRICE_BELOW_LIMIT_PRICE"
        )


def _client_id(body: dict[str, Any]) -> str:
    client_id = body.get("client_order_id")
    if not isinstance(client_id, str) or not 0 < len(client_id) <= _MAX_ID:
        raise invalid(f"client_order_id: expected a text of 1 to {_MAX_ID} characters")
    return client_id


def _touch(market: Market, side: Side) -> int:
    best = market.book.side(opposite(side)).best
    return best.price if best is not None else 1
