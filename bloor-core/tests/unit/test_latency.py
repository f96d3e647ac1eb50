"""Latency histograms."""

from __future__ import annotations

import math

from hypothesis import given
from hypothesis import strategies as st

from bloor.model.latency import Histogram


@given(st.lists(st.integers(0, 1 << 40), min_size=1, max_size=200), st.sampled_from([0.5, 0.9, 0.99, 0.999, 1.0]))
def test_a_percentile_is_at_most_a_32nd_too_high(values: list[int], fraction: float) -> None:
    """Against the exact order statistic, never too low and never more than 1/32 too high."""
    histogram = Histogram()
    for value in values:
        histogram.add(value)
    exact = sorted(values)[max(0, math.ceil(fraction * len(values)) - 1)]
    assert exact <= histogram.percentile(fraction) <= exact + exact // 32 + 1
    assert histogram.max == max(values)
    assert histogram.count == len(values)


def test_an_empty_histogram_says_zero() -> None:
    """Nothing recorded, nothing claimed."""
    assert Histogram().summary() == {"p50": 0, "p99": 0, "p999": 0, "max": 0, "count": 0}


def test_extremes_are_counted() -> None:
    """A negative duration counts as zero, an enormous one in the last bucket."""
    histogram = Histogram()
    histogram.add(-5)
    histogram.add(1 << 62)
    assert histogram.count == 2
    assert histogram.percentile(1.0) > 1 << 46
