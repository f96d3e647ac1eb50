"""The name of a strategy class that belongs to no plug-in."""

from __future__ import annotations

import re

from bloor.strategy.api import Strategy

__all__ = ["strategy_name"]

_WORDS = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])|_+")


def strategy_name(cls: type[Strategy]) -> str:
    """Its own name, or the class's: ``MeanReversion`` is ``mean-reversion``.

    A class that does not say a name itself is given this one, since reports say it.
    """
    if not vars(cls).get("name"):
        cls.name = _WORDS.sub("-", cls.__name__.strip("_")).lower()
    return cls.name
