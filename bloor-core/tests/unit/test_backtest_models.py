"""Models by name: what a person writes, what plug-ins hand over, and what is refused."""

from __future__ import annotations

import re
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from bloor.backtesting.models import (
    Constant,
    FeeAsset,
    Flat,
    Lognormal,
    PowerProb,
    RiskAverse,
    described,
    parse_fees,
    parse_latency,
    parse_queue_model,
)
from bloor.cli.describe import describe_plugin
from bloor.config.duration import Duration
from bloor.errors import PluginError, UsageError
from bloor.model.instrument import Instrument
from bloor.native.caching import jit_is_off
from bloor.plugins import Catalog, PluginHost
from bloor.plugins.listing import listing

INSTRUMENT = Instrument(
    venue="v", symbol="X-Y", venue_symbol="XY", base="X", quote="Y", price_decimals=0, qty_decimals=0
)

HALFWAY = '''
import sys
from types import ModuleType
from typing import ClassVar

import numpy as np
from attrs import frozen

from bloor.backtesting.models import FeeModel, FeeSchedule, LatencyModel, QueueModel, fee_tiers, parameter
from bloor.hookspecs import hookimpl

import halfway_kernel


@frozen(kw_only=True)
class Halfway(QueueModel):
    """In the middle."""

    name = "halfway"
    kernels = (halfway_kernel,)
    part: int = parameter(2, low=1, high=9, doc="the part of the level that is ahead")

    def cells(self, instrument):
        return np.array([self.part], np.int64)


@frozen(kw_only=True)
class Slow(LatencyModel):
    name = "halfway"

    def samples(self, seed):
        return np.array([9]), np.array([9])


@frozen(kw_only=True)
class Dear(FeeModel):
    name = "halfway"

    def schedule(self, instrument):
        return FeeSchedule(tiers=fee_tiers(("0", "0.1", "0.1")))


@hookimpl
def bloor_queue_model():
    return Halfway


@hookimpl
def bloor_latency_model():
    return Slow


@hookimpl
def bloor_fee_model():
    return Dear
'''

KERNEL = """
from bloor.native.memory import cell_at, put_cell


def placed(params, queue, level, _unused):
    put_cell(queue, level // cell_at(params))
    return 0


def traded(_params, queue, units, _unused):
    ahead = cell_at(queue) - units
    put_cell(queue, max(ahead, 0))
    return max(-ahead, 0)


def changed(_params, queue, _before, _after):
    return 0
"""


@pytest.fixture
def bare() -> PluginHost:
    """A host without plug-ins."""
    return PluginHost(Catalog({}))


def halfway(on_path: Any, text: str = HALFWAY, kernel: str = KERNEL, kind: str = "queue_model") -> PluginHost:
    """A host with a plug-in that has a model of each kind."""
    files = {"halfway_models.py": text, "halfway_kernel.py": kernel}
    on_path.add("shop", {"halfway": "halfway_models"}, files, manifest={"halfway": f"{kind}:api1"})
    return PluginHost()


def test_queue_models_by_name(bare: PluginHost) -> None:
    """A name alone has the defaults."""
    assert parse_queue_model("risk-averse", bare) == RiskAverse()
    assert parse_queue_model(" power-prob:n=3 , bounded=false ", bare) == PowerProb(n=3.0, bounded=False)
    assert described(parse_queue_model("power-prob:n=3", bare)) == {"name": "power-prob", "n": 3.0, "bounded": True}


def test_latencies_by_name_and_by_time(bare: PluginHost) -> None:
    """A time is each way, two are entry and response."""
    assert parse_latency("5ms", bare) == Constant(entry=Duration(5_000_000), response=Duration(5_000_000))
    assert parse_latency("1.5ms/20us", bare) == Constant(entry=Duration(1_500_000), response=Duration(20_000))
    assert parse_latency("lognormal:entry=1ms", bare) == Lognormal(entry=Duration(1_000_000))
    assert described(parse_latency("5ms", bare)) == {"name": "constant", "entry": "5ms", "response": "5ms"}


def test_fees_by_name_and_by_rate(bare: PluginHost) -> None:
    """One rate is for both, two are maker and taker; digits are taken as they are written."""
    assert parse_fees("0.0002/0.0005", bare) == Flat(maker=Decimal("0.0002"), taker=Decimal("0.0005"))
    assert parse_fees("-0.0001/0.001", bare) == Flat(maker=Decimal("-0.0001"), taker=Decimal("0.001"))
    assert parse_fees("0.001", bare) == Flat()
    assert parse_fees("none", bare) == Flat(maker=Decimal(0), taker=Decimal(0))
    assert parse_fees("flat:taker=0.3,asset=received", bare) == Flat(taker=Decimal("0.3"), asset=FeeAsset.RECEIVED)
    assert parse_fees("tiers:file=a/b.json,volume=10", bare).traded == 10


