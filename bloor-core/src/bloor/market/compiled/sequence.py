"""The relation of :mod:`bloor.market.sync` as kernels (hot path): how a change stands to what the book has reached."""

from __future__ import annotations

__all__ = ["AHEAD", "CONTIGUOUS", "CONTINUES", "OLD", "PREVIOUS", "RULES", "change_relation"]

#: The sequence rules, as compiled code counts them; the names of :class:`~bloor.market.normalizer.SequenceRule`.
CONTIGUOUS, PREVIOUS, NONE = 0, 1, 2
RULES = {"CONTIGUOUS": CONTIGUOUS, "PREVIOUS": PREVIOUS, "NONE": NONE}

#: The relations, as compiled code counts them.
OLD, CONTINUES, AHEAD = 0, 1, 2


def change_relation(rule: int, last: int, first_seq: int, last_seq: int, prev_seq: int, splicing: int) -> int:
    """:func:`bloor.market.sync.relation` in integers; ``splicing`` is 0 or 1."""
    if rule == NONE or last < 0:
        return CONTINUES
    if last_seq <= last:
        return OLD
    if rule == CONTIGUOUS:
        return CONTINUES if first_seq <= last + 1 else AHEAD
    if prev_seq == last or (splicing == 1 and (first_seq <= last or 0 <= prev_seq < last)):
        return CONTINUES
    return AHEAD
