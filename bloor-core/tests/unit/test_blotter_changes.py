"""The blotter and orders that are changed: reductions, replacements, look-ups, and what proves an order lost."""

from __future__ import annotations

from typing import Any

import pytest

from bloor.execution.blotter import Blotter
from bloor.execution.client_id import ClientIds
from bloor.execution.life import Consequence, Status
from bloor.execution.order import Order
from bloor.execution.outcomes import Alert, AlertKind, Demand, Outcome, Updated
from bloor.execution.patience import Patience
from bloor.model.instrument import Instrument
from bloor.model.orders import OrderRequest, OrderType, ReportKind, Side, TimeInForce, VenueReport

BTC = Instrument(
    venue="v", symbol="BTC-USDT", venue_symbol="BTCUSDT", base="BTC", quote="USDT", price_decimals=2, qty_decimals=8,
    lot_units=1000,
)  # fmt: skip
NOW = 1_700_000_000_000_000_000
SECOND = 1_000_000_000
PATIENCE = Patience(
    unknown_after_ns=SECOND, lost_after_ns=15 * SECOND, requery_ns=SECOND // 2, requery_max_ns=4 * SECOND,
    searches_trades=True,
)  # fmt: skip


class Book:
    """A blotter, its orders, and a clock."""

    def __init__(self) -> None:
        self.ids = ClientIds(1, 1)
        self.blotter = Blotter(self.ids, {"v": PATIENCE})
        self.now_ns = NOW

    def create(self, lots: int = 10) -> Order:
        request = OrderRequest(
            client_id=self.ids.make(0, self.blotter.next_number), instrument=BTC, side=Side.BUY,
            type=OrderType.LIMIT, tif=TimeInForce.GTC, price_ticks=5_000_000, lots=lots,
        )  # fmt: skip
        return self.blotter.create(request, 0, 0, self.now_ns)

    def sent(self, lots: int = 10) -> Order:
        order = self.create(lots)
        self.blotter.sent(order, self.now_ns)
        return order

    def live(self, lots: int = 10) -> Order:
        order = self.sent(lots)
        self.say(order, ReportKind.ACK, venue_order_id=f"v{order.number}")
        return order

    def say(self, order: Order, kind: ReportKind, **fields: Any) -> list[Outcome]:
        return self.blotter.apply(VenueReport(kind=kind, client_id=order.client_id, **fields), self.now_ns)

    def wait(self, ns: int) -> list[Outcome]:
        self.now_ns += ns
        return self.blotter.due(self.now_ns)

    @property
    def open_buy(self) -> int:
        """Reserved lots."""
        return self.blotter.exposure(0, 0).open_buy // BTC.lot_units


@pytest.fixture
def book() -> Book:
    return Book()


def demands(outcomes: list[Outcome]) -> list[Consequence]:
    return [outcome.what for outcome in outcomes if isinstance(outcome, Demand)]


# ---- reductions


def test_a_reduction_is_told_and_reserved_once_it_is_confirmed(book: Book) -> None:
    """Pending, then the new quantity; the strategy hears of both, and the larger is reserved in between."""
    order = book.live()
    assert book.blotter.amend_sent(order, 6, book.now_ns) == [Updated(order)]
    assert (order.status, order.lots, book.open_buy) == (Status.PENDING_REPLACE, 10, 10)
    assert not book.blotter.can_change(order)
    assert book.say(order, ReportKind.REPLACED, quantity_units=6000) == [Updated(order)]
    assert (order.status, order.lots, book.open_buy) == (Status.NEW, 6, 6)
    assert book.blotter.can_change(order)


