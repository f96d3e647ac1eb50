"""What the cards of every kind of model ask: what its class says, and how its parameters are read and bounded."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import attrs
from attrs.exceptions import FrozenInstanceError

from bloor.config.duration import Duration
from bloor.config.layers import text_leaf
from bloor.config.structure import structure
from bloor.errors import ConfigError

__all__ = ["check_class", "check_parameters", "variants"]


def check_class(cls: Any, plugin: str, given: Mapping[str, Any]) -> None:
    """The class has the plug-in's name and a docstring, and cannot be changed once it is made."""
    assert cls.name == plugin, f"{cls.__name__}.name: expected {plugin!r}, got {cls.name!r}"
    assert (vars(cls).get("__doc__") or "").strip(), f"{cls.__name__}: expected a docstring that says what it assumes"
    try:
        cls(**given).name = plugin
    except FrozenInstanceError:
        return
    except AttributeError:
        pass  # that this attribute cannot be set says nothing of the parameters
    raise AssertionError(f"{cls.__name__}: expected a class made with attrs.frozen, so that a run keeps its parameters")


def check_parameters(cls: Any, given: Mapping[str, Any]) -> None:
    """Every parameter is documented; every number has bounds, its value between them, and what is beyond is refused."""
    fields = attrs.fields(attrs.resolve_types(cls))
    bare = [field.name for field in fields if len(field.metadata.get("doc", "").split()) < 2]
    assert not bare, f"{cls.__name__}: expected parameter(..., doc='what it means, in which unit') of {', '.join(bare)}"
    model = cls(**given)
    for field in fields:
        if field.type is bool or not isinstance(value := getattr(model, field.name), int | float | Duration):
            continue
        low, high = field.metadata["low"], field.metadata["high"]
        where = f"{cls.__name__}.{field.name}"
        assert low is not None and high is not None, f"{where}: expected low= and high=, got low={low}, high={high}"
        assert low <= value <= high, f"{where}: expected a default of {low} to {high}, got {value}"
        for beyond in _beyond(low, high):
            try:
                structure({field.name: text_leaf(beyond, "the card")}, cls, (cls.name,))
            except ConfigError:
                continue
            raise AssertionError(f"{where}: expected {beyond} to be refused, and it was taken")


def _beyond(low: Any, high: Any) -> list[str]:
    """Values below and above the bounds, as a person would write them."""
    if isinstance(low, Duration):
        return [f"{high.ns + 1}ns", *([f"{low.ns - 1}ns"] if low.ns else [])]
    return [repr(low - 1), repr(high * 2 + 1 if high > 0 else high + 1)]


def variants(cls: Any, given: Mapping[str, Any]) -> Iterator[Any]:
    """The model as given, and with each bounded parameter at its lowest and at its highest, where these go together."""
    yield cls(**given)
    for field in attrs.fields(attrs.resolve_types(cls)):
        values = (False, True) if field.type is bool else (field.metadata.get("low"), field.metadata.get("high"))
        for value in values:
            if value is None:
                continue
            try:
                yield cls(**{**given, field.name: value})
            except (ValueError, TypeError):
                continue  # the class refuses it beside the others
