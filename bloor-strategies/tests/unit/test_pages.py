"""Each strategy's page says what its code says."""

from __future__ import annotations

from pathlib import Path

import pytest

from bloor.strategy.api import Strategy
from bloor.strategy.params import params_of
from bloor_strategies.arbitrage import Arbitrage
from bloor_strategies.avellaneda_stoikov import AvellanedaStoikov
from bloor_strategies.glft import GLFT
from bloor_strategies.grid import Grid
from bloor_strategies.imbalance import Imbalance
from bloor_strategies.mean_reversion import MeanReversion
from bloor_strategies.micro_price import MicroPrice
from bloor_strategies.momentum import Momentum
from bloor_strategies.pairs import Pairs
from bloor_strategies.triangular import Triangular

DOCS = Path(__file__).resolve().parents[3] / "docs"
PAGES = [Arbitrage, AvellanedaStoikov, GLFT, Grid, Imbalance, MeanReversion, MicroPrice, Momentum, Pairs, Triangular]
pytestmark = pytest.mark.skipif(not DOCS.is_dir(), reason="the documentation is in the whole checkout")


def said(value: float) -> str:
    """A number as a table has it."""
    if isinstance(value, bool):
        return str(value).lower()
    return f"{value:,}" if isinstance(value, int) else f"{value:g}"


@pytest.mark.parametrize("cls", PAGES)
def test_the_table_has_every_parameter(cls: type[Strategy]) -> None:
    """Default, bounds and meaning of each, as they are declared."""
    page = (DOCS / "strategies" / f"{cls.name}.md").read_text(encoding="utf-8")
    for name, (kind, declared) in params_of(cls).items():
        bounds = "" if kind is bool else f"{said(declared.low or 0)}, {said(declared.high or 0)}"
        assert f"| `{name}` | {said(kind(declared.default))} | {bounds} | {declared.doc} |" in page


@pytest.mark.parametrize("cls", PAGES)
def test_the_plot_is_there_and_light(cls: type[Strategy]) -> None:
    """It is shown on the page, and has less than 60 KB."""
    page = (DOCS / "strategies" / f"{cls.name}.md").read_text(encoding="utf-8")
    assert f"](../images/strategies/{cls.name}.svg)" in page
    assert (DOCS / "images" / "strategies" / f"{cls.name}.svg").stat().st_size < 60_000
