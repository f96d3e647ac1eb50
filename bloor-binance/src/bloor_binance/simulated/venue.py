"""The whole simulated exchange behind one sans-I/O object, :class:`SimulatedBinance`."""

from __future__ import annotations

from itertools import count
from typing import Any

from bloor.errors import UsageError
from bloor.simulation.account import Fees
from bloor.simulation.exchange import AccountEvent, Exchange, Market, PublicTrade
from bloor.simulation.faults import Faults
from bloor.simulation.opening import ACCOUNT, limit_scale, opening_account
from bloor.simulation.seeded import SeededSource
from bloor.simulation.source import Source
from bloor.simulation.venue import HttpAnswer, HttpRequest, Outbox, SimulationOptions
from bloor_binance.simulated import ws_api
from bloor_binance.simulated.keys import SimulatedKeys
from bloor_binance.simulated.listing import DEFAULT_SYMBOLS, listing, styles
from bloor_binance.simulated.operations import Operations
from bloor_binance.simulated.orders import OrderDesk
from bloor_binance.simulated.published import DEPTH_INTERVAL_NS, Published, SeededPublished
from bloor_binance.simulated.rate_limits import RateLimits
from bloor_binance.simulated.recorded import recorded_source
from bloor_binance.simulated.rest import RestApi
from bloor_binance.simulated.signatures import KeyRing
from bloor_binance.simulated.streams import StreamHub
from bloor_binance.simulated.ticker_streams import publish_all
from bloor_binance.simulated.user_stream import UserStream

__all__ = ["SimulatedBinance"]

#: What the asset that fees are taken in is traded for.
_FEE_QUOTE = "USDT"


