"""The queue models that come with bloor.

Sources: Rigtorp, "Estimating order queue position"
(https://rigtorp.se/2013/06/08/estimating-order-queue-position.html), and the documentation of hftbacktest, "Order Fill"
(https://hftbacktest.readthedocs.io/en/latest/order_fill.html), whose names the families have.
"""

from __future__ import annotations

from types import ModuleType
from typing import ClassVar

import numpy as np
from attrs import frozen

from bloor.backtesting.models import averse_kernel, back_kernel, fifo_kernel, front_kernel, probable_kernel
from bloor.backtesting.models.parameters import parameter
from bloor.backtesting.models.queue import QueueModel
from bloor.model.instrument import Instrument
from bloor.native.memory import Cells

__all__ = [
    "QUEUE_MODELS",
    "Back",
    "Fifo",
    "Front",
    "LogProb",
    "LogProb2",
    "PowerProb",
    "PowerProb2",
    "PowerProb3",
    "RiskAverse",
]

_BOUNDED = "whether the estimate stays within 0 and the level; false is the published formula, bit for bit"


class _Plain(QueueModel):
    """A model without parameters."""

    def cells(self, instrument: Instrument) -> Cells:
        """Nothing: one cell, 0."""
        return np.zeros(1, np.int64)


@frozen(kw_only=True)
class RiskAverse(_Plain):
    """Only trades at the price bring the order forward, and what leaves the level when no more is behind it.

    hftbacktest's ``RiskAdverseQueueModel``.
    """

    name: ClassVar[str] = "risk-averse"
    kernels: ClassVar[tuple[ModuleType, ...]] = (averse_kernel,)


@frozen(kw_only=True)
class Front(_Plain):
    """The order is first in its queue: every trade at its price fills it. The best case."""

    name: ClassVar[str] = "front"
    kernels: ClassVar[tuple[ModuleType, ...]] = (front_kernel,)


@frozen(kw_only=True)
class Back(_Plain):
    """The order is last in its queue: only a trade or a book beyond its price fills it. The worst case."""

    name: ClassVar[str] = "back"
    kernels: ClassVar[tuple[ModuleType, ...]] = (back_kernel,)


@frozen(kw_only=True)
class Fifo(_Plain):
    """First in, first out, exact: for order-level data, which say whose order joined, left or was executed.

    The order stands behind every order that joined before it. It trades when an order that joined later is executed at
    its price, and as any order when the market trades beyond its price. hftbacktest's ``L3FIFOQueueModel``.
    """

    name: ClassVar[str] = "fifo"
    kernels: ClassVar[tuple[ModuleType, ...]] = (fifo_kernel,)
    by_order: ClassVar[bool] = True


class _Probable(QueueModel):
    """A model of :mod:`~bloor.backtesting.models.probable_kernel`."""

    kernels: ClassVar[tuple[ModuleType, ...]] = (probable_kernel,)
    family: ClassVar[int]
    bounded: bool

    @property
    def exponent(self) -> float:
        """The exponent of the power families."""
        return 1.0

    def cells(self, instrument: Instrument) -> Cells:
        """Family, whether bounded, exponent, and how many units are one of the base asset."""
        cells = np.zeros(probable_kernel.PARAMS, np.int64)
        cells[probable_kernel.FAMILY] = self.family
        cells[probable_kernel.BOUNDED] = self.bounded
        floats = cells.view(np.float64)
        floats[probable_kernel.EXPONENT] = self.exponent
        floats[probable_kernel.SCALE] = 10.0**instrument.qty_decimals
        return cells


class _Power(_Probable):
    """One of the power families."""

    n: float

    @property
    def exponent(self) -> float:
        """``n``."""
        return self.n


@frozen(kw_only=True)
class PowerProb(_Power):
    """What leaves without a trade left from behind with probability ``b**n / (b**n + f**n)``.

    hftbacktest's ``PowerProbQueueFunc``; ``f`` is what is ahead of the order, ``b`` what is behind it.
    """

    name: ClassVar[str] = "power-prob"
    family: ClassVar[int] = probable_kernel.POWER
    n: float = parameter(
        2.0, low=0.1, high=10.0, doc="exponent; the larger, the surer what left was in the longer part"
    )
    bounded: bool = parameter(True, doc=_BOUNDED)


@frozen(kw_only=True)
class PowerProb2(_Power):
    """What leaves without a trade left from behind with probability ``b**n / (b + f)**n``.

    hftbacktest's ``PowerProbQueueFunc2``.
    """

    name: ClassVar[str] = "power-prob2"
    family: ClassVar[int] = probable_kernel.POWER_2
    n: float = parameter(2.0, low=0.1, high=10.0, doc="exponent; the larger, the more the order advances")
    bounded: bool = parameter(True, doc=_BOUNDED)


@frozen(kw_only=True)
class PowerProb3(_Power):
    """What leaves without a trade left from behind with probability ``1 - (f / (f + b))**n``.

    hftbacktest's ``PowerProbQueueFunc3``.
    """

    name: ClassVar[str] = "power-prob3"
    family: ClassVar[int] = probable_kernel.POWER_3
    n: float = parameter(3.0, low=0.1, high=10.0, doc="exponent; the larger, the less the order advances")
    bounded: bool = parameter(True, doc=_BOUNDED)


@frozen(kw_only=True)
class LogProb(_Probable):
    """What leaves without a trade left from behind with probability ``ln(1 + b) / (ln(1 + b) + ln(1 + f))``.

    hftbacktest's ``LogProbQueueFunc``; quantities count in the base asset, so it depends on what one of it is.
    """

    name: ClassVar[str] = "log-prob"
    family: ClassVar[int] = probable_kernel.LOG
    bounded: bool = parameter(True, doc=_BOUNDED)


@frozen(kw_only=True)
class LogProb2(_Probable):
    """What leaves without a trade left from behind with probability ``ln(1 + b) / ln(1 + b + f)``.

    hftbacktest's ``LogProbQueueFunc2``; quantities count in the base asset.
    """

    name: ClassVar[str] = "log-prob2"
    family: ClassVar[int] = probable_kernel.LOG_2
    bounded: bool = parameter(True, doc=_BOUNDED)


#: Name -> class of every queue model that comes with bloor.
QUEUE_MODELS: dict[str, type[QueueModel]] = {
    cls.name: cls for cls in (RiskAverse, PowerProb, PowerProb2, PowerProb3, LogProb, LogProb2, Front, Back, Fifo)
}
