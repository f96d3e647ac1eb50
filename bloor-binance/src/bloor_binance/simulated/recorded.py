"""The market of a recording: its frames go out verbatim, its book answers REST.

An account's orders meet the recorded liquidity but change nothing that the public sees.
"""

from __future__ import annotations

import re
from decimal import Decimal

import orjson
from attrs import evolve

from bloor.model.instrument import Instrument
from bloor.simulation.exchange import Market
from bloor.simulation.playback import RecordedSource, RecordedView
from bloor.simulation.recorded import PlayedFrame
from bloor.simulation.recorded_book import RecordedBook
from bloor.simulation.venue import SimulationOptions
from bloor_binance.normalizer import BinanceSpotNormalizer
from bloor_binance.simulated.intervals import INTERVALS
from bloor_binance.simulated.listing import QTY_DECIMALS
from bloor_binance.simulated.published import TextLevels, text_levels
from bloor_binance.simulated.streams import StreamHub

__all__ = ["RecordedPublished", "recorded_source", "stream_frame"]

_COMBINED = re.compile(rb'\s*\{\s*"stream"\s*:\s*"([^"\\]*)"\s*,\s*"data"\s*:\s*(.*\S)\s*\}\s*\Z', re.DOTALL)
#: Stream of a bare frame by its event kind.
_SUFFIXES = {"trade": "@trade", "aggTrade": "@aggTrade", "depthUpdate": "@depth@100ms", "bookTicker": "@bookTicker"}
#: Quote assets of which one is about a dollar: the smallest order there.
_DOLLARS = frozenset({"USDT", "USDC", "BUSD", "TUSD", "FDUSD", "DAI", "USD", "EUR"})


def stream_frame(payload: bytes) -> tuple[str, bytes, bytes] | None:
    """``(stream, combined form, raw form)`` of a recorded frame, its JSON as it was; None when no stream sent it."""
    match = _COMBINED.match(payload)
    if match is not None:
        return match[1].decode(), payload, match[2]
    frame = orjson.loads(payload)
    if not isinstance(frame, dict):
        return None
    if isinstance(frame.get("stream"), str) and "data" in frame:
        return frame["stream"], payload, orjson.dumps(frame["data"])
    symbol = frame.get("s")
    suffix = _SUFFIXES.get(frame.get("e", "bookTicker" if "u" in frame and "B" in frame else ""))
    if suffix is None or not isinstance(symbol, str):
        return None
    stream = symbol.lower() + suffix
    return stream, b'{"stream":"%s","data":%s}' % (stream.encode(), payload), payload


class RecordedPublished(RecordedView):
    """What the public sees of one recorded market."""

    def __init__(self, market: Market, book: RecordedBook) -> None:
        super().__init__(market, book, INTERVALS)

    @property
    def update_id(self) -> int:
        """Number of the latest recorded change."""
        return self.book.last_seq

    def depth(self, limit: int) -> tuple[TextLevels, TextLevels]:
        """Up to ``limit`` recorded bids and asks."""
        return text_levels(self, limit)


def recorded_source(options: SimulationOptions, hub: StreamHub) -> RecordedSource[RecordedPublished]:
    """Plays a recording to whoever listens.

    Raises:
        InputFileError: It cannot be played.
    """

    def played(frame: PlayedFrame, published: RecordedPublished | None) -> None:
        """A recorded frame goes out as it was."""
        forwarded = stream_frame(frame.line.payload)
        if forwarded is not None:
            hub.publish_recorded(*forwarded)
        if published is not None:
            published.follow()

    return RecordedSource(
        options,
        BinanceSpotNormalizer(),
        RecordedPublished,
        played,
        lambda: hub.listening,
        qty_decimals=QTY_DECIMALS,
        refine=_refined,
    )


def _refined(instrument: Instrument) -> Instrument:
    """With the smallest order that Binance takes there."""
    return evolve(instrument, min_notional=Decimal(5)) if instrument.quote in _DOLLARS else instrument
