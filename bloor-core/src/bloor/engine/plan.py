"""What an engine is built from: everything resolved, nothing left to look up."""

from __future__ import annotations

from typing import Any

from attrs import field, frozen

from bloor.hookspecs import ExecutorSpec, FeedSpec, NormalizerSpec
from bloor.model.instrument import Instrument
from bloor.model.reporting import Reporting, reporting
from bloor.risk.check import RiskCheck
from bloor.strategy.api import Strategy
from bloor.venue.session import Endpoints

__all__ = ["EnginePlan", "StrategyPlan", "VenuePlan"]


@frozen(kw_only=True)
class VenuePlan:
    """One venue of a run.

    Attributes:
        feed: Its market data.
        normalizer: How its frames are read.
        executor: Its order entry.
        config: Its configuration, of its own type.
        endpoints: Where it is.
        credentials: Its keys, of its own type; never shown.
        instruments: What is traded there.
        level3_credentials: The keys that its market data by order are opened with; None where it has none.
    """

    feed: FeedSpec
    normalizer: NormalizerSpec
    executor: ExecutorSpec
    config: Any
    endpoints: Endpoints
    credentials: Any = field(repr=False)
    instruments: tuple[Instrument, ...]
    level3_credentials: Any = field(default=None, repr=False)

    @property
    def venue(self) -> str:
        """The venue's name."""
        return self.feed.venue

    def record(self) -> dict[str, Any]:
        """Its part of :meth:`EnginePlan.record`; of the keys only what kind they are."""
        stand_in, level3 = self.executor.stand_in, self.feed.by_order(self.config)
        return {
            "venue": self.venue,
            "endpoints": list(self.endpoints),
            "keys": None if stand_in is None else stand_in.kind(self.credentials),
            "instruments": [i.record() for i in self.instruments],
            **({} if level3 is None else {"level3": level3.stand_in.kind(self.level3_credentials)}),
        }


@frozen(kw_only=True)
class StrategyPlan:
    """One strategy of a run; it gets one instance per instrument, or one for all (:attr:`Strategy.together`)."""

    name: str
    cls: type[Strategy]
    config: Any


@frozen(kw_only=True)
class EnginePlan:
    """A whole run.

    Attributes:
        venues: In the order of their connection numbers.
        strategies: In the order of their numbers.
        checks: Risk checks with their limits resolved.
        node: Number of this host, part of every client order id.
        epoch: Raised at every start, part of every client order id and journal record.
        seed: Seeds the jitter of time-outs.
        reporting: In what its money is told.
        fused: Whether strategies that are declared compiled run in machine code where everything around them can; the
            decisions are the same.
    """

    venues: tuple[VenuePlan, ...]
    strategies: tuple[StrategyPlan, ...]
    checks: tuple[tuple[type[RiskCheck], Any], ...]
    node: int = 1
    epoch: int = 1
    seed: int = 0
    fused: bool = True
    reporting: Reporting = field()

    @reporting.default
    def _in_one_currency(self) -> Reporting:
        return reporting(i.quote for i in self.instruments)

    def record(self) -> dict[str, Any]:
        """What a journal must say for its decisions to be made again: all but plug-ins, configuration and keys."""
        return {
            "node": self.node,
            "epoch": self.epoch,
            "seed": self.seed,
            "venues": [v.record() for v in self.venues],
            "strategies": [s.name for s in self.strategies],
            "reporting": self.reporting.record(),
        }

    def notices(self) -> list[str]:
        """What the user should be told of it."""
        return [
            *self.reporting.notices(),
            *(
                f"strategy {s.name} trades several instruments together and has one, {i.venue}:{i.symbol}; "
                "name more with --symbol, or more venues with --venue"
                for s in self.strategies if s.cls.together for i in self.instruments if len(self.instruments) == 1
            ),
        ]  # fmt: skip

    @property
    def instruments(self) -> tuple[Instrument, ...]:
        """Every instrument of the run; a record's instrument number points into it."""
        return tuple(i for venue in self.venues for i in venue.instruments)
