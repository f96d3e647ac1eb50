"""Recordings to normalized events, line by line: what ``bloor data normalize`` and ``bloor data verify`` do.

Every event becomes one JSON object, in the words of the command line's contract:

- ``top`` after every applied book message: the best bid and ask as ``[price, quantity]``, null where a side is empty.
  With a depth, also ``bids`` and ``asks``: that many levels a side, best first. A REST snapshot has none of its own.
- ``trade`` and ``agg_trade``, ``bbo``, ``gap``, ``checksum``, ``error``; last, once, ``summary``.

A line that cannot be read is one error with its number in its file, and so is a book that is crossed after a change.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

from attrs import asdict, frozen

from bloor.errors import RemoteProtocolError, UsageError
from bloor.hookspecs import NormalizerSpec
from bloor.market.book import OrderBook
from bloor.market.compiled.pipeline import market_pipeline
from bloor.market.events import NO_PRICE, EventKind, EventView
from bloor.market.instruments import InstrumentTable
from bloor.market.messages import BookMessage
from bloor.market.pipeline import MarketCounters
from bloor.market.recording import RecordedLine, UnreadableLine, read_recording
from bloor.model.instrument import Instrument
from bloor.model.orders import Side
from bloor.model.symbols import canonical, parse_symbol

__all__ = ["Summary", "normalize", "verify"]

Write = Callable[[dict[str, Any]], None]

_TAKER = {1: "buy", -1: "sell"}


@frozen(kw_only=True)
class Summary:
    """What was in the recordings; the counts are those of :class:`~bloor.market.pipeline.MarketCounters`."""

    messages: int
    book_messages: int
    trades: int
    bbos: int
    other: int
    gaps: int
    checksums_ok: int
    checksums_bad: int
    errors: int

    @property
    def sound(self) -> bool:
        """Whether nothing was missing, wrong or unreadable."""
        return not (self.gaps or self.checksums_bad or self.errors)

    def line(self) -> dict[str, Any]:
        """The last line of the output."""
        return {"kind": "summary", **asdict(self)}


def normalize(
    spec: NormalizerSpec,
    paths: Sequence[str | Path],
    *,
    write: Write,
    symbol: str | None = None,
    depth: int | None = None,
    instruments: Iterable[Instrument] = (),
    assume_empty: bool = False,
    compiled: bool = True,
) -> Summary:
    """Normalizes recordings of one venue.

    Args:
        spec: The venue's normalizer.
        paths: Recording files, merged by receive time.
        write: Takes each line of the output, the summary last; the object is not used again.
        symbol: Canonical symbol (with or without the venue) of the only instrument wanted; messages of others count as
            ``other``.
        depth: How many levels a side every ``top`` shows.
        instruments: Known instruments; the precision of others is inferred from the text.
        assume_empty: Whether books begin empty instead of unsynchronised.
        compiled: Whether to use the compiled form of the normalizer where there is one; the output is the same.

    Returns:
        The counts of the summary line.

    Raises:
        UsageError: ``symbol`` is no symbol of this venue, or ``depth`` is not positive.
        InputFileError: A file cannot be read, or breaks in the middle; then every line before was written, and no
            summary.
    """
    if depth is not None and depth < 1:
        raise UsageError(f"depth: expected at least 1, got {depth}")
    run = _Run(spec, paths, write, _wanted_symbol(spec.venue, symbol), depth, instruments, assume_empty, compiled)
    for line in read_recording(paths, venue=spec.venue):
        run.take(line)
    summary = run.summary()
    write(summary.line())
    return summary


def verify(
    spec: NormalizerSpec,
    paths: Sequence[str | Path],
    *,
    write: Write,
    symbol: str | None = None,
    instruments: Iterable[Instrument] = (),
    assume_empty: bool = False,
    compiled: bool = True,
) -> Summary:
    """:func:`normalize` that writes only what is wrong (gaps, bad checksums, errors) and the summary.

    Returns:
        The summary; the command ends with 1 unless it is ``sound``.
    """

    def only_wrong(line: dict[str, Any]) -> None:
        if line["kind"] in ("gap", "error", "summary") or line.get("ok") is False:
            write(line)

    return normalize(
        spec, paths, write=only_wrong, symbol=symbol, instruments=instruments, assume_empty=assume_empty,
        compiled=compiled,
    )  # fmt: skip


def _wanted_symbol(venue: str, symbol: str | None) -> str | None:
    """The canonical symbol that is wanted.

    Raises:
        UsageError: It is no symbol, or one of another venue.
    """
    if symbol is None:
        return None
    named, wanted = parse_symbol(symbol)
    if named not in (None, venue):
        raise UsageError(f"symbol: expected one of {venue}, got {symbol!r}")
    return wanted


class _Run:
    """One pass over recordings."""

    def __init__(
        self,
        spec: NormalizerSpec,
        paths: Sequence[str | Path],
        write: Write,
        symbol: str | None,
        depth: int | None,
        instruments: Iterable[Instrument],
        assume_empty: bool,
        compiled: bool,
    ) -> None:
        self.venue = spec.venue
        self.paths = paths
        self.write = write
        self.symbol = symbol
        self.depth = depth
        self.table = InstrumentTable(instruments)
        self.normalizer = spec.build()
        self.reason = ""
        self.ambiguous = ""
        self._nameless: str | None = None
        self.pipeline = market_pipeline(
            spec,
            self.table,
            self.event,
            compiled=compiled,
            on_error=self.error,
            resolve=self.nameless,
            wanted=(lambda i: i.symbol == symbol) if symbol else None,
            assume_empty=assume_empty,
            refetch=False,
        )
        self.lines = {
            EventKind.TRADE: self.trade,
            EventKind.AGG_TRADE: self.trade,
            EventKind.BBO: self.bbo,
            EventKind.BOOK: self.top,
            EventKind.GAP: self.gap,
            EventKind.CHECKSUM: self.checksum,
        }
        self.unreadable = 0

    # ---- in ---------------------------------------------------------------------------------------------------------

    def take(self, line: RecordedLine | UnreadableLine) -> None:
        """Takes one line of a recording."""
        if isinstance(line, UnreadableLine):
            self.unreadable += 1
            self.write_error(line.file, line.line_no, line.reason)
            return
        self.reason = ""
        recv_ns = line.recv_ns or 0
        if line.url is not None and is_depth(line.url):
            self.pipeline.snapshot(line.payload, symbol_in(line.url), recv_ns)
        else:
            self.pipeline.frame(line.payload, recv_ns)
        if self.reason:
            self.write_error(line.file, line.line_no, self.reason)

    def error(self, reason: str) -> None:
        """The pipeline could not read a frame; the first reason of a line is told."""
        self.reason = self.reason or reason

    def nameless(self) -> str:
        """The venue symbol of the only book in the input, looked for when a snapshot without one is met."""
        if self._nameless is None:
            found = self.books_in_input()
            self._nameless = found[0] if len(found) == 1 else ""
            if len(found) > 1:
                self.ambiguous = (
                    f"a depth snapshot that does not say whose it is, where the input has the books "
                    f"{', '.join(found[:5])}: name one with --symbol"
                )
        if self.ambiguous:
            raise RemoteProtocolError(self.ambiguous)
        return self._nameless

    def books_in_input(self) -> list[str]:
        """The venue symbols that may own a nameless snapshot: of books, of any instrument when there is no book."""
        books: dict[str, None] = {}
        named: dict[str, None] = {}
        for line in read_recording(self.paths, venue=self.venue):
            if isinstance(line, UnreadableLine) or line.url:
                continue
            try:
                messages = self.normalizer.decode(line.payload)
            except RemoteProtocolError:
                continue
            for message in messages:
                symbol = getattr(message, "symbol", "")
                if symbol and self.is_wanted(symbol):
                    named[symbol] = None
                    if isinstance(message, BookMessage):
                        books[symbol] = None
            if len(books) > 1 or (self.symbol and books):
                break
        return list(books or named)

    def is_wanted(self, venue_symbol: str) -> bool:
        """Whether an instrument is the wanted one."""
        if self.symbol is None:
            return True
        index = self.table.index_of(self.venue, venue_symbol)
        known = self.table[index].symbol if index >= 0 else canonical(*self.normalizer.split(venue_symbol))
        return known == self.symbol

    def summary(self) -> Summary:
        """The counts at the end."""
        seen: MarketCounters = self.pipeline.counters
        return Summary(
            messages=seen.messages,
            book_messages=seen.book_messages,
            trades=seen.trades,
            bbos=seen.bbos,
            other=seen.other,
            gaps=seen.gaps,
            checksums_ok=seen.checksums_ok,
            checksums_bad=seen.checksums_bad,
            errors=seen.errors + self.unreadable,
        )

    # ---- out --------------------------------------------------------------------------------------------------------

    def write_error(self, file: str, line: int, reason: str) -> None:
        """Writes an error line."""
        self.write({"kind": "error", "file": file, "line": line, "reason": reason})

    def event(self, event: EventView, book: OrderBook | None) -> None:
        """Writes one event."""
        writer = self.lines.get(event.kind)  # type: ignore[call-overload]
        if writer is not None:
            writer(event, self.table[event.instrument], book)

    def head(self, kind: str, instrument: Instrument) -> dict[str, Any]:
        """What every event line begins with."""
        return {"kind": kind, "venue": self.venue, "symbol": instrument.symbol}

    def top(self, event: EventView, instrument: Instrument, book: OrderBook | None) -> None:
        """Writes the top of a book, and as many levels as are wanted."""
        line = self.quote("top", event, instrument)
        if self.depth is not None and book is not None:
            line["bids"] = self.levels(book, Side.BUY, self.depth)
            line["asks"] = self.levels(book, Side.SELL, self.depth)
        self.write(line)

    def levels(self, book: OrderBook, side: Side, depth: int) -> list[list[str]]:
        """The best levels of a side, as text."""
        unit = book.instrument
        return [[unit.format_price(ticks), unit.format_qty(units)] for ticks, units in book.depth(side, depth)]

    def bbo(self, event: EventView, instrument: Instrument, _: OrderBook | None) -> None:
        """Writes the venue's own best bid and offer."""
        self.write(self.quote("bbo", event, instrument))

    def quote(self, kind: str, event: EventView, instrument: Instrument) -> dict[str, Any]:
        """A line with both best levels."""
        return {
            **self.head(kind, instrument),
            "seq": None if event.seq < 0 else event.seq,
            **times(event),
            "bid": level(instrument, event.price, event.qty),
            "ask": level(instrument, event.price2, event.qty2),
        }

    def trade(self, event: EventView, instrument: Instrument, _: OrderBook | None) -> None:
        """Writes a trade, aggregated or not."""
        self.write(
            {
                **self.head("trade" if event.kind == EventKind.TRADE else "agg_trade", instrument),
                "id": self.pipeline.last_trade_id,
                "price": instrument.format_price(event.price),
                "qty": instrument.format_qty(event.qty),
                "taker_side": _TAKER[event.side],
                **times(event),
            }
        )

    def gap(self, event: EventView, instrument: Instrument, _: OrderBook | None) -> None:
        """Writes that changes of a book are missing."""
        self.write({**self.head("gap", instrument), "expected": event.price, "got": event.seq})

    def checksum(self, event: EventView, instrument: Instrument, _: OrderBook | None) -> None:
        """Writes that a checksum disagreed; one that agrees is only counted."""
        self.write({**self.head("checksum", instrument), "ok": False, "expected": event.price, "computed": event.seq})


def times(event: EventView) -> dict[str, int | None]:
    """Both times, null where they are not known."""
    return {"exch_ns": event.exch_ns or None, "recv_ns": event.recv_ns or None}


def level(instrument: Instrument, price: int, qty: int) -> list[str] | None:
    """``[price, quantity]`` as text, or None for an empty side."""
    return None if price == NO_PRICE else [instrument.format_price(price), instrument.format_qty(qty)]


def is_depth(url: str) -> bool:
    """Whether a REST request asked for a book: ``/depth``, ``/Depth``, ``/book``, ``/product_book``."""
    return urlsplit(url).path.lower().endswith(("depth", "book"))


def symbol_in(url: str) -> str:
    """The venue symbol that a REST request was about; empty when it does not say."""
    parts = urlsplit(url)
    query = parse_qs(parts.query)
    for name in ("symbol", "product_id", "pair"):
        if name in query:
            return query[name][0].upper()
    folders = parts.path.split("/")
    return folders[-2].upper() if folders[-3:-2] == ["products"] else ""