@pytest.mark.parametrize(
    ("parse", "text", "says"),
    [
        (parse_queue_model, "", "--queue-model: expected a model, one of risk-averse, power-prob, power-prob2,"),
        (parse_queue_model, "power-prbo", "got 'power-prbo'; did you mean 'power-prob'?"),
        (parse_queue_model, "power-prob:m=3", "power-prob: m: expected one of n, bounded, got unknown key 'm'"),
        (parse_queue_model, "power-prob:boundd=true", "did you mean 'bounded'?"),
        (parse_queue_model, "power-prob:n=99", "--queue-model power-prob: n: expected a value <= 10.0, got '99'"),
        (parse_queue_model, "power-prob:n=x", "--queue-model power-prob: n: expected a finite number, got 'x'"),
        (parse_queue_model, "power-prob:n=nan", "n: expected a finite number, got 'nan'"),
        (parse_queue_model, "power-prob:n={a=1}", "power-prob: n: expected a finite number, got a table"),
        (parse_queue_model, "power-prob:n", "power-prob: expected key=value, the key one of n, bounded, got 'n'"),
        (parse_queue_model, "power-prob:", "expected key=value, the key one of n, bounded, got ''"),
        (parse_queue_model, "front:n=1", "front: n: expected no key at all, got unknown key 'n'"),
        (parse_queue_model, "front:", "front: expected key=value, the key nothing, for it has no parameters, got ''"),
        (parse_queue_model, "power-prob:n=1,n=2", "power-prob: expected each key once, got 'n' twice"),
        (parse_latency, "5", "--latency constant: entry: expected a duration with a unit such as 30s or 5m, got '5'"),
        (parse_latency, "5ms/", "--latency constant: response: expected a duration with a unit"),
        (parse_latency, "0ms", "--latency constant: entry: expected a value >= 1ns, got '0ms'"),
        (parse_latency, "1h", "--latency constant: entry: expected a value <= 10m, got '1h'"),
        (parse_latency, "lognormal:entry=20ms", "--latency lognormal: 'entry_p99' must be at least entry = 20ms: 10ms"),
        (parse_latency, "measured", "--latency measured: session: expected a path, got nothing; it has no default"),
        (parse_latency, "tabel", "got 'tabel'; did you mean 'table'?"),
        (parse_fees, "2/0", "--fees flat: maker: expected a value <= 1, got '2'"),
        (parse_fees, "0/0.00000000001", "--fees flat: taker: expected a value within -1 and 1 with at most 9 decimals"),
        (parse_fees, "1e999/0", "--fees flat: maker: expected a decimal number, got '1e999'"),
        (parse_fees, "flat:asset=base", "--fees flat: asset: expected one of 'quote', 'received', got 'base'"),
        (parse_fees, "falt", "--fees: expected a model, one of flat, tiers, got 'falt'; did you mean 'flat'?"),
    ],
)  # fmt: skip
def test_what_is_no_model_is_refused(bare: PluginHost, parse: Any, text: str, says: str) -> None:
    """The message says what was expected, what came and where, and ends the command with 2."""
    with pytest.raises(UsageError) as caught:
        parse(text, bare)
    assert says in str(caught.value)
    assert caught.value.exit_code == 2


def test_models_of_plug_ins(on_path: Any) -> None:
    """A plug-in's class is found by its name, and its parameters are read like those of the others."""
    host = halfway(on_path)
    assert host.queue_model("halfway").__name__ == "Halfway"
    assert described(parse_queue_model("halfway:part=4", host)) == {"name": "halfway", "part": 4}
    with pytest.raises(UsageError, match=r"--queue-model halfway: part: expected a value >= 1, got '0'"):
        parse_queue_model("halfway:part=0", host)
    with pytest.raises(
        UsageError, match=r"one of risk-averse, .*, back, fifo, halfway, got 'halfwy'; did you mean 'halfway'"
    ):
        parse_queue_model("halfwy", host)


def test_models_of_a_plug_in_of_another_kind(on_path: Any) -> None:
    """Fees of a venue are found by the venue's name; a latency model says that it is one."""
    host = halfway(on_path, kind="venue")
    tier = parse_fees("halfway", host).schedule(INSTRUMENT).tiers[0]
    assert tier.maker == Decimal("0.1")
    with pytest.raises(UsageError, match=r"--latency: expected a model, one of constant, .*, got 'halfway'"):
        parse_latency("halfway", host)


