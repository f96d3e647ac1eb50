"""Make before break loses nothing and repeats nothing, whatever the delays of the two connections are."""

from __future__ import annotations

from collections.abc import Sequence

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bloor.errors import RemoteProtocolError
from bloor.market.handover import KEPT_LIMIT, OVERLAP_NS, PATIENCE_NS, SETTLE_NS, Handover
from bloor.market.messages import BboMessage, BookMessage, Message, OtherMessage, TradeMessage
from bloor.market.normalizer import SequenceRule

pytestmark = pytest.mark.examples(daily=100, soak=5_000)

SECOND = 1_000_000_000
MS = 1_000_000


class Toy:
    """Frames ``[kind, symbol, first, last, prev]``."""

    venue = "toy"

    def __init__(self, rule: SequenceRule) -> None:
        self.rule = rule

    def decode(self, frame: bytes) -> Sequence[Message]:
        """One message."""
        try:
            kind, symbol, first, last, prev = orjson.loads(frame)
        except ValueError as error:
            raise RemoteProtocolError("no frame") from error
        if kind == "book":
            return (BookMessage(symbol, False, first, last, prev, (), ()),)
        if kind == "trade":
            return (TradeMessage(symbol, str(last), "1", "1", 1, 0),)
        if kind == "bbo":
            return (BboMessage(symbol, last, "1", "1", "2", "1"),)
        return (OtherMessage("candle"),)

    def decode_snapshot(self, body: bytes, venue_symbol: str) -> BookMessage:
        """None here."""
        raise RemoteProtocolError("no snapshot")

    def split(self, venue_symbol: str) -> tuple[str, str]:
        """A pair."""
        return venue_symbol, "USDT"


def market(rule: SequenceRule, steps: Sequence[tuple[str, str, int]]) -> list[tuple[int, bytes]]:
    """``(when sent, frame)`` of a market: each step is a kind, a symbol and how many ms later it comes."""
    at = 0
    reached: dict[tuple[str, str], int] = {}
    frames = []
    for number, (kind, symbol, wait) in enumerate(steps):
        at += wait * MS
        before = reached.get((kind, symbol), 100)
        last = before + (1 if kind == "trade" else 1 + number % 3)
        first = before + 1 if rule is SequenceRule.CONTIGUOUS else last
        reached[kind, symbol] = last
        frames.append((at, orjson.dumps([kind, symbol, first, last, before])))
    return frames


def arrivals(frames: Sequence[tuple[int, bytes]], delays: Sequence[int]) -> list[tuple[int, bytes]]:
    """When each frame is received over a connection that never reorders."""
    at = 0
    got = []
    for n, (sent, frame) in enumerate(frames):
        at = max(at, sent + delays[n % len(delays)] * MS)
        got.append((at, frame))
    return got


