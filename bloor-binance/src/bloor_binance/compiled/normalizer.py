"""The compiled form of Binance's normalizers, for spot and for USD-M: the same kernels."""

from __future__ import annotations

from bloor.market.normalizer import CompiledNormalizer, SequenceRule
from bloor_binance.compiled import depth, derived, fields, frames, layout, levels, scan, shapes, trades

__all__ = ["compiled_spot", "compiled_usdm"]

MODULES = (layout, levels, scan, fields, trades, depth, derived, shapes, frames)


def compiled_spot() -> CompiledNormalizer:
    """The compiled form of :class:`bloor_binance.normalizer.BinanceSpotNormalizer`."""
    return CompiledNormalizer(MODULES, SequenceRule.CONTIGUOUS)


def compiled_usdm() -> CompiledNormalizer:
    """The compiled form of :class:`bloor_binance.usdm.normalizer.BinanceUsdmNormalizer`."""
    return CompiledNormalizer(MODULES, SequenceRule.PREVIOUS, layout.USDM)
