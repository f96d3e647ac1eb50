"""The paper venue: orders matched here, in a market that exists elsewhere. Sans I/O.

It reads the very frames that a run receives from the real venue and keeps, beside the run's own books, one in which
the run's orders take part, by the rules of :mod:`bloor.simulation.matching` for a market that somebody else drives: an
order of ours joins the back of the visible queue of its level, trades at the price consume the queue before us, who
cancels was behind us, a trade through our price fills us, and a marketable order takes what is visible, level by
level; what it took stays taken until the venue says another quantity of it.

Requests arrive after a latency and answers leave after another, both with a jitter that a seed fixes; nothing
overtakes. What arrived at a time is matched in the book as it was at that time, however late :meth:`PaperVenue.advance`
is called, so the same inputs at the same times give the same answers.

What paper cannot know: that our orders would have moved the market, and who among the makers at our price cancels.
"""

from __future__ import annotations

import random
from collections import deque
from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

import orjson

from bloor.config.sections import PaperConfig
from bloor.errors import MoneyError, RemoteProtocolError
from bloor.hookspecs import Commission
from bloor.market.messages import BboMessage, BookMessage, Message, TradeMessage
from bloor.market.normalizer import ChecksummedNormalizer, Normalizer
from bloor.model.instrument import Instrument
from bloor.model.orders import Liquidity, OrderType, ReportKind, Side, TimeInForce, VenueFill, VenueReport
from bloor.simulation.account import ATOM_DECIMALS, Account, Fees, format_atoms
from bloor.simulation.exchange import (
    AccountEvent,
    AccountEventKind,
    AccountFill,
    AccountOrder,
    Exchange,
    Market,
    PublicTrade,
)
from bloor.simulation.matching import MatchingBook
from bloor.simulation.orders import OrderState, Outcome
from bloor.simulation.recorded_book import RecordedBook
from bloor.venue.paper import pack_reports
from bloor.venue.session import NEVER

__all__ = ["PaperVenue", "longest_round_trip_ns"]

#: Of each quote asset, when no balances are configured.
OPENING_QUOTE = Decimal(100_000)
#: Ended orders are forgotten after this long.
FORGET_NS = 3_600 * 1_000_000_000
_ACCOUNT = 1
#: Where ids of our own trades begin, beyond those of any venue.
_OWN_TRADE_IDS = 9_000_000_000_000
_DEPTH = "depth:"
_PPM = 1_000_000


def longest_round_trip_ns(config: PaperConfig) -> int:
    """The longest time between a request and the receipt of its answer."""
    return max(config.order_latency.ns, config.cancel_latency.ns) + config.ack_latency.ns + 2 * config.jitter.ns


