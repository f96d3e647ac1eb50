"""Fills of an order told by the stream and by REST, in any order, as often as they like: each counts exactly once."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import ROUND_HALF_EVEN, Context, Decimal
from typing import Any

import attrs
from hypothesis import given, settings
from hypothesis import strategies as st

from bloor.execution.blotter import Blotter
from bloor.execution.client_id import ClientIds
from bloor.execution.life import Status
from bloor.execution.outcomes import Alert, AlertKind, Filled
from bloor.execution.patience import Patience
from bloor.model.instrument import Instrument
from bloor.model.orders import Liquidity, OrderRequest, OrderType, Side, TimeInForce, VenueFill, VenueReport
from bloor_coinbase.fills import Mark
from bloor_coinbase.rows import OrderRow, OrderStatus
from bloor_coinbase.tracking import TrackedOrder

SECOND = 1_000_000_000
BTC = Instrument(
    venue="coinbase", symbol="BTC-USD", venue_symbol="BTC-USD", base="BTC", quote="USD", price_decimals=2,
    qty_decimals=8,
)  # fmt: skip
DERIVE_NS = 3 * SECOND
EXACT = Context(prec=200)


@attrs.frozen
class Story:
    """What really happened to an order, and how it is told.

    Attributes:
        trades: The trades, oldest first.
        decimals: How many decimals the venue's averages have.
        ordered: The ordered quantity.
        telling: ``(what, part)``: ``"stream"`` or ``"query"`` with how many trades had happened, ``"rest"`` with which
            trades are listed, ``"wait"`` with a number of seconds.
    """

    trades: Sequence[VenueFill]
    decimals: int
    ordered: int
    telling: Sequence[tuple[str, Any]]


@st.composite
def stories(draw: st.DrawFn, *, waits: bool) -> Story:
    """Any story; with ``waits``, one in which REST may be late."""
    rows = draw(st.lists(st.tuples(st.integers(1, 10**9), st.integers(1, 10**12)), min_size=1, max_size=6))
    trades = [
        VenueFill(
            trade_id=f"t{number}", price_ticks=ticks, units=units,
            fee=Decimal(draw(st.integers(-50, 10**6))).scaleb(-8),
            fee_asset="USD", liquidity=Liquidity.MAKER, exch_ns=number * SECOND,
        )
        for number, (ticks, units) in enumerate(rows, start=1)
    ]  # fmt: skip
    count = len(trades)
    said = [
        st.tuples(st.sampled_from(["stream", "query"]), st.integers(0, count)),
        st.tuples(st.just("rest"), st.sets(st.integers(0, count - 1))),
    ]
    if waits:
        said.append(st.tuples(st.just("wait"), st.integers(1, 2 * DERIVE_NS // SECOND)))
    filled = sum(trade.units for trade in trades)
    return Story(
        trades=trades,
        decimals=draw(st.integers(8, 20)),
        ordered=filled + draw(st.sampled_from([0, 1, 10**9])),
        telling=draw(st.lists(st.one_of(*said), max_size=20)),
    )


class Teller:
    """Tells a story to a tracked order, and what comes of it to a blotter."""

    def __init__(self, story: Story, derive_ns: int = DERIVE_NS) -> None:
        self.story = story
        self.now_ns = SECOND
        self.fills: list[VenueFill] = []
        self.alerts: list[AlertKind] = []
        ids = ClientIds(0, 1)
        patience = Patience(unknown_after_ns=SECOND, lost_after_ns=SECOND)
        self.blotter = Blotter(ids, {"coinbase": patience})
        request = OrderRequest(
            client_id=ids.make(0, 1), instrument=BTC, side=Side.BUY, type=OrderType.LIMIT, tif=TimeInForce.GTC,
            price_ticks=10**9, lots=story.ordered,
        )  # fmt: skip
        self.order = self.blotter.create(request, 0, 0, 0)
        self.blotter.sent(self.order, 1)
        self.tracked = TrackedOrder(request, 1, derive_ns)

    def take(self, reports: Sequence[VenueReport]) -> None:
        """What the session reports goes to the blotter."""
        for report in reports:
            assert report.client_id == self.order.client_id
            for outcome in self.blotter.apply(report, self.now_ns):
                if isinstance(outcome, Alert):
                    self.alerts.append(outcome.kind)
                elif isinstance(outcome, Filled):
                    assert report.fill is not None
                    self.fills.append(report.fill)
        assert self.order.filled <= self.story.ordered

    def tell(self, what: str, part: Any) -> None:
        """One piece of the story."""
        if what == "wait":
            self.now_ns += part * SECOND
            self.take(self.tracked.overdue(self.now_ns))
        elif what == "rest":
            self.tracked.asked()
            listed = [self.story.trades[number] for number in sorted(part, reverse=True)]
            self.take(self.tracked.showed(listed, self.now_ns))
            self.tracked.answered(self.now_ns)
        else:
            self.take(self.tracked.heard(self.row(part), self.now_ns, asked=what == "query"))
        self.take(self.tracked.overdue(self.now_ns))

    def row(self, count: int, *, ended: bool = False) -> OrderRow:
        """What the venue says when so many trades have happened."""
        past = self.story.trades[:count]
        units = sum(trade.units for trade in past)
        value = sum(trade.units * trade.price_ticks for trade in past)
        average = "0"
        if units:
            step = Decimal(1).scaleb(-self.story.decimals)
            exact = EXACT.divide(Decimal(value), Decimal(units)).scaleb(-2, EXACT)
            average = f"{exact.quantize(step, ROUND_HALF_EVEN, EXACT):f}".rstrip("0").rstrip(".")
        whole = units == self.story.ordered
        status = OrderStatus.FILLED if whole else OrderStatus.CANCELLED if ended else OrderStatus.OPEN
        fees = sum((trade.fee for trade in past), Decimal(0))
        return OrderRow(
            order_id="v1", client_id=self.order.client_id, product="BTC-USD", status=status,
            mark=Mark(units=units, average=average, fees=fees, exch_ns=count * SECOND),
            ordered=-1 if status.is_final else self.story.ordered, reason="",
        )  # fmt: skip

    def finish(self) -> None:
        """In the end the order has ended, and REST shows everything."""
        for what, part in self.story.telling:
            self.tell(what, part)
        self.take(self.tracked.heard(self.row(len(self.story.trades), ended=True), self.now_ns, asked=False))
        self.tell("rest", range(len(self.story.trades)))


@given(story=stories(waits=False))
@settings(deadline=None)
def test_any_order_of_stream_and_rest_gives_the_same_fills(story: Story) -> None:
    """As long as REST is not late: exactly the trades that happened, each once, with the venue's ids."""
    teller = Teller(story)
    teller.finish()
    assert sorted(teller.fills, key=lambda fill: fill.exch_ns) == list(story.trades)
    assert teller.order.closed
    assert teller.order.status == (Status.FILLED if teller.order.filled == story.ordered else Status.CANCELLED)
    assert teller.blotter.exposure(0, 0).open_buy == 0
    assert not teller.alerts


