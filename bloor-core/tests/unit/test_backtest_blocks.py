"""Memory of orders that are over is used again, but never while somebody looks at it."""

from __future__ import annotations

from bloor.backtesting.blocks import ended_block


def test_a_block_in_use_is_not_given_again() -> None:
    """Neither a block that is held, nor one of which a part is held, is given to anybody else."""
    first = ended_block()
    part = ended_block()[:3]
    others = [ended_block() for _ in range(20)]
    blocks = [first, part.base, *others]
    assert len({id(block) for block in blocks}) == len(blocks)


def test_a_block_that_nobody_uses_is_given_again() -> None:
    """What was let go of comes back."""
    block = ended_block()
    place = block.ctypes.data
    del block
    assert ended_block().ctypes.data == place
