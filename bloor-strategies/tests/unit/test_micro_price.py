"""The micro-price against the paper's matrices, and quotes around it on markets whose right answer is known."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterable
from typing import Any

import numpy as np
import pytest

from bloor.strategy.params import config_class
from bloor_strategies.micro_price import LEAST, MicroPrice, bloor_strategy

MID = 6_000_000
#: Half a tick in bps.
HALF = 0.5e4 / MID
Top = tuple[int, int, int, int]


def queues(seed: int, n: int) -> list[Top]:
    """Best prices of a market where the thinner queue is used up first: the imbalance predicts the move.

    Each step one queue gains or loses a unit; an empty one moves the price by a tick, sometimes after a spread of two
    ticks, and both queues are drawn anew.
    """
    rng = random.Random(seed)
    bid, spread = MID, 1
    bids, asks = rng.randint(1, 10), rng.randint(1, 10)
    tops = []
    for _ in range(n):
        tops.append((bid, bids * 100, bid + spread, asks * 100))
        if spread == 2:
            if rng.random() < 0.5:  # the side with more behind it follows
                bid += rng.random() < bids / (bids + asks)
                spread = 1
            continue
        if rng.random() < 0.5:
            bids = min(10, bids + rng.choice([-1, 1]))
        else:
            asks = min(10, asks + rng.choice([-1, 1]))
        if bids == 0 or asks == 0:
            bid -= bids == 0
            spread = 2
            bids, asks = rng.randint(1, 10), rng.randint(1, 10)
    return tops


def show(made: Any, tops: Iterable[Top], step_ms: int = 10) -> Any:
    """The best prices, one after the other."""
    for bid, bid_qty, ask, ask_qty in tops:
        made.wait(step_ms)
        made.show([(bid, bid_qty)], [(ask, ask_qty)])
    return made


def states(tops: list[Top], bins: int, spreads: int) -> tuple[np.ndarray, np.ndarray]:
    """The paper's states of both halves, the upper half first: ``(state, mirrored?)`` and twice the mid."""
    found = []
    for bid, b, ask, a in tops:
        tilt = (b - a) / (b + a)
        x = (min(ask - bid, spreads) - 1) * bins + min(int(abs(tilt) * bins), bins - 1)
        found.append((x, np.sign(b - a)))
    return np.array(found), np.array([bid + ask for bid, _, ask, _ in tops])


