"""When things happened at the venue of a session: stamps, order of receipt, echoes of our own requests, trades."""

from __future__ import annotations

import numpy as np
from attrs import evolve

from bloor.backtesting.moments import Moments, moments
from bloor.backtesting.rows import StoredRows
from bloor.backtesting.stream import Heard
from bloor.host.backtest.answered import paced
from bloor.market.events import EventKind, EventView
from bloor.storage.cells import Records

MS = 1_000_000
BASE = 1_700_000_000_000 * MS
TRADE, BBO, BOOK, LEVEL = EventKind.TRADE, EventKind.BBO, EventKind.BOOK, EventKind.LEVEL
#: Half a millisecond.
WAY_NS = MS // 2
BOOK_AT_0 = (
    (BOOK, 0, 10, 0, MS, 50, 7, 52, 4),
    (LEVEL, 1, 10, 0, MS, 50, 7),
    (LEVEL, 1, 10, 0, MS, 49, 9),
    (LEVEL, -1, 10, 0, MS, 52, 4),
)


def stored(*given: tuple[int, ...]) -> StoredRows:
    """Records of kind, side, number, venue's time (-1 of none), local time, prices and quantities; ns from the base."""
    made: Records = np.zeros(len(given), EventView.DTYPE)
    for row, (kind, side, seq, exch, recv, *cells) in zip(made, given, strict=True):
        row["kind"], row["side"], row["seq"] = kind, side, seq
        row["exch_ns"], row["recv_ns"] = BASE + exch if exch >= 0 else 0, BASE + recv
        for name, value in zip(("price", "qty", "price2", "qty2"), cells, strict=False):
            row[name] = value
    return StoredRows([made])


def heard(number: int, sent: int, recv: int, *, change: int = 0, price: int = 50, side: int = 1, exch: int = -1,
          trade: int = 0) -> Heard:  # fmt: skip
    """An answer; times in ns from the base, ``sent`` below 0 where nobody asked."""
    return Heard(
        number=number, sent_ns=BASE + sent if sent >= 0 else 0, recv_ns=BASE + recv,
        exch_ns=BASE + exch if exch >= 0 else 0, side=side, price=price, change=change, trade=trade,
    )  # fmt: skip


def times(found: Moments) -> list[tuple[int, int]]:
    """Kind and time from the base of each row that is no level."""
    [piece] = found.rows.pieces
    heads = piece[piece["kind"] != LEVEL]
    return [(int(row["kind"]), int(row["exch_ns"]) - BASE) for row in heads]


def test_a_request_was_carried_out_right_before_the_best_price_that_shows_it() -> None:
    """Our order is the 3 that the level is more: it is not ahead of itself, whatever the clocks say."""
    market = stored(*BOOK_AT_0, (BBO, 0, 11, -1, 10 * MS, 50, 10, 52, 4))
    found = moments(market, [heard(1, 8 * MS, 10 * MS - 1, change=3)], way_ns=WAY_NS)
    [(_, shown)] = [each for each in times(found) if each[0] == BOOK][1:]
    assert found.arrived[1, BASE + 8 * MS] == BASE + shown - 1
    assert 8 * MS < shown < 10 * MS


def test_a_level_that_changed_otherwise_is_no_echo() -> None:
    """Then a request was there as long before its answer as answers are on their way."""
    market = stored(*BOOK_AT_0, (BBO, 0, 11, -1, 10 * MS, 50, 11, 52, 4))
    found = moments(market, [heard(1, 8 * MS, 10 * MS - 1, change=3)], way_ns=WAY_NS)
    assert found.arrived[1, BASE + 8 * MS] == BASE + 10 * MS - 1 - WAY_NS


def test_a_stamp_bounds_when_a_request_was_carried_out() -> None:
    """It is cut to a millisecond: the request was there within the one that it names."""
    early = heard(1, 2 * MS, 8 * MS, exch=3 * MS)
    late = heard(2, 10 * MS, 11 * MS, exch=11 * MS)
    found = moments(stored(*BOOK_AT_0, (TRADE, 1, 5, 2 * MS, 3 * MS, 52, 1)), [early, late], way_ns=WAY_NS)
    assert found.arrived[1, BASE + 2 * MS] == BASE + 4 * MS - 1
    assert BASE + 10 * MS < found.arrived[2, BASE + 10 * MS] < BASE + 11 * MS


