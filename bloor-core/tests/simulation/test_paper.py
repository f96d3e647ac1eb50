"""Orders on paper: matched against a market that exists elsewhere, after a latency, with fees and balances."""

from __future__ import annotations

import json
from decimal import Decimal

import pytest
from attrs import evolve
from hypothesis import given
from hypothesis import strategies as st

from bloor.config.duration import Duration
from bloor.config.sections import PaperConfig
from bloor.errors import LocalProtocolError, RemoteProtocolError
from bloor.hookspecs import ExecutorContext
from bloor.model.instrument import Instrument
from bloor.model.orders import (
    AmendRequest,
    CancelRequest,
    Liquidity,
    OrderRequest,
    OrderType,
    ReplaceRequest,
    ReportKind,
    Side,
    TimeInForce,
    VenueFill,
    VenueReport,
)
from bloor.simulation.paper import PaperVenue, longest_round_trip_ns
from bloor.venue.paper import PaperSession, pack_reports
from bloor.venue.session import Endpoints

BUY, SELL = Side.BUY, Side.SELL
K = ReportKind
AB = Instrument(
    venue="lists", symbol="A-B", venue_symbol="AB", base="A", quote="B", price_decimals=0, qty_decimals=0,
    min_lots=2, max_lots=1000, min_notional=Decimal(150),
)  # fmt: skip
INSTANT = PaperConfig(
    order_latency=Duration(0), cancel_latency=Duration(0), ack_latency=Duration(0), jitter=Duration(0),
    maker_fee=Decimal(0), taker_fee=Decimal("0.01"), balances={"B": Decimal(1_000_000), "A": Decimal(500)},
)  # fmt: skip
START = 1_700_000_000_000_000_000


class Paper:
    """A session and its paper venue, joined by hand, in virtual time."""

    def __init__(self, list_venue, config=INSTANT, seed=1, normalizer=None):
        self.venue = PaperVenue([AB], (normalizer or list_venue.Lists)(), config, seed)
        context = ExecutorContext(config=None, endpoints=Endpoints("", "", ""), credentials=None, instruments=[AB])
        self.session = PaperSession(context)
        self.now = START
        self.seq = 0
        self.trade_id = 0
        self.frames = []
        self.session.connected(self.now)
        self.venue.opened(self.now)
        self.wait(longest_round_trip_ns(config))

    def frame(self, *content, second=False):
        self.venue.market_frame(json.dumps(content).encode(), self.now, second=second)

    def snapshot(self, bids, asks):
        self.seq += 10
        body = {"last": self.seq, "bids": bids, "asks": asks}
        self.venue.market_answer("depth:AB", 200, json.dumps(body).encode(), self.now)

    def book(self, bids=(), asks=()):
        first, self.seq = self.seq + 1, self.seq + 1
        self.frame("b", "AB", False, first, self.seq, [list(b) for b in bids], [list(a) for a in asks], self.now)

    def trade(self, price, qty, side, second=False):
        self.trade_id += 0 if second else 1
        # its time is after the book's: the levels do not reflect it yet
        self.frame("t", "AB", self.trade_id, str(price), str(qty), side, self.now + 1, second=second)

    def place(self, client_id, side, price, lots, kind=OrderType.LIMIT, tif=TimeInForce.GTC):
        request = OrderRequest(
            client_id=client_id, instrument=AB, side=side, type=kind, tif=tif, price_ticks=price, lots=lots
        )
        self.venue.received(self.session.place(request, self.now), self.now)

    def ask(self, payload):
        self.venue.received(payload, self.now)
        return self.wait()

    def wait(self, ns=0):
        """Lets time pass; what the session is told of it, as ``(kind, client id, filled units, price)``."""
        self.now += ns
        told = []
        for frame in self.venue.advance(self.now):
            self.frames.append(frame)
            reports, _ = self.session.received(frame, self.now)
            told += reports
        return told

    def said(self, ns=0):
        return [(r.kind, r.client_id, *((r.fill.price_ticks, r.fill.units) if r.fill else ())) for r in self.wait(ns)]


def of(client_id):
    return CancelRequest(client_id=client_id, venue_order_id="", instrument=AB)


@pytest.fixture
def paper(list_venue):
    """Bids 30 at 99 and 50 at 98, asks 20 at 101 and 40 at 102."""
    paper = Paper(list_venue)
    paper.snapshot([["99", "30"], ["98", "50"]], [["101", "20"], ["102", "40"]])
    return paper


def test_an_order_waits_behind_the_visible_queue_of_its_level(paper):
    """Trades at the price consume what was there before it; only then does it fill."""
    paper.place("a", BUY, 99, 10)
    assert paper.said() == [(K.ACK, "a")]
    paper.trade(99, 25, -1)
    assert paper.said() == []
    paper.trade(99, 8, -1)
    assert paper.said() == [(K.FILL, "a", 99, 3)]
    paper.trade(99, 100, -1)
    assert paper.said() == [(K.FILL, "a", 99, 7)]


