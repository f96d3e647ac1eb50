"""The cards of an executor that are about whole runs and about the account: what is believed is what the venue has."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from decimal import Decimal
from typing import Any, ClassVar

from bloor.errors import ConfigError, RemoteProtocolError
from bloor.hookspecs import ExecutorSpec
from bloor.testing.cards.base import Cards, does_not_apply
from bloor.testing.subject import VenueSubject
from bloor.testing.trading import asked_at_once
from bloor.testing.truth import TrueRun, replayed

__all__ = ["ExecutorRunCards"]


class ExecutorRunCards(Cards):
    """A part of :class:`~bloor.testing.cards.executor.ExecutorCards`; subclass that.

    Attributes:
        symbols: Canonical symbols to use; empty for the feed's default.
        listing: The venue's list of instruments; empty for that of its simulated venue.
    """

    kind: ClassVar[str] = "executor"
    hook: ClassVar[str] = "bloor_executor"
    symbols: ClassVar[Sequence[str]] = ()
    listing: ClassVar[bytes] = b""

    @property
    def venue(self) -> VenueSubject:
        """The plug-in."""
        return VenueSubject(self.host, self.plugin, self.symbols, self.listing)

    @property
    def spec(self) -> ExecutorSpec:
        """What the plug-in hands over."""
        return self.venue.executor

    # ---- whole runs -------------------------------------------------------------------------------------------------

    def test_e23_a_run_is_true(self) -> None:
        """After a minute of trading nothing is open, and the account has changed by exactly what the fills say.

        With the whole engine: gate, blotter, positions.
        """
        TrueRun(self.venue).check()

    def test_e24_lost_acknowledgements_are_resolved(self) -> None:
        """When acknowledgements are lost and errors hide accepted orders, every order's end is known in the end.

        Applies to simulated venues with the faults ``lost-ack`` and ``error-after-accept``.
        """
        TrueRun(self.venue, "lost-ack:0.1,error-after-accept:0.1").check()

    def test_e25_lost_and_doubled_reports_count_once(self) -> None:
        """When reports of the private stream are lost or come twice, every fill counts once.

        Applies to simulated venues with the faults ``lost-report`` and ``duplicate``.
        """
        TrueRun(self.venue, "lost-report:0.1,duplicate:0.1").check()

    def test_e26_lost_connections_lose_no_order(self) -> None:
        """When connections are closed all the time, no order is forgotten and none is placed twice.

        Applies to simulated venues with the fault ``disconnect``.
        """
        TrueRun(self.venue, "disconnect:12s").check()

    def test_e27_a_replay_decides_the_same(self) -> None:
        """What a run wrote down, given to a new engine, makes the same records, bit for bit.

        On a bad day with every fault. Sessions may depend on nothing but what they are told.
        """
        run = TrueRun(self.venue, "lost-ack:0.05,lost-report:0.05,disconnect:20s").run
        engine, journal = replayed(run)
        if journal.records != run.journal.records:
            pairs = zip(journal.records, run.journal.records, strict=False)
            at, (new, old) = next(((n, p) for n, p in enumerate(pairs) if p[0] != p[1]), (-1, ("nothing", "more")))
            raise AssertionError(f"record {at} was {old!r:.400}, and in the replay {new!r:.400}")
        assert engine.log.hexdigest() == run.engine.log.hexdigest()

    def test_e28_the_account_can_be_asked(self) -> None:
        """Rights, balances and open orders are read from the venue's answers, and a refusal is raised with its words.

        Applies to executors with :class:`~bloor.venue.account.AccountInterface`: live mode and ``bloor check`` need it.
        """
        if self.spec.account is None:
            does_not_apply("it cannot ask about the account (ExecutorSpec.account): no live mode")
        trader, instrument, bid = self.venue.trade_when_ready()
        client_id = trader.rest(instrument, bid)
        account = self.spec.account(trader.context)
        now = trader.world.now_ns
        assert asked_at_once(trader.world, account.rights(now)).trade is not False, "the key may not trade"
        assert asked_at_once(trader.world, account.state(now)).balances, "no balances"
        found = [o for o in asked_at_once(trader.world, account.open_orders(now)) if o.client_id == client_id]
        assert found, f"{client_id} rests and is not among the open orders"
        order = found[0]
        assert order.venue_symbol == instrument.venue_symbol and not Decimal(order.filled or 0), f"odd: {order}"
        assert asked_at_once(trader.world, account.cancel(order, now)) is True, "it was open, and not cancelled"
        for question in (account.state(now), account.open_orders(now)):
            for status, body in ((401, b'{"error":"x"}'), (500, b""), (200, b"<html>"), (0, b""), (200, b"[1")):
                self._refused(question.read, status, body)

    def test_e29_a_replay_needs_no_keys(self) -> None:
        """Keys that open nothing stand in for the real ones, of the same kind and the same each time.

        Applies to executors with ``stand_in``: without it, no session of the venue can be replayed.
        """
        stand_in = self.spec.stand_in
        if stand_in is None:
            does_not_apply("it has no stand-in for keys: sessions at this venue cannot be replayed")
        real = self.spec.credentials(self._printed())
        kind = stand_in.kind(real)
        made = stand_in.make(kind)
        assert stand_in.kind(made) == kind, f"made for {kind!r}, it is of the kind {stand_in.kind(made)!r}"
        again = stand_in.make(kind)
        assert made is again or made == again or repr(made) == repr(again), "it is another one each time"
        try:
            stand_in.make("no such kind")
        except ConfigError:
            return
        raise AssertionError("make('no such kind'): expected a ConfigError")

    # ---- what the cards need ----------------------------------------------------------------------------------------

    def _printed(self) -> dict[str, Any]:
        core = self.venue.core(lambda _conn, _payload: None)
        return core.credentials()

    def _refused(self, read: Callable[[int, bytes], Any], status: int, body: bytes) -> None:
        try:
            answer = read(status, body)
        except RemoteProtocolError:
            return
        raise AssertionError(f"status {status} with {body!r} was read as {answer!r:.200}; expected RemoteProtocolError")
