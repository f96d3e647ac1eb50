"""The steps of ``bloor check``: each looks at one thing and says what was found and what to do."""

from __future__ import annotations

import os
import ssl
import time
from collections.abc import AsyncIterator, Callable
from typing import Any

from attrs import field, frozen

from bloor.config import RawConfig
from bloor.engine.recording import RecordingPlan
from bloor.errors import BloorError
from bloor.execution.client_id import ClientIds
from bloor.hookspecs import ExecutorContext, ExecutorSpec, FeedSpec, Finding, NormalizerSpec
from bloor.host.account import ask, clock_trouble, rights_trouble
from bloor.host.arming import key_source, level3_keys
from bloor.host.probe import OrderProbe, smallest_order, tops
from bloor.host.rest import RestClient
from bloor.host.setup import select_instruments
from bloor.model.instrument import Instrument
from bloor.venue.account import AccountInterface
from bloor.venue.keys import load_keys
from bloor.venue.session import Endpoints

__all__ = ["CheckedVenue", "Finding", "Step", "VenueCheck"]

#: Requests that a round trip is measured with.
ROUNDS = 9
#: Clocks that are further apart than this are worth a word, though venues still accept it.
CLOCK_WARN_NS = 250_000_000


@frozen(kw_only=True)
class Step:
    """One step.

    Attributes:
        name: What was looked at.
        finding: How it went.
        text: What was found.
        advice: What to do; empty when nothing is to be done.
        figures: Numbers behind the text.
    """

    name: str
    finding: Finding
    text: str
    advice: str = ""
    figures: dict[str, Any] = field(factory=dict)

    def document(self) -> dict[str, Any]:
        """The step as plain data."""
        return {
            "step": self.name,
            "result": self.finding.value,
            "text": self.text,
            "advice": self.advice or None,
            **self.figures,
        }


@frozen(kw_only=True)
class CheckedVenue:
    """What is checked, before it is reached."""

    env: str
    raw: RawConfig
    feed: FeedSpec
    normalizer: NormalizerSpec
    executor: ExecutorSpec
    config: Any
    endpoints: Endpoints
    symbols: tuple[str, ...]
    context: ssl.SSLContext | None

    @property
    def venue(self) -> str:
        """The venue's name."""
        return self.feed.venue


