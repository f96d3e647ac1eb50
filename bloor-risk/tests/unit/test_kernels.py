"""Kernels repeat numbers of their checks, since compiled code looks nothing up; they are the same numbers."""

from __future__ import annotations

import inspect
from importlib import import_module
from importlib.metadata import distribution

import pytest

POINTS = {point.name: point.value for point in distribution("bloor-risk").entry_points.select(group="bloor")}


@pytest.mark.parametrize("name", sorted(POINTS))
def test_a_kernel_has_the_codes_of_its_check(name: str) -> None:
    """Each denial that the check names is a number of the kernel, under the same name."""
    module = import_module(POINTS[name])
    kernel = import_module(POINTS[name].replace("bloor_risk.", "bloor_risk.kernels."))
    for number, code in module.bloor_risk_check().codes.items():
        assert getattr(kernel, code) == number
        assert code in inspect.getsource(kernel.check)
