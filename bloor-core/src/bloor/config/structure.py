"""From untyped values to a typed section, with an error that says path, expectation, value and source.

A section is an attrs class. Its fields are converted one by one by a cattrs converter that never guesses: an integer
field takes an integer, a :class:`~decimal.Decimal` takes the digits as they were written and never passes through
binary floating point, an enum takes one of its values. Validators of the class then check ranges.
"""

from __future__ import annotations

import math
import re
import types
from collections.abc import Callable, Mapping
from decimal import Decimal
from enum import Enum
from pathlib import Path
from typing import Any, TypeVar, Union, get_args, get_origin

import attrs
import cattrs
from cattrs.errors import IterableValidationError

from bloor.config.duration import Duration, parse_duration
from bloor.config.layers import Leaf, Tree, dotted, is_secret, leaves_of
from bloor.errors import ConfigError, UsageError, nearest

__all__ = ["describe", "read_value", "register_text", "structure"]

T = TypeVar("T")

_WORDS: dict[Any, str] = {
    bool: "true or false",
    int: "an integer",
    float: "a finite number",
    Decimal: "a decimal number",
    str: "a string",
    Path: "a path",
    Duration: "a duration with a unit such as 30s or 5m",
}


#: A decimal in a string; Decimal itself also takes other scripts' digits, white space and "Infinity".
_DECIMAL = re.compile(r"[+-]?[0-9]+(?:_[0-9]+)*(?:\.[0-9]+)?(?:[eE][+-]?[0-9]{1,3})?\Z", re.ASCII)


class _Wrong(Exception):  # noqa: N818 (internal: carries an expectation to the place that knows the path)
    """A value that does not fit; the argument says what was expected when the type alone does not."""


# ---- values ---------------------------------------------------------------------------------------------------------


def _exactly(kind: type) -> Callable[[Any, Any], Any]:
    def hook(value: Any, _: Any) -> Any:
        if type(value) is not kind:
            raise _Wrong
        return value

    return hook


def _float(value: Any, _: Any) -> float:
    if type(value) not in (int, float, Decimal):
        raise _Wrong
    try:
        number = float(value)
    except OverflowError:
        raise _Wrong from None
    if not math.isfinite(number):
        raise _Wrong
    return number


def _decimal(value: Any, _: Any) -> Decimal:
    if type(value) not in (int, str, Decimal) or (type(value) is str and not _DECIMAL.match(value)):
        raise _Wrong
    number = Decimal(value)
    # the bound keeps 1e999999999 from becoming a billion digits later
    if not number.is_finite() or not -64 <= number.adjusted() <= 64:
        raise _Wrong
    return number


def _path(value: Any, _: Any) -> Path:
    if type(value) is not str and not isinstance(value, Path):
        raise _Wrong
    return Path(value)


def _duration(value: Any, _: Any) -> Duration:
    if isinstance(value, Duration):
        return value
    if type(value) is not str:
        raise _Wrong
    try:
        return parse_duration(value)
    except UsageError:
        raise _Wrong from None


def _enum(value: Any, kind: Any) -> Any:
    if isinstance(value, kind):
        return value
    for member in kind:
        if type(value) is type(member.value) and value == member.value:
            return member
    raise _Wrong(nearest(str(value), [str(member.value) for member in kind]))


def _converter() -> cattrs.Converter:
    converter = cattrs.Converter(forbid_extra_keys=True)
    for kind in (bool, int, str):
        converter.register_structure_hook(kind, _exactly(kind))
    converter.register_structure_hook(float, _float)
    converter.register_structure_hook(Decimal, _decimal)
    converter.register_structure_hook(Path, _path)
    converter.register_structure_hook(Duration, _duration)
    converter.register_structure_hook_func(lambda kind: isinstance(kind, type) and issubclass(kind, Enum), _enum)
    return converter


_CONVERTER = _converter()


def register_text(kind: type[T], read: Callable[[Any], T], words: str) -> None:
    """Teaches the configuration a type that is written as one value.

    Args:
        kind: The type of the field.
        read: Makes an instance of what TOML holds; raises ValueError, its text says what was expected.
        words: What is expected, for messages: ``"a duration such as 30s"``.
    """

    def hook(value: Any, _: Any) -> Any:
        if isinstance(value, kind):
            return value
        try:
            return read(value)
        except ValueError as error:
            raise _Wrong(f": {error}") from None

    _CONVERTER.register_structure_hook(kind, hook)
    _WORDS[kind] = words


def describe(kind: Any) -> str:
    """What a field of this type takes, in words: ``an integer``, ``one of 'sim', 'paper', 'live'``."""
    if kind in _WORDS:
        return _WORDS[kind]
    if isinstance(kind, type) and issubclass(kind, Enum):
        return f"one of {', '.join(repr(member.value) for member in kind)}"
    origin, args = get_origin(kind), get_args(kind)
    if origin in (Union, types.UnionType):
        return " or ".join(describe(arg) for arg in args if arg is not type(None))
    if origin in (list, tuple, set, frozenset):
        return f"a list, each element {describe(args[0])}"
    if origin in (dict, Mapping):
        return f"a table, each value {describe(args[-1])}"
    return "a table" if attrs.has(kind) else str(getattr(kind, "__name__", kind))


# ---- fields ---------------------------------------------------------------------------------------------------------


