"""Orders under any script: state is a function of the set of reports, and money is never lost or invented."""

from __future__ import annotations

from decimal import ROUND_CEILING, Decimal
from itertools import permutations
from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, consumes, initialize, invariant, rule

from bloor.execution.blotter import Blotter
from bloor.execution.client_id import ClientIds
from bloor.execution.life import Consequence, Lifecycle, Status
from bloor.execution.order import Order
from bloor.execution.outcomes import Alert, Demand, Filled, Outcome, Updated
from bloor.execution.patience import Patience
from bloor.model.instrument import Instrument
from bloor.model.orders import (
    Liquidity,
    OrderRequest,
    OrderType,
    ReportKind,
    Side,
    TimeInForce,
    VenueFill,
    VenueReport,
)

INSTRUMENTS = tuple(
    Instrument(
        venue="v",
        symbol=f"{base}-Y",
        venue_symbol=f"{base}Y",
        base=base,
        quote="Y",
        price_decimals=1,
        qty_decimals=2,
        lot_units=5,
    )
    for base in ("A", "B")
)
PATIENCE = {"v": Patience(unknown_after_ns=100, lost_after_ns=1000, requery_ns=50, requery_max_ns=400)}
IDS = ClientIds(1, 1)


def new_blotter() -> Blotter:
    return Blotter(IDS, PATIENCE)


def place(blotter: Blotter, side: Side, lots: int, *, strategy: int = 0, index: int = 0, now_ns: int = 0) -> Order:
    request = OrderRequest(
        client_id=IDS.make(strategy, blotter.next_number),
        instrument=INSTRUMENTS[index],
        side=side,
        type=OrderType.LIMIT,
        tif=TimeInForce.GTC,
        price_ticks=100,
        lots=lots,
    )
    return blotter.create(request, strategy, index, now_ns)


def a_fill(trade: str, units: int, fee: Decimal = Decimal(0), asset: str = "Y") -> VenueFill:
    return VenueFill(
        trade_id=trade,
        price_ticks=100,
        units=units,
        fee=fee,
        fee_asset=asset,
        liquidity=Liquidity.MAKER,
        exch_ns=0,
    )


# ---- every order of delivery


@st.composite
def histories(draw: Any) -> tuple[int, list[VenueReport]]:
    """``(lots, reports)``: what a venue truthfully says of one order, some of it twice."""
    lots = draw(st.integers(1, 8))
    whole, filled = lots * 5, 0
    reports = [VenueReport(kind=ReportKind.ACK, client_id="", venue_order_id="v1")]
    for number, units in enumerate(draw(st.lists(st.integers(1, 15), max_size=3))):
        units = min(units, whole - filled)
        if units:
            filled += units
            said = draw(st.sampled_from([-1, filled]))
            fill = a_fill(str(number), units)
            reports.append(VenueReport(kind=ReportKind.FILL, client_id="", fill=fill, cumulative_units=said))
    less = draw(st.integers(0, lots - 1))
    if less * 5 > filled:  # reduced because we asked, and from then on every report says so
        reports.append(VenueReport(kind=ReportKind.REPLACED, client_id="", quantity_units=less * 5))
        whole = less * 5
    end = draw(st.sampled_from([None, ReportKind.CANCELLED, ReportKind.EXPIRED, ReportKind.FOUND_CLOSED]))
    if end is not None and filled < whole:
        said = draw(st.sampled_from([-1, filled]))
        reports.append(VenueReport(kind=end, client_id="", cumulative_units=said, reason="CANCELED"))
    noise = [VenueReport(kind=ReportKind.UNCERTAIN, client_id="")]
    if end is None:  # a cancel that came too late
        noise.append(VenueReport(kind=ReportKind.CANCEL_REJECT, client_id=""))
    if whole < lots * 5:  # a reduction whose first answer was lost
        noise.append(VenueReport(kind=ReportKind.REPLACE_UNCERTAIN, client_id=""))
    extra = draw(st.lists(st.sampled_from([*reports, *noise]), max_size=6 - min(len(reports), 6)))
    return lots, [*reports, *extra]