class SimulatedBinance:
    """See :class:`bloor.simulation.venue.SimulatedVenue`."""

    def __init__(self, options: SimulationOptions, outbox: Outbox) -> None:
        """Builds the exchange.

        Args:
            options: What it should be.
            outbox: How its frames leave.

        Raises:
            UsageError: A symbol or fault specification that cannot be.
            InputFileError: A recording that cannot be played.
        """
        self._now_ns = 0
        self._outbox = outbox
        self.faults = Faults(options.faults, options.seed)
        self._keys = SimulatedKeys(options.seed)
        self._hub = StreamHub(outbox, self._subscribed, self.faults)
        self._source: Source[Published]
        if options.recordings:
            if options.fee_asset:
                raise UsageError(f"--fee-asset {options.fee_asset}: a recording does not say what it is worth")
            self._source = recorded_source(options, self._hub)
        else:
            self._source = _seeded(options, self._hub)
        account = opening_account(self._source.markets.values(), Fees(asset=options.fee_asset))
        self.exchange = Exchange(self._source.markets, [account], self)
        self._user_stream = UserStream(outbox, lambda number: self.exchange.accounts[number], self.faults)
        limits = RateLimits(limit_scale(options))
        names = count(1)
        desk = OrderDesk(
            self.exchange, limits, lambda: f"sim{options.seed}-{next(names)}", lambda: self._user_stream.execution_id
        )
        operations = Operations(self.exchange, self._source.published, desk, limits, self.faults)
        ring = KeyRing(self._keys, ACCOUNT)
        self._limits = limits
        self._rest = RestApi(operations, ring, limits)
        self._ws_api = ws_api.WsApi(operations, ring, limits, self._user_stream, outbox)
        self._published: dict[str, Published] = dict(self._source.published)

    # -- the life of the venue --------------------------------------------------------------------------------------

    @property
    def deadline_ns(self) -> int:
        """When :meth:`advance` wants to be called next."""
        return min(self._source.deadline_ns, self.faults.deadline_ns)

    @property
    def finished(self) -> bool:
        """Whether a recording has been played to its end."""
        return self._source.finished

    def start(self, now_ns: int) -> None:
        """Opens the market."""
        self._now_ns = now_ns
        self._source.start(now_ns)

    def advance(self, now_ns: int) -> None:
        """Lets the market move up to ``now_ns``."""
        self._now_ns = now_ns
        for conn in self.faults.ended(now_ns):
            self._outbox(conn, None)
        self._source.advance(self.exchange, now_ns)
        self._user_stream.flush()

    # -- connections ------------------------------------------------------------------------------------------------

    def opened(self, conn: int, path: str, query: str, now_ns: int) -> bool:
        """A WebSocket connection; False when the path is none of ours."""
        self._now_ns = now_ns
        if path == ws_api.PATH:
            self._ws_api.opened(conn, query, now_ns)
        elif not self._hub.opened(conn, path, query):
            return False
        self.faults.opened(conn, now_ns)
        return True

    def received(self, conn: int, payload: bytes, now_ns: int) -> None:
        """A text frame came from a connection."""
        self._now_ns = now_ns
        if self._ws_api.holds(conn):
            self._ws_api.received(conn, payload, now_ns)
            self._after_request(now_ns)
        else:
            self._hub.received(conn, payload, now_ns)

    def closed(self, conn: int, now_ns: int) -> None:
        """A connection is gone."""
        self._now_ns = now_ns
        self.faults.closed(conn)
        self._ws_api.closed(conn)
        self._hub.closed(conn)

    def request(self, request: HttpRequest, now_ns: int) -> HttpAnswer:
        """A REST request."""
        self._now_ns = now_ns
        answer = self._rest.answer(request, now_ns)
        if request.path.startswith(("/api/v3/depth", "/api/v3/trades", "/api/v3/ticker")):
            self._source.looked(now_ns)
        self._after_request(now_ns)
        return answer

    def credentials(self) -> dict[str, Any]:
        """The account's keys."""
        return self._keys.document()

    def paths(self) -> dict[str, str]:
        """Where each part is, below the server's base URLs."""
        return {"rest": "", "streams": "", "ws_api": ws_api.PATH}

    # -- what the exchange tells ------------------------------------------------------------------------------------

    def account_event(self, event: AccountEvent) -> None:
        """An account's order changed."""
        if event.fill is not None and event.fill.maker and len(event.order.fills) == 1:
            self._limits.filled(event.ns)
        self._user_stream.tell(event)

    def public_trade(self, market: Market, trade: PublicTrade) -> None:
        """Somebody traded."""
        published = self._published[market.instrument.venue_symbol]
        if isinstance(published, SeededPublished):
            published.traded(trade)

    def _subscribed(self, _stream: str) -> None:
        self._source.subscribed(self._now_ns)

    def _after_request(self, now_ns: int) -> None:
        """After the answer: private events, then what the public sees."""
        self._user_stream.flush()
        self._source.publish(now_ns)


def _symbols(options: SimulationOptions) -> list[str]:
    """What is listed: what is asked for, and the pair that tells the worth of the asset that fees are taken in.

    Raises:
        UsageError: That asset has no seeded market.
    """
    symbols = list(options.symbols or DEFAULT_SYMBOLS)
    pair = f"{options.fee_asset}-{_FEE_QUOTE}"
    if not options.fee_asset or pair in symbols:
        return symbols
    try:
        listing([pair])
    except UsageError:
        raise UsageError(
            f"--fee-asset {options.fee_asset}: expected an asset with a simulated market in {_FEE_QUOTE}, such as BNB"
        ) from None
    return [*symbols, pair]


def _seeded(options: SimulationOptions, hub: StreamHub) -> SeededSource[SeededPublished]:
    """The markets of a seed, and the streams of all of them together."""
    participants = count(10_000_000_000)

    def ticked(ns: int, number: int) -> None:
        publish_all(hub, [published.tickers for published in source.published.values()], ns, number)

    source = SeededSource(
        listing(_symbols(options)),
        styles,
        options,
        lambda: next(participants),
        lambda market: SeededPublished(market, hub),
        tick_ns=DEPTH_INTERVAL_NS,
        ticked=ticked,
    )
    return source
