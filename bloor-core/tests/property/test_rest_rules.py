"""The rate budget never goes over, and the venue's clock is where it is said to be."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bloor.venue.rest import GUARD_NS, RateBudget, RateLimit, Retry, Urgency, VenueClock

SECOND = 1_000_000_000
MINUTE = 60 * SECOND
START = 1_700_000_000 * SECOND


def limits(limit: int = 100, reserve: int = 0) -> list[RateLimit]:
    """One limit a minute; a path's number is its weight."""
    return [
        RateLimit(
            name="weight", limit=limit, window_ns=MINUTE, reserve=reserve, header="x-used", counts=lambda p: int(p[1:])
        )
    ]


@given(
    asks=st.lists(
        st.tuples(st.integers(0, 30 * SECOND), st.integers(1, 60), st.booleans(), st.integers(0, GUARD_NS)),
        max_size=120,
    ),
    shift=st.integers(0, MINUTE),
)
def test_no_window_of_the_venue_sees_more_than_the_limit(asks, shift):
    """Whenever its windows begin, and however long each request is under way; ordinary requests leave the reserve."""
    budget = RateBudget(limits(100, reserve=20))
    now = START
    windows: dict[int, list[int]] = {}
    for wait, weight, cancel, delay in asks:
        now += wait
        if budget.ask(f"/{weight}", now, Urgency.CANCEL if cancel else Urgency.ORDINARY) == 0:
            seen = windows.setdefault((now + delay + shift) // MINUTE, [0, 0])
            seen[0] += weight
            seen[1] += 0 if cancel else weight
    assert all(everything <= 100 and ordinary <= 80 for everything, ordinary in windows.values())


@given(weights=st.lists(st.integers(1, 100), min_size=1, max_size=60))
def test_waiting_as_told_always_succeeds(weights):
    """The time that is named is one at which the request goes out, and asking again is finite."""
    budget = RateBudget(limits(100))
    now = START
    for weight in weights:
        for _ in range(3):
            at = budget.ask(f"/{weight}", now)
            if not at:
                break
            assert at > now
            now = at
        else:
            pytest.fail("told to wait again and again")


@given(
    asks=st.lists(st.tuples(st.integers(0, 3 * SECOND), st.sampled_from(["/10", "/30", "/order"])), max_size=100),
    shift=st.integers(0, MINUTE),
)
def test_every_limit_holds_at_once(asks, shift):
    """Weights a minute and orders in ten seconds: what one of them forbids is not counted by the other."""
    orders = RateLimit(name="orders", limit=4, window_ns=10 * SECOND, counts=lambda path: int(path == "/order"))
    weight = RateLimit(
        name="weight", limit=100, window_ns=MINUTE, counts=lambda path: 1 if path == "/order" else int(path[1:])
    )
    budget = RateBudget([orders, weight])
    now = START
    sent: list[tuple[int, str]] = []
    for wait, path in asks:
        now += wait
        if budget.ask(path, now) == 0:
            sent.append((now, path))
    for rule in (orders, weight):
        windows: dict[int, int] = {}
        for at, path in sent:
            windows[(at + shift) // rule.window_ns] = windows.get((at + shift) // rule.window_ns, 0) + rule.counts(path)
        assert all(used <= rule.limit for used in windows.values())
        recent = sum(rule.counts(path) for at, path in sent if now - at < rule.window_ns + GUARD_NS)
        assert budget.used(rule.name, now) == recent


def test_a_refusal_is_obeyed_and_cancels_pass():
    """429 with Retry-After stops everything but cancels until then."""
    budget = RateBudget(limits())
    budget.answered(429, {"retry-after": "7"}, START)
    assert budget.ask("/1", START + SECOND) == START + 7 * SECOND
    assert budget.ask("/1", START + SECOND, Urgency.CANCEL) == 0
    assert budget.ask("/1", START + 7 * SECOND) == 0


def test_a_ban_stops_cancels_too():
    """418 is a ban of the address: nothing goes out."""
    budget = RateBudget(limits())
    budget.answered(418, {}, START)
    assert budget.banned
    assert budget.ask("/1", START + SECOND, Urgency.CANCEL) == START + 120 * SECOND
    assert budget.ask("/1", START + 121 * SECOND, Urgency.CANCEL) == 0
    assert not budget.banned


def test_what_others_use_counts():
    """The venue says 95 are used though we used 5: no more than 5 are left."""
    budget = RateBudget(limits())
    assert budget.ask("/5", START) == 0
    budget.answered(200, {"x-used": "95"}, START + SECOND)
    assert budget.used("weight", START + SECOND) == 95
    assert budget.ask("/5", START + SECOND) == 0
    assert budget.ask("/1", START + SECOND) > START + SECOND


def test_a_request_heavier_than_what_is_not_reserved_goes_out_alone():
    """A limit that a single request passes must not stop it for ever."""
    budget = RateBudget(limits(100, reserve=60))
    assert budget.ask("/50", START) == 0
    assert budget.ask("/50", START) == START + MINUTE + GUARD_NS


@given(
    offset=st.integers(-10 * SECOND, 10 * SECOND),
    trips=st.lists(st.tuples(st.integers(0, SECOND), st.integers(0, SECOND)), min_size=1, max_size=40),
)
def test_the_true_offset_is_within_the_error(offset, trips):
    """Whatever the two ways take, the estimate is never further off than it says, and nothing looks like a step."""
    clock = VenueClock()
    now = START
    for there, back in trips:
        said = (now + there + offset) // 1_000_000 * 1_000_000
        assert not clock.sample(now, now + there + back, said)
        now += there + back + SECOND
        assert abs(clock.offset_ns(now) - offset) <= clock.error_ns(now)
    assert clock.steps == 0


@given(step=st.integers(3 * SECOND, 100 * SECOND), back=st.booleans())
def test_a_step_is_found(step, back):
    """A clock that jumps by more than both errors is noticed at the next answer, and the new offset is believed."""
    clock = VenueClock()
    jump = -step if back else step
    for n in range(5):
        clock.sample(START + n * SECOND, START + n * SECOND + 10_000_000, START + n * SECOND)
    assert clock.sample(START + 6 * SECOND, START + 6 * SECOND + 10_000_000, START + 6 * SECOND + jump)
    assert clock.steps == 1
    assert abs(clock.offset_ns(START + 6 * SECOND) - jump) < 20_000_000
    assert abs(clock.last_step_ns - jump) < 20_000_000


def test_an_unknown_clock_says_so():
    """Before the first answer nothing is claimed; times that run backwards say nothing."""
    clock = VenueClock()
    assert (clock.known, clock.offset_ns(START)) == (False, 0)
    assert clock.error_ns(START) >= 3600 * SECOND
    assert not clock.sample(START, START - 1, START)
    assert not clock.known


def test_old_answers_are_forgotten():
    """A good answer of long ago does not outweigh newer ones for ever."""
    clock = VenueClock()
    clock.sample(START, START, START)
    late = START + 3600 * SECOND
    clock.sample(late, late + 400_000_000, late + 500_000_000)
    assert clock.offset_ns(late + 400_000_000) == pytest.approx(300_500_000, abs=1_000_000)


@given(seed=st.integers(0, 1 << 30))
def test_waits_grow_and_end(seed):
    """Each wait is in its half, and after the last attempt it gives up; a bad request is not repeated."""
    retry = Retry(seed)
    waits = [retry.failed(503) for _ in range(5)]
    assert waits[-1] == -1
    assert all(SECOND // 4 << n <= wait < SECOND // 2 << n for n, wait in enumerate(waits[:-1]))
    assert Retry(seed).failed(400) == -1
    assert Retry(seed).failed(429) > 0
