"""How many examples a card tries: a bounded number every day, and as many as a hypothesis profile says in a soak.

``pytest --hypothesis-profile=NAME`` with a profile of yours is the knob: its ``max_examples`` then counts for every
card that tries examples. Without, and under hypothesis's own profiles, each card has a small number of its own, so that
the cards of a package take well under a minute. The examples come from no seed of the day; yet hypothesis mixes in
numbers that it finds in the modules that are loaded, so they are not the same beside other tests.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

__all__ = ["for_examples", "for_seeds", "strategies"]

#: Whether the smallest example that fails is looked for; that takes longer than to find one.
SHRINK = True
#: Profiles that do not change how many examples a card tries.
_DAILY = ("default", "ci")


def strategies() -> Any:
    """hypothesis's ``strategies``; a clear failure when it is not installed."""
    try:
        from hypothesis import strategies as found
    except ImportError:
        pytest.fail('this card needs hypothesis: pip install "bloor-core[testing]"', pytrace=False)
    return found


def for_examples(check: Callable[..., None], *what: Any, daily: int, shrink: bool = True) -> None:
    """Calls ``check`` with examples of hypothesis strategies; the smallest that fails is told.

    Args:
        check: Takes one value of each strategy.
        what: The strategies.
        daily: How many examples are tried outside of a soak.
        shrink: Whether a smaller example says more than the first.
    """
    strategies()
    from hypothesis import HealthCheck, Phase, given, settings

    soak = settings.get_current_profile_name() not in _DAILY
    tried: Any = settings(
        max_examples=settings.default.max_examples if soak and settings.default else daily,
        derandomize=not soak,
        database=None,
        deadline=None,
        phases=[Phase.explicit, Phase.generate, *([Phase.shrink] if shrink and SHRINK else ())],
        suppress_health_check=list(HealthCheck),
    )
    given_examples: Any = given(*what)
    tried(given_examples(check))()


def for_seeds(check: Callable[[int], None], *, daily: int) -> None:
    """Calls ``check`` with many seeds; see :func:`for_examples`."""
    for_examples(check, strategies().integers(0, 1 << 64), daily=daily, shrink=False)
