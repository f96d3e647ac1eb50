"""What one plug-in brings, for ``bloor plugins info``."""

from __future__ import annotations

import inspect
import re
from typing import TYPE_CHECKING, Any

import attrs

from bloor.config.structure import describe

if TYPE_CHECKING:
    from bloor.plugins import PluginHost

__all__ = ["describe_plugin"]

MODEL_HOOKS = ("bloor_queue_model", "bloor_latency_model", "bloor_fee_model")


def describe_plugin(host: PluginHost, name: str) -> dict[str, Any]:
    """Loads a plug-in and describes it.

    Returns:
        ``name``, ``kind``, ``api``, ``distribution``, ``version``, ``entry_point``, ``hooks``, ``summary``,
        ``section`` and ``settings`` (each with ``key``, ``type``, ``default`` and ``doc``).

    Raises:
        PluginError: The plug-in cannot be loaded, or a hook of it fails.
    """
    loaded = host.load(name)
    answers = host.answers(name)
    installed = loaded.installed
    table, settings = _section(answers)
    return {
        "name": name,
        "kind": installed.kind.value,
        "api": installed.api,
        "distribution": installed.distribution,
        "version": installed.version,
        "entry_point": installed.value,
        "hooks": list(loaded.hooks),
        "summary": _summary(loaded.plugin, answers),
        "section": f"{table}.{name}" if table else "",
        "settings": [] if settings is None else _settings(settings),
    }


def _summary(plugin: Any, answers: dict[str, Any]) -> str:
    """The first line of the docstring of the strategy, risk check or model, or else of the plug-in."""
    subject = answers.get("bloor_strategy") or answers.get("bloor_risk_check") or _model(answers) or plugin
    return (subject.__doc__ or "").strip().partition("\n")[0]


def _section(answers: dict[str, Any]) -> tuple[str, type[Any] | None]:
    """The table that configures a plug-in, and its attrs class; a model has parameters and no table."""
    if "bloor_strategy" in answers:
        from bloor.strategy.params import config_class

        return "strategy", config_class(answers["bloor_strategy"])
    if "bloor_risk_check" in answers:
        return "risk", answers["bloor_risk_check"].limits
    if (model := _model(answers)) is not None:
        return "", model
    return "venue", answers.get("bloor_venue_config")


def _model(answers: dict[str, Any]) -> type[Any] | None:
    """The model of a plug-in that has one and nothing else; a venue has a section."""
    found = [answers[hook] for hook in MODEL_HOOKS if hook in answers]
    return found[0] if len(found) == len(answers) == 1 else None


def _settings(cls: type[Any]) -> list[dict[str, Any]]:
    fields = [field for field in attrs.fields(attrs.resolve_types(cls)) if field.init]
    docs = _attribute_docs(cls)
    return [
        {
            "key": field.name,
            "type": describe(field.type),
            "default": None if field.default in (None, attrs.NOTHING) else _text(field.default),
            "doc": field.metadata.get("doc") or docs.get(field.name, ""),
        }
        for field in fields
    ]


def _attribute_docs(cls: type[Any]) -> dict[str, str]:
    """What the section ``Attributes:`` of a class's docstring says of each attribute."""
    text = inspect.getdoc(cls) or ""
    section = re.search(r"^Attributes:\n((?:    .*\n?|\n)+)", text, re.MULTILINE)
    entries = re.findall(r"^ {4}(\w+): (.*(?:\n {8,}.*)*)", section[1] if section else "", re.MULTILINE)
    return {name: " ".join(words.split()) for name, words in entries}


def _text(default: Any) -> str:
    return "" if isinstance(default, attrs.Factory) else str(getattr(default, "value", default))  # type: ignore[arg-type]
