"""What the compiled normalizer reads by itself: the documented payloads and whatever may vary in them."""

from __future__ import annotations

from collections.abc import Callable

import orjson
import pytest

from bloor.market.book import OrderBook
from bloor.market.compiled import answers
from bloor.market.compiled.binding import Call
from bloor.market.compiled.pipeline import CompiledPipeline
from bloor.market.events import NO_PRICE, EventKind, EventView, Flag
from bloor.market.instruments import InstrumentTable
from bloor.market.view import BookState
from bloor.model.instrument import Instrument
from bloor.model.orders import Side
from bloor_binance.compiled.normalizer import compiled_spot, compiled_usdm
from bloor_binance.normalizer import BinanceSpotNormalizer
from bloor_binance.usdm.normalizer import BinanceUsdmNormalizer

TRADE = {"e": "trade", "E": 5, "s": "BNBBTC", "t": 12345, "p": "0.001", "q": "100", "T": 7, "m": True, "M": True}
AGG_TRADE = {
    "e": "aggTrade",
    "E": 5,
    "s": "BNBBTC",
    "a": 12,
    "p": "0.001",
    "q": "100",
    "f": 1,
    "l": 5,
    "T": 7,
    "m": False,
}
QUOTE = {"u": 400900217, "s": "BNBBTC", "b": "25.351", "B": "31.21", "a": "25.365", "A": "40.66"}
DEPTH = {
    "e": "depthUpdate", "E": 5, "s": "BNBBTC", "U": 157, "u": 160, "b": [["0.024", "10"]], "a": [["0.026", "100"]],
}  # fmt: skip
BEST = {"lastUpdateId": 160, "bids": [["0.024", "10"]], "asks": [["0.026", "100"]]}
KLINE = {
    "e": "kline", "E": 5, "s": "BNBBTC", "k": {
        "t": 6, "T": 7, "s": "BNBBTC", "i": "1m", "f": 100, "L": 200, "o": "0.001", "c": "0.002", "h": "0.003",
        "l": "0.001", "v": "1000", "n": 100, "x": True, "q": "1.0", "V": "500", "Q": "0.5", "B": "123456",
    },
}  # fmt: skip
MARK = {
    "e": "markPriceUpdate",
    "E": 5,
    "s": "BNBBTC",
    "p": "11794.15",
    "i": "11784.62659091",
    "P": "1",
    "r": "-0.00038167",
    "T": 9,
}
USDM_QUOTE = {"e": "bookTicker", "E": 8, "T": 7, **QUOTE}
USDM_DEPTH = {**DEPTH, "T": 4, "pu": 149}
USDM_TRADE = {**TRADE, "X": "MARKET"}

SPOT_KINDS = [
    ("bnbbtc@trade", TRADE, answers.TRADE), ("bnbbtc@aggTrade", AGG_TRADE, answers.AGG_TRADE),
    ("bnbbtc@bookTicker", QUOTE, answers.BBO), ("bnbbtc@depth", DEPTH, answers.BOOK),
    ("bnbbtc@depth@100ms", DEPTH, answers.BOOK), ("bnbbtc@depth20@100ms", BEST, answers.BOOK),
    ("bnbbtc@depth5", BEST, answers.BOOK), ("bnbbtc@kline_1m", KLINE, answers.KLINE),
]  # fmt: skip
USDM_KINDS = [
    ("bnbbtc@trade", USDM_TRADE, answers.TRADE), ("bnbbtc@aggTrade", AGG_TRADE, answers.AGG_TRADE),
    ("bnbbtc@bookTicker", USDM_QUOTE, answers.BBO), ("bnbbtc@depth", USDM_DEPTH, answers.BOOK),
    ("bnbbtc@depth@0ms", USDM_DEPTH, answers.BOOK), ("bnbbtc@depth10@500ms", USDM_DEPTH, answers.BOOK),
    ("bnbbtc@kline_1m", KLINE, answers.KLINE), ("bnbbtc@markPrice@1s", MARK, answers.MARK_PRICE),
]  # fmt: skip
KINDS = [(False, *kind) for kind in SPOT_KINDS] + [(True, *kind) for kind in USDM_KINDS]
Feed = Callable[..., "Fed"]


