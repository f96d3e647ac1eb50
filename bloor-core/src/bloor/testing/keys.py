"""What a simulated venue prints as keys: their secret texts, and the same keys with something wrong."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

__all__ = ["exchanged", "secrets_of"]

Keys = Mapping[str, Any]


def secrets_of(keys: Keys) -> list[str]:
    """The texts of printed keys that nobody else may see: of a PEM, the lines of its body.

    Args:
        keys: As :meth:`~bloor.simulation.venue.SimulatedVenue.credentials` gives them.
    """
    found: list[str] = []
    for path in _leaves(keys):
        lines = [line for line in _at(keys, path).splitlines() if not line.startswith("-----")]
        found += [line for line in lines if len(line) >= 12]
    return found


def exchanged(keys: Keys, others: Keys) -> Iterator[tuple[str, Keys]]:
    """Keys with one of their texts exchanged for that of another account: its name, and the keys.

    Of keys of several kinds only the one that is wrong is given.

    Args:
        keys: The right ones.
        others: Those of the other account, of the same form.
    """
    for path in _leaves(keys):
        other = _at(others, path)
        if other is not None and other != _at(keys, path):
            wrong = _with(keys, path, other)
            yield ".".join(path), {path[0]: wrong[path[0]]} if len(path) > 1 else wrong


def _leaves(keys: Keys, path: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    """Where the texts are."""
    for name, value in keys.items():
        if isinstance(value, Mapping):
            yield from _leaves(value, (*path, name))
        elif isinstance(value, str):
            yield (*path, name)


def _at(keys: Any, path: Sequence[str]) -> Any:
    for name in path:
        keys = keys.get(name) if isinstance(keys, Mapping) else None
    return keys


def _with(keys: Keys, path: Sequence[str], value: Any) -> dict[str, Any]:
    """The keys with one text changed."""
    name, *rest = path
    return {**keys, name: _with(keys[name], rest, value) if rest else value}
