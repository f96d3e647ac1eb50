"""Decision records."""

from __future__ import annotations

import pytest

from bloor.engine.decisions import SIZE, Decision, DecisionKind, DecisionLog


def test_a_decision_reads_back_as_it_was_packed() -> None:
    """Every field survives, in 64 bytes."""
    log = DecisionLog()
    payload = log.pack(
        DecisionKind.PLACE,
        5,
        side=-1,
        type=1,
        tif=2,
        instrument=3,
        strategy=4,
        number=6,
        price=7,
        lots=8,
        client_id="Babc",
    )
    assert len(payload) == SIZE
    assert Decision.unpack(payload) == Decision(DecisionKind.PLACE, -1, 1, 2, 3, 4, 0, 6, 7, 8, 5, "Babc")


def test_the_hash_depends_on_every_decision_and_their_order() -> None:
    """Two logs agree only when they hold the same decisions in the same order."""

    def digest(*prices: int) -> str:
        log = DecisionLog()
        for price in prices:
            log.pack(DecisionKind.PLACE, 1, price=price)
        return log.hexdigest()

    assert digest(1, 2) == digest(1, 2)
    assert len({digest(), digest(1), digest(1, 2), digest(2, 1)}) == 4


def test_a_record_of_another_size_is_refused() -> None:
    """A torn record is no decision."""
    with pytest.raises(ValueError, match="64 bytes"):
        Decision.unpack(b"\0" * 63)
