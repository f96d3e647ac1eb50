r"""When a change may be applied to a book: splice and gap rules as one table.

Theory of operation
===================

A venue numbers the changes of a book, a REST answer (or a frame) gives the whole book at some number, and the two come
over different ways. :class:`BookSync` decides, for one instrument, what to do with each of them. It holds no levels: it
sees numbers, says an :class:`Action`, and keeps back what may be needed later.

A change is compared with the number the stream has reached (``last``):

=============  =====================================  ===================================  ======
relation       ``CONTIGUOUS`` (Binance spot)          ``PREVIOUS`` (Binance USD-M)         ``NONE``
=============  =====================================  ===================================  ======
``OLD``        ``last_seq <= last``                   ``last_seq <= last``                 never
``CONTINUES``  ``first_seq <= last + 1 <= last_seq``  ``prev_seq == last`` (\*)            always
``AHEAD``      ``first_seq > last + 1``               otherwise                            never
=============  =====================================  ===================================  ======

After a snapshot (``SPLICING``), where ``last`` is the snapshot's number: (\*) also
``first_seq <= last`` or ``prev_seq <= last``, since a change that begins where the snapshot already is leaves nothing
out.

and the state of the book decides what that means:

============  ===========  =============  =============================================================
state         ``OLD``      ``CONTINUES``  ``AHEAD``
============  ===========  =============  =============================================================
``UNSYNCED``  ``DROP``     ``BUFFER``     ``GAP``: changes held so far are useless, this one begins anew
``SPLICING``  ``DROP``     ``APPLY``      ``GAP``, and the book is ``UNSYNCED``
``SYNCED``    ``DROP``     ``APPLY``      ``GAP``, and the book is ``UNSYNCED``
============  ===========  =============  =============================================================

``APPLY`` makes the book ``SYNCED``. A venue that numbers nothing cannot splice, so there a change to an ``UNSYNCED``
book is dropped. A change whose numbers overlap what is applied (``first_seq <= last < last_seq``) continues the book:
quantities are absolute. Nothing is known of a stream that just began (``last`` is -1): its first change continues.

A snapshot is

- ``DROP`` when the book is past it, or when it is a frame of limited depth and changes keep the book already;
- ``REFETCH`` when the oldest held change does not continue it: changes between the two were never seen;
- otherwise ``LOAD``: the book becomes ``SPLICING`` (``SYNCED`` where nothing is numbered), and the held changes are
  taken with :meth:`BookSync.release`, by the same table.

Sources: Binance spot API documentation, "How to manage a local order book correctly" (corrected 2025-11-12), where the
test for applying is ``U <= id + 1``; Binance USD-M documentation of the same name.
"""

from __future__ import annotations

from collections import deque
from enum import Enum
from typing import Generic, NamedTuple, TypeVar

from bloor.market.normalizer import SequenceRule
from bloor.market.view import BookState
from bloor.model.decimals import INT64_MAX

__all__ = ["HELD_LIMIT", "Action", "BookSync", "Relation", "relation"]

#: How many changes are held for a snapshot: at ten a second, seven minutes.
HELD_LIMIT = 4096

T = TypeVar("T")


class Relation(Enum):
    """How a change stands to the number that the stream has reached."""

    OLD = "old"
    CONTINUES = "continues"
    AHEAD = "ahead"


class Action(Enum):
    """What to do with a change or a snapshot."""

    #: Kept until a snapshot comes.
    BUFFER = "buffer"
    #: Already contained in the book, or of no use: ignore it.
    DROP = "drop"
    #: Change the book.
    APPLY = "apply"
    #: Changes are missing before this one: empty the book, ask for a snapshot.
    GAP = "gap"
    #: Replace the book, then take the held changes.
    LOAD = "load"
    #: The snapshot is older than the oldest held change: ask for another.
    REFETCH = "refetch"