def published(tops: list[Top], bins: int, spreads: int, terms: int) -> np.ndarray:
    """``G*`` in half ticks as in the paper: symmetric data, Q, R and B by counting, a sum of so many terms.

    The states with more on the bid come first, their mirror images after them; balanced books are a state between.
    """
    n = bins * spreads
    found, mid2 = states(tops, bins, spreads)
    size = 2 * n + spreads
    index = [x if s > 0 else x + n if s < 0 else 2 * n + x // bins for x, s in found]
    mirror = [*range(n, 2 * n), *range(n), *range(2 * n, size)]
    stays, moves, k1 = np.zeros((size, size)), np.zeros((size, size)), np.zeros(size)
    for i in range(len(tops) - 1):
        move = mid2[i + 1] - mid2[i]
        for x, y, dm in ((index[i], index[i + 1], move), (mirror[index[i]], mirror[index[i + 1]], -move)):
            (moves if move else stays)[x, y] += 1
            k1[x] += dm
    seen = np.maximum(1, stays.sum(1) + moves.sum(1))
    q, r2, k1 = stays / seen[:, None], moves / seen[:, None], k1 / seen
    inverse = np.linalg.inv(np.eye(size) - q)
    g, b = inverse @ k1, inverse @ r2
    total = g.copy()
    for _ in range(terms - 1):
        g = b @ g
        total += g
    return total[:n]


def test_the_estimate_is_the_paper_s() -> None:
    """After 20,000 messages what was learned online is the limit that the paper computes from the same messages."""
    tops = queues(1, 20_000)
    strategy = MicroPrice(config_class(MicroPrice)(bins=3, spreads=2, recent=10_000_000))
    for strategy.bid, strategy.bid_qty, strategy.ask, strategy.ask_qty in tops:
        strategy.learn()
    for _ in range(200):  # the counts stand still, the equations are solved on
        for x in range(6):
            strategy.solve(x)
    learned = np.array([strategy.ahead[x] for x in range(6)])
    limit = published(tops, 3, 2, 200)
    assert min(strategy.left[x] - strategy.stayed(x) for x in range(6)) >= LEAST
    assert learned == pytest.approx(limit, rel=1e-6, abs=1e-9)
    # six terms, as in the paper's examples, are nearly the limit
    assert learned == pytest.approx(published(tops, 3, 2, 6), abs=0.05)


def test_while_it_learns_it_is_near(stage: Callable[..., Any]) -> None:
    """Without any extra sweeps the running estimate is within a twentieth of a tick of the limit."""
    tops = queues(2, 6_000)
    made = show(stage(MicroPrice, bins=3, spreads=2, warmup=1_000_000, recent=10_000_000), tops)
    strategy = made.both.python
    limit = published(tops, 3, 2, 200)
    for x in range(3):
        assert strategy.ahead[x] / 2 == pytest.approx(limit[x] / 2, abs=0.05)


def test_more_on_the_bid_is_a_higher_price(stage: Callable[..., Any]) -> None:
    """In a market where the thinner queue goes first the estimate grows with the imbalance, within the spread."""
    made = show(stage(MicroPrice, bins=3, spreads=2, warmup=1_000_000), queues(3, 6_000))
    ahead = [made.both.python.ahead[x] / 2 for x in range(3)]
    assert 0 < ahead[0] < ahead[1] < ahead[2] < 1.0


def test_the_mirror_image_has_the_other_sign(stage: Callable[..., Any]) -> None:
    """A market and its mirror image teach the same."""
    tops = queues(4, 2_000)
    mirrored = [(2 * MID - ask, a, 2 * MID - bid, b) for bid, b, ask, a in tops]
    one = show(stage(MicroPrice, warmup=1_000_000), tops).both.python
    other = show(stage(MicroPrice, warmup=1_000_000), mirrored).both.python
    assert list(one.ahead) == list(other.ahead)
    assert one.sign == -other.sign
    assert one.micro_price() - MID == pytest.approx(MID - other.micro_price())


def test_one_step_by_hand(stage: Callable[..., Any]) -> None:
    """3 to 1 on the bid is state 2 of 5, the mid rises by a tick, then 1 to 1: one count, no estimate yet."""
    made = show(stage(MicroPrice), [(100, 300, 101, 100), (101, 100, 102, 100)])
    strategy = made.both.python
    assert strategy.moved[2] == 2.0
    assert strategy.left[2] == 1.0
    assert strategy.ahead[2] == 0.0
    assert strategy.micro_price() == 101.5


def test_a_far_jump_counts_for_so_many_ticks(stage: Callable[..., Any]) -> None:
    """A move of 1,000 ticks teaches what one of `jump` would."""
    made = show(stage(MicroPrice, jump=5), [(100, 300, 101, 100), (1_100, 300, 1_101, 100)])
    assert made.both.python.moved[2] == 10.0


def test_the_past_fades(stage: Callable[..., Any]) -> None:
    """A state that was left `recent` times has half the counts, and the same estimate."""
    made = stage(MicroPrice, recent=100, warmup=1_000_000)
    show(made, [(100 + i, 300 + i % 2, 101 + i, 100) for i in range(100)])
    strategy = made.both.python
    assert strategy.left[2] == 99
    before = strategy.moved[2] / strategy.left[2]
    show(made, [(200, 301, 201, 100)])
    assert strategy.left[2] == 50
    assert strategy.moved[2] / strategy.left[2] == pytest.approx(before)


def learned(stage: Callable[..., Any], **parameters: float) -> Any:
    """A strategy that has learned that an imbalance of 0.5 or more is worth half a tick or so, and is flat."""
    made = stage(MicroPrice, bins=2, spreads=1, warmup=0, pause_ms=100, **parameters)
    made.both.python.changes = made.both.compiled.changes = -1_000_000
    show(made, queues(5, 3_000))
    made.both.python.changes = made.both.compiled.changes = 1_000_000
    made.wait(1_000)
    return made


def test_it_joins_the_bid_while_the_price_is_expected_to_rise(stage: Callable[..., Any]) -> None:
    """A thick bid is joined, post-only; when the bid gets thin the order is cancelled, and not before."""
    made = learned(stage, maker_bps=HALF)
    made.show([(MID, 900)], [(MID + 1, 100)])
    [order] = made.resting.values()
    assert (order.side, order.price) == (1, MID)
    made.show([(MID, 800)], [(MID + 1, 100)])
    assert made.cancels == 0
    made.show([(MID, 100)], [(MID + 1, 900)])
    assert made.resting == {}
    assert made.cancels >= 1


def test_a_quote_keeps_its_distance_from_the_micro_price(stage: Callable[..., Any]) -> None:
    """With `maker_bps` of three ticks the best bid is too dear."""
    made = learned(stage, maker_bps=6 * HALF)
    made.show([(MID, 900)], [(MID + 1, 100)])
    assert made.resting == {}


def test_what_is_bought_is_offered(stage: Callable[..., Any]) -> None:
    """After a fill it sells what it holds at the ask or better, never below the micro-price, and buys no more."""
    made = learned(stage, maker_bps=HALF)
    made.show([(MID, 900)], [(MID + 1, 100)])
    [number] = made.resting
    made.trade(number)
    held = made.held
    assert held > 0
    made.wait(200)
    made.show([(MID, 100)], [(MID + 1, 900)])
    [order] = made.resting.values()
    assert (order.side, order.price, order.lots) == (-1, MID + 1, held)
    [number] = made.resting
    made.trade(number)
    assert made.held == 0
    assert made.cash > 0


def test_its_orders_do_not_meet(stage: Callable[..., Any]) -> None:
    """Quotes that may be on the wrong side of the micro-price, two ticks of spread: the first has the price between.

    Without care both would ask for it.
    """
    made = learned(stage, maker_bps=-20.0, taker_bps=200.0)
    made.show([(MID, 500)], [(MID + 1, 500)])
    [number] = made.resting
    made.trade(number)
    lots = made.held // 2
    made.both.exposure.position = lots * made.both.desk.lot_units
    for _ in range(5):
        made.wait(200)
        made.show([(MID - 1, 500)], [(MID + 1, 500)])
    by_side = {order.side: order.price for order in made.resting.values()}
    assert by_side[1] < by_side[-1]
    assert made.cancels == 0


def test_what_is_far_from_the_micro_price_is_taken(stage: Callable[..., Any]) -> None:
    """With a negative `taker_bps`, an ask that is nearly the micro-price is bought at once."""
    made = learned(stage, maker_bps=200.0, taker_bps=-4 * HALF)
    made.show([(MID, 900)], [(MID + 1, 100)])
    assert made.log[:1] == [(1, MID + 1, made.log[0][2])]


def test_orders_of_a_side_keep_their_distance_in_time(stage: Callable[..., Any]) -> None:
    """However the book flickers, a side sends at most one order in `pause_ms`."""
    made = learned(stage, maker_bps=HALF)
    asked = len(made.both.asked)
    for i in range(100):
        made.wait(10)
        made.show([(MID, 900 if i % 2 else 100)], [(MID + 1, 100 if i % 2 else 900)])
    placed = [order for order in made.both.asked[asked:] if len(order) == 5]
    assert 2 <= len(placed) <= 11
    assert made.cancels <= len(placed)


def test_it_quotes_nothing_it_has_no_estimate_of(stage: Callable[..., Any]) -> None:
    """In a state that was hardly seen an order that rests is withdrawn."""
    made = learned(stage, maker_bps=HALF)
    made.show([(MID, 900)], [(MID + 1, 100)])
    assert len(made.resting) == 1
    made.both.python.left[1] = made.both.compiled.left[1] = 3.0
    made.show([(MID, 901)], [(MID + 1, 100)])
    assert made.resting == {}


def test_the_venue_s_own_quotes_come_first(stage: Callable[..., Any]) -> None:
    """Once the venue sent its best bid and offer, books teach nothing more."""
    made = show(stage(MicroPrice), [(100, 300, 101, 100), (101, 100, 102, 100)])
    changes = made.both.python.changes
    made.tell_bbo(101, 200, 102, 100)
    assert made.both.python.changes == changes + 1
    show(made, [(100, 300, 101, 100), (101, 100, 102, 100)])
    assert made.both.python.changes == changes + 1


def test_the_plug_in_hands_over_the_class() -> None:
    """What is typed after -p."""
    assert bloor_strategy() is MicroPrice
    assert MicroPrice.name == "micro-price"
