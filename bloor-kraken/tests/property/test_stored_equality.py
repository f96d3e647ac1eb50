"""An import through the compiled loop stores what the reference stores: levels that leave the window as removals."""

from __future__ import annotations

import runpy
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from bloor.storage.importing import ImportOptions, import_data
from bloor_kraken.instruments import normalizer_spec

VenueBook: Any = runpy.run_path(str(Path(__file__).parents[1] / "venue_book.py"))["VenueBook"]
START = 1_700_000_000 * 10**9


@settings(max_examples=20, deadline=None)
@given(
    seed=st.integers(0, 1 << 32),
    depth=st.sampled_from([10, 10, 25, 100]),
    step=st.sampled_from([10**6, 10**9, 3_600 * 10**9]),
    wrong=st.integers(0, 120),
)
def test_the_loop_stores_what_the_reference_stores(seed: int, depth: int, step: int, wrong: int) -> None:
    """The same parts, hashes of files among them, also after a wrong checksum."""
    frames = list(VenueBook(seed, depth=depth).frames(80))
    if 2 <= wrong < len(frames):
        head, _, tail = frames[wrong].partition(b'"checksum":')
        frames[wrong] = head + b'"checksum":1' + tail[tail.index(b",") :]
        frames.insert(min(wrong + 5, len(frames)), frames[1])
    lines = [b"%d %s" % (START + n * step, frame) for n, frame in enumerate(frames)]
    with TemporaryDirectory() as folder:
        path = Path(folder) / "recording.txt"
        path.write_bytes(b"\n".join(lines))
        fast, slow = (
            list(
                import_data(
                    Path(folder) / str(how), normalizer_spec(), [path], ImportOptions(compiled=how, parquet=False)
                )
            )
            for how in (True, False)
        )
        assert [made.manifest for made in fast] == [made.manifest for made in slow]
