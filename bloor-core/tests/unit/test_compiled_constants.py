"""Which values of a module may stand in compiled code."""

from __future__ import annotations

import pytest

from bloor.market.view import BookState
from bloor.strategy.compiled.subset import constant, refusal


@pytest.mark.parametrize("value", [3, -(1 << 63), (1 << 63) - 1, 2.5, True, BookState.SYNCED, (1, BookState.SYNCED)])
def test_numbers_and_members_are_constants(value: object) -> None:
    """Integers of 64 bits, floats, members of enumerations of integers, and tuples of those; at once, too."""
    assert constant(value)
    assert refusal("NAME", value, frozenset()) == ""


@pytest.mark.parametrize("value", [1 << 63, -(1 << 63) - 1, "text", None, [1], (1, "text")])
def test_other_values_are_none(value: object) -> None:
    """Wider integers and everything else are refused with a reason."""
    assert not constant(value)
    assert refusal("NAME", value, frozenset())
