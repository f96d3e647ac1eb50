"""Models by what a person writes: ``NAME`` or ``NAME:key=value,key=value``, and a few shorter forms.

========================  =============================================================
``--queue-model``         ``risk-averse``, ``power-prob:n=3``
``--latency``             ``5ms`` each way, ``2ms/1ms`` entry/response, ``lognormal``
``--fees``                ``0.0002/0.0005`` maker/taker, ``binance``, ``none``
========================  =============================================================

A name is that of a model which comes with bloor, or else of a plug-in.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, TypeVar

import attrs

from bloor.backtesting.models.charges import FEE_MODELS
from bloor.backtesting.models.fee import FeeModel
from bloor.backtesting.models.latencies import LATENCY_MODELS
from bloor.backtesting.models.latency import LatencyModel
from bloor.backtesting.models.queue import QueueModel
from bloor.backtesting.models.queues import QUEUE_MODELS
from bloor.config.layers import Tree, text_leaf
from bloor.config.structure import structure
from bloor.errors import ConfigError, UsageError, nearest
from bloor.plugins.catalog import Kind
from bloor.plugins.host import PluginHost

__all__ = ["parse_fees", "parse_latency", "parse_queue_model"]

M = TypeVar("M", QueueModel, LatencyModel, FeeModel)


def parse_queue_model(text: str, host: PluginHost) -> QueueModel:
    """The queue model that a text names, with its parameters.

    Args:
        text: Such as ``risk-averse`` or ``power-prob:n=3``.
        host: Where plug-ins are asked for.

    Raises:
        UsageError: The text names no model, or its parameters are not the model's or out of bounds.
    """
    return _parsed(text, "--queue-model", QUEUE_MODELS, host, host.queue_model, (Kind.QUEUE_MODEL,))


def parse_latency(text: str, host: PluginHost) -> LatencyModel:
    """The latency model that a text names; ``5ms`` is 5 ms each way, ``2ms/1ms`` is entry/response.

    Args:
        text: Such as ``5ms`` or ``lognormal:entry=2ms,entry_p99=8ms``.
        host: Where plug-ins are asked for.

    Raises:
        UsageError: As :func:`parse_queue_model`.
    """
    if text[:1].isdigit() or text[:1] == "-":
        entry, slash, response = text.partition("/")
        text = f"constant:entry={entry},response={response if slash else entry}"
    return _parsed(text, "--latency", LATENCY_MODELS, host, host.latency_model, (Kind.LATENCY_MODEL,))


def parse_fees(text: str, host: PluginHost) -> FeeModel:
    """The fee model that a text names; ``0.0002/0.0005`` is maker/taker, ``none`` is no fee at all.

    Args:
        text: Such as ``0.0002/0.0005``, ``flat:maker=-0.0001,taker=0.0005`` or ``binance:volume=1000000``.
        host: Where plug-ins are asked for.

    Raises:
        UsageError: As :func:`parse_queue_model`.
    """
    if text == "none":
        text = "0/0"
    if text[:1].isdigit() or text[:1] == "-":
        maker, slash, taker = text.partition("/")
        text = f"flat:maker={maker},taker={taker if slash else maker}"
    return _parsed(text, "--fees", FEE_MODELS, host, host.fee_model, (Kind.FEE_MODEL, Kind.VENUE, Kind.FEED))


def _parsed(
    text: str,
    option: str,
    known: Mapping[str, type[M]],
    host: PluginHost,
    plugin: Callable[[str], type[M]],
    kinds: tuple[Kind, ...],
) -> M:
    name, colon, rest = text.strip().partition(":")
    cls = known.get(name)
    if cls is None:
        installed: list[str] = host.catalog.names(*kinds, Kind.UNKNOWN)
        if name not in installed:
            every = ", ".join([*known, *host.catalog.names(*kinds)])
            near = nearest(name, [*known, *installed])
            raise UsageError(f"{option}: expected a model, one of {every}, got {name!r}{near}")
        cls = plugin(name)
    elif name in host.catalog.names(kinds[0]):
        raise UsageError(f"{option}: {name!r} comes with bloor, and a plug-in has the same name; rename the plug-in")
    tree = _tree(rest, option, cls) if colon else {}
    try:
        return structure(tree, cls, (name,))
    except ConfigError as error:
        key = error.path.removeprefix(name).lstrip(".")
        if not key:  # parameters that do not go together, in the model's own words
            raise UsageError(f"{option} {name}: {error.expected}") from None
        raise UsageError(f"{option} {name}: {key}: expected {error.expected}, got {error.got}{error.hint}") from None


def _tree(text: str, option: str, cls: Any) -> Tree:
    """``key=value,key=value`` as a section."""
    tree: Tree = {}
    keys = [field.name for field in attrs.fields(cls)]
    takes = f"one of {', '.join(keys)}" if keys else "nothing, for it has no parameters"
    for part in text.split(","):
        key, equals, value = (word.strip() for word in part.partition("="))
        if not equals or not key:
            raise UsageError(f"{option} {cls.name}: expected key=value, the key {takes}, got {part.strip()!r}")
        if key in tree:
            raise UsageError(f"{option} {cls.name}: expected each key once, got {key!r} twice")
        tree[key] = text_leaf(value, option)
    return tree