def test_a_trade_comes_before_the_best_price_that_it_left() -> None:
    """Told after it, it is the same event: what is gone was traded, and not cancelled."""
    market = stored(
        *BOOK_AT_0, (BBO, 0, 11, -1, 5 * MS, 50, 5, 52, 4), (TRADE, -1, 7, 4 * MS, 5 * MS + 10, 50, 2),
        (BBO, 0, 12, -1, 6 * MS, 50, 4, 52, 4),
    )  # fmt: skip
    found = times(moments(market, [], way_ns=WAY_NS))
    assert [kind for kind, _ in found] == [BOOK, BBO, TRADE, BOOK, BBO, BOOK]
    assert found[2][1] < found[3][1] < found[5][1]
    assert 4 * MS <= found[2][1] < 5 * MS
    apart = times(moments(market, [], way_ns=WAY_NS, joined=False))
    assert [kind for kind, _ in apart] == [BOOK, BBO, BOOK, TRADE, BBO, BOOK]


def test_a_best_price_before_trades_that_took_more_is_another_event() -> None:
    """Trades that took more than is gone come after it: the queue was as long as it says when they came."""
    market = stored(
        *BOOK_AT_0, (BBO, 0, 11, -1, 5 * MS, 50, 5, 52, 4), (TRADE, -1, 7, 4 * MS, 5 * MS + 10, 50, 2),
        (TRADE, -1, 8, 4 * MS, 5 * MS + 20, 50, 5),
    )  # fmt: skip
    assert [kind for kind, _ in times(moments(market, [], way_ns=WAY_NS))] == [BOOK, BBO, BOOK, TRADE, TRADE]


def test_events_happened_in_the_order_in_which_they_were_received() -> None:
    """A best price without a time lies between what the stamps around it leave open."""
    market = stored(
        *BOOK_AT_0, (TRADE, -1, 7, 4 * MS, 20 * MS, 50, 2), (BBO, 0, 11, -1, 20 * MS, 49, 9, 52, 4),
        (TRADE, -1, 8, 5 * MS, 20 * MS, 49, 1),
    )  # fmt: skip
    ns = [ns for _, ns in times(moments(market, [], way_ns=WAY_NS))]
    assert ns == sorted(ns)
    assert 4 * MS <= ns[1] < ns[3] < 6 * MS


def test_fine_stamps_need_no_neighbours() -> None:
    """Trades that were gathered for longer than the best prices keep their times."""
    market = stored(
        *BOOK_AT_0, (BBO, 0, -1, 9 * MS + 1_000, 9 * MS + 2_000, 50, 5, 52, 4),
        (TRADE, -1, 7, 3 * MS + 1_000, 10 * MS, 50, 2),
    )  # fmt: skip
    found = times(moments(market, [], way_ns=WAY_NS))
    assert (int(TRADE), 3 * MS + 1_000) in found
    assert (int(BOOK), 9 * MS + 1_001) in found


def test_a_fine_stamp_says_when_a_request_was_carried_out() -> None:
    """However long the answer was on its way, and whatever answers take as a rule."""
    market = stored(*BOOK_AT_0, (TRADE, 1, 5, 2 * MS + 1_000, 3 * MS, 52, 1))
    found = moments(market, [heard(1, 2 * MS, 8 * MS, exch=3 * MS + 7_000)], way_ns=WAY_NS)
    assert BASE + 3 * MS + 7_000 <= found.arrived[1, BASE + 2 * MS] < BASE + 3 * MS + 8_000


def test_a_change_of_the_book_with_a_fine_stamp_shows_a_request() -> None:
    """It is told late, with others, and was made before the answer says; one that is cut to a millisecond is none."""

    def arrived(cut: int) -> int:
        change = ((BOOK, 0, 11, 9 * MS + cut, 40 * MS, 50, 10, 52, 4), (LEVEL, 1, 11, 9 * MS + cut, 40 * MS, 50, 10))
        answer = heard(1, 8 * MS, 10 * MS, change=3, exch=9 * MS + 2 * cut)
        return moments(stored(*BOOK_AT_0, *change), [answer], way_ns=WAY_NS).arrived[1, BASE + 8 * MS] - BASE

    assert arrived(3_000) == 9 * MS + 3_000 - 1
    assert arrived(0) == 10 * MS - WAY_NS


def test_a_fill_that_nobody_asked_for_happened_with_its_trade() -> None:
    """So it is received as long after the trade as it was."""
    market = stored(*BOOK_AT_0, (TRADE, -1, 7, 4 * MS, 6 * MS, 50, 2))
    answers = [heard(1, 2 * MS, 3 * MS), heard(1, -1, 5 * MS, exch=4 * MS, trade=7)]
    found = moments(market, answers, way_ns=WAY_NS)
    assert found.traded == {7: BASE + 5 * MS - WAY_NS}
    latencies = paced(answers, found, 0)
    assert latencies is not None
    assert latencies.response.tolist() == [WAY_NS, WAY_NS]
    assert paced([], found, 0) is None


