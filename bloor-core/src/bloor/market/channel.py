"""What a pipeline keeps for each instrument, and how it comes to know one."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, NamedTuple

from attrs import define

from bloor.market.book import OrderBook
from bloor.market.messages import BookMessage
from bloor.market.normalizer import ChecksummedNormalizer, Normalizer
from bloor.market.sync import BookSync
from bloor.model.instrument import Instrument

if TYPE_CHECKING:
    from bloor.market.instruments import InstrumentTable

__all__ = ["Channel", "Channels", "Held"]


class Held(NamedTuple):
    """A change that waits for a snapshot, and when it was received."""

    message: BookMessage
    recv_ns: int


@define(eq=False)
class Channel:
    """One instrument in a pipeline.

    Attributes:
        index: Its index in the table.
        instrument: The instrument as it is now.
        sync: The synchronisation of its book.
        book: Its book, once there was a book message or the instrument was tracked.
        depth: Levels a side that the venue's book keeps; 0 for all.
        newest_trade: Number of the newest trade that the reference took; -1 before the first one.
    """

    index: int
    instrument: Instrument
    sync: BookSync[Held]
    book: OrderBook | None = None
    depth: int = 0
    newest_trade: int = -1


class Channels:
    """The channels of a pipeline by venue symbol; ``get`` is a dictionary's, and gives None for what is not known."""

    def __init__(
        self,
        normalizer: Normalizer,
        table: InstrumentTable,
        *,
        wanted: Callable[[Instrument], bool] | None,
        infer: bool,
        assume_empty: bool,
        held_limit: int,
        new_book: Callable[[Instrument], OrderBook],
    ) -> None:
        """Knows no instrument yet; ``new_book`` makes a book, the others are of ``MarketPipeline``."""
        self._normalizer = normalizer
        self._checksums = normalizer if isinstance(normalizer, ChecksummedNormalizer) else None
        self._table = table
        self._wanted = wanted or _every
        self._infer = infer
        self._assume_empty = assume_empty
        self._held_limit = held_limit
        self._new_book = new_book
        self._known: dict[str, Channel | None] = {}
        self.get = self._known.get

    def __iter__(self) -> Iterator[Channel]:
        return (channel for channel in self._known.values() if channel is not None)

    def find(self, venue_symbol: str) -> Channel | None:
        """The channel of a symbol, made when it is first named; None when it is not wanted."""
        if venue_symbol in self._known:
            return self._known[venue_symbol]
        venue = self._normalizer.venue
        index = self._table.index_of(venue, venue_symbol)
        if index < 0 and self._infer:
            base, quote = self._normalizer.split(venue_symbol)
            index = self._table.infer(venue, venue_symbol, base, quote)
        channel = None
        if index >= 0 and self._wanted(self._table[index]):
            channel = Channel(index, self._table[index], BookSync(self._normalizer.rule, held_limit=self._held_limit))
            if self._checksums is not None:
                channel.depth = self._checksums.depth(venue_symbol)
        self._known[venue_symbol] = channel
        return channel

    def track(self, instrument: Instrument) -> Channel:
        """The channel of an instrument, with a book; it is added to the table if it is not there.

        Raises:
            ValueError: The pipeline does not want it.
        """
        if self._table.index_of(instrument.venue, instrument.venue_symbol) < 0:
            self._table.add(instrument)
        channel = self.find(instrument.venue_symbol)
        if channel is None:
            raise ValueError(f"{instrument.symbol} is not wanted by this pipeline")
        if channel.book is None:
            self.make_book(channel)
        return channel

    def make_book(self, channel: Channel) -> OrderBook:
        """Gives a channel its book."""
        book = channel.book = self._new_book(channel.instrument)
        if self._assume_empty:
            channel.sync.assume_empty()
            book.view.state = channel.sync.state
            book.view.seq = channel.sync.last
        return book

    def refine(self, channel: Channel, prices: Sequence[str], quantities: Sequence[str]) -> Instrument:
        """Refines an inferred instrument, and its book with it.

        Returns:
            The instrument as it is now, the same if it was not inferred.

        Raises:
            MoneyError: A text is not a plain number, or the book does not fit the finer units.
        """
        old = channel.instrument
        if not old.inferred:
            return old
        refined = self._table.refine(channel.index, prices, quantities)
        if refined is not old:
            if channel.book is not None:
                channel.book.rescale(refined)
            channel.instrument = refined
        return refined


def _every(_: Instrument) -> bool:
    """Every instrument is wanted."""
    return True
