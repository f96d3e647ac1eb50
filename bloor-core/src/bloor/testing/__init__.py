"""The test kit for plug-in authors: numbered contract cards for every kind of plug-in, and what else tests need.

::

    from bloor.testing import FeedCards


    class TestFeed(FeedCards):
        plugin = "mine"

A card is one promise that a plug-in of a kind makes: a test method with a number that never changes (``F07``), a
sentence that says what holds and why, and a failure that says what to do. :mod:`bloor.testing.cards` has the rules;
the reference page on cards lists them all. pytest and hypothesis are needed: ``pip install "bloor-core[testing]"``.

Beside the cards: :class:`~bloor.testing.virtual.VirtualRun` (a whole run in virtual time),
:class:`~bloor.testing.listening.Listener` (a feed in virtual time), :class:`~bloor.testing.bothforms.BothForms` (a
strategy compiled and not) and :class:`~bloor.testing.bothpipelines.BothPipelines` (a normalizer compiled and not).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from bloor.testing.cards.executor import ExecutorCards as ExecutorCards
    from bloor.testing.cards.fee_model import FeeModelCards as FeeModelCards
    from bloor.testing.cards.feed import FeedCards as FeedCards
    from bloor.testing.cards.latency_model import LatencyModelCards as LatencyModelCards
    from bloor.testing.cards.normalizer import NormalizerCards as NormalizerCards
    from bloor.testing.cards.queue_model import QueueModelCards as QueueModelCards
    from bloor.testing.cards.risk_check import RiskCheckCards as RiskCheckCards
    from bloor.testing.cards.simulated_venue import SimulatedVenueCards as SimulatedVenueCards
    from bloor.testing.cards.strategy import StrategyCards as StrategyCards

__all__ = [
    "ExecutorCards",
    "FeeModelCards",
    "FeedCards",
    "LatencyModelCards",
    "NormalizerCards",
    "QueueModelCards",
    "RiskCheckCards",
    "SimulatedVenueCards",
    "StrategyCards",
]

#: Where each name comes from.
_HOMES = {
    "ExecutorCards": "bloor.testing.cards.executor",
    "FeeModelCards": "bloor.testing.cards.fee_model",
    "FeedCards": "bloor.testing.cards.feed",
    "LatencyModelCards": "bloor.testing.cards.latency_model",
    "NormalizerCards": "bloor.testing.cards.normalizer",
    "QueueModelCards": "bloor.testing.cards.queue_model",
    "RiskCheckCards": "bloor.testing.cards.risk_check",
    "SimulatedVenueCards": "bloor.testing.cards.simulated_venue",
    "StrategyCards": "bloor.testing.cards.strategy",
}


def __getattr__(name: str) -> Any:
    """The cards of a kind, imported when they are first asked for: pytest imports this package in every run."""
    from importlib import import_module

    if name not in _HOMES:
        raise AttributeError(f"module 'bloor.testing' has no attribute {name!r}")
    return getattr(import_module(_HOMES[name]), name)


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
