"""What leaves a level without a trade left from ahead of an order with some probability (kernel; hot path).

Rigtorp, "Estimating order queue position" (https://rigtorp.se/2013/06/08/estimating-order-queue-position.html), with
the families of probabilities of hftbacktest ("Order Fill", section ProbQueueModel). With ``f`` units ahead, ``b``
behind and ``c`` units that left beyond those that traded, ``p`` of them left from behind::

    f' = min(f - (1 - p) * c + min(b - p * c, 0), level)

In floats, and in this order of operations: the same bits as hftbacktest's where nothing is bounded.

The published estimate can fall below 0, for example when a level vanishes without trades. A power or a logarithm of it
may then be no number, which sends the order to the back of the level. A bounded estimate ends at 0.
"""

from __future__ import annotations

import math

from bloor.native.memory import cell_at, float_at, put_float

__all__ = [
    "BOUNDED",
    "EXPONENT",
    "FAMILY",
    "LOG",
    "LOG_2",
    "PARAMS",
    "POWER",
    "POWER_2",
    "POWER_3",
    "SCALE",
    "changed",
    "placed",
    "traded",
]

# the parameters
FAMILY = 0  # one of those below
BOUNDED = 1  # not 0 to keep the estimate from 0 to the level
EXPONENT = 2  # a float: of the power families
SCALE = 3  # a float: units in one of the base asset, of the logarithmic families
PARAMS = 4

# the probability that what left did so from behind
POWER = 1  # b**n / (b**n + f**n)
POWER_2 = 2  # b**n / (b + f)**n
POWER_3 = 3  # 1 - (f / (f + b))**n
LOG = 4  # ln(1 + b) / (ln(1 + b) + ln(1 + f))
LOG_2 = 5  # ln(1 + b) / ln(1 + b + f)

# an order's cells, both floats
AHEAD = 0  # units ahead of it
TRADED = 1  # units that traded since the level was last told

NAN = float("nan")
INFINITE = float("inf")


def placed(_params: int, queue: int, level: int, _unused: int) -> int:
    """Everything at the level is ahead."""
    put_float(queue + 8 * AHEAD, float(level))
    put_float(queue + 8 * TRADED, 0.0)
    return 0


def traded(params: int, queue: int, units: int, _unused: int) -> int:
    """A trade takes from the front; half a unit past it counts as a whole one."""
    ahead = float_at(queue + 8 * AHEAD) - float(units)
    put_float(queue + 8 * TRADED, float_at(queue + 8 * TRADED) + float(units))
    past = rounded(-ahead) if ahead < 0.0 else 0
    if past > 0 or (ahead < 0.0 and cell_at(params + 8 * BOUNDED) != 0):
        ahead = 0.0
    put_float(queue + 8 * AHEAD, ahead)
    return past


def changed(params: int, queue: int, before: int, after: int) -> int:
    """What left beyond the trades is shared between ahead and behind; what was added is behind."""
    ahead = float_at(queue + 8 * AHEAD)
    left = float(before) - float(after) - float_at(queue + 8 * TRADED)
    put_float(queue + 8 * TRADED, 0.0)
    bounded = cell_at(params + 8 * BOUNDED) != 0
    # what left is most often what traded: nothing is to be shared, and two powers take 80 ns
    if left > 0.0 or (left == 0.0 and not bounded):
        behind = float(before) - ahead
        if bounded and behind < 0.0:
            behind = 0.0
        share = from_behind(params, ahead, behind)
        if share == INFINITE or share == -INFINITE:
            share = 1.0
        missing = behind - share * left
        ahead -= (1.0 - share) * left
        if missing < 0.0:
            ahead += missing
        if bounded and ahead < 0.0:
            ahead = 0.0
    if not ahead < float(after):  # also when it is no number
        ahead = float(after)
    put_float(queue + 8 * AHEAD, ahead)
    return 0


def from_behind(params: int, ahead: float, behind: float) -> float:
    """The probability that what left the level did so from behind the order."""
    family, n = cell_at(params + 8 * FAMILY), float_at(params + 8 * EXPONENT)
    if family == POWER:
        above = power(behind, n)
        return ratio(above, above + power(ahead, n))
    if family == POWER_2:
        return ratio(power(behind, n), power(behind + ahead, n))
    if family == POWER_3:
        return 1.0 - power(ratio(ahead, ahead + behind), n)
    scale = float_at(params + 8 * SCALE)
    above = logarithm(1.0 + behind / scale)
    if family == LOG:
        return ratio(above, above + logarithm(1.0 + ahead / scale))
    return ratio(above, logarithm(1.0 + (behind / scale + ahead / scale)))


def rounded(value: float) -> int:
    """The nearest integer of a float of at least 0, halves up; adding a half first would round 0.49999999999999994."""
    whole = math.floor(value)
    return whole + 1 if value - whole >= 0.5 else whole


def power(x: float, n: float) -> float:
    """``x**n`` as C has it: no number for a fraction of a power of less than 0."""
    if x < 0.0 and n != math.floor(n):
        return NAN
    raised: float = x**n
    return raised


def logarithm(x: float) -> float:
    """The natural logarithm as C has it."""
    if x > 0.0:
        return math.log(x)
    return -INFINITE if x == 0.0 else NAN


def ratio(above: float, below: float) -> float:
    """``above / below`` as C has it, but for the sign of an infinite one."""
    if below != 0.0:
        return above / below
    return INFINITE if above > 0.0 or above < 0.0 else NAN
