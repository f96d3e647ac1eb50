"""Money over the private stream: every fill once and exact, in whatever order frames and answers come."""

from __future__ import annotations

import contextlib
import json
from decimal import Decimal
from typing import Any

from attrs import evolve
from hypothesis import given
from hypothesis import strategies as st

from bloor.errors import RemoteProtocolError
from bloor.execution.blotter import Blotter
from bloor.execution.client_id import ClientIds
from bloor.execution.life import Lifecycle
from bloor.execution.patience import Patience
from bloor.hookspecs import ExecutorContext
from bloor.model.instrument import Instrument
from bloor.model.orders import OrderRequest, OrderType, Side, TimeInForce
from bloor.venue.session import Endpoints
from bloor_kraken.config import KrakenConfig, Tier
from bloor_kraken.executor import KrakenExecutor
from bloor_kraken.rate_counter import POINT, TIERS, PairCounter, amend_cost, cancel_cost
from bloor_kraken.signing import STAND_IN

SECOND = 1_000_000_000
NOW = 1_790_000_000 * SECOND
BTC = Instrument(
    venue="kraken", symbol="BTC-USD", venue_symbol="BTC/USD", base="BTC", quote="USD", price_decimals=1, qty_decimals=8
)
ID = "OABCDE-12345-FGHIJK"


class Bare(str):
    """Text that stands bare in JSON."""

    __slots__ = ()


def wire(message: Any) -> bytes:
    """A frame with bare numbers of exactly this text."""

    def plain(value: Any) -> Any:
        if isinstance(value, Bare):
            return f"<<{value}>>"
        if isinstance(value, dict):
            return {name: plain(each) for name, each in value.items()}
        return [plain(each) for each in value] if isinstance(value, list) else value

    return json.dumps(plain(message)).replace('"<<', "").replace('>>"', "").encode()


def session() -> KrakenExecutor:
    """A session that is ready."""
    place = Endpoints("", "", "ws://127.0.0.1:1/v2")
    made = KrakenExecutor(
        ExecutorContext(config=KrakenConfig(), endpoints=place, credentials=STAND_IN.make("hmac"), instruments=[BTC])
    )
    made.connected(NOW)
    body = b'{"error":[],"result":{"token":"***","expires":900}}'
    made.responded("w", 200, made.take_secrets("w", 200, body), NOW)
    made.received(wire({"channel": "executions", "type": "snapshot", "data": [], "sequence": Bare("1")}), NOW)
    assert made.ready
    return made


@st.composite
def stories(draw: st.DrawFn) -> tuple[int, list[tuple[int, int]], list[bytes]]:
    """Lots of an order, its fills ``(price, units)``, and every frame about it, shuffled, some of them twice."""
    fills = draw(st.lists(st.tuples(st.integers(1, 10**9), st.integers(1, 10**12)), max_size=5))
    rest = draw(st.integers(0 if fills else 1, 10**6))
    lots = sum(units for _, units in fills) + rest
    introduces = draw(st.booleans())
    common: dict[str, Any] = {"order_id": ID}
    told = {"symbol": "BTC/USD", "side": "buy"} | ({"cl_ord_id": "?"} if introduces else {})
    rows: list[dict[str, Any]] = [
        {**common, **told, "exec_type": "pending_new", "order_status": "pending_new"},
        {**common, "exec_type": "new", "order_status": "new"},
    ]
    done = 0
    for number, (price, units) in enumerate(fills):
        done += units
        rows.append(
            {
                **common, **told, "exec_type": "trade", "order_status": "partially_filled", "exec_id": f"T{number}-A-B",
                "last_price": Bare(BTC.format_price(price)), "last_qty": Bare(BTC.format_qty(units)),
                "cum_qty": Bare(BTC.format_qty(done)), "fees": [{"asset": "USD", "qty": Bare(f"0.0000{number}")}],
            }
        )  # fmt: skip
    if lots == done:
        rows.append({**common, "exec_type": "filled", "order_status": "filled", "cum_qty": Bare(BTC.format_qty(done))})
    else:
        rows.append(
            {**common, "exec_type": "canceled", "order_status": "canceled", "cum_qty": Bare(BTC.format_qty(done)),
             "reason": "User requested"}
        )  # fmt: skip
    rows += draw(st.lists(st.sampled_from(rows), max_size=4))
    frames = [{"channel": "executions", "type": "update", "data": [row]} for row in draw(st.permutations(rows))]
    answer = {"method": "add_order", "result": {"order_id": ID}, "success": True, "req_id": "?"}
    frames.insert(draw(st.integers(0, len(frames))), answer)
    return lots, fills, [wire(frame) for frame in frames]