def test_who_cancels_was_behind_us(paper):
    """A level that shrinks without a trade shrinks at its tail first, so our place gets no better for free."""
    paper.place("a", BUY, 99, 10)
    paper.book(bids=[("99", "45")])
    paper.book(bids=[("99", "30")])
    paper.trade(99, 30, -1)
    assert paper.said() == [(K.ACK, "a")]
    paper.trade(99, 1, -1)
    assert paper.said() == [(K.FILL, "a", 99, 1)]


def test_a_trade_through_our_price_fills_us_at_our_price(paper):
    """Somebody sold below: our bid would have been met first."""
    paper.place("a", BUY, 99, 10)
    paper.wait()
    paper.trade(98, 12, -1)
    assert paper.said() == [(K.FILL, "a", 99, 10)]


def test_a_marketable_order_takes_the_visible_book_level_by_level(paper):
    """It pays for its size: slippage; what it took stays taken until the venue says another quantity of the level."""
    paper.place("a", BUY, 102, 25)
    assert paper.said() == [(K.ACK, "a"), (K.FILL, "a", 101, 20), (K.FILL, "a", 102, 5)]
    paper.place("b", BUY, 101, 5, tif=TimeInForce.IOC)
    assert [kind for kind, *_ in paper.said()] == [K.ACK, K.EXPIRED]
    paper.book(asks=[("101", "20")])
    paper.place("c", BUY, 101, 5, tif=TimeInForce.IOC)
    assert [kind for kind, *_ in paper.said()] == [K.ACK, K.EXPIRED]
    paper.book(asks=[("101", "21")])
    paper.place("d", BUY, 101, 5, tif=TimeInForce.IOC)
    assert paper.said()[-1] == (K.FILL, "d", 101, 5)


def test_fees_and_balances_are_kept(paper):
    """The fee is taken from what is received: base when buying, quote when selling; balances settle exactly."""
    paper.place("a", BUY, 101, 20)
    paper.place("b", SELL, 99, 10)
    fills = [r.fill for r in paper.wait() if r.fill]
    assert [(f.fee, f.fee_asset, f.liquidity) for f in fills] == [
        (Decimal("0.2"), "A", Liquidity.TAKER), (Decimal("9.9"), "B", Liquidity.TAKER)
    ]  # fmt: skip
    assert paper.venue.balances() == {
        "B": {"free": f"{1_000_000 - 2020 + 990 - Decimal('9.9'):.8f}", "locked": "0.00000000"},
        "A": {"free": f"{500 + 20 - Decimal('0.2') - 10:.8f}", "locked": "0.00000000"},
    }


@pytest.mark.parametrize(
    ("side", "price", "lots", "kind", "reason"),
    [
        (BUY, 99, 1, OrderType.LIMIT, "LOT_SIZE"),
        (BUY, 99, 1001, OrderType.LIMIT, "LOT_SIZE"),
        (BUY, 50, 2, OrderType.LIMIT, "NOTIONAL"),
        (SELL, 101, 501, OrderType.LIMIT, "INSUFFICIENT_BALANCE"),
        (BUY, 101, 5, OrderType.POST_ONLY, "WOULD_TAKE"),
    ],
)
def test_what_the_venue_would_refuse_is_refused(paper, side, price, lots, kind, reason):
    """By the instrument's filters, by the balances, and by the order's own kind."""
    paper.place("a", side, price, lots, kind)
    (report,) = paper.wait()
    assert (report.kind, report.client_id) == (K.REJECT, "a")
    assert report.reason.startswith(reason)


def test_without_a_book_nothing_is_matched(list_venue):
    """Before the first snapshot nobody knows what an order would meet."""
    paper = Paper(list_venue)
    paper.place("a", BUY, 99, 10)
    (report,) = paper.wait()
    assert report.reason.startswith("MARKET_UNKNOWN")


def test_an_order_can_be_cancelled_asked_about_and_its_fills_fetched(paper):
    """As at a venue: a cancel of what is gone is refused, and what ended says how."""
    paper.place("a", BUY, 99, 10)
    paper.trade(98, 4, -1)
    paper.wait()
    assert [r.kind for r in paper.ask(paper.session.query("a", AB, paper.now))] == [K.FOUND_OPEN]
    (cancelled,) = paper.ask(paper.session.cancel(of("a"), paper.now))
    assert (cancelled.kind, cancelled.cumulative_units) == (K.CANCELLED, 4)
    assert [r.kind for r in paper.ask(paper.session.cancel(of("a"), paper.now))] == [K.CANCEL_REJECT]
    (found,) = paper.ask(paper.session.query("a", AB, paper.now))
    assert (found.kind, found.reason, found.cumulative_units) == (K.FOUND_CLOSED, "CANCELED", 4)
    assert [r.fill.units for r in paper.ask(paper.session.fetch_fills(of("a"), paper.now))] == [4]
    assert [r.kind for r in paper.ask(paper.session.query("never", AB, paper.now))] == [K.NOT_FOUND]
    (seen,) = paper.ask(paper.session.search_trades(of("x"), START, paper.now, paper.now))
    assert (seen.kind, seen.order_ids) == (K.TRADES_SEEN, {cancelled.venue_order_id})


