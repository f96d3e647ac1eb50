"""Typed, bounded parameters of a strategy, declared once in its class.

::

    class Momentum(Strategy):
        lookback: int = param(64, low=2, high=10_000, doc="trades in the window")

The annotation is the type (``int``, ``float`` or ``bool``: what compiled code can hold), the bounds are what the
configuration checks and the optimizer searches.
"""

from __future__ import annotations

from typing import Any, get_type_hints

import attrs
from attrs import frozen

__all__ = ["Param", "config_class", "param", "params_of"]

Number = int | float | bool


@frozen
class Param:
    """One declared parameter: its default, inclusive bounds, and what it means."""

    default: Number
    low: Number | None
    high: Number | None
    doc: str


def param(default: Any, *, low: Any = None, high: Any = None, doc: str) -> Any:
    """Declares a parameter as the value of an annotated class attribute.

    Args:
        default: Its value when nothing is configured.
        low: Smallest allowed value.
        high: Largest allowed value.
        doc: What it means, with its unit.
    """
    return Param(default, low, high, doc)


def params_of(cls: type) -> dict[str, tuple[type, Param]]:
    """``{name: (type, Param)}`` of a strategy class and its bases, in the order of declaration.

    Raises:
        TypeError: A parameter is not annotated as int, float or bool.
    """
    hints = get_type_hints(cls)
    found: dict[str, tuple[type, Param]] = {}
    for base in reversed(cls.__mro__):
        for name, value in vars(base).items():
            if isinstance(value, Param):
                kind = hints.get(name)
                if kind not in (int, float, bool):
                    raise TypeError(f"{cls.__name__}.{name}: expected an annotation int, float or bool, got {kind!r}")
                found[name] = (kind, value)
    return found


def config_class(cls: type) -> type[Any]:
    """The attrs class that the section ``[strategy.<name>]`` is read into: one attribute per parameter."""

    def bounds(p: Param) -> list[Any]:
        checks: list[Any] = []
        if p.low is not None:
            checks.append(attrs.validators.ge(p.low))
        if p.high is not None:
            checks.append(attrs.validators.le(p.high))
        return checks

    fields = {
        name: attrs.field(default=p.default, type=kind, validator=bounds(p), metadata={"doc": p.doc})
        for name, (kind, p) in params_of(cls).items()
    }
    return attrs.make_class(f"{cls.__name__}Config", fields, frozen=True, kw_only=True)
