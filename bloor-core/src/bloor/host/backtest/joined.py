"""Parts of one instrument that tell of different things, as one: trades from one import, the book from another.

Exchanges and vendors publish them as files of their own. They are merged by the time at which they were received; a
book message is never divided. What is merged stands in a file without a name, so that it takes no memory.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

import numpy as np

from bloor.errors import InputFileError
from bloor.storage.cells import Records, times
from bloor.storage.load import StoredPart

__all__ = ["groups", "joined"]


def groups(parts: Iterable[tuple[Path, StoredPart]]) -> Iterator[list[tuple[Path, StoredPart]]]:
    """Parts that belong together: each alone, but those at the same time.

    Args:
        parts: In the order of their first records.

    Raises:
        InputFileError: Parts at the same time tell of the same: which of them counts, nobody knows.
    """
    group: list[tuple[Path, StoredPart]] = []
    newest = 0
    for folder, stored in parts:
        part = stored.part
        if group and part.first_ns >= newest:
            yield group
            group = []
        told = {kind for _, other in group for kind, count in other.part.kinds.items() if count}
        twice = sorted(told & {kind for kind, count in part.kinds.items() if count})
        if twice:
            raise InputFileError(
                str(folder / part.events.path),
                f"expected data that do not overlap, {part.instrument.symbol} begins before what precedes it ends, and "
                f"both have records of the kind {', '.join(twice)}: choose one import by --data, or a time by --start "
                "and --end",
            )
        group.append((folder, stored))
        newest = max(newest, part.last_ns)
    if group:
        yield group


def joined(arrays: Sequence[Records]) -> Records:
    """Arrays of records as one, by time; of those at the same time the first array's come first.

    Args:
        arrays: At least one, each in its order, all in the same units.
    """
    found = arrays[0]
    for other in arrays[1:]:
        found = _merged(found, other)
    return found


def _merged(first: Records, second: Records) -> Records:
    places = np.searchsorted(times(first), times(second), side="right") + np.arange(len(second))
    taken = np.zeros(len(first) + len(second), bool)
    taken[places] = True
    with tempfile.TemporaryFile() as file:
        made: Records = np.memmap(file, first.dtype, "w+", shape=(len(taken),))
    made[places] = second
    made[~taken] = first
    return made
