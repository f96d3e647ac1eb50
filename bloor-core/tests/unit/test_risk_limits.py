"""From configuration to limits: what is stated, what sim fills in, and what is missing."""

from __future__ import annotations

from decimal import Decimal
from typing import Any, ClassVar

import pytest
from attrs import field, frozen, validators

from bloor.config.layers import Leaf
from bloor.config.sections import Mode
from bloor.errors import ConfigError
from bloor.market.view import BookView
from bloor.model.instrument import Instrument
from bloor.risk.check import Control, Exposure, OrderIntent, RiskCheck
from bloor.risk.gate import Denial, Gate
from bloor.risk.limits import LimitsMissing, build_check, missing_limits, resolve_limits, stated


@frozen(kw_only=True)
class SizeLimits:
    max_size: Decimal | None = None
    max_count: int | None = field(default=None, validator=validators.optional(validators.ge(1)))


class Size(RiskCheck):
    name: ClassVar[str] = "size"
    controls: ClassVar[frozenset[Control]] = frozenset(Control)
    limits: ClassVar[type[Any]] = SizeLimits
    codes: ClassVar[dict[int, str]] = {1: "SIZE_ABOVE_MAX"}

    def __init__(self, limits: SizeLimits, instruments: tuple[Instrument, ...]) -> None:
        self.max_size = stated(limits.max_size, "risk.size.max_size")

    @classmethod
    def sim_limits(cls) -> SizeLimits:
        return SizeLimits(max_size=Decimal(5), max_count=7)

    def check(self, order: OrderIntent, book: BookView, exposure: Exposure, now_ns: int) -> int:
        return 0


def test_sim_fills_in_what_is_not_stated() -> None:
    """In sim mode the check's own limits hold for the rest; what is stated wins."""
    assert resolve_limits(Size, None, "sim") == SizeLimits(max_size=Decimal(5), max_count=7)
    assert resolve_limits(Size, {"max_count": 2}, Mode.SIM) == SizeLimits(max_size=Decimal(5), max_count=2)


@pytest.mark.parametrize("mode", ["paper", Mode.LIVE])
def test_elsewhere_nothing_is_filled_in(mode: Mode | str) -> None:
    """Paper and live take only what is stated."""
    limits = resolve_limits(Size, {"max_size": "0.1"}, mode)
    assert limits == SizeLimits(max_size=Decimal("0.1"))
    assert missing_limits(limits) == ("max_count",)


def test_leaves_of_the_configuration_are_taken() -> None:
    """What the configuration reads is taken as it is, with its source in errors."""
    assert resolve_limits(Size, {"max_size": Leaf(Decimal("2.5"), "bloor.toml:3")}, "live").max_size == Decimal("2.5")
    with pytest.raises(ConfigError, match=r"risk.size.max_size \(from bloor.toml:3\): expected a decimal number"):
        resolve_limits(Size, {"max_size": Leaf("much", "bloor.toml:3")}, "live")


def test_wrong_keys_and_values_are_named() -> None:
    """A slip in a limit's name or value stops the run."""
    with pytest.raises(ConfigError, match="did you mean 'max_size'"):
        resolve_limits(Size, {"max_siz": 1}, "sim")
    with pytest.raises(ConfigError, match=r"risk.size.max_count"):
        resolve_limits(Size, {"max_count": 0}, "live")


def test_a_missing_limit_denies_everything() -> None:
    """The gate can be made, and every order is denied with the name of the limit."""
    check = build_check(Size, resolve_limits(Size, {"max_size": 1}, "live"), ())
    assert isinstance(check, LimitsMissing)
    instrument = Instrument(
        venue="v", symbol="A-B", venue_symbol="AB", base="A", quote="B", price_decimals=0, qty_decimals=0
    )
    gate = Gate([check], [instrument])
    order = OrderIntent()
    order.side, order.type, order.tif, order.price, order.lots, order.units = 1, 1, 1, 1, 1, 1
    assert gate.decide(order, BookView(), Exposure(), 0) == Denial("MAX_COUNT_LIMIT_MISSING", "size")


def test_a_check_with_all_limits_is_built() -> None:
    """With every limit stated the real check decides."""
    assert isinstance(build_check(Size, Size.sim_limits(), ()), Size)


def test_a_check_built_without_its_limit_says_so() -> None:
    """A check that is built by hand without a limit refuses, and names the key."""
    with pytest.raises(ConfigError, match=r"risk.size.max_size: expected a limit, got none"):
        Size(SizeLimits(), ())
