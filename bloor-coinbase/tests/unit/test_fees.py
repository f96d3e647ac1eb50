"""Coinbase's schedule of fees."""

from __future__ import annotations

from decimal import Decimal
from itertools import pairwise

from attrs import evolve

from bloor.backtesting.models import FeeAsset, parse_fees
from bloor.model.instrument import Instrument
from bloor.plugins import PluginHost
from bloor_coinbase.executor import executor_spec
from bloor_coinbase.fees import TIERS, CoinbaseFees

DOLLARS = Instrument(
    venue="coinbase", symbol="BTC-USDT", venue_symbol="X", base="BTC", quote="USDT", price_decimals=2, qty_decimals=8
)


def test_the_plug_in_hands_it_over() -> None:
    """``--fees coinbase`` is the lowest tier, and a traded value gives another."""
    assert parse_fees("coinbase", PluginHost()) == CoinbaseFees()
    assert parse_fees("coinbase:volume=1000000", PluginHost()).traded == 10**6


def test_rates_fall_with_what_is_traded() -> None:
    """A higher tier is never dearer, and makers never pay more than takers."""
    for lower, higher in pairwise(TIERS):
        assert higher.maker <= lower.maker and higher.taker <= lower.taker
        assert higher.from_value > lower.from_value
    assert all(0 <= tier.maker <= tier.taker for tier in TIERS)


def test_only_dollars_count() -> None:
    """What is traded in another quote asset brings no tier nearer."""
    assert CoinbaseFees().schedule(DOLLARS).counts
    assert not CoinbaseFees().schedule(evolve(DOLLARS, quote="BTC")).counts


def test_fees_are_in_the_quote_asset() -> None:
    """A run on paper takes the rates of one of the tiers."""
    schedule, paper = CoinbaseFees().schedule(DOLLARS), executor_spec().commission
    assert schedule.asset is FeeAsset.QUOTE and paper.in_quote
    assert (paper.maker, paper.taker) in [(tier.maker, tier.taker) for tier in schedule.tiers]
    assert schedule.tiers[0].taker == Decimal("0.012")
