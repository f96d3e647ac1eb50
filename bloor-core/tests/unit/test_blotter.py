"""The blotter: reports in, outcomes out; exposure, timers and strangers."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from bloor.errors import LocalProtocolError
from bloor.execution.blotter import Blotter
from bloor.execution.client_id import ClientIds
from bloor.execution.life import Consequence, Lifecycle, Reason, Status
from bloor.execution.order import Order
from bloor.execution.outcomes import Alert, AlertKind, Demand, Filled, Outcome, Updated
from bloor.execution.patience import Patience
from bloor.model.instrument import Instrument
from bloor.model.orders import (
    Fill,
    Liquidity,
    OrderRequest,
    OrderType,
    ReportKind,
    Side,
    TimeInForce,
    VenueFill,
    VenueReport,
)
from bloor.venue.session import NEVER

BTC = Instrument(
    venue="binance",
    symbol="BTC-USDT",
    venue_symbol="BTCUSDT",
    base="BTC",
    quote="USDT",
    price_decimals=2,
    qty_decimals=8,
    lot_units=1000,
)
ETH = Instrument(
    venue="binance",
    symbol="ETH-USDT",
    venue_symbol="ETHUSDT",
    base="ETH",
    quote="USDT",
    price_decimals=2,
    qty_decimals=8,
    lot_units=1000,
)
NOW = 1_700_000_000_000_000_000
MS = 1_000_000
PATIENCE = Patience(
    unknown_after_ns=1_000 * MS, lost_after_ns=15_000 * MS, requery_ns=500 * MS, requery_max_ns=4_000 * MS
)


class Desk:
    """A blotter with a shorthand for what happens to its orders."""

    def __init__(self, fee_rate: Any = None) -> None:
        self.ids = ClientIds(1, 1)
        more = {"fee_rate": fee_rate} if fee_rate else {}
        self.blotter = Blotter(self.ids, {"binance": PATIENCE}, **more)
        self.now_ns = NOW

    def create(self, side: Side = Side.BUY, lots: int = 10, price: int = 5_000_000, instrument: Instrument = BTC,
               strategy: int = 0) -> Order:  # fmt: skip
        request = OrderRequest(
            client_id=self.ids.make(strategy, self.blotter.next_number),
            instrument=instrument,
            side=side,
            type=OrderType.LIMIT,
            tif=TimeInForce.GTC,
            price_ticks=price,
            lots=lots,
        )
        return self.blotter.create(request, strategy, [BTC, ETH].index(instrument), self.now_ns)

    def sent(self, *args: Any, **fields: Any) -> Order:
        order = self.create(*args, **fields)
        self.blotter.sent(order, self.now_ns)
        return order

    def live(self, *args: Any, **fields: Any) -> Order:
        order = self.sent(*args, **fields)
        self.say(order, ReportKind.ACK, venue_order_id="v1")
        return order

    def say(self, order: Order, kind: ReportKind, **fields: Any) -> list[Outcome]:
        return self.blotter.apply(VenueReport(kind=kind, client_id=order.client_id, **fields), self.now_ns)

    def fill(self, order: Order, units: int, trade: str = "1", price: int = 5_000_000, fee: str = "0",
             asset: str = "USDT", cumulative: int = -1) -> list[Outcome]:  # fmt: skip
        fill = VenueFill(
            trade_id=trade,
            price_ticks=price,
            units=units,
            fee=Decimal(fee),
            fee_asset=asset,
            liquidity=Liquidity.MAKER,
            exch_ns=7,
        )
        return self.say(order, ReportKind.FILL, fill=fill, cumulative_units=cumulative)

    def wait(self, ns: int) -> list[Outcome]:
        self.now_ns += ns
        return self.blotter.due(self.now_ns)

    def exposure(self, strategy: int = 0, index: int = 0) -> tuple[int, int, int, int, int]:
        e = self.blotter.exposure(strategy, index)
        return (e.position, e.open_buy, e.open_sell, e.open_orders, e.inventory)


@pytest.fixture
def desk() -> Desk:
    return Desk()


def alerts(outcomes: list[Outcome]) -> list[AlertKind]:
    return [outcome.kind for outcome in outcomes if isinstance(outcome, Alert)]


def demands(outcomes: list[Outcome]) -> list[Consequence]:
    return [outcome.what for outcome in outcomes if isinstance(outcome, Demand)]


# ---- the way of an order


def test_an_order_from_creation_to_its_last_fill(desk: Desk) -> None:
    """Exposure is reserved when it is sent, reduced by fills, and gone at the end; the strategy is told each time."""
    order = desk.create()
    assert (order.number, order.status, desk.exposure()) == (1, Status.PENDING_NEW, (0, 0, 0, 0, 0))
    desk.blotter.sent(order, NOW)
    assert desk.exposure() == (0, 10_000, 0, 1, 0)
    assert desk.say(order, ReportKind.ACK, venue_order_id="v1") == [Updated(order)]
    assert (order.status, order.venue_order_id, order.acked_ns) == (Status.NEW, "v1", NOW)
    filled, updated = desk.fill(order, 4_000, "1")
    assert isinstance(filled, Filled) and updated == Updated(order)
    assert (order.filled, order.status, desk.exposure()) == (4_000, Status.PARTIALLY_FILLED, (4_000, 6_000, 0, 1, 0))
    desk.fill(order, 6_000, "2")
    assert (order.closed, order.status, desk.exposure()) == (True, Status.FILLED, (10_000, 0, 0, 0, 0))
    assert desk.blotter.tally().as_dict() == {
        "sent": 1, "acked": 1, "filled": 1, "cancelled": 0, "rejected": 0, "denied": 0, "unknown": 0,
    }  # fmt: skip


def test_a_sell_reserves_on_its_own_side(desk: Desk) -> None:
    """Sells count in open_sell, and their fills reduce the position."""
    desk.blotter.give(0, 0, 50_000)
    order = desk.live(Side.SELL)
    assert desk.exposure() == (0, 0, 10_000, 1, 50_000)
    desk.fill(order, 10_000)
    assert desk.exposure() == (-10_000, 0, 0, 0, 50_000)


def test_exposure_is_per_strategy_and_instrument(desk: Desk) -> None:
    """Each has its own record, and the record stays the same object."""
    record = desk.blotter.exposure(1, 1)
    desk.live(instrument=ETH, strategy=1)
    desk.live(instrument=BTC, strategy=0)
    assert record is desk.blotter.exposure(1, 1) and record.open_buy == 10_000
    assert desk.exposure(0, 1) == (0, 0, 0, 0, 0)
    assert [o.strategy for o in desk.blotter.open_orders()] == [1, 0]
    assert [o.number for o in desk.blotter.open_orders(strategy=0)] == [2]
    assert [o.number for o in desk.blotter.open_orders(instrument_index=1)] == [1]
    assert desk.blotter.open_orders(strategy=0, instrument_index=1) == []


def test_a_denied_order_holds_nothing(desk: Desk) -> None:
    """The gate's code is its reason; nothing is reserved or waited for."""
    order = desk.create()
    desk.blotter.denied(order, "QUANTITY_ABOVE_MAX", NOW)
    assert (order.status, order.reason, order.closed) == (Status.DENIED, "QUANTITY_ABOVE_MAX", True)
    assert (desk.exposure(), desk.blotter.deadline_ns) == ((0, 0, 0, 0, 0), NEVER)
    assert desk.blotter.tally().denied == 1 and desk.blotter.tally().sent == 0


