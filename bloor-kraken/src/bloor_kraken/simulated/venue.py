"""The whole simulated exchange behind one sans-I/O object, :class:`SimulatedKraken`."""

from __future__ import annotations

from itertools import count
from random import Random
from typing import Any

from bloor.errors import UsageError
from bloor.model.orders import OrderType
from bloor.simulation.account import Fees
from bloor.simulation.exchange import AccountEvent, Exchange, Market, PublicTrade
from bloor.simulation.faults import Faults
from bloor.simulation.opening import ACCOUNT, limit_scale, opening_account
from bloor.simulation.source import Source
from bloor.simulation.venue import HttpAnswer, HttpRequest, Outbox, SimulationOptions
from bloor.venue.session import NEVER
from bloor_kraken.simulated import level3, private, public
from bloor_kraken.simulated.counters import OrderCounters
from bloor_kraken.simulated.desk import OrderDesk
from bloor_kraken.simulated.executions import end_reason
from bloor_kraken.simulated.ids import Ids
from bloor_kraken.simulated.keys import SimulatedKeys, Tokens
from bloor_kraken.simulated.names import Names
from bloor_kraken.simulated.private_stream import PrivateStream
from bloor_kraken.simulated.published import Published, SeededPublished, recorded_source, seeded_source
from bloor_kraken.simulated.rest import RestApi
from bloor_kraken.simulated.rest_account import AccountRest
from bloor_kraken.simulated.rest_public import PublicRest
from bloor_kraken.simulated.rest_trading import TradingRest
from bloor_kraken.simulated.sockets import HEARTBEAT_NS
from bloor_kraken.simulated.spreads import Spreads
from bloor_kraken.simulated.system import System, SystemState

__all__ = ["SimulatedKraken"]

#: Commissions of the lowest tier of 2025: 0.25 % and 0.40 % of the value, in the quote asset.
_FEES = Fees(maker_ppm=2_500, taker_ppm=4_000, in_quote=True)
#: How often what happened to an order is told before the request is answered.
_EARLY = 0.2
#: Participants' orders have numbers from here on.
_PARTICIPANTS = 10_000_000_000
#: Public requests that let a recording run.
_LOOKS = ("/0/public/Depth", "/0/public/Trades", "/0/public/Ticker", "/0/public/OHLC", "/0/public/Spread")


