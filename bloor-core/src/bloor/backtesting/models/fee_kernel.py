"""What a fill costs, exactly, in compiled code (kernel; hot path of fills only, about 0.2 us each).

A product of price, quantity and rate needs up to 190 bits. It is made of digits to the base 10**9, which also makes the
division by a power of ten, in which every amount is cut, a matter of leaving digits out.
"""

from __future__ import annotations

from bloor.native.memory import cell_at, product_float, put_cell

__all__ = [
    "BASE_CUT",
    "COUNT",
    "DIGITS",
    "MAKER",
    "MOST",
    "QUOTE_CUT",
    "RECEIVED",
    "TAKER",
    "THRESHOLD",
    "TICK_UNITS",
    "TIER",
    "TIERS",
    "TIER_CELLS",
    "TRADED",
    "TRADED_CUT",
    "TRADED_FACTOR",
    "fee",
    "fees",
]

# the cells of an instrument's fees
RECEIVED = 0  # 1 when a buy pays in the base asset that it receives
QUOTE_CUT = 1  # decimals that ticks * units * rate has beyond those of a fee
BASE_CUT = 2  # decimals that units * rate has beyond those of a fee
TICK_UNITS = 3
TRADED = 4  # address of the cell with the value traded so far; 0 when it is not counted
TRADED_FACTOR = 5  # ticks * units times this is a value,
TRADED_CUT = 6  # with so many decimals beyond those of the traded value
TIER = 7  # where the present tier is
COUNT = 8  # how many tiers there are
DIGITS = 9  # two areas for digits
AREA = 12
TIERS = DIGITS + 2 * AREA  # for each tier three cells:
TIER_CELLS = 3
THRESHOLD = 0  # the traded value from which it counts
MAKER = 1  # rates in billionths, negative for a rebate
TAKER = 2

DIGIT = 1_000_000_000
#: An amount is at most this: no account has more.
MOST = 9 * DIGIT * DIGIT - 1
#: A product of less, as the nearest float, fits an int64.
FITS = 9e18


def fee(cells: int, side: int, ticks: int, units: int, maker: int) -> int:
    """The fee of one fill; the tier of the next one may be another.

    Args:
        cells: Address of the fees of the instrument.
        side: +1 a buy, -1 a sell.
        ticks: Price, above 0.
        units: Quantity, above 0.
        maker: Not 0 when the order rested.

    Returns:
        Cut to the decimals of a fee, in the asset of the fee; negative for a rebate.
    """
    tier = current_tier(cells)
    rate = cell_at(tier + 8 * (MAKER if maker != 0 else TAKER))
    # a rate and the ticks' worth fit one factor: see FeeSchedule.cells
    first, third = ticks, (-rate if rate < 0 else rate)
    decimals = cell_at(cells + 8 * QUOTE_CUT)
    if side > 0 and cell_at(cells + 8 * RECEIVED) != 0:
        first, decimals = 1, cell_at(cells + 8 * BASE_CUT)
    else:
        third *= cell_at(cells + 8 * TICK_UNITS)
    amount = 0
    at = cell_at(cells + 8 * TRADED)
    # the fee, then the value: one piece of code for both, which compiles in half the time
    for part in range(2 if at != 0 else 1):
        found = cut_product(cells, first, units, third, decimals)
        if part == 0:
            amount = found
            first, third, decimals = ticks, cell_at(cells + 8 * TRADED_FACTOR), cell_at(cells + 8 * TRADED_CUT)
        else:
            put_cell(at, cell_at(at) + found if found < MOST - cell_at(at) else MOST)
    return -amount if rate < 0 else amount


def current_tier(cells: int) -> int:
    """Address of the tier of the value traded so far; the place is kept, since values only grow."""
    number = cell_at(cells + 8 * TIER)
    at = cell_at(cells + 8 * TRADED)
    if at != 0:
        value = cell_at(at)
        while number + 1 < cell_at(cells + 8 * COUNT):
            following = cells + 8 * (TIERS + TIER_CELLS * (number + 1))
            if value < cell_at(following + 8 * THRESHOLD):
                break
            number += 1
        put_cell(cells + 8 * TIER, number)
    return cells + 8 * (TIERS + TIER_CELLS * number)


def fees(cells: int, rows: int, count: int, out: int) -> int:
    """The fees of several fills, one after the other.

    Args:
        cells: Address of the fees of the instrument.
        rows: Address of ``count`` rows of side, ticks, units and maker.
        count: How many fills.
        out: Address of ``count`` cells for the fees.

    Returns:
        ``count``.
    """
    for i in range(count):
        row = rows + 32 * i
        paid = fee(cells, cell_at(row), cell_at(row + 8), cell_at(row + 16), cell_at(row + 24))
        put_cell(out + 8 * i, paid)
    return count


# ---- exact products -------------------------------------------------------------------------------------------------


def cut_product(cells: int, a: int, b: int, c: int, decimals: int) -> int:
    """``a * b * c // 10**decimals`` of numbers of at least 0, :data:`MOST` at most."""
    if product_float(a, b, c) < FITS:
        divisor = 1
        for _ in range(decimals if decimals < 19 else 0):
            divisor *= 10
        return a * b * c // divisor if decimals < 19 else 0
    product, other = cells + 8 * DIGITS, cells + 8 * (DIGITS + AREA)
    put_cell(product, 1)
    for k in range(3):
        factor = a if k == 0 else b if k == 1 else c
        multiply(other, product, 1 + 3 * k, factor)
        product, other = other, product
    return cut(product, 10, decimals)


def multiply(out: int, digits: int, count: int, factor: int) -> int:
    """Writes the ``count + 3`` digits of a number of ``count`` digits times an int64 of at least 0."""
    for i in range(count + 3):
        put_cell(out + 8 * i, 0)
    rest = factor
    for j in range(3):
        digit = rest % DIGIT
        rest //= DIGIT
        carry = 0
        for i in range(count):
            at = out + 8 * (i + j)
            # below 10**18 + 2 * 10**9
            value = cell_at(at) + cell_at(digits + 8 * i) * digit + carry
            put_cell(at, value % DIGIT)
            carry = value // DIGIT
        put_cell(out + 8 * (count + j), carry)
    return out


def cut(digits: int, count: int, decimals: int) -> int:
    """A number of ``count`` digits divided by ``10**decimals``, what is left over dropped."""
    left_out = decimals // 9
    divisor = 1
    for _ in range(decimals - 9 * left_out):
        divisor *= 10
    value = 0
    rest = 0
    for k in range(count - left_out):
        digit = rest * DIGIT + cell_at(digits + 8 * (count - 1 - k))
        rest = digit % divisor
        if value >= 9 * DIGIT:
            return MOST
        value = value * DIGIT + digit // divisor
    return value
