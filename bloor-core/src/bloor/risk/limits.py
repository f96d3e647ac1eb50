"""From configuration to a check that is ready to decide. A limit that nobody stated denies: it is not unlimited."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar, TypeVar

import attrs
import numpy as np

from bloor.config.layers import Leaf, Tree
from bloor.config.sections import Mode
from bloor.config.structure import structure
from bloor.errors import ConfigError
from bloor.market.view import BookView
from bloor.model.instrument import Instrument
from bloor.risk import missing_kernel
from bloor.risk.check import Exposure, OrderIntent, RiskCheck
from bloor.risk.compiled import CompiledCheck

__all__ = ["LimitsMissing", "build_check", "missing_limits", "resolve_limits", "stated"]

T = TypeVar("T")


def resolve_limits(check: type[RiskCheck], configured: Mapping[str, Any] | None, mode: Mode | str) -> Any:
    """The limits of a check: what is configured, and in sim mode its own defaults for the rest.

    Args:
        check: The check's class.
        configured: The section ``[risk.<name>]``: plain values, or the leaves that :mod:`bloor.config` reads.
        mode: The run's mode. Only ``sim`` fills in defaults; elsewhere what is not stated stays None.

    Returns:
        An instance of ``check.limits``.

    Raises:
        ConfigError: A key is unknown, or a value of the wrong type or range; names it and what is expected.
    """
    tree = _tree(configured or {})
    given = structure(tree, check.limits, ("risk", check.name))
    if Mode(mode) is not Mode.SIM:
        return given
    return attrs.evolve(check.sim_limits(), **{key.removeprefix("_"): getattr(given, key) for key in tree})


def _tree(values: Mapping[str, Any]) -> Tree:
    def node(value: Any) -> Leaf | Tree:
        if isinstance(value, Leaf):
            return value
        return _tree(value) if isinstance(value, Mapping) else Leaf(value, "")

    return {key: node(value) for key, value in values.items()}


def missing_limits(limits: Any) -> tuple[str, ...]:
    """Names of the limits that are None: nobody has stated them."""
    return tuple(field.name for field in attrs.fields(type(limits)) if getattr(limits, field.name) is None)


def stated(value: T | None, path: str) -> T:
    """A limit that a check needs, for use in its ``__init__``.

    Args:
        value: The limit.
        path: Its configuration path, e.g. ``risk.order-limits.max_value``.

    Raises:
        ConfigError: It is None.
    """
    if value is None:
        raise ConfigError(path, "a limit", "none", "", "; a missing limit never means unlimited: state it")
    return value


def build_check(check: type[RiskCheck], limits: Any, instruments: tuple[Instrument, ...]) -> RiskCheck:
    """A check that is ready to decide; one that denies everything when a limit is missing.

    Args:
        check: The check's class.
        limits: What :func:`resolve_limits` returned.
        instruments: The run's instruments.

    Raises:
        ConfigError: A limit cannot be expressed exactly in the units of an instrument.
    """
    missing = missing_limits(limits)
    return LimitsMissing(check, missing) if missing else check(limits, instruments)


class LimitsMissing(RiskCheck):
    """Stands in for a check of which limits are missing, and denies every order with the name of the first.

    Attributes:
        missing: Names of all that are missing.
    """

    codes: ClassVar[dict[int, str]] = {}

    def __init__(self, check: type[RiskCheck], missing: tuple[str, ...]) -> None:
        self.missing = missing
        # the stand-in answers for the real check: its name and controls, and codes of its own
        self.name = check.name  # type: ignore[misc]
        self.controls = check.controls  # type: ignore[misc]
        self.codes = {  # type: ignore[misc]
            number: f"{name.upper()}_LIMIT_MISSING" for number, name in enumerate(missing, start=1)
        }

    @classmethod
    def sim_limits(cls) -> Any:
        """None: it stands in for limits that nobody stated."""
        return None

    def check(self, order: OrderIntent, book: BookView, exposure: Exposure, now_ns: int) -> int:
        """Denies."""
        return 1

    def compiled(self) -> CompiledCheck:
        """Denies too."""
        return CompiledCheck((missing_kernel,), np.zeros(0, np.int64))