class Fed:
    """A pipeline of one instrument whose book is at update 156 (149 on USD-M), and the events it gives."""

    def __init__(self, usdm: bool = False, call: Call | None = None) -> None:
        normalizer = BinanceUsdmNormalizer() if usdm else BinanceSpotNormalizer()
        instrument = Instrument(
            venue=normalizer.venue, symbol="BNB-BTC", venue_symbol="BNBBTC", base="BNB", quote="BTC", price_decimals=3,
            qty_decimals=2,
        )  # fmt: skip
        self.events: list[EventView] = []
        self.errors: list[str] = []
        self.pipeline = CompiledPipeline(
            normalizer, compiled_usdm() if usdm else compiled_spot(), InstrumentTable([instrument]), self.event,
            on_error=self.errors.append, call=call,
        )  # fmt: skip
        self.book = self.pipeline.track(instrument)
        last = 149 if usdm else 156
        self.pipeline.snapshot(
            orjson.dumps({"lastUpdateId": last, "bids": [["0.02", "1"]], "asks": [["0.03", "1"]]}), "BNBBTC", 1
        )

    def event(self, event: EventView, _: OrderBook | None) -> None:
        self.events.append(EventView(event.array.copy()))

    def kind(self, frame: bytes, recv_ns: int = 11) -> int:
        """What the compiled code says the frame is; -1 when it leaves it to the reference."""
        answer = self.pipeline.step(frame, recv_ns)
        return answer if answer < 0 else answer & answers.KIND_MASK

    def cells(self, frame: bytes) -> list[tuple[int, ...]]:
        """The records of a frame that compiled code reads, without their instrument."""
        assert self.pipeline.frame(frame, 11) == 1
        return [
            (e.kind, e.side, e.flags, e.seq, e.exch_ns, e.recv_ns, e.price, e.qty, e.price2, e.qty2)
            for e in self.events
        ]


@pytest.mark.parametrize(("usdm", "stream", "event", "kind"), KINDS)
@pytest.mark.parametrize("call", Call)
def test_every_kind_is_read(usdm: bool, stream: str, event: dict[str, object], kind: int, call: Call) -> None:
    """Combined and bare, in any order of keys, with white space and unknown fields: no reference is needed."""
    spaced = orjson.dumps({"data": event, "stream": stream}, option=orjson.OPT_INDENT_2)
    unknown = {"new": {"a": [1, {"b": "}]"}], "c": None}, "é": "é", **event, "list": [[], {}, -0.5], "W": True}
    frames = [
        orjson.dumps({"stream": stream, "data": event}),
        orjson.dumps({"stream": stream, "data": dict(reversed(event.items()))}),
        spaced,
        orjson.dumps({"id": 5, "stream": stream, "data": unknown, "more": [{}]}),
    ]
    if "@depth5" not in stream and "@depth20" not in stream:
        frames.append(orjson.dumps(event))
    for frame in frames:
        assert Fed(usdm, call).kind(frame) == kind, frame


