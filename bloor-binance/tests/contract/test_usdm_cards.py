"""The contract cards of Binance USD-M, which has no simulated venue: list, frames and a snapshot are declared."""

from __future__ import annotations

import json
import random
from typing import Any

from bloor.testing import FeedCards, FeeModelCards, NormalizerCards

T0 = 1_700_000_000_000


def contract(base: str) -> dict[str, Any]:
    """An entry of exchangeInfo."""
    return {
        "symbol": f"{base}USDT", "contractType": "PERPETUAL", "status": "TRADING", "baseAsset": base,
        "quoteAsset": "USDT", "pricePrecision": 2, "quantityPrecision": 3,
        "filters": [
            {"filterType": "PRICE_FILTER", "minPrice": "0.10", "maxPrice": "1000000", "tickSize": "0.10"},
            {"filterType": "LOT_SIZE", "minQty": "0.001", "maxQty": "1000", "stepSize": "0.001"},
            {"filterType": "MIN_NOTIONAL", "notional": "100"},
        ],
    }  # fmt: skip


LISTING = json.dumps({"timezone": "UTC", "symbols": [contract("BTC"), contract("ETH")]}).encode()
SNAPSHOT = {
    "lastUpdateId": 100, "E": T0, "T": T0,
    "bids": [[f"{60000 - n / 10:.1f}", f"{n + 1}.500"] for n in range(20)],
    "asks": [[f"{60001 + n / 10:.1f}", f"{n + 1}.250"] for n in range(20)],
}  # fmt: skip


def frames() -> list[bytes]:
    """Changes that continue each other, with trades and quotes among them."""
    chance = random.Random(1)
    made: list[tuple[str, dict[str, Any]]] = []
    last = 95
    for n in range(120):
        now = T0 + 100 * n
        first, before, last = last + 1, last, last + chance.randrange(1, 12)
        bids = [[f"{60000 - chance.randrange(30) / 10:.1f}", f"{chance.randrange(4000) / 1000:.3f}"] for _ in range(2)]
        asks = [[f"{60001 + chance.randrange(30) / 10:.1f}", f"{chance.randrange(4000) / 1000:.3f}"]]
        common = {"E": now, "T": now - 1, "s": "BTCUSDT"}
        change = {"e": "depthUpdate", **common, "U": first, "u": last, "pu": before, "b": bids, "a": asks}
        trade = {"e": "trade", **common, "t": n + 1, "p": "60000.50", "q": "0.125", "X": "MARKET", "m": n % 2 == 0}
        quote = {"e": "bookTicker", "u": last, **common, "b": "60000.00", "B": "1.5", "a": "60001.00", "A": "0.2"}
        made += [("depth@100ms", change), ("trade", trade), ("bookTicker", quote)]
    return [
        json.dumps({"stream": f"btcusdt@{stream}", "data": event}, separators=(",", ":")).encode()
        for stream, event in made
    ]


class TestFeed(FeedCards):
    plugin = "binance-usdm"
    listing = LISTING
    refusals = (b'{"error":{"code":2,"msg":"Invalid request: unknown stream"},"id":1}',)


class TestNormalizer(NormalizerCards):
    plugin = "binance-usdm"
    listing = LISTING
    snapshots = {"BTCUSDT": json.dumps(SNAPSHOT).encode()}
    frames = frames()


class TestFees(FeeModelCards):
    plugin = "binance-usdm"