def test_a_rejected_order_says_why(desk: Desk) -> None:
    """The venue's words are kept, exposure is back."""
    order = desk.sent()
    assert desk.say(order, ReportKind.REJECT, reason="-2010 insufficient balance") == [Updated(order)]
    assert (order.status, order.reason) == (Status.REJECTED, "-2010 insufficient balance")
    assert desk.exposure() == (0, 0, 0, 0, 0)


def test_a_client_id_is_used_once(desk: Desk) -> None:
    """Two orders with one id could not be told apart."""
    order = desk.create()
    with pytest.raises(LocalProtocolError, match=order.client_id):
        desk.blotter.create(order.request, 0, 0, NOW)


def test_orders_are_found_by_number_and_id(desk: Desk) -> None:
    """And not found when there are none."""
    order = desk.live()
    assert desk.blotter.order(1) is order and desk.blotter.by_client_id(order.client_id) is order
    assert desk.blotter.order(2) is None and desk.blotter.by_client_id("B") is None
    assert list(desk.blotter) == [order] and len(desk.blotter) == 1
    assert "buy 0.00010000 BTC-USDT at 50000.00, NEW" in repr(order)


# ---- fills


def test_a_fill_holds_what_is_written_down(desk: Desk) -> None:
    """Our id, our side, the venue's price, quantity, fee and time, and ours."""
    order = desk.live(Side.SELL)
    outcome = desk.fill(order, 4_000, "t9", price=5_000_100, fee="0.0021", asset="USDT")[0]
    assert isinstance(outcome, Filled)
    assert outcome.fill == Fill(
        client_id=order.client_id,
        instrument=BTC,
        side=Side.SELL,
        trade_id="t9",
        price_ticks=5_000_100,
        units=4_000,
        fee=Decimal("0.0021"),
        fee_asset="USDT",
        fee_quote=Decimal("0.0021"),
        liquidity=Liquidity.MAKER,
        exch_ns=7,
        recv_ns=NOW,
    )


