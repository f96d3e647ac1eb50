"""Kraken's schedule of fees."""

from __future__ import annotations

from decimal import Decimal
from itertools import pairwise

from attrs import evolve

from bloor.backtesting.models import FeeAsset, parse_fees
from bloor.model.instrument import Instrument
from bloor.plugins import PluginHost
from bloor_kraken.executor import executor_spec
from bloor_kraken.fees import TIERS, KrakenFees

DOLLARS = Instrument(
    venue="kraken", symbol="BTC-USDT", venue_symbol="X", base="BTC", quote="USDT", price_decimals=2, qty_decimals=8
)


def test_the_plug_in_hands_it_over() -> None:
    """``--fees kraken`` is the lowest tier, and a traded value gives another."""
    assert parse_fees("kraken", PluginHost()) == KrakenFees()
    assert parse_fees("kraken:volume=1000000", PluginHost()).traded == 10**6


def test_rates_fall_with_what_is_traded() -> None:
    """A higher tier is never dearer, and makers never pay more than takers."""
    for lower, higher in pairwise(TIERS):
        assert higher.maker <= lower.maker and higher.taker <= lower.taker
        assert higher.from_value > lower.from_value
    assert all(0 <= tier.maker <= tier.taker for tier in TIERS)


def test_only_dollars_count() -> None:
    """What is traded in another quote asset brings no tier nearer."""
    assert KrakenFees().schedule(DOLLARS).counts
    assert not KrakenFees().schedule(evolve(DOLLARS, quote="BTC")).counts


def test_fees_are_in_the_quote_asset() -> None:
    """The lowest tier is what a run on paper takes."""
    schedule, paper = KrakenFees().schedule(DOLLARS), executor_spec().commission
    assert schedule.asset is FeeAsset.QUOTE and paper.in_quote
    assert (schedule.tiers[0].maker, schedule.tiers[0].taker) == (paper.maker, paper.taker)
    assert schedule.tiers[-1].maker == Decimal(0)
