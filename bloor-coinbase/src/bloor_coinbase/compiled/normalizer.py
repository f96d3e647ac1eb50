"""The compiled form of Coinbase's normalizer, for Advanced Trade."""

from __future__ import annotations

from bloor.market.normalizer import CompiledNormalizer, SequenceRule
from bloor_coinbase.compiled import envelope, fields, frames, layout, level2, times

__all__ = ["compiled"]

MODULES = (layout, times, envelope, level2, fields, frames)


def compiled() -> CompiledNormalizer:
    """The compiled form of :class:`bloor_coinbase.normalizer.CoinbaseNormalizer`."""
    return CompiledNormalizer(MODULES, SequenceRule.NONE)
