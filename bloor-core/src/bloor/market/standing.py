"""What a pipeline knows between two frames, as plain JSON, so that another process can continue where it stood.

That is everything that decides what becomes of the next frame: the books, how far each is synchronised, the changes
held for a snapshot, and the counts. How a book lies in memory is left out: it decides nothing. A normalizer keeps
nothing between frames, so there is nothing to save of it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from attrs import asdict

from bloor.market.channel import Channel, Held
from bloor.market.compiled.pipeline import CompiledPipeline
from bloor.market.messages import BookMessage
from bloor.market.pipeline import MarketPipeline
from bloor.market.sync import BookSync
from bloor.market.sync import Held as Change
from bloor.market.view import BookState
from bloor.model.orders import Side

__all__ = ["restore_pipeline", "standing"]

_SYNC = ("last", "expected", "got", "gap_open", "overflowed")


def standing(pipeline: MarketPipeline) -> dict[str, Any]:
    """What a pipeline knows.

    Returns:
        What :func:`restore_pipeline` takes: JSON, but for levels, which are int64 arrays ``(n, 2)``.
    """
    counters = pipeline.counters  # looked at first: it counts what compiled code has taken
    channels = pipeline._channels
    if isinstance(pipeline, CompiledPipeline):
        for channel in channels:
            pipeline._catch_up(channel)
    return {
        "counters": asdict(counters),
        "trades": pipeline._trade_count,
        "connection": pipeline._connection.last,
        "last_trade_id": pipeline.last_trade_id,
        "channels": {
            symbol: None if channel is None else _channel(channel) for symbol, channel in channels._known.items()
        },
    }


def restore_pipeline(pipeline: MarketPipeline, saved: Mapping[str, Any]) -> None:
    """Makes a new pipeline, on a table with the instruments of then, one that stands where another stood.

    Args:
        pipeline: Has seen nothing yet; its options are those of the other.
        saved: What :func:`standing` gave, also after a way through JSON.

    Raises:
        ValueError: The table or the options are others.
        KeyError: It is something else.
    """
    pipeline.last_trade_id = saved["last_trade_id"]
    for name, count in saved["counters"].items():
        setattr(pipeline.counters, name, count)
    pipeline._trade_count = saved["trades"]
    pipeline._connection.last = saved["connection"]
    channels = pipeline._channels
    for symbol, entry in saved["channels"].items():
        channel = channels.find(symbol)
        if (channel is None) != (entry is None):
            raise ValueError(f"{symbol}: expected the instruments that were wanted then")
        if channel is None:
            continue
        channel.depth = entry["depth"]
        channel.newest_trade = entry["newest_trade"]
        if entry["book"] is not None:
            channels.make_book(channel)
        _restore_sync(channel.sync, entry["sync"])
        if entry["book"] is not None:
            _restore_book(channel, entry["book"])
        if isinstance(pipeline, CompiledPipeline):
            pipeline._register(channel)


def _channel(channel: Channel) -> dict[str, Any]:
    sync, book = channel.sync, channel.book
    return {
        "depth": channel.depth,
        "newest_trade": channel.newest_trade,
        "sync": {
            **{name: getattr(sync, name) for name in _SYNC},
            "state": int(sync.state),
            "held": [[*change[:3], list(change.item.message), change.item.recv_ns] for change in sync._held],
        },
        "book": None
        if book is None
        else {"top": book.top.tolist(), "bids": book.rows(Side.BUY), "asks": book.rows(Side.SELL)},
    }


def _restore_sync(sync: BookSync[Held], saved: Mapping[str, Any]) -> None:
    for name in _SYNC:
        setattr(sync, name, saved[name])
    sync.state = BookState(saved["state"])
    sync._held.extend(
        Change(first, last, prev, Held(BookMessage(*message), recv_ns))
        for first, last, prev, message, recv_ns in saved["held"]
    )


def _restore_book(channel: Channel, saved: Mapping[str, Any]) -> None:
    book, top = channel.book, saved["top"]
    assert book is not None
    book.load(saved["bids"], saved["asks"], seq=top[4], exch_ns=top[5], recv_ns=top[6])
    book.view.state = top[7]
    if book.top.tolist() != list(top):
        raise ValueError(f"{channel.instrument.symbol}: expected a book with the top {top}, got {book.top.tolist()}")