class PaperVenue:
    """One venue on paper, with one account.

    Args:
        instruments: What is traded.
        normalizer: A reference normalizer of the venue.
        config: Balances, fees and latencies.
        seed: Fixes the jitter.
        commission: What the venue takes of fills, where the configuration says nothing.

    Attributes:
        account: The account; its balances are as of what has arrived.
    """

    def __init__(
        self,
        instruments: Sequence[Instrument],
        normalizer: Normalizer,
        config: PaperConfig,
        seed: int,
        commission: Commission = Commission(),  # noqa: B008 (immutable)
    ) -> None:
        self._normalizer = normalizer
        self._cuts = normalizer if isinstance(normalizer, ChecksummedNormalizer) else None
        self._config = config
        # one for each way, so that who is asked first changes nothing
        self._out, self._back = random.Random(f"{seed} out"), random.Random(f"{seed} back")
        self._books: dict[str, RecordedBook] = {}
        self._last_trade: dict[str, int] = {}
        self._singles: set[str] = set()
        for instrument in instruments:
            market = Market(instrument, MatchingBook(), publishes_market_trades=False)
            market.last_trade_id = _OWN_TRADE_IDS
            self._books[instrument.venue_symbol] = RecordedBook(market, normalizer.rule, aggregated=True)
        self.account = _account(instruments, config, commission)
        self._exchange = Exchange({name: book.market for name, book in self._books.items()}, [self.account], self)
        self._by_client_id: dict[str, AccountOrder] = {}
        self._ended: deque[tuple[int, AccountOrder]] = deque()
        self._arrivals: deque[tuple[int, bytes]] = deque()
        self._answers: deque[tuple[int, bytes]] = deque()
        self._said: list[VenueReport] = []

    def balances(self) -> dict[str, dict[str, str]]:
        """What the account holds, as of what has arrived: ``{asset: {"free", "locked"}}``, decimal texts."""
        return {
            asset: {"free": format_atoms(balance.free), "locked": format_atoms(balance.locked)}
            for asset, balance in self.account.balances.items()
        }

    # ---- what it is told --------------------------------------------------------------------------------------------

    @property
    def deadline_ns(self) -> int:
        """When :meth:`advance` wants to be called next."""
        return min(queue[0][0] if queue else NEVER for queue in (self._arrivals, self._answers))

    def opened(self, now_ns: int) -> None:
        """The run's order connection is open."""
        self._answer(orjson.dumps({"ready": True, "balances": self.balances()}), now_ns)

    def received(self, payload: bytes, now_ns: int) -> None:
        """A request left the run; it arrives after its latency."""
        new = orjson.loads(payload)["op"] == "place"
        latency = self._config.order_latency if new else self._config.cancel_latency
        last = self._arrivals[-1][0] if self._arrivals else 0
        self._arrivals.append((max(self._later(now_ns + latency.ns, self._out), last), payload))

    def market_frame(self, payload: bytes, recv_ns: int, *, second: bool = False) -> None:
        """A frame of the venue's public streams; one that cannot be read is the run's to complain about.

        Args:
            payload: The frame.
            recv_ns: When it was received.
            second: Whether it came over a second connection, so that it may repeat what is known.
        """
        self._match(recv_ns)
        try:
            messages = self._normalizer.decode(payload)
        except RemoteProtocolError:
            return
        for message in messages:
            self._take(message, recv_ns, second=second)
        self._send_reports(recv_ns)

    def market_answer(self, tag: str, status: int, body: bytes, now_ns: int) -> None:
        """An answer of the venue's REST interface; the books among them count."""
        name = tag.removeprefix(_DEPTH)
        if status != 200 or name == tag or name not in self._books:
            return
        self._match(now_ns)
        try:
            message = self._normalizer.decode_snapshot(body, name)
        except RemoteProtocolError:
            return
        self._take(message._replace(symbol=name), now_ns)
        self._send_reports(now_ns)

    def advance(self, now_ns: int) -> list[bytes]:
        """Matches what has arrived and gives the frames that have come back, in order."""
        self._match(now_ns)
        come = []
        while self._answers and self._answers[0][0] <= now_ns:
            come.append(self._answers.popleft()[1])
        return come

    # ---- the market -------------------------------------------------------------------------------------------------

    def _take(self, message: Message, now_ns: int, *, second: bool = False) -> None:
        book = self._books.get(getattr(message, "symbol", ""))
        if book is None:
            return
        try:
            outcomes = self._applied(book, message, second=second)
        except MoneyError:
            return
        self._exchange.absorb(book.market, outcomes, now_ns)

    def _applied(self, book: RecordedBook, message: Message, *, second: bool) -> Sequence[Outcome]:
        if isinstance(message, BookMessage):
            outcomes = book.book(message)
            depth = 0 if self._cuts is None else self._cuts.depth(message.symbol)
            return outcomes + book.cut(depth) if depth else outcomes
        if isinstance(message, BboMessage):
            return book.bbo(message)
        if isinstance(message, TradeMessage) and self._is_new(message, second=second):
            return book.trade(message)
        return ()

    def _is_new(self, trade: TradeMessage, *, second: bool) -> bool:
        """Whether a trade counts: not one that was told already, and no sum of trades that are told one by one."""
        if not trade.aggregated:
            self._singles.add(trade.symbol)
        elif trade.symbol in self._singles:
            return False
        if not trade.trade_id.isdigit():
            return not second
        number = int(trade.trade_id)
        known = number <= self._last_trade.get(trade.symbol, -1)
        self._last_trade[trade.symbol] = max(number, self._last_trade.get(trade.symbol, -1))
        return not known

    # ---- requests ---------------------------------------------------------------------------------------------------

    def _match(self, until_ns: int) -> None:
        """Everything that has arrived, each at its own time."""
        while self._arrivals and self._arrivals[0][0] <= until_ns:
            at_ns, payload = self._arrivals.popleft()
            self._request(orjson.loads(payload), at_ns)
            self._send_reports(at_ns)
        while self._ended and self._ended[0][0] + FORGET_NS <= until_ns:
            order = self._ended.popleft()[1]
            self._by_client_id.pop(order.client_id, None)
            self._exchange.orders.pop(order.id, None)

    def _request(self, request: Mapping[str, Any], now_ns: int) -> None:
        client_id, op = request["id"], request["op"]
        order = self._by_client_id.get(client_id)
        if op == "place":
            self._place(request, now_ns)
        elif op == "cancel":
            self._cancel(client_id, order, now_ns)
        elif op == "replace":
            self._replace(client_id, order, request, now_ns)
        elif op == "amend":
            self._amend(client_id, order, request["lots"], now_ns)
        elif op == "query":
            self._tell_state(client_id, order, now_ns)
        elif op == "trades":
            self._tell_trades(client_id, request, now_ns)
        elif order is not None:
            for fill in order.fills:
                self._say_fill(order, fill, now_ns)

    def _cancel(self, client_id: str, order: AccountOrder | None, now_ns: int) -> bool:
        done = order is not None and self._exchange.cancel(order, now_ns)
        if not done:
            self._say(ReportKind.CANCEL_REJECT, client_id, order, now_ns, reason="UNKNOWN_ORDER")
        return done

    def _replace(self, client_id: str, order: AccountOrder | None, request: Mapping[str, Any], now_ns: int) -> None:
        new = request["new"]
        if order is not None and order.executed and request["only_unfilled"]:
            self._say(ReportKind.CANCEL_REJECT, client_id, order, now_ns, reason="PARTLY_FILLED")
        elif self._cancel(client_id, order, now_ns):
            self._place(new, now_ns)
            return
        self._say(ReportKind.REJECT, new["id"], None, now_ns, reason="NOT_CANCELLED: the old order is as it was")

    def _amend(self, client_id: str, order: AccountOrder | None, lots: int, now_ns: int) -> None:
        done = order is not None and self._exchange.amend(
            order, lots * order.market.instrument.lot_units, client_id, now_ns
        )
        if not done:
            self._say(ReportKind.REPLACE_REJECT, client_id, order, now_ns, reason="NOT_AMENDED")

    def _place(self, request: Mapping[str, Any], now_ns: int) -> None:
        client_id, book = request["id"], self._books[request["symbol"]]
        instrument, lots = book.market.instrument, request["lots"]
        kind, price = OrderType(request["type"]), request["price"]
        reason = _refusal(instrument, kind, price, lots)
        if not book.known:
            reason = "MARKET_UNKNOWN: no book has come yet"
        elif client_id in self._by_client_id:
            reason = "DUPLICATE_ID"
        if reason:
            self._say(ReportKind.REJECT, client_id, None, now_ns, reason=reason)
            return
        order = AccountOrder(
            id=self._exchange.next_order_id(), owner=_ACCOUNT, side=Side(request["side"]), price=price,
            units=lots * instrument.lot_units, type=kind, tif=TimeInForce(request["tif"]), market=book.market,
            client_id=client_id,
        )  # fmt: skip
        self._by_client_id[client_id] = order
        refused = self._exchange.place(order, now_ns)
        if refused is not None:
            del self._by_client_id[client_id]
            self._say(ReportKind.REJECT, client_id, None, now_ns, reason=refused.name)

    def _tell_state(self, client_id: str, order: AccountOrder | None, now_ns: int) -> None:
        if order is None:
            self._say(ReportKind.NOT_FOUND, client_id, None, now_ns)
        elif order.status is OrderState.OPEN:
            self._say(ReportKind.FOUND_OPEN, client_id, order, now_ns)
        else:
            reason = {OrderState.FILLED: "FILLED", OrderState.CANCELLED: "CANCELED"}.get(order.status, "EXPIRED")
            self._say(ReportKind.FOUND_CLOSED, client_id, order, now_ns, reason=reason)

    def _tell_trades(self, client_id: str, request: Mapping[str, Any], now_ns: int) -> None:
        first_ns, last_ns = request["from"], request["to"]
        traded = frozenset(
            str(order.id)
            for order in self._by_client_id.values()
            if order.market.instrument.venue_symbol == request["symbol"]
            and any(first_ns <= fill.ns <= last_ns for fill in order.fills)
        )
        self._said.append(
            VenueReport(
                kind=ReportKind.TRADES_SEEN, client_id=client_id, venue_symbol=request["symbol"], order_ids=traded,
                exch_ns=now_ns,
            )
        )  # fmt: skip

    # ---- what the exchange says -------------------------------------------------------------------------------------

    def account_event(self, event: AccountEvent) -> None:
        """An order of ours changed."""
        order = event.order
        if event.kind is AccountEventKind.NEW:
            self._say(ReportKind.ACK, order.client_id, order, event.ns)
        elif event.fill is not None:
            self._say_fill(order, event.fill, event.ns)
        elif event.kind is AccountEventKind.CANCELLED:
            self._say(ReportKind.CANCELLED, order.client_id, order, event.ns)
        elif event.kind is AccountEventKind.AMENDED:
            self._say(ReportKind.REPLACED, order.client_id, order, event.ns)
        elif event.reason is not None:
            self._say(ReportKind.EXPIRED, order.client_id, order, event.ns, reason=event.reason.name)
        if order.status is not OrderState.OPEN:
            self._ended.append((event.ns, order))

    def public_trade(self, market: Market, trade: PublicTrade) -> None:
        """Nobody but us sees what is matched here."""

    def _say_fill(self, order: AccountOrder, fill: AccountFill, now_ns: int) -> None:
        told = VenueFill(
            trade_id=str(fill.trade_id), price_ticks=fill.price, units=fill.units, fee=_amount(fill.fee),
            fee_asset=fill.fee_asset, liquidity=Liquidity.MAKER if fill.maker else Liquidity.TAKER, exch_ns=fill.ns,
        )  # fmt: skip
        self._say(ReportKind.FILL, order.client_id, order, now_ns, fill=told)

    def _say(
        self,
        kind: ReportKind,
        client_id: str,
        order: AccountOrder | None,
        now_ns: int,
        *,
        reason: str = "",
        fill: VenueFill | None = None,
    ) -> None:
        self._said.append(
            VenueReport(
                kind=kind,
                client_id=client_id,
                venue_symbol="" if order is None else order.market.instrument.venue_symbol,
                venue_order_id="" if order is None else str(order.id),
                cumulative_units=-1 if order is None else order.executed,
                quantity_units=-1 if order is None else order.units,
                reason=reason,
                fill=fill,
                exch_ns=now_ns,
            )
        )

    def _send_reports(self, now_ns: int) -> None:
        """Everything that was said in one step leaves in one frame."""
        if self._said:
            said, self._said = self._said, []
            self._answer(pack_reports(said), now_ns)

    def _answer(self, payload: bytes, now_ns: int) -> None:
        last = self._answers[-1][0] if self._answers else 0
        self._answers.append((max(self._later(now_ns + self._config.ack_latency.ns, self._back), last), payload))

    def _later(self, ns: int, chance: random.Random) -> int:
        return ns + chance.randint(0, self._config.jitter.ns)


