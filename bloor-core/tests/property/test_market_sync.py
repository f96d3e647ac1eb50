"""Whatever is lost, repeated or late, a book never skips a change."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from bloor.market.normalizer import SequenceRule
from bloor.market.sync import Action, BookSync
from bloor.market.view import BookState

#: What happens to the next change of a perfect stream, or that a snapshot comes that is so many updates old.
step = st.one_of(
    st.sampled_from(["send", "send", "send", "lose", "repeat", "swap", "lost", "reset"]),
    st.integers(0, 40),
)


def play(rule: SequenceRule, widths: list[int], steps: list[str | int], held_limit: int) -> None:
    """Plays a stream of changes with holes, and checks every application against the numbers themselves."""
    sync: BookSync[tuple[int, int]] = BookSync(rule, held_limit=held_limit)
    book = -1  # the number the book has reached
    prev, stream = 100, []
    for n, width in enumerate(widths):
        # USD-M numbers leave holes between the changes of one book
        first = prev + 1 + (n % 3 if rule is SequenceRule.PREVIOUS else 0)
        stream.append((first, first + width, prev))
        prev = first + width
    queue, newest = list(stream), 100

    def apply(change: tuple[int, int]) -> None:
        nonlocal book
        first, last = change
        low = next(p for f, last_, p in stream if f == first and last_ == last)
        assert low <= book, "changes were skipped"
        assert last >= book
        book = last

    def send(change: tuple[int, int, int]) -> None:
        nonlocal newest
        newest = max(newest, change[1])
        if sync.change(*change, change[:2]) is Action.APPLY:
            apply(change[:2])

    for what in steps:
        if isinstance(what, int):
            seq = max(100, newest - what)
            if rule is SequenceRule.PREVIOUS:
                seq = max([100, *(last for _, last, _ in stream if last <= seq)])
            if sync.snapshot(seq) is Action.LOAD:
                book = seq
                while (change := sync.release()) is not None:
                    apply(change)
        elif what == "lost":
            sync.lost()
        elif what == "reset":
            sync.reset()
        elif queue:
            if what == "repeat":
                send(queue[0])
            elif what == "swap" and len(queue) > 1:
                queue[0], queue[1] = queue[1], queue[0]
            elif what == "lose":
                newest = max(newest, queue.pop(0)[1])
            if what == "send" and queue:
                send(queue.pop(0))
        if sync.state is not BookState.UNSYNCED:
            assert sync.last == book
        assert sync.held <= held_limit


WIDTHS = st.lists(st.integers(0, 4), min_size=20, max_size=60)


@given(WIDTHS, st.lists(step, max_size=120), st.sampled_from([2, 5, 100]))
def test_spot_book_is_contiguous(widths: list[int], steps: list[str | int], held_limit: int) -> None:
    """By the rule of Binance spot no change is applied over a hole."""
    play(SequenceRule.CONTIGUOUS, widths, steps, held_limit)


@given(WIDTHS, st.lists(step, max_size=120), st.sampled_from([2, 5, 100]))
def test_futures_book_is_contiguous(widths: list[int], steps: list[str | int], held_limit: int) -> None:
    """By the rule of Binance USD-M no change is applied over a hole."""
    play(SequenceRule.PREVIOUS, widths, steps, held_limit)


@given(WIDTHS, st.integers(0, 50))
def test_clean_stream_always_synchronises(widths: list[int], late: int) -> None:
    """A stream without faults and a snapshot no older than its beginning give a book that has every change."""
    sync: BookSync[int] = BookSync(SequenceRule.CONTIGUOUS)
    seq, applied = 100, 0
    at = min(late, len(widths) - 1)
    for n, width in enumerate(widths):
        applied += sync.change(seq + 1, seq + 1 + width, -1, n) is Action.APPLY
        seq += 1 + width
        if n == at:
            assert sync.snapshot(100 + late) in (Action.LOAD, Action.DROP)
            while sync.release() is not None:
                applied += 1
    assert sync.last >= min(seq, 100 + late)