def test_a_duplicate_fill_is_counted_once(desk: Desk) -> None:
    """The same trade in two reports moves the position once."""
    order = desk.live()
    desk.fill(order, 4_000, "1")
    assert desk.fill(order, 4_000, "1") == []
    assert (order.filled, desk.exposure()[0], desk.blotter.counters.duplicate_fills) == (4_000, 4_000, 1)


def test_one_trade_id_on_two_symbols_is_two_trades(desk: Desk) -> None:
    """Trade ids repeat across instruments."""
    btc, eth = desk.live(), desk.live(instrument=ETH)
    desk.fill(btc, 1_000, "77")
    desk.fill(eth, 2_000, "77")
    assert (desk.exposure(0, 0)[0], desk.exposure(0, 1)[0]) == (1_000, 2_000)


def test_one_trade_told_in_two_ways_alerts(desk: Desk) -> None:
    """The first report stands; a person must look."""
    order = desk.live()
    desk.fill(order, 4_000, "1")
    assert alerts(desk.fill(order, 5_000, "1")) == [AlertKind.CONTRADICTION]
    assert order.filled == 4_000


@pytest.mark.parametrize("units", [0, -5])
def test_a_fill_that_is_none_is_not_applied(desk: Desk, units: int) -> None:
    """Without price or quantity nothing is invented: what was meant is fetched."""
    order = desk.live()
    outcomes = desk.fill(order, units)
    assert (alerts(outcomes), demands(outcomes)) == ([AlertKind.CONTRADICTION], [Consequence.FETCH_FILLS])
    outcomes = desk.say(order, ReportKind.FILL)
    assert demands(outcomes) == [Consequence.FETCH_FILLS]
    assert desk.exposure()[0] == 0


def test_a_report_on_another_symbol_is_not_applied(desk: Desk) -> None:
    """The right id with the wrong symbol is a contradiction."""
    order = desk.live()
    assert alerts(desk.say(order, ReportKind.CANCELLED, venue_symbol="ETHUSDT")) == [AlertKind.CONTRADICTION]
    assert not order.closed
    assert desk.say(order, ReportKind.CANCELLED, venue_symbol="BTCUSDT") == [Updated(order)]


def test_a_late_fill_and_an_overfill(desk: Desk) -> None:
    """Both move the position, both are told before the strategy hears of them."""
    order = desk.live()
    desk.say(order, ReportKind.CANCELLED)
    outcomes = desk.fill(order, 10_000, "1")
    assert alerts(outcomes) == [AlertKind.LATE_FILL]
    assert isinstance(outcomes[0], Alert) and isinstance(outcomes[-2], Filled) and isinstance(outcomes[-1], Updated)
    assert alerts(desk.fill(order, 1, "2")) == [AlertKind.LATE_FILL, AlertKind.OVERFILL]
    assert desk.exposure() == (10_001, 0, 0, 0, 0)


# ---- fees


