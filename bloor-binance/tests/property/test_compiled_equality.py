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
from bloor_binance import instruments as spot
from bloor_binance.usdm import instruments as usdm

SPECS = {"spot": spot.normalizer_spec(), "usdm": usdm.normalizer_spec()}
SYMBOLS = ["BTCUSDT", "ETHBTC", "1000SHIBUSDT", "币安人生USDT", "NEWUSDT"]

#: Fields of other messages, and of none.
MORE: list[tuple[str, Any]] = [
    *EXTRA, ("M", True), ("Z", None), ("st", 2), ("bids", []), ("asks", [["1", "1"]]), ("data", {}),
    ("stream", "btcusdt@trade"), ("s", "BTCUSDT"), ("lastUpdateId", 5), ("pu", 1), ("X", "MARKET"),
    ("X", "INSURANCE_FUND"), ("X", 5),
]  # fmt: skip


class Market(Writer):
    """Makes frames that a venue could send, and others, from a seed."""

    def __init__(self, seed: int, venue: str, wild: bool) -> None:
        super().__init__(seed, wild=wild)
        self.usdm = venue == "usdm"
        self.symbols = self.random.sample(SYMBOLS, self.random.choice([1, 1, 2, 3]))
        self.last = dict.fromkeys(SYMBOLS, 100)

    def levels(self, about: float) -> Any:
        if self.chance(self.careless):
            return self.random.choice(ODD_VALUES)
        rows: list[Any] = [
            [self.number(about, 1), "0" if self.chance(0.3) else self.number(5, 2)]
            for _ in range(self.random.choice([0, 1, 1, 2, 5]))
        ]
        if self.chance(self.careless):
            rows.append(self.random.choice(ODD_VALUES))
        return rows

    def event(self) -> tuple[str, dict[str, Any]]:
        symbol = self.random.choice(self.symbols)
        lower = symbol.lower()
        now = 1_700_000_000_000 + self.random.randrange(10**6)
        if self.chance(0.1):
            now *= 1000
        kind = self.random.choice(
            ["depth", "depth", "depth", "trade", "aggTrade", "bookTicker", "best", "kline", "mark"]
        )
        if kind == "depth":
            return f"{lower}@depth{self.random.choice(['', '@100ms', '@0ms'])}", self.depth(symbol, now)
        if kind == "best":
            stream = f"{lower}@depth{self.random.choice(['5', '10', '20', '20', '7', '20x'])}"
            stream += self.random.choice(["", "@100ms"])
            event = self.depth(symbol, now)
            if self.usdm:
                return stream, event
            return stream, {"lastUpdateId": event["u"], "bids": event["b"], "asks": event["a"]}
        if kind == "bookTicker":
            quote = {
                "u": self.integer(self.last[symbol]), "s": symbol, "b": self.number(99, 1), "B": self.number(5, 2),
                "a": self.number(101, 1), "A": self.number(5, 2),
            }  # fmt: skip
            if self.usdm or self.chance(0.1):
                quote = {"e": "bookTicker", **quote, "T": self.integer(now), "E": self.integer(now)}
            if self.chance(0.1):
                quote[self.random.choice("bBaA")] = "0.00"
            return self.random.choice([f"{lower}@bookTicker", "!bookTicker"]), quote
        if kind == "kline":
            return f"{lower}@kline_1m", self.kline(symbol, now)
        if kind == "mark":
            rate = self.random.choice(["0.00038167", "-0.00012345", "", "0", "-", "--1", "-0.123456789", "1e-5"])
            return f"{lower}@markPrice@1s", {
                "e": "markPriceUpdate", "E": self.integer(now), "s": symbol, "p": self.number(100, 1),
                "i": self.number(100, 1), "P": self.number(100, 1), "r": rate, "T": self.integer(now),
            }  # fmt: skip
        trade: dict[str, Any] = {
            "e": kind, "E": self.integer(now), "s": symbol, "p": self.number(100, 1), "q": self.number(3, 1),
            "T": self.integer(now), "m": self.chance(0.5), "t" if kind == "trade" else "a": self.integer(12345),
        }  # fmt: skip
        if kind == "aggTrade":
            trade |= {"f": self.integer(100), "l": self.integer(105)}
        elif self.usdm:
            trade["X"] = self.random.choice(["MARKET", "MARKET", "ADL", "MARKET_"])
        return f"{lower}@{kind}", trade

    def depth(self, symbol: str, now: int) -> dict[str, Any]:
        before = self.last[symbol]
        first = before + self.random.choice([1] * 16 + [0, -3, 2, 9])
        last = self.last[symbol] = first + self.random.choice([0, 1, 5, 5] * 5 + [-1])
        event = {
            "e": "depthUpdate", "E": self.integer(now), "s": symbol, "U": self.integer(first), "u": self.integer(last),
            "b": self.levels(97), "a": self.levels(103 if self.chance(0.95) else 97),
        }  # fmt: skip
        if self.usdm:
            event |= {"pu": self.integer(before if self.chance(0.97) else before - 1), "T": now}
        return event

    def kline(self, symbol: str, now: int) -> dict[str, Any]:
        candle = {
            "t": self.integer(now), "T": self.integer(now + 59999), "s": symbol, "i": "1m", "f": 100, "L": 200,
            "o": self.number(100, 1), "c": self.number(100, 1), "h": self.number(102, 1), "l": self.number(98, 1),
            "v": self.number(1000, 9), "n": self.integer(100), "x": self.chance(0.5), "q": "1.0", "V": "500",
            "Q": "0.5", "B": "123456",
        }  # fmt: skip
        return {"e": "kline", "E": self.integer(now), "s": symbol, "k": candle}

    # ---- as text ----

    def message(self) -> bytes:
        stream, event = self.event()
        if self.wild:
            if self.chance(0.1):  # what is unknown does not matter, what is known does
                key, value = self.random.choice(MORE)
                event[key] = value
            if self.chance(self.careless):
                del event[self.random.choice(list(event))]
            if self.chance(self.careless):
                event[self.random.choice(list(event))] = self.random.choice(ODD_VALUES)
        return self.frame({"stream": stream, "data": event} if self.chance(0.7) else event)

    def snapshot(self) -> tuple[str, bytes]:
        symbol = self.random.choice(self.symbols)
        self.last[symbol] += self.random.choice([0, 0, 0, -3, 2])
        body = {"lastUpdateId": self.last[symbol], "bids": self.levels(96), "asks": self.levels(104)}
        return symbol, self.text(body, tidy=True).encode()