def test_records() -> None:
    """Each record says what the reference's would: spot-checked here, compared in full elsewhere."""
    ms = 1_000_000
    assert Fed().cells(orjson.dumps(TRADE)) == [(EventKind.TRADE, -1, 0, 12345, 7 * ms, 11, 1, 10_000, 0, 0)]
    assert Fed().cells(orjson.dumps(AGG_TRADE)) == [(EventKind.AGG_TRADE, 1, 0, 12, 7 * ms, 11, 1, 10_000, 1, 5)]
    assert Fed().cells(orjson.dumps(QUOTE)) == [(EventKind.BBO, 0, 0, 400900217, 0, 11, 25351, 3121, 25365, 4066)]
    assert Fed().cells(orjson.dumps(DEPTH)) == [(EventKind.BOOK, 0, 0, 160, 5 * ms, 11, 24, 1000, 26, 10_000)]
    empty = orjson.dumps(QUOTE | {"b": "0.00", "B": "0.0"})
    assert Fed().cells(empty) == [(EventKind.BBO, 0, 0, 400900217, 0, 11, NO_PRICE, 0, 25365, 4066)]
    assert Fed().cells(orjson.dumps(KLINE)) == [
        (EventKind.KLINE, 0, Flag.FINAL, 6 * ms, 5 * ms, 11, 1, 3, 1, 2),
        (EventKind.KLINE_VOLUME, 0, Flag.FINAL, 6 * ms, 5 * ms, 11, 7 * ms, 100_000, 100, 50_000),
    ]
    assert Fed(usdm=True).cells(orjson.dumps(MARK)) == [
        (EventKind.MARK_PRICE, 0, 0, -1, 5 * ms, 11, 1_179_415_000_000, -38_167, 1_178_462_659_091, 9 * ms)
    ]


def test_derived_kinds_are_counted_as_other() -> None:
    """Candles and mark prices are events, and count as what they always were in the summary."""
    fed = Fed(usdm=True)
    for event in (KLINE, MARK):
        fed.pipeline.frame(orjson.dumps(event), 1)
    assert (fed.pipeline.counters.other, fed.pipeline.counters.messages) == (2, 3)


def test_a_book_is_changed_in_the_call() -> None:
    """The book has the change when the call returns, and is synchronised."""
    fed = Fed()
    fed.pipeline.frame(orjson.dumps(DEPTH | {"b": [["0.02", "0"], ["0.021", "7.25"]]}), 11)
    assert fed.book.depth(Side.BUY) == [(21, 725)]
    assert fed.book.view.state == BookState.SYNCED


@pytest.mark.parametrize(
    ("usdm", "change"),
    [
        (False, {"U": 158, "u": 160}),
        (True, {"U": 200, "u": 201, "pu": 150}),
        (False, {"b": [["0.0241", "1"]]}),  # finer than the tick
        (False, {"b": [["0.024", "1.001"]]}),
        (False, {"b": [["0", "1"]]}),
        (False, {"b": [["0.024", "1", []]]}),
        (False, {"U": 161}),
        (False, {"u": 10**18}),
        (False, {"E": 10**17}),
        (False, {"E": "5"}),
        (False, {"s": "UNKNOWN"}),
        (True, {"pu": None}),
        (False, {"a": [["92233720368547758.08", "1"]]}),
        (False, {"a": [["0.026", "92233720368547758.08"]]}),
        (False, {"a": [["0.026", "1e2"]]}),
        (False, {"a": [["0.026", "-1"]]}),
        (False, {"a": [["0.026"]]}),
        (False, {"a": {}}),
        (False, {"bids": []}),
    ],
)
def test_what_is_not_sure_is_left_alone(usdm: bool, change: dict[str, object]) -> None:
    """A gap, a fine or huge number, a wrong type: nothing of the frame is applied, and the reference decides."""
    fed = Fed(usdm)
    before = fed.book.core.copy(), fed.book.far.copy()
    frame = orjson.dumps((USDM_DEPTH if usdm else DEPTH) | change)
    assert fed.kind(frame) == answers.UNSURE
    assert (before[0] == fed.book.core).all()
    assert (before[1] == fed.book.far).all()


def test_every_cut_frame_is_left_alone() -> None:
    """A frame that ends too soon, wherever, changes nothing; nor does one with something behind it."""
    fed = Fed()
    frame = orjson.dumps({"stream": "bnbbtc@depth", "data": DEPTH})
    before = fed.book.core.copy()
    for end in range(len(frame)):
        assert fed.kind(frame[:end]) == answers.UNSURE
    for tail in (b"}", b" x", b"\0", b","):
        assert fed.kind(frame + tail) == answers.UNSURE
    assert (before == fed.book.core).all()
    assert fed.kind(frame + b" \r\n") == answers.BOOK


