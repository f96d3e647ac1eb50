"""The whole simulated exchange behind one sans-I/O object, :class:`SimulatedCoinbase`."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import partial
from itertools import count
from typing import Any, Protocol

import orjson

from bloor.errors import UsageError
from bloor.simulation.account import ATOM_DECIMALS, Fees
from bloor.simulation.account_orders import AccountEvent
from bloor.simulation.exchange import Exchange, Market, PublicTrade
from bloor.simulation.faults import Faults
from bloor.simulation.opening import ACCOUNT, limit_scale, opening_account
from bloor.simulation.seeded import SeededSource
from bloor.simulation.source import PublicView, Source
from bloor.simulation.venue import HttpAnswer, HttpRequest, Outbox, SimulationOptions
from bloor_coinbase.simulated import user_stream
from bloor_coinbase.simulated.accounts import FEES, Accounts
from bloor_coinbase.simulated.connections import USER_PATH, Connections
from bloor_coinbase.simulated.currencies import Currencies
from bloor_coinbase.simulated.desk import OrderDesk
from bloor_coinbase.simulated.keys import SimulatedKeys
from bloor_coinbase.simulated.listing import DEFAULT_SYMBOLS, Product, books, instrument, products, style
from bloor_coinbase.simulated.products import Products, status_event
from bloor_coinbase.simulated.published import BATCH_TICKS, TICK_NS, SeededPublished
from bloor_coinbase.simulated.rate_limits import RateLimits
from bloor_coinbase.simulated.recorded import recorded_source
from bloor_coinbase.simulated.rest import RestApi
from bloor_coinbase.simulated.tokens import KeyRing

__all__ = ["Published", "SimulatedCoinbase"]

#: What the account has in a second dollar, for products that are paid in it.
_USDC = 1_000_000


class Published(PublicView, Protocol):
    """What the public hears of one market."""

    def snapshot(self, channel: str, ns: int) -> bytes | None:
        """The first event of a channel; None where there is nothing yet."""


class SimulatedCoinbase:
    """See :class:`bloor.simulation.venue.SimulatedVenue`.

    Attributes:
        exchange: Markets and accounts.
        faults: What is injected.
        keys: The account's keys.
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
            raise UsageError(f"--fee-asset {options.fee_asset}: Coinbase takes commissions in the quote asset only")
        self._outbox = outbox
        self.faults = Faults(options.faults, options.seed)
        self.keys = SimulatedKeys(options.seed)
        ring = KeyRing(self.keys.all(), ACCOUNT)
        self._connections = Connections(outbox, ring, self.faults, self._subscribed)
        self._connections.snapshots = self
        self._source: Source[Published] = self._made(options)
        self._products = {p.name: p for book in self._source.markets for p in products(book)}
        account = opening_account(
            self._source.markets.values(), Fees(maker_ppm=FEES[0], taker_ppm=FEES[1], in_quote=True)
        )
        if any(product.quote == "USDC" for product in self._products.values()) and "USDC" not in account.balances:
            account.deposit("USDC", _USDC * 10**ATOM_DECIMALS)
        self.exchange = Exchange(self._source.markets, [account], self)
        self._user_stream = user_stream.UserStream(self._connections)
        self._desk = OrderDesk(self.exchange, self._products, options.seed)
        self._accounts = Accounts(options.seed)
        offered = Products(self._products, self._source.published)
        self._rest = RestApi(
            self.exchange,
            ring,
            self._desk,
            offered,
            self._accounts,
            Currencies(set(account.balances), offered, options.seed),
            RateLimits(limit_scale(options)),
            self.faults,
        )

    def _made(self, options: SimulationOptions) -> Source[Published]:
        if options.recordings:
            return recorded_source(options, self._connections)
        participants = count(10_000_000_000)
        return SeededSource(
            [instrument(book) for book in books(options.symbols or DEFAULT_SYMBOLS)],
            style,
            options,
            lambda: next(participants),
            lambda market: SeededPublished(market, self._connections),
            tick_ns=TICK_NS,
            ticked=self._ticked,
        )

    # -- the life of the venue --------------------------------------------------------------------------------------

    @property
    def deadline_ns(self) -> int:
        """When :meth:`advance` wants to be called next."""
        return min(
            self._source.deadline_ns, self._connections.deadline_ns, self._desk.deadline_ns, self.faults.deadline_ns
        )

    @property
    def finished(self) -> bool:
        """Whether a recording has been played to its end."""
        return self._source.finished

    def start(self, now_ns: int) -> None:
        """Opens the market."""
        self._connections.now_ns = now_ns
        self._accounts.opened_ns = now_ns
        self._source.start(now_ns)

    def advance(self, now_ns: int) -> None:
        """Lets the market move up to ``now_ns``."""
        self._connections.now_ns = now_ns
        for conn in self.faults.ended(now_ns):
            self._outbox(conn, None)
        self._source.advance(self.exchange, now_ns)
        self._desk.expire(now_ns)
        self._user_stream.flush()
        self._source.publish(now_ns)
        self._connections.advance(now_ns)

    # -- clients ----------------------------------------------------------------------------------------------------

    def opened(self, conn: int, path: str, query: str, now_ns: int) -> bool:
        """A WebSocket connection; False when the path is none of ours."""
        if not self._connections.opened(conn, path, now_ns):
            return False
        self.faults.opened(conn, now_ns)
        return True

    def received(self, conn: int, payload: bytes, now_ns: int) -> None:
        """A text frame came from a connection."""
        self._connections.received(conn, payload, now_ns)

    def closed(self, conn: int, now_ns: int) -> None:
        """A connection is gone."""
        self.faults.closed(conn)
        self._connections.closed(conn)

    def request(self, request: HttpRequest, now_ns: int) -> HttpAnswer:
        """A REST request."""
        answer = self._rest.answer(request, now_ns)
        if self._rest.about_market(request):
            self._source.looked(now_ns)
        self._user_stream.flush()
        self._source.publish(now_ns)
        return answer

    def credentials(self) -> dict[str, Any]:
        """The key that trades."""
        return self.keys.main.document()

    def paths(self) -> dict[str, str]:
        """Where each part is, below the server's base URLs."""
        return {"rest": "", "streams": "", "ws_api": USER_PATH}

    # -- what the exchange tells ------------------------------------------------------------------------------------

    def account_event(self, event: AccountEvent) -> None:
        """An account's order changed."""
        self._user_stream.tell(event)

    def public_trade(self, market: Market, trade: PublicTrade) -> None:
        """Somebody traded."""
        published = self._source.published[market.instrument.venue_symbol]
        if isinstance(published, SeededPublished):
            published.traded(trade)

    # -- what subscriptions begin with ------------------------------------------------------------------------------

    def book_of(self, product: str) -> str | None:
        """The product whose market data a product has; None for one that is not listed."""
        listed = self._products.get(product)
        return listed.book if listed is not None else None

    def market(self, channel: str, book: str, now_ns: int) -> bytes | None:
        """The first event of a market channel."""
        if channel == "status":
            return self._status("snapshot", book)
        return self._source.published[book].snapshot(channel, now_ns)

    def user(self, account: int, products: Iterable[str], now_ns: int) -> list[bytes]:
        """The first events of the channel ``user``."""
        return user_stream.snapshot(self.exchange, account, list(products))

    def _subscribed(self, now_ns: int) -> None:
        self._source.subscribed(now_ns)

    def _listed(self, book: str) -> list[tuple[Product, PublicView]]:
        published: Mapping[str, Published] = self._source.published
        return [(p, published[p.book]) for p in self._products.values() if book in ("", p.book)]

    def _ticked(self, ns: int, number: int) -> None:
        """The channel ``status`` comes every five seconds."""
        if number % BATCH_TICKS == 0:
            for book in ("", *self._source.markets):
                self._connections.publish("status", book, partial(self._status, "update", book), ns)

    def _status(self, kind: str, book: str) -> bytes:
        return orjson.dumps(status_event(kind, self._listed(book)))
