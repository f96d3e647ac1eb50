"""The compiled normalizer and the reference are one: the same events, books, counts and errors for whatever comes."""

from __future__ import annotations

import random
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bloor.market.book import OrderBook
from bloor.market.compiled.binding import Call
from bloor.market.compiled.pipeline import market_pipeline
from bloor.market.events import EventView
from bloor.market.instruments import InstrumentTable
from bloor.market.pipeline import MarketPipeline
from bloor.model.instrument import Instrument
from bloor.model.orders import Side
from bloor_binance import instruments as spot
from bloor_binance.usdm import instruments as usdm

SPECS = {"spot": spot.normalizer_spec(), "usdm": usdm.normalizer_spec()}
SYMBOLS = ["BTCUSDT", "ETHBTC", "1000SHIBUSDT", "币安人生USDT", "NEWUSDT"]

ODD_NUMBERS = [
    "0", "0.0", "0.00000000", "00100.5", "1e2", "-1.5", "", ".", "1.", ".5", "NaN", "1_0", "+1", " 1", "1 ", "\u0661",
    "100000000000000000", "100000000000000001", "99999999999999999", "9223372036854775807", "9223372036854775808",
    "92233720368547758.07", "92233720368547758.08", "2305843009213693951", "2305843009213693952",
    "18446744073709551717", "0.000000000000000001", "0.1000000000000000000000000000000000000000000",
    "123456789012345678901234567890",
    "100.123456789", "100.00000000000000000001", "1" + "0" * 70, "100." + "0" * 70, "0" * 20 + "1",
]  # fmt: skip
ODD_INTEGERS = [
    -1, 0, 10**14 - 1, 10**14, 9223372036854, 9223372036855, 9223372036854775, 9223372036854776, 10**18 - 1, 10**18,
    2**63 - 1, 2**63, 2**64, 10**30, 1.5, 1e3, "1", None, True,
]  # fmt: skip
ODD_VALUES = [None, True, 1, -2.5, "x", "", [], {}, [[]], [["1"]], [["1", "2", []]], [["1", "2", "3"]], {"a": [1, {}]}]
EXTRA: list[tuple[str, Any]] = [
    ("M", True), ("Z", None), ("st", 2), ("nested", {"a": [1, {"b": "}]"}], "c": {}}), ("list", [[], {}, [1, -0.5]]),
    ("", 1), ("é", "é"), ("text", 'a"b\\c'), ("\x7f", "\x7f"), ("bids", []), ("asks", [["1", "1"]]), ("big", 10**25),
    ("data", {}), ("stream", "btcusdt@trade"), ("deep", [[[[[[[[1]]]]]]]]), ("float", 1.5e300), ("s", "BTCUSDT"),
    ("lastUpdateId", 5), ("pu", 1), ("X", "MARKET"), ("X", "INSURANCE_FUND"), ("X", 5),
]  # fmt: skip


