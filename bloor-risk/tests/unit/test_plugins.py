"""How the checks are found, configured and put into a gate."""

from __future__ import annotations

from decimal import Decimal
from importlib import import_module
from importlib.metadata import distribution
from pathlib import Path
from typing import Any

import pytest

from bloor.config.duration import Duration
from bloor.errors import ConfigError
from bloor.model.instrument import Instrument
from bloor.risk.check import Control, RiskCheck
from bloor.risk.gate import Gate
from bloor.risk.limits import LimitsMissing, build_check, resolve_limits

BTC = Instrument(
    venue="binance",
    symbol="BTC-USDT",
    venue_symbol="BTCUSDT",
    base="BTC",
    quote="USDT",
    price_decimals=2,
    qty_decimals=8,
    lot_units=1000,
)
POINTS = {point.name: point.value for point in distribution("bloor-risk").entry_points.select(group="bloor")}


def check_of(name: str) -> type[RiskCheck]:
    return import_module(POINTS[name]).bloor_risk_check()  # type: ignore[no-any-return]


@pytest.mark.parametrize("name", sorted(POINTS))
def test_a_check_has_the_name_of_its_entry_point(name: str) -> None:
    """The name a user types is the name of the check and of its section."""
    assert check_of(name).name == name


def test_the_checks_together_cover_every_mandatory_control() -> None:
    """With bloor-risk installed a gate can be made, in sim mode without any configuration."""
    checks = [build_check(cls, resolve_limits(cls, None, "sim"), (BTC,)) for cls in map(check_of, POINTS)]
    gate = Gate(checks, [BTC])
    assert frozenset().union(*(check.controls for check in gate.checks)) == frozenset(Control)
    assert gate.checks[-1].name == "message-rate"


@pytest.mark.parametrize("name", sorted(POINTS))
@pytest.mark.parametrize("mode", ["paper", "live"])
def test_without_configuration_every_check_denies_outside_sim(name: str, mode: str) -> None:
    """No limit is filled in where money is real."""
    cls = check_of(name)
    check = build_check(cls, resolve_limits(cls, None, mode), (BTC,))
    assert isinstance(check, LimitsMissing)
    assert all(code.endswith("_LIMIT_MISSING") for code in check.codes.values())


def test_limits_are_read_from_toml() -> None:
    """Strings, integers and decimals as TOML gives them."""
    limits = resolve_limits(
        check_of("order-limits"),
        {"max_quantity": "0.5", "max_value": 25_000, "max_quantity_by_symbol": {"DOGE-USDT": "100000"}},
        "live",
    )
    assert (limits.max_quantity, limits.max_value) == (Decimal("0.5"), Decimal(25_000))
    assert limits.max_quantity_by_symbol == {"DOGE-USDT": Decimal(100_000)}
    assert resolve_limits(check_of("stale-book"), {"max_age": "250ms"}, "live").max_age == Duration(250_000_000)
    assert resolve_limits(check_of("message-rate"), {"burst": 4}, "sim").burst == 4


@pytest.mark.parametrize(
    ("name", "values", "told"),
    [
        ("order-limits", {"max_quantity": -1}, "max_quantity: expected a value zero or more"),
        ("order-limits", {"max_quantity_by_symbol": {"BTCUSDT": 1}}, "keyed by symbols"),
        ("order-limits", {"max_quantity_by_symbol": {"btc-usdt": 1}}, "BTC-USDT"),
        ("position-limits", {"max_open_orders": "many"}, "max_open_orders: expected an integer"),
        ("position-limits", {"max_positon": 1}, "did you mean 'max_position'"),
        ("stale-book", {"max_age": 5}, "max_age: expected a duration"),
        ("message-rate", {"burst": 0}, "burst: expected a value above zero"),
    ],
)
def test_a_wrong_limit_stops_the_run(name: str, values: dict[str, Any], told: str) -> None:
    """The message names the key and what was expected."""
    with pytest.raises(ConfigError, match=told):
        resolve_limits(check_of(name), values, "live")


def test_the_readme_names_every_check_limit_and_code() -> None:
    """The table in the README is complete."""
    text = (Path(__file__).parents[2] / "README.md").read_text()
    for name in POINTS:
        cls = check_of(name)
        for word in (name, *cls.limits.__annotations__, *cls.codes.values()):
            assert f"`{word}`" in text, f"{name}: {word}"
