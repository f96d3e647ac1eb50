"""The cards of a normalizer: exact, never surprised, never believing what it cannot know, and one in both forms."""

from __future__ import annotations

import re
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any, ClassVar

import pytest

from bloor.errors import InputFileError, RemoteProtocolError
from bloor.hookspecs import NormalizerSpec
from bloor.market.compiled.pipeline import CompiledPipeline, market_pipeline
from bloor.market.events import EventKind
from bloor.market.instruments import InstrumentTable
from bloor.market.messages import BboMessage, BookMessage, ConnectionMessage, KlineMessage, Message, TradeMessage
from bloor.market.normalizer import ChecksummedNormalizer, SequenceRule
from bloor.model.instrument import Instrument
from bloor.testing.bothpipelines import BothPipelines
from bloor.testing.cards.base import Cards, does_not_apply
from bloor.testing.examples import for_seeds
from bloor.testing.hostile import EXTRA, Writer, objects_of
from bloor.testing.listening import Heard
from bloor.testing.reading import (
    Reader,
    all_escaped,
    book_frames,
    both_written,
    changes,
    decoded,
    hostile_frame,
    number_texts,
    rewritten,
    samples,
    spoilt,
    take,
    tops,
)
from bloor.testing.sealed import sealed
from bloor.testing.subject import VenueSubject

__all__ = ["NormalizerCards"]

#: How much of a simulated venue's stream is read, in seconds and in frames.
SECONDS, FRAMES = 20, 500