def test_fees_in_three_assets(desk: Desk) -> None:
    """Quote as it is, base at the fill's price, a third by its rate, unknown as zero and counted."""
    rates = {("BNB", "USDT"): Decimal("612.5")}
    desk = Desk(fee_rate=lambda asset, quote: rates.get((asset, quote)))
    order = desk.live()
    cases = [("USDT", "0.05", "0.05"), ("BTC", "0.0001", "5.0000"), ("BNB", "0.0001", "0.06125"), ("XYZ", "3", "0")]
    for number, (asset, fee, worth) in enumerate(cases):
        outcome = desk.fill(order, 1_000, str(number), fee=fee, asset=asset)[0]
        assert isinstance(outcome, Filled) and outcome.fill.fee_quote == Decimal(worth)
        assert (outcome.fill.fee, outcome.fill.fee_asset) == (Decimal(fee), asset)
    assert desk.blotter.counters.fees_unvalued == 1


def test_base_fees_reduce_what_can_be_sold_not_the_position(desk: Desk) -> None:
    """Rounded up to whole units over their sum: never more inventory than there is."""
    desk.blotter.give(0, 0, 100)
    order = desk.live()
    desk.fill(order, 5_000, "1", fee="0.000000004", asset="BTC")  # 0.4 units
    assert desk.exposure() == (5_000, 5_000, 0, 1, 99)
    desk.fill(order, 2_000, "2", fee="0.000000006", asset="BTC")  # together exactly 1
    assert desk.exposure()[4] == 99
    desk.fill(order, 2_000, "3", fee="0.00000001000000000001", asset="BTC")
    assert desk.exposure()[4] == 97
    desk.fill(order, 1_000, "4", fee="-0.00000001000000000001", asset="BTC")  # a rebate
    assert desk.exposure() == (10_000, 0, 0, 0, 99)
    desk.blotter.give(0, 0, 500)
    assert desk.exposure()[4] == 499


# ---- not knowing


def test_silence_makes_unknown_and_asks_with_growing_pauses(desk: Desk) -> None:
    """After the time-out a query, then again after 0.5, 1, 2, 4, 4 s; the exposure stays whole."""
    order = desk.sent()
    assert desk.blotter.deadline_ns == NOW + 1_000 * MS
    assert desk.wait(999 * MS) == []
    outcomes = desk.wait(1 * MS)
    assert demands(outcomes) == [Consequence.QUERY] and outcomes[-1] == Updated(order)
    assert (order.status, desk.exposure()) == (Status.UNKNOWN, (0, 10_000, 0, 1, 0))
    for pause in (500, 1_000, 2_000, 4_000, 4_000):
        assert desk.wait((pause - 1) * MS) == []
        assert demands(desk.wait(1 * MS)) == [Consequence.QUERY]
    assert desk.blotter.tally().unknown == 1
    desk.say(order, ReportKind.FOUND_OPEN, venue_order_id="v2")
    assert (order.status, order.venue_order_id, desk.blotter.deadline_ns) == (Status.NEW, "v2", NEVER)


def test_lost_needs_the_horizon_and_two_answers(desk: Desk) -> None:
    """Not-found answers before the horizon prove nothing; the second one after it closes the order, told."""
    order = desk.sent()
    desk.wait(1_000 * MS)
    for _ in range(5):
        assert desk.say(order, ReportKind.NOT_FOUND) == []
    desk.now_ns = NOW + 15_000 * MS - 1
    desk.say(order, ReportKind.NOT_FOUND)
    desk.now_ns += 1
    assert desk.say(order, ReportKind.NOT_FOUND) == []
    assert order.status == Status.UNKNOWN and desk.exposure()[1] == 10_000
    outcomes = desk.say(order, ReportKind.NOT_FOUND)
    assert alerts(outcomes) == [AlertKind.LOST] and outcomes[-1] == Updated(order)
    assert (order.status, desk.exposure()) == (Status.LOST, (0, 0, 0, 0, 0))
    assert desk.blotter.deadline_ns == NEVER


def test_a_sign_of_life_begins_the_proof_anew(desk: Desk) -> None:
    """Found open between two not-found answers: nothing is lost."""
    order = desk.live()
    desk.now_ns += 20_000 * MS
    desk.say(order, ReportKind.NOT_FOUND)
    desk.say(order, ReportKind.FOUND_OPEN)
    desk.say(order, ReportKind.NOT_FOUND)
    assert order.is_open
    desk.say(order, ReportKind.NOT_FOUND)
    assert order.status == Status.LOST


