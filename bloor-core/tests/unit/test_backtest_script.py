"""Orders put to the simulated venue one by one, and what becomes of them."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest
from attrs import evolve

from bloor.backtesting import layout as at
from bloor.backtesting.build import LaneSpec, lane_of
from bloor.backtesting.models import Constant, LatencyModel, RiskAverse
from bloor.backtesting.rows import StoredRows
from bloor.backtesting.script import Asked, Told, put_to_venue
from bloor.config.duration import Duration
from bloor.engine.decisions import DecisionKind, DecisionLog
from bloor.execution.life import Status
from bloor.execution.order import Order
from bloor.host.backtest.fates import End, Fate, asked_of, compared_fates, fates_of, fates_told
from bloor.market.events import EventKind, EventView
from bloor.model.instrument import Instrument
from bloor.model.orders import OrderRequest, OrderType, Side, TimeInForce
from bloor.native.memory import Cells
from bloor.storage.cells import Records
from bloor.testing.ledgers import quoted

MS = 1_000_000
BASE = 1_700_000_000_000 * MS
UNIT = 1000
BTC = quoted(inferred=False)
TRADE, BOOK, LEVEL = EventKind.TRADE, EventKind.BOOK, EventKind.LEVEL
LIMIT, POST_ONLY, GTC, IOC = OrderType.LIMIT, OrderType.POST_ONLY, TimeInForce.GTC, TimeInForce.IOC
#: Bids 5 at 9900, offers 4 at 10100 and 6 at 10200; 5 of the bids trade at 20 ms, 1 more at 30 ms.
MARKET = (
    (BOOK, 0, 1, 1, 9900, 5, 10100, 4), (LEVEL, 1, 1, 1, 9900, 5), (LEVEL, -1, 1, 1, 10100, 4),
    (LEVEL, -1, 1, 1, 10200, 6), (TRADE, -1, 2, 20, 9900, 5), (TRADE, -1, 3, 30, 9900, 1),
    (BOOK, 0, 4, 90, 9900, 5, 10100, 4), (LEVEL, 1, 4, 90, 9900, 6),
)  # fmt: skip


#: At 50 ms 5 are offered at 9990, at 70 ms 6, at 80 ms none.
CROSSING = (
    *MARKET[:4], (BOOK, 0, 2, 50, 9900, 5, 9990, 5), (LEVEL, -1, 2, 50, 9990, 5),
    (BOOK, 0, 3, 70, 9900, 5, 9990, 6), (LEVEL, -1, 3, 70, 9990, 6),
    (BOOK, 0, 4, 80, 9900, 5, 10100, 4), (LEVEL, -1, 4, 80, 9990, 0),
)  # fmt: skip


HALF_WAY = Constant(entry=Duration(MS), response=Duration(MS))


def told(
    *requests: Asked, market: Sequence[tuple[int, ...]] = MARKET, latency: LatencyModel = HALF_WAY,
    instrument: Instrument = BTC,
) -> list[Told]:  # fmt: skip
    """What the venue answers, a millisecond away."""
    rows: Records = np.zeros(len(market), EventView.DTYPE)
    for row, (kind, side, seq, ms, *cells) in zip(rows, market, strict=True):
        row["kind"], row["side"], row["seq"] = kind, side, seq
        row["exch_ns"], row["recv_ns"] = BASE + ms * MS, BASE + ms * MS + MS
        for number, (name, value) in enumerate(zip(("price", "qty", "price2", "qty2"), cells, strict=False)):
            row[name] = value * UNIT if number % 2 else value
    spec = LaneSpec(
        instrument=instrument, rows=StoredRows([rows]), latency=latency, queue=RiskAverse(), oversell=True,
        self_trade=at.STP_MAKER,
    )  # fmt: skip
    return put_to_venue(lane_of(spec), requests)


def place(number: int, ms: int, side: int, price: int, units: int, kind: int = LIMIT, tif: int = GTC) -> Asked:
    """An order, sent at a time."""
    return Asked(
        kind=at.PLACE, ns=BASE + ms * MS, number=number, side=side, price=price, units=units * UNIT, type=kind, tif=tif
    )


def test_orders_meet_the_market_at_their_own_times() -> None:
    """One waits behind what was there, one takes what is there, and of one that takes more the rest expires."""
    found = fates_told(
        told(place(1, 5, 1, 9900, 2), place(2, 6, 1, 10100, 3), place(3, 7, 1, 10100, 9, tif=IOC))
    )  # fmt: skip
    assert found[1] == Fate(units=UNIT, end=End.OPEN, filled_ns=(BASE + 31 * MS,))
    assert found[2] == Fate(units=3 * UNIT, end=End.FILLED, filled_ns=(BASE + 8 * MS,))
    assert found[3] == Fate(units=UNIT, end=End.EXPIRED, filled_ns=(BASE + 9 * MS,))


def test_what_traded_counts_once_whatever_is_told_first() -> None:
    """A message of the book and a trade bear one time: what the message says is gone is what traded."""
    book = ((BOOK, 0, 2, 20, 9900, 2, 10100, 4), (LEVEL, 1, 2, 20, 9900, 2))
    trade = ((TRADE, -1, 3, 20, 9900, 3),)
    for both in ((*book, *trade), (*trade, *book)):
        found = fates_told(told(place(1, 5, 1, 9900, 2), market=(*MARKET[:4], *both)))
        assert found[1] == Fate(units=0, end=End.OPEN)


def test_a_request_about_an_order_that_is_over_is_refused_and_changes_nothing() -> None:
    """Each request is put whatever came of those before it."""
    answers = told(
        place(1, 5, 1, 10100, 1), Asked(kind=at.CANCEL, ns=BASE + 6 * MS, number=1), place(2, 7, -1, 10300, 1),
        Asked(kind=at.CANCEL, ns=BASE + 8 * MS, number=2), place(3, 9, 1, 10100, 1, POST_ONLY),
    )  # fmt: skip
    assert [(each.number, each.kind) for each in answers] == [
        (1, at.ACKED), (1, at.FILLED), (1, at.REFUSED), (2, at.ACKED), (2, at.CANCELLED), (3, at.REJECTED),
    ]  # fmt: skip
    found = fates_told(answers)
    assert (found[2].end, found[3].end) == (End.CANCELLED, End.REJECTED)
    assert [each.recv_ns - each.exch_ns for each in answers] == [MS] * len(answers)


class Measured(Constant):
    """Requests sent at 1, 2, 5 and 6 ms took 40, 1, 1 and 1 ms."""

    def samples(self, seed: int) -> tuple[Cells, Cells]:
        return np.array([40, 1, 1, 1]) * MS, np.array([MS])

    def moments(self) -> tuple[Cells, Cells]:
        return BASE + np.array([1, 2, 5, 6]) * MS, np.array([BASE])


def test_requests_overtake_each_other_where_they_were_measured_to() -> None:
    """The second order is ahead of the first, which is there at 41 ms, and its cancel not before it."""
    requests = (place(1, 1, 1, 9900, 2), place(2, 2, 1, 9900, 1), Asked(kind=at.CANCEL, ns=BASE + 5 * MS, number=1),
                place(3, 6, 1, 9900, 2))  # fmt: skip
    answers = told(*requests, latency=Measured(entry=Duration(MS), response=Duration(MS)))
    assert [(each.number, each.kind, (each.exch_ns - BASE) // MS) for each in answers] == [
        (2, at.ACKED, 3), (3, at.ACKED, 7), (2, at.FILLED, 30), (1, at.ACKED, 41), (1, at.CANCELLED, 41),
    ]  # fmt: skip


def test_what_fills_an_order_that_rests_is_not_there_for_one_that_takes() -> None:
    """Two orders never fill from one liquidity; when the venue says another quantity, that is what is there."""
    found = fates_told(told(
        place(1, 5, 1, 10000, 2), place(2, 55, 1, 9990, 9, tif=IOC), place(3, 75, 1, 9990, 9, tif=IOC), market=CROSSING,
    ))  # fmt: skip
    assert found[1] == Fate(units=2 * UNIT, end=End.FILLED, filled_ns=(BASE + 51 * MS,))
    assert found[2] == Fate(units=3 * UNIT, end=End.EXPIRED, filled_ns=(BASE + 57 * MS,))
    assert found[3] == Fate(units=6 * UNIT, end=End.EXPIRED, filled_ns=(BASE + 77 * MS,))


def test_an_order_is_reduced_and_replaced() -> None:
    """What is reduced fills less; what replaces an order that has traded is refused where it was to be untouched."""
    found = fates_told(told(
        place(1, 5, -1, 10300, 5), Asked(kind=at.AMEND, ns=BASE + 6 * MS, number=1, units=2 * UNIT),
        Asked(kind=at.REPLACE, ns=BASE + 7 * MS, number=2, side=-1, price=9900, units=2 * UNIT, type=LIMIT, tif=GTC,
              replaces=1, untouched=True),
        Asked(kind=at.REPLACE, ns=BASE + 8 * MS, number=3, side=-1, price=9900, units=1, type=LIMIT, tif=GTC,
              replaces=2, untouched=True),
    ))  # fmt: skip
    assert found[1] == Fate(end=End.CANCELLED)
    assert found[2] == Fate(units=2 * UNIT, end=End.FILLED, filled_ns=(BASE + 9 * MS,))
    assert found[3].end is End.REJECTED


def test_an_order_of_too_little_value_is_rejected() -> None:
    """The venue's smallest value counts at the venue too, exactly, however large price and quantity are."""
    asked = [place(1, 5, 1, 9000, 1), place(2, 6, 1, 9900, 1), place(3, 7, 1, 9900, (1 << 62) // UNIT)]
    least = evolve(BTC, min_notional=BTC.value(9900, UNIT))
    kinds = [each.kind for each in told(*asked, instrument=least) if each.kind != at.FILLED]
    assert kinds == [at.REJECTED, at.ACKED, at.ACKED]


def order(number: int, status: Status, *, filled: int = 0, cancel_ns: int = 0) -> Order:
    """An order of a session, as it was at the end."""
    made = Order(
        number,
        OrderRequest(client_id=f"c{number}", instrument=BTC, side=Side.BUY, type=LIMIT, tif=GTC, price_ticks=9900,
                     lots=2),
        0, 0, BASE,
    )  # fmt: skip
    made.status, made.filled, made.cancel_ns = status, filled, cancel_ns
    return made


def decisions(*made: tuple[DecisionKind, int, str]) -> Cells:
    """Records of decisions about orders: kind, number, and a client id that one is about beside its own."""
    log = DecisionLog()
    payloads = [
        log.pack(kind, BASE + i, side=-1, type=LIMIT, tif=GTC, number=number, price=9900, lots=2, code=code)
        for i, (kind, number, code) in enumerate(made)
    ]
    return np.frombuffer(b"".join(payloads), np.int64).reshape(-1, 8)


def test_what_a_session_asked_for_is_put_by_itself() -> None:
    """A replacement does not depend on the order that it replaced, except where it was refused in the session."""
    orders = [order(n, Status.CANCELLED) for n in (1, 2, 3)]
    fates = {1: Fate(end=End.CANCELLED), 2: Fate(end=End.CANCELLED), 3: Fate(end=End.REJECTED)}
    rows = decisions(
        (DecisionKind.PLACE, 1, ""), (DecisionKind.DENY, 0, "SIZE"), (DecisionKind.REPLACE, 2, "c1"),
        (DecisionKind.REPLACE, 3, "c2"), (DecisionKind.CANCEL, 2, ""),
    )  # fmt: skip
    asked = asked_of(rows, 0, BTC, orders, fates)
    assert [(each.kind, each.number, each.replaces) for each in asked] == [
        (at.PLACE, 1, 0), (at.CANCEL, 1, 0), (at.PLACE, 2, 0), (at.REPLACE, 3, 2), (at.CANCEL, 2, 0),
    ]  # fmt: skip
    assert {each.side for each in asked if each.kind == at.PLACE} == {-1}
    assert asked[0].units == 2 * BTC.lot_units
    assert asked_of(rows, 1, BTC, orders, fates) == []


@pytest.mark.parametrize(
    ("status", "cancel_ns", "end"),
    [
        (Status.FILLED, 0, End.FILLED), (Status.CANCELLED, 1, End.CANCELLED), (Status.CANCELLED, 0, End.EXPIRED),
        (Status.EXPIRED, 0, End.EXPIRED), (Status.REJECTED, 0, End.REJECTED), (Status.NEW, 0, End.OPEN),
    ],
)  # fmt: skip
def test_how_an_order_of_a_session_ended(status: Status, cancel_ns: int, end: End) -> None:
    """What the venue ended by itself has expired, whatever the venue calls it."""
    made = order(1, status, cancel_ns=cancel_ns)
    assert fates_of([made], [])[1].end is end


def test_fates_are_compared_order_by_order() -> None:
    """As much filled and ended in the same way is the same; the first that is not is told in words."""
    orders = [order(n, Status.FILLED, filled=2000) for n in (1, 2, 3)]
    theirs = {n: Fate(units=2000, end=End.FILLED, filled_ns=(BASE,)) for n in (1, 2, 3)}
    ours = {1: Fate(units=2000, end=End.FILLED, filled_ns=(BASE + 7,)), 2: Fate(units=1000, end=End.CANCELLED)}
    found = compared_fates(orders, theirs, ours)
    assert (found.orders, found.same, found.apart_ns) == (3, 1, (7, 7, 7))
    assert found.share == pytest.approx(1 / 3)
    assert found.first == (
        f"order 2, buy 0.00002000 BTC-USDT at 99.00 at {BASE} ns: filled, 0.00002000 filled at {BASE} ns in the "
        "session, cancelled, 0.00001000 filled here"
    )
    assert compared_fates([], {}, {}).share == 1