class VenueCheck:
    """One check; each step is a method that gives what it found."""

    def __init__(self, subject: CheckedVenue, client: RestClient) -> None:
        self._of = subject
        self._client = client
        self._instruments: list[Instrument] = []
        self._credentials: Any = None
        self._account: AccountInterface | None = None
        self._bid = 0

    async def steps(self) -> AsyncIterator[Step]:
        """Every step, in order."""
        yield await self._tried("rest", self._reach)
        yield await self._tried("clock", self._clock)
        yield await self._tried("instruments", self._list)
        yield await self._tried("market-data", self._market) if self._instruments else _skipped("market-data")
        yield await self._tried("keys", self._keys)
        needing_keys = {
            "rights": self._rights,
            "account": self._state,
            "open-orders": self._open_orders,
            "test-order": self._test_order,
        }
        for name, step in needing_keys.items():
            yield await self._tried(name, step) if self._account is not None else _skipped(name)
        if self._credentials is None or not self._instruments:
            yield _skipped("order-entry")
        else:
            yield await self._tried("order-entry", self._order_entry)
        yield self._dead_man()

    async def _tried(self, name: str, step: Callable[[], Any]) -> Step:
        """A step; one that raises has failed, and the error says why."""
        try:
            done: Step = await step()
        except BloorError as error:
            return Step(name=name, finding=Finding.FAIL, text=str(error))
        return done

    async def _reach(self) -> Step:
        took = [await self._client.ask_time() for _ in range(ROUNDS)]
        answered = sorted(ns for ns in took if ns >= 0)
        if not answered:
            return Step(
                name="rest", finding=Finding.FAIL, text=f"{self._of.endpoints.rest} does not answer",
                advice="look at the network, at --env, and at the URLs in the venue's section of the configuration",
            )  # fmt: skip
        p50_ms = answered[len(answered) // 2] / 1e6
        few = len(answered) < ROUNDS
        return Step(
            name="rest", finding=Finding.WARN if few else Finding.PASS,
            text=f"{len(answered)} of {ROUNDS} requests answered, round trip p50 {p50_ms:.2f} ms",
            advice="requests get lost: look at the network" if few else "",
            figures={"round_trip_ms_p50": round(p50_ms, 3), "round_trip_ms_max": round(answered[-1] / 1e6, 3)},
        )  # fmt: skip

    async def _clock(self) -> Step:
        clock, now_ns = self._client.clock, self._client.now()
        if not clock.known:
            return Step(name="clock", finding=Finding.FAIL, text="the venue does not say what time it is")
        offset, error = clock.offset_ns(now_ns), clock.error_ns(now_ns)
        figures = {"offset_ms": round(offset / 1e6, 3), "error_ms": round(error / 1e6, 3)}
        text = f"the venue's clock is {offset / 1e6:+.1f} ms from ours, known to {error / 1e6:.1f} ms"
        if trouble := clock_trouble(self._client, now_ns):
            return Step(name="clock", finding=Finding.FAIL, text=text, advice=trouble, figures=figures)
        far = abs(offset) - error > CLOCK_WARN_NS
        return Step(
            name="clock", finding=Finding.WARN if far else Finding.PASS, text=text,
            advice="set this machine's clock, e.g. by NTP" if far else "", figures=figures,
        )  # fmt: skip

    async def _list(self) -> Step:
        feed = self._of.feed
        listed = feed.parse_instruments(await self._client.fetch(feed.instruments_path(self._of.symbols)))
        self._instruments = select_instruments(self._of, listed, recorded=False)
        lines = [
            f"{i.symbol}: tick {i.tick_size:f}, lot {i.lot_size:f}, at least {i.min_notional:f} {i.quote}"
            for i in self._instruments
        ]
        return Step(
            name="instruments", finding=Finding.PASS, text="; ".join(lines),
            figures={"instruments": [i.record() for i in self._instruments]},
        )  # fmt: skip

    async def _market(self) -> Step:
        from bloor.market.kernels import warm

        of, level3 = self._of, self._of.feed.by_order(self._of.config)
        keys = level3_keys(of.raw, of.feed, of.config, of.env, os.environ)
        plan = RecordingPlan(
            feed=of.feed, normalizer=of.normalizer, config=of.config, endpoints=of.endpoints,
            instruments=tuple(self._instruments),
            level3_credentials=None if level3 is None else level3.credentials(keys),
        )  # fmt: skip
        warm(None, {} if of.normalizer.compiled is None else {of.venue: of.normalizer.compiled()})
        begun = time.monotonic()
        books = await tops(plan, of.context)
        seconds = time.monotonic() - begun
        self._bid = books[0].best_bid if books[0].two_sided else 0
        return Step(
            name="market-data", finding=Finding.PASS, text=f"{len(books)} books in sync after {seconds:.1f} s",
            figures={"seconds": round(seconds, 3)},
        )  # fmt: skip

    async def _keys(self) -> Step:
        of = self._of
        keys = load_keys(of.venue, of.env, key_source(of.raw, of.venue, of.env), os.environ)
        self._credentials = of.executor.credentials(keys)
        kind = of.executor.stand_in.kind(self._credentials) if of.executor.stand_in is not None else "a"
        if of.executor.account is None:
            advice = "the account cannot be looked at, and live mode will not start"
            return Step(name="keys", finding=Finding.WARN, text=f"{kind} key found", advice=advice)
        self._account = of.executor.account(self._context())
        return Step(name="keys", finding=Finding.PASS, text=f"{kind} key found", figures={"kind": kind})

    def _context(self) -> ExecutorContext:
        of = self._of
        return ExecutorContext(
            config=of.config, endpoints=of.endpoints, credentials=self._credentials, instruments=self._instruments
        )

    async def _rights(self) -> Step:
        assert self._account is not None
        rights = await ask(self._client, self._account.rights(self._client.venue_ns()))
        figures = {"trade": rights.trade, "withdraw": rights.withdraw, "ip_limited": rights.limited_to_addresses}
        if trouble := rights_trouble(rights):
            return Step(
                name="rights", finding=Finding.FAIL, text="not fit to trade with", advice=trouble, figures=figures
            )
        if rights.trade is None or rights.withdraw is None:
            return Step(
                name="rights", finding=Finding.WARN, text="the venue does not say here what the key may do",
                advice="look at the venue's web page: the key should trade and not withdraw", figures=figures,
            )  # fmt: skip
        text = "may trade, may not withdraw"
        if rights.limited_to_addresses is False:
            return Step(
                name="rights", finding=Finding.WARN, text=f"{text}, works from any address",
                advice="limit the key to this machine's address at the venue", figures=figures,
            )  # fmt: skip
        return Step(name="rights", finding=Finding.PASS, text=text, figures=figures)

    async def _state(self) -> Step:
        assert self._account is not None
        state = await ask(self._client, self._account.state(self._client.venue_ns()))
        wanted = {asset for i in self._instruments for asset in (i.base, i.quote)}
        held = {asset: f"{b.free:f}" for asset, b in sorted(state.balances.items())}
        figures = {"balances": held}
        if not state.may_trade:
            advice = "ask the venue why"
            return Step(name="account", finding=Finding.FAIL, text="may not trade", advice=advice, figures=figures)
        shown = ", ".join(f"{amount} {asset}" for asset, amount in held.items() if asset in wanted)
        return Step(
            name="account", finding=Finding.PASS if shown else Finding.WARN,
            text=f"free: {shown}" if shown else f"holds nothing of {', '.join(sorted(wanted))}",
            advice="" if shown else "deposit before trading", figures=figures,
        )  # fmt: skip

    async def _open_orders(self) -> Step:
        assert self._account is not None
        found = await ask(self._client, self._account.open_orders(self._client.venue_ns()))
        figures = {"open_orders": [order._asdict() for order in found]}
        if not found:
            return Step(name="open-orders", finding=Finding.PASS, text="none", figures=figures)
        return Step(
            name="open-orders", finding=Finding.WARN, text=f"{len(found)}: " + ", ".join(o.client_id for o in found),
            advice="a live run cancels those of its own host and leaves others alone", figures=figures,
        )  # fmt: skip

    async def _test_order(self) -> Step:
        assert self._account is not None
        if not self._bid:
            return Step(name="test-order", finding=Finding.SKIP, text="not tried: there is no price to try it at")
        i = self._instruments[0]
        order = smallest_order(i, self._bid, ClientIds(0, 0).make(0, 0))
        await ask(self._client, self._account.test_order(order, self._client.venue_ns()))
        said = f"buy {i.format_lots(order.lots)} {i.base} at {i.format_price(order.price_ticks)} {i.quote}"
        return Step(name="test-order", finding=Finding.PASS, text=f"the venue would accept: {said}")

    async def _order_entry(self) -> Step:
        session = self._of.executor.build(self._context())
        instrument = self._instruments[0]
        probe = OrderProbe(session, self._of.venue, self._client, self._of.context)
        try:
            took = await probe.measure(instrument, ClientIds(0, 0), ROUNDS)
        finally:
            await probe.close()
        p50_ms = took[len(took) // 2] / 1e6
        return Step(
            name="order-entry", finding=Finding.PASS,
            text=f"authenticated, private stream subscribed, round trip of a query p50 {p50_ms:.2f} ms",
            figures={"round_trip_ms_p50": round(p50_ms, 3), "round_trip_ms_max": round(took[-1] / 1e6, 3)},
        )  # fmt: skip

    def _dead_man(self) -> Step:
        what = self._of.executor.dead_man
        if what is None:
            text, supported = "the plug-in does not say what the venue does when we fall silent", False
        else:
            text, supported = what.text, what.supported
        advice = "" if supported else "watch the run, and cancel by hand if this machine is lost"
        finding = Finding.PASS if supported else Finding.WARN
        return Step(name="dead-man", finding=finding, text=text, advice=advice, figures={"supported": supported})


def _skipped(name: str) -> Step:
    return Step(name=name, finding=Finding.SKIP, text="not tried: an earlier step has to pass first")