def _account(instruments: Sequence[Instrument], config: PaperConfig, commission: Commission) -> Account:
    maker = commission.maker if config.maker_fee is None else config.maker_fee
    taker = commission.taker if config.taker_fee is None else config.taker_fee
    fees = Fees(maker_ppm=int(maker * _PPM), taker_ppm=int(taker * _PPM), in_quote=commission.in_quote)
    account = Account(_ACCOUNT, fees)
    balances = config.balances or {instrument.quote: OPENING_QUOTE for instrument in instruments}
    for asset, amount in balances.items():
        numerator, denominator = amount.as_integer_ratio()
        account.deposit(asset, numerator * 10**ATOM_DECIMALS // denominator)
    return account


def _amount(atoms: int) -> Decimal:
    return Decimal(format_atoms(atoms, ATOM_DECIMALS)).normalize() if atoms else Decimal(0)


def _refusal(instrument: Instrument, kind: OrderType, price: int, lots: int) -> str:
    """What the venue's own filters would say, empty when they let an order pass."""
    if lots < instrument.min_lots or (instrument.max_lots and lots > instrument.max_lots):
        return f"LOT_SIZE: {instrument.format_lots(lots)} {instrument.base}"
    if kind is OrderType.MARKET:
        return ""
    value = instrument.value(price, lots * instrument.lot_units)
    if value < instrument.min_notional or (instrument.max_notional and value > instrument.max_notional):
        return f"NOTIONAL: {value:f} {instrument.quote}"
    return ""
