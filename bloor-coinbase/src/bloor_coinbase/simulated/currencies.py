"""The older interface's currencies, rates and prices, which clients read beside Advanced Trade ("Coinbase App API")."""

from __future__ import annotations

from collections.abc import Collection
from decimal import Decimal
from typing import Any

from bloor_coinbase.simulated.errors import invalid, not_found
from bloor_coinbase.simulated.keys import seeded_uuid
from bloor_coinbase.simulated.listing import FIAT, NAMES
from bloor_coinbase.simulated.products import Products
from bloor_coinbase.simulated.words import clock_text, decimal_text

__all__ = ["Currencies"]

_DIGITS = 16


class Currencies:
    """Answers questions about currencies.

    Args:
        assets: All that is listed.
        products: Knows prices.
        seed: Fixes ids.
    """

    def __init__(self, assets: Collection[str], products: Products, seed: int) -> None:
        self._assets = sorted(assets)
        self._products = products
        self._seed = seed

    def fiat(self) -> dict[str, Any]:
        """``/v2/currencies``."""
        return {
            "data": [
                {"id": asset, "name": NAMES.get(asset, asset), "min_size": "0.01"}
                for asset in self._assets
                if asset in FIAT
            ]
        }

    def crypto(self) -> dict[str, Any]:
        """``/v2/currencies/crypto``."""
        coins = [asset for asset in self._assets if asset not in FIAT]
        return {
            "data": [
                {
                    "asset_id": seeded_uuid(self._seed, f"asset {asset}"),
                    "code": asset,
                    "name": NAMES.get(asset, asset),
                    "color": "#0052FF",
                    "sort_index": 100 + number,
                    "exponent": 8,
                    "type": "crypto",
                    "address_regex": "",
                }
                for number, asset in enumerate(coins)
            ]
        }

    def rates(self, currency: str) -> dict[str, Any]:
        """``/v2/exchange-rates``: what one of a currency is worth. Raises ApiError."""
        one = self._in_dollars(currency)
        if not one:
            raise invalid(f"currency: no rates of {currency[:40]!r}")
        worths = {asset: self._in_dollars(asset) for asset in self._assets}
        rates = {asset: decimal_text(round(one / worth, _DIGITS)) for asset, worth in worths.items() if worth}
        return {"data": {"currency": currency, "rates": rates}}

    def price(self, pair: str) -> dict[str, Any]:
        """``/v2/prices/{pair}/spot``, ``/buy`` and ``/sell``. Raises ApiError 404."""
        base, _, quote = pair.partition("-")
        worth, other = self._in_dollars(base), self._in_dollars(quote)
        if not worth or not other:
            raise not_found("Not found")
        return {"data": {"base": base, "currency": quote, "amount": decimal_text(round(worth / other, 8))}}

    def time(self, now_ns: int) -> dict[str, Any]:
        """``/v2/time``."""
        return {"data": {"iso": clock_text(now_ns), "epoch": now_ns // 1_000_000_000}}

    def _in_dollars(self, asset: str) -> Decimal:
        """What an asset is worth; 0 where nobody knows."""
        if asset in ("USD", "USDC"):
            return Decimal(1)
        price = self._products.price(f"{asset}-USD")
        if price or asset == "BTC":
            return price
        bitcoin, in_bitcoin = self._products.price("BTC-USD"), self._products.price(f"{asset}-BTC")
        euro = self._products.price(f"BTC-{asset}")
        return bitcoin / euro if euro else bitcoin * in_bitcoin