@pytest.mark.parametrize(("said", "left"), [(10_000, 10), (6_000, 6)])
def test_an_unanswered_reduction_is_asked_about(book: Book, said: int, left: int) -> None:
    """No answer in time: a query, repeated until one comes; what it says of the quantity is believed."""
    order = book.live()
    book.blotter.amend_sent(order, 6, book.now_ns)
    assert book.blotter.deadline_ns == NOW + SECOND
    assert demands(book.wait(SECOND)) == [Consequence.QUERY]
    assert demands(book.wait(SECOND // 2)) == [Consequence.QUERY]
    book.say(order, ReportKind.FOUND_OPEN, quantity_units=said)
    assert (order.status, order.lots, book.open_buy) == (Status.NEW, left, left)


def test_a_lost_connection_makes_a_reduction_uncertain(book: Book) -> None:
    """What was on its way may have arrived."""
    order = book.live()
    book.blotter.amend_sent(order, 6, book.now_ns)
    assert demands(book.blotter.disconnected("v", book.now_ns)) == [Consequence.QUERY]


# ---- replacements


@pytest.mark.parametrize(("lots", "together"), [(4, 10), (10, 10), (15, 15)])
def test_a_joint_replacement_reserves_the_larger(book: Book, lots: int, together: int) -> None:
    """Until the old order has ended; then the new one's own."""
    old, new = book.live(), book.create(lots)
    book.blotter.replace_sent(old, new, book.now_ns, joint=True)
    assert (book.open_buy, book.blotter.exposure(0, 0).open_orders) == (together, 2)
    assert (old.status, new.status) == (Status.PENDING_CANCEL, Status.PENDING_NEW)
    book.say(old, ReportKind.CANCELLED, cumulative_units=0)
    assert book.open_buy == lots
    book.say(new, ReportKind.ACK)
    assert (new.replaces, old.replaced_by, book.open_buy) == (None, None, lots)


def test_a_replacement_that_is_not_joint_reserves_both(book: Book) -> None:
    """The old order may fill further before its cancel arrives."""
    old, new = book.live(), book.create(4)
    book.blotter.replace_sent(old, new, book.now_ns, joint=False)
    assert book.open_buy == 14


def test_a_refused_replacement_leaves_the_old_order_as_it_was(book: Book) -> None:
    """Cancel refused, new not tried: asked about, found open, and it can be changed again."""
    old, new = book.live(), book.create(15)
    book.blotter.replace_sent(old, new, book.now_ns, joint=True)
    assert demands(book.say(old, ReportKind.CANCEL_REJECT)) == [Consequence.QUERY]
    book.say(new, ReportKind.REJECT)
    assert (new.status, book.open_buy) == (Status.REJECTED, 10)
    assert not book.blotter.can_change(old)
    book.say(old, ReportKind.FOUND_OPEN)
    assert book.blotter.can_change(old)


def test_a_replacement_of_unknown_outcome_reserves_the_larger_until_it_is_known(book: Book) -> None:
    """Both are asked about; a second replacement of the same order is not possible before."""
    old, new = book.live(), book.create(15)
    book.blotter.replace_sent(old, new, book.now_ns, joint=True)
    assert demands(book.wait(SECOND)) == [Consequence.QUERY, Consequence.QUERY]
    assert (new.status, book.open_buy) == (Status.UNKNOWN, 15)
    assert demands(book.say(old, ReportKind.FOUND_OPEN)) == [Consequence.CANCEL_NOW]
    assert not book.blotter.can_change(old)
    book.say(old, ReportKind.CANCELLED, cumulative_units=0)
    assert book.open_buy == 15


def test_the_new_order_may_be_heard_of_first(book: Book) -> None:
    """Acknowledged, filled and closed before the cancel's answer: nothing stays linked or reserved."""
    old, new = book.live(), book.create(15)
    book.blotter.replace_sent(old, new, book.now_ns, joint=True)
    book.say(new, ReportKind.ACK)
    book.say(new, ReportKind.EXPIRED)
    assert (book.open_buy, old.replaced_by) == (10, None)
    book.say(old, ReportKind.CANCELLED)
    assert book.open_buy == 0


def test_a_new_order_that_has_filled_unseen_reserves_all_of_it(book: Book) -> None:
    """Found filled before its fills are here, and before the cancel of the old one is known: nothing is shared."""
    old, new = book.live(), book.create(15)
    book.blotter.replace_sent(old, new, book.now_ns, joint=True)
    book.say(new, ReportKind.FOUND_CLOSED, reason="FILLED", cumulative_units=15_000)
    assert book.open_buy == 25
    book.say(old, ReportKind.CANCELLED, cumulative_units=0)
    assert book.open_buy == 15


# ---- look-ups


def test_what_a_list_of_open_orders_misses_is_asked_about(book: Book) -> None:
    """Only what was sent before the list was asked for, in its instrument."""
    listed, missing = book.live(), book.live()
    book.now_ns += SECOND
    book.sent()
    outcomes = book.blotter.listed("v", "BTCUSDT", frozenset({listed.client_id}), NOW + 1)
    assert outcomes == [Demand(missing, Consequence.QUERY)]
    assert book.blotter.listed("v", "ETHUSDT", frozenset(), NOW + 1) == []
    assert book.blotter.listed("w", "BTCUSDT", frozenset(), NOW + 1) == []


# ---- lost, proven


def nowhere(book: Book, order: Order) -> list[Outcome]:
    """The order is twice not found, after the horizon."""
    book.wait(20 * SECOND)
    assert book.say(order, ReportKind.NOT_FOUND) == []
    return book.say(order, ReportKind.NOT_FOUND)


def test_an_order_is_lost_only_when_no_trade_can_be_its(book: Book) -> None:
    """Twice not found asks for trades; those of other orders of ours and of strangers prove nothing."""
    other, order = book.live(), book.sent()
    assert demands(nowhere(book, order)) == [Consequence.SEARCH_TRADES]
    assert order.status == Status.UNKNOWN
    stranger = VenueReport(
        kind=ReportKind.ACK, client_id="by hand", venue_symbol="BTCUSDT", venue_order_id="77"
    )  # fmt: skip
    book.blotter.apply(stranger, book.now_ns)
    outcomes = book.say(order, ReportKind.TRADES_SEEN, order_ids=frozenset({other.venue_order_id, "77"}))
    assert [o.kind for o in outcomes if isinstance(o, Alert)] == [AlertKind.LOST]
    assert (order.status, book.open_buy) == (Status.LOST, 10)


@pytest.mark.parametrize("ids", [frozenset({"999"}), None])
def test_a_trade_of_nobody_known_keeps_the_order_unknown(book: Book, ids: frozenset[str] | None) -> None:
    """Its exposure stays, a person is told once, and it is asked about again."""
    order = book.sent()
    nowhere(book, order)
    told = book.say(order, ReportKind.TRADES_SEEN, order_ids=ids)
    assert [o.kind for o in told if isinstance(o, Alert)] == [AlertKind.UNPROVEN]
    assert book.say(order, ReportKind.TRADES_SEEN, order_ids=ids) == []
    assert (order.status, book.open_buy) == (Status.UNKNOWN, 10)
    assert book.blotter.deadline_ns <= book.now_ns + 4 * SECOND
    assert demands(book.say(order, ReportKind.NOT_FOUND)) == [Consequence.SEARCH_TRADES]


def test_trades_seen_too_early_prove_nothing(book: Book) -> None:
    """Before two answers after the horizon."""
    order = book.sent()
    book.wait(2 * SECOND)
    assert book.say(order, ReportKind.TRADES_SEEN, order_ids=frozenset()) == []
    assert order.status == Status.UNKNOWN
