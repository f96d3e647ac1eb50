"""Binance's schedule of fees."""

from __future__ import annotations

from decimal import Decimal
from itertools import pairwise

from attrs import evolve

from bloor.backtesting.models import FeeAsset, parse_fees
from bloor.model.instrument import Instrument
from bloor.plugins import PluginHost
from bloor_binance.executor import executor_spec
from bloor_binance.fees import TIERS, BinanceFees
from bloor_binance.usdm.fees import TIERS as USDM_TIERS
from bloor_binance.usdm.fees import BinanceUsdmFees

DOLLARS = Instrument(
    venue="binance", symbol="BTC-USDT", venue_symbol="X", base="BTC", quote="USDT", price_decimals=2, qty_decimals=8
)


def test_the_plug_in_hands_it_over() -> None:
    """``--fees binance`` is the lowest tier, and a traded value gives another."""
    assert parse_fees("binance", PluginHost()) == BinanceFees()
    assert parse_fees("binance:volume=1000000", PluginHost()).traded == 10**6


def test_rates_fall_with_what_is_traded() -> None:
    """A higher tier is never dearer, and makers never pay more than takers."""
    for lower, higher in pairwise(TIERS):
        assert higher.maker <= lower.maker and higher.taker <= lower.taker
        assert higher.from_value > lower.from_value
    assert all(0 <= tier.maker <= tier.taker for tier in TIERS)


def test_only_dollars_count() -> None:
    """What is traded in another quote asset brings no tier nearer."""
    assert BinanceFees().schedule(DOLLARS).counts
    assert not BinanceFees().schedule(evolve(DOLLARS, quote="BTC")).counts


def test_a_buy_pays_of_what_it_receives() -> None:
    """The lowest tier is what a run on paper takes, in the same asset."""
    schedule, paper = BinanceFees().schedule(DOLLARS), executor_spec().commission
    assert schedule.asset is FeeAsset.RECEIVED and not paper.in_quote
    assert (schedule.tiers[0].maker, schedule.tiers[0].taker) == (paper.maker, paper.taker)


def test_a_quarter_less_with_bnb() -> None:
    """Then nothing is taken of what is received."""
    schedule = BinanceFees(bnb=True).schedule(DOLLARS)
    assert schedule.asset is FeeAsset.QUOTE
    assert (schedule.tiers[0].maker, schedule.tiers[-1].taker) == (Decimal("0.00075"), Decimal("0.0001725"))


def test_futures_have_a_schedule_of_their_own() -> None:
    """Always in the quote asset, and a tenth less with BNB."""
    assert parse_fees("binance-usdm", PluginHost()) == BinanceUsdmFees()
    schedule = BinanceUsdmFees(bnb=True, volume=Decimal(5)).schedule(DOLLARS)
    assert schedule.asset is FeeAsset.QUOTE and schedule.counts
    assert (schedule.tiers[0].maker, schedule.tiers[0].taker) == (Decimal("0.00018"), Decimal("0.00045"))
    for lower, higher in pairwise(USDM_TIERS):
        assert higher.maker <= lower.maker and higher.taker <= lower.taker and higher.from_value > lower.from_value
