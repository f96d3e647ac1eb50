"""What simulated venues open with: listings, keys of a seed, balances, limits at the pace of a recording."""

from __future__ import annotations

from pathlib import Path

import pytest

from bloor.errors import UsageError
from bloor.model.instrument import Instrument
from bloor.simulation.account import ATOM_DECIMALS, Fees
from bloor.simulation.exchange import Market
from bloor.simulation.keys import seeded_bytes, seeded_text
from bloor.simulation.listing import ListedPair, check_listed, market_style
from bloor.simulation.matching import MatchingBook
from bloor.simulation.opening import ACCOUNT, limit_scale, opening_account
from bloor.simulation.venue import SimulationOptions

PAIRS = {"BTC-USD": ListedPair(60_000.0, 1, 8), "ETH-BTC": ListedPair(0.05, 5, 8)}


def market(base, quote):
    """A market without orders."""
    instrument = Instrument(
        venue="x", symbol=f"{base}-{quote}", venue_symbol=base + quote, base=base, quote=quote, price_decimals=2,
        qty_decimals=8,
    )  # fmt: skip
    return Market(instrument, MatchingBook())


def test_an_unknown_symbol_is_named_with_what_there_is():
    """And with a way out."""
    check_listed(list(PAIRS), PAIRS)
    with pytest.raises(UsageError, match=r"--symbol BTC-USB: .*BTC-USD, ETH-BTC.*did you mean.*--data"):
        check_listed(["BTC-USB"], PAIRS)


def test_orders_are_worth_about_the_same_everywhere():
    """Whatever they are counted in."""
    dollars, bitcoins = (market_style(symbol, pair, 7) for symbol, pair in PAIRS.items())
    assert dollars.order_value == 5_000 and 0.05 < bitcoins.order_value < 0.1
    assert (dollars.price, bitcoins.price, dollars.lag_ns) == (60_000.0, 0.05, 7)


def test_keys_are_fixed_by_venue_seed_and_purpose():
    """The same for the same three, of any length, and different otherwise."""
    assert seeded_bytes("a", 1, "secret", 64)[:32] == seeded_bytes("a", 1, "secret")
    made = {
        seeded_text("a", 1, "key"),
        seeded_text("b", 1, "key"),
        seeded_text("a", 2, "key"),
        seeded_text("a", 1, "x"),
    }
    assert len(made) == 4 and all(len(text) == 64 and text.isalnum() for text in made)
    assert set(seeded_text("a", 1, "key", 200, "01")) == {"0", "1"}


def test_the_default_account_has_every_listed_asset():
    """At least ten of each base and a hundred thousand dollars' worth of each quote."""
    account = opening_account([market("BTC", "USD"), market("ETH", "BTC")], Fees())
    whole = {asset: balance.free // 10**ATOM_DECIMALS for asset, balance in account.balances.items()}
    assert account.number == ACCOUNT and whole == {"BTC": 100, "USD": 1_000_000, "ETH": 10}


@pytest.mark.parametrize(("speed", "scale"), [(1.0, 1), (0.1, 1), (20.0, 20), (0.0, 1_000_000)])
def test_limits_keep_pace_with_a_recording(speed, scale):
    """Played faster than it was recorded, it needs more of everything; a seeded market does not."""
    assert limit_scale(SimulationOptions(recordings=[Path("x")], speed=speed)) == scale
    assert limit_scale(SimulationOptions(speed=speed)) == 1