def test_a_resurrected_order_is_cancelled_at_once(desk: Desk) -> None:
    """Its exposure is back before anything else happens."""
    order = desk.sent()
    desk.wait(1_000 * MS)
    desk.now_ns += 20_000 * MS
    desk.say(order, ReportKind.NOT_FOUND)
    desk.say(order, ReportKind.NOT_FOUND)
    outcomes = desk.say(order, ReportKind.FOUND_OPEN, venue_order_id="v1")
    assert (alerts(outcomes), demands(outcomes)) == ([AlertKind.RESURRECTED], [Consequence.CANCEL_NOW])
    assert (desk.exposure(), order.closed, order.closed_ns) == ((0, 10_000, 0, 1, 0), False, 0)
    # nothing could be sent: it is asked about again, and the cancel is demanded again
    assert demands(desk.wait(500 * MS)) == [Consequence.QUERY]
    assert demands(desk.say(order, ReportKind.FOUND_OPEN)) == [Consequence.CANCEL_NOW]
    desk.blotter.cancel_sent(order, desk.now_ns)
    assert desk.say(order, ReportKind.FOUND_OPEN) == []
    desk.say(order, ReportKind.CANCELLED)
    assert (order.status, desk.blotter.deadline_ns) == (Status.CANCELLED, NEVER)


def test_a_cancel_has_a_timer_too(desk: Desk) -> None:
    """Unanswered it is asked about; found open it is repeated; answered it ends."""
    order = desk.live()
    assert desk.blotter.can_cancel(order)
    assert desk.blotter.cancel_sent(order, desk.now_ns) == [Updated(order)]
    assert not desk.blotter.can_cancel(order) and order.status == Status.PENDING_CANCEL
    assert demands(desk.wait(1_000 * MS)) == [Consequence.QUERY]
    assert demands(desk.wait(500 * MS)) == [Consequence.QUERY]
    outcomes = desk.say(order, ReportKind.FOUND_OPEN)
    assert demands(outcomes) == [Consequence.CANCEL_NOW]
    desk.blotter.cancel_sent(order, desk.now_ns)
    assert desk.blotter.deadline_ns == desk.now_ns + 1_000 * MS
    desk.say(order, ReportKind.CANCELLED, cumulative_units=0)
    assert (order.status, desk.blotter.deadline_ns, desk.exposure()[1]) == (Status.CANCELLED, NEVER, 0)


def test_a_refused_cancel_is_asked_about(desk: Desk) -> None:
    """Still pending for the strategy, queried until it is clear; then it may cancel again."""
    order = desk.live()
    desk.blotter.cancel_sent(order, desk.now_ns)
    assert demands(desk.say(order, ReportKind.CANCEL_REJECT, reason="-2011 Unknown order sent.")) == [Consequence.QUERY]
    assert (order.status, desk.exposure()[1]) == (Status.PENDING_CANCEL, 10_000)
    assert demands(desk.wait(500 * MS)) == [Consequence.QUERY]
    assert desk.say(order, ReportKind.FOUND_OPEN) == [Updated(order)]
    assert desk.blotter.can_cancel(order) and order.status == Status.NEW


@pytest.mark.parametrize(
    ("reason", "ended"),
    [
        ("FILLED", Reason.FILLED),
        ("canceled", Reason.CANCELLED),
        ("CANCELLED by user", Reason.CANCELLED),
        ("EXPIRED_IN_MATCH", Reason.EXPIRED),
        ("Rejected: no funds", Reason.ENDED),
        ("rejected no funds", Reason.REJECTED),
        ("gone", Reason.ENDED),
        ("", Reason.ENDED),
    ],
)
def test_found_closed_says_how(desk: Desk, reason: str, ended: Reason) -> None:
    """The first word of the reason is the end; anything unknown is just an end."""
    order = desk.live()
    desk.say(order, ReportKind.FOUND_CLOSED, reason=reason)
    assert order.state.reason is ended and order.state.lifecycle is Lifecycle.CLOSED


