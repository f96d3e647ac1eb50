"""Fault specifications: their grammar, their seed, the lives of connections."""

from __future__ import annotations

import pytest

from bloor.errors import UsageError
from bloor.simulation.faults import Fault, Faults
from bloor.venue.session import NEVER

SECOND = 1_000_000_000


@pytest.mark.parametrize("text", ["", "none"])
def test_nothing_means_no_faults(text):
    """Nothing happens and no connection ends."""
    faults = Faults(text, 1)
    faults.opened(1, 0)
    assert not any(faults.happens(fault) for fault in Fault) and faults.deadline_ns == NEVER


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("lost-ak:0.1", "did you mean 'lost-ack'"),
        ("gap", "expected a list of NAME:VALUE"),
        ("gap:0.1,,", "expected a list of NAME:VALUE"),
        ("gap:2", "expected a probability above 0 and at most 1, got '2'"),
        ("gap:0", "expected a probability"),
        ("gap:nan", "expected a probability"),
        ("gap:often", "expected a probability"),
        ("gap:0.1,gap:0.2", "expected each fault once"),
        ("disconnect:10", "expected a duration with a unit"),
        ("disconnect:0s", "expected a duration above 0"),
    ],
)
def test_what_cannot_be_read_is_refused(text, said):
    """With the part that is wrong."""
    with pytest.raises(UsageError, match=said):
        Faults(text)


def test_rates_come_true_and_a_seed_fixes_them():
    """Other faults do not move a fault's decisions; what was injected is counted."""

    def drawn(text, seed):
        faults = Faults(text, seed)
        return [faults.happens(Fault.GAP) for _ in range(2000)], faults

    (first, faults), (again, _), (beside, _), (other, _) = (
        drawn(*case) for case in (("gap:0.1", 1), ("gap:0.1", 1), ("duplicate:1, gap:0.1", 1), ("gap:0.1", 2))
    )
    assert first == again == beside != other
    assert 150 < sum(first) < 250 and faults.counts == {Fault.GAP: sum(first)}
    assert not faults.happens(Fault.LOST_ACK)


def test_connections_end_and_faults_stop():
    """Each at its own time, told once; after the stop nothing happens any more."""
    faults = Faults("disconnect:10s", 3)
    for conn in range(200):
        faults.opened(conn, 0)
    faults.closed(7)
    assert faults.ended(faults.deadline_ns - 1) == []
    ended, lives = [], []
    while len(ended) < 150:
        now = faults.deadline_ns
        due = faults.ended(now)
        ended += due
        lives += [now] * len(due)
    assert len(set(ended)) == 150 and 7 not in ended
    assert 5 * SECOND < sum(lives) / len(lives) < 15 * SECOND
    faults.stop()
    assert faults.deadline_ns == NEVER and faults.ended(NEVER) == []
