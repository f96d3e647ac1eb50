"""The cards of a latency model: latencies that can be, and the same ones for the same seed."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, ClassVar

import attrs
import numpy as np

from bloor.backtesting.models import LatencyModel
from bloor.backtesting.models.latency import LONGEST_NS
from bloor.testing.cards.base import Cards
from bloor.testing.modelling import check_class, check_parameters, variants

__all__ = ["LatencyModelCards"]

SEEDS = (0, 1, 1 << 40)


class LatencyModelCards(Cards):
    """What every latency model promises.

    Attributes:
        parameters: Values of the parameters that have no default.
    """

    kind: ClassVar[str] = "latency model"
    hook: ClassVar[str] = "bloor_latency_model"
    parameters: ClassVar[Mapping[str, Any]] = {}

    @property
    def model(self) -> type[LatencyModel]:
        """The plug-in's class."""
        cls: type[LatencyModel] = self.host.answers(self.plugin)[self.hook]
        return cls

    def capabilities(self) -> dict[str, bool | str]:
        """Its parameters."""
        known: Any = self.model
        return {"parameters": ", ".join(field.name for field in attrs.fields(known)) or "none"}

    def test_l01_its_class_says_what_it_is(self) -> None:
        """The class has the plug-in's name, a docstring, and cannot be changed.

        Results name the model by it; the text is what ``bloor plugins info`` shows.
        """
        check_class(self.model, self.plugin, self.parameters)

    def test_l02_its_parameters_are_documented_and_bounded(self) -> None:
        """Every parameter says what it means; every number has bounds, and what is beyond them is refused.

        A mistyped zero should be refused when the backtest starts.
        """
        check_parameters(self.model, self.parameters)

    def test_l03_its_latencies_can_be(self) -> None:
        """Each way has at least one latency, in whole nanoseconds, of 1 ns to 10 minutes.

        Tried with several seeds, and each parameter at its bounds. Nothing reaches a venue before it is sent.
        """
        for model, seed, ways in self._sampled():
            assert len(ways) == 2, f"{model}.samples({seed}): expected entry and response, got {len(ways)} of them"
            for way in ways:
                good = isinstance(way, np.ndarray) and way.dtype == np.int64 and way.ndim == 1 and way.size
                assert good, f"{model}.samples({seed}): expected (n,) int64 with n above 0, got {way!r:.80}"
                low, high = int(way.min()), int(way.max())
                assert low >= 1 and high <= LONGEST_NS, (
                    f"{model}.samples({seed}): expected 1 ns to 10 minutes, got {low} to {high} ns"
                )

    def test_l04_the_same_seed_gives_the_same(self) -> None:
        """Asked twice with a seed, it gives the same latencies in the same order.

        The same backtest gives the same result, to the bit.
        """
        for model, seed, ways in self._sampled():
            again = model.samples(seed)
            for one, other in zip(ways, again, strict=True):
                assert np.array_equal(one, other), f"{model}.samples({seed}): expected the same twice, got others"

    def _sampled(self) -> Iterator[tuple[LatencyModel, int, tuple[Any, ...]]]:
        for model in variants(self.model, self.parameters):
            for seed in SEEDS:
                yield model, seed, tuple(model.samples(seed))
