"""The cards of a feed: it asks for what it needs, notices what it does not get, and does not insist."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar
from urllib.parse import unquote

from attrs import evolve

from bloor.errors import BloorError, RemoteProtocolError
from bloor.hookspecs import FeedSpec
from bloor.market.events import EventKind
from bloor.market.view import BookState
from bloor.model.instrument import Instrument
from bloor.model.symbols import parse_symbol
from bloor.testing.cards.base import Cards, does_not_apply
from bloor.testing.driving import SECOND, Drive, names, shape_of, strange_symbol, text_of
from bloor.testing.examples import for_seeds
from bloor.testing.hostile import ODD_VALUES, Writer
from bloor.testing.listening import Listener
from bloor.testing.sealed import sealed
from bloor.testing.subject import VenueSubject
from bloor.venue.session import FeedSession, Get, Reconnect, Replace, ReplaceableFeed, Send, Tell, WatchfulFeed

__all__ = ["FeedCards"]

#: How soon a feed has its books at a venue that answers at once, in seconds.
SOON = 10
#: How long a dead connection may be taken for alive.
SILENCE = 120


class FeedCards(Cards):
    """What every feed promises.

    Attributes:
        symbols: Canonical symbols to use; empty for the feed's default.
        listing: The venue's list of instruments; empty for that of its simulated venue.
        refusals: Frames with which the venue refuses a subscription; needed without a simulated venue only.
    """

    kind: ClassVar[str] = "feed"
    hook: ClassVar[str] = "bloor_feed"
    symbols: ClassVar[Sequence[str]] = ()
    listing: ClassVar[bytes] = b""
    refusals: ClassVar[Sequence[bytes]] = ()

    @property
    def venue(self) -> VenueSubject:
        """The plug-in."""
        return VenueSubject(self.host, self.plugin, self.symbols, self.listing)

    @property
    def spec(self) -> FeedSpec:
        """What the plug-in hands over."""
        return self.venue.feed

    def capabilities(self) -> dict[str, bool | str]:
        """What its session can do beside the necessary, and what is said of the venue's REST interface."""
        session = self._drive().session
        return {
            "simulated venue": self.venue.has("bloor_simulated_venue"),
            "connection replacement": isinstance(session, ReplaceableFeed),
            "stream watching": isinstance(session, WatchfulFeed),
            "rate limits": bool(self.spec.rest and self.spec.rest.limits),
            "venue time": bool(self.spec.rest and self.spec.rest.time_path),
        }

    # ---- what it is -------------------------------------------------------------------------------------------------

    def test_f01_it_says_where_the_venue_is(self) -> None:
        """The feed has the plug-in's name, a ``prod`` environment with encrypted URLs, and a canonical default symbol.

        The first run of a user names nothing but the venue.
        """
        spec = self.spec
        assert spec.venue == self.plugin, f"venue: expected {self.plugin!r}, got {spec.venue!r}"
        assert "prod" in spec.endpoints, f"endpoints: expected 'prod' among {list(spec.endpoints)}"
        for name, endpoints in spec.endpoints.items():
            for field, url in endpoints._asdict().items():
                scheme = "https://" if field == "rest" else "wss://"
                assert not url or (url.startswith(scheme) and not url.endswith("/")), (
                    f"endpoints[{name!r}].{field}: expected {scheme}... without a slash at the end, got {url!r}"
                )
        named, symbol = parse_symbol(spec.default_symbol)
        assert named is None and symbol == spec.default_symbol, f"default_symbol: got {spec.default_symbol!r}"

    def test_f02_it_lists_instruments(self) -> None:
        """The venue's list becomes instruments of this venue, each symbol once, the default symbol among them.

        Prices and quantities of every order are counted in the units that are read here.
        """
        path = self.spec.instruments_path(self.venue.symbols)
        assert path.startswith("/"), f"instruments_path: expected a path such as /api/instruments, got {path!r}"
        listed = self.venue.listed
        assert listed, "parse_instruments gave nothing for the venue's list"
        strange = [i for i in listed if i.venue != self.plugin or parse_symbol(i.symbol) != (None, i.symbol)]
        assert not strange, f"expected venue {self.plugin!r} and canonical symbols such as BTC-USD, got {strange[0]}"
        for name in ("symbol", "venue_symbol"):
            names = [getattr(i, name) for i in listed]
            twice = {n for n in names if names.count(n) > 1} if len(names) < 2000 else set()
            assert not twice, f"listed twice by {name}: {sorted(twice)[:5]}"
        inferred = [i.symbol for i in listed if i.inferred]
        assert not inferred, f"expected precisions as the venue states them, and {inferred[0]} is marked as inferred"
        self.venue.instruments()

    def test_f03_a_broken_list_is_refused(self) -> None:
        """A list that is cut off, changed, or something else gives instruments or RemoteProtocolError.

        Maintenance pages and error answers come to the same place as the list.
        """
        listing = self.venue.listing

        def refuses(seed: int) -> None:
            writer = Writer(seed, wild=True)
            how = writer.random.choice(["cut", "break", "value"])
            if how == "cut":
                body = listing[: writer.random.randrange(len(listing))]
            elif how == "break":
                body = writer.mutated(listing)
            else:
                body = writer.text(writer.random.choice(ODD_VALUES), tidy=True).encode()
            try:
                found = list(self.spec.parse_instruments(body))
            except RemoteProtocolError:
                return
            except Exception as error:
                raise AssertionError(
                    f"parse_instruments({body!r:.500}) raised {type(error).__name__}: {error}"
                ) from error
            assert all(isinstance(i, Instrument) for i in found), (
                f"parse_instruments({body!r:.300}) gave {found!r:.200}"
            )

        for_seeds(refuses, daily=60)

    def test_f04_its_sessions_are_sessions(self) -> None:
        """What ``build`` makes has everything of :class:`~bloor.venue.session.FeedSession`, and is not ready yet.

        Before ``connected`` nothing is subscribed to, and no timer is due.
        """
        session = self._drive().session
        assert isinstance(session, FeedSession), (
            "expected connected, disconnected, timer, control, touched, resync, responded, url, deadline_ns and ready; "
            "see bloor.venue.session"
        )
        assert not session.ready, "ready: expected False before a connection is open"
        assert session.deadline_ns > 1 << 62, "deadline_ns: expected NEVER before a connection is open"
        base = self.venue.endpoints.streams
        assert session.url.startswith(base), (
            f"url: expected one below {base}, got {session.url!r}; use context.endpoints"
        )

    def test_f05_it_is_sans_io(self) -> None:
        """Two sessions that are told the same ask for the same, without clock, chance or sockets.

        The jitter of waits comes from ``context.seed``. A replay tells it the same again, and must see the same.
        """
        seen = []
        for _ in range(2):
            drive = self._drive()
            with sealed(f"the feed of {self.plugin}"):
                drive.connect()
                drive.run(200)
                drive.disconnect()
                drive.run(5)
                drive.connect()
                drive.run(60, alive=True)
            seen.append(drive.watch.calls)
        assert seen[0] == seen[1], "two sessions of one seed were told the same and asked for different things"

    # ---- subscribing ------------------------------------------------------------------------------------------------

    def test_f06_it_asks_for_every_instrument(self) -> None:
        """Each instrument is named in the URL, a frame or a request, by the time a quiet venue was connected a minute.

        One that is forgotten is a book that nobody misses until it is traded on.
        """
        drive = self._drive()
        drive.connect()
        drive.run(60, alive=True)
        said = unquote(" ".join([drive.session.url, *(text_of(action) for action in drive.asked())])).lower()
        missing = [i.venue_symbol for i in self._with_another() if i.venue_symbol.lower() not in said]
        assert not missing, f"{missing} is in no frame, no request and not in the URL: {said[:500]}"

    def test_f07_it_hears_books_and_trades(self) -> None:
        """At its simulated venue it is ready, every book is synchronised and a trade has come, within ten seconds.

        Subscriptions, acknowledgements, snapshots and their splicing are all in this.
        """
        listener = self.venue.listen()
        listener.run(SOON)
        assert listener.session.ready, f"not ready after {SOON} s; alerts: {listener.alerts[:3]}"
        assert listener.synced, f"not every book is synchronised after {SOON} s; alerts: {listener.alerts[:3]}"
        assert listener.events.get(EventKind.TRADE), f"no trade after {SOON} s: are trades subscribed to?"
        problems = [text for code, text in listener.alerts if code in ("bad_frame", "refused")]
        assert not problems, f"at a venue that does nothing wrong it told: {problems[0]}"

    def test_f08_a_refused_subscription_is_told(self) -> None:
        """When the venue refuses a subscription, or never brings anything of it, a person is told within five minutes.

        Otherwise a strategy waits for ever for a book that will not come. It is asked for an instrument that the
        simulated venue does not list; without one, ``refusals`` are given to it.
        """
        if self.refusals:
            for frame in self.refusals:
                drive = self._drive()
                drive.connect()
                found = drive.session.control(frame, drive.now_ns)
                assert any(isinstance(a, Tell | Reconnect) for a in found), f"nothing was told of {frame!r:.300}"
            return
        world = self.venue.world()
        real = self.venue.instruments()[0]
        strange = _unlisted(real)
        listener = Listener(world, self.spec, self.venue.normalizer, self.venue.config, [real, strange])
        listener.run(300, until=lambda: bool(listener.alerts))
        told = [text for code, text in listener.alerts if code not in ("book_lost", "replacing")]
        assert told, f"the venue does not have {strange.venue_symbol}, and after five minutes nobody was told"

    # ---- time -------------------------------------------------------------------------------------------------------

    def test_f09_its_timers_are_sound(self) -> None:
        """``deadline_ns`` is never in the past after a call, and moves on when its timer was called.

        A session whose deadline stays behind makes the host's loop spin at full load. Tried with a silent venue, one
        that is alive but never answers, one that answers errors, and, where there is one, the simulated venue.
        """
        for alive, answer in ((False, (0, b"")), (True, (0, b"")), (True, (500, b"{}")), (True, (429, b""))):
            drive = self._drive(answer=answer)
            drive.connect()
            drive.run(300, alive=alive)
            assert not drive.watch.problems, "; ".join(drive.watch.problems)
        if self.venue.has("bloor_simulated_venue"):
            listener = self.venue.listen()
            listener.run(30)
            listener.cut()
            listener.run(30)
            assert not listener.watch.problems, "; ".join(listener.watch.problems)

    def test_f10_silence_ends_the_connection(self) -> None:
        """A connection on which nothing arrives for two minutes is given up, after some questions at most.

        TCP does not tell of a peer that is gone; market data that stands still is the most expensive kind.
        """
        drive = self._drive()
        drive.connect()
        drive.run(SILENCE)
        assert drive.reconnects, f"nothing was received for {SILENCE} s and it asked for no other connection"
        asked = [a for a in drive.asked() if isinstance(a, Send)]
        most = (20 + 10 * len(self.venue.instruments())) * (1 + len(drive.reconnects))
        assert len(asked) <= most, f"{len(asked)} frames left in {SILENCE} s of silence; expected {most} at most"

    def test_f11_a_healthy_connection_is_left_alone(self) -> None:
        """For a minute at its simulated venue it asks for no other connection, loses no book, and says little.

        At most a frame in five seconds: venues count them.
        """
        listener = self.venue.listen()
        listener.run(SOON)
        before = listener.world.now_ns
        listener.run(60)
        reconnects = [a for _, a in listener.watch.actions if isinstance(a, Reconnect)]
        assert not reconnects, f"it gave up a healthy connection: {reconnects[0].reason}"
        lost = [text for code, text in listener.alerts if code == "book_lost"]
        assert not lost, f"a book was lost at a venue that does nothing wrong: {lost[0]}"
        said = [a for at, a in listener.watch.actions if at > before and isinstance(a, Send)]
        assert len(said) <= 12, f"it sent {len(said)} frames in a minute of a healthy connection"

    def test_f12_it_does_not_insist(self) -> None:
        """While the venue answers nothing, or errors, it asks again with growing waits: at most every ten seconds.

        For each instrument, in the tenth minute. Venues ban whoever does not stop; a ban costs all books.
        """
        for answer in ((0, b""), (500, b"{}"), (429, b""), (200, b"<html>maintenance</html>")):
            drive = self._drive(answer=answer)
            drive.connect()
            drive.run(540, alive=True)
            since = drive.now_ns
            drive.run(60, alive=True)
            asked = len(drive.asked(since))
            assert asked <= 6 * max(1, len(self.venue.instruments())) + 10, (
                f"{asked} frames and requests left in the tenth minute of a venue that answers {answer}"
            )

    # ---- losing and finding again -----------------------------------------------------------------------------------

    def test_f13_nothing_leaves_a_lost_connection(self) -> None:
        """While there is no connection it is not ready and sends nothing.

        What is sent into a connection that is gone is lost, and nobody knows.
        """
        drive = self._drive()
        drive.run(60)
        assert not drive.asked(), f"before there was a connection it asked for {drive.asked()[0]!r:.200}"
        drive.connect()
        drive.run(5, alive=True)
        drive.disconnect()
        since = drive.now_ns + 1
        assert not drive.session.ready, "ready: expected False after disconnected()"
        drive.now_ns += SECOND
        drive.run(60)
        sent = [a for a in drive.asked(since) if isinstance(a, Send)]
        assert not sent, f"without a connection it sent {sent[0]!r:.200}"

    def test_f14_a_new_connection_is_subscribed_anew(self) -> None:
        """After every loss it asks for the same as the first time, and at its simulated venue every book comes back.

        Nothing survives a connection: no subscription, no sequence number.
        """
        drive = self._drive()
        drive.connect()
        drive.run(30, alive=True)
        first = shape_of(drive.asked())
        drive.disconnect()
        drive.now_ns += SECOND
        since = drive.now_ns
        drive.connect()
        drive.run(30, alive=True)
        second = shape_of(drive.asked(since))
        assert first == second, f"first it asked for {first}, after a loss for {second}"
        if self.venue.has("bloor_simulated_venue"):
            listener = self.venue.listen()
            for _ in range(3):
                listener.run(SOON)
                assert listener.synced, f"books did not come back within {SOON} s; alerts: {listener.alerts[-3:]}"
                listener.cut()

    def test_f15_one_lost_book_leaves_the_others(self) -> None:
        """A resync of one instrument concerns that instrument only; at its simulated venue it is synchronised again.

        One bad book must not cost the others theirs. Venues that number the whole connection lose all; they waive it.
        """
        drive = self._drive()
        drive.connect()
        drive.run(5, alive=True)
        lost, *others = self._with_another()
        actions = drive.session.resync(lost.venue_symbol, drive.now_ns)
        assert not [a for a in actions if isinstance(a, Reconnect)], "it gave up the whole connection for one book"
        said = unquote(" ".join(text_of(action) for action in actions)).lower()
        named = [i.venue_symbol for i in others if names(said, i.venue_symbol.lower())]
        assert not named, f"to get {lost.venue_symbol} back it asked for {named} too: {said[:300]}"
        if self.venue.has("bloor_simulated_venue"):
            self._resync_at_the_venue()

    def test_f16_lost_changes_are_healed(self) -> None:
        """At a simulated venue that loses a change of a book every half minute or so, every book comes back.

        Applies to simulated venues with the fault ``gap``. At most half of the time without a book counts as healed.
        """
        quiet = self.venue.listen()
        quiet.run(SOON)
        changes = max(1, quiet.events.get(EventKind.BOOK, 0)) / SOON
        listener = self._faulty(f"gap:{min(0.5, 1 / (30 * changes)):.5f}")
        states: list[bool] = []
        for _ in range(100):
            listener.run(1)
            states.append(listener.synced)
        lost = [text for code, text in listener.alerts if code == "book_lost"]
        if not lost:
            does_not_apply("its simulated venue lost no change that a book would have missed")
        assert sum(states) > len(states) // 2, f"books were in sync in {sum(states)} of {len(states)} seconds"

    def test_f17_lost_connections_are_healed(self) -> None:
        """At a simulated venue that closes connections, the feed is back after each, and in sync most of the time.

        Applies to simulated venues with the fault ``disconnect``.
        """
        listener = self._faulty("disconnect:12s")
        states: list[bool] = []
        for _ in range(100):
            listener.run(1)
            states.append(listener.synced)
        assert listener.connections >= 3, f"expected lost connections, got {listener.connections} in all"
        assert sum(states) > len(states) // 2, f"books were in sync in {sum(states)} of {len(states)} seconds"

    def test_f18_its_connection_can_be_replaced(self) -> None:
        """Asked to, it moves to a second connection without losing a book, and is as healthy afterwards.

        Applies to :class:`~bloor.venue.session.ReplaceableFeed`: for venues that end a connection when it is old.
        """
        if not isinstance(self._drive().session, ReplaceableFeed):
            does_not_apply("its connection cannot be replaced; when it ends, books are made anew")
        listener = self.venue.listen()
        listener.run(SOON)
        listener.watch.ask_also(Replace("asked by card F18"))
        states: list[bool] = []
        for _ in range(120):
            listener.run(1)
            states.append(listener.synced)
        assert listener.line.replaced == 1, f"expected one replacement; alerts: {listener.alerts[-3:]}"
        assert all(states), "a book was out of sync while the connection was replaced"
        assert not listener.watch.problems, "; ".join(listener.watch.problems)

    # ---- hostile input ----------------------------------------------------------------------------------------------

    def test_f19_hostile_frames_do_no_harm(self) -> None:
        """Whatever ``control`` is given, it answers with actions and raises nothing.

        Everything that the normalizer does not know comes here, unchecked.
        """
        frames = self._control_frames()

        def bears(seed: int) -> None:
            writer = Writer(seed, wild=True)
            drive = self._drive()
            drive.connect()
            for _ in range(5):
                frame = writer.hostile(frames)
                try:
                    drive.session.control(frame, drive.now_ns)
                    drive.session.touched(drive.now_ns)
                    if isinstance(drive.session, WatchfulFeed) and drive.session.watching:
                        drive.session.heard(frame, drive.now_ns)
                except Exception as error:
                    raise AssertionError(f"{frame!r:.800} made it raise {type(error).__name__}: {error}") from error
            drive.run(40, alive=True)
            assert not drive.watch.problems, "; ".join(drive.watch.problems)

        for_seeds(bears, daily=80)

    def test_f20_hostile_answers_do_no_harm(self) -> None:
        """An answer that failed, came late, or belongs to nothing gives no snapshot, and raises nothing.

        Status 0 means that none came at all; a tag of an older connection may still come back.
        """
        drive = self._drive(answer=(200, b"{}"))
        drive.connect()
        tags = [a.tag for a in drive.asked() if isinstance(a, Get)]
        for tag in (*tags, "", "nonsense", "depth:", "depth:NOTLISTED"):
            for status in (0, 301, 403, 404, 418, 429, 500, 503):
                for body in (b"", b"{", b"<html>", b'{"code":-1}', b"\xff"):
                    actions, snapshot = drive.session.responded(tag, status, body, drive.now_ns)
                    assert snapshot is None, f"status {status} of {tag!r} was taken for a book"
                    assert isinstance(actions, Sequence), f"responded() returned {actions!r}"
        for odd in ("", "NOTLISTED"):
            drive.session.resync(odd, drive.now_ns)
        assert not drive.watch.problems, "; ".join(drive.watch.problems)

    def test_f21_rest_is_used_within_limits(self) -> None:
        """The stated rate limits count its own requests, and the venue's time is read or refused in one way.

        Applies to feeds with :class:`~bloor.venue.rest.RestRules`.
        """
        rules = self.spec.rest
        if rules is None:
            does_not_apply("nothing is stated about the venue's REST interface")
        path = self.spec.instruments_path(self.venue.symbols)
        for limit in rules.limits:
            weight = limit.counts(path)
            assert 0 <= weight <= limit.limit, f"the limit {limit.name!r} counts {path!r} as {weight} of {limit.limit}"
        if rules.time_path:
            assert rules.time_path.startswith("/"), f"time_path: expected a path, got {rules.time_path!r}"
            assert rules.parse_time is not None, "parse_time: expected a function, since there is a time_path"
            for body in (b"", b"{", b"[]", b"{}", b"null", b'{"serverTime":"x"}', b"\xff"):
                try:
                    rules.parse_time(body)
                except RemoteProtocolError:
                    continue
                raise AssertionError(f"parse_time({body!r}) read a time where there is none")

    # ---- what the cards need ----------------------------------------------------------------------------------------

    def _drive(self, answer: tuple[int, bytes] = (0, b"")) -> Drive:
        venue = self.venue
        return Drive(venue.feed, venue.config, self._with_another(), venue.endpoints, answer=lambda _tag: answer)

    def _with_another(self) -> list[Instrument]:
        """The instruments, and one that is made up when there is but one, so that there are others."""
        found = self.venue.instruments()
        return found if len(found) > 1 else [*found, _unlisted(found[0])]

    def _faulty(self, faults: str) -> Listener:
        try:
            return self.venue.listen(faults=faults)
        except BloorError as error:
            does_not_apply(f"its simulated venue does not have the fault {faults!r}: {error}")

    def _resync_at_the_venue(self) -> None:
        listener = self.venue.listen()
        listener.run(SOON)
        symbol, book = next(iter(listener.books.items()))
        others = [b for name, b in listener.books.items() if name != symbol]
        listener.line._do(listener.session.resync(symbol, listener.world.now_ns))
        for _ in range(SOON):
            listener.run(1)
            assert all(b.view.state == BookState.SYNCED for b in others), "another book was lost"
        assert book.view.state == BookState.SYNCED, f"{symbol} is not in sync {SOON} s after it was asked for again"

    def _control_frames(self) -> list[bytes]:
        if not self.venue.has("bloor_simulated_venue"):
            return [*self.refusals, b'{"error":"x"}']
        listener = self.venue.listen()
        listener.run(5)
        return [*self.refusals, *listener.frames[:30]]


def _unlisted(real: Instrument) -> Instrument:
    """An instrument that the venue could list and does not."""
    return evolve(real, symbol="QQQQ-ZZZZ", venue_symbol=strange_symbol(real), base="QQQQ", quote="ZZZZ")
