"""Client order ids: what they hold, whose they are, and their bounds."""

from __future__ import annotations

import re

import pytest

from bloor.errors import UsageError
from bloor.execution.client_id import LENGTH, MAX_EPOCH, MAX_NODE, MAX_SEQUENCE, MAX_STRATEGY, ClientId, ClientIds


@pytest.mark.parametrize(
    ("node", "epoch", "strategy", "sequence", "text"),
    [
        (0, 0, 0, 0, "B00000000000000"),
        (7, 82, 1, 46_099, "B07002A01000ZKJ"),
        (MAX_NODE, MAX_EPOCH, MAX_STRATEGY, MAX_SEQUENCE, "BZZZZZZZZZZZZZZ"),
        (36, 1, 35, 1, "B100001" + "0Z" + "000001"),
    ],
)
def test_ids_are_fixed_width_and_read_back(node: int, epoch: int, strategy: int, sequence: int, text: str) -> None:
    """The same four numbers come back, from 15 characters that every venue takes."""
    ids = ClientIds(node, epoch)
    assert ids.make(strategy, sequence) == text
    assert re.fullmatch(r"[0-9A-Z]{15}", text) and len(text) == LENGTH
    assert ids.parse(text) == ClientId(node, epoch, strategy, sequence)


@pytest.mark.parametrize(
    "text", ["", "B", "A00000000000000", "B0000000000000", "B000000000000000", "b00000000000000", "B0000000000000a",
             "B00000000000-00", "B0000000000000\u0660", "B00000000000000\n"]
)  # fmt: skip
def test_others_ids_are_not_ours(text: str) -> None:
    """Whatever does not read exactly so is somebody else's."""
    assert ClientId.parse(text) is None
    assert ClientIds(0, 0).parse(text) is None


def test_another_node_is_somebody_else() -> None:
    """Ids of other epochs of this node are ours, those of other nodes are not."""
    ids = ClientIds(3, 9)
    assert ids.parse(ClientIds(3, 8).make(0, 1)) == ClientId(3, 8, 0, 1)
    assert ids.parse(ClientIds(4, 9).make(0, 1)) is None


@pytest.mark.parametrize(("node", "epoch"), [(-1, 0), (MAX_NODE + 1, 0), (0, -1), (0, MAX_EPOCH + 1)])
def test_node_and_epoch_are_bounded(node: int, epoch: int) -> None:
    """Out of range is refused at the start of a run."""
    with pytest.raises(UsageError, match=r"expected a (node|epoch) from 0 to"):
        ClientIds(node, epoch)


@pytest.mark.parametrize(("strategy", "sequence"), [(-1, 0), (MAX_STRATEGY + 1, 0), (0, -1), (0, MAX_SEQUENCE + 1)])
def test_strategy_and_sequence_are_bounded(strategy: int, sequence: int) -> None:
    """An id is never cut or wrapped."""
    with pytest.raises(UsageError, match=r"expected a (strategy|sequence) from 0 to"):
        ClientIds(0, 0).make(strategy, sequence)
