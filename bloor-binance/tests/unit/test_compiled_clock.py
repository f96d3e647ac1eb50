"""Frames that come without a time: compiled code reads the clock."""

from __future__ import annotations

from bloor.market.compiled.pipeline import CompiledPipeline
from bloor.market.events import EventKind, EventView
from bloor.market.instruments import InstrumentTable
from bloor.model.instrument import Instrument
from bloor.native.clock import WallClock
from bloor_binance.compiled.normalizer import compiled_spot
from bloor_binance.normalizer import BinanceSpotNormalizer

QUOTE = b'{"u":400900217,"s":"BTCUSDT","b":"25.35","B":"31.21","a":"25.36","A":"40.66"}'
KLINE = (
    b'{"e":"kline","E":5,"s":"BTCUSDT","k":{"t":6,"T":7,"s":"BTCUSDT","i":"1m","f":100,"L":200,"o":"0.01","c":"0.02",'
    b'"h":"0.03","l":"0.01","v":"1000","n":100,"x":true,"q":"1.0","V":"500","Q":"0.5","B":"123456"}}'
)
ESCAPED = QUOTE.replace(b"BTCUSDT", b"BTC\\u0055SDT")  # the reference reads it


def test_a_frame_is_received_when_it_is_taken() -> None:
    """By compiled code, by the reference and for kinds of two records: the time is that of the clock shared."""
    seen: list[tuple[int, int]] = []

    def listen(event: EventView, book: object) -> None:
        seen.append((event.kind, event.recv_ns))

    instrument = Instrument(
        venue="binance", symbol="BTC-USDT", venue_symbol="BTCUSDT", base="BTC", quote="USDT", price_decimals=2,
        qty_decimals=2,
    )  # fmt: skip
    pipeline = CompiledPipeline(BinanceSpotNormalizer(), compiled_spot(), InstrumentTable([instrument]), listen)
    pipeline.track(instrument)
    clock = WallClock()
    pipeline.context.share_clock(clock)
    before = clock()
    for frame in (QUOTE, ESCAPED, KLINE, QUOTE):
        count = len(seen)
        assert pipeline.frame_now(frame) == 1
        assert {time for _, time in seen[count:]} == {clock.last}
    after = clock()
    assert [kind for kind, _ in seen] == [
        EventKind.BBO,
        EventKind.BBO,
        EventKind.KLINE,
        EventKind.KLINE_VOLUME,
        EventKind.BBO,
    ]
    times = [before, *(time for _, time in seen), after]
    assert times == sorted(times)
    assert pipeline.counters.messages == 4


def test_a_listener_that_comes_later_hears_frames_too() -> None:
    """Both ways of taking a frame call the listener of now."""
    instrument = Instrument(
        venue="binance", symbol="BTC-USDT", venue_symbol="BTCUSDT", base="BTC", quote="USDT", price_decimals=2,
        qty_decimals=2,
    )  # fmt: skip
    pipeline = CompiledPipeline(
        BinanceSpotNormalizer(), compiled_spot(), InstrumentTable([instrument]), lambda *_: None
    )
    heard: list[int] = []
    pipeline.listen(lambda event, _book: heard.append(event.seq))
    pipeline.frame_now(QUOTE)
    pipeline.frame(QUOTE, 5)
    assert heard == [400900217, 400900217]
