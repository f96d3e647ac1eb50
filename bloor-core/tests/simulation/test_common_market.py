"""Several simulated venues of one seed: one market, crossed now and then and for a moment."""

from __future__ import annotations

import importlib.util
import math
import sys
from statistics import fmean, median

import pytest

from bloor.plugins import PluginHost
from bloor.simulation.venue import SimulationOptions
from bloor.testing.virtual import VirtualRun

SECOND = 1_000_000_000
VENUES = {"binance": "BTC-USDT", "coinbase": "BTC-USD", "kraken": "BTC-USD"}


@pytest.fixture(scope="module")
def crossed(request):
    """The script that the page's table comes from."""
    path = request.config.rootpath / "docs" / "crossed_markets.py"
    spec = importlib.util.spec_from_file_location("crossed_markets", path)
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    yield module
    del sys.modules[spec.name]


def of(watch, name, threshold):
    """The episodes of a gap above a threshold."""
    [found] = [one for one in watch.episodes if (one.name, one.threshold) == (name, threshold)]
    return found


def test_crossed_markets_are_rare_short_and_close_again(crossed):
    """Venues and triangles disagree by 5 basis points in a few percent of the time at most, for tenths of a second."""
    watch = crossed.Watch(seed=1)
    watch.run(45)
    names = {one.name for one in watch.episodes}
    assert {"binance and coinbase", "coinbase and kraken", "triangle at kraken"} <= names
    lengths = [length for name in names for length in of(watch, name, 5.0).lengths]
    assert 3 <= len(lengths) <= 100 and median(lengths) < SECOND // 2
    for name in names:
        assert sum(of(watch, name, 10.0).lengths) < 45 * SECOND * 0.03


def test_dislocations_are_plentiful_where_they_are_asked_for(crossed):
    """Venue pairs and triangles are beyond their fees now and then within seconds, and close again; all by seed."""
    found = []
    for seconds in (4, 4, 25):
        watch = crossed.Watch(seed=2, dislocations=10)
        watch.run(seconds)
        found.append([(one.lengths, one.peaks) for one in watch.episodes])
    assert found[0] == found[1]
    costly = [one for one in watch.episodes if one.threshold > 20]
    assert len(costly) == 6 and sum(bool(one.lengths) for one in costly) >= 3
    for one in costly:
        assert sum(one.lengths) < 25 * SECOND * 0.2, one.name


def mids(options, started, seconds):
    """Middle prices of venues that are started at given times, every 10 ms from 2 s on."""
    host, found = PluginHost(), {}
    for name, start_ns in started.items():
        venue = host.simulated_venue(name).build(options(VENUES[name]), lambda *_: None)
        venue.start(start_ns)
        [market] = venue.exchange.markets.values()
        tick, book, now = float(market.instrument.tick_size), market.book, start_ns
        found[name] = []
        for at in range(2 * SECOND, (2 + seconds) * SECOND, 10_000_000):
            while venue.deadline_ns <= at:
                now = max(now, venue.deadline_ns)
                venue.advance(now)
            found[name].append((book.bids.best.price + book.asks.best.price) * tick / 2)
    return found


def moves(prices):
    """Moves within 100 ms in parts of the price."""
    return [b / a - 1 for a, b in zip(prices, prices[10:], strict=False)]


def follows(lead, follow):
    """How much of what one does the other does up to 150 ms later: the sum of correlations."""
    scale = math.sqrt(sum(a * a for a in lead) * sum(b * b for b in follow))
    return sum(a * b for lag in range(1, 16) for a, b in zip(lead, follow[lag:], strict=False)) / scale


def test_prices_are_found_at_one_venue_and_followed_at_another():
    """What binance does kraken does later, more than the other way round."""
    ahead = []
    for seed in range(1, 7):

        def options(symbol, seed=seed):
            return SimulationOptions(seed=seed, symbols=[symbol], dislocations=0.0)

        found = mids(options, {"binance": 0, "kraken": 0}, 40)
        lead, follow = moves(found["binance"]), moves(found["kraken"])
        ahead.append(follows(lead, follow) - follows(follow, lead))
    assert fmean(ahead) > 0.2


def test_venues_that_are_started_apart_have_one_market():
    """With the same opening they agree about the price, whenever they were started; with another they do not."""

    def options(symbol, opened=-50_000):
        return SimulationOptions(seed=3, symbols=[symbol], opened_ns=opened * SECOND)

    apart = mids(options, {"kraken": 0, "coinbase": SECOND}, 4)
    assert fmean(abs(math.log(a / b)) for a, b in zip(*apart.values(), strict=True)) < 2e-4
    other = mids(lambda symbol: options(symbol, -30_000), {"kraken": 0}, 4)["kraken"]
    assert min(abs(math.log(a / b)) for a, b in zip(apart["kraken"], other, strict=True)) > 5e-4


def test_a_run_in_virtual_time_has_it_too():
    """Instruments of all venues have one value; how far they stray is configured."""
    run = VirtualRun(["momentum"], venue=list(VENUES), seed=4, sets=["sim.dislocations=0"])
    gaps = []
    for _ in range(60):
        run.for_seconds(0.1)
        books = [desk.book for desk in run.engine.desks if desk.book.two_sided]
        prices = [float(d.instrument.tick_size) * d.book.mid2 / 2 for d in run.engine.desks if d.book.two_sided]
        if len(books) == len(VENUES):
            gaps.append(max(prices) / min(prices) - 1)
    assert len(gaps) > 30 and fmean(gaps) < 1e-4 and max(gaps) < 5e-4
    assert run.setup.record()["sections"]["sim"] == {"dislocations": 0.0}


def test_every_venue_has_what_a_triangle_and_a_pair_need():
    """BTC and ETH in dollars and in each other, and their opening prices agree."""
    host = PluginHost()
    for name, symbol in VENUES.items():
        dollar = symbol.partition("-")[2]
        symbols = [f"BTC-{dollar}", f"ETH-{dollar}", "ETH-BTC", f"SOL-{dollar}", "SOL-BTC", f"LTC-{dollar}"]
        options = SimulationOptions(symbols=symbols, dislocations=0.0)
        venue = host.simulated_venue(name).build(options, lambda *_: None)
        venue.start(0)
        prices = {
            market.instrument.symbol: market.book.bids.best.price * float(market.instrument.tick_size)
            for market in venue.exchange.markets.values()
        }
        for asset in ("ETH", "SOL"):
            through = prices[f"{asset}-BTC"] * prices[f"BTC-{dollar}"]
            assert through == pytest.approx(prices[f"{asset}-{dollar}"], rel=5e-4), (name, asset)