@given(stories())
def test_every_fill_counts_once_whatever_the_order(story: tuple[int, list[tuple[int, int]], list[bytes]]) -> None:
    """Frames shuffled and repeated, the answer anywhere between them: the same order in the end, to the last unit."""
    lots, fills, frames = story
    ids = ClientIds(1, 1)
    blotter = Blotter(ids, {"kraken": Patience(unknown_after_ns=SECOND, lost_after_ns=20 * SECOND)})
    request = OrderRequest(
        client_id=ids.make(0, 1), instrument=BTC, side=Side.BUY, type=OrderType.LIMIT, tif=TimeInForce.GTC,
        price_ticks=10**9, lots=lots,
    )  # fmt: skip
    order = blotter.create(request, 0, 0, NOW)
    venue = session()
    out = venue.place(request, NOW)
    assert isinstance(out, bytes)
    blotter.sent(order, NOW)
    number = str(json.loads(out)["req_id"]).encode()
    for frame in frames:
        said = frame.replace(b'"cl_ord_id": "?"', b'"cl_ord_id": "%s"' % order.client_id.encode())
        reports, _ = venue.received(said.replace(b'"req_id": "?"', b'"req_id": ' + number), NOW)
        for report in reports:
            blotter.apply(report, NOW)
    assert order.state.lifecycle is Lifecycle.CLOSED
    assert order.filled == sum(units for _, units in fills)
    assert order.fills_missing == 0
    assert blotter.exposure(0, 0).position == order.filled
    assert blotter.exposure(0, 0).open_buy == 0
    assert blotter.counters.contradictions == 0


@given(st.integers(1, 10**14), st.integers(1, 10**16), st.sampled_from(list(OrderType)), st.sampled_from(list(Side)))
def test_every_price_and_quantity_is_written_exactly(price: int, lots: int, kind: OrderType, side: Side) -> None:
    """As the decimal text of ticks and lots over both ways; no float ever comes near them."""
    order = OrderRequest(
        client_id="B0100010000002A", instrument=BTC, side=side, type=kind, tif=TimeInForce.GTC, price_ticks=price,
        lots=lots,
    )  # fmt: skip
    venue = session()
    params = json.loads(bytes(venue.place(order, NOW)), parse_float=str, parse_int=str)["params"]  # type: ignore[arg-type]
    assert BTC.parse_qty(params["order_qty"]) == lots
    if kind is not OrderType.MARKET:
        assert BTC.parse_price(params["limit_price"]) == price


@given(st.decimals(-1000, 1000, places=8), st.integers(0, 12))
def test_fees_are_read_exactly(fee: Decimal, zeros: int) -> None:
    """Negative ones and trailing zeros included."""
    venue = session()
    row = {
        "order_id": ID, "cl_ord_id": "B0100010000002A", "symbol": "BTC/USD", "exec_type": "trade",
        "order_status": "filled", "exec_id": "T1-A-B", "last_price": Bare("1.0"), "last_qty": Bare("1"),
        "fees": [{"asset": "BTC", "qty": Bare(f"{fee:f}" + "0" * zeros)}],
    }  # fmt: skip
    (report,), _ = venue.received(wire({"channel": "executions", "type": "update", "data": [row]}), NOW)
    assert report.fill is not None
    assert (report.fill.fee, report.fill.fee_asset) == (fee, "BTC")


@given(st.lists(st.integers(1, 12), min_size=1, max_size=30))
def test_a_hole_is_seen_and_nothing_else_is(numbers: list[int]) -> None:
    """The stream is read anew exactly when a number is missing; repeated and older ones change nothing."""
    venue = session()
    highest, holes = 1, 0
    for number in numbers:
        frame = {"channel": "executions", "type": "update", "data": [], "sequence": Bare(number)}
        _, actions = venue.received(wire(frame), NOW)
        hole = number > highest + 1
        holes += hole
        assert bool(actions) == hole
        highest = max(highest, number)
    assert (venue.refusal(BTC, OrderType.LIMIT, NOW) == "") == (holes == 0)


