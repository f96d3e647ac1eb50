"""The compiled normalizer, before anything looks at how long a test takes."""

from __future__ import annotations

import pytest

from bloor.market.compiled.binding import bind
from bloor.market.compiled.context import Context
from bloor_kraken.compiled.normalizer import compiled_kraken


@pytest.fixture(scope="session", autouse=True)
def warmed() -> None:
    """Compiles it, or reads it from disk."""
    normalizer = compiled_kraken()
    bind(normalizer, Context(normalizer.rule))
