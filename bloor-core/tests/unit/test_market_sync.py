"""The splice and gap rules, row by row."""

from __future__ import annotations

import pytest

from bloor.market.normalizer import SequenceRule
from bloor.market.sync import TABLE, Action, BookSync, Relation, relation
from bloor.market.view import BookState

C, P, N = SequenceRule.CONTIGUOUS, SequenceRule.PREVIOUS, SequenceRule.NONE


def spot(first: int, last: int) -> tuple[int, int, int, str]:
    return first, last, -1, f"{first}-{last}"


def test_table_is_complete() -> None:
    """Every state says what each relation means."""
    assert set(TABLE) == {(state, how) for state in BookState for how in Relation}


@pytest.mark.parametrize(
    ("rule", "last", "change", "splicing", "expected"),
    [
        (C, 100, (101, 105, -1), False, Relation.CONTINUES),
        (C, 100, (99, 105, -1), False, Relation.CONTINUES),
        (C, 100, (90, 100, -1), False, Relation.OLD),
        (C, 100, (102, 105, -1), False, Relation.AHEAD),
        (C, -1, (102, 105, -1), False, Relation.CONTINUES),
        (P, 100, (90, 110, 80), True, Relation.CONTINUES),
        (P, 100, (100, 100, 80), True, Relation.OLD),
        (P, 100, (105, 110, 100), True, Relation.CONTINUES),
        (P, 100, (105, 110, 99), True, Relation.CONTINUES),
        (P, 100, (105, 110, 101), True, Relation.AHEAD),
        (P, 100, (90, 99, 80), True, Relation.OLD),
        (P, 100, (90, 110, 80), False, Relation.AHEAD),
        (P, 100, (150, 160, 100), False, Relation.CONTINUES),
        (P, 100, (90, 100, 80), False, Relation.OLD),
        (N, 100, (-1, -1, -1), False, Relation.CONTINUES),
    ],
)
def test_relation(
    rule: SequenceRule, last: int, change: tuple[int, int, int], splicing: bool, expected: Relation
) -> None:
    """A change is old, continues or is ahead by the venue's own rule."""
    assert relation(rule, last, *change, splicing=splicing) is expected


def test_spot_splices_the_held_changes() -> None:
    """Changes before the snapshot are dropped, the one that contains it and those after are applied."""
    sync: BookSync[str] = BookSync(C)
    for first, last in ((1, 5), (6, 9), (10, 12), (13, 13)):
        assert sync.change(*spot(first, last)) is Action.BUFFER
    assert sync.snapshot(10) is Action.LOAD
    assert sync.state is BookState.SPLICING
    assert [sync.release(), sync.release(), sync.release()] == ["10-12", "13-13", None]
    assert (sync.state, sync.last) == (BookState.SYNCED, 13)


def test_gap_needs_a_snapshot() -> None:
    """After a gap nothing is applied until a snapshot, and the change that showed it splices then."""
    sync: BookSync[str] = BookSync(C)
    sync.snapshot(10)
    assert sync.change(*spot(11, 12)) is Action.APPLY
    assert sync.change(*spot(14, 15)) is Action.GAP
    assert (sync.expected, sync.got, sync.state) == (13, 14, BookState.UNSYNCED)
    assert sync.change(*spot(16, 16)) is Action.BUFFER
    assert sync.snapshot(12) is Action.REFETCH
    assert sync.snapshot(14) is Action.LOAD
    assert [sync.release(), sync.release(), sync.release()] == ["14-15", "16-16", None]


def test_gap_among_held_changes_begins_anew() -> None:
    """A hole before any snapshot is a gap too, and what was held before it is useless."""
    sync: BookSync[str] = BookSync(C)
    sync.change(*spot(1, 5))
    assert sync.change(*spot(7, 8)) is Action.GAP
    assert (sync.held, sync.expected, sync.got) == (1, 6, 7)
    assert sync.snapshot(5) is Action.REFETCH


def test_old_snapshot_does_not_replace_a_newer_book() -> None:
    """A snapshot that comes late is dropped; a newer one is taken."""
    sync: BookSync[str] = BookSync(C)
    sync.snapshot(10)
    sync.change(*spot(11, 20))
    assert sync.snapshot(15) is Action.DROP
    assert sync.snapshot(25, limited=True) is Action.DROP
    assert sync.snapshot(25) is Action.LOAD


def test_limited_snapshots_follow_each_other() -> None:
    """Partial depth without changes replaces the book again and again."""
    sync: BookSync[str] = BookSync(C)
    assert [sync.snapshot(seq, limited=True) for seq in (5, 9, 7)] == [Action.LOAD, Action.LOAD, Action.DROP]


def test_unnumbered_venue() -> None:
    """Without numbers a snapshot is all it takes, and changes before it are dropped."""
    sync: BookSync[str] = BookSync(N)
    assert sync.change(-1, -1, -1, "a") is Action.DROP
    assert sync.snapshot(-1) is Action.LOAD
    assert sync.state is BookState.SYNCED
    assert sync.change(-1, -1, -1, "b") is Action.APPLY


def test_buffer_is_bounded() -> None:
    """The oldest held change gives way, and is counted."""
    sync: BookSync[str] = BookSync(C, held_limit=2)
    for n in range(1, 6):
        sync.change(*spot(n, n))
    assert (sync.held, sync.overflowed) == (2, 3)
    assert sync.snapshot(2) is Action.REFETCH
    assert sync.snapshot(3) is Action.LOAD
    assert sync.release() == "4-4"


def test_lost_book_keeps_its_place_in_the_stream() -> None:
    """A book lost for its content needs a newer snapshot, and the stream goes on without a gap."""
    sync: BookSync[str] = BookSync(C)
    sync.snapshot(10)
    sync.change(*spot(11, 12))
    sync.lost()
    assert sync.snapshot(11) is Action.REFETCH
    assert sync.change(*spot(13, 14)) is Action.BUFFER
    assert sync.snapshot(12) is Action.LOAD
    assert sync.release() == "13-14"


def test_lost_while_held_changes_are_taken() -> None:
    """What is still held when the book is lost again continues the stream."""
    sync: BookSync[str] = BookSync(C)
    for n in range(11, 15):
        sync.change(*spot(n, n))
    sync.snapshot(10)
    assert sync.release() == "11-11"
    sync.lost()
    assert sync.release() is None
    assert sync.change(*spot(15, 15)) is Action.BUFFER
    sync.lost(forget=True)
    assert sync.held == 0


def test_assumed_empty_book_takes_any_first_change() -> None:
    """An empty book begins with whatever comes, and gaps count from there."""
    sync: BookSync[str] = BookSync(C)
    sync.assume_empty()
    assert sync.change(*spot(500, 501)) is Action.APPLY
    assert sync.change(*spot(503, 504)) is Action.GAP


def test_reset_forgets_the_stream() -> None:
    """After a new connection any number may come first."""
    sync: BookSync[str] = BookSync(C)
    sync.snapshot(10)
    sync.change(*spot(11, 12))
    sync.reset()
    assert sync.change(*spot(900, 901)) is Action.BUFFER