def test_an_order_can_be_reduced_and_replaced(paper):
    """A reduction keeps the place in the queue; a replacement is a cancel and, only if that succeeds, a new order."""
    paper.place("a", BUY, 99, 10)
    paper.wait()
    (amended,) = paper.ask(paper.session.amend(AmendRequest(order=of("a"), lots=4), paper.now))
    assert (amended.kind, amended.quantity_units) == (K.REPLACED, 4)
    assert [r.kind for r in paper.ask(paper.session.amend(AmendRequest(order=of("a"), lots=9), paper.now))] == [
        K.REPLACE_REJECT
    ]
    paper.trade(99, 31, -1)
    assert paper.said() == [(K.FILL, "a", 99, 1)]
    new = OrderRequest(
        client_id="b", instrument=AB, side=BUY, type=OrderType.LIMIT, tif=TimeInForce.GTC, price_ticks=98, lots=3
    )
    careful = ReplaceRequest(old=of("a"), new=new, only_unfilled=True)
    assert [(r.kind, r.client_id) for r in paper.ask(paper.session.replace(careful, paper.now))] == [
        (K.CANCEL_REJECT, "a"), (K.REJECT, "b")
    ]  # fmt: skip
    bold = evolve(careful, only_unfilled=False)
    assert [(r.kind, r.client_id) for r in paper.ask(paper.session.replace(bold, paper.now))] == [
        (K.CANCELLED, "a"), (K.ACK, "b")
    ]  # fmt: skip


def test_requests_and_answers_take_their_time_and_meet_the_book_of_their_arrival(list_venue):
    """An order meets the level that is there when it arrives, not the one that was there when it left."""
    config = evolve(INSTANT, order_latency=Duration(5_000_000), ack_latency=Duration(3_000_000))
    paper = Paper(list_venue, config)
    paper.snapshot([["99", "30"]], [["101", "20"]])
    paper.place("a", BUY, 101, 10)
    paper.now += 2_000_000
    paper.book(asks=[("101", "0"), ("102", "40")])
    assert paper.said(5_000_000) == []
    assert paper.said(1_000_000) == [(K.ACK, "a")]
    # moved on the way: it rests at 101 instead of having taken
    assert paper.venue.balances()["B"]["locked"] == "1010.00000000"


def test_being_asked_late_changes_nothing(list_venue):
    """What arrived at a time is matched at that time, in the book as it was, however late anybody looks."""
    config = evolve(INSTANT, order_latency=Duration(5_000_000), jitter=Duration(2_000_000))

    def run(look_ms):
        paper = Paper(list_venue, config, seed=7)
        paper.snapshot([["99", "30"]], [["101", "20"], ["103", "5"]])
        told = []
        for number in range(20):
            paper.place(f"o{number}", BUY if number % 2 else SELL, 101 if number % 2 else 99, 3)
            for ms in range(1, 11):
                paper.now += 1_000_000
                if ms == 6:
                    paper.book(asks=[("101", str(10 + number))], bids=[("99", str(20 - number))])
                if (10 * number + ms) % look_ms == 0:
                    told += paper.wait()
        told += paper.wait(20_000_000)
        return told

    often, seldom = run(1), run(70)
    assert often == seldom and any(report.fill for report in often)


def test_a_market_frame_is_counted_once_over_two_connections(paper):
    """While a connection is replaced, trades come twice; sums of trades that are told one by one do not count."""
    paper.place("a", BUY, 99, 10)
    paper.trade(99, 31, -1)
    paper.trade(99, 31, -1, second=True)
    assert paper.said() == [(K.ACK, "a"), (K.FILL, "a", 99, 1)]


def test_what_cannot_be_read_is_left_to_the_run(paper):
    """Garbage, other instruments and other answers change nothing and break nothing."""
    paper.venue.market_frame(b"garbage", paper.now)
    paper.frame("t", "XY", 1, "1", "1", 1, 1)
    paper.frame("t", "AB", 2, "1.5", "1", 1, 1)
    paper.frame("other")
    paper.venue.market_answer("depth:AB", 429, b"{}", paper.now)
    paper.venue.market_answer("time", 200, b"{}", paper.now)
    paper.place("a", BUY, 99, 10)
    assert paper.said() == [(K.ACK, "a")]


