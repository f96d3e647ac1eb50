"""The cards of an executor: orders live as the venue says, to the last digit, and no key is ever written down."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from decimal import Decimal
from typing import Any
from urllib.parse import unquote_plus

from attrs import evolve

from bloor.errors import ConfigError, LocalProtocolError, RemoteProtocolError
from bloor.execution.client_id import MAX_EPOCH, MAX_NODE, MAX_SEQUENCE, MAX_STRATEGY, ClientIds
from bloor.host.probe import smallest_order
from bloor.model.instrument import Instrument
from bloor.model.orders import AmendRequest, CancelRequest, ReplaceRequest, ReportKind, Side
from bloor.testing.cards.base import does_not_apply
from bloor.testing.cards.executor_runs import ExecutorRunCards
from bloor.testing.examples import for_examples, for_seeds, strategies
from bloor.testing.hostile import Writer
from bloor.testing.keys import secrets_of
from bloor.testing.sealed import sealed
from bloor.testing.trading import ANSWER, CONN, SOON, Trader
from bloor.venue.session import OrderSession, Outgoing, Request

__all__ = ["ExecutorCards"]

#: How long a dead connection may be taken for alive, in seconds.
SILENCE = 60
#: What ends an order without a fill.
ENDED = {ReportKind.REJECT, ReportKind.EXPIRED, ReportKind.CANCELLED, ReportKind.FOUND_CLOSED}


class ExecutorCards(ExecutorRunCards):
    """What every executor promises. They need the plug-in's own simulated venue, feed and normalizer.

    Attributes:
        symbols: Canonical symbols to use; empty for the feed's default.
        listing: The venue's list of instruments; empty for that of its simulated venue.
    """

    def capabilities(self) -> dict[str, bool | str]:
        """What it can do beside placing, cancelling and asking."""
        spec = self.spec
        has: dict[str, bool | str] = {
            "account questions": spec.account is not None,
            "replay without keys": spec.stand_in is not None,
            "trades searched": spec.searches_trades,
            "dead man": spec.dead_man is not None and spec.dead_man.supported,
        }
        if self.venue.has("bloor_simulated_venue"):
            trader, instrument, bid = self.venue.trade_when_ready()
            resting = trader.known(trader.rest(instrument, bid), instrument)
            for name in ("amend", "replace", "fetch_fills"):
                has[name.replace("_", " ")] = self._can(trader, resting, bid, name)
        return has

    # ---- what it is -------------------------------------------------------------------------------------------------

    def test_e01_it_is_what_an_engine_needs(self) -> None:
        """It has the plug-in's name, sound times, and makes sessions with everything of ``OrderSession``.

        Before a connection is open a session is not ready. An order is lost only long after it was unknown.
        """
        spec = self.spec
        assert spec.venue == self.plugin, f"venue: expected {self.plugin!r}, got {spec.venue!r}"
        assert 0 < spec.unknown_after_ns < spec.lost_after_ns, (
            f"expected 0 < unknown_after_ns < lost_after_ns, got {spec.unknown_after_ns} and {spec.lost_after_ns}"
        )
        session = spec.build(self._trader().context)
        assert isinstance(session, OrderSession), "expected every method of bloor.venue.session.OrderSession"
        assert not session.ready, "ready: expected False before a connection is open"

    def test_e02_keys_are_read_or_refused(self) -> None:
        """The keys that its simulated venue prints are read; anything else is refused with ConfigError.

        And no message holds what was given: it may be a key with a mistake in it.
        """
        printed = self._printed()
        self.spec.credentials(printed)
        canary = "CANARY0123456789abcdef"
        wrong: list[dict[str, Any]] = [
            {}, {"nonsense": canary}, dict.fromkeys(printed, canary), {name: {} for name in printed},
            dict.fromkeys(printed), dict.fromkeys(printed, 5), {name: [canary] for name in printed},
        ]  # fmt: skip
        for keys in wrong:
            try:
                self.spec.credentials(keys)
            except ConfigError as error:
                assert canary not in str(error), f"the message shows what was given: {error}"
            except Exception as error:
                raise AssertionError(f"credentials({list(keys)}) raised {type(error).__name__}: {error}") from error

    def test_e03_keys_are_not_shown(self) -> None:
        """Neither the credentials nor the session show a secret when they are printed.

        Tracebacks, logs and debuggers print what they find.
        """
        secrets = secrets_of(self._printed())
        trader = self._trader()
        for what in (trader.context.credentials, trader.context, self.spec.build(trader.context)):
            text = f"{what!r} {what}"
            shown = [secret[:4] + "..." for secret in secrets if secret in text]
            assert not shown, f"{type(what).__name__} shows {shown} in its repr; use attrs.field(repr=False)"

    def test_e04_it_authenticates(self) -> None:
        """At its simulated venue the session is ready, and takes orders, within ten seconds; its timers are sound.

        Nothing that the venue says on the way is unreadable, and no person has to be told anything.
        """
        trader, _, _ = self.venue.trade_when_ready()
        assert trader.session.accepting, "accepting: expected True once it is ready"
        trader.run(120)
        assert trader.session.ready, f"two quiet minutes later it is not ready any more: {trader.refused} {trader.told}"
        assert trader.connections == 1, f"it opened {trader.connections} connections to a healthy venue"
        assert not trader.refused, f"it could not read what its venue said: {trader.refused[0]}"
        assert not trader.watch.problems, "; ".join(trader.watch.problems)

    def test_e05_it_is_sans_io(self) -> None:
        """Two sessions that live through the same say the same, without clock or sockets.

        As a journal would hold it, without signatures: those may be random.
        """
        seen = []
        for _ in range(2):
            trader, instrument, bid = self.venue.trade_when_ready()
            with sealed(f"the executor of {self.plugin}", chance=False):
                client_id = trader.rest(instrument, bid)
                trader.query(client_id, instrument)
                trader.run(30)
                trader.cancel(client_id, instrument)
                trader.run(30)
            seen.append((trader.recorded, trader.reports))
        assert seen[0] == seen[1], "two sessions lived through the same, and said or understood different things"

    # ---- the life of an order ---------------------------------------------------------------------------------------

    def test_e06_an_order_is_acknowledged_and_found(self) -> None:
        """A limit order under the bid is acknowledged under our id with the venue's, and a query finds it open.

        With the quantity that was ordered, of which nothing is filled.
        """
        trader, instrument, bid = self.venue.trade_when_ready()
        client_id = trader.rest(instrument, bid)
        trader.query(client_id, instrument)
        trader.run(ANSWER)
        reports = trader.of(client_id)
        assert any(r.venue_order_id for r in reports), f"the venue's id was not reported: {reports}"
        found = [r for r in reports if r.kind is ReportKind.FOUND_OPEN]
        assert found, f"the query did not find it: {[r.kind.name for r in reports]}; refused: {trader.refused}"
        units = smallest_order(instrument, bid * 90 // 100, "").lots * instrument.lot_units
        assert found[-1].quantity_units in (-1, units), f"expected {units} units, got {found[-1].quantity_units}"
        assert found[-1].cumulative_units in (-1, 0), f"nothing was filled, and it says {found[-1].cumulative_units}"

    def test_e07_fills_are_exact(self) -> None:
        """An order through the touch is filled: each trade once, at no worse than its limit, summing up to the order.

        With trade ids, fees, their asset, the taker's side of it and the venue's time.
        """
        trader, instrument, bid = self.venue.trade_when_ready()
        limit = bid * 105 // 100
        lots = smallest_order(instrument, bid, "").lots * 2
        client_id = trader.take(instrument, Side.BUY, limit, lots)
        fills = [r.fill for r in trader.of(client_id) if r.fill is not None]
        assert fills, f"no fill was reported: {trader.of(client_id)} {trader.refused}"
        by_id = {fill.trade_id: fill for fill in fills}
        assert all(by_id[fill.trade_id] == evolve(fill, exch_ns=by_id[fill.trade_id].exch_ns) for fill in fills), (
            "the same trade was reported with different numbers"
        )
        assert trader.filled(client_id) == lots * instrument.lot_units, (
            f"expected {lots * instrument.lot_units} units, got {trader.filled(client_id)} in {len(by_id)} trades"
        )
        for fill in by_id.values():
            assert fill.trade_id and fill.fee_asset and 0 < fill.price_ticks <= limit, f"odd fill: {fill}"
            assert abs(fill.exch_ns - trader.world.now_ns) < 60 * 10**9, f"odd time: {fill}"

    def test_e08_an_order_is_cancelled_once(self) -> None:
        """A cancel ends the order, and a second one, or one of an order that never was, is answered, and ends nothing.

        ``CANCEL_REJECT``, or ``CANCEL_UNCERTAIN``: the engine then asks what has become of the order.
        """
        trader, instrument, bid = self.venue.trade_when_ready()
        client_id = trader.rest(instrument, bid)
        trader.cancel(client_id, instrument)
        trader.run(ANSWER)
        assert ReportKind.CANCELLED in trader.kinds(client_id), f"not cancelled: {trader.of(client_id)}"
        unknown = trader.next_id()
        for again in (client_id, unknown):
            before = len(trader.of(again))
            trader.cancel(again, instrument)
            trader.run(ANSWER)
            said = trader.kinds(again)[before:]
            told = {ReportKind.CANCEL_REJECT, ReportKind.CANCEL_UNCERTAIN, ReportKind.NOT_FOUND, *ENDED}
            assert told & set(said), f"nothing was said of a cancel that came too late: {said} {trader.refused}"
            assert again != unknown or ReportKind.CANCELLED not in said, "an order that never was is reported cancelled"

    def test_e09_what_is_not_there_is_not_found(self) -> None:
        """A query of an order that was never placed is answered ``NOT_FOUND``, and of one that ended ``FOUND_CLOSED``.

        So an order whose acknowledgement was lost is told from one that never arrived.
        """
        trader, instrument, bid = self.venue.trade_when_ready()
        unknown = trader.next_id()
        trader.query(unknown, instrument)
        trader.run(ANSWER)
        assert trader.kinds(unknown) == [ReportKind.NOT_FOUND], f"expected NOT_FOUND, got {trader.of(unknown)}"
        client_id = trader.rest(instrument, bid)
        trader.cancel(client_id, instrument)
        trader.run(ANSWER)
        trader.query(client_id, instrument)
        trader.run(ANSWER)
        assert ReportKind.FOUND_CLOSED in trader.kinds(client_id), f"expected FOUND_CLOSED, got {trader.of(client_id)}"

    def test_e10_a_refusal_is_a_refusal(self) -> None:
        """An order that the venue refuses is reported as ``REJECT`` with the venue's code or words, and nothing else.

        ``UNCERTAIN`` would make the engine look for it, ``ACK`` would make it wait for ever.
        """
        trader, instrument, bid = self.venue.trade_when_ready()
        most = instrument.max_lots or 10**15 // instrument.lot_units
        client_id = trader.place(instrument, Side.BUY, bid, max(most, instrument.min_lots * 10**6))
        trader.run(ANSWER)
        reports = trader.of(client_id)
        assert [r.kind for r in reports] == [ReportKind.REJECT] * len(reports) and reports, (
            f"an order beyond all means: expected REJECT, got {reports}"
        )
        assert reports[0].reason, "expected the venue's code or words as the reason"

    def test_e11_an_order_is_reduced(self) -> None:
        """``amend`` reduces an order, which keeps its id: ``REPLACED`` with the new quantity.

        Applies to venues that have it; others raise LocalProtocolError, and then nothing was asked.
        """
        trader, instrument, bid = self.venue.trade_when_ready()
        price = bid * 90 // 100
        lots = smallest_order(instrument, price, "").lots
        client_id = trader.place(instrument, Side.BUY, price, lots * 3)
        trader.run(ANSWER)
        change = AmendRequest(order=trader.known(client_id, instrument), lots=lots * 2)
        self._send(trader, lambda: trader.session.amend(change, trader.world.now_ns))
        trader.run(ANSWER)
        done = [r for r in trader.of(client_id) if r.kind is ReportKind.REPLACED]
        assert done, f"expected REPLACED, got {trader.of(client_id)[-3:]} {trader.refused}"
        assert done[-1].quantity_units == lots * 2 * instrument.lot_units, f"odd quantity: {done[-1]}"

    def test_e12_an_order_is_replaced(self) -> None:
        """``replace`` cancels one order and places another in one request; each gets its own reports.

        Applies to venues that have it; others raise LocalProtocolError.
        """
        trader, instrument, bid = self.venue.trade_when_ready()
        client_id = trader.rest(instrument, bid)
        price = bid * 91 // 100
        new = trader.order(instrument, Side.BUY, price, smallest_order(instrument, price, "").lots)
        both = ReplaceRequest(old=trader.known(client_id, instrument), new=new, only_unfilled=True)
        self._send(trader, lambda: trader.session.replace(both, trader.world.now_ns))
        trader.run(ANSWER)
        assert ReportKind.CANCELLED in trader.kinds(client_id), f"the old one: {trader.of(client_id)}"
        assert ReportKind.ACK in trader.kinds(new.client_id), f"the new one: {trader.of(new.client_id)}"

    def test_e13_fills_can_be_fetched_again(self) -> None:
        """``fetch_fills`` brings every fill of an order again, under the same trade ids.

        It is how a fill whose report was lost enters the position, once.
        """
        trader, instrument, bid = self.venue.trade_when_ready()
        lots = smallest_order(instrument, bid, "").lots * 2
        client_id = trader.take(instrument, Side.BUY, bid * 105 // 100, lots)
        before = {r.fill.trade_id for r in trader.of(client_id) if r.fill}
        known, at = trader.known(client_id, instrument), len(trader.reports)
        self._send(trader, lambda: trader.session.fetch_fills(known, trader.world.now_ns))
        trader.run(ANSWER)
        again = {r.fill.trade_id for r in trader.reports[at:] if r.fill and r.client_id == client_id}
        assert again == before, f"filled by {sorted(before)}; fetched again, {sorted(again)}"

    def test_e14_trades_can_be_searched(self) -> None:
        """``search_trades`` reports which orders traded in an instrument in a time window.

        Applies to executors that say ``searches_trades``: part of the proof that an order was lost.
        """
        if not self.spec.searches_trades:
            does_not_apply("it does not say searches_trades: an order is lost after two answers 'not found'")
        trader, instrument, bid = self.venue.trade_when_ready()
        begun = trader.world.now_ns
        lots = smallest_order(instrument, bid, "").lots * 2
        client_id = trader.take(instrument, Side.BUY, bid * 105 // 100, lots)
        known, now = trader.known(client_id, instrument), trader.world.now_ns
        self._send(trader, lambda: trader.session.search_trades(known, begun, now, now))
        trader.run(ANSWER)
        seen = [r for r in trader.of(client_id) if r.kind is ReportKind.TRADES_SEEN]
        assert seen, f"expected TRADES_SEEN, got {trader.kinds(client_id)} {trader.refused}"
        ids = seen[-1].order_ids
        assert ids is None or known.venue_order_id in ids, f"{known.venue_order_id} traded, and is not in {ids}"

    # ---- on the wire ------------------------------------------------------------------------------------------------

    def test_e15_numbers_on_the_wire_are_exact(self) -> None:
        """Price and quantity of an order stand in its frame exactly, as plain decimals, whatever they are.

        No float, no exponent, no rounding: for any ticks and lots, and for instruments of any precision.
        """
        trader, instrument, _ = self.venue.trade_when_ready()
        fine = evolve(instrument, price_decimals=8, tick_units=1, qty_decimals=8, lot_units=1, max_lots=0)

        def exact(ticks: int, lots: int, sell: bool, use_fine: bool) -> None:
            unit = fine if use_fine else instrument
            order = trader.order(unit, Side.SELL if sell else Side.BUY, ticks, max(lots, unit.min_lots))
            text = _wire(trader.session.place(order, trader.world.now_ns))
            numbers = {Decimal(n) for n in re.findall(r"(?<![\w.])\d+(?:\.\d+)?(?![\w.])", text)}
            for name, value in (("price", unit.format_price(ticks)), ("quantity", unit.format_lots(order.lots))):
                assert Decimal(value) in numbers, f"the {name} {value} does not stand in {text[:600]}"

        st = strategies()
        odd = st.sampled_from([1, 3, 10**5 + 1, 123_456_789, 10**9])
        ticks, lots = st.one_of(odd, st.integers(1, 10**9)), st.one_of(odd, st.integers(1, 10**9))
        for_examples(exact, ticks, lots, st.booleans(), st.booleans(), daily=80)

    def test_e16_client_order_ids_are_taken(self) -> None:
        """The smallest and the largest client order id of the engine are accepted, and come back unchanged.

        They say whose an order is; see :mod:`bloor.execution.client_id`.
        """
        trader, instrument, bid = self.venue.trade_when_ready()
        price = bid * 90 // 100
        ids = (ClientIds(0, 0).make(0, 0), ClientIds(MAX_NODE, MAX_EPOCH).make(MAX_STRATEGY, MAX_SEQUENCE))
        for client_id in ids:
            order = smallest_order(instrument, price, client_id)
            trader.send(trader.session.place(order, trader.world.now_ns))
            trader.run(ANSWER)
            assert ReportKind.ACK in trader.kinds(client_id), f"{client_id!r} was not accepted: {trader.reports[-2:]}"

    def test_e17_nothing_secret_is_recorded(self) -> None:
        """No part of a key, no token and no signature stands in what a journal would hold.

        Through a whole life, account questions too. Journals are copied, sent to others and kept for years.
        """
        trader, instrument, bid = self.venue.trade_when_ready()
        client_id = trader.rest(instrument, bid)
        trader.query(client_id, instrument)
        trader.cancel(client_id, instrument)
        trader.run(30)
        trader.world.cut(CONN)
        trader.run(30)
        if self.spec.account is not None:
            account = self.spec.account(trader.context)
            for question in (account.rights, account.state, account.open_orders):
                trader.recorded.append(question(trader.world.now_ns).request.record())
        for secret in [*secrets_of(self._printed()), *trader.secrets]:
            holds = [frame for frame in trader.recorded if secret.encode() in frame]
            hidden = holds[0].replace(secret.encode(), b"<SECRET>")[:400] if holds else b""
            assert not holds, f"a secret is recorded: {hidden!r}; take it out in redacted(), take_secrets() or record()"

    # ---- hostile venues ---------------------------------------------------------------------------------------------

    def test_e18_hostile_frames_are_refused_in_one_way(self) -> None:
        """Whatever frame comes, ``received`` gives reports or raises RemoteProtocolError, and nothing else.

        Tried with frames that the venue sent, changed and broken, at a session with an order.
        """
        trader, instrument, bid = self.venue.trade_when_ready()
        trader.rest(instrument, bid)
        trader.run(ANSWER)
        frames = trader.received or [b"{}"]

        def refuses(seed: int) -> None:
            payload = Writer(seed, wild=True).hostile(frames)
            self._refuses(lambda: trader.session.received(payload, trader.world.now_ns), payload)
            trader.session.redacted(payload)

        for_seeds(refuses, daily=200)

    def test_e19_hostile_answers_are_refused_in_one_way(self) -> None:
        """Whatever a request is answered, ``responded`` gives reports or raises RemoteProtocolError.

        Any status, 0 for none at all, any body. After what the venue may not say nothing is taken for a fill.
        """
        trader, instrument, bid = self.venue.trade_when_ready()
        trader.rest(instrument, bid)
        trader.run(ANSWER)
        answers = [body for _, _, body in trader.answers] + [b"{}", b"[]", b'{"error":[]}']
        tags = list({tag for tag, _, _ in trader.answers}) or ["x"]
        for tag in tags:
            for status in (0, 400, 403, 418, 429, 500, 503):
                for body in (b"", b"{", b"<html>"):
                    reports = self._responded(trader, tag, status, body)
                    wrong = [r for r in reports if r.kind in (ReportKind.ACK, ReportKind.FILL)]
                    assert not wrong, f"status {status} with {body!r} was taken for {wrong[0]}"

        def refuses(seed: int) -> None:
            writer = Writer(seed, wild=True)
            body, status = writer.hostile(answers), writer.random.choice([200, 200, 400, 500, 0])
            tag = writer.random.choice(tags)
            self._responded(trader, tag, status, body)

        for_seeds(refuses, daily=100)

    def test_e20_without_a_connection_nothing_is_pretended(self) -> None:
        """While it is not ready, ``place`` raises LocalProtocolError or gives a REST request, and nothing leaves.

        An order that is written into a connection that is gone is an order whose outcome nobody knows.
        """
        trader = self._trader()
        order = smallest_order(self._instrument, 1000, trader.next_id())
        try:
            outgoing = trader.session.place(order, trader.world.now_ns)
        except LocalProtocolError as error:
            assert str(error), "expected a message that says why"
        else:
            assert isinstance(outgoing, Request), "before a connection was open it gave a frame"

    def test_e21_silence_ends_the_connection(self) -> None:
        """A venue that does not answer any more is noticed within a minute, and another connection asked for.

        A dead connection to the venue is where orders go and nothing comes back.
        """
        trader, _, _ = self.venue.trade_when_ready()
        trader.world.lossy = lambda _conn, _payload: True
        trader.run(SILENCE)
        assert trader.connections > 1, f"nothing came for {SILENCE} s and it asked for no other connection"
        assert not trader.watch.problems, "; ".join(trader.watch.problems)

    def test_e22_it_comes_back(self) -> None:
        """After a lost connection it is ready again, an order that rested is found, and can be cancelled.

        Three times in a row.
        """
        trader, instrument, bid = self.venue.trade_when_ready()
        for _ in range(3):
            client_id = trader.rest(instrument, bid)
            trader.world.cut(CONN)
            trader.run(0.2)
            assert not trader.session.ready, "ready: expected False after disconnected()"
            trader.run(SOON, until=lambda: trader.session.ready)
            assert trader.session.ready, f"not ready {SOON} s after a lost connection: {trader.refused}"
            before = len(trader.of(client_id))
            trader.query(client_id, instrument)
            trader.run(ANSWER)
            said = set(trader.kinds(client_id)[before:])
            assert said & {ReportKind.FOUND_OPEN, *ENDED}, f"it was not found again: {said}"
            if not said & ENDED:  # a venue with a dead man's switch may have cancelled it
                trader.cancel(client_id, instrument)
                trader.run(ANSWER)
                assert ReportKind.CANCELLED in trader.kinds(client_id), f"not cancelled: {trader.of(client_id)}"

    # ---- what the cards need ----------------------------------------------------------------------------------------

    @property
    def _instrument(self) -> Instrument:
        return self.venue.instruments()[0]

    def _trader(self, faults: str = "") -> Trader:
        return self.venue.trade(faults=faults)

    def _send(self, trader: Trader, make: Callable[[], Outgoing]) -> None:
        """Lets something leave; the card does not apply when the venue has no such thing."""
        try:
            trader.send(make())
        except LocalProtocolError as error:
            does_not_apply(f"the venue has no such thing: {error}")

    def _can(self, trader: Trader, resting: CancelRequest, bid: int, what: str) -> bool:
        now = trader.world.now_ns
        new = trader.order(resting.instrument, Side.BUY, bid, smallest_order(resting.instrument, bid, "").lots)
        ways: dict[str, Callable[[], Outgoing]] = {
            "amend": lambda: trader.session.amend(AmendRequest(order=resting, lots=1), now),
            "replace": lambda: trader.session.replace(ReplaceRequest(old=resting, new=new, only_unfilled=True), now),
            "fetch_fills": lambda: trader.session.fetch_fills(resting, now),
        }
        try:
            ways[what]()
        except LocalProtocolError:
            return False
        return True

    def _responded(self, trader: Trader, tag: str, status: int, body: bytes) -> Sequence[Any]:
        return self._refuses(lambda: trader.session.responded(tag, status, body, trader.world.now_ns), body)

    def _refuses(self, read: Callable[[], Any], payload: bytes) -> Sequence[Any]:
        try:
            reports, _ = read()
        except RemoteProtocolError:
            return ()
        except Exception as error:
            raise AssertionError(f"{payload!r:.1500} raised {type(error).__name__}: {error}") from error
        return list(reports)


def _wire(outgoing: Outgoing) -> str:
    """What leaves, as text."""
    if isinstance(outgoing, Request):
        return unquote_plus(f"{outgoing.params} {outgoing.body.decode()}")
    return outgoing.decode()