def test_a_fill_of_a_played_recording_came_of_the_next_event_at_its_price() -> None:
    """Its trade is our own and in no recording: a bid that reaches our offer filled it."""
    market = stored(*BOOK_AT_0, (BBO, 0, 11, -1, 6 * MS, 51, 5, 52, 4), (BBO, 0, 12, -1, 9 * MS, 52, 5, 53, 4))
    answers = [heard(1, 2 * MS, 3 * MS, price=52, side=-1), heard(1, -1, 9 * MS + 5, exch=7 * MS, trade=9_000, price=52,
               side=-1)]  # fmt: skip
    found = moments(market, answers, way_ns=WAY_NS, offset_ns=None)
    assert 0 <= found.traded[9_000] - (BASE + 9 * MS - WAY_NS) < 10


def test_trades_in_which_we_took_are_left_out_and_say_when_we_were_there() -> None:
    """A simulation makes them anew, right before what the public saw of them."""
    market = stored(*BOOK_AT_0, (BBO, 0, 11, -1, 5 * MS, 50, 7, 52, 2), (TRADE, 1, 7, 4 * MS, 5 * MS, 52, 2))
    found = moments(market, [heard(1, 3 * MS, 5 * MS, trade=7, price=52)], way_ns=WAY_NS, own=[7])
    shown = times(found)
    assert TRADE not in [kind for kind, _ in shown]
    assert found.arrived[1, BASE + 3 * MS] < BASE + shown[-1][1]


def levels(found: Moments) -> list[tuple[int, int, int]]:
    """Time from the base, price and quantity of each changed level of the bids."""
    [piece] = found.rows.pieces
    mine = piece[(piece["kind"] == LEVEL) & (piece["side"] == 1)]
    return [(int(row["exch_ns"]) - BASE, int(row["price"]), int(row["qty"])) for row in mine]


def test_what_a_trade_did_not_take_was_withdrawn_before_it() -> None:
    """Of 7 are 2 left after a trade of 1: the trade met 3, and 4 were gone by then."""
    coarse = stored(*BOOK_AT_0, (BBO, 0, 11, -1, 5 * MS, 50, 2, 52, 4), (TRADE, -1, 7, 4 * MS, 5 * MS + 10, 50, 1))
    fine = stored(
        *BOOK_AT_0, (BBO, 0, 11, 4 * MS + 1_165, 5 * MS, 50, 2, 52, 4),
        (TRADE, -1, 7, 4 * MS + 1_000, 5 * MS + 10, 50, 1),
    )  # fmt: skip
    for market in (coarse, fine):
        found = moments(market, [], way_ns=WAY_NS)
        [(traded_ns)] = [ns for kind, ns in times(found) if kind == TRADE]
        (before_ns, *before), (after_ns, *after) = levels(found)[2:]
        assert (before, after) == ([50, 3], [50, 2])
        assert before_ns < traded_ns < after_ns


def test_nothing_is_withdrawn_where_a_trade_explains_all() -> None:
    """Nor where something joined meanwhile, or one that bears a time much later tells the rest."""
    explained = stored(*BOOK_AT_0, (BBO, 0, 11, -1, 5 * MS, 50, 5, 52, 4), (TRADE, -1, 7, 4 * MS, 5 * MS + 10, 50, 2))
    later = stored(
        *BOOK_AT_0, (BBO, 0, 11, 5 * MS + 1_000, 6 * MS, 50, 2, 52, 4), (TRADE, -1, 7, 4 * MS + 1_000, 5 * MS, 50, 1)
    )
    joined = stored(
        *BOOK_AT_0, (BBO, 0, 11, 4 * MS + 1_001, 5 * MS, 50, 7, 52, 4),
        (TRADE, -1, 7, 4 * MS + 1_000, 5 * MS + 10, 50, 1),
    )  # fmt: skip
    for market in (explained, later, joined):
        assert len(levels(moments(market, [], way_ns=WAY_NS))) <= 3


def test_what_was_better_than_a_trade_was_withdrawn_before_it() -> None:
    """A trade at 49 says that nothing was left at 50."""
    market = stored(
        *BOOK_AT_0, (BOOK, 0, 11, 4 * MS + 1_000, 5 * MS, 49, 6, 52, 4), (LEVEL, 1, 11, 4 * MS + 1_000, 5 * MS, 50, 0),
        (LEVEL, 1, 11, 4 * MS + 1_000, 5 * MS, 49, 6), (TRADE, -1, 7, 4 * MS + 1_000, 5 * MS, 49, 3),
    )  # fmt: skip
    found = levels(moments(market, [], way_ns=WAY_NS))
    assert found[2] == (4 * MS + 999, 50, 0)
    assert found[-1] == (4 * MS + 1_000, 49, 6)