def _choices(kind: Any) -> tuple[Any, ...]:
    """The alternatives of a union without None; the type itself otherwise."""
    if get_origin(kind) in (Union, types.UnionType):
        return tuple(arg for arg in get_args(kind) if arg is not type(None))
    return (kind,)


def _adapted(leaf: Leaf, kind: Any) -> Any:
    """The value of a leaf; a text from the environment or ``--set`` may mean a string or a list without quotes."""
    choices = _choices(kind)
    if leaf.text is None:
        return leaf.value
    if str in choices and not isinstance(leaf.value, str):
        return leaf.text
    if isinstance(leaf.value, str) and any(get_origin(choice) in (list, tuple) for choice in choices):
        return [part.strip() for part in leaf.value.split(",") if part.strip()]
    return leaf.value


def _value(leaf: Leaf, kind: Any, path: tuple[str, ...]) -> Any:
    """One typed value.

    Raises:
        ConfigError: It is of another type.
    """
    value = _adapted(leaf, kind)
    wrong: Exception = _Wrong()
    for choice in _choices(kind):
        try:
            return _CONVERTER.structure(value, choice)
        except IterableValidationError as error:
            wrong = error.exceptions[0]
        except (_Wrong, ValueError, TypeError, cattrs.BaseValidationError) as error:
            wrong = error
    hint = str(wrong) if isinstance(wrong, _Wrong) else ""
    raise ConfigError(dotted(path), describe(kind), _shown(leaf, path), leaf.source, hint)


def _shown(leaf: Leaf, path: tuple[str, ...]) -> str:
    """A value as a message may show it."""
    if is_secret(path):
        return "a value that is not shown"
    value = leaf.text if leaf.text is not None else leaf.value
    return f"{value} (a number)" if isinstance(value, Decimal) else repr(value)


def _node(node: Leaf | Tree, kind: Any, path: tuple[str, ...]) -> Any:
    classes = [choice for choice in _choices(kind) if attrs.has(choice) and choice not in _WORDS]
    if isinstance(node, Leaf):
        return _value(node, kind, path)
    if classes:
        return structure(node, classes[0], path)
    if any(get_origin(choice) in (dict, Mapping) for choice in _choices(kind)):
        inner = get_args(kind)[-1]
        return {key: _node(below, inner, (*path, key)) for key, below in node.items()}
    raise ConfigError(dotted(path), describe(kind), "a table", _source(node))


def _source(node: Leaf | Tree) -> str:
    return next((leaf.source for _, leaf in leaves_of(node)), "")


def read_value(kind: type[T], text: str, source: str, path: str) -> T:
    """One value of a type from text, as an environment variable or an option of a command says it.

    Args:
        kind: The type.
        text: What was said.
        source: Who said it, e.g. ``--mode``.
        path: Dotted path of the key that it stands for.

    Raises:
        ConfigError: The text is no such value.
    """
    value: T = _value(Leaf(text, source, text), kind, tuple(path.split(".")))
    return value


# ---- sections -------------------------------------------------------------------------------------------------------


def structure(tree: Tree, cls: type[T], path: tuple[str, ...]) -> T:
    """A section as an instance of its class.

    Args:
        tree: The section's values; may be empty.
        cls: An attrs class.
        path: Where the section stands, for messages.

    Raises:
        ConfigError: A key is unknown, missing, of the wrong type or out of range.
    """
    known: Any = cls
    fields = {field.name: field for field in attrs.fields(attrs.resolve_types(known)) if field.init}
    given: dict[str, Any] = {}
    for key, node in tree.items():
        if key not in fields:
            expected = f"one of {', '.join(fields)}" if fields else "no key at all"
            where = dotted((*path, key))
            raise ConfigError(where, expected, f"unknown key {key!r}", _source(node), nearest(key, fields))
        given[key] = _node(node, fields[key].type, (*path, key))
    for name, field in fields.items():
        if field.default is attrs.NOTHING and name not in given:
            raise ConfigError(dotted((*path, name)), describe(field.type), "nothing", "", "; it has no default")
    try:
        return cls(**{fields[key].alias or key: value for key, value in given.items()})
    except (ValueError, TypeError) as error:
        raise _out_of_range(error, tree, path) from None


def _out_of_range(error: Exception, tree: Tree, path: tuple[str, ...]) -> ConfigError:
    """What a validator of the section's class refused, in our words."""
    text = str(error.args[0]) if error.args else type(error).__name__
    # validators of attrs quote the attribute first: 'speed' must be >= 0: -1, 'url' must match regex 'x' ('y' doesn't)
    named = re.match(r"'(\w+)' must (?:be )?(.*?)(?::[^:]*| \('.*' doesn't\)| \(got .*\))?\Z", text, re.DOTALL)
    node = tree.get(named[1]) if named else None
    if named and isinstance(node, dict) and not is_secret((named[1],)):
        expected, _, got = text.partition(" must be ")[2].partition(": ")
        return ConfigError(dotted((*path, named[1])), f"a table that is {expected}", got or "another", _source(node))
    if named is None or not isinstance(node, Leaf):
        shown = "a consistent section" if any(is_secret((key,)) for key in tree) else text
        return ConfigError(dotted(path), shown, "the values given", _source(tree))
    where = (*path, named[1])
    expected = f"a value {named[2].replace('match regex', 'that matches')}"
    return ConfigError(dotted(where), expected, _shown(node, where), node.source)
