"""What is in recordings, found by reading them once before they are played: instruments, precision, snapshots."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

from attrs import define, field

from bloor.errors import InputFileError, MoneyError, RemoteProtocolError
from bloor.market.messages import BboMessage, BookMessage, Message, TradeMessage
from bloor.market.normalizer import Normalizer
from bloor.market.recording import RecordedLine, UnreadableLine, read_recording
from bloor.model.decimals import decimals_of
from bloor.model.instrument import Instrument
from bloor.model.symbols import canonical

__all__ = ["RecordedSymbol", "decoded", "examine", "recorded_instrument"]

#: Decimals of the order lot when no trade shows them.
_DEFAULT_LOT_DECIMALS = 5
#: The largest order that a recorded instrument accepts, in whole base units.
_MAX_BASE = 9_000


@define
class RecordedSymbol:
    """What a recording shows of one instrument.

    Attributes:
        price_decimals: Decimals that its prices need.
        qty_decimals: Decimals that its book quantities need.
        trade_decimals: Decimals that traded quantities need; -1 when nothing traded.
        books: Whether there are changes of its book.
        snapshot: Whether there is a snapshot of its book.
        trades: Whether there are single trades (otherwise aggregated ones drive the queue).
    """

    price_decimals: int = 0
    qty_decimals: int = 0
    trade_decimals: int = -1
    books: bool = False
    snapshot: bool = False
    trades: bool = False


@define
class _Reader:
    """Collects what the lines show; fractions are looked at once."""

    symbols: dict[str, RecordedSymbol] = field(factory=dict)
    fractions: dict[str, int] = field(factory=dict)

    def of(self, name: str) -> RecordedSymbol:
        return self.symbols.setdefault(name, RecordedSymbol())

    def needs(self, text: str) -> int:
        fraction = text.partition(".")[2]
        known = self.fractions.get(fraction)
        if known is None:
            known = self.fractions[fraction] = decimals_of(text)
        return known

    def take(self, message: Message) -> None:
        if isinstance(message, BookMessage):
            symbol = self.of(message.symbol)
            symbol.books |= not message.snapshot
            symbol.snapshot |= message.snapshot
            for levels in (message.bids, message.asks):
                for price, qty in levels:
                    symbol.price_decimals = max(symbol.price_decimals, self.needs(price))
                    symbol.qty_decimals = max(symbol.qty_decimals, self.needs(qty))
        elif isinstance(message, TradeMessage):
            symbol = self.of(message.symbol)
            symbol.trades |= not message.aggregated
            symbol.price_decimals = max(symbol.price_decimals, self.needs(message.price))
            symbol.trade_decimals = max(symbol.trade_decimals, self.needs(message.qty))
        elif isinstance(message, BboMessage):
            symbol = self.of(message.symbol)
            symbol.price_decimals = max(symbol.price_decimals, self.needs(message.bid), self.needs(message.ask))
            symbol.qty_decimals = max(symbol.qty_decimals, self.needs(message.bid_qty), self.needs(message.ask_qty))


def decoded(line: RecordedLine, normalizer: Normalizer) -> Sequence[Message]:
    """The messages of a recorded line; a REST depth answer gets its symbol from its URL.

    Raises:
        InputFileError: The line is not a frame of the venue.
    """
    try:
        if line.url is None:
            return normalizer.decode(line.payload)
        if "depth" not in urlsplit(line.url).path:
            return ()
        symbol = parse_qs(urlsplit(line.url).query).get("symbol", [""])[0]
        return (normalizer.decode_snapshot(line.payload, symbol),)
    except RemoteProtocolError as error:
        raise InputFileError(line.file, f"expected a frame of {normalizer.venue}: {error}", line.line_no) from None


def examine(paths: Sequence[Path], normalizer: Normalizer) -> dict[str, RecordedSymbol]:
    """Reads recordings once.

    Args:
        paths: Recording files.
        normalizer: The venue's reference normalizer.

    Returns:
        Venue symbol -> what is shown of it, for every symbol with a book.

    Raises:
        InputFileError: A file cannot be read, a line is no frame of the venue, or no book has a snapshot.
    """
    reader = _Reader()
    for line in read_recording(paths):
        if isinstance(line, UnreadableLine):
            raise InputFileError(line.file, line.reason, line.line_no)
        try:
            for message in decoded(line, normalizer):
                reader.take(message)
        except MoneyError as error:
            raise InputFileError(line.file, str(error), line.line_no) from None
    names = ", ".join(str(path) for path in paths)
    symbols = _named(reader.symbols, names)
    known = {name: symbol for name, symbol in symbols.items() if symbol.snapshot}
    if not known:
        books = ", ".join(symbols) or "none"
        raise InputFileError(
            names,
            "expected a snapshot of a book (a REST depth answer or a snapshot frame), got none; "
            f"books that only change: {books}. Changes alone make no market: add the file with the snapshot",
        )
    return known


def _named(symbols: dict[str, RecordedSymbol], names: str) -> dict[str, RecordedSymbol]:
    """Gives a snapshot without a symbol to the only book there is."""
    unnamed = symbols.pop("", None)
    if unnamed is None:
        return symbols
    owners = [name for name, symbol in symbols.items() if symbol.books]
    if len(owners) != 1:
        books = ", ".join(owners) or "none"
        raise InputFileError(names, f"a snapshot without a symbol: expected changes of exactly one book, got {books}")
    owner = symbols[owners[0]]
    owner.snapshot = True
    owner.price_decimals = max(owner.price_decimals, unnamed.price_decimals)
    owner.qty_decimals = max(owner.qty_decimals, unnamed.qty_decimals)
    return symbols


def recorded_instrument(
    normalizer: Normalizer, venue_symbol: str, shown: RecordedSymbol, *, qty_decimals: int = 0
) -> Instrument:
    """The instrument of a recorded symbol, its tick and lot as fine as the recorded numbers.

    Args:
        normalizer: The venue's reference normalizer.
        venue_symbol: The venue's name of it.
        shown: What the recording shows.
        qty_decimals: Decimals of quantities at least: the venue's printed precision.
    """
    base, quote = normalizer.split(venue_symbol)
    lot_decimals = shown.trade_decimals if shown.trade_decimals >= 0 else min(_DEFAULT_LOT_DECIMALS, shown.qty_decimals)
    decimals = max(qty_decimals, shown.qty_decimals, lot_decimals)
    lot_units = 10 ** (decimals - lot_decimals)
    return Instrument(
        venue=normalizer.venue,
        symbol=canonical(base, quote),
        venue_symbol=venue_symbol,
        base=base,
        quote=quote,
        price_decimals=shown.price_decimals,
        qty_decimals=decimals,
        lot_units=lot_units,
        max_lots=_MAX_BASE * 10**decimals // lot_units,
    )