class Market:
    """Makes frames that a venue could send, and others, from a seed."""

    def __init__(self, seed: int, venue: str, wild: bool) -> None:
        self.random = random.Random(seed)
        self.usdm = venue == "usdm"
        self.wild = wild
        self.symbols = self.random.sample(SYMBOLS, self.random.choice([1, 1, 2, 3]))
        self.careless = self.random.choice([0.0, 0.005, 0.03]) if wild else 0.0
        self.last = dict.fromkeys(SYMBOLS, 100)

    def chance(self, part: float) -> bool:
        return self.random.random() < part

    def number(self, about: float, spread: float) -> str:
        if self.chance(self.careless):
            return self.random.choice(ODD_NUMBERS)
        if self.wild and self.chance(0.01):
            return f"{about}.{self.random.randrange(10**8):08}"
        value = about + spread * (self.random.randrange(-20, 21) / 10)
        text = f"{abs(value):.{self.random.choice([0, 1, 2, 2, 2, 2, 2])}f}"
        if self.chance(0.1):
            text = text.rstrip("0").rstrip(".") or "0"
        return text + ("0" * self.random.randrange(4) if "." in text and self.chance(0.1) else "")

    def integer(self, value: int) -> Any:
        return self.random.choice(ODD_INTEGERS) if self.chance(self.careless) else value

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

    def frame(self) -> bytes:
        stream, event = self.event()
        if self.wild:
            if self.chance(0.1):  # what is unknown does not matter, what is known does
                key, value = self.random.choice(EXTRA)
                event[key] = value
            if self.chance(self.careless):
                del event[self.random.choice(list(event))]
            if self.chance(self.careless):
                event[self.random.choice(list(event))] = self.random.choice(ODD_VALUES)
        document: Any = {"stream": stream, "data": event} if self.chance(0.7) else event
        text = self.text(document, tidy=self.chance(0.4)).encode()
        return self.mutated(text) if self.wild and self.chance(0.15) else text

    def space(self, tidy: bool) -> str:
        return "" if tidy or self.chance(0.8) else self.random.choice([" ", "\n", "\t ", "\r\n"])

    def text(self, value: Any, tidy: bool) -> str:
        gap = self.space
        if isinstance(value, dict):
            items = list(value.items())
            if not tidy:
                self.random.shuffle(items)
            if items and self.chance(self.careless):
                items.append(self.random.choice(items))
            inner = ",".join(
                f"{gap(tidy)}{self.text(k, tidy)}{gap(tidy)}:{gap(tidy)}{self.text(v, tidy)}{gap(tidy)}"
                for k, v in items
            )
            return "{" + inner + "}"
        if isinstance(value, list):
            return "[" + ",".join(f"{gap(tidy)}{self.text(v, tidy)}{gap(tidy)}" for v in value) + gap(tidy) + "]"
        if isinstance(value, str):
            if value and self.chance(self.careless / 2):
                return '"' + "".join(f"\\u{ord(c):04x}" for c in value) + '"'
            return orjson.dumps(value).decode()
        return repr(value) if type(value) in (int, float) else orjson.dumps(value).decode()

    def mutated(self, text: bytes) -> bytes:
        frame = bytearray(text)
        for _ in range(self.random.choice([1, 1, 1, 2, 3])):
            at = self.random.randrange(len(frame) + 1)
            how = self.random.choice(["replace", "insert", "delete", "truncate", "double"])
            byte = self.random.choice(b'0123456789".,:{}[]eE-+ \\\0abtfn\x80\xff')
            if how == "insert" or at == len(frame):
                frame.insert(at, byte)
            elif how == "replace":
                frame[at] = byte
            elif how == "delete":
                del frame[at : at + self.random.choice([1, 1, 1, 5])]
            elif how == "truncate":
                del frame[at:]
            else:
                frame[at:at] = frame[at : at + 9]
            if not frame:
                break
        return bytes(frame)

    def snapshot(self) -> tuple[str, bytes]:
        symbol = self.random.choice(self.symbols)
        self.last[symbol] += self.random.choice([0, 0, 0, -3, 2])
        body = {"lastUpdateId": self.last[symbol], "bids": self.levels(96), "asks": self.levels(104)}
        return symbol, self.text(body, tidy=True).encode()


class Watched:
    """One pipeline and everything it said."""

    def __init__(self, venue: str, compiled: bool, options: dict[str, Any]) -> None:
        self.said: list[Any] = []
        self.table = InstrumentTable(
            Instrument(
                venue=SPECS[venue].venue, symbol=f"{symbol[:-4]}-USDT", venue_symbol=symbol, base=symbol[:-4],
                quote="USDT", price_decimals=2, qty_decimals=qty_decimals, tick_units=tick_units,
            )
            for symbol, qty_decimals, tick_units in (("BTCUSDT", 3, 1), ("1000SHIBUSDT", 1, 5), ("币安人生USDT", 8, 1))
        )  # fmt: skip
        self.pipeline: MarketPipeline = market_pipeline(
            SPECS[venue], self.table, self.event, compiled=compiled, on_error=lambda text: self.said.append(text),
            on_resync=lambda symbol, why: self.said.append((symbol, why)), **options,
        )  # fmt: skip

    def event(self, event: EventView, book: OrderBook | None) -> None:
        self.said.append((event.array.tobytes(), None if book is None else book.top.tolist()))
        if event.kind in (1, 2):
            self.said.append(self.pipeline.last_trade_id)

    def all(self) -> Any:
        books = [
            (book.instrument, book.top.tolist(), book.depth(Side.BUY), book.depth(Side.SELL))
            for book in self.pipeline.books
        ]
        return self.said, self.pipeline.counters, self.pipeline.last_trade_id, books, list(self.table)


def both(venue: str, seed: int, wild: bool, frames: int, **call: Any) -> None:
    """Feeds one stream to both ways and compares after every frame."""
    market = Market(seed, venue, wild)
    options: dict[str, Any] = {
        "assume_empty": market.chance(0.5), "infer": market.chance(0.8), "refetch": market.chance(0.5), "held_limit": 4,
        "resolve": lambda: "BTCUSDT",
    }  # fmt: skip
    compiled, reference = Watched(venue, True, options | call), Watched(venue, False, options)
    for n in range(frames):
        what = market.random.random() if n else 0.0  # a snapshot first
        if what < 0.1:
            symbol, body = market.snapshot()
            named = symbol if market.chance(0.9) else ""
            results = [side.pipeline.snapshot(body, named, n) for side in (compiled, reference)]
            frame = body
        elif what < 0.11:
            results = [side.pipeline.reset() for side in (compiled, reference)]
            frame = b"reset"
        else:
            frame = market.frame()
            results = [side.pipeline.frame(frame, n) for side in (compiled, reference)]
        assert results[0] == results[1], frame
        assert compiled.said == reference.said, frame
        assert compiled.pipeline.counters == reference.pipeline.counters, frame
    assert compiled.all() == reference.all()


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
