"""Order entry from the strategy to the simulated venue and back, in virtual time."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from typing import Any

import orjson
import pytest

from bloor.engine.decisions import Decision, DecisionKind
from bloor.engine.desk import Desk
from bloor.engine.effects import order_conn
from bloor.errors import AccessRefusedError
from bloor.execution.life import Status
from bloor.journal.record import RecordKind
from bloor.model.orders import Side
from bloor.simulation.exchange import AccountOrder
from bloor.simulation.faults import Fault
from bloor.simulation.orders import BookOrder
from bloor.simulation.world import Latency
from bloor.strategy.api import Strategy
from bloor.testing.truth import replayed
from bloor.testing.virtual import VirtualRun
from bloor.venue.session import Request

SECOND = 1_000_000_000
#: The order connection stays down for as long as a test needs.
DOWN_NS = 120 * SECOND
CONN = order_conn(0)


class Idle(Strategy):
    """Does nothing but remember what it is told: ``(number, status, lots)``."""

    name = "idle"

    def __init__(self, config: Any = None) -> None:
        super().__init__(config)
        self.told: list[tuple[int, str, int]] = []

    def on_order(self, order: Any, book: Any, orders: Any) -> None:
        self.told.append((order.number, Status(order.status).name, order.lots))


class Quoter(Strategy):
    """Keeps a buy order at the bid, reduces it, takes it back, and sells what it gets."""

    name = "quoter"
    step: int = 0
    number: int = 0
    next_ns: int = 0

    def on_book(self, book: Any, orders: Any) -> None:
        if orders.now_ns < self.next_ns or not book.two_sided:
            return
        self.next_ns = orders.now_ns + SECOND
        self.step += 1
        lots = 4 * orders.min_lots + orders.lots_for(400.0, book.best_bid)
        if orders.sellable_lots >= orders.lots_for(10.0, book.best_bid) and orders.open_sell == 0:
            orders.sell(book.best_bid, orders.sellable_lots, ioc=True)
        elif orders.open_buy == 0:
            self.number = orders.buy(book.best_bid, lots)
        elif self.step % 3 == 0:
            orders.amend(self.number, lots - self.step % 50)
        else:
            orders.cancel(self.number)


def idle(seconds: float = 3.0, **options: Any) -> tuple[VirtualRun, Desk, Idle]:
    """A run of :class:`Idle`, some seconds old."""
    run = VirtualRun(strategies=[Idle], venue="kraken", **options)
    run.for_seconds(seconds)
    (desk,) = run.engine.desks
    assert desk.started
    assert isinstance(desk.strategy, Idle)
    return run, desk, desk.strategy


def resting(run: VirtualRun, desk: Desk, seconds: float = 1.0) -> int:
    """A buy order far below the market; its number."""
    bid = desk.book.best_bid
    number = desk.buy(bid * 95 // 100, desk.lots_for(1000.0, bid))
    assert number
    run.for_seconds(seconds)
    return number


def order_of(run: VirtualRun, number: int) -> Any:
    """An order of the blotter."""
    order = run.engine.blotter.order(number)
    assert order is not None
    return order


def at_venue(run: VirtualRun) -> list[AccountOrder]:
    """Every order that the venue ever accepted."""
    venue: Any = run.world.venue
    return list(venue.exchange.orders.values())


def open_at_venue(run: VirtualRun) -> list[AccountOrder]:
    """What is open there."""
    venue: Any = run.world.venue
    found: list[AccountOrder] = venue.exchange.open_orders(1)
    return found


def asked(run: VirtualRun) -> list[str]:
    """Which private requests reached the venue, tokens aside."""
    names = [request.path.rpartition("/")[2] for request in run.world.requests]
    return [name for name in names if name != "GetWebSocketsToken"]


def frames(run: VirtualRun, kind: RecordKind) -> list[Any]:
    """What the journal has of the order connection."""
    return [orjson.loads(p) for k, conn, _, p in run.journal.records if (k, conn) == (kind, CONN)]


def sent(run: VirtualRun, method: str) -> list[Any]:
    """The parameters of every request of a method that was sent."""
    return [f["params"] for f in frames(run, RecordKind.FRAME_OUT) if f["method"] == method]


def lose(run: VirtualRun, which: Callable[[dict[str, Any]], bool], most: int = 1) -> None:
    """The first frames from the venue that ``which`` likes are lost on their way."""
    left = [most]

    def lost(conn: int, payload: bytes) -> bool:
        if conn != CONN or not left[0] or not which(orjson.loads(payload)):
            return False
        left[0] -= 1
        return True

    run.world.lossy = lost


def lose_answers(run: VirtualRun, name: str, most: int = 1) -> None:
    """The first answers to a request of REST are lost."""
    left = [most]

    def lost(request: Request) -> bool:
        hit = request.path.endswith(name) and left[0] > 0
        left[0] -= hit
        return hit

    run.world.rest_lossy = lost


def fill_all(run: VirtualRun, order: AccountOrder) -> None:
    """Somebody takes an order at the venue, and everything above it."""
    venue: Any = run.world.venue
    sweep = BookOrder(id=5, owner=None, side=Side.SELL, price=order.price, units=1 << 40)
    venue.exchange.absorb(order.market, order.market.book.submit(sweep), run.world.now_ns)


def down(**options: Any) -> tuple[VirtualRun, Desk, int]:
    """A run with one resting order, whose order connection was just lost for two minutes."""
    run, desk, _ = idle(**options)
    number = resting(run, desk)
    run.world._backoff_ns = DOWN_NS
    run.world.cut(CONN)
    run.for_seconds(0.001)
    assert not run.engine.lines[0].orders.ready
    return run, desk, number


def assert_replays(run: VirtualRun) -> None:
    """The inputs of its journal, given to a new engine of the same plan: the same journal, bit for bit.

    Only of runs in which nobody but the strategy asked for orders.
    """
    engine, journal = replayed(run)
    assert journal.records == run.journal.records
    assert engine.log.hexdigest() == run.engine.log.hexdigest()


def assert_true_at_the_end(run: VirtualRun) -> None:
    """What we believe is what the venue has: nothing open, no order twice, every fill once."""
    orders = at_venue(run)
    assert run.engine.open_orders == 0
    assert open_at_venue(run) == []
    assert max(Counter(order.client_id for order in orders).values(), default=1) == 1
    for known in run.engine.blotter:
        assert known.closed
        assert (known.status == Status.LOST) <= (known.client_id not in {order.client_id for order in orders})
    (desk,) = run.engine.desks
    assert desk.position == sum(order.side * order.executed for order in orders)
    exposure = desk.exposure
    assert (exposure.open_buy, exposure.open_sell, exposure.open_orders) == (0, 0, 0)


# ---- the plain way --------------------------------------------------------------------------------------------------


def test_momentum_trades_and_every_fill_has_the_venues_id() -> None:
    """Each fill once, under the name that REST has for it too, at its price, with fee and side of liquidity."""
    run = VirtualRun(["momentum"], venue="kraken")
    run.for_seconds(15)
    run.finish()
    assert_true_at_the_end(run)
    assert run.engine.tally()["filled"] >= 10
    assert not run.alerts
    assert not run.engine.blotter.counters.orphans
    (desk,) = run.engine.desks
    assert desk.account.fees == sum(fill.fee for fill in run.fills)
    assert len({fill.trade_id for fill in run.fills}) == len(run.fills)
    assert_replays(run)


def test_an_order_is_reduced_and_keeps_its_id() -> None:
    """The venue's order is the same one with less; the strategy is told when the private stream says so."""
    run, desk, strategy = idle()
    number = resting(run, desk)
    (order,) = open_at_venue(run)
    before = order.units
    assert desk.amend(number, before // desk.lot_units - 7)
    assert desk.open_buy == before
    run.for_seconds(1)
    assert (order.units, open_at_venue(run)) == (before - 7 * desk.lot_units, [order])
    assert desk.open_buy == order.units
    assert [name for _, name, _ in strategy.told] == ["NEW", "PENDING_REPLACE", "NEW"]
    run.finish()
    assert_true_at_the_end(run)


def test_what_the_venue_cannot_do_is_denied() -> None:
    """A replacement under a client id of its own: nothing is sent, and the old order stays."""
    run, desk, _ = idle()
    number = resting(run, desk)
    (order,) = open_at_venue(run)
    assert desk.replace(number, order.price - 100, 50_000_000) == 0
    run.for_seconds(1)
    assert run.engine.measures.denials == {"CHANGE_NOT_SUPPORTED": 1}
    assert open_at_venue(run) == [order]


def test_a_refused_order_has_the_venues_words() -> None:
    """A rejection with Kraken's text; nothing stays reserved."""
    run, desk, _ = idle()
    venue: Any = run.world.venue
    venue.exchange.accounts[1].balance("USD").free = 0
    number = resting(run, desk)
    assert order_of(run, number).status == Status.REJECTED
    assert "EOrder:Insufficient funds" in order_of(run, number).reason
    assert (desk.open_buy, desk.open_orders) == (0, 0)


def test_fills_of_a_resting_order_come_as_maker() -> None:
    """Each with its own id and fee, at the order's price."""
    run, desk, _ = idle()
    number = resting(run, desk)
    (order,) = open_at_venue(run)
    fill_all(run, order)
    run.for_seconds(1)
    assert order_of(run, number).status == Status.FILLED
    assert {fill.liquidity.name for fill in run.fills} == {"MAKER"}
    assert sum(fill.units for fill in run.fills) == order.units == desk.position
    run.finish()
    assert_true_at_the_end(run)


def test_orders_are_cancelled_together() -> None:
    """One request for all of them; each ends by its own report."""
    run, desk, _ = idle()
    numbers = [resting(run, desk, 0.2) for _ in range(4)]
    run.finish()
    assert [len(params["orders"]) for params in sent(run, "batch_cancel")] == [4]
    assert [order_of(run, number).status for number in numbers] == [Status.CANCELLED] * 4
    assert_true_at_the_end(run)


def test_a_batch_of_cancels_whose_reports_are_lost_is_asked_about() -> None:
    """Each order of it is looked up, and known to be gone."""
    run, desk, _ = idle()
    numbers = [resting(run, desk, 0.2) for _ in range(3)]
    lose(run, lambda frame: frame.get("method") == "batch_cancel" or frame.get("channel") == "executions", 9)
    run.finish(30)
    assert [order_of(run, number).status for number in numbers] == [Status.CANCELLED] * 3
    assert_true_at_the_end(run)


# ---- what gets lost -------------------------------------------------------------------------------------------------


def test_an_answer_that_is_lost_is_made_good_by_the_stream() -> None:
    """The private stream has the order; nothing is sent twice, and nothing is asked."""
    run, desk, _ = idle()
    lose(run, lambda frame: frame.get("method") == "add_order")
    number = resting(run, desk, 10)
    assert len(sent(run, "add_order")) == 1
    run.finish()
    assert order_of(run, number).status == Status.CANCELLED
    assert_true_at_the_end(run)


def test_an_answer_and_its_reports_that_are_lost_are_asked_for() -> None:
    """No answer, no report: the order is looked up over REST by our id, and found open."""
    run, desk, _ = idle()
    lose(run, lambda frame: frame.get("method") == "add_order" or frame.get("channel") == "executions", 3)
    number = resting(run, desk, 12)
    assert order_of(run, number).status == Status.NEW
    assert "OpenOrders" in asked(run)
    assert len(sent(run, "add_order")) == 1
    run.finish()
    assert_true_at_the_end(run)


def test_an_order_that_never_arrived_is_proven_lost() -> None:
    """Twice not found after the horizon, among open and closed ones, and no trade that could be its."""
    run, desk, _ = idle()
    to_venue: Any = run.world._to_venue
    run.world._to_venue = lambda wire, payload: None if b"add_order" in payload else to_venue(wire, payload)  # type: ignore[method-assign]
    number = resting(run, desk, 20)
    assert order_of(run, number).status == Status.UNKNOWN
    assert desk.open_buy > 0
    run.for_seconds(40)
    assert order_of(run, number).status == Status.LOST
    assert (desk.open_buy, desk.open_orders) == (0, 0)
    assert {"OpenOrders", "ClosedOrders", "TradesHistory"} <= set(asked(run))
    assert [code for code, _ in run.alerts] == ["lost"]
    run.finish()
    assert_true_at_the_end(run)


def test_a_hole_in_the_stream_is_made_good() -> None:
    """A fill report is lost: the next frame shows the hole, the stream is read anew, and the fill is here."""
    run, desk, _ = idle()
    number = resting(run, desk)
    (order,) = open_at_venue(run)
    lose(run, lambda frame: frame.get("channel") == "executions" and frame["data"][0]["exec_type"] == "trade")
    fill_all(run, order)
    run.for_seconds(5)
    assert order_of(run, number).status == Status.FILLED
    assert desk.position == order.units
    assert "private_gap" in [code for code, _ in run.alerts]
    assert run.engine.lines[0].orders.accepting
    run.finish()
    assert_true_at_the_end(run)


def test_a_connection_that_comes_back_knows_what_happened_meanwhile() -> None:
    """Filled while away: the snapshot does not list it, so it is asked about and its fills are fetched."""
    run, desk, _ = idle(sets=["venue.kraken.rest_orders=off"])
    number = resting(run, desk)
    (order,) = open_at_venue(run)
    run.world._backoff_ns = 5 * SECOND
    run.world.cut(CONN)
    run.for_seconds(1)
    fill_all(run, order)
    run.for_seconds(2)
    assert desk.position == 0
    run.for_seconds(8)
    assert order_of(run, number).status == Status.FILLED
    assert desk.position == order.units
    run.finish()
    assert_true_at_the_end(run)


def test_what_is_still_open_after_a_reconnect_is_not_asked_about() -> None:
    """The snapshot says it all: three open orders cost no request of REST."""
    run, desk, _ = idle()
    numbers = [resting(run, desk, 0.5) for _ in range(3)]
    run.world.cut(CONN)
    run.for_seconds(5)
    assert [order_of(run, number).status for number in numbers] == [Status.NEW] * 3
    assert asked(run) == []
    run.finish()
    assert_true_at_the_end(run)


def test_the_token_is_never_kept() -> None:
    """Neither it, nor the key, nor the secret is in anything that is recorded; a new one for each connection."""
    run, desk, _ = idle()
    resting(run, desk)
    run.world.cut(CONN)
    run.for_seconds(5)
    resting(run, desk)
    run.finish()
    session: Any = run.engine.lines[0].orders
    keys = run.world.venue.credentials()
    tokens = session._talk.token
    assert len(tokens) > 10
    everything = b"".join(payload for _, _, _, payload in run.journal.records)
    for secret in (tokens, keys["api_key"], keys["secret"], "API-Sign"):
        assert secret.encode() not in everything
    assert sum(request.path.endswith("GetWebSocketsToken") for request in run.world.requests) == 2


# ---- without the connection -----------------------------------------------------------------------------------------


def test_the_stop_of_a_run_cancels_over_rest() -> None:
    """The connection is down and an order is open: it is gone, and known to be, within a second or two."""
    run, _, number = down()
    assert len(open_at_venue(run)) == 1
    run.finish(5)
    assert order_of(run, number).status == Status.CANCELLED
    assert asked(run).count("CancelOrder") == 1
    assert_true_at_the_end(run)


def test_a_cancel_whose_answer_is_lost_is_found_out() -> None:
    """No answer to the cancel: the order is asked about, and found cancelled."""
    run, _, number = down()
    lose_answers(run, "CancelOrder")
    run.finish(30)
    assert order_of(run, number).status == Status.CANCELLED
    assert asked(run).count("CancelOrder") == 1
    assert "QueryOrders" in asked(run)


def test_fills_are_heard_of_though_the_stream_is_down() -> None:
    """Open orders are looked up: one that is gone is asked about, and its fills are fetched by their names."""
    run, desk, number = down()
    (order,) = open_at_venue(run)
    fill_all(run, order)
    run.for_seconds(15)
    assert order_of(run, number).status == Status.FILLED
    assert desk.position == order.units
    assert "QueryTrades" in asked(run)


def test_new_orders_go_over_rest_if_so_configured() -> None:
    """Placed and reduced over REST; the dead-man switch is kept from firing the same way."""
    run, desk, first = down(sets=["venue.kraken.rest_orders=all", "venue.kraken.dead_man=15s"])
    number = resting(run, desk, 3)
    assert order_of(run, number).status == Status.NEW
    assert desk.amend(number, order_of(run, number).lots - 7)
    run.for_seconds(3)
    assert {o.client_id: o.units for o in open_at_venue(run)}[order_of(run, number).client_id] == (
        order_of(run, number).lots * desk.lot_units
    )
    run.for_seconds(30)
    assert len(open_at_venue(run)) == 2
    assert asked(run).count("CancelAllOrdersAfter") >= 6
    run.finish(10)
    assert order_of(run, first).status == Status.CANCELLED
    assert_true_at_the_end(run)


def test_no_new_order_without_the_connection() -> None:
    """Unless so configured, new orders are denied; what is open stays known."""
    run, desk, _ = down()
    bid = desk.book.best_bid
    assert desk.buy(bid * 95 // 100, desk.lots_for(1000.0, bid)) == 0
    assert run.engine.measures.denials == {"ORDERS_NOT_CONNECTED": 1}


# ---- the dead-man switch --------------------------------------------------------------------------------------------


def test_the_venue_cancels_when_we_fall_silent() -> None:
    """Nothing refreshes the switch: the venue cancels everything, and we find it out."""
    run, _, number = down(sets=["venue.kraken.dead_man=15s"])
    run.for_seconds(20)
    assert open_at_venue(run) == []
    run.for_seconds(15)
    assert order_of(run, number).status in (Status.CANCELLED, Status.EXPIRED)
    run.finish()
    assert_true_at_the_end(run)


def test_the_switch_is_refreshed_while_we_live_and_disarmed_at_the_end() -> None:
    """An order rests far longer than the switch's time; after the orderly end it is off."""
    run, desk, _ = idle(sets=["venue.kraken.dead_man=15s"])
    resting(run, desk, 60)
    assert len(open_at_venue(run)) == 1
    run.finish()
    assert [params["timeout"] for params in sent(run, "cancel_all_orders_after")][-1] == 0
    assert run.engine.lines[0].concluded
    assert_true_at_the_end(run)


def test_the_switch_stays_armed_while_something_is_open() -> None:
    """An order that could not be cancelled: nothing is disarmed, so that the venue will do it."""
    run, _, _ = down(sets=["venue.kraken.rest_orders=off", "venue.kraken.dead_man=15s"])
    run.finish(3)
    assert run.engine.open_orders == 1
    assert [params["timeout"] for params in sent(run, "cancel_all_orders_after")][-1] == 15
    run.for_seconds(20)
    assert open_at_venue(run) == []


# ---- the rate counter -----------------------------------------------------------------------------------------------


class Frantic(Strategy):
    """Asks for orders and cancels all the time, faster than any venue lets it."""

    name = "frantic"

    def on_book(self, book: Any, orders: Any) -> None:
        if orders.open_orders < 10:
            orders.buy(book.best_bid * 95 // 100, orders.lots_for(200.0, book.best_bid))
        else:
            orders.cancel_all()


def test_the_venues_rate_counter_is_never_overrun() -> None:
    """However much a strategy asks for: held back by us with a code, never refused by the venue, cancels all pass."""
    run = VirtualRun(strategies=[Frantic], venue="kraken", latency=Latency(1_000_000, 20_000_000))
    run.for_seconds(40)
    assert run.engine.measures.denials.get("VENUE_RATE_BUDGET", 0) > 0
    assert run.engine.tally()["sent"] > 10
    refused = [f["error"] for f in frames(run, RecordKind.FRAME_IN) if f.get("success") is False]
    assert not [text for text in refused if "Rate limit" in text]
    run.finish()
    assert_true_at_the_end(run)


# ---- everything at once ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("faults", "which"),
    [
        ("lost-ack:0.2", Fault.LOST_ACK),
        ("error-after-accept:0.2", Fault.ERROR_AFTER_ACCEPT),
        ("lost-report:0.1", Fault.LOST_REPORT),
        ("duplicate:0.3", Fault.DUPLICATE),
        ("rate-limit:0.1", Fault.RATE_LIMIT),
        ("disconnect:8s", Fault.DISCONNECT),
        ("lost-ack:0.1,error-after-accept:0.05,lost-report:0.05,duplicate:0.1,disconnect:15s", Fault.LOST_ACK),
    ],
)  # fmt: skip
@pytest.mark.parametrize("seed", [1, 2])
def test_faults_never_cost_a_fill_or_make_an_order_twice(faults: str, which: Fault, seed: int) -> None:
    """Whatever goes wrong: in the end what we believe is what the venue has, and the journal replays bit for bit."""
    run = VirtualRun(
        strategies=[Quoter], venue="kraken", seed=seed, faults=faults, latency=Latency(1_000_000, 80_000_000)
    )
    run.for_seconds(40)
    venue: Any = run.world.venue
    assert venue.faults.counts.get(which, 0) > 0
    venue.faults._rates.clear()
    run.world._backoff_ns = SECOND // 2
    run.finish(120)
    run.for_seconds(10)
    assert_true_at_the_end(run)
    assert_replays(run)


def test_decisions_are_journaled() -> None:
    """Each order that was sent is a decision that was written first."""
    run, desk, _ = idle()
    resting(run, desk)
    made = [Decision.unpack(p) for kind, _, _, p in run.journal.records if kind == RecordKind.DECISION]
    assert [d.kind for d in made] == [DecisionKind.PLACE]


# ---- what the venue and others do -----------------------------------------------------------------------------------


def test_keys_that_lose_their_right_end_the_run() -> None:
    """The next connection gets no token: the run fails with Kraken's words instead of trying for ever."""
    run, desk, _ = idle()
    resting(run, desk)
    venue: Any = run.world.venue
    venue.keys.trading.permissions = type(venue.keys.trading.permissions).READ
    run.world.cut(CONN)
    run.for_seconds(3)
    assert isinstance(run.engine.failure, AccessRefusedError)
    assert "Permission denied" in str(run.engine.failure)


def test_a_key_that_another_program_uses_too_is_told_and_lived_with() -> None:
    """Its nonces are higher than ours: one refusal, an alert, and then ours are higher."""
    run, desk, number = down()
    venue: Any = run.world.venue
    venue.keys.trading.nonce += 5_000_000
    assert desk.cancel(number)
    run.for_seconds(20)
    assert "nonce" in [code for code, _ in run.alerts]
    assert order_of(run, number).status == Status.CANCELLED
    run.finish()
    assert_true_at_the_end(run)


@pytest.mark.parametrize("system", ["cancel_only", "maintenance", "post_only"])
def test_nothing_is_sent_that_the_engine_would_not_take(system: str) -> None:
    """While it is not online new orders are denied with the state, cancels go out; afterwards all is as before."""
    run, desk, _ = idle()
    number = resting(run, desk)
    frame = b'{"channel":"status","type":"update","data":[{"system":"%s","version":"2"}]}'
    run.world.inject(CONN, frame % system.encode())
    run.for_seconds(0.5)
    bid = desk.book.best_bid
    assert desk.buy(bid * 95 // 100, desk.lots_for(1000.0, bid)) == 0
    assert not desk.amend(number, order_of(run, number).lots - 7)
    assert run.engine.measures.denials == {f"VENUE_{system.upper()}": 2}
    assert bool(desk.buy(bid * 95 // 100, desk.lots_for(1000.0, bid), post_only=True)) == (system == "post_only")
    assert desk.cancel(number)
    run.world.inject(CONN, frame % b"online")
    run.for_seconds(1)
    assert order_of(run, number).status == Status.CANCELLED
    assert resting(run, desk)
    run.finish()
    assert_true_at_the_end(run)


def test_orders_of_others_are_counted_and_never_touched() -> None:
    """An order of somebody else on the account stays; its fills are not ours."""
    run, desk, _ = idle()
    venue: Any = run.world.venue
    session: Any = run.engine.lines[0].orders
    from bloor.model.orders import OrderRequest, OrderType, TimeInForce
    from bloor_kraken.config import SelfTrade
    from bloor_kraken.order_requests import new_order_by_rest
    from bloor_kraken.private_rest import private_request

    bid = desk.book.best_bid
    theirs = OrderRequest(
        client_id="by-hand", instrument=desk.instrument, side=Side.BUY, type=OrderType.LIMIT, tif=TimeInForce.GTC,
        price_ticks=bid * 95 // 100, lots=1_000_000,
    )  # fmt: skip
    params = new_order_by_rest(theirs, SelfTrade.CANCEL_NEWEST, run.world.now_ns + SECOND)
    params.pop("cl_ord_id")
    run.world.request(CONN, private_request(session._keys, "?", "/0/private/AddOrder", params, run.world.now_ns))
    run.for_seconds(1)
    (order,) = open_at_venue(run)
    number = resting(run, desk)
    fill_all(run, order)
    run.for_seconds(2)
    assert desk.position == order_of(run, number).filled
    run.world.cut(CONN)
    run.for_seconds(3)
    run.finish()
    assert [code for code, _ in run.alerts if code in ("orphan", "contradiction", "overfill")] == []
    assert run.engine.open_orders == 0
    assert venue.exchange.accounts[1].balance("BTC").total >= 0