def deliver(lots: int, reports: Any, *, cancelling: bool) -> tuple[Any, ...]:
    """What is left of one order after its reports in this order."""
    blotter = new_blotter()
    order = place(blotter, Side.BUY, lots)
    blotter.sent(order, 0)
    less = [report.quantity_units for report in reports if report.kind is ReportKind.REPLACED]
    if less:
        blotter.amend_sent(order, less[0] // 5, 0)
    if cancelling:
        blotter.cancel_sent(order, 0)
    fills = 0
    for report in reports:
        report = VenueReport(
            kind=report.kind,
            client_id=order.client_id,
            cumulative_units=report.cumulative_units,
            quantity_units=report.quantity_units,
            fill=report.fill,
            reason=report.reason,
        )
        fills += sum(isinstance(outcome, Filled) for outcome in blotter.apply(report, 0))
    e = blotter.exposure(0, 0)
    return (order.state, order.filled, order.status, fills, e.position, e.open_buy, e.open_orders)


@given(history=histories(), cancelling=st.booleans())
def test_every_order_of_delivery_ends_the_same(history: tuple[int, list[VenueReport]], cancelling: bool) -> None:
    """Lifecycle, filled quantity, status, position and exposure do not depend on the order of reports."""
    lots, reports = history
    distinct = {tuple(order): order for order in permutations(reports)}
    finals = {deliver(lots, order, cancelling=cancelling) for order in distinct.values()}
    assert len(finals) == 1
    (final,) = finals
    assert final[1] == sum({r.fill.trade_id: r.fill.units for r in reports if r.fill}.values())


# ---- any script at all


class AnyScript(RuleBasedStateMachine):
    """Orders, true and false reports, time-outs, disconnects in any sequence; a ledger beside them keeps count."""

    orders = Bundle("orders")

    @initialize()
    def start(self) -> None:
        self.blotter = new_blotter()
        self.now_ns = 1_000_000
        self.trades: dict[tuple[int, str], tuple[Order, int]] = {}
        self.base_fees: dict[tuple[int, int], Decimal] = {}
        self.given = {(strategy, index): 0 for strategy in (0, 1) for index in (0, 1)}
        self.ranks: dict[int, tuple[int, bool]] = {}

    @rule(target=orders, side=st.sampled_from(Side), lots=st.integers(1, 20), strategy=st.integers(0, 1),
          index=st.integers(0, 1), denied=st.booleans())  # fmt: skip
    def order(self, side: Side, lots: int, strategy: int, index: int, denied: bool) -> Order:
        order = place(self.blotter, side, lots, strategy=strategy, index=index, now_ns=self.now_ns)
        if denied:
            self.blotter.denied(order, "TEST_DENIED", self.now_ns)
        else:
            self.blotter.sent(order, self.now_ns)
        return order

    @rule(order=orders, trade=st.integers(0, 12), units=st.integers(1, 120), said=st.integers(-1, 150),
          fee=st.decimals(-1, 1, places=5), asset=st.sampled_from(["Y", "base", "Z"]))  # fmt: skip
    def fill(self, order: Order, trade: int, units: int, said: int, fee: Decimal, asset: str) -> None:
        asset = order.instrument.base if asset == "base" else asset
        report = VenueReport(
            kind=ReportKind.FILL,
            client_id=order.client_id,
            cumulative_units=said,
            fill=a_fill(str(trade), units, fee, asset),
        )
        outcomes = self.apply(report)
        key = (order.instrument_index, str(trade))
        is_new = key not in self.trades
        assert [type(outcome) for outcome in outcomes if not isinstance(outcome, Demand | Alert)] == (
            [Filled, Updated] if is_new else [Updated] * (outcomes[-1:] == [Updated(order)])
        )
        if is_new:
            self.trades[key] = (order, units)
            if asset == order.instrument.base:
                desk = (order.strategy, order.instrument_index)
                self.base_fees[desk] = self.base_fees.get(desk, Decimal(0)) + fee

    @rule(
        order=orders,
        kind=st.sampled_from([kind for kind in ReportKind if kind is not ReportKind.FILL]),
        said=st.integers(-1, 150),
        ordered=st.integers(-1, 100),
        reason=st.sampled_from(["", "FILLED", "CANCELED", "REJECTED", "what"]),
        traded=st.none() | st.frozensets(st.sampled_from(["x", "y"])),
    )
    def report(
        self, order: Order, kind: ReportKind, said: int, ordered: int, reason: str, traded: frozenset[str] | None
    ) -> None:
        before = order.state.quantity
        report = VenueReport(
            kind=kind,
            client_id=order.client_id,
            cumulative_units=said,
            quantity_units=ordered,
            reason=reason,
            order_ids=traded,
        )
        self.apply(report)
        assert order.state.quantity == (ordered if 0 < ordered < before else before)

    def apply(self, report: VenueReport) -> list[Outcome]:
        outcomes = self.blotter.apply(report, self.now_ns)
        self.check_outcomes(outcomes)
        return outcomes

    def check_outcomes(self, outcomes: list[Outcome]) -> None:
        for outcome in outcomes:
            if isinstance(outcome, Demand) and outcome.what is Consequence.CANCEL_NOW:
                assert outcome.order.is_open

    @rule(order=orders)
    def cancel(self, order: Order) -> None:
        if self.blotter.can_cancel(order):
            self.blotter.cancel_sent(order, self.now_ns)
            assert order.status == Status.PENDING_CANCEL

    @rule(order=orders, lots=st.integers(1, 20))
    def amend(self, order: Order, lots: int) -> None:
        if self.blotter.can_change(order) and order.filled < lots * 5 < order.state.quantity:
            before = order.reserved
            self.blotter.amend_sent(order, lots, self.now_ns)
            assert (order.status, order.reserved) == (Status.PENDING_REPLACE, before)

    @rule(target=orders, order=orders, lots=st.integers(1, 20))
    def replace(self, order: Order, lots: int) -> Order:
        if not self.blotter.can_change(order):
            return order
        joint = order.filled == 0
        new = place(
            self.blotter, Side(order.side), lots, strategy=order.strategy, index=order.instrument_index,
            now_ns=self.now_ns,
        )  # fmt: skip
        before = order.reserved
        self.blotter.replace_sent(order, new, self.now_ns, joint=joint)
        assert order.status == Status.PENDING_CANCEL
        assert order.reserved + new.reserved == (max(before, lots * 5) if joint else before + lots * 5)
        return new

    @rule(ns=st.integers(0, 2_000))
    def wait(self, ns: int) -> None:
        self.now_ns += ns
        self.check_outcomes(self.blotter.due(self.now_ns))
        assert self.blotter.deadline_ns > self.now_ns

    @rule()
    def disconnect(self) -> None:
        self.check_outcomes(self.blotter.disconnected("v", self.now_ns))

    @rule(strategy=st.integers(0, 1), index=st.integers(0, 1), units=st.integers(0, 1000))
    def give(self, strategy: int, index: int, units: int) -> None:
        self.blotter.give(strategy, index, units)
        self.given[strategy, index] = units

    @rule(order=consumes(orders))
    def forget_nothing_that_is_open(self, order: Order) -> None:
        before = self.blotter.tally()
        self.blotter.forget(0)
        assert self.blotter.tally() == before
        assert self.blotter.order(order.number) is order

    @invariant()
    def exposure_is_the_sum_over_orders(self) -> None:
        if not hasattr(self, "blotter"):
            return
        for strategy, index in self.given:
            e = self.blotter.exposure(strategy, index)
            mine = [o for o in self.blotter if (o.strategy, o.instrument_index) == (strategy, index)]
            assert all(o.reserved >= 0 for o in mine)
            assert e.open_buy == sum(o.reserved for o in mine if o.side > 0)
            assert e.open_sell == sum(o.reserved for o in mine if o.side < 0)
            assert e.open_orders == sum(o.is_open for o in mine) == len(self.blotter.open_orders(strategy, index))

    @invariant()
    def an_open_order_reserves_all_that_may_fill(self) -> None:
        for o in self.blotter if hasattr(self, "blotter") else ():
            if o.is_open:
                left = max(0, o.state.quantity - o.filled)
                assert o.reserved == max(0, left - o.shared)
                if o.replaces is not None:  # the larger of the two, whatever has happened to them
                    assert o.replaces.replaced_by is o
                    assert o.reserved + o.replaces.reserved == max(left, o.replaces.reserved)
            elif o.closed:  # what the venue has counted and we have not seen
                assert o.reserved == o.fills_missing
                assert o.replaces is o.replaced_by is None
            if o.state.lifecycle is Lifecycle.UNKNOWN:
                assert self.blotter.deadline_ns <= self.now_ns + 400

    @invariant()
    def position_is_the_sum_of_unique_fills(self) -> None:
        for strategy, index in getattr(self, "given", ()):
            fills = [
                o.side * units
                for o, units in self.trades.values()
                if (o.strategy, o.instrument_index) == (strategy, index)
            ]
            e = self.blotter.exposure(strategy, index)
            assert e.position == sum(fills)
            fees = self.base_fees.get((strategy, index), Decimal(0)) * 100
            assert e.inventory == self.given[strategy, index] - int(fees.to_integral_value(ROUND_CEILING))

    @invariant()
    def rank_never_falls_except_by_resurrection(self) -> None:
        for o in self.blotter if hasattr(self, "blotter") else ():
            rank, resurrected = self.ranks.get(o.number, (0, False))
            assert o.state.lifecycle >= rank or (o.state.resurrected and rank == Lifecycle.CLOSED)
            self.ranks[o.number] = (o.state.lifecycle, resurrected or o.state.resurrected)


TestAnyScript = AnyScript.TestCase
