"""What a fee is worth in the quote asset, and what it takes from the inventory."""

from __future__ import annotations

from collections.abc import Callable
from decimal import ROUND_CEILING, Decimal

from bloor.execution.position import EXACT
from bloor.model.instrument import Instrument
from bloor.model.orders import VenueFill

__all__ = ["FeeRate", "base_fee_units", "fee_in_quote", "no_rate"]

#: ``rate(asset, quote)``: what one of ``asset`` is worth in ``quote``, or None when nobody knows.
FeeRate = Callable[[str, str], Decimal | None]


def no_rate(asset: str, quote: str) -> Decimal | None:  # noqa: ARG001
    """Knows no rate."""
    return None


def fee_in_quote(fill: VenueFill, instrument: Instrument, rate: FeeRate) -> Decimal | None:
    """A fee in the quote asset: as it is, valued at the fill's own price when taken in the base asset, or by ``rate``.

    Returns:
        The exact value, negative for a rebate; None when the fee is in a third asset of unknown worth.
    """
    if fill.fee_asset == instrument.quote or not fill.fee:
        return fill.fee
    if fill.fee_asset == instrument.base:
        return EXACT.multiply(fill.fee, instrument.price(fill.price_ticks))
    worth = rate(fill.fee_asset, instrument.quote)
    return None if worth is None else EXACT.multiply(fill.fee, worth)


def base_fee_units(total: Decimal, instrument: Instrument) -> int:
    """All fees taken in the base asset so far, in whole units.

    Rounded up, and over their sum rather than one by one: never is more inventory counted than there is, and never is
    more than one unit too little.
    """
    return int(total.scaleb(instrument.qty_decimals, EXACT).to_integral_value(ROUND_CEILING, None))
