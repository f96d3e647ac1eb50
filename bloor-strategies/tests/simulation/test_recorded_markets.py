"""Every strategy on markets that were recorded: as a simulated venue plays them, and in backtests of two at once.

The two are Bitcoin's spot and perpetual market, heard at the same time: one price, and a basis of some basis points. No
recording has the three pairs of a triangle.
"""

from __future__ import annotations

from collections import defaultdict
from pathlib import Path

import pytest

import bloor
from bloor.plugins import PluginHost
from bloor.storage.importing import ImportOptions, import_data
from bloor.testing.virtual import VirtualRun

pytestmark = pytest.mark.recorded
SPOT, PERPETUAL = "binance:BTC-USDT", "binance-usdm:BTC-USDT"
FOLDERS = {"binance": "binance_spot", "binance-usdm": "binance_usdm"}
FILE = "btcusdt_20240808.txt.gz"


@pytest.mark.parametrize(
    "name", ["avellaneda-stoikov", "glft", "grid", "imbalance", "mean-reversion", "micro-price", "momentum"]
)
def test_it_trades_a_recorded_market(name: str, recordings: Path) -> None:
    """Most of a minute as a simulated venue plays it: it trades, is not halted, and is never short."""
    run = VirtualRun([name], symbols=["BTC-USDT"], data=[recordings / FOLDERS["binance"] / FILE])
    run.for_seconds(45)
    run.finish()
    held = 0
    for fill in run.fills:
        held += fill.side * fill.units
        assert held >= 0
    assert run.fills
    assert run.engine.blotter.tally().denied == 0
    assert not [desk.halted for desk in run.engine.desks if desk.halted]


@pytest.fixture(scope="module")
def both(recordings: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A catalogue of both markets, heard at the same time."""
    catalogue, plugins = tmp_path_factory.mktemp("both"), PluginHost()
    for venue, folder in FOLDERS.items():
        options = ImportOptions(parquet=False)
        assert [
            done.new
            for done in import_data(catalogue, plugins.normalizer(venue), [recordings / folder / FILE], options)
        ]
    return catalogue


def played(name: str, both: Path, **parameters: float) -> tuple[bloor.BacktestResult, dict[str, list[int]]]:
    """A backtest over both markets without fees, and what it held of each in units after every fill."""
    sets = {f"strategy.{name}.{key}": value for key, value in parameters.items()}
    result = bloor.backtest(name, both, symbols=[SPOT, PERPETUAL], set=sets, fees="0", progress=False)
    held: dict[str, list[int]] = defaultdict(lambda: [0])
    for fill in result.fills:
        units = round(float(fill["qty"]) * 1e8)
        held[fill["venue"]].append(held[fill["venue"]][-1] + (units if fill["side"] == "buy" else -units))
    assert not [row["halted"] for row in result.positions if row["halted"]]
    assert result.document["denials"] == {}
    assert all(min(each) >= 0 for each in held.values())
    return result, held


def test_arbitrage_takes_what_is_apart_until_it_is_sold(both: Path) -> None:
    """The perpetual is some four basis points below spot: without fees spot is sold empty, and as much is held then.

    With the fees of the first tiers counted the same market is left alone, once the inventory is bought.
    """
    result, held = played("arbitrage", both, fee0_bps=0.0, fee1_bps=0.0)
    bought = max(held["binance"])
    assert held["binance"][-1] < bought / 50
    assert held["binance-usdm"][-1] == pytest.approx(2 * bought, rel=0.05)
    assert result.document["orders"]["rejected"] == 0
    result, held = played("arbitrage", both)
    assert result.document["orders"]["sent"] == 2
    assert len(held["binance"]) >= 2
    assert all(each[-1] == max(each) for each in held.values())


def test_a_pair_that_is_one_price_is_traded_around_its_holding(both: Path) -> None:
    """Spot and perpetual are cointegrated: at the level of 1 % pairs are opened and closed, from a holding of both."""
    result, held = played("pairs", both, test=3, window=120)
    assert result.document["round_trips"] > 10
    for venue, each in held.items():
        assert next(row for row in result.fills if row["venue"] == venue)["side"] == "buy"
        assert len(each) > 20