@pytest.mark.parametrize("key", ["e", "s", "U", "u", "b", "a", "E", "stream", "data"])
def test_a_doubled_key_is_left_alone(key: str) -> None:
    """Of a key that comes twice the reference knows which counts."""
    frame = orjson.dumps({"stream": "bnbbtc@depth", "data": DEPTH})
    at = frame.index(b'"' + key.encode() + b'":')
    value = orjson.loads(frame)[key] if key in ("stream", "data") else DEPTH[key]
    doubled = frame[:at] + orjson.dumps({key: value})[1:-1] + b"," + frame[at:]
    orjson.loads(doubled)
    assert Fed().kind(doubled) == answers.UNSURE


def test_a_change_that_was_there_is_dropped() -> None:
    """A repeated message is counted and changes nothing, without the reference."""
    fed = Fed()
    for _ in range(2):
        assert fed.pipeline.frame(orjson.dumps(DEPTH), 1) == 1
    assert fed.kind(orjson.dumps(DEPTH)) == answers.DROPPED
    assert (fed.pipeline.counters.dropped, fed.pipeline.counters.book_messages, len(fed.events)) == (1, 2, 1)


def test_a_crossed_book_is_lost() -> None:
    """A book whose bid meets its ask is emptied and reported, as by the reference."""
    fed = Fed()
    assert fed.pipeline.frame(orjson.dumps(DEPTH | {"b": [["0.5", "1"]]}), 1) == 1
    assert [e.kind for e in fed.events] == [EventKind.CLEARED]
    assert fed.errors == ["BNB-BTC: the best bid is not below the best ask after update 160"]
    assert fed.book.view.state == BookState.UNSYNCED
    assert (fed.pipeline.counters.crossed, fed.pipeline.counters.errors, fed.pipeline.counters.resyncs) == (1, 1, 1)


def test_more_levels_than_there_is_room_for() -> None:
    """A message with more levels than the book has room for is applied all the same, every level of it."""
    fed = Fed()
    bids = [[f"{n}.000", "1"] for n in range(1, 6001)]
    frame = orjson.dumps(DEPTH | {"b": bids, "a": [["0.03", "0"], ["7000", "1"]]})
    assert fed.kind(frame) == answers.UNSURE
    assert fed.pipeline.frame(frame, 1) == 1
    assert fed.book.levels == (6001, 1)
    assert fed.kind(orjson.dumps(DEPTH | {"U": 161, "u": 161, "b": [["6000", "0"]], "a": []})) == answers.BOOK
    assert fed.book.view.best_bid == 5_999_000


def test_many_instruments_on_one_connection() -> None:
    """Each message goes to the book of its own instrument."""
    tops = []
    pipeline = CompiledPipeline(
        BinanceSpotNormalizer(), compiled_spot(), InstrumentTable(), lambda event, _: tops.append(event.instrument)
    )
    names = [f"COIN{n}USDT" for n in range(300)]
    for name in names:
        pipeline.snapshot(orjson.dumps(BEST), name, 1)
    for n, name in enumerate(names):
        change = {"e": "depthUpdate", "E": 1, "s": name, "U": 161, "u": 161, "b": [["0.025", str(n + 1)]], "a": []}
        assert pipeline.step(orjson.dumps(change), 1) >= 0
    assert [book.view.bid_qty for book in pipeline.books] == list(range(1, 301))


def test_the_id_of_a_trade_as_text() -> None:
    """The newest trade's id is at hand as text, whoever read the trade."""
    fed = Fed()
    fed.pipeline.frame(orjson.dumps(TRADE), 1)
    fed.pipeline.frame(orjson.dumps(QUOTE), 1)
    assert fed.pipeline.last_trade_id == "12345"
    fed.pipeline.frame(orjson.dumps(TRADE | {"t": 10**18}), 1)
    assert fed.pipeline.last_trade_id == str(10**18)
