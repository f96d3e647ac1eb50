"""The whole simulated venue behind one sans-I/O object, :class:`SimulatedAcme`."""

from __future__ import annotations

import hashlib
from itertools import count
from typing import Any

import orjson
from bloor.errors import RemoteProtocolError, UsageError
from bloor.simulation.account import ATOM_DECIMALS, Account
from bloor.simulation.exchange import AccountEvent, Exchange, Market, PublicTrade
from bloor.simulation.faults import Faults
from bloor.simulation.market import SeededMarket
from bloor.simulation.matching import MatchingBook
from bloor.simulation.venue import HttpAnswer, HttpRequest, Outbox, SimulationOptions

from bloor_acme.credentials import read_credentials
from bloor_acme.protocol import parsed
from bloor_acme.simulated.listing import listed, style
from bloor_acme.simulated.market_data import Publisher
from bloor_acme.simulated.orders import OrderDesk
from bloor_acme.simulated.rest import RestApi

__all__ = ["SimulatedAcme"]

STREAM, ORDERS = "/stream", "/orders"
_ACCOUNT = 1
#: What the account holds at the start, of each base and each quote asset.
_BASE, _QUOTE = 100, 1_000_000
_HEARTBEAT_NS = 1_000_000_000
#: Events in one advance: a process that was stopped for a while catches up in pieces.
_MOST_EVENTS = 2_000


class SimulatedAcme:
    """See :class:`bloor.simulation.venue.SimulatedVenue`.

    Args:
        options: What it should be.
        outbox: How its frames leave.

    Raises:
        UsageError: A symbol or fault specification that cannot be, or recordings, which it does not play.
    """

    def __init__(self, options: SimulationOptions, outbox: Outbox) -> None:
        if options.recordings:
            raise UsageError("--data: the simulated acme makes its own market and plays no recordings")
        if options.fee_asset:
            raise UsageError("--fee-asset: acme takes its fees in what is received")
        self.faults = Faults(options.faults, options.seed)
        self.finished = False
        self._outbox = outbox
        self._streams: set[int] = set()
        self._beat_ns = 0
        digest = hashlib.sha256(f"acme {options.seed}".encode()).hexdigest()
        self._document = {"key": digest[:16], "secret": digest[16:]}
        ids = count(10_000_000_000)
        markets: dict[str, Market] = {}
        self._models: list[tuple[Market, SeededMarket, Publisher]] = []
        self._publishers: dict[str, Publisher] = {}
        for instrument in listed(options.symbols):
            market = Market(instrument, MatchingBook())
            name = instrument.venue_symbol
            model = SeededMarket(instrument, market.book, style(instrument.symbol), options, lambda: next(ids))
            market.driver = model
            markets[name] = market
            self._publishers[name] = Publisher(market, outbox, self.faults)
            self._models.append((market, model, self._publishers[name]))
        keys = read_credentials(self._document)
        self._desk = OrderDesk(_ACCOUNT, keys, outbox, self.faults)
        self.exchange = self._desk.exchange = Exchange(markets, [_account(markets)], self)
        self._rest = RestApi(self.exchange, _ACCOUNT, keys, self._desk)

    # ---- the life of the venue

    @property
    def deadline_ns(self) -> int:
        """When :meth:`advance` wants to be called next."""
        return min(self._beat_ns, self.faults.deadline_ns, *(model.next_ns for _, model, _ in self._models))

    def start(self, now_ns: int) -> None:
        """Opens the market."""
        for market, model, _ in self._models:
            model.start(now_ns)
            market.book.touched.clear()
        self._beat_ns = now_ns + _HEARTBEAT_NS

    def advance(self, now_ns: int) -> None:
        """Lets the market move up to ``now_ns``, in order of time."""
        for conn in self.faults.ended(now_ns):
            self._outbox(conn, None)
        for _ in range(_MOST_EVENTS):
            market, model, publisher = min(self._models, key=lambda entry: entry[1].next_ns)
            if min(model.next_ns, self._beat_ns) > now_ns:
                break
            if self._beat_ns <= model.next_ns:
                self._beat()
                continue
            at_ns = model.next_ns
            self.exchange.absorb(market, model.step(), at_ns)
            publisher.publish(at_ns)
        self._desk.flush()

    def _beat(self) -> None:
        frame = orjson.dumps({"type": "heartbeat", "time_ns": self._beat_ns})
        for conn in sorted(self._streams):
            self._outbox(conn, frame)
        self._beat_ns += _HEARTBEAT_NS

    # ---- connections

    def opened(self, conn: int, path: str, query: str, now_ns: int) -> bool:
        """A WebSocket connection; False when the path is none of ours."""
        if path == ORDERS:
            self._desk.opened(conn)
        elif path == STREAM:
            self._streams.add(conn)
        else:
            return False
        self.faults.opened(conn, now_ns)
        return True

    def received(self, conn: int, payload: bytes, now_ns: int) -> None:
        """A text frame came from a connection."""
        if not self._desk.holds(conn):
            self._subscribe(conn, payload, now_ns)
            return
        self._desk.received(conn, payload, now_ns)
        self._tell(now_ns)

    def closed(self, conn: int, now_ns: int) -> None:
        """A connection is gone."""
        self.faults.closed(conn)
        self._desk.closed(conn)
        self._streams.discard(conn)
        for publisher in self._publishers.values():
            publisher.listeners.discard(conn)

    def _tell(self, now_ns: int) -> None:
        """After the answer: private events, then what the public sees."""
        self._desk.flush()
        for publisher in self._publishers.values():
            publisher.publish(now_ns)

    def _subscribe(self, conn: int, payload: bytes, now_ns: int) -> None:
        try:
            request = parsed(payload)
            symbols = request.get("symbols")
            if request.get("op") != "subscribe" or type(symbols) is not list:
                raise RemoteProtocolError('expected {"op": "subscribe", "symbols": [...]}')
            unknown = [symbol for symbol in symbols if symbol not in self._publishers]
            if unknown:
                raise RemoteProtocolError(f"{unknown[0]!r:.60} is not listed")
        except (RemoteProtocolError, TypeError) as error:
            self._outbox(conn, orjson.dumps({"type": "error", "text": str(error)}))
            return
        self._outbox(conn, orjson.dumps({"type": "subscribed", "symbols": symbols}))
        for symbol in symbols:
            self._publishers[symbol].subscribe(conn, now_ns)

    def request(self, request: HttpRequest, now_ns: int) -> HttpAnswer:
        """A REST request."""
        answer = self._rest.answer(request, now_ns)
        self._tell(now_ns)
        return answer

    def credentials(self) -> dict[str, Any]:
        """The account's key."""
        return dict(self._document)

    def paths(self) -> dict[str, str]:
        """Where each part is, below the server's base URLs."""
        return {"rest": "", "streams": STREAM, "ws_api": ORDERS}

    # ---- what the exchange tells

    def account_event(self, event: AccountEvent) -> None:
        """An account's order changed."""
        self._desk.tell(event)

    def public_trade(self, market: Market, trade: PublicTrade) -> None:
        """Somebody traded."""
        self._publishers[market.instrument.venue_symbol].traded(trade)


def _account(markets: dict[str, Market]) -> Account:
    account = Account(_ACCOUNT)
    quotes = {market.instrument.quote for market in markets.values()}
    assets = quotes | {market.instrument.base for market in markets.values()}
    for asset in sorted(assets):
        account.deposit(asset, (_QUOTE if asset in quotes else _BASE) * 10**ATOM_DECIMALS)
    return account
