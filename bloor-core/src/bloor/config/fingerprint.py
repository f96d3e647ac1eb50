"""What a run was configured with, defaults included, as plain data and as one hash."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from decimal import Decimal
from enum import Enum
from pathlib import PurePath
from typing import Any

import attrs

from bloor.config.duration import Duration
from bloor.config.layers import is_secret

__all__ = ["fingerprint", "plain"]


def plain(value: Any, path: tuple[str, ...] = ()) -> Any:
    """A typed section as what JSON can hold; decimals and durations are strings, secrets are masked.

    Raises:
        TypeError: A value has no plain form.
    """
    if path and is_secret(path[-1:]):
        return "********"
    if isinstance(value, Enum):
        return plain(value.value, path)
    if value is None or isinstance(value, bool | int | str | float):
        return value
    if isinstance(value, Decimal | Duration | PurePath):
        return str(value)
    if attrs.has(type(value)):
        names = [field.name for field in attrs.fields(type(value))]
        return {name: plain(getattr(value, name), (*path, name)) for name in names}
    if isinstance(value, Mapping):
        return {str(key): plain(below, (*path, str(key))) for key, below in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        items = [plain(item, path) for item in value]
        return sorted(items, key=repr) if isinstance(value, set | frozenset) else items
    raise TypeError(f"configuration: {'.'.join(path)}: expected a plain value, got {type(value).__name__}")


def fingerprint(sections: Mapping[str, Any]) -> str:
    """SHA-256, in hex, over typed sections by name: equal for equal configurations, whatever their source."""
    text = json.dumps(plain(dict(sections)), sort_keys=True, ensure_ascii=True, allow_nan=False)
    return hashlib.sha256(text.encode()).hexdigest()