def test_missing_fills_stay_reserved_and_are_fetched_until_a_person_is_told(desk: Desk) -> None:
    """The cancel's answer counts 7,000 and we have seen 4,000: fetched again and again, alerted once."""
    order = desk.live()
    desk.fill(order, 4_000, "1")
    outcomes = desk.say(order, ReportKind.CANCELLED, cumulative_units=7_000)
    assert demands(outcomes) == [Consequence.FETCH_FILLS]
    assert desk.exposure() == (4_000, 3_000, 0, 0, 0)
    told: list[AlertKind] = []
    for _ in range(20):
        outcomes = desk.wait(4_000 * MS)
        assert demands(outcomes) == [Consequence.FETCH_FILLS]
        told += alerts(outcomes)
    assert told == [AlertKind.FILLS_MISSING]
    outcomes = desk.fill(order, 3_000, "2")
    assert (alerts(outcomes), desk.exposure(), desk.blotter.deadline_ns) == ([], (7_000, 0, 0, 0, 0), NEVER)


def test_a_disconnect_makes_unknown_what_was_on_its_way(desk: Desk) -> None:
    """Sent orders and cancels in flight are asked about; what rests, rests; afterwards everything open is asked."""
    sent, resting, cancelling = desk.sent(), desk.live(), desk.live()
    desk.blotter.cancel_sent(cancelling, desk.now_ns)
    outcomes = desk.blotter.disconnected("binance", desk.now_ns)
    assert [o.order for o in outcomes if isinstance(o, Demand)] == [sent, cancelling]
    assert (sent.status, resting.status, cancelling.status) == (Status.UNKNOWN, Status.NEW, Status.PENDING_CANCEL)
    assert desk.blotter.disconnected("kraken", desk.now_ns) == []
    again = desk.blotter.reconnected("binance")
    assert [o.order for o in again if isinstance(o, Demand)] == [sent, resting, cancelling]


def test_time_outs_of_many_orders_come_in_order(desk: Desk) -> None:
    """The earliest deadline is the blotter's; an answered order has none."""
    first = desk.sent()
    desk.now_ns += 10 * MS
    second = desk.sent()
    assert desk.blotter.deadline_ns == NOW + 1_000 * MS
    desk.say(first, ReportKind.ACK)
    assert desk.blotter.deadline_ns == NOW + 1_010 * MS
    assert [o.order for o in desk.wait(2_000 * MS) if isinstance(o, Demand)] == [second]


# ---- strangers and memory


def test_somebody_elses_orders_are_counted_and_never_touched(desk: Desk) -> None:
    """Another program's id, and another node's."""
    for client_id in ("web_abc", ClientIds(2, 1).make(0, 1)):
        report = VenueReport(kind=ReportKind.ACK, client_id=client_id)
        assert desk.blotter.apply(report, NOW) == []
    assert (desk.blotter.counters.foreign, desk.blotter.counters.orphans) == (2, 0)


def test_an_order_of_ours_that_we_do_not_know_is_told(desk: Desk) -> None:
    """An order of an older epoch that is open or trades: a person must know."""
    old = ClientIds(1, 0).make(0, 5)
    outcomes = desk.blotter.apply(VenueReport(kind=ReportKind.FOUND_OPEN, client_id=old), NOW)
    assert alerts(outcomes) == [AlertKind.ORPHAN] and old in str(outcomes[0])
    assert desk.blotter.apply(VenueReport(kind=ReportKind.CANCELLED, client_id=old), NOW) == []
    assert desk.blotter.counters.orphans == 2


def test_ended_orders_are_forgotten_and_still_counted(desk: Desk) -> None:
    """Memory is bounded; open orders and those with missing fills stay."""
    done, missing, resting = desk.live(), desk.live(), desk.live()
    desk.fill(done, 10_000, "1")
    desk.say(missing, ReportKind.CANCELLED, cumulative_units=5)
    assert desk.blotter.forget(NOW) == 0
    before = desk.blotter.tally()
    assert desk.blotter.forget(NOW + 1) == 1
    assert list(desk.blotter) == [missing, resting]
    assert desk.blotter.tally() == before
    assert alerts(desk.fill(done, 10_000, "1")) == [AlertKind.ORPHAN]
    assert desk.exposure()[0] == 10_000