@pytest.mark.skipif(jit_is_off(), reason="compiled code")
def test_a_plug_ins_kernels_are_compiled(on_path: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its three functions do in compiled code what they say."""
    import numpy as np

    entries = parse_queue_model("halfway:part=4", halfway(on_path)).entries(INSTRUMENT)
    queue = np.zeros(4, np.int64)
    at, call = int(queue.ctypes.data), entries.entries.call
    assert call["placed"](entries.params, at, 100, 0) == 0
    assert [int(call["traded"](entries.params, at, 20, 0)) for _ in range(3)] == [0, 15, 20]
    assert len({entries.placed, entries.traded, entries.changed, 0}) == 4


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ("def traded(_params, queue, units, _unused)", "def traded(_params, queue, units)", "traded() of 4 arguments"),
        ("def changed(", "def change(", "changed() of 4 arguments in its last kernel file, halfway_kernel"),
        ("level // cell_at(params)", "str(level)", "expected kernels that numba compiles"),
    ],
)
@pytest.mark.skipif(jit_is_off(), reason="compiled code")
def test_kernels_that_are_none_are_told(on_path: Any, old: str, new: str, says: str) -> None:
    """The plug-in is named, and what is wrong with its kernels."""
    host = halfway(on_path, kernel=KERNEL.replace(old, new))
    with pytest.raises(PluginError) as caught:
        parse_queue_model("halfway", host).entries(INSTRUMENT)
    assert str(caught.value).startswith("plug-in 'halfway': queue model: ")
    assert says in str(caught.value)


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ("return Halfway", "return Slow", "expected a subclass of bloor.backtesting.models.queue.QueueModel, got"),
        ("return Halfway", "return Halfway()", "return the class itself, not an instance"),
        ('"halfway"\n    kernels', '"other"\n    kernels', "expected Halfway.name to be 'halfway', got 'other'"),
        ("def cells(self", "def cels(self", "the class Halfway does not implement cells"),
        ("@frozen(kw_only=True)\nclass Halfway", "class Halfway", "expected Halfway to be an attrs class"),
    ],
)  # fmt: skip
def test_what_a_hook_hands_over_is_checked(on_path: Any, old: str, new: str, says: str) -> None:
    """A class that is no model is refused when it is asked for, and the plug-in is named."""
    host = halfway(on_path, text=HALFWAY.replace(old, new))
    with pytest.raises(PluginError, match=r"plug-in 'halfway' from shop 1\.0") as caught:
        parse_queue_model("halfway", host)
    assert says in str(caught.value)


def test_a_model_is_described(on_path: Any) -> None:
    """``bloor plugins list`` has its kind, and ``bloor plugins info`` its parameters."""
    text = HALFWAY.replace("@hookimpl\ndef bloor_latency", "def _no_").replace("@hookimpl\ndef bloor_fee", "def _no_")
    host = halfway(on_path, text=text.replace("_no__model", "_nothing"))
    assert ("halfway", "queue_model", "ok") in [(row["name"], row["kind"], row["state"]) for row in listing(host)]
    document = describe_plugin(host, "halfway")
    assert (document["summary"], document["section"]) == ("In the middle.", "")
    doc = "the part of the level that is ahead"
    assert document["settings"] == [{"key": "part", "type": "an integer", "default": "2", "doc": doc}]


def test_the_model_of_the_page_on_models(on_path: Any) -> None:
    """What the documentation shows works as it stands."""
    page = Path(__file__).parents[3] / "docs" / "explanation" / "backtest-models.md"
    [text] = re.findall(r"^```python\n(.*?)^```$", page.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)
    on_path.add("far", {"remote": "far_remote"}, {"far_remote.py": text}, manifest={"remote": "latency_model:api1"})
    entry, response = parse_latency("remote:often=4", PluginHost()).samples(6)
    assert entry.tolist() == [80_000_000, 80_000_000, 240_000_000, 80_000_000]
    assert response.tolist() == [80_000_000]


def test_a_plug_in_with_the_name_of_a_model_is_told(on_path: Any) -> None:
    """Neither of them is taken in silence."""
    on_path.add("shop", {"front": "shop_front"}, {"shop_front.py": ""}, manifest={"front": "queue_model:api1"})
    with pytest.raises(UsageError, match="'front' comes with bloor, and a plug-in has the same name"):
        parse_queue_model("front", PluginHost())