#: The table of the module's docstring.
TABLE: dict[tuple[BookState, Relation], Action] = {
    (BookState.UNSYNCED, Relation.OLD): Action.DROP,
    (BookState.UNSYNCED, Relation.CONTINUES): Action.BUFFER,
    (BookState.UNSYNCED, Relation.AHEAD): Action.GAP,
    (BookState.SPLICING, Relation.OLD): Action.DROP,
    (BookState.SPLICING, Relation.CONTINUES): Action.APPLY,
    (BookState.SPLICING, Relation.AHEAD): Action.GAP,
    (BookState.SYNCED, Relation.OLD): Action.DROP,
    (BookState.SYNCED, Relation.CONTINUES): Action.APPLY,
    (BookState.SYNCED, Relation.AHEAD): Action.GAP,
}


def relation(
    rule: SequenceRule, last: int, first_seq: int, last_seq: int, prev_seq: int, *, splicing: bool
) -> Relation:
    """How a change stands to ``last``.

    Args:
        rule: How the venue numbers.
        last: Number the stream has reached; -1 when not known.
        first_seq: First number the change covers.
        last_seq: Last number it covers.
        prev_seq: Last number of the change before it, where the venue says so.
        splicing: Whether ``last`` is a snapshot's number.
    """
    if rule is SequenceRule.NONE or last < 0:
        return Relation.CONTINUES
    if last_seq <= last:
        return Relation.OLD
    if rule is SequenceRule.CONTIGUOUS:
        return Relation.CONTINUES if first_seq <= last + 1 else Relation.AHEAD
    if prev_seq == last or (splicing and (first_seq <= last or 0 <= prev_seq < last)):
        return Relation.CONTINUES
    return Relation.AHEAD


class Held(NamedTuple, Generic[T]):
    """A change that waits for a snapshot."""

    first_seq: int
    last_seq: int
    prev_seq: int
    item: T