def test_ended_orders_are_forgotten_after_an_hour(paper):
    """Memory is bounded however long a run is; an open order is never forgotten."""
    paper.place("a", BUY, 101, 5)
    paper.place("b", BUY, 99, 5)
    paper.wait()
    paper.wait(3_601_000_000_000)
    assert [r.kind for r in paper.ask(paper.session.query("a", AB, paper.now))] == [K.NOT_FOUND]
    assert [r.kind for r in paper.ask(paper.session.query("b", AB, paper.now))] == [K.FOUND_OPEN]


def test_a_session_sends_nothing_before_the_venue_is_ready(list_venue):
    """And takes nothing that is no frame of a paper venue."""
    context = ExecutorContext(config=None, endpoints=Endpoints("", "", ""), credentials=None, instruments=[AB])
    session = PaperSession(context)
    with pytest.raises(LocalProtocolError, match="not said that it is ready"):
        session.cancel(of("a"), START)
    for frame in (b"", b"[]", b'{"reports":[{}]}', b'{"reports":[{"kind":99}]}', b'{"x":1}'):
        with pytest.raises(RemoteProtocolError, match="paper: expected reports"):
            session.received(frame, START)


_FILLS = st.builds(
    VenueFill,
    trade_id=st.text(max_size=5),
    price_ticks=st.integers(1, 2**60),
    units=st.integers(1, 2**60),
    fee=st.decimals(-10, 10, places=18),
    fee_asset=st.sampled_from(["A", "B"]),
    liquidity=st.sampled_from(Liquidity),
    exch_ns=st.integers(0, 2**62),
)
_REPORTS = st.builds(
    VenueReport,
    kind=st.sampled_from(ReportKind),
    client_id=st.text(max_size=5),
    cumulative_units=st.integers(-1, 2**60),
    quantity_units=st.integers(-1, 2**60),
    fill=st.none() | _FILLS,
    order_ids=st.none() | st.frozensets(st.text(max_size=3), max_size=3),
)


@given(st.lists(_REPORTS, max_size=4))
def test_reports_come_through_as_they_are(reports):
    """Every field of every report, exactly."""
    context = ExecutorContext(config=None, endpoints=Endpoints("", "", ""), credentials=None, instruments=[AB])
    assert list(PaperSession(context).received(pack_reports(reports), 0)[0]) == reports


@given(
    st.lists(
        st.tuples(
            st.sampled_from(["buy", "sell", "trade", "book", "cancel"]), st.integers(95, 105), st.integers(2, 60)
        ),
        max_size=40,
    )
)
def test_money_is_conserved_whatever_happens(list_venue, steps):
    """Balances at the end are those of the start, moved by the fills and their fees alone; nothing is negative."""
    paper = Paper(list_venue)
    paper.snapshot([["99", "30"], ["98", "50"]], [["101", "20"], ["102", "40"]])
    told, sides = [], {}
    for number, (what, price, qty) in enumerate(steps):
        if what in ("buy", "sell"):
            sides[f"o{number}"] = BUY if what == "buy" else SELL
            paper.place(f"o{number}", sides[f"o{number}"], price, qty)
        elif what == "trade":
            paper.trade(price, qty, 1 if price % 2 else -1)
        elif what == "book":
            paper.book(**{"bids" if price < 100 else "asks": [(str(price), str(qty - 2))]})
        elif sides:
            told += paper.ask(paper.session.cancel(of(f"o{qty % (number + 1)}"), paper.now))
        told += paper.wait(1_000)
    held = {"A": Decimal(500), "B": Decimal(1_000_000)}
    for report in told:
        if report.fill:
            f, side = report.fill, sides[report.client_id]
            held["A"] += side * f.units
            held["B"] -= side * f.units * f.price_ticks
            held[f.fee_asset] -= f.fee
    for asset, row in paper.venue.balances().items():
        free, locked = Decimal(row["free"]), Decimal(row["locked"])
        assert free >= 0 and locked >= 0
        assert free + locked == held[asset]


def test_a_book_of_limited_depth_forgets_what_left_it(list_venue) -> None:
    """A venue that shows two levels says nothing of a third any more: nobody is met there later."""

    class Short(Paper):
        def snapshot(self, bids, asks):
            self.frame("b", "AB", True, 1, 1, bids, asks, self.now)

    short = Short(list_venue, normalizer=list_venue.ShortLists)
    short.snapshot([["99", "30"], ["98", "50"]], [["101", "20"], ["102", "40"]])
    short.book(bids=[["100", "10"]])  # 98 is the third now
    short.book(bids=[["100", "0"], ["97", "5"]])
    short.place("a", SELL, 98, 60, tif=TimeInForce.IOC)
    said = short.said(1)
    assert (K.FILL, "a", 99, 30) in said
    assert sum(row[3] for row in said if row[0] is K.FILL) == 30
