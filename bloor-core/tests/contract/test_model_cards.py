"""The cards of models: a plug-in with one of each kind passes all, and each card catches a line made wrong."""

from __future__ import annotations

from typing import Any, NamedTuple

import pytest

from bloor.native.caching import jit_is_off
from bloor.testing import FeeModelCards, LatencyModelCards, QueueModelCards, examples
from bloor.testing.cards.base import cards_of

CARDS: dict[str, Any] = {"Q": QueueModelCards, "L": LatencyModelCards, "C": FeeModelCards}

MODELS = '''
from decimal import Decimal
from typing import ClassVar

import numpy as np
from attrs import frozen

from bloor.backtesting.models import FeeModel, FeeSchedule, LatencyModel, QueueModel, fee_tiers, parameter
from bloor.config.duration import Duration
from bloor.hookspecs import hookimpl

import halfway_kernel


@frozen(kw_only=True)
class Queue(QueueModel):
    """A part of the level is ahead."""

    name: ClassVar[str] = "halfway"
    kernels = (halfway_kernel,)
    part: int = parameter(2, low=1, high=9, doc="the part of the level that is ahead")

    def cells(self, instrument):
        return np.array([self.part], np.int64)


@frozen(kw_only=True)
class Latency(LatencyModel):
    """Later requests are slower."""

    name: ClassVar[str] = "halfway"
    most: Duration = parameter(Duration(9), low=Duration(2), high=Duration(10**9), doc="the longest latency")

    def samples(self, seed):
        ways = np.linspace(1, self.most.ns, 7).astype(np.int64)
        return ways, ways + seed % 3


@frozen(kw_only=True)
class Fees(FeeModel):
    """A tenth."""

    name: ClassVar[str] = "halfway"
    volume: Decimal = parameter(Decimal(3), low=Decimal(0), doc="traded in the days before")

    @property
    def traded(self):
        return self.volume

    def schedule(self, instrument):
        return FeeSchedule(tiers=fee_tiers(("0", "-0.1", "0.1")))


@hookimpl
def bloor_queue_model():
    return Queue


@hookimpl
def bloor_latency_model():
    return Latency


@hookimpl
def bloor_fee_model():
    return Fees
'''

KERNEL = """
from bloor.native.memory import cell_at, put_cell

SCALE = 1


def placed(params, queue, level, _unused):
    put_cell(queue, level // cell_at(params))
    return 0


def traded(params, queue, units, _unused):
    ahead = cell_at(queue) - units
    put_cell(queue, max(ahead, 0))
    return max(-ahead, 0)


def changed(params, queue, _before, _after):
    return 0
"""


class Wrong(NamedTuple):
    """A line that is made wrong, and the card that must see it."""

    card: str
    line: str
    becomes: str


WRONG = [
    Wrong("Q01", '    """A part of the level is ahead."""\n', "    ...\n"),
    Wrong("Q02", 'low=1, high=9, doc="the part', 'low=1, doc="the part'),
    Wrong("Q03", "np.array([self.part], np.int64)", "np.array([self.part], np.float64)"),
    Wrong("Q04", "return max(-ahead, 0)", "return max(-2 * ahead, 0)"),
    Wrong("Q05", "return max(-ahead, 0)", "return max(-ahead, 0) if units < 100 else 0"),
    Wrong("Q06", "put_cell(queue, max(ahead, 0))", "put_cell(queue + 32, max(ahead, 0))"),
    Wrong("Q07", "SCALE = 1\n", "SCALE = [0]\n"),
    Wrong("Q08", "SCALE = 1\n", "SCALE = [0]\n"),
    Wrong("L01", 'name: ClassVar[str] = "halfway"\n    most', 'name: ClassVar[str] = "half"\n    most'),
    Wrong("L02", 'doc="the longest latency"', 'doc=""'),
    Wrong("L03", "np.linspace(1,", "np.linspace(0,"),
    Wrong("L04", "ways + seed % 3", "ways + id(object()) % 997 + np.random.default_rng().integers(10**6)"),
    Wrong("C01", "@frozen(kw_only=True)\nclass Fees", "@define(kw_only=True)\nclass Fees"),
    Wrong("C02", 'doc="traded in the days before"', 'doc="traded"'),
    Wrong("C03", '"-0.1", "0.1"', 'f"0.{id(object()) % 9}{np.random.default_rng().integers(10**6)}", "0.1"'),
    Wrong("C04", "return self.volume", "return -self.volume"),
    Wrong("C05", "return FeeSchedule(", "return type('Dear', (), {'cells': dear})("),
]


def install(on_path: Any, wrong: Wrong | None = None) -> None:
    """The plug-in, with one line made wrong."""
    models, kernel = MODELS, KERNEL
    if wrong is not None:
        assert wrong.line in models + kernel, wrong
        models, kernel = (text.replace(wrong.line, wrong.becomes) for text in (models, kernel))
    models = models.replace("from attrs import frozen", "from attrs import define, frozen")
    models = models.replace("import halfway_kernel", f"import halfway_kernel\n{DEAR}")
    if "SCALE = [0]" in kernel:  # remembers beside its cells: what it answers depends on what was asked before
        kernel = kernel.replace("    return max(-ahead, 0)", "    SCALE[0] += 1\n    return min(SCALE[0] % 7, units)")
    files = {"halfway_models.py": models, "halfway_kernel.py": kernel}
    on_path.add("shop", {"halfway": "halfway_models"}, files, manifest={"halfway": "queue_model:api1"})


#: A schedule whose fills cost more than they are worth; no FeeTier allows such a rate.
DEAR = """

def dear(self, instrument, traded):
    cells = FeeSchedule(tiers=fee_tiers(("0", "0.1", "0.1"))).cells(instrument, traded)
    cells[-1] = 2 * 10**9
    return cells
"""


def run(number: str) -> None:
    """Runs one card."""
    cls: Any = type("OfHalfway", (CARDS[number[0]],), {"plugin": "halfway"})
    (found,) = [each for each in cards_of(cls) if each.number == number]
    getattr(cls(), found.name)()


NUMBERS = [card.number for cls in CARDS.values() for card in cards_of(cls)]


@pytest.fixture(autouse=True)
def first_example_will_do(monkeypatch: pytest.MonkeyPatch) -> None:
    """No time is spent on smaller examples."""
    monkeypatch.setattr(examples, "SHRINK", False)


@pytest.mark.parametrize("number", NUMBERS)
def test_sound_models_pass(on_path: Any, number: str) -> None:
    """A plug-in that keeps its promises passes every card."""
    if number == "Q08" and jit_is_off():
        pytest.skip("compares compiled code")
    install(on_path)
    run(number)


def test_every_card_is_shown_to_catch() -> None:
    """No card is there that never failed."""
    assert sorted(wrong.card for wrong in WRONG) == sorted(NUMBERS)


@pytest.mark.parametrize("wrong", WRONG, ids=[wrong.card for wrong in WRONG])
def test_a_wrong_line_is_caught(on_path: Any, wrong: Wrong) -> None:
    """The card of this number fails, and says what it holds."""
    if wrong.card == "Q08" and jit_is_off():
        pytest.skip("compares compiled code")
    install(on_path, wrong)
    with pytest.raises((Exception, pytest.fail.Exception)) as caught:
        run(wrong.card)
    notes = [*getattr(caught.value, "__notes__", ()), str(caught.value)]
    assert any(wrong.card in note for note in notes)
