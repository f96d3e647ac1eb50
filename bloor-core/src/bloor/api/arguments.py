"""Arguments of the API, as the options of a run want them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import timedelta
from os import PathLike
from pathlib import Path
from typing import Any

from bloor.config import Duration
from bloor.config.structure import read_value
from bloor.errors import UsageError
from bloor.strategy.api import Strategy

__all__ = ["Paths", "Texts", "check_classes", "path_of", "paths_of", "seconds_of", "sets_of", "text_of", "texts_of"]

Texts = str | Sequence[str]
Paths = str | Path | Sequence[str | Path]


def texts_of(value: Texts, name: str = "argument") -> tuple[str, ...]:
    """One text, or several.

    Raises:
        UsageError: It is something else.
    """
    found = (value,) if isinstance(value, str) or not isinstance(value, Iterable) else tuple(value)
    for each in found:
        if not isinstance(each, str):
            raise UsageError(f"{name}: expected a text, or several, got {each!r}")
    return found


def text_of(value: str | None, name: str) -> str | None:
    """A text, where one is given.

    Raises:
        UsageError: It is something else.
    """
    if value is not None and not isinstance(value, str):
        raise UsageError(f"{name}: expected a text, got {value!r}")
    return value


def path_of(value: str | Path | None, name: str = "argument") -> Path | None:
    """A path, where one is given.

    Raises:
        UsageError: It is something else.
    """
    return None if value is None else paths_of(value, name)[0]


def paths_of(value: Paths, name: str = "argument") -> tuple[Path, ...]:
    """One path, or several.

    Raises:
        UsageError: It is something else.
    """
    found = (value,) if isinstance(value, str | PathLike) or not isinstance(value, Iterable) else tuple(value)
    for each in found:
        if not isinstance(each, str | PathLike):
            raise UsageError(f"{name}: expected a path, or several, got {each!r}")
    return tuple(Path(each) for each in found)


def seconds_of(value: str | float | timedelta | None) -> float | None:
    """A duration in seconds, where one is given.

    Raises:
        UsageError: It is none.
    """
    if value is None:
        return None
    if isinstance(value, timedelta):
        return value.total_seconds()
    if isinstance(value, str):
        return read_value(Duration, value, "duration", "run.duration").seconds
    if not 0 < value < float("inf"):
        raise UsageError(f"duration: expected seconds above 0, or a text such as '15s', got {value!r}")
    return float(value)


def check_classes(classes: Sequence[Any]) -> None:
    """Refuses what is no strategy class.

    Raises:
        UsageError: One is something else.
    """
    for cls in classes:
        if not isinstance(cls, type) or not issubclass(cls, Strategy):
            raise UsageError(f"strategies: expected subclasses of bloor.strategy.api.Strategy, got {cls!r}")


def sets_of(values: Mapping[str, Any], above: str = "") -> Sequence[str]:
    """``path=value`` of every value; nested mappings are paths.

    Raises:
        UsageError: It is no mapping.
    """
    if not isinstance(values, Mapping):
        raise UsageError(
            f"set: expected values by their paths, such as {{'strategy.momentum.fast': 10}}, got {values!r}"
        )
    found: list[str] = []
    for key, value in values.items():
        if isinstance(value, Mapping):
            found += sets_of(value, f"{above}{key}.")
        else:
            found.append(f"{above}{key}={_toml(value)}")
    return found


def _toml(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, list | tuple):
        return "[" + ", ".join(f'"{each}"' if isinstance(each, str | Path) else _toml(each) for each in value) + "]"
    return str(value)
