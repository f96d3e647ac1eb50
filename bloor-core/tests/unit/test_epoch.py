"""The epoch grows with every start, whatever happens to its file or to the clock."""

from __future__ import annotations

from pathlib import Path

import pytest

from bloor.errors import UsageError
from bloor.execution.client_id import MAX_EPOCH
from bloor.host.epoch import BEGIN_NS, STEP_NS, next_epoch

NOW_NS = BEGIN_NS + 1_000 * STEP_NS


def test_it_grows_with_every_start(tmp_path: Path) -> None:
    """Starts at one moment have epochs one after the other."""
    assert [next_epoch(tmp_path, NOW_NS) for _ in range(3)] == [1_000, 1_001, 1_002]


def test_a_clock_that_is_set_back_changes_nothing(tmp_path: Path) -> None:
    """What the file says counts then, and before 2026 too."""
    first = next_epoch(tmp_path, NOW_NS)
    assert next_epoch(tmp_path, NOW_NS - 500 * STEP_NS) == first + 1
    assert next_epoch(tmp_path, 0) == first + 2
    assert next_epoch(tmp_path / "other", 0) == 1


def test_a_lost_file_repeats_no_epoch(tmp_path: Path) -> None:
    """A folder without one begins later than every start before it, when they were ten minutes apart or more."""
    old = [next_epoch(tmp_path / "old", NOW_NS + n * STEP_NS) for n in range(5)]
    assert next_epoch(tmp_path / "new", NOW_NS + 5 * STEP_NS) > max(old)


def test_the_last_epoch_is_refused_by_name(tmp_path: Path) -> None:
    """An epoch that does not fit a client order id is an error that says what to do."""
    (tmp_path / "epoch").write_text(f"{MAX_EPOCH}\n")
    with pytest.raises(UsageError, match="use another node number"):
        next_epoch(tmp_path, NOW_NS)
