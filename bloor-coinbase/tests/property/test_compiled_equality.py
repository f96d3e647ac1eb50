"""The compiled normalizer and the reference are one: the same events, books, counts and errors for whatever comes."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bloor.market.compiled.binding import Call
from bloor.model.instrument import Instrument
from bloor.testing.bothpipelines import BothPipelines
from bloor.testing.hostile import EXTRA, ODD_VALUES, Writer
from bloor_coinbase.instruments import normalizer_spec

SPEC = normalizer_spec()
SYMBOLS = ["BTC-USD", "SHIB-USD", "ETH-BTC", "ÉTÉ-USD", "NEW-USD"]

ODD_TIMES = [
    "1970-01-01T00:00:00Z", "0001-01-01T00:00:00Z", "1969-12-31T23:59:59.999Z", "2262-01-01T00:00:00Z",
    "2262-05-01T00:00:00Z", "2261-12-31T23:59:59.999999999Z", "2024-02-29T12:00:00.1Z", "2023-02-29T12:00:00Z",
    "2100-02-29T00:00:00Z", "2000-02-29T00:00:00Z", "2026-04-31T00:00:00Z", "2026-13-01T00:00:00Z",
    "2026-00-01T00:00:00Z", "2026-01-00T00:00:00Z", "2026-01-01T24:00:00Z", "2026-01-01T00:60:00Z",
    "2026-01-01T00:00:60Z", "2026-01-01T00:00:61Z", "2026-01-01T00:00:00", "2026-01-01T00:00:00+00:00",
    "2026-01-01T00:00:00.Z", "2026-01-01T00:00:00.1234567890Z", "2026-01-01t00:00:00Z", "2026-01-01 00:00:00Z", "",
    "2026-1-01T00:00:00Z", "\u0662026-01-01T00:00:00Z",
]  # fmt: skip
#: Fields of other messages, and of none.
MORE: list[tuple[str, Any]] = [
    *EXTRA, ("client_id", ""), ("client_id", "x"), ("type", "update"), ("best_bid", "1"), ("price", "1"),
    ("product_id", "BTC-USD"), ("sequence_num", 5), ("side", "bid"),
]  # fmt: skip


class Market(Writer):
    """Makes frames that Coinbase could send, and others, from a seed."""

    def __init__(self, seed: int, wild: bool) -> None:
        super().__init__(seed, wild=wild)
        self.symbols = self.random.sample(SYMBOLS, self.random.choice([1, 1, 2, 3]))
        self.seq = self.random.choice([0, 0, 7])
        self.traded = 100

    def time(self) -> str:
        if self.chance(self.careless * 3):
            return self.random.choice(ODD_TIMES)
        digits = f"{self.random.randrange(10**9):09}"[: self.random.randrange(10)].rstrip("0")
        second = f"{self.random.randrange(60):02}"
        return f"2026-08-{self.random.randrange(1, 32):02}T22:34:{second}{'.' + digits if digits else ''}Z"

    def levels(self) -> Any:
        if self.chance(0.02):
            return [self.level("bid", f"{n / 100:.2f}", "1", "2026-01-01T00:00:00Z") for n in range(1, 1200)]
        time = self.time()
        rows = []
        for _ in range(self.random.choice([0, 1, 1, 2, 5, 9])):
            side = self.random.choice(["bid", "offer"])
            price = self.number(97 if side == "bid" or self.chance(0.02) else 103, 1)
            qty = "0" if self.chance(0.3) else self.number(5, 2)
            rows.append(self.level(side, price, qty, time if self.chance(0.7) else self.time()))
        if self.chance(0.6):
            rows.sort(key=lambda row: str(row["side"]))
        return self.one(ODD_VALUES, rows)

    def level(self, side: str, price: str, qty: str, time: str) -> dict[str, Any]:
        side = self.one(["ask", "", None], side)
        return {"side": side, "event_time": time, "price_level": price, "new_quantity": qty}

    def kind(self, snapshots: float) -> Any:
        return self.one(["whole", None, 5], "snapshot" if self.chance(snapshots) else "update")

    def event(self) -> tuple[str, dict[str, Any]]:
        symbol = self.random.choice(self.symbols)
        channel = self.random.choice(
            ["l2_data"] * 5
            + ["market_trades"] * 2
            + ["ticker"] * 2
            + ["ticker_batch", "candles", "heartbeats", "status"]
        )
        if channel == "l2_data":
            return channel, {"type": self.kind(0.25), "product_id": symbol, "updates": self.levels()}
        if channel == "market_trades":
            trades = [self.trade(symbol) for _ in range(self.random.choice([0, 1, 1, 1, 1, 2, 3]))]
            return channel, {"type": self.kind(0.15), "trades": self.one(ODD_VALUES, trades)}
        if channel.startswith("ticker"):
            quote = {
                "type": "ticker", "product_id": symbol, "price": self.number(100, 1), "volume_24_h": "15328.12345678",
                "price_percent_chg_24_h": "-1.85", "best_bid": self.number(99, 1),
                "best_bid_quantity": self.number(5, 2), "best_ask": self.number(101, 1),
                "best_ask_quantity": self.number(5, 2),
            }  # fmt: skip
            if self.chance(0.1):
                quote[self.random.choice(["best_bid", "best_ask", "best_bid_quantity"])] = self.random.choice(["", "0"])
            return channel, {"type": self.kind(0.2), "tickers": [quote] * self.random.choice([1, 1, 1, 2])}
        if channel == "candles":
            candle = {"start": "1775521800", "high": "3", "low": "1", "open": "1", "close": "2", "volume": "9"}
            return channel, {"type": "update", "candles": [{**candle, "product_id": symbol}]}
        return channel, {"current_time": "x", "heartbeat_counter": 42}

    def trade(self, symbol: str) -> dict[str, Any]:
        self.traded += self.random.choice([1, 1, 1, 1, 2, -3])
        return {
            "trade_id": self.one(["", "007", "abc", "9" * 18, "9" * 19, 5, None, "0"], f"{self.traded}"),
            "product_id": symbol, "price": self.number(100, 1), "size": self.number(3, 1),
            "side": self.one(["buy", "BUYS", "", None], self.random.choice(["BUY", "SELL"])), "time": self.time(),
        }  # fmt: skip

    # ---- as text ----

    def message(self) -> bytes:
        channel, event = self.event()
        events = [event]
        if self.chance(0.05):
            other, second = self.event()
            if other == channel:
                events.append(second)
        document: dict[str, Any] = {"channel": channel}
        if self.chance(0.2):
            document["client_id"] = ""
        document |= {"timestamp": self.time(), "sequence_num": self.integer(self.seq), "events": events}
        if self.chance(0.02):
            del document["sequence_num"]
        self.seq = 0 if self.chance(0.01) else self.seq + self.random.choice([1] * (40 if self.wild else 200) + [2, 0])
        if self.wild:
            self.tamper(document)
        return self.frame(document, tidy=0.85)

    def tamper(self, document: dict[str, Any]) -> None:
        """Adds, takes out or replaces a field, however deep."""
        inner: Any = document
        for _ in range(self.random.randrange(4)):
            nested = [value for value in inner.values() if isinstance(value, list) and value]
            if not nested or not isinstance(nested[0][-1], dict):
                break
            inner = nested[0][-1]
        if self.chance(0.1):
            key, value = self.random.choice(MORE)
            inner[key] = value
        if inner and self.chance(self.careless):
            del inner[self.random.choice(list(inner))]
        if inner and self.chance(self.careless):
            inner[self.random.choice(list(inner))] = self.random.choice(ODD_VALUES)


LISTED = [
    Instrument(
        venue="coinbase", symbol=symbol, venue_symbol=symbol, base=symbol[:-4], quote="USD", price_decimals=2,
        qty_decimals=qty_decimals, tick_units=tick_units,
    )
    for symbol, qty_decimals, tick_units in (("BTC-USD", 3, 1), ("SHIB-USD", 1, 5), ("ÉTÉ-USD", 8, 1))
]  # fmt: skip


def both(seed: int, wild: bool, frames: int, call: Call | None = None) -> None:
    """Feeds one stream to both ways and compares after every frame."""
    market = Market(seed, wild)
    ways = BothPipelines(
        SPEC, LISTED, call=call, assume_empty=market.chance(0.5), infer=market.chance(0.8), refetch=market.chance(0.5)
    )
    for _ in range(frames):
        if market.chance(0.02):
            ways.reset()
        else:
            ways.frame(market.message())
    ways.settle()


seeds = st.integers(0, 2**64)


@given(seeds)
def test_compiled_equals_reference_on_wild_streams(seed: int) -> None:
    """Any key order, white space, escapes, unknown and doubled keys, odd numbers and times, broken bytes: the same."""
    both(seed, True, 15)


@given(seeds)
def test_compiled_equals_reference_on_plausible_streams(seed: int) -> None:
    """Streams as the venue sends them, with holes, other connections and crossed books: no difference in any book."""
    both(seed, False, 40)


@pytest.mark.parametrize("call", [Call.PLAIN, Call.ENTRY])
@pytest.mark.examples(daily=25, soak=20_000)
@given(seeds)
def test_every_way_to_call_is_the_same(call: Call, seed: int) -> None:
    """Not compiled, or compiled and called by address: as the reference."""
    both(seed, True, 8, call=call)
