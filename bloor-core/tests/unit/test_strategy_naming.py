"""Names of strategies that belong to no plug-in."""

from __future__ import annotations

import pytest

from bloor.strategy.api import Strategy
from bloor.strategy.naming import strategy_name


@pytest.mark.parametrize(
    ("name", "said"),
    [("Dip", "dip"), ("MeanReversion", "mean-reversion"), ("HTTPFade2Go", "http-fade2-go"), ("_my_idea", "my-idea")],
)
def test_a_class_is_named_after_itself(name: str, said: str) -> None:
    """As a user would type it after ``-p``, and its section."""
    cls = type(name, (Strategy,), {})
    assert strategy_name(cls) == cls.name == said


def test_its_own_name_counts_and_an_inherited_one_does_not() -> None:
    """A class that is built on a plug-in's is another strategy."""
    named = type("Anything", (Strategy,), {"name": "trend"})
    assert strategy_name(named) == "trend"
    assert strategy_name(type("Steeper", (named,), {})) == "steeper"
    assert named.name == "trend"
