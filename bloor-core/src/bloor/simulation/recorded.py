"""A market that a recording drives.

Playing begins at the first moment at which a book is known: what lies before is taken in without being sent. From then
on every recorded frame is handed over unchanged, at the recorded pace times the speed, with what it did to the matching
book. With speed 0 frames come as fast as they are taken, :data:`BATCH` in one go. Bare frames, which have no receive
time, come right after the frame before them.
"""

from __future__ import annotations

import weakref
from collections.abc import Generator, Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from bloor.errors import InputFileError, MoneyError
from bloor.market.messages import BboMessage, BookMessage, Message, TradeMessage
from bloor.market.normalizer import ChecksummedNormalizer, Normalizer
from bloor.market.recording import RecordedLine, UnreadableLine, read_recording
from bloor.simulation.exchange import Market
from bloor.simulation.matching import MatchingBook
from bloor.simulation.orders import Outcome
from bloor.simulation.recorded_book import RecordedBook
from bloor.simulation.recording_contents import decoded, examine, recorded_instrument
from bloor.simulation.venue import SimulationOptions
from bloor.venue.session import NEVER

__all__ = ["BATCH", "PlayedFrame", "RecordedMarket"]

#: Lines that one call plays at most when time does not bound it.
BATCH = 256
#: Flat out: how soon the next batch is asked for.
_NEXT_BATCH_NS = 1_000_000
#: Where ids of our own trades begin, beyond those of any recording.
_OWN_TRADE_IDS = 9_000_000_000_000


class PlayedFrame(NamedTuple):
    """A recorded stream frame and what it did to the book of its instrument."""

    line: RecordedLine
    book: RecordedBook | None
    outcomes: list[Outcome]


class RecordedMarket:
    """Plays recordings of one venue.

    Args:
        options: The recordings, the speed and the canonical symbols to play (all, when none is named).
        normalizer: The venue's reference normalizer.
        qty_decimals: Decimals of the venue's printed quantities.

    Attributes:
        markets: Venue symbol -> market.
        books: Venue symbol -> its recorded book.
        deadline_ns: When :meth:`play` wants to be called next.
        finished: Whether the last line was played.
        begun: Whether time is running.

    Raises:
        InputFileError: See :func:`~bloor.simulation.recording_contents.examine`; or a wanted symbol is not recorded.
    """

    def __init__(self, options: SimulationOptions, normalizer: Normalizer, *, qty_decimals: int = 0) -> None:
        self._paths = list(options.recordings)
        self._normalizer = normalizer
        self._cuts = normalizer if isinstance(normalizer, ChecksummedNormalizer) else None
        self._speed = options.speed
        self.markets: dict[str, Market] = {}
        self.books: dict[str, RecordedBook] = {}
        self.deadline_ns = NEVER
        self.finished = False
        self.begun = False
        for name, shown in examine(self._paths, normalizer).items():
            instrument = recorded_instrument(normalizer, name, shown, qty_decimals=qty_decimals)
            if options.symbols and instrument.symbol not in options.symbols:
                continue
            market = Market(instrument, MatchingBook(), publishes_market_trades=False)
            market.last_trade_id = _OWN_TRADE_IDS
            self.markets[name] = market
            self.books[name] = RecordedBook(market, normalizer.rule, aggregated=not shown.trades)
        if not self.markets:
            files, wanted = ", ".join(map(str, self._paths)), ", ".join(options.symbols)
            raise InputFileError(files, f"expected a book with a snapshot of {wanted}, got none")
        self._lines = _stream(self._paths)
        # whoever drops a recording half-played leaves no file open, even where objects refer to each other in circles
        weakref.finalize(self, self._lines.close)
        self._next: RecordedLine | None = None
        self._recv_ns = 0
        self._origin = (0, 0)

    @property
    def flat_out(self) -> bool:
        """Whether time does not bound the pace."""
        return self._speed <= 0

    def start(self) -> None:
        """Takes in everything up to the first known book."""
        while not any(book.known for book in self.books.values()):
            line = next(self._lines)
            self._take(line)
        self._advance_line()

    def begin(self, now_ns: int) -> None:
        """Lets time run; the first frame is due now."""
        if not self.begun:
            self.begun = True
            self._origin = (now_ns, self._recv_ns)
            self._set_deadline(now_ns)

    def pause(self) -> None:
        """Lets time stand still."""
        self.begun = False
        self.deadline_ns = NEVER

    def play(self, now_ns: int) -> Iterator[PlayedFrame]:
        """Everything that is due, at most :data:`BATCH` lines.

        Raises:
            InputFileError: A line cannot be read.
        """
        for _ in range(BATCH):
            line = self._next
            if line is None or not self.begun or (not self.flat_out and self.deadline_ns > now_ns):
                break
            played = self._take(line)
            self._advance_line()
            self._set_deadline(now_ns)
            if line.url is None and (played.book is None or played.book.known):
                yield played

    # -- lines ------------------------------------------------------------------------------------------------------

    def _advance_line(self) -> None:
        self._next = next(self._lines, None)
        if self._next is None:
            self.finished = True
            self.deadline_ns = NEVER
        elif self._next.recv_ns is not None:
            self._recv_ns = max(self._recv_ns, self._next.recv_ns)

    def _set_deadline(self, now_ns: int) -> None:
        if self._next is None:
            self.deadline_ns = NEVER
        elif self.flat_out:
            self.deadline_ns = now_ns + _NEXT_BATCH_NS
        else:
            wall, recorded = self._origin
            self.deadline_ns = wall + int((self._recv_ns - recorded) / self._speed)

    def _take(self, line: RecordedLine) -> PlayedFrame:
        """Applies a line."""
        outcomes: list[Outcome] = []
        book: RecordedBook | None = None
        try:
            for message in decoded(line, self._normalizer):
                book = self._book_of(message)
                if book is not None:
                    outcomes += self._applied(book, message)
        except MoneyError as error:
            raise InputFileError(line.file, str(error), line.line_no) from None
        return PlayedFrame(line, book, outcomes)

    def _applied(self, book: RecordedBook, message: Message) -> list[Outcome]:
        if isinstance(message, BookMessage):
            outcomes = book.book(message)
            depth = 0 if self._cuts is None else self._cuts.depth(message.symbol)
            return outcomes + book.cut(depth) if depth else outcomes
        if isinstance(message, BboMessage):
            return book.bbo(message)
        if isinstance(message, TradeMessage):
            return book.trade(message)
        return []

    def _book_of(self, message: Message) -> RecordedBook | None:
        symbol = getattr(message, "symbol", None)
        if symbol == "" and len(self.books) == 1:
            return next(iter(self.books.values()))
        return self.books.get(symbol) if symbol else None


def _stream(paths: Sequence[Path]) -> Generator[RecordedLine, None, None]:
    """The lines of recordings. Raises InputFileError at one that cannot be read."""
    for line in read_recording(paths):
        if isinstance(line, UnreadableLine):
            raise InputFileError(line.file, line.reason, line.line_no)
        yield line