def listed(venue: str) -> list[Instrument]:
    return [
        Instrument(
            venue=SPECS[venue].venue, symbol=f"{symbol[:-4]}-USDT", venue_symbol=symbol, base=symbol[:-4],
            quote="USDT", price_decimals=2, qty_decimals=qty_decimals, tick_units=tick_units,
        )
        for symbol, qty_decimals, tick_units in (("BTCUSDT", 3, 1), ("1000SHIBUSDT", 1, 5), ("币安人生USDT", 8, 1))
    ]  # fmt: skip


def both(venue: str, seed: int, wild: bool, frames: int, call: Call | None = None) -> None:
    """Feeds one stream to both ways and compares after every frame."""
    market = Market(seed, venue, wild)
    ways = BothPipelines(
        SPECS[venue], listed(venue), call=call, assume_empty=market.chance(0.5), infer=market.chance(0.8),
        refetch=market.chance(0.5), held_limit=4, resolve=lambda: "BTCUSDT",
    )  # fmt: skip
    for n in range(frames):
        what = market.random.random() if n else 0.0  # a snapshot first
        if what < 0.1:
            symbol, body = market.snapshot()
            ways.snapshot(body, symbol if market.chance(0.9) else "")
        elif what < 0.11:
            ways.reset()
        else:
            ways.frame(market.message())
    ways.settle()


seeds = st.integers(0, 2**64)


@pytest.mark.parametrize("venue", SPECS)
@given(seeds)
def test_compiled_equals_reference_on_wild_streams(venue: str, seed: int) -> None:
    """Any key order, white space, escapes, unknown and doubled keys, odd numbers, broken bytes: no difference."""
    both(venue, seed, True, 12)


@pytest.mark.parametrize("venue", SPECS)
@given(seeds)
def test_compiled_equals_reference_on_plausible_streams(venue: str, seed: int) -> None:
    """Streams as a venue sends them, with gaps, overlaps and late snapshots: no difference in any book."""
    both(venue, seed, False, 30)


@pytest.mark.parametrize("call", [Call.PLAIN, Call.ENTRY])
@pytest.mark.examples(daily=25, soak=20_000)
@given(seeds)
def test_every_way_to_call_is_the_same(call: Call, seed: int) -> None:
    """Not compiled, or compiled and called by address: as the reference."""
    for venue in SPECS:
        both(venue, seed, True, 8, call=call)