class NormalizerCards(Cards):
    """What every normalizer promises.

    Attributes:
        frames: Frames of one connection in order, as the venue sends them: a snapshot, changes, trades. Empty for what
            the plug-in's feed hears from its simulated venue.
        snapshots: REST answers with the book of an instrument, by the venue's symbol, that come before the frames.
        symbols: Canonical symbols to use; empty for the feed's default.
        listing: The venue's list of instruments; empty for that of its simulated venue.
    """

    kind: ClassVar[str] = "normalizer"
    hook: ClassVar[str] = "bloor_normalizer"
    frames: ClassVar[Sequence[bytes]] = ()
    snapshots: ClassVar[dict[str, bytes]] = {}
    symbols: ClassVar[Sequence[str]] = ()
    listing: ClassVar[bytes] = b""
    _story: ClassVar[list[Heard] | None] = None
    _listed: ClassVar[list[Instrument] | None] = None

    @property
    def venue(self) -> VenueSubject:
        """The plug-in."""
        return VenueSubject(self.host, self.plugin, self.symbols, self.listing)

    @property
    def spec(self) -> NormalizerSpec:
        """What the plug-in hands over."""
        return self.venue.normalizer

    @property
    def story(self) -> list[Heard]:
        """The frames that are read."""
        cls = type(self)
        if cls._story is None:
            if self.frames:
                rest = [Heard(body, symbol) for symbol, body in self.snapshots.items()]
                cls._story = [*rest, *(Heard(frame) for frame in self.frames)]
            else:
                listener = self.venue.listen()
                listener.run(SECONDS, until=lambda: len(listener.story) >= FRAMES)
                cls._story = listener.story
        assert cls._story, f"{cls.__name__}.frames: expected frames of the venue, got none"
        return cls._story

    @property
    def instruments(self) -> list[Instrument]:
        """What is listed, of the symbols that are used."""
        cls = type(self)
        if cls._listed is None:
            venue = self.venue
            cls._listed = venue.instruments() if self.listing or venue.has("bloor_simulated_venue") else []
        return cls._listed

    @property
    def messages(self) -> list[Message]:
        """Everything that the frames say."""
        normalizer = self.spec.build()
        return [message for heard in self.story for message in decoded(normalizer, heard)]

    def capabilities(self) -> dict[str, bool | str]:
        """Its compiled form, how the venue protects its books, and what is read."""
        normalizer = self.spec.build()
        has: dict[str, bool | str] = {
            "compiled form": self.spec.compiled is not None,
            "checksum": isinstance(normalizer, ChecksummedNormalizer),
            "numbered books": normalizer.rule is not SequenceRule.NONE,
        }
        names = {ConnectionMessage: "numbered connection", BboMessage: "best bid and offer", KlineMessage: "candles"}
        kinds = {type(message) for message in self.messages}
        return has | {name: kind in kinds for kind, name in names.items()}

    # ---- what it is -------------------------------------------------------------------------------------------------

    def test_n01_it_is_what_a_pipeline_needs(self) -> None:
        """It has the plug-in's name as its venue, a sequence rule, and everything that the protocol asks for.

        :class:`~bloor.market.normalizer.Normalizer` says what that is.
        """
        normalizer = self.spec.build()
        assert normalizer.venue == self.plugin, f"venue: expected {self.plugin!r}, got {normalizer.venue!r}"
        assert isinstance(normalizer.rule, SequenceRule), f"rule: expected a SequenceRule, got {normalizer.rule!r}"
        missing = [
            name for name in ("decode", "decode_snapshot", "split") if not callable(getattr(normalizer, name, 0))
        ]
        assert not missing, f"expected the methods {', '.join(missing)}; see bloor.market.normalizer"

    def test_n02_it_reads_its_venue(self) -> None:
        """Every frame of a connection is read without an error; there is a book in them, and a trade.

        Acknowledgements, heartbeats and the like are ``OtherMessage``: valid, and not normalized.
        """
        kinds = {type(message) for message in self.messages}
        missing = [kind.__name__ for kind in (BookMessage, TradeMessage) if kind not in kinds]
        assert not missing, f"expected {' and '.join(missing)} in {len(self.story)} frames; declare other `frames`"
        reader = Reader(self.spec, self.instruments)
        for n, heard in enumerate(self.story):
            reader.take(heard, n)
        assert not reader.errors, f"a frame of the venue was an error: {reader.errors[0]}"
        assert EventKind.GAP not in reader.kinds, "a gap was seen in frames of which none is missing"
        assert EventKind.CHECKSUM not in reader.kinds, "a checksum was wrong in frames that are unchanged"
        assert reader.believed(), "no book was synchronised; frames must hold a snapshot, or `snapshots` must"

    # ---- hostile input ----------------------------------------------------------------------------------------------

    def test_n03_hostile_frames_are_refused_in_one_way(self) -> None:
        """Whatever bytes come, ``decode`` returns messages or raises RemoteProtocolError, and nothing else.

        Any other exception would leave the pipeline and end the run: a frame is somebody else's text.
        """

        def refuses(seed: int) -> None:
            writer = Writer(seed, wild=True)
            frame = hostile_frame(writer, self.story)
            try:
                list(self.spec.build().decode(frame))
            except RemoteProtocolError:
                return
            except Exception as error:
                raise AssertionError(f"decode({frame!r:.2000}) raised {type(error).__name__}: {error}") from error

        for_seeds(refuses, daily=500)

    def test_n04_hostile_snapshots_are_refused_in_one_way(self) -> None:
        """The same holds for ``decode_snapshot``: error answers, wrong documents, broken bytes.

        A REST answer is as much somebody else's text as a frame is.
        """
        bodies = [heard.payload for heard in self.story if heard.snapshot_of] or [self.story[0].payload]

        def refuses(seed: int) -> None:
            writer = Writer(seed, wild=True)
            body = (
                writer.mutated(writer.random.choice(bodies))
                if writer.chance(0.6)
                else hostile_frame(writer, self.story)
            )
            try:
                self.spec.build().decode_snapshot(body, writer.random.choice(["", "X", "A/B", "BTCUSDT"]))
            except RemoteProtocolError:
                return
            except Exception as error:
                raise AssertionError(
                    f"decode_snapshot({body!r:.2000}) raised {type(error).__name__}: {error}"
                ) from error

        for_seeds(refuses, daily=150)

    def test_n05_a_truncated_frame_is_an_error(self) -> None:
        """Every beginning of a frame that is not the whole frame is refused.

        Half a book message that is taken for a whole one is a book that is wrong.
        """
        for heard in samples(self.spec, self.story, 4):
            frame = heard.payload.rstrip()
            for end in {*range(0, len(frame), max(1, len(frame) // 40)), len(frame) - 1}:
                with pytest.raises(RemoteProtocolError):
                    list(self.spec.build().decode(frame[:end]))
                    pytest.fail(f"{frame[:end]!r:.300} was read, and it is cut off", pytrace=False)

    def test_n06_errors_can_be_read(self) -> None:
        """The message of an error is one line of at most 400 characters, however long the frame is.

        It goes to the journal, to a counter and to a person; a frame may have five megabytes.
        """
        writer = Writer(1, wild=True)
        wrong = [b"", b"{", b"\xff" * 1000, b'{"a":"' + b"x" * 100_000 + b'"', b"[" * 20_000]
        wrong += [hostile_frame(writer, [heard]) for heard in samples(self.spec, self.story, 60)]
        for frame in wrong:
            try:
                list(self.spec.build().decode(frame))
            except RemoteProtocolError as error:
                text = str(error)
                assert text and len(text) <= 400 and "\n" not in text, (
                    f"expected one line of at most 400 characters, got {len(text)}: {text[:200]!r}"
                )

    def test_n07_a_pipeline_bears_it(self) -> None:
        """A pipeline that is given a spoilt stream counts every frame as a message or an error, and never raises.

        Frames are lost, doubled, swapped, rewritten, changed and broken.
        """

        def bears(seed: int) -> None:
            reader = Reader(self.spec, self.instruments)
            part = spoilt(Writer(seed, wild=True), self.story)
            for n, heard in enumerate(part):
                reader.take(heard, n)
            counters = reader.pipeline.counters
            crossed = counters.crossed
            assert counters.messages + counters.errors - crossed == len(part), (
                f"{len(part)} frames were counted as {counters.messages} messages and {counters.errors} errors"
            )

        for_seeds(bears, daily=150)

    # ---- JSON is JSON -----------------------------------------------------------------------------------------------

    def test_n08_order_and_white_space_do_not_matter(self) -> None:
        """A frame written with its keys in another order, and with white space, says the same.

        A venue may write its JSON otherwise from one day to the next.
        """
        writer = Writer(7, wild=False)
        for heard, before, after in both_written(self.spec, self.story, lambda frame: rewritten(frame, writer)):
            assert after == before, f"{heard!r:.1500} says {after!r:.600}, and as the venue wrote it {before!r:.600}"

    def test_n09_unknown_fields_do_not_matter(self) -> None:
        """A field that nobody knows changes nothing, in whichever object it stands.

        Venues add fields without a word, and say that clients must bear it.
        """
        writer = Writer(8, wild=False)

        def extended(document: Any) -> None:
            for n, inner in enumerate(list(objects_of(document))):
                inner.setdefault(f"bloor_unknown_{n}", EXTRA[n % len(EXTRA)][1])

        for heard, before, after in both_written(
            self.spec, self.story, lambda f: rewritten(f, writer, change=extended, tidy=True)
        ):
            assert after == before, f"{heard!r:.1500} says {after!r:.600}, and without the field {before!r:.600}"

    def test_n10_escapes_do_not_matter(self) -> None:
        r"""A string written as ``\u0042\u0054\u0043`` is the string ``BTC``, in keys and in values.

        JSON says so, and the bytes of a frame are the venue's choice.
        """
        for heard, before, after in both_written(self.spec, self.story, all_escaped):
            assert after == before, f"{heard!r:.1500} says {after!r:.600}, and without escapes {before!r:.600}"

    # ---- exactness --------------------------------------------------------------------------------------------------

    def test_n11_numbers_stay_exact(self) -> None:
        """Prices and quantities are the venue's own text, digit by digit: no float was on the way.

        ``0.1`` has no exact float, and 9007199254740993 neither. The texts are looked for in the frame, and one with
        more digits than a float holds is put in their place.
        """
        normalizer = self.spec.build()
        tried = 0
        for heard in samples(self.spec, self.story, 40):
            for text in list(number_texts(decoded(normalizer, heard)))[:4]:
                assert text.encode() in heard.payload, f"the text {text!r} does not stand in {heard.payload!r:.600}"
                longer = "123456789012.123456789012345678"
                whole = rb"(?<![\w.])" + re.escape(text.encode()) + rb"(?![\w.])"
                replaced = re.sub(whole, longer.encode(), heard.payload, count=1)
                try:
                    found = list(number_texts(decoded(self.spec.build(), heard._replace(payload=replaced))))
                except RemoteProtocolError:
                    continue  # the text stands in another field too
                if longer.encode() in replaced and text not in found[:1]:
                    tried += longer in found
                    close = [t for t in found if t.startswith("12345678901") and t != longer]
                    assert not close, f"the venue's text {longer} became {close[0]}"
        assert tried, "no price or quantity could be followed through decode(); declare `frames` with levels"

    def test_n12_inferred_precision_is_exact(self) -> None:
        """Of an instrument that is not listed, the books have the same prices and quantities.

        ``bloor data normalize`` reads recordings whose instruments nobody lists any more.
        """
        listed = tops(self.spec, self.instruments, self.story)[-1]
        inferred = tops(self.spec, [], self.story)[-1]
        assert listed == inferred, f"listed, the books are {listed!r:.800}; inferred, {inferred!r:.800}"

    def test_n13_it_is_pure(self) -> None:
        """Two normalizers that are given the same frames say the same, without clock, chance or files.

        A replay reads the same frames again.
        """
        first = self.messages
        normalizer = self.spec.build()
        with sealed(f"the normalizer of {self.plugin}"):
            second = [message for heard in self.story for message in decoded(normalizer, heard)]
        assert first == second, "two normalizers read the same frames and say different things"

    # ---- what can be believed ---------------------------------------------------------------------------------------

    def test_n14_a_lost_frame_is_noticed(self) -> None:
        """Without one of its changes a book is never believed and wrong, and the loss is reported.

        By the sequence rule, the connection's numbers or the checksum, whichever the venue has.
        """
        self._needs_protection()
        truth = tops(self.spec, self.instruments, self.story)
        for lost, noticed in changes(self.spec, self.story, 10):
            reader = Reader(self.spec, self.instruments)
            for n, heard in enumerate(self.story):
                if n != lost:
                    reader.take(heard, n)
                if n >= noticed:
                    reader.never_wrong(truth[n], f"frame {lost} was left out, and after frame {n}")
            told = {EventKind.GAP, EventKind.CHECKSUM, EventKind.CLEARED} & set(reader.kinds)
            assert told or reader.believed() == truth[-1], f"frame {lost} was left out, and nobody was told"

    def test_n15_an_unreadable_change_is_not_believed(self) -> None:
        """After a change that cannot be read, no book is believed that lacks it.

        Its price was made ``"x"``. The change is an error, and the book is lost at once or at the next frame.
        """
        truth = tops(self.spec, self.instruments, self.story)
        normalizer = self.spec.build()
        for at, noticed in changes(self.spec, self.story, 6):
            heard = self.story[at]
            message = next(m for m in decoded(normalizer, heard) if isinstance(m, BookMessage) and (m.bids or m.asks))
            price = (*message.bids, *message.asks)[0][0]
            bad = re.sub(rb'"?' + re.escape(price.encode()) + rb'"?', b'"x"', heard.payload, count=1)
            reader = Reader(self.spec, self.instruments)
            for n, each in enumerate(self.story):
                reader.take(Heard(bad) if n == at else each, n)
                if n >= noticed:
                    reader.never_wrong(truth[n], f"frame {at} was unreadable, and after frame {n}")
            assert reader.errors, f"the price {price} of frame {at} was made 'x', and no error was told"

    def test_n16_a_wrong_digit_is_caught_at_its_message(self) -> None:
        """With a checksum, a book whose price or quantity was changed by one digit is not believed after that message.

        Applies to venues that say checksums. Best ten levels: further down most venues' checksums do not look.
        """
        if not isinstance(self.spec.build(), ChecksummedNormalizer):
            does_not_apply("the venue says no checksums")
        truth = tops(self.spec, self.instruments, self.story)
        normalizer = self.spec.build()
        for at, _ in changes(self.spec, self.story, 8):
            for text in list(number_texts(decoded(normalizer, self.story[at])))[:3]:
                changed = text[:-1] + str((int(text[-1]) + 1) % 10)
                payload = self.story[at].payload.replace(text.encode(), changed.encode(), 1)
                reader = Reader(self.spec, self.instruments)
                for n, heard in enumerate(self.story[:at]):
                    reader.take(heard, n)
                reader.take(Heard(payload), at)
                reader.never_wrong(truth[at], f"{text} was made {changed} in frame {at}")

    def test_n17_after_a_reset_nothing_is_left(self) -> None:
        """A pipeline whose connection was lost believes nothing, and reads the next connection as a new one does.

        What is true of one connection is not true of the next.
        """
        truth = tops(self.spec, self.instruments, self.story)[-1]
        reader = Reader(self.spec, self.instruments)
        for heard in self.story[: len(self.story) // 2]:
            reader.take(heard)
        reader.pipeline.reset()
        assert not reader.believed(), f"after reset() {list(reader.believed())} is still believed"
        for heard in self.story:
            reader.take(heard)
        assert reader.believed() == truth, "the same frames gave other books on a second connection"

    # ---- both forms -------------------------------------------------------------------------------------------------

    def test_n18_both_forms_are_one(self) -> None:
        """The compiled form says and counts what the reference does, frame by frame, and the books are the same.

        Applies to normalizers with a compiled form.
        """
        self._needs_compiled()
        both = BothPipelines(self.spec, self.instruments)
        for heard in self.story:
            both.take(heard)
        both.settle()

    def test_n19_both_forms_are_one_on_hostile_streams(self) -> None:
        """So it is when frames are lost, doubled, swapped, written otherwise, changed and broken.

        What compiled code is not wholly sure of it leaves to the reference, and leaves everything as it was.
        """
        self._needs_compiled()

        def same(seed: int) -> None:
            writer = Writer(seed, wild=True)
            both = BothPipelines(
                self.spec, self.instruments if writer.chance(0.7) else (), infer=writer.chance(0.8),
                refetch=writer.chance(0.5), assume_empty=writer.chance(0.3), held_limit=4,
            )  # fmt: skip
            for heard in spoilt(writer, self.story):
                both.take(heard)
                if writer.chance(0.01):
                    both.reset()
            both.settle()

        for_seeds(same, daily=200)

    def test_n20_the_compiled_form_is_used(self) -> None:
        """It takes at least half of the changes of books itself.

        They are the bulk of market data; a compiled form that is never sure costs time and saves none.
        """
        self._needs_compiled()
        pipeline = market_pipeline(self.spec, InstrumentTable(self.instruments), lambda _event, _book: None)
        assert isinstance(pipeline, CompiledPipeline)
        of_books = book_frames(self.spec, self.story)
        taken = 0
        for n, heard in enumerate(self.story):
            _ = pipeline.counters  # empties what is counted by kind
            take(pipeline, heard, n)
            taken += n in of_books and int(pipeline.taken.sum())
        assert taken * 2 >= len(of_books), f"it took {taken} of {len(of_books)} changes; the rest went to the reference"

    # ---- instruments ------------------------------------------------------------------------------------------------

    def test_n21_symbols_are_split(self) -> None:
        """``split`` gives base and quote of every instrument that is listed, and something of any text.

        It is the best guess where there is no list, and must not raise: frames name instruments that nobody lists.
        """
        normalizer = self.spec.build()
        wrong = {
            i.venue_symbol: normalizer.split(i.venue_symbol) for i in self.instruments
            if normalizer.split(i.venue_symbol) != (i.base, i.quote)
        }  # fmt: skip
        assert not wrong, f"split() gave {wrong}; the list says otherwise"
        for text in ("", "/", "-", "A", "ABCDEFGH", "A/B/C", "é", "x" * 300):
            guess: Any = normalizer.split(text)
            assert [type(part) for part in guess] == [str, str], f"split({text!r}) gave {guess!r}"

    def test_n22_instrument_files_are_read_or_refused(self) -> None:
        """A file with the venue's list gives its instruments; one that is none is refused with its name.

        ``--instruments FILE`` is what a user types; a traceback is no answer.
        """
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "instruments.json"
            writer = Writer(3, wild=True)
            listing = self.venue.listing if self.listing or self.venue.has("bloor_simulated_venue") else b"{}"
            wrong = [b"", b"{", b"\xff\xfe", b"[]", b"{}", b"null", b'{"error":"no"}', listing[: len(listing) // 2]]
            for body in [*wrong, *(writer.mutated(listing[:20_000]) for _ in range(10))]:
                path.write_bytes(body)
                try:
                    self.spec.instruments(path)
                except InputFileError as error:
                    assert path.name in str(error), f"expected a message that names the file, got: {error}"
            with pytest.raises(InputFileError):
                self.spec.instruments(Path(folder) / "missing.json")
            if listing != b"{}":
                path.write_bytes(listing)
                found = {i.venue_symbol: i for i in self.spec.instruments(path)}
                same = all(found.get(i.venue_symbol) == i for i in self.instruments)
                assert same, "the file gave other instruments than the venue's answer; read both in one way"

    # ---- what the cards need ----------------------------------------------------------------------------------------

    def _needs_protection(self) -> None:
        normalizer = self.spec.build()
        protected = isinstance(normalizer, ChecksummedNormalizer) or normalizer.rule is not SequenceRule.NONE
        if not protected and not any(isinstance(m, ConnectionMessage) for m in self.messages):
            does_not_apply("the venue numbers nothing and says no checksums: a lost frame cannot be noticed")

    def _needs_compiled(self) -> None:
        if self.spec.compiled is None:
            does_not_apply("it has no compiled form; with one a frame costs about a microsecond")