class SimulatedKraken:
    """See :class:`bloor.simulation.venue.SimulatedVenue`.

    Attributes:
        keys: The account's keys.
        exchange: Its markets, accounts and orders.
        faults: What it does wrong.
    """

    def __init__(self, options: SimulationOptions, outbox: Outbox) -> None:
        """Builds the exchange.

        Args:
            options: What it should be.
            outbox: How its frames leave.

        Raises:
            UsageError: A symbol or fault specification that cannot be.
            InputFileError: A recording that cannot be played.
        """
        if options.fee_asset:
            raise UsageError(f"--fee-asset {options.fee_asset}: Kraken takes its fees in the quote asset")
        self._now_ns = 0
        self._outbox = outbox
        self._ids = Ids(options.seed)
        self._next_beat_ns = 0
        self.faults = Faults(options.faults, options.seed)
        self.keys = SimulatedKeys(options.seed, ACCOUNT)
        self._system = System()
        self._public = public.PublicSockets(outbox, self.faults, self._subscribed)
        self._source: Source[Published] = self._make_source(options)
        account = opening_account(self._source.markets.values(), _FEES)
        self.exchange = Exchange(self._source.markets, [account], self)
        names = Names(self._source.markets.values())
        self._public.serve(self._source.published, names)
        self._serve(options, names)

    def _make_source(self, options: SimulationOptions) -> Source[Published]:
        if options.recordings:
            return recorded_source(options, self._public.deliver, self._order_type, lambda: self._now_ns)
        participants = count(_PARTICIPANTS)
        return seeded_source(
            options, self._public.deliver, self._order_type, self._ids.numbered, lambda: next(participants)
        )

    def _serve(self, options: SimulationOptions, names: Names) -> None:
        """Puts the APIs together."""
        ids, tokens, scale = self._ids, Tokens(options.seed), limit_scale(options)
        counters = OrderCounters(scale)
        self._stream = PrivateStream(
            self._outbox, ids, self.faults, lambda: self.exchange, lambda symbol, ns: counters.of(symbol).now(ns)
        )
        self._desk = OrderDesk(self.exchange, counters, ids, self._system, self._stream.tell_post_only)
        chance = Random(f"{options.seed} order of answers")
        self._private = private.PrivateSockets(
            self._outbox,
            self.faults,
            tokens,
            self._desk,
            self._stream,
            names,
            ids,
            counters.tier.most,
            lambda: chance.random() < _EARLY,
        )
        self._level3 = level3.Level3Sockets(self._outbox, tokens, self._source.published, names, self._subscribed)
        self._spreads = Spreads()
        self._rest = RestApi(
            PublicRest(self._source.published, names, _FEES, self._order_type, self._spreads, self._system),
            AccountRest(self.exchange, self._desk, names, ids),
            TradingRest(self._desk, names, ids),
            self.keys,
            tokens,
            self.faults,
            scale,
        )

    # -- the life of the venue --------------------------------------------------------------------------------------

    @property
    def deadline_ns(self) -> int:
        """When :meth:`advance` wants to be called next."""
        moves = self._source.deadline_ns if self._system.online else NEVER
        return min(moves, self.faults.deadline_ns, self._desk.deadline_ns, self._next_beat_ns)

    @property
    def finished(self) -> bool:
        """Whether a recording has been played to its end."""
        return self._source.finished

    def start(self, now_ns: int) -> None:
        """Opens the market."""
        self._now_ns = now_ns
        self._source.start(now_ns)
        self._next_beat_ns = now_ns + HEARTBEAT_NS

    def advance(self, now_ns: int) -> None:
        """Lets the market move up to ``now_ns``."""
        self._now_ns = now_ns
        for conn in self.faults.ended(now_ns):
            self._outbox(conn, None)
        if self._system.online:
            self._source.advance(self.exchange, now_ns)
        self._desk.advance(now_ns)
        self._after(now_ns)
        if now_ns >= self._next_beat_ns:
            self._next_beat_ns = max(self._next_beat_ns + HEARTBEAT_NS, now_ns + 1)
            self._public.beat()
            self._private.beat()
            self._level3.beat()
            for published in self._source.published.values():
                self._spreads.look(published, now_ns)

    def enter(self, state: SystemState, now_ns: int) -> None:
        """The trading engine enters a state, and tells every connection; markets stand still unless it is online."""
        if state is SystemState.ONLINE and not self._system.online:
            self._source.resume(now_ns)
        self._system.state = state
        self._public.announce(state.value)
        self._private.announce(state.value)
        self._level3.announce(state.value)

    # -- connections ------------------------------------------------------------------------------------------------

    def opened(self, conn: int, path: str, query: str, now_ns: int) -> bool:
        """A WebSocket connection; False when the path is none of ours."""
        self._now_ns = now_ns
        if not path.rstrip("/").endswith("/v2"):
            return False
        if path.startswith(private.PREFIX):
            self._private.opened(conn, self._system.state.value)
        elif path.startswith(level3.PREFIX):
            self._level3.opened(conn, self._system.state.value)
        else:
            self._public.opened(conn, self._system.state.value)
        self.faults.opened(conn, now_ns)
        return True

    def received(self, conn: int, payload: bytes, now_ns: int) -> None:
        """A text frame came from a connection."""
        self._now_ns = now_ns
        if self._private.holds(conn):
            self._private.received(conn, payload, now_ns)
            self._after(now_ns)
        else:
            for sockets in (self._public, self._level3):
                if sockets.holds(conn):
                    sockets.received(conn, payload, now_ns)

    def closed(self, conn: int, now_ns: int) -> None:
        """A connection is gone."""
        self._now_ns = now_ns
        self.faults.closed(conn)
        self._private.closed(conn)
        self._public.closed(conn)
        self._level3.closed(conn)

    def request(self, request: HttpRequest, now_ns: int) -> HttpAnswer:
        """A REST request."""
        self._now_ns = now_ns
        answer = self._rest.answer(request, now_ns)
        if request.path.startswith(_LOOKS):
            self._source.looked(now_ns)
        self._after(now_ns)
        return answer

    def credentials(self) -> dict[str, Any]:
        """The account's key."""
        return self.keys.document()

    def paths(self) -> dict[str, str]:
        """Where each part is, below the server's base URLs."""
        return {
            "rest": "",
            "streams": public.PATH,
            "ws_api": private.PREFIX + public.PATH,
            "level3": level3.PREFIX + public.PATH,
        }

    # -- what the exchange tells ------------------------------------------------------------------------------------

    def account_event(self, event: AccountEvent) -> None:
        """An account's order changed."""
        if event.reason is not None:
            event.order.style["reason"] = end_reason(event)
        self._stream.tell(event)

    def public_trade(self, market: Market, trade: PublicTrade) -> None:
        """Somebody traded."""
        published = self._source.published[market.instrument.venue_symbol]
        if isinstance(published, SeededPublished):
            published.traded(trade)

    def _order_type(self, taker: int) -> str:
        """The type of a taker's order: participants take with market orders."""
        order = self.exchange.orders.get(taker)
        return "limit" if order is not None and order.type is not OrderType.MARKET else "market"

    def _subscribed(self, now_ns: int) -> None:
        self._source.subscribed(now_ns)

    def _after(self, now_ns: int) -> None:
        """After an answer: private messages, then what the public sees."""
        self._stream.flush()
        self._source.publish(now_ns)