@given(
    rule=st.sampled_from([SequenceRule.CONTIGUOUS, SequenceRule.PREVIOUS]),
    steps=st.lists(
        st.tuples(st.sampled_from(["book", "trade", "bbo", "candle"]), st.sampled_from("AB"), st.integers(1, 200)),
        min_size=60,
        max_size=250,
    ),
    first_delays=st.lists(st.integers(0, 900), min_size=1, max_size=20),
    second_delays=st.lists(st.integers(0, 900), min_size=1, max_size=20),
    asked=st.integers(0, 3000),
    opening=st.integers(0, 500),
)
def test_every_frame_is_used_once(rule, steps, first_delays, second_delays, asked, opening):
    """What was used is the whole market, each flow in its order, whether the switch came or not."""
    frames = market(rule, steps)
    asked_ns, opened_ns = asked * MS, (asked + opening) * MS
    inputs = [(at, 0, frame) for at, frame in arrivals(frames, first_delays)]
    later = [(sent, frame) for sent, frame in frames if sent >= opened_ns - opening * MS // 2]
    inputs += [(max(at, opened_ns), 1, frame) for at, frame in arrivals(later, second_delays)]
    inputs.sort(key=lambda item: item[0])
    handover = Handover(Toy(rule), asked_ns)
    used: list[bytes] = []
    switched = False
    for at, which, frame in inputs:
        if at >= opened_ns and not handover.opened_ns:
            handover.opened(opened_ns)
        if switched:
            if which == 1 and not (not handover.settled(at) and handover.repeats(frame)):
                used.append(frame)
            continue
        if which == 0:
            used.append(frame)
            if at >= asked_ns:
                handover.first(frame, at)
        else:
            handover.second(frame, at)
        if handover.ready(at):
            switched = True
            used += [kept.payload for kept in handover.release(at)]
    by_flow: dict[tuple[str, str], list[int]] = {}
    for frame in used:
        kind, symbol, _, last, _ = orjson.loads(frame)
        by_flow.setdefault((kind, symbol), []).append(last)
    for (kind, symbol), numbers in by_flow.items():
        whole = [n[3] for _, f in frames if (n := orjson.loads(f))[0] == kind and n[1] == symbol]
        assert numbers == whole
    assert len(used) == len(frames)


@given(
    steps=st.lists(
        st.tuples(st.sampled_from(["book", "trade", "bbo"]), st.sampled_from("AB"), st.integers(1, 200)),
        min_size=20,
        max_size=120,
    ),
    first_delays=st.lists(st.integers(0, 900), min_size=1, max_size=20),
    second_delays=st.lists(st.integers(0, 900), min_size=1, max_size=20),
    lost_at=st.integers(0, 8000),
)
def test_a_switch_that_is_forced_repeats_nothing(steps, first_delays, second_delays, lost_at):
    """The first connection dies at any moment: something may be missing, but no number comes twice or goes back."""
    rule = SequenceRule.CONTIGUOUS
    frames = market(rule, steps)
    inputs = [(at, 0, frame) for at, frame in arrivals(frames, first_delays) if at < lost_at * MS]
    inputs += [(at, 1, frame) for at, frame in arrivals(frames[3:], second_delays)]
    inputs.sort(key=lambda item: item[0])
    handover = Handover(Toy(rule), 0)
    handover.opened(0)
    used: list[bytes] = []
    switched = False
    for at, which, frame in inputs:
        if not switched and at >= lost_at * MS:
            switched = True
            used += [kept.payload for kept in handover.release(at)]
        if switched:
            if handover.settled(at) or not handover.repeats(frame):
                used.append(frame)
        elif which == 0:
            used.append(frame)
            handover.first(frame, at)
        else:
            handover.second(frame, at)
    by_flow: dict[tuple[str, str], list[int]] = {}
    for frame in used:
        kind, symbol, _, last, _ = orjson.loads(frame)
        by_flow.setdefault((kind, symbol), []).append(last)
    for numbers in by_flow.values():
        assert numbers == sorted(set(numbers))


def frame(kind: str, symbol: str, first: int, last: int, prev: int) -> bytes:
    """One frame."""
    return orjson.dumps([kind, symbol, first, last, prev])


@pytest.fixture
def handover() -> Handover:
    """One that was asked for at 0 and open at 1 s."""
    made = Handover(Toy(SequenceRule.CONTIGUOUS), 0)
    made.opened(SECOND)
    return made


def test_it_waits_for_the_first_connection_to_reach_the_second(handover):
    """Between what was used and what is kept nothing may be missing."""
    late = SECOND + OVERLAP_NS
    handover.second(frame("book", "A", 12, 13, 11), late)
    handover.first(frame("book", "A", 9, 10, 8), late)
    assert not handover.ready(late)
    handover.first(frame("book", "A", 11, 11, 10), late)
    assert handover.ready(late)
    assert [k.number for k in handover.release(late)] == [0]


def test_a_stream_that_the_second_connection_does_not_bring_keeps_the_first(handover):
    """A stream that is acknowledged and silent is found out by the one that is not."""
    late = SECOND + OVERLAP_NS
    handover.first(frame("book", "A", 9, 10, 8), late)
    handover.second(frame("book", "A", 9, 10, 8), late)
    handover.first(frame("trade", "A", 0, 5, 0), late)
    assert not handover.ready(late)
    assert handover.hopeless(PATIENCE_NS) == "after 60 s it is not in sync (A trade)"


def test_silence_on_both_needs_no_proof(handover):
    """A trade that only the first connection had, long before, is nothing the second one owes."""
    handover.first(frame("trade", "A", 0, 5, 0), SECOND)
    late = SECOND + OVERLAP_NS
    handover.first(frame("book", "A", 9, 10, 8), late)
    handover.second(frame("book", "A", 9, 10, 8), late)
    assert handover.ready(late)
    assert handover.release(late) == []
    assert handover.settled(late + SETTLE_NS)


def test_a_second_connection_that_is_behind_is_listened_to_until_it_is_not(handover):
    """What it repeats after the switch is skipped."""
    late = SECOND + OVERLAP_NS
    for n in range(10, 20):
        handover.first(frame("trade", "A", 0, n, 0), late)
    handover.second(frame("trade", "A", 0, 10, 0), late)
    assert handover.ready(late)
    assert handover.release(late) == []
    repeated = []
    for n in range(11, 22):
        if handover.settled(late):
            break
        repeated.append(handover.repeats(frame("trade", "A", 0, n, 0)))
    assert repeated == [True] * 9


def test_a_book_without_numbers_is_covered_by_a_snapshot() -> None:
    """Where no number continues it, the second connection's own snapshot starts it anew; changes before are no use."""

    class Snapshots(Toy):
        def decode(self, frame: bytes) -> Sequence[Message]:
            if frame == b"snapshot":
                return (BookMessage("A", True, -1, -1, -1, (), ()),)
            return (BookMessage("A", False, -1, -1, -1, (), ()),)

    made = Handover(Snapshots(SequenceRule.NONE), 0)
    made.opened(SECOND)
    late = SECOND + OVERLAP_NS
    made.first(b"change", late)
    assert not made.ready(late)
    made.second(b"snapshot", late)
    made.second(b"change", late)
    assert made.ready(late)
    assert [kept.payload for kept in made.release(late)] == [b"snapshot", b"change"]
    assert made.settled(late)


def test_a_connection_that_never_opens_is_given_up():
    """Patience ends, and the reason says what was missing."""
    made = Handover(Toy(SequenceRule.CONTIGUOUS), 0)
    assert made.deadline_ns == PATIENCE_NS
    assert made.hopeless(PATIENCE_NS - 1) == ""
    assert made.hopeless(PATIENCE_NS) == "after 60 s it is not open"


def test_memory_is_bounded(handover):
    """So many frames without being in sync, and it is given up."""
    for _ in range(KEPT_LIMIT):
        handover.second(b"?", SECOND)
    assert str(KEPT_LIMIT) in handover.hopeless(SECOND)
