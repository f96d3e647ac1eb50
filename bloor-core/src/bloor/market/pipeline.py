"""From a frame's bytes to books and events: the reference way of market data.

Hot path for strategies in plain Python, and for every offline reader of frames. One :class:`MarketPipeline` serves one
venue: it asks the venue's normalizer what a frame says, converts text to ticks and units exactly, lets
:mod:`bloor.market.sync` decide what may be applied to a book, and hands on one event after the other.

What may go wrong never leaves as an exception: an unreadable frame is counted and reported, and a book that can no
longer be believed (a gap, a crossed top, a wrong checksum, an unreadable change) is emptied, marked ``UNSYNCED`` and
reported with an event of kind ``GAP``, ``CHECKSUM`` or ``CLEARED``, and a snapshot is asked for. Where nothing would
tell later that a change was lost (no numbers, no checksums), a frame that cannot be read loses every book.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from itertools import chain
from struct import Struct
from typing import TYPE_CHECKING

import numpy as np

from bloor.errors import MoneyError, RemoteProtocolError
from bloor.market.book import OrderBook
from bloor.market.channel import Channel, Channels, Held
from bloor.market.connection import NOTHING_YET, ConnectionNumbers, Place
from bloor.market.counters import MarketCounters, Resync
from bloor.market.derived import bbo_sides, kline_prices, kline_volumes, mark_prices, trade_sizes
from bloor.market.events import EventKind, EventView, Flag
from bloor.market.kernels import Kernels
from bloor.market.messages import (
    BboMessage,
    BookMessage,
    ConnectionMessage,
    FaultMessage,
    KlineMessage,
    MarkPriceMessage,
    Message,
    TradeMessage,
    is_normalized,
    is_rest_snapshot,
)
from bloor.market.normalizer import ChecksummedNormalizer, Normalizer, SequenceRule
from bloor.market.sync import HELD_LIMIT, Action
from bloor.market.view import BookState
from bloor.model.instrument import Instrument

if TYPE_CHECKING:
    from bloor.market.instruments import InstrumentTable

__all__ = ["Channel", "MarketCounters", "MarketPipeline", "Resync"]

#: Called with each event and the book of its instrument (None when the instrument has none); both are reused.
OnEvent = Callable[[EventView, OrderBook | None], None]

#: One event record: kind, side, flags, instrument, then seven 8-byte cells.
_RECORD = Struct("=BbHI7q")
_TRADE, _AGG_TRADE, _BBO, _BOOK = map(int, (EventKind.TRADE, EventKind.AGG_TRADE, EventKind.BBO, EventKind.BOOK))


class MarketPipeline:
    """Frames of one venue to books and events.

    Attributes:
        counters: What was seen.
        event: The event that is handed to ``on_event``, reused for each.
        last_trade_id: The text id of the newest trade; its number is ``event.seq`` when it is one.
    """

    def __init__(
        self,
        normalizer: Normalizer,
        table: InstrumentTable,
        on_event: OnEvent,
        *,
        on_resync: Callable[[str, Resync], None] | None = None,
        on_error: Callable[[str], None] | None = None,
        resolve: Callable[[], str] | None = None,
        wanted: Callable[[Instrument], bool] | None = None,
        infer: bool = True,
        assume_empty: bool = False,
        refetch: bool = True,
        held_limit: int = HELD_LIMIT,
        kernels: Kernels | None = None,
        make_book: Callable[..., OrderBook] = OrderBook,
    ) -> None:
        """Binds a pipeline.

        Args:
            normalizer: Reads the venue's frames.
            table: The run's instruments; inferred ones are added to it.
            on_event: Called for every event, synchronously. It must not raise: a BloorError of its own would be taken
                for one of the frame's.
            on_resync: Called with the venue symbol of a book that needs a snapshot, and why.
            on_error: Called with what was wrong about a frame.
            resolve: Gives the venue symbol that a snapshot without one belongs to; empty when there is none.
            wanted: Which instruments to normalize; the messages of others count as ``other``.
            infer: Whether an instrument that is not in the table is inferred; its messages are ``other`` if not.
            assume_empty: Whether every book begins empty instead of unsynchronised.
            refetch: Whether another snapshot can be had. Without, one that is older than the changes held for it is
                itself a gap in the data and reported as one.
            held_limit: How many changes are held for a snapshot, for each book.
            kernels: How the books run; compiled by default.
            make_book: Makes a book of ``(instrument, kernels=kernels)``; storage gives one that shows what is changed.
        """
        self.counters = MarketCounters()
        self.event = EventView()
        self.last_trade_id = ""
        self._normalizer = normalizer
        self._decode = normalizer.decode
        self._on_event = on_event
        self._on_resync = on_resync or (lambda *_: None)
        self._on_error = on_error or (lambda _: None)
        self._resolve = resolve or (lambda: "")
        self._refetch = refetch
        self._checksums = normalizer if isinstance(normalizer, ChecksummedNormalizer) else None
        self._channels = Channels(
            normalizer, table, wanted=wanted, infer=infer, assume_empty=assume_empty, held_limit=held_limit,
            new_book=partial(make_book, kernels=kernels),
        )  # fmt: skip
        self._trade_count = 0
        self._connection = ConnectionNumbers()
        self._record = memoryview(self.event.array.view(np.uint8).data)
        self._take: dict[type, Callable[..., bool]] = {
            TradeMessage: self._trade,
            BboMessage: self._bbo,
            BookMessage: self._book,
            KlineMessage: self._kline,
            MarkPriceMessage: self._mark_price,
            ConnectionMessage: self._numbered,
            FaultMessage: self._fault,
        }

    # ---- what the caller says ---------------------------------------------------------------------------------------

    def listen(self, on_event: OnEvent) -> None:
        """Hands events to another callable from the next frame on."""
        self._on_event = on_event

    def frame(self, payload: bytes, recv_ns: int) -> int:
        """Takes one frame.

        Args:
            payload: The frame, unchanged.
            recv_ns: When it was received, wall ns since the epoch; 0 when not known.

        Returns:
            How many messages it held; 0 when it is of a kind that is not normalized (hand it to the feed's session);
            -1 when it could not be read.
        """
        try:
            messages = self._decode(payload)
        except RemoteProtocolError as error:
            self._unreadable(str(error))
            self._doubt(recv_ns)
            return -1
        return self._messages(messages, recv_ns)

    def snapshot(self, body: bytes, venue_symbol: str, recv_ns: int) -> bool:
        """Takes a REST answer with the whole book of an instrument.

        Args:
            body: The answer.
            venue_symbol: Whose book it is.
            recv_ns: When it was received.

        Returns:
            Whether it was readable; whether it was of use says ``book.view.state``.
        """
        try:
            message = self._normalizer.decode_snapshot(body, venue_symbol)
        except RemoteProtocolError as error:
            self._unreadable(str(error))
            return False
        return self._messages((message,), recv_ns) >= 0

    def reset(self) -> None:
        """The connection is gone: every book is emptied, with an event ``CLEARED`` for each that was not."""
        self._connection.reset()
        self._clear_all()

    def _clear_all(self) -> None:
        for channel in self._channels:
            believed = channel.sync.state is not BookState.UNSYNCED
            channel.sync.reset()
            if believed:
                self._cleared(channel, 0)

    def track(self, instrument: Instrument) -> OrderBook:
        """Makes the book of an instrument before its first frame, and adds it to the table if it is not there.

        Raises:
            ValueError: The instrument is not wanted.
        """
        book = self._channels.track(instrument).book
        assert book is not None
        return book

    def book(self, venue_symbol: str) -> OrderBook | None:
        """The book of an instrument, if it has one."""
        channel = self._channels.get(venue_symbol)
        return None if channel is None else channel.book

    @property
    def books(self) -> list[OrderBook]:
        """Every book there is."""
        return [channel.book for channel in self._channels if channel.book is not None]

    @property
    def named(self) -> list[Instrument]:
        """Every wanted instrument that a message was about."""
        return [channel.instrument for channel in self._channels]

    # ---- messages ---------------------------------------------------------------------------------------------------

    def _messages(self, messages: Sequence[Message], recv_ns: int) -> int:
        """Takes what a frame held; counts the frame once, and as unreadable if one of its messages is."""
        counters = self.counters
        taken, of_book, bad = 0, False, ""
        if messages and self._connection.repeats(messages[0]):
            messages = ()
        for message in messages:
            take = self._take.get(type(message))
            if take is None:
                continue
            try:
                if take(message, recv_ns):
                    taken += 1
                    of_book = of_book or (type(message) is BookMessage and message.over_stream)
            except (MoneyError, RemoteProtocolError) as error:
                bad = bad or str(error)
        if bad:
            self._unreadable(bad)
            return -1
        counters.messages += 1
        if of_book:
            counters.book_messages += 1
        elif not taken and not is_rest_snapshot(messages):
            counters.other += 1
        return taken if taken or not is_normalized(messages) else len(messages)

    def _unreadable(self, reason: str) -> None:
        self.counters.errors += 1
        self._on_error(reason)

    def _trade(self, message: TradeMessage, recv_ns: int) -> bool:
        channel = self._channels.get(message.symbol) or self._channels.find(message.symbol)
        if channel is None:
            return False
        try:
            price, qty = trade_sizes(channel.instrument, message)
        except MoneyError:
            price, qty = trade_sizes(self._channels.refine(channel, (message.price,), (message.qty,)), message)
        text = message.trade_id
        number = int(text) if text.isdecimal() and len(text) < 19 else -1
        if message.recent and 0 <= number <= channel.newest_trade:
            return True
        self._trade_count += 1
        self.last_trade_id = text
        channel.newest_trade = max(channel.newest_trade, number)
        seq = number if number >= 0 else self._trade_count
        _RECORD.pack_into(
            self._record, 0,
            _AGG_TRADE if message.aggregated else _TRADE, message.taker_side, 0, channel.index,
            seq, message.exch_ns, recv_ns, price, qty, message.first_id, message.last_id,
        )  # fmt: skip
        self.counters.trades += 1
        self._on_event(self.event, channel.book)
        return True

    def _bbo(self, message: BboMessage, recv_ns: int) -> bool:
        channel = self._channels.get(message.symbol) or self._channels.find(message.symbol)
        if channel is None:
            return False
        try:
            sides = bbo_sides(channel.instrument, message)
        except MoneyError:
            instrument = self._channels.refine(channel, (message.bid, message.ask), (message.bid_qty, message.ask_qty))
            sides = bbo_sides(instrument, message)
        _RECORD.pack_into(
            self._record, 0, _BBO, 0, 0, channel.index, message.seq, message.exch_ns, recv_ns, *sides
        )  # fmt: skip
        self.counters.bbos += 1
        self._on_event(self.event, channel.book)
        return True

    def _kline(self, message: KlineMessage, recv_ns: int) -> bool:
        channel = self._channels.get(message.symbol) or self._channels.find(message.symbol)
        if channel is None:
            return False
        try:
            prices, volumes = kline_prices(channel.instrument, message), kline_volumes(channel.instrument, message)
        except MoneyError:
            texts = (message.open, message.high, message.low, message.close)
            instrument = self._channels.refine(channel, texts, (message.volume, message.taker_buy_volume or "0"))
            prices, volumes = kline_prices(instrument, message), kline_volumes(instrument, message)
        flags = Flag.FINAL if message.final else 0
        self.counters.other += 1
        for kind, cells in ((EventKind.KLINE, prices), (EventKind.KLINE_VOLUME, volumes)):
            _RECORD.pack_into(
                self._record, 0, kind, 0, flags, channel.index, message.open_ns, message.exch_ns, recv_ns, *cells
            )
            self._on_event(self.event, channel.book)
        return True

    def _mark_price(self, message: MarkPriceMessage, recv_ns: int) -> bool:
        channel = self._channels.get(message.symbol) or self._channels.find(message.symbol)
        if channel is None:
            return False
        cells = mark_prices(message)
        _RECORD.pack_into(
            self._record, 0, EventKind.MARK_PRICE, 0, 0, channel.index, -1, message.exch_ns, recv_ns, *cells
        )
        self.counters.other += 1
        self._on_event(self.event, channel.book)
        return True

    # ---- books ------------------------------------------------------------------------------------------------------

    def _book(self, message: BookMessage, recv_ns: int) -> bool:
        symbol = message.symbol or self._resolve()
        if not symbol:
            if message.over_stream:
                raise RemoteProtocolError("a book frame without a symbol: cannot tell whose book it is")
            return False
        channel = self._channels.get(symbol) or self._channels.find(symbol)
        if channel is None:
            return False
        book = self._channels.make_book(channel) if channel.book is None else channel.book
        if message.orders is not None:
            book.whose(message.orders)
        try:
            if message.snapshot:
                self._snapshot(channel, message, recv_ns)
            else:
                self._change(channel, message, recv_ns)
        except MoneyError as error:
            self._lose(channel, Resync.BAD_LEVEL, recv_ns)
            raise MoneyError(f"{channel.instrument.symbol}: {error}") from None
        return True

    def _change(self, channel: Channel, message: BookMessage, recv_ns: int) -> None:
        action = channel.sync.change(message.first_seq, message.last_seq, message.prev_seq, Held(message, recv_ns))
        if action is Action.APPLY:
            self._apply(channel, message, recv_ns, 0)
        elif action is Action.DROP:
            self.counters.dropped += 1
        else:
            self._check_levels(channel, message)
            if action is Action.GAP:
                self._gap(channel, recv_ns)

    def _snapshot(self, channel: Channel, message: BookMessage, recv_ns: int) -> None:
        self._check_levels(channel, message)
        sync = channel.sync
        action = sync.snapshot(message.last_seq, limited=message.over_stream)
        if action is Action.REFETCH:
            self.counters.stale_snapshots += 1
            if not self._refetch and not sync.gap_open:
                self._gap(channel, recv_ns)
            else:
                self._ask(channel, Resync.STALE_SNAPSHOT)
        elif action is Action.DROP:
            self.counters.dropped += 1
        else:
            self._load(channel, message, recv_ns)

    def _load(self, channel: Channel, message: BookMessage, recv_ns: int) -> None:
        """Replaces the book, then takes the changes that were held."""
        book, sync = channel.book, channel.sync
        assert book is not None
        if self._checksums is not None:
            channel.depth = self._checksums.depth(channel.instrument.venue_symbol)
        crossed = book.load_text(
            message.bids, message.asks, seq=message.last_seq, exch_ns=message.exch_ns, recv_ns=recv_ns
        )
        book.view.state = sync.state
        if not self._believed(channel, book, message, crossed, recv_ns):
            return
        if message.over_stream:
            self._emit_book(channel, book, Flag.SNAPSHOT)
        while (held := sync.release()) is not None:
            self._apply(channel, held.message, held.recv_ns, Flag.BUFFERED)

    def _apply(self, channel: Channel, message: BookMessage, recv_ns: int, flags: int) -> None:
        book = channel.book
        assert book is not None
        try:
            crossed = book.change_text(
                message.bids, message.asks, seq=message.last_seq, exch_ns=message.exch_ns, recv_ns=recv_ns
            )
        except MoneyError:
            self._check_levels(channel, message)
            crossed = book.change_text(
                message.bids, message.asks, seq=message.last_seq, exch_ns=message.exch_ns, recv_ns=recv_ns
            )
        book.view.state = channel.sync.state
        if self._believed(channel, book, message, crossed, recv_ns):
            self._emit_book(channel, book, flags)

    def _believed(self, channel: Channel, book: OrderBook, message: BookMessage, crossed: bool, recv_ns: int) -> bool:
        """After levels were applied: cuts the book to the venue's depth, and loses it if it is wrong."""
        if channel.depth:
            book.truncate(channel.depth)
        if message.checksum >= 0 and self._checksums is not None:
            computed = self._checksums.checksum(message, book)
            if computed != message.checksum:
                self._emit(channel, EventKind.CHECKSUM, computed, recv_ns, message.checksum, 0)
                self.counters.checksums_bad += 1
                self._lose(channel, Resync.CHECKSUM, recv_ns)
                return False
            self.counters.checksums_ok += 1
        if crossed:
            self.counters.crossed += 1
            self._lose(channel, Resync.CROSSED, recv_ns)
            self._unreadable(f"{channel.instrument.symbol}: {Resync.CROSSED.value} after update {message.last_seq}")
            return False
        return True

    def _check_levels(self, channel: Channel, message: BookMessage) -> None:
        """Makes sure that the levels can be read, now or when they are applied; refines an inferred instrument.

        Raises:
            MoneyError: A level cannot be read.
        """
        book = channel.book
        assert book is not None
        if book.fits(message.bids, message.asks):
            return
        try:
            book.parsed(message.bids, message.asks)
        except MoneyError:
            rows = list(chain(message.bids, message.asks))
            self._channels.refine(channel, [row[0] for row in rows], [row[1] for row in rows])
            book.parsed(message.bids, message.asks)

    # ---- losing a book ----------------------------------------------------------------------------------------------

    def _numbered(self, message: ConnectionMessage, recv_ns: int) -> bool:
        """The number of a frame on its connection: after a hole no book is believed, nor on another connection."""
        expected, place = self._connection.expected, self._connection.take(message.seq)
        if place is Place.BEGINS:
            self._clear_all()
        for channel in self._channels if place is Place.HOLE else ():
            if channel.book is None or channel.sync.state is not BookState.UNSYNCED:
                channel.sync.broken(expected, message.seq)
                self._gap(channel, recv_ns)
        return False

    def _fault(self, message: FaultMessage, recv_ns: int) -> bool:
        raise RemoteProtocolError(message.reason)

    def _doubt(self, recv_ns: int) -> None:
        """A frame could not be read, and perhaps nothing will tell that a change of a book was in it."""
        silent = self._normalizer.rule is SequenceRule.NONE and self._checksums is None
        for channel in self._channels if silent and self._connection.last == NOTHING_YET else ():
            if channel.sync.state is not BookState.UNSYNCED:
                self._lose(channel, Resync.UNREADABLE, recv_ns)

    def _gap(self, channel: Channel, recv_ns: int) -> None:
        self.counters.gaps += 1
        believed = channel.book is not None and channel.book.view.state != BookState.UNSYNCED
        if channel.book is not None:
            channel.book.clear()
        sync = channel.sync
        self._emit(channel, EventKind.GAP, sync.got, recv_ns, sync.expected, 0)
        if believed or not self._refetch:
            self._ask(channel, Resync.GAP)

    def _lose(self, channel: Channel, why: Resync, recv_ns: int) -> None:
        channel.sync.lost(forget=why is Resync.BAD_LEVEL)
        self._cleared(channel, recv_ns)
        self._ask(channel, why)

    def _cleared(self, channel: Channel, recv_ns: int) -> None:
        if channel.book is not None:
            channel.book.clear()
        self._emit(channel, EventKind.CLEARED, 0, recv_ns, 0, 0)

    def _ask(self, channel: Channel, why: Resync) -> None:
        self.counters.resyncs += 1
        self._on_resync(channel.instrument.venue_symbol, why)

    # ---- events -----------------------------------------------------------------------------------------------------

    def _emit(self, channel: Channel, kind: EventKind, seq: int, recv_ns: int, price: int, qty: int) -> None:
        _RECORD.pack_into(self._record, 0, kind, 0, 0, channel.index, seq, 0, recv_ns, price, qty, 0, 0)
        self._on_event(self.event, channel.book)

    def _emit_book(self, channel: Channel, book: OrderBook, flags: int) -> None:
        cells = book.top
        _RECORD.pack_into(
            self._record, 0, _BOOK, 0, flags, channel.index,
            cells[4], cells[5], cells[6], cells[0], cells[1], cells[2], cells[3],
        )  # fmt: skip
        self._on_event(self.event, book)


assert _RECORD.size == EventView.DTYPE.itemsize
