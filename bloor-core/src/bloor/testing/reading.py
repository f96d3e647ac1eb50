"""Stories, that is what a feed has heard, read by a normalizer and its pipeline: as they are, and spoilt."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, TypeVar

from bloor.errors import RemoteProtocolError
from bloor.hookspecs import NormalizerSpec
from bloor.market.events import EventKind, EventView
from bloor.market.instruments import InstrumentTable
from bloor.market.messages import BboMessage, BookMessage, Message, TradeMessage
from bloor.market.normalizer import Normalizer
from bloor.market.pipeline import MarketPipeline
from bloor.market.view import BookState
from bloor.model.instrument import Instrument
from bloor.model.orders import Side
from bloor.testing.hostile import Writer, changed_somewhere, escaped, read
from bloor.testing.listening import Heard

__all__ = [
    "Reader",
    "all_escaped",
    "book_frames",
    "both_written",
    "changes",
    "decoded",
    "hostile_frame",
    "number_texts",
    "rewritten",
    "samples",
    "spoilt",
    "take",
    "tops",
]

T = TypeVar("T")
#: Levels of a book that are compared: what every venue's checksum covers.
DEPTH = 10


class Reader:
    """The reference pipeline of a venue, and what it says.

    Args:
        spec: The venue's normalizer.
        instruments: What is listed.
        infer: Whether others are inferred.

    Attributes:
        pipeline: The pipeline.
        kinds: Kinds of the events so far.
        errors: What was wrong about frames.
    """

    def __init__(self, spec: NormalizerSpec, instruments: Sequence[Instrument], *, infer: bool = True) -> None:
        self.kinds: list[EventKind] = []
        self.errors: list[str] = []
        self.pipeline = MarketPipeline(
            spec.build(), InstrumentTable(instruments), self._event, on_error=self.errors.append, infer=infer
        )

    def _event(self, event: EventView, _book: object) -> None:
        self.kinds.append(EventKind(event.kind))

    def take(self, heard: Heard, recv_ns: int = 0) -> None:
        """Reads one thing."""
        take(self.pipeline, heard, recv_ns)

    def never_wrong(self, truth: Mapping[str, Any], when: str) -> None:
        """Whether every book that is believed is what it truly is.

        Args:
            truth: What :meth:`believed` gives when nothing is done to the frames.
            when: For the message.

        Raises:
            AssertionError: One is believed and wrong.
        """
        for symbol, book in self.believed().items():
            assert symbol not in truth or book == truth[symbol], (
                f"{when}, the book of {symbol} is believed and is {book!r:.500}; the venue's is {truth[symbol]!r:.500}"
            )

    def believed(self) -> dict[str, tuple[Any, Any]]:
        """The best levels of every book that may be believed now, as texts."""
        found = {}
        for book in self.pipeline.books:
            if book.view.state == BookState.SYNCED:
                unit = book.instrument
                found[unit.venue_symbol] = tuple(
                    [
                        (unit.format_price(p).rstrip("0"), unit.format_qty(q).rstrip("0"))
                        for p, q in book.depth(side, DEPTH)
                    ]
                    for side in Side
                )
        return found  # type: ignore[return-value]


def take(pipeline: MarketPipeline, heard: Heard, recv_ns: int) -> None:
    """Gives a pipeline what was heard."""
    if heard.snapshot_of:
        pipeline.snapshot(heard.payload, heard.snapshot_of, recv_ns)
    else:
        pipeline.frame(heard.payload, recv_ns)


def tops(spec: NormalizerSpec, instruments: Sequence[Instrument], story: Sequence[Heard]) -> list[dict[str, Any]]:
    """What is believed of every book after each thing that was heard."""
    reader = Reader(spec, instruments)
    found = []
    for n, heard in enumerate(story):
        reader.take(heard, n)
        found.append(reader.believed())
    return found


def decoded(normalizer: Normalizer, heard: Heard) -> Sequence[Message]:
    """What the normalizer says; RemoteProtocolError as it raises it."""
    if heard.snapshot_of:
        return (normalizer.decode_snapshot(heard.payload, heard.snapshot_of),)
    return tuple(normalizer.decode(heard.payload))


def book_frames(spec: NormalizerSpec, story: Sequence[Heard]) -> dict[int, frozenset[str]]:
    """Which things that were heard are frames with a change of a book (not a snapshot): their number -> whose books."""
    normalizer, found = spec.build(), {}
    for n, heard in enumerate(story):
        try:
            messages = decoded(normalizer, heard)
        except RemoteProtocolError:
            continue
        changes = [m for m in messages if isinstance(m, BookMessage) and not m.snapshot and (m.bids or m.asks)]
        if changes:
            found[n] = frozenset(change.symbol for change in changes)
    return found


def texts_of(message: Message) -> Iterator[str]:
    """The texts of prices and quantities in a message."""
    if isinstance(message, BookMessage):
        for row in (*message.bids, *message.asks):
            yield from row[:2]
    elif isinstance(message, TradeMessage):
        yield from (message.price, message.qty)
    elif isinstance(message, BboMessage):
        yield from (message.bid, message.bid_qty, message.ask, message.ask_qty)


def samples(spec: NormalizerSpec, story: Sequence[Heard], most: int) -> list[Heard]:
    """Frames of every kind of message, spread over a story."""
    normalizer, by_kind = spec.build(), {}  # type: ignore[var-annotated]
    for heard in story:
        if not heard.snapshot_of:
            kind = tuple(sorted({type(m).__name__ for m in decoded(normalizer, heard)}))
            by_kind.setdefault(kind, []).append(heard)
    return [heard for found in by_kind.values() for heard in _spread(found, max(1, most // len(by_kind)))]


def changes(spec: NormalizerSpec, story: Sequence[Heard], most: int) -> list[tuple[int, int]]:
    """Numbers of frames that change a book, each with that of the next frame that changes the same book.

    Raises:
        AssertionError: There is none.
    """
    whose = book_frames(spec, story)
    pairs = []
    for at, symbols in list(whose.items())[1:]:
        later = next((n for n, others in whose.items() if n > at and others >= symbols), None)
        if later is not None:
            pairs.append((at, later))
    assert pairs, "expected frames that change a book after its snapshot; declare other `frames`"
    return _spread(pairs, most)


def both_written(
    spec: NormalizerSpec, story: Sequence[Heard], write: Callable[[bytes], bytes]
) -> Iterator[tuple[bytes, Sequence[Message], Sequence[Message]]]:
    """``(frame written otherwise, what the frame says, what it says written otherwise)`` of sample frames."""
    one, other = spec.build(), spec.build()
    for heard in samples(spec, story, 30):
        text = write(heard.payload)
        yield text, list(decoded(one, heard)), list(decoded(other, heard._replace(payload=text)))


def _spread(found: Sequence[T], most: int) -> list[T]:
    return list(found[:: max(1, len(found) // most)])[:most]


def number_texts(messages: Sequence[Message]) -> Iterator[str]:
    """The texts of prices and quantities in messages that end with a digit."""
    for message in messages:
        yield from (text for text in texts_of(message) if text and text[-1].isdigit())


def all_escaped(frame: bytes) -> bytes:
    """The frame with every string as escapes, keys too."""

    def text(value: Any) -> str:
        if isinstance(value, dict):
            return "{" + ",".join(f"{text(key)}:{text(below)}" for key, below in value.items()) + "}"
        if isinstance(value, list):
            return "[" + ",".join(map(text, value)) + "]"
        if isinstance(value, str):
            return escaped(value)
        return Writer(0, wild=False).text(value, tidy=True)

    return text(read(frame)).encode()


def hostile_frame(writer: Writer, story: Sequence[Heard]) -> bytes:
    """A frame of a story that is broken or changed, seldom one of the large ones; or something else."""
    frame = writer.random.choice(story).payload
    if len(frame) > 5_000 and writer.chance(0.9):
        frame = next((heard.payload for heard in story[::-1] if len(heard.payload) <= 5_000), frame)
    if writer.chance(0.3):
        return rewritten(frame, writer, change=lambda document: changed_somewhere(writer, document), tidy=True)
    return writer.hostile([frame])


def rewritten(
    frame: bytes, writer: Writer, *, change: Callable[[Any], None] = lambda _: None, tidy: bool = False
) -> bytes:
    """The same document written otherwise: keys in another order, with white space; lists and numbers as they were.

    Args:
        frame: A JSON document.
        writer: Where chance comes from.
        change: Something to do to the document first, in place.
        tidy: Keeps order and leaves white space out.
    """
    document = read(frame)
    change(document)
    return writer.text(document, tidy=tidy).encode()


def spoilt(writer: Writer, story: Sequence[Heard]) -> list[Heard]:
    """A part of a story with things done to it: lost, doubled, swapped, rewritten, changed, broken."""
    chance = writer.random
    begin = chance.choice([0, 0, chance.randrange(max(1, len(story) - 10))])
    part = list(story[begin : begin + chance.choice([8, 20, 40])])
    for _ in range(chance.choice([0, 1, 2, 5])):
        if not part:
            break
        at = chance.randrange(len(part))
        how = chance.choice(["lose", "double", "swap", "rewrite", "rewrite", "change", "change", "break"])
        heard = part[at]
        if how == "lose":
            del part[at]
        elif how == "double":
            part.insert(at, heard)
        elif how == "swap":
            other = chance.randrange(len(part))
            part[at], part[other] = part[other], part[at]
        else:
            part[at] = heard._replace(payload=_payload(writer, heard.payload, how))
    return part


def _payload(writer: Writer, payload: bytes, how: str) -> bytes:
    if how == "break":
        return writer.mutated(payload)
    try:
        return rewritten(
            payload,
            writer,
            change=(lambda document: changed_somewhere(writer, document)) if how == "change" else lambda _: None,
            tidy=how == "change" and writer.chance(0.5),
        )
    except (json.JSONDecodeError, UnicodeDecodeError, RecursionError):
        return writer.mutated(payload)