class BookSync(Generic[T]):
    """The synchronisation of one book.

    Attributes:
        rule: How the venue numbers.
        state: Whether the book may be believed.
        last: Number that the stream has reached: of the book when it has one, of the newest held change otherwise; -1
            when nothing is known.
        expected: After ``GAP`` or ``REFETCH``: the number that should have come.
        got: After ``GAP`` or ``REFETCH``: the number that came.
        gap_open: Whether a gap was reported and no snapshot has been loaded since.
        overflowed: How many held changes were pushed out by newer ones.
    """

    __slots__ = ("_held", "expected", "gap_open", "got", "last", "overflowed", "rule", "state")

    def __init__(self, rule: SequenceRule, *, held_limit: int = HELD_LIMIT) -> None:
        self.rule = rule
        self.state = BookState.UNSYNCED
        self.last = -1
        self.expected = -1
        self.got = -1
        self.gap_open = False
        self.overflowed = 0
        self._held: deque[Held[T]] = deque(maxlen=held_limit)

    @property
    def held(self) -> int:
        """How many changes wait for a snapshot."""
        return len(self._held)

    def change(self, first_seq: int, last_seq: int, prev_seq: int, item: T) -> Action:
        """Decides what to do with a change; on ``BUFFER`` and ``GAP`` it is held here.

        Args:
            first_seq: First number it covers; -1 where the venue has none.
            last_seq: Last number it covers; -1 where the venue has none.
            prev_seq: Last number of the change before it; -1 where the venue does not say.
            item: What :meth:`release` hands back.

        Returns:
            ``APPLY``, ``DROP``, ``BUFFER`` or ``GAP``.
        """
        how = relation(self.rule, self.last, first_seq, last_seq, prev_seq, splicing=self.state is BookState.SPLICING)
        action = TABLE[self.state, how]
        if action is Action.APPLY:
            self.state = BookState.SYNCED
            self.last = last_seq
        elif action is Action.BUFFER:
            if self.rule is SequenceRule.NONE:
                return Action.DROP
            self._hold(Held(first_seq, last_seq, prev_seq, item))
        elif action is Action.GAP:
            self._missing(self.last, first_seq, prev_seq)
            self.gap_open = True
            self.state = BookState.UNSYNCED
            self._held.clear()
            self._hold(Held(first_seq, last_seq, prev_seq, item))
        return action

    def snapshot(self, last_seq: int, *, limited: bool = False) -> Action:
        """Decides what to do with a snapshot; on ``LOAD``, load it, then call :meth:`release` until it gives None.

        Args:
            last_seq: Number up to which the snapshot contains every change; -1 where the venue has none.
            limited: Whether it is a frame that shows a few best levels only (Binance partial depth).

        Returns:
            ``LOAD``, ``DROP`` or ``REFETCH``.
        """
        if self.rule is SequenceRule.NONE:
            self._loaded(last_seq, BookState.SYNCED)
            return Action.LOAD
        if self.state is BookState.UNSYNCED:
            if self._held:
                oldest = self._held[0]
                how = relation(self.rule, last_seq, oldest.first_seq, oldest.last_seq, oldest.prev_seq, splicing=True)
                if how is Relation.AHEAD:
                    self._missing(last_seq, oldest.first_seq, oldest.prev_seq)
                    return Action.REFETCH
            elif last_seq < self.last:
                self.expected, self.got = _next(last_seq), _next(self.last)
                return Action.REFETCH
        elif last_seq < self.last or (limited and self.state is BookState.SYNCED):
            return Action.DROP
        self._loaded(last_seq, BookState.SPLICING)
        return Action.LOAD

    def release(self) -> T | None:
        """The next held change that is to be applied now, or None when there is none left or the book was lost."""
        while self._held and self.state is not BookState.UNSYNCED:
            held = self._held.popleft()
            how = relation(self.rule, self.last, *held[:3], splicing=self.state is BookState.SPLICING)
            if how is Relation.CONTINUES:
                self.state = BookState.SYNCED
                self.last = held.last_seq
                return held.item
            if how is Relation.AHEAD:  # held changes continue each other, so this is a fault of ours: stay safe
                self._held.appendleft(held)
                self.lost()
        return None

    def lost(self, *, forget: bool = False) -> None:
        """The book can no longer be believed (crossed, bad checksum): it needs a snapshot.

        Args:
            forget: Whether the held changes are useless too, because one of them cannot be read.
        """
        self.state = BookState.UNSYNCED
        if self._held:
            self.last = self._held[-1].last_seq
        if forget:
            self._held.clear()

    def broken(self, expected: int, got: int) -> None:
        """Something is missing on the connection, perhaps a change of this book: as after ``GAP``, nothing is held.

        Args:
            expected: Number that the next frame of the connection should have had.
            got: Number that it had.
        """
        self.reset()
        self.gap_open = True
        self.expected, self.got = expected, got

    def reset(self) -> None:
        """The stream began anew: nothing is known of it."""
        self.state = BookState.UNSYNCED
        self.last = -1
        self.gap_open = False
        self._held.clear()

    def assume_empty(self) -> None:
        """The book is taken to be empty now; the next change continues it whatever its numbers."""
        self.reset()
        self.state = BookState.SYNCED if self.rule is SequenceRule.NONE else BookState.SPLICING

    def _loaded(self, last_seq: int, state: BookState) -> None:
        self.state = state
        self.last = last_seq
        self.gap_open = False

    def _hold(self, held: Held[T]) -> None:
        if len(self._held) == self._held.maxlen:
            self.overflowed += 1
        self._held.append(held)
        self.last = held.last_seq

    def _missing(self, last: int, first_seq: int, prev_seq: int) -> None:
        if self.rule is SequenceRule.PREVIOUS:
            self.expected, self.got = last, prev_seq
        else:
            self.expected, self.got = _next(last), first_seq


def _next(seq: int) -> int:
    """The number after ``seq``; an event cannot hold one beyond 63 bits."""
    return min(seq + 1, INT64_MAX)
