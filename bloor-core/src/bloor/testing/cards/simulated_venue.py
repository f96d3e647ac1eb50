"""The cards of a simulated venue: the same each time, true to itself, strict with clients, and not to be crashed."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from decimal import Decimal
from typing import Any, ClassVar

from bloor.errors import BloorError, UsageError
from bloor.host.probe import smallest_order
from bloor.market.book import OrderBook
from bloor.market.events import EventKind, EventView
from bloor.market.normalizer import ChecksummedNormalizer
from bloor.model.orders import OrderType, ReportKind, Side
from bloor.simulation.faults import Fault
from bloor.simulation.venue import HttpRequest, SimulatedVenue
from bloor.testing.cards.base import Cards, does_not_apply
from bloor.testing.examples import for_seeds
from bloor.testing.hostile import Writer, hostile_request
from bloor.testing.keys import exchanged
from bloor.testing.listening import HOST, Listener
from bloor.testing.subject import VenueSubject
from bloor.testing.trading import Trader, asked_at_once, holdings_of
from bloor.venue.account import AccountState
from bloor.venue.session import NEVER, Endpoints

__all__ = ["SimulatedVenueCards"]

_START_NS = 1_700_000_000_000_000_000
#: Levels that the book has soon after the start, and what the account holds at least.
LEVELS, QUOTE, BASE = 20, 100_000, 10
#: Levels that are compared between two views of a book.
COMPARED = 10
#: The values of the faults that are tried.
RATES = {Fault.DISCONNECT: "10s", Fault.GAP: "0.05", Fault.DUPLICATE: "0.2", Fault.RATE_LIMIT: "0.3"}


class SimulatedVenueCards(Cards):
    """What every simulated venue promises.

    Attributes:
        symbols: Canonical symbols to use; empty for the feed's default.
    """

    kind: ClassVar[str] = "simulated venue"
    hook: ClassVar[str] = "bloor_simulated_venue"
    symbols: ClassVar[Sequence[str]] = ()

    @property
    def venue(self) -> VenueSubject:
        """The plug-in."""
        return VenueSubject(self.host, self.plugin, self.symbols)

    def capabilities(self) -> dict[str, bool | str]:
        """Which faults it knows."""
        known = [fault.value for fault in Fault if self._takes(fault)]
        return {"faults": ", ".join(known) or "none"}

    # ---- what it is -------------------------------------------------------------------------------------------------

    def test_v01_it_says_how_to_reach_it(self) -> None:
        """It prints the paths of its three interfaces, and keys that its own executor reads.

        ``bloor venue sim NAME --json`` prints both, and a client can use them as they are.
        """
        core = self._core()
        paths, keys = core.paths(), core.credentials()
        known = set(Endpoints._fields)
        assert known - {"level3"} <= set(paths) <= known, f"paths: expected rest, streams and ws_api, got {paths}"
        wrong = {name: path for name, path in paths.items() if path and (path[0] != "/" or path[-1] == "/")}
        assert not wrong, f"paths: expected '' or /path without a slash at the end, got {wrong}"
        assert json.dumps(keys) != "{}", "credentials: expected what a client needs, got nothing"
        if self.venue.has("bloor_executor"):
            self.venue.executor.credentials(keys)

    def test_v02_a_seed_fixes_everything(self) -> None:
        """In virtual time two venues of one seed send the same bytes at the same times, and another seed others.

        A test that failed can be had again; and a simulation is compared with itself.
        """
        heard = [self._frames(seed) for seed in (1, 1, 2)]
        assert heard[0], "nothing was sent in five seconds"
        assert heard[0] == heard[1], "two venues of the same seed sent different bytes"
        assert heard[0] != heard[2], "a venue of another seed sent the same bytes: is the seed used?"

    def test_v03_its_book_is_there_at_once(self) -> None:
        """A second after the start the book has 20 levels a side and a trade has printed.

        The contract of ``bloor venue sim``: whoever connects need not wait.
        """
        listener = self.venue.listen()
        listener.run(1.5)
        for symbol, book in listener.books.items():
            bids, asks = book.levels
            kept = min(LEVELS, _depth(listener, symbol) or LEVELS)
            assert min(bids, asks) >= kept, f"{symbol}: expected {kept} levels a side, got {bids} and {asks}"
        assert listener.events.get(EventKind.TRADE), "expected a trade within a second and a half, got none"

    def test_v04_its_market_moves_by_itself(self) -> None:
        """Without any client the best price changes within half a minute, and time is never asked for twice.

        ``deadline_ns`` moves on whenever ``advance`` was called: otherwise its server would spin.
        """
        core = self._core()
        core.start(_START_NS)
        now = _START_NS
        for _ in range(2000):
            deadline = core.deadline_ns
            if deadline >= NEVER or deadline > _START_NS + 20 * 10**9:
                break
            now = max(now, deadline)
            core.advance(now)
            assert core.deadline_ns > now, f"after advance({now}) it wants to be called at {core.deadline_ns} again"
        listener = self.venue.listen()
        listener.run(2)
        before = {symbol: book.top.tolist()[:4] for symbol, book in listener.books.items()}
        listener.run(30)
        still = [symbol for symbol, book in listener.books.items() if book.top.tolist()[:4] == before[symbol]]
        assert not still, f"nothing moved in half a minute in {still}"

    def test_v05_it_lists_what_it_is_asked_for(self) -> None:
        """The default symbol is listed and trading, and a symbol that it cannot have is refused with UsageError.

        ``--symbol`` is what a user types.
        """
        found = self.venue.instruments((self.venue.feed.default_symbol,))
        assert found[0].trading, f"{found[0].symbol} is listed, and not trading"
        try:
            core = self.venue.core(lambda _conn, _payload: None, symbols=("NOPE-NEVER",))
            core.start(_START_NS)
        except UsageError as error:
            assert "NOPE-NEVER" in str(error), f"expected a message that names the symbol, got: {error}"
        except Exception as error:
            raise AssertionError(
                f"an unknown symbol raised {type(error).__name__}: {error}; expected UsageError"
            ) from error

    # ---- true to itself ---------------------------------------------------------------------------------------------

    def test_v06_its_stream_and_its_book_agree(self) -> None:
        """Who listens from the start and who comes later, by a new snapshot, have the same book at every moment.

        So what its stream says, change by change, is what its book is.
        """
        first = self.venue.listen()
        first.run(8)
        second = self.venue.listen_beside(first)
        books: list[dict[Any, Any]] = [{}, {}]
        for listener, kept in zip((first, second), books, strict=True):
            listener.on_event = _keeper(listener, kept)
        first.run(30)
        both = books[0].keys() & books[1].keys()
        assert len(both) >= 10, f"only {len(both)} states of a book could be compared; alerts: {second.alerts[:3]}"
        wrong = [key for key in both if books[0][key] != books[1][key]]
        assert not wrong, (
            f"{len(wrong)} of {len(both)} states differ; at {wrong[0]}: {books[0][wrong[0]]} by changes from the "
            f"start, {books[1][wrong[0]]} by a later snapshot"
        )

    def test_v07_an_order_far_away_rests(self) -> None:
        """A buy order 10 % under the bid is accepted and rests, and can be cancelled.

        The contract of ``bloor venue sim``, by which clients are tried.
        """
        trader, instrument, bid = self.venue.trade_when_ready()
        client_id = trader.rest(instrument, bid)
        trader.run(20)
        assert trader.kinds(client_id).count(ReportKind.FILL) == 0, "an order 10 % under the bid was filled"
        trader.query(client_id, instrument)
        trader.run(2)
        assert ReportKind.FOUND_OPEN in trader.kinds(client_id), f"it does not rest: {trader.of(client_id)}"
        trader.cancel(client_id, instrument)
        trader.run(2)
        assert ReportKind.CANCELLED in trader.kinds(client_id), f"it was not cancelled: {trader.of(client_id)}"

    def test_v08_its_account_can_trade(self) -> None:
        """The default account holds at least 100,000 of the quote currency and 10 of the base, and may trade.

        Applies where the executor can ask for balances.
        """
        trader, instrument, _ = self.venue.trade_when_ready()
        state = self._state(trader)
        assert state.may_trade, "the account may not trade"
        for asset, least in ((instrument.quote, QUOTE), (instrument.base, BASE)):
            held = state.balances.get(asset)
            assert held is not None and held.free >= least, f"expected at least {least} {asset}, got {held}"

    def test_v09_nothing_is_made_or_lost(self) -> None:
        """After buys and sells, balances have changed by exactly what the fills and their fees say.

        Exact decimals, to the last digit. Applies where the executor can ask for balances.
        """
        trader, instrument, bid = self.venue.trade_when_ready()
        before = holdings_of(self._state(trader))
        placed = []
        for side in (Side.BUY, Side.SELL, Side.BUY):
            price = bid * (105 if side is Side.BUY else 95) // 100
            order = smallest_order(instrument, bid, "")
            placed.append(trader.take(instrument, side, price, order.lots * 3))
        fills = {
            (r.fill.trade_id): (r.client_id, r.fill) for r in trader.reports if r.fill and r.client_id in placed
        }  # fmt: skip
        assert len({client_id for client_id, _ in fills.values()}) == len(placed), (
            f"expected each of {len(placed)} orders through the touch to trade, got fills of "
            f"{len({c for c, _ in fills.values()})}"
        )
        expected = dict(before)
        for client_id, fill in fills.values():
            sign = -1 if placed.index(client_id) == 1 else 1
            qty = Decimal(fill.units).scaleb(-instrument.qty_decimals)
            value = Decimal(fill.price_ticks * instrument.tick_units).scaleb(-instrument.price_decimals) * qty
            for asset, change in ((instrument.base, sign * qty), (instrument.quote, -sign * value)):
                expected[asset] = expected.get(asset, Decimal(0)) + change
            expected[fill.fee_asset] = expected.get(fill.fee_asset, Decimal(0)) - fill.fee
        after = holdings_of(self._state(trader))
        for asset in (instrument.base, instrument.quote):
            assert after.get(asset, 0) == expected[asset], (
                f"{asset}: held {before.get(asset)} before, {after.get(asset)} after; by the fills {expected[asset]}"
            )

    # ---- strict with clients ----------------------------------------------------------------------------------------

    def test_v10_a_wrong_key_opens_nothing(self) -> None:
        """With any part of the keys exchanged for that of another account, the session never becomes ready.

        The order entry of a plug-in is tested against this venue: one that checks no signature proves nothing.
        """
        right = self._core().credentials()
        other = self._core(seed=99).credentials()
        tried = 0
        for name, wrong in exchanged(right, other):
            try:
                trader = self.venue.trade(keys=wrong)
            except BloorError:
                continue  # the executor itself has noticed
            tried += 1
            trader.run(30)
            assert not trader.session.ready, f"with another account's {name} the session became ready"
            assert not [r for r in trader.reports if r.kind is ReportKind.ACK], "and an order was accepted"
        assert tried or right == other, "no key could be made wrong in a way that the executor does not notice itself"

    def test_v11_an_order_beyond_its_means_is_refused(self) -> None:
        """Orders larger than the balance, off the tick grid's bounds, or far too small are refused with a reason.

        A venue that takes everything hides every mistake of a plug-in.
        """
        trader, instrument, bid = self.venue.trade_when_ready()
        rich = 10**15 // max(1, instrument.lot_units)
        refused = trader.place(instrument, Side.BUY, bid, max(rich, instrument.min_lots * 10**9))
        trader.run(3)
        reports = [r for r in trader.of(refused) if r.kind is ReportKind.REJECT]
        assert reports, f"an order beyond all means was not refused: {trader.of(refused)}"
        assert reports[0].reason, "it was refused without a reason"

    def test_v12_post_only_does_not_take(self) -> None:
        """A post-only order through the touch takes nothing: it is refused, or ends without a fill.

        Applies to executors that can say post-only.
        """
        trader, instrument, bid = self.venue.trade_when_ready()
        order = trader.order(instrument, Side.BUY, bid * 105 // 100, smallest_order(instrument, bid, "").lots,
                             type=OrderType.POST_ONLY)  # fmt: skip
        try:
            trader.send(trader.session.place(order, trader.world.now_ns))
        except BloorError as error:
            does_not_apply(f"its executor does not send post-only orders: {error}")
        trader.run(3)
        assert trader.filled(order.client_id) == 0, f"a post-only order took: {trader.of(order.client_id)}"
        ended = {ReportKind.REJECT, ReportKind.EXPIRED, ReportKind.CANCELLED, ReportKind.FOUND_CLOSED}
        assert ended & set(trader.kinds(order.client_id)), f"nothing was said of it: {trader.of(order.client_id)}"

    # ---- hostile clients --------------------------------------------------------------------------------------------

    def test_v13_hostile_frames_do_no_harm(self) -> None:
        """Whatever a client sends on any of its connections, it raises nothing and goes on serving others.

        Third-party clients send what nobody has thought of.
        """
        samples = self._sent_frames()

        def bears(seed: int) -> None:
            writer = Writer(seed, wild=True)
            sent: list[tuple[int, bytes | None]] = []
            core = self._core(outbox=lambda conn, payload: sent.append((conn, payload)))
            core.start(_START_NS)
            now = _START_NS
            for conn, url in enumerate(self._urls(core), start=1):
                path, _, query = url.partition("?")
                assert core.opened(conn, path, query, now), f"its own feed or executor was refused at {url}"
            for step in range(12):
                now += 50_000_000
                conn = 1 + step % 2
                payload = writer.hostile(samples)
                try:
                    core.received(conn, payload, now)
                    if core.deadline_ns <= now:
                        core.advance(now)
                except Exception as error:
                    raise AssertionError(
                        f"the frame {payload!r:.800} raised {type(error).__name__}: {error}"
                    ) from error
            assert all(payload is None or payload.decode() for _, payload in sent), "an empty frame was sent"

        for_seeds(bears, daily=60)

    def test_v14_hostile_requests_do_no_harm(self) -> None:
        """Whatever is asked over REST is answered with a status, and raises nothing.

        Paths, methods, queries, bodies and headers that nobody has thought of; unknown paths are errors.
        """
        paths = self._rest_paths()

        def bears(seed: int) -> None:
            writer = Writer(seed, wild=True)
            core = self._core()
            core.start(_START_NS)
            for _ in range(10):
                request = hostile_request(writer, paths)
                try:
                    answer = core.request(request, _START_NS + 10**9)
                except Exception as error:
                    raise AssertionError(f"{request!r:.800} raised {type(error).__name__}: {error}") from error
                assert 100 <= answer.status <= 599, f"{request!r:.500} was answered with status {answer.status!r}"
                assert isinstance(answer.body, bytes), f"{request!r:.500} was answered with {answer.body!r:.100}"

        for_seeds(bears, daily=80)
        core = self._core()
        core.start(_START_NS)
        unknown = core.request(HttpRequest("GET", "/bloor/no/such/path", "", {}, b""), _START_NS)
        refused = 400 <= unknown.status < 500 or b"error" in unknown.body.lower()
        assert refused, f"an unknown path was answered with {unknown.status} {unknown.body!r:.100}"

    def test_v15_a_closed_connection_hears_nothing_more(self) -> None:
        """Nothing is sent to a connection after it was closed, and opening and closing many leaves nothing behind.

        A server that writes to a closed socket fails at the next client.
        """
        sent: list[int] = []
        core = self._core(outbox=lambda conn, _payload: sent.append(conn))
        core.start(_START_NS)
        now = _START_NS
        for conn in range(1, 30):
            path, _, query = self._urls(core)[0].partition("?")
            core.opened(conn, path, query, now)
            now = self._advanced(core, now, 0.2)
            core.closed(conn, now)
            sent.clear()
            now = self._advanced(core, now, 1.0)
            assert conn not in sent, f"connection {conn} was closed, and something was sent to it"
            core.closed(conn, now)  # a second word of the same must do no harm

    # ---- faults -----------------------------------------------------------------------------------------------------

    def test_v16_wrong_fault_specifications_are_refused(self) -> None:
        """A misspelt fault, a rate of more than one, and a doubled one are refused with UsageError.

        ``--faults`` is what a user types; one that is ignored makes a test that tests nothing.
        """
        for wrong in ("lost-akc:0.1", "gap", "gap:2", "gap:-1", "gap:x", "gap:0.1,gap:0.2", "disconnect:0s"):
            try:
                self.venue.core(lambda _conn, _payload: None, faults=wrong)
            except UsageError:
                continue
            except Exception as error:
                raise AssertionError(f"faults={wrong!r} raised {type(error).__name__}: {error}") from error
            raise AssertionError(f"faults={wrong!r} was taken; expected UsageError (bloor.simulation.faults.Faults)")

    def test_v17_faults_happen(self) -> None:
        """Each fault that it takes changes what is sent or answered, the same way for the same seed.

        Those of market data are seen by a listener, those of orders by whoever trades.
        """
        quiet = self._traded("")
        for fault in Fault:
            if self._takes(fault):
                spec = f"{fault.value}:{RATES.get(fault, '0.5')}"
                assert self._traded(spec) != quiet, f"with {spec} everything went as without it"

    def test_v18_faults_can_be_survived(self) -> None:
        """With every fault at once at low rates, a feed has its books most of the time, and a session becomes ready.

        What is simulated is a venue on a bad day, not one that is gone.
        """
        known = [fault for fault in Fault if self._takes(fault)]
        if not known:
            does_not_apply("it takes no faults")
        spec = ",".join(f"{f.value}:{'20s' if f is Fault.DISCONNECT else '0.002'}" for f in known)
        listener = self.venue.listen(faults=spec)
        states = []
        for _ in range(60):
            listener.run(1)
            states.append(listener.synced)
        assert sum(states) >= 30, f"books were in sync in {sum(states)} of 60 seconds with {spec}"
        if self.venue.has("bloor_executor"):
            trader = self.venue.trade(faults=spec)
            trader.run(60, until=lambda: trader.session.ready)
            assert trader.session.ready, f"no session became ready within a minute with {spec}"

    # ---- what the cards need ----------------------------------------------------------------------------------------

    def _core(
        self, *, seed: int = 1, outbox: Callable[[int, bytes | None], None] = lambda _conn, _payload: None
    ) -> SimulatedVenue:
        return self.venue.core(outbox, seed=seed)

    def _takes(self, fault: Fault) -> bool:
        try:
            self.venue.core(lambda _conn, _payload: None, faults=f"{fault.value}:{RATES.get(fault, '0.5')}")
        except UsageError:
            return False
        return True

    def _frames(self, seed: int) -> list[bytes]:
        listener = self.venue.listen(seed=seed)
        listener.run(5)
        return listener.frames

    def _state(self, trader: Trader) -> AccountState:
        if self.venue.executor.account is None:
            does_not_apply("its executor cannot ask for balances (ExecutorSpec.account)")
        account = self.venue.executor.account(trader.context)
        return asked_at_once(trader.world, account.state(trader.world.now_ns))

    def _traded(self, faults: str) -> list[Any]:
        """Everything that is seen in some seconds of listening and trading."""
        listener = self.venue.listen(faults=faults)
        listener.run(12)
        seen: list[Any] = [listener.frames, listener.connections]
        if self.venue.has("bloor_executor"):
            trader = self.venue.trade(faults=faults)
            trader.run(20, until=lambda: trader.session.ready)
            instrument = self.venue.instruments()[0]
            book = listener.books[instrument.venue_symbol].view
            price = max(1, book.best_bid) * 90 // 100
            for _ in range(6):
                try:
                    trader.place(instrument, Side.BUY, price, smallest_order(instrument, price, "").lots)
                except BloorError as error:
                    seen.append(type(error).__name__)
                trader.run(2)
            seen += [trader.reports, trader.received, trader.answers, trader.connections]
        return seen

    def _urls(self, core: SimulatedVenue) -> list[str]:
        """The paths of the connections that the plug-in's own feed and executor open."""
        listener = self.venue.listen()
        urls = [listener.session.url.removeprefix(HOST)]
        if self.venue.has("bloor_executor"):
            urls.append(self.venue.trade().session.url.removeprefix(HOST))
        return urls

    def _sent_frames(self) -> list[bytes]:
        """What the plug-in's own feed and executor say."""
        found = [b'{"method":"SUBSCRIBE","params":["x"],"id":1}', b"{}", b"[]", b"ping"]
        listener = self.venue.listen()
        listener.run(3)
        found += [a.payload for _, a in listener.watch.actions if hasattr(a, "payload")]
        if self.venue.has("bloor_executor"):
            trader, instrument, bid = self.venue.trade_when_ready()
            trader.rest(instrument, bid)
            found += [frame for frame in trader.recorded if frame[:1] == b"{"][:20]
        return found

    def _rest_paths(self) -> list[str]:
        found = [self.venue.feed.instruments_path(self.venue.symbols), "/", "", "/api", "/%ff"]
        listener = self.venue.listen()
        listener.run(3)
        found += [a.path for _, a in listener.watch.actions if hasattr(a, "path") and hasattr(a, "tag")]
        if self.venue.has("bloor_executor"):
            trader = self.venue.trade()
            trader.run(5)
            found += [r.target for r in trader.world.requests]
        return found

    def _advanced(self, core: SimulatedVenue, now: int, seconds: float) -> int:
        until = now + round(seconds * 1e9)
        while core.deadline_ns <= until:
            now = max(now, core.deadline_ns)
            core.advance(now)
        return until


def _keeper(listener: Listener, kept: dict[Any, Any]) -> Callable[[EventView, OrderBook | None], None]:
    """Keeps the best levels of every state of every book, under a name that two connections share."""

    def keep(event: EventView, book: OrderBook | None) -> None:
        if event.kind == EventKind.BOOK and book is not None and not listener.line._lost:
            view = book.view
            key = (book.instrument.venue_symbol, view.exch_ns)
            kept[key] = (book.depth(Side.BUY, COMPARED), book.depth(Side.SELL, COMPARED))

    return keep


def _depth(listener: Listener, symbol: str) -> int:
    """Levels to which the venue cuts a book; 0 for all."""
    reader = listener.reader
    return reader.depth(symbol) if isinstance(reader, ChecksummedNormalizer) else 0
