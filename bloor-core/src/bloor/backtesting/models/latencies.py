"""The latency models that come with bloor."""

from __future__ import annotations

import math
import zipfile
from pathlib import Path
from random import Random
from statistics import NormalDist
from typing import Any, ClassVar

import numpy as np
from attrs import frozen

from bloor.backtesting.models.latency import LONGEST_NS, LatencyModel, checked
from bloor.backtesting.models.measured import Measured
from bloor.backtesting.models.parameters import parameter
from bloor.config.duration import Duration
from bloor.errors import InputFileError
from bloor.native.memory import Cells

__all__ = ["LATENCY_MODELS", "Constant", "Lognormal", "Table"]

_LOW, _HIGH = Duration(1), Duration(LONGEST_NS)
#: How many latencies a distribution is made of; with it, 41 of them are beyond the 99th percentile.
SAMPLES = 4096
#: The 99th percentile of the normal distribution.
_Z99 = NormalDist().inv_cdf(0.99)


@frozen(kw_only=True)
class Constant(LatencyModel):
    """Always the same; 2 ms each way by default, as from a server in the venue's region."""

    name: ClassVar[str] = "constant"
    entry: Duration = parameter(
        Duration(2_000_000), low=_LOW, high=_HIGH, doc="from the decision to the venue's matching"
    )
    response: Duration = parameter(Duration(2_000_000), low=_LOW, high=_HIGH, doc="from the venue's matching to us")

    def samples(self, seed: int) -> tuple[Cells, Cells]:
        """One of each."""
        return np.array([self.entry.ns], np.int64), np.array([self.response.ns], np.int64)


@frozen(kw_only=True)
class Lognormal(LatencyModel):
    """Lognormal, each way for itself, told by its median and its 99th percentile.

    The latencies are the 4096 middle quantiles of the distribution, so that they have its percentiles whatever the
    seed is; the seed gives their order.
    """

    name: ClassVar[str] = "lognormal"
    entry: Duration = parameter(
        Duration(2_000_000), low=_LOW, high=_HIGH, doc="median from the decision to the venue's matching"
    )
    entry_p99: Duration = parameter(
        Duration(10_000_000), low=_LOW, high=_HIGH, doc="99th percentile of it, at least the median"
    )
    response: Duration = parameter(
        Duration(2_000_000), low=_LOW, high=_HIGH, doc="median from the venue's matching to us"
    )
    response_p99: Duration = parameter(
        Duration(10_000_000), low=_LOW, high=_HIGH, doc="99th percentile of it, at least the median"
    )

    def __attrs_post_init__(self) -> None:
        for way in ("entry", "response"):
            median, p99 = getattr(self, way), getattr(self, f"{way}_p99")
            if p99 < median:
                raise ValueError(f"'{way}_p99' must be at least {way} = {median}: {p99}")

    def samples(self, seed: int) -> tuple[Cells, Cells]:
        """4096 of each."""
        chance = Random(seed)
        pairs = ((self.entry, self.entry_p99), (self.response, self.response_p99))
        entry, response = (_shuffled(_quantiles(median.ns, p99.ns), chance) for median, p99 in pairs)
        return entry, response


def _quantiles(median_ns: int, p99_ns: int) -> Cells:
    sigma = math.log(p99_ns / median_ns) / _Z99
    normal = NormalDist()
    found = [median_ns * math.exp(sigma * normal.inv_cdf((i + 0.5) / SAMPLES)) for i in range(SAMPLES)]
    return np.array([min(max(round(ns), 1), LONGEST_NS) for ns in found], np.int64)


def _shuffled(values: Cells, chance: Random) -> Cells:
    """In an order by chance; only ``random()`` of a seed is promised to stay the same in other versions of Python."""
    return values[np.argsort([chance.random() for _ in range(values.size)], kind="stable")]


@frozen(kw_only=True)
class Table(LatencyModel):
    """The latencies of a file, one request after the other, in its order.

    The file is a ``.npz`` or ``.npy`` with one structured array of int64 fields ``req_ts``, ``exch_ts``, ``resp_ts``
    (ns), as hftbacktest's order latency data. Requests that the venue did not process (``exch_ts`` 0) are left out.
    Times of the day do not matter: a latency is that of the next request, not that of the same hour.
    """

    name: ClassVar[str] = "table"
    file: Path = parameter(doc="the .npz file")

    def samples(self, seed: int) -> tuple[Cells, Cells]:
        """One of each for each row."""
        rows = _rows(self.file)
        done = rows[rows["exch_ts"] > 0]
        what = f"{self.file}: exch_ts - req_ts"
        entry = checked(what, done["exch_ts"].astype(np.int64) - done["req_ts"].astype(np.int64))
        what = f"{self.file}: resp_ts - exch_ts"
        return entry, checked(what, done["resp_ts"].astype(np.int64) - done["exch_ts"].astype(np.int64))


def _rows(file: Path) -> Any:
    try:
        with file.open("rb") as stream:  # numpy leaves it open where it is no archive
            loaded: Any = np.load(stream, allow_pickle=False)
            found = loaded if isinstance(loaded, np.ndarray) else loaded[next(iter(loaded.files), "data")]
    except OSError as error:
        raise InputFileError(str(file), f"cannot be read: {error.strerror or error}") from None
    except (ValueError, KeyError, EOFError, TypeError, zipfile.BadZipFile) as error:
        raise InputFileError(str(file), f"expected an .npz file with order latencies: {error}") from None
    missing = {"req_ts", "exch_ts", "resp_ts"} - set(found.dtype.names or ())
    if missing or found.ndim != 1:
        raise InputFileError(str(file), f"expected rows with req_ts, exch_ts and resp_ts, got {found.dtype}")
    if not all(np.issubdtype(found.dtype[name], np.integer) for name in ("req_ts", "exch_ts", "resp_ts")):
        raise InputFileError(str(file), f"expected times in integers of nanoseconds, got {found.dtype}")
    return found


#: Name -> class of every latency model that comes with bloor.
LATENCY_MODELS: dict[str, type[LatencyModel]] = {cls.name: cls for cls in (Constant, Lognormal, Measured, Table)}
