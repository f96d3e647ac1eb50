"""The fills of one order, of which Coinbase tells in two ways (sans I/O).

The user stream says how much of an order is filled so far, at which average price and for which fees; REST lists every
fill with its id, price, fee and liquidity, a little later. So:

- the stream says *that* something traded; REST is asked at once *what*, and its fills are the ones that count;
- when REST does not show them in time, what is missing is derived from the stream: the quantity is the difference of
  the cumulative quantities, the price that of the values (average times quantity), the fee that of the fees. It counts
  only when the price comes out on the tick grid within the rounding of the averages: nothing is ever guessed;
- fills that REST shows afterwards are matched with what was derived, oldest first, in quantity, value and fees, and
  those count as known. So nothing counts twice, in whatever order all this is heard, and as often as it is repeated.

All arithmetic is exact: units and ticks are integers, averages and values fractions.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from decimal import Decimal
from fractions import Fraction

from attrs import frozen

from bloor.model.instrument import Instrument
from bloor.model.orders import Liquidity, VenueFill

__all__ = ["AVERAGE_DECIMALS", "Mark", "OrderFills", "in_base"]

#: Averages are rounded to at least so many decimals; zeros at the end are cut (prints of 8 and of 16 are known).
AVERAGE_DECIMALS = 8
#: How far the fee of a fill may be from what the sum of fees says of it.
_FEE_ROUNDING = Decimal("0.00000001")


@frozen(kw_only=True)
class Mark:
    """What the venue said of an order at some moment.

    Attributes:
        units: Filled quantity so far.
        average: Average price of that, as the venue wrote it.
        fees: Fees of that, in the quote asset; None when it did not say.
        exch_ns: The venue's time of saying so, ns since the epoch.
    """

    units: int
    average: str
    fees: Decimal | None
    exch_ns: int


class OrderFills:
    """The fills of one order.

    Attributes:
        reported: The largest filled quantity that the venue has named, in units.
        units: How much of it has been told as fills.
        unlike: Whether REST shows fills that do not add up to what was derived.
    """

    def __init__(self, instrument: Instrument) -> None:
        self.reported = self.units = 0
        self.unlike = False
        self._instrument = instrument
        self._tick = Fraction(instrument.tick_units, 10**instrument.price_decimals)
        self._value = 0  # ticks times units of what was told
        self._fees = Decimal(0)
        self._marks: dict[int, Mark] = {}
        self._seen: set[str] = set()
        self._told: set[str] = set()
        #: Fills that were derived and that REST has not shown, how wrong their value can be (ticks times units), and
        #: fills of REST that wait for being matched with them.
        self._derived: list[VenueFill] = []
        self._slack = Fraction(0)
        self._unmatched: list[VenueFill] = []

    @property
    def missing(self) -> int:
        """Units that the venue has counted and that were not told."""
        return max(0, self.reported - self.units)

    @property
    def unproven(self) -> bool:
        """Whether fills were derived that REST has neither shown nor contradicted."""
        return bool(self._derived) and not self.unlike

    def heard(self, mark: Mark) -> None:
        """The venue said how much is filled."""
        if mark.units > 0:
            self._marks.setdefault(mark.units, mark)
            self.reported = max(self.reported, mark.units)

    def shown(self, fills: Sequence[VenueFill], *, again: bool = False) -> Sequence[VenueFill]:
        """REST listed fills of the order; those that are new, oldest first.

        Args:
            fills: What it listed.
            again: Whether those that were told before, under the same ids, are told once more, before the others.
        """
        known = [fill for fill in fills if again and fill.trade_id in self._told]
        return [*known, *self._fresh(fills)]

    def _fresh(self, fills: Iterable[VenueFill]) -> Sequence[VenueFill]:
        for fill in fills:
            if fill.trade_id not in self._seen:
                self._seen.add(fill.trade_id)
                self._unmatched.append(fill)
        self._unmatched.sort(key=lambda fill: (fill.exch_ns, fill.trade_id))
        if self._derived and not self._match():
            return ()
        fresh, self._unmatched = self._unmatched, []
        for fill in fresh:
            self._told.add(fill.trade_id)
            self._tell(fill)
        return fresh

    def derive(self, order_id: str, liquidity: Liquidity) -> Sequence[VenueFill]:
        """What is missing, from what the stream said; less, or nothing, where that is not exact.

        Args:
            order_id: The venue's id of the order, of which the ids of these fills are made.
            liquidity: What an order of this kind is, since the stream does not say.
        """
        later = sorted((mark for units, mark in self._marks.items() if units > self.units), key=lambda mark: mark.units)
        if self.units and self.units not in self._marks:
            later = later[-1:]  # what was told does not end at a mark: only the whole is certain
        found = []
        for mark in later:
            fill = self._step(mark, f"{order_id}@{mark.units}", liquidity)
            if fill is not None:
                self._derived.append(fill)
                self._tell(fill)
                found.append(fill)
        return found

    def _step(self, mark: Mark, trade_id: str, liquidity: Liquidity) -> VenueFill | None:
        """What traded between what was told and a mark, as one fill; None when it is not exact."""
        if mark.fees is None:
            return None
        delta = mark.units - self.units
        value = Fraction(mark.average) * mark.units / self._tick
        price = (value - self._value) / delta
        decimals = max(AVERAGE_DECIMALS, len(mark.average.partition(".")[2]))
        slack = Fraction(mark.units, 2 * 10**decimals) / self._tick
        ticks = round(price)
        if ticks <= 0 or 2 * slack >= delta or abs(price - ticks) * delta > slack:
            return None
        self._slack = max(self._slack, 2 * slack)
        return VenueFill(
            trade_id=trade_id,
            price_ticks=ticks,
            units=delta,
            fee=mark.fees - self._fees,
            fee_asset=self._instrument.quote,
            liquidity=liquidity,
            exch_ns=mark.exch_ns,
        )

    def _match(self) -> bool:
        """Whether the oldest fills of REST are what was derived; then they are done with."""
        units = sum(fill.units for fill in self._derived)
        value = sum(fill.units * fill.price_ticks for fill in self._derived)
        fees = sum((fill.fee for fill in self._derived), Decimal(0))
        for count, fill in enumerate(self._unmatched, start=1):
            units -= fill.units
            value -= fill.units * fill.price_ticks
            fees -= fill.fee
            if units > 0:
                continue
            if units == 0 and abs(value) <= self._slack and abs(fees) <= count * _FEE_ROUNDING:
                del self._unmatched[:count]
                self._derived.clear()
                self._slack = Fraction(0)
                return True
            self.unlike = True
            return False
        return False

    def _tell(self, fill: VenueFill) -> None:
        self.units += fill.units
        self._value += fill.units * fill.price_ticks
        self._fees += fill.fee
        self._marks = {units: mark for units, mark in self._marks.items() if units >= self.units}


def in_base(instrument: Instrument, price: str, size: str, *, is_quote: bool) -> int:
    """The size of a fill in units; one in the quote asset is divided by the price and rounded to the nearest unit.

    Raises:
        MoneyError: It is no plain number, or finer than the instrument's units.
    """
    if not is_quote:
        return instrument.parse_qty(size)
    instrument.parse_price(price)
    units = Fraction(size) / Fraction(price) * int(10**instrument.qty_decimals)
    return round(units)
