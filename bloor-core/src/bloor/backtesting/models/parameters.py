"""The parameters of a model: fields of its class, each with a default, bounds and what it means.

::

    @frozen(kw_only=True)
    class PowerProb(QueueModel):
        n: float = parameter(2.0, low=0.1, high=10.0, doc="exponent")

A field's type is what a text is read as: ``int``, ``float``, ``bool``, :class:`~decimal.Decimal`, an enum, a path, or a
:class:`~bloor.config.duration.Duration`.
"""

from __future__ import annotations

from typing import Any

import attrs
from attrs import NOTHING

__all__ = ["described", "parameter"]


def parameter(default: Any = NOTHING, *, low: Any = None, high: Any = None, doc: str) -> Any:
    """Declares a field of an attrs class as a parameter.

    Args:
        default: Its value when none is given; without one it must be given.
        low: Smallest allowed value; None for no bound.
        high: Largest allowed value; None for no bound.
        doc: What it means, with its unit.
    """
    checks: list[Any] = []
    if low is not None:
        checks.append(attrs.validators.ge(low))
    if high is not None:
        checks.append(attrs.validators.le(high))
    return attrs.field(default=default, validator=checks, metadata={"doc": doc, "low": low, "high": high})


def described(model: Any) -> dict[str, Any]:
    """A model as plain data, for results and messages: its name, and the value of every parameter as text or number."""
    values = {field.name: getattr(model, field.name) for field in attrs.fields(type(model))}
    plain = {key: v if isinstance(v, bool | int | float) else str(getattr(v, "value", v)) for key, v in values.items()}
    return {"name": model.name, **plain}
