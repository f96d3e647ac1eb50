"""What each hook must hand over; a plug-in that hands over something else is told so by name."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any

import attrs

from bloor.hookspecs import ExecutorSpec, FeedSpec, NormalizerSpec, SimulatedVenueSpec

__all__ = ["CHECKS"]

#: Checks ``(name of the plug-in, what the hook returned)``; answers what is wrong, or an empty string.
Check = Callable[[str, Any], str]


def _spec(kind: type) -> Check:
    def check(name: str, value: Any) -> str:
        if not isinstance(value, kind):
            return f"expected a {kind.__name__}, got {_shown(value)}"
        venue = getattr(value, "venue", name)
        return "" if venue == name else f"expected the venue {name!r}, got {venue!r}"

    return check


def _subclass(base: str) -> Check:
    # The base is known by name: the rooms that define strategies and risk checks lie above this one.
    def check(name: str, value: Any) -> str:
        if not inspect.isclass(value):
            return f"expected a subclass of {base}, got {_shown(value)}; return the class itself, not an instance"
        if base not in (f"{cls.__module__}.{cls.__qualname__}" for cls in value.__mro__[1:]):
            return f"expected a subclass of {base}, got the class {value.__name__}"
        if inspect.isabstract(value):
            missing = ", ".join(sorted(getattr(value, "__abstractmethods__", ())))
            return f"the class {value.__name__} does not implement {missing}"
        own = getattr(value, "name", "")
        return f"expected {value.__name__}.name to be {name!r}, got {own!r}" if own and own != name else ""

    return check


def _risk_check(name: str, value: Any) -> str:
    wrong = _subclass("bloor.risk.check.RiskCheck")(name, value)
    if wrong:
        return wrong
    limits, codes = getattr(value, "limits", None), getattr(value, "codes", None)
    if not inspect.isclass(limits) or not attrs.has(limits):
        return f"expected {value.__name__}.limits to be an attrs class, got {_shown(limits)}"
    good = isinstance(codes, dict) and codes and all(type(n) is int and n > 0 for n in codes)
    if not good or not all(isinstance(reason, str) and reason for reason in codes.values()):  # type: ignore[union-attr]
        return f"expected {value.__name__}.codes to map numbers from 1 to reasons, got {_shown(codes)}"
    return _config_class(name, limits)


def _config_class(_: str, value: Any) -> str:
    if not inspect.isclass(value) or not attrs.has(value):
        return f"expected an attrs class, got {_shown(value)}"
    bare = [field.name for field in attrs.fields(value) if field.init and field.default is attrs.NOTHING]
    return f"expected a default for every attribute of {value.__name__}; {bare[0]!r} has none" if bare else ""


def _shown(value: Any) -> str:
    text = repr(value)
    return f"{text if len(text) <= 80 else text[:77] + '...'} ({type(value).__name__})"


def _model(base: str) -> Check:
    def check(name: str, value: Any) -> str:
        wrong = _subclass(f"bloor.backtesting.models.{base}")(name, value)
        if wrong:
            return wrong
        return "" if attrs.has(value) else f"expected {value.__name__} to be an attrs class: its fields are parameters"

    return check


#: Hook -> the check of what it returned.
CHECKS: dict[str, Check] = {
    "bloor_feed": _spec(FeedSpec),
    "bloor_normalizer": _spec(NormalizerSpec),
    "bloor_executor": _spec(ExecutorSpec),
    "bloor_simulated_venue": _spec(SimulatedVenueSpec),
    "bloor_strategy": _subclass("bloor.strategy.api.Strategy"),
    "bloor_risk_check": _risk_check,
    "bloor_queue_model": _model("queue.QueueModel"),
    "bloor_latency_model": _model("latency.LatencyModel"),
    "bloor_fee_model": _model("fee.FeeModel"),
    "bloor_venue_config": _config_class,
}