@given(st.binary(max_size=200) | st.text(max_size=200).map(str.encode))
def test_garbage_is_a_named_error_or_nothing(frame: bytes) -> None:
    """Whatever comes, over either way: RemoteProtocolError or no report."""
    venue = session()
    for read in (
        lambda: venue.received(frame, NOW),
        lambda: venue.responded("qB0100010000002A", 200, frame, NOW),
        lambda: venue.responded("w", 200, venue.take_secrets("w", 200, frame), NOW),
    ):
        try:
            reports, _ = read()
        except RemoteProtocolError:
            continue
        assert not reports


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5) | st.sampled_from([ID, "BTC/USD", "trade"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=6,
)


@given(
    st.sampled_from(["executions", "balances", "status", "heartbeat"]),
    st.lists(
        st.dictionaries(
            st.sampled_from(
                ["order_id", "exec_type", "order_status", "symbol", "cl_ord_id", "last_qty", "last_price", "fees",
                 "asset", "exec_id", "cum_qty", "order_qty", "reason", "timestamp", "balance", "system"]
            ),
            JSON,
        ),
        max_size=3,
    ),
    st.sampled_from(["snapshot", "update"]),
)  # fmt: skip
def test_fields_of_the_wrong_type_are_named_errors(channel: str, rows: list[dict[str, Any]], kind: str) -> None:
    """No field of a private frame can break the session, whatever stands in it."""
    venue = session()
    with contextlib.suppress(RemoteProtocolError):
        venue.received(json.dumps({"channel": channel, "type": kind, "data": rows}).encode(), NOW)


OPERATIONS = "qokftsldnca"


@given(st.sampled_from(OPERATIONS), JSON)
def test_answers_of_the_wrong_form_are_named_errors(letter: str, result: Any) -> None:
    """No answer of REST can break the session either."""
    venue = session()
    venue.query("B0100010000002A", BTC, NOW)
    name = str(NOW) if letter == "l" else "" if letter == "d" else "B0100010000002A"
    with contextlib.suppress(RemoteProtocolError):
        venue.responded(letter + name, 200, json.dumps({"error": [], "result": result}).encode(), NOW)


# ---- the rate counter -----------------------------------------------------------------------------------------------


class VenueCounter:
    """The trading engine's counter as documented: it is charged, and then it must not be above its maximum."""

    def __init__(self, tier: Tier) -> None:
        self.limits = TIERS[tier]
        self.value = 0
        self.at_ns = NOW
        self.since: dict[str, int] = {}

    def charge(self, cost: int, at_ns: int) -> None:
        self.value = max(0, self.value - self.limits.decay * (at_ns - self.at_ns) // SECOND) + POINT * cost
        self.at_ns = at_ns
        assert self.value <= POINT * self.limits.most


def engine_cancel_cost(age_ns: int) -> int:
    """Straight from the documentation's table."""
    for below, cost in ((5, 8), (10, 6), (15, 5), (45, 4), (90, 2), (300, 1)):
        if age_ns < below * SECOND:
            return cost
    return 0


def engine_amend_cost(age_ns: int) -> int:
    """Straight from the documentation's table."""
    for below, cost in ((5, 3), (10, 2), (15, 1)):
        if age_ns < below * SECOND:
            return 1 + cost
    return 1


@given(
    st.sampled_from(list(Tier)),
    st.lists(
        st.tuples(st.sampled_from(["place", "amend", "cancel"]), st.integers(0, 20 * SECOND), st.integers(0, 9)),
        max_size=120,
    ),
    st.integers(0, 900),
)
def test_the_venues_counter_is_never_overrun(tier: Tier, steps: list[tuple[str, int, int]], delay_ms: int) -> None:
    """Whatever is asked for whenever, and even if everything is cancelled at once at the end, it never refuses."""
    ours, theirs = PairCounter(TIERS[tier]), VenueCounter(tier)
    now, count = NOW, 0
    for what, wait, which in steps:
        now += wait
        at = now + (delay_ms * 1_000_000 if which % 2 else 0)
        at = max(at, theirs.at_ns)
        names = list(ours.orders)
        if what == "place" and ours.lets_out(now):
            count += 1
            ours.placed(str(count), now)
            theirs.charge(1, at)
            theirs.since[str(count)] = at
        elif what == "amend" and names and ours.lets_out(now):
            name = names[which % len(names)]
            ours.amended(name, now)
            theirs.charge(engine_amend_cost(at - theirs.since[name]), at)
            theirs.since[name] = at
        elif what == "cancel" and names:
            name = names[which % len(names)]
            ours.cancelled(name, now)
            theirs.charge(engine_cancel_cost(at - theirs.since[name]), at)
            ours.ended(name)
            del theirs.since[name]
    at = max(now, theirs.at_ns)
    for name in list(ours.orders):
        theirs.charge(engine_cancel_cost(at - theirs.since[name]), at)


@given(st.integers(0, 400 * SECOND))
def test_costs_are_never_below_the_venues(age_ns: int) -> None:
    """An order that was longer under way than its cancel is younger at the venue, and dearer."""
    for younger in (0, SECOND // 2, SECOND):
        assert cancel_cost(age_ns) >= engine_cancel_cost(max(0, age_ns - younger)) or younger > 0
        assert cancel_cost(age_ns) >= engine_cancel_cost(age_ns)
        assert amend_cost(age_ns) >= engine_amend_cost(age_ns)


def test_orders_are_named_by_what_an_evolved_request_says() -> None:
    """A frame is about the order it was made for, and no other."""
    venue = session()
    base = OrderRequest(
        client_id="B0100010000002A", instrument=BTC, side=Side.BUY, type=OrderType.LIMIT, tif=TimeInForce.GTC,
        price_ticks=1, lots=1,
    )  # fmt: skip
    numbers = set()
    for n in range(20):
        out = json.loads(bytes(venue.place(evolve(base, client_id=f"B010001000000{n:02}"), NOW)))  # type: ignore[arg-type]
        assert out["params"]["cl_ord_id"] == f"B010001000000{n:02}"
        numbers.add(out["req_id"])
    assert len(numbers) == 20