def test_an_order_that_must_not_take_was_refused_when_it_would_have() -> None:
    """At 52 it takes from 6 ms on, when as much is offered at 52: not before, whatever answers take as a rule."""
    market = stored(
        *BOOK_AT_0, (BBO, 0, 11, 1 * MS + 1_000, 1 * MS + 2_000, 50, 7, 53, 4),
        (BBO, 0, 12, 6 * MS + 1_000, 7 * MS, 50, 7, 52, 4), (BBO, 0, 13, 7 * MS + 1_000, 8 * MS, 50, 7, 53, 4),
    )  # fmt: skip

    def arrived(*, refused: bool) -> int:
        answer = evolve(heard(1, 2 * MS, 10 * MS, price=52), refused=refused)
        return moments(market, [answer], way_ns=WAY_NS).arrived[1, BASE + 2 * MS] - BASE

    assert arrived(refused=False) == 10 * MS - WAY_NS
    assert 6 * MS + 1_000 < arrived(refused=True) < 7 * MS + 1_001


def test_a_request_overtook_another_only_where_its_answer_came_too_soon() -> None:
    """The second was sent later and is put after the first; the third was answered before the first was there."""
    market = stored(*BOOK_AT_0, (BBO, 0, 11, -1, 30 * MS, 50, 9, 52, 4))
    answers = [heard(1, 2 * MS, 20 * MS), heard(2, 3 * MS, 20 * MS - 100, price=49), heard(3, 4 * MS, 6 * MS, price=49)]
    sent = [(each.number, each.sent_ns) for each in answers]
    found = moments(market, answers, way_ns=WAY_NS, sent=sent)
    first, second, third = (found.arrived[key] - BASE for key in sent)
    assert (first, second, third) == (20 * MS - WAY_NS, 20 * MS - WAY_NS, 6 * MS - WAY_NS)
    latencies = paced(answers, found, 0, sent)
    assert latencies is not None
    assert latencies.entry.tolist() == [first - 2 * MS, second - 3 * MS, third - 4 * MS]


def test_requests_that_were_sent_at_once_keep_their_order() -> None:
    """Latencies of one moment are in the order in which the requests were sent, whatever their numbers."""
    market = stored(*BOOK_AT_0)
    answers = [heard(1, 2 * MS, 20 * MS), heard(2, 2 * MS, 6 * MS)]
    sent = [(2, BASE + 2 * MS), (1, BASE + 2 * MS)]
    latencies = paced(answers, moments(market, answers, way_ns=WAY_NS, sent=sent), 0, sent)
    assert latencies is not None
    assert latencies.entry.tolist() == [4 * MS - WAY_NS, 18 * MS - WAY_NS]


def test_the_best_price_that_an_order_was_refused_for_is_earlier_than_the_refusal() -> None:
    """It is told later than the refusal here: it happened before, and the order was there after it."""
    market = stored(*BOOK_AT_0, (BBO, 0, 11, -1, 9 * MS, 50, 7, 53, 4), (BBO, 0, 12, -1, 10 * MS + 5, 50, 7, 52, 4))
    answer = evolve(heard(1, 9 * MS + 10, 10 * MS, price=52), refused=True)
    found = moments(market, [answer], way_ns=WAY_NS)
    offered = times(found)[-1][1]
    assert offered <= 10 * MS - WAY_NS
    assert offered < found.arrived[1, BASE + 9 * MS + 10] - BASE < 10 * MS


def test_a_taker_whose_trades_have_other_ids_is_known_by_their_time_and_quantity() -> None:
    """It was there right before its trade, within the microsecond of which everything is stamped alike."""
    market = stored(
        *BOOK_AT_0, (BOOK, 0, 11, 4 * MS + 1_000, 5 * MS, 50, 7, 52, 1), (LEVEL, -1, 11, 4 * MS + 1_000, 5 * MS, 52, 1),
        (TRADE, 1, 9, 4 * MS + 1_000, 5 * MS, 52, 3),
    )  # fmt: skip
    answer = evolve(heard(1, 3 * MS, 5 * MS, price=52, exch=4 * MS + 1_000), units=3)
    assert moments(market, [answer], way_ns=WAY_NS).arrived[1, BASE + 3 * MS] - BASE == 4 * MS + 999