@given(story=stories(waits=True), derive_ns=st.sampled_from([0, DERIVE_NS]))
@settings(deadline=None)
def test_late_rest_changes_neither_quantity_nor_value_nor_fees(story: Story, derive_ns: int) -> None:
    """Whatever was derived in the meantime: all of it adds up to what happened, to the rounding of the averages."""
    teller = Teller(story, derive_ns)
    teller.finish()
    if teller.tracked.fills.unlike:
        teller.tell("wait", 2 * DERIVE_NS // SECOND)
    true, told = story.trades, teller.fills
    if teller.tracked.fills.missing:
        assert teller.tracked.fills.unlike  # then a person was told, and the rest is not invented
        return
    assert sum(f.units for f in told) == sum(f.units for f in true)
    off = abs(sum(f.units * f.price_ticks for f in told) - sum(f.units * f.price_ticks for f in true))
    units = sum(f.units for f in true)
    assert off * 10**8 <= 4 * 100 * units * len(true)
    assert abs(sum(f.fee for f in told) - sum(f.fee for f in true)) <= len(true) * Decimal("1e-8")
    assert teller.order.closed
    assert AlertKind.OVERFILL not in teller.alerts


@given(story=stories(waits=True))
@settings(deadline=None)
def test_a_story_told_twice_changes_nothing(story: Story) -> None:
    """Replays after a reconnect: the same fills, no more."""
    teller = Teller(story)
    teller.finish()
    before = list(teller.fills)
    if not teller.tracked.fills.unlike:
        for what, part in story.telling:
            if what != "wait":
                teller.tell(what, part)
        assert teller.fills == before
