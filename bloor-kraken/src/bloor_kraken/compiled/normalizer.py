"""The compiled form of Kraken's normalizer."""

from __future__ import annotations

from bloor.market.compiled import books as looking
from bloor.market.normalizer import CompiledNormalizer, SequenceRule
from bloor_kraken.compiled import books, crc, frames, layout, numbers, times

__all__ = ["compiled_kraken"]

MODULES = (looking, layout, numbers, crc, times, books, frames)


def compiled_kraken() -> CompiledNormalizer:
    """The compiled form of :class:`bloor_kraken.normalizer.KrakenNormalizer`."""
    return CompiledNormalizer(MODULES, SequenceRule.NONE)
