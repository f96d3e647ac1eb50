"""Where configuration comes from, and who wins: defaults < file < environment < ``--set`` < options of the command.

Every value is kept as a :class:`Leaf` with its source, so that an error can say where the wrong value stands. Nothing
is typed here; :mod:`bloor.config.structure` does that when a section is asked for.

Names of plug-ins are compared with ``_`` and ``-`` as one character: ``BLOOR_RISK__ORDER_LIMITS__MAX_VALUE`` sets
``risk.order-limits.max_value``.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterable, Iterator, Mapping
from decimal import Decimal
from pathlib import Path
from typing import Any, TypeAlias

from attrs import frozen

from bloor.config.locate import key_lines
from bloor.errors import ConfigError, InputFileError, UsageError, nearest

__all__ = [
    "DEFAULT_FILE",
    "ENV_PREFIX",
    "PLUGIN_TABLES",
    "SECTIONS",
    "Leaf",
    "Tree",
    "dotted",
    "is_secret",
    "read_tree",
    "text_leaf",
]

#: Read when no file is named and it exists in the working directory.
DEFAULT_FILE = Path("bloor.toml")
ENV_PREFIX = "BLOOR_"
#: Sections of which each key is the name of a plug-in.
PLUGIN_TABLES = ("strategy", "risk", "venue", "keys")
#: Every section there is.
SECTIONS = ("run", "plugins", "log", "sim", "paper", "backtest", *PLUGIN_TABLES)

_SECRET = re.compile(r"secret|passw|passphrase|token|private|api_?key|credential", re.IGNORECASE)
_MAX_FILE_BYTES = 1 << 20


@frozen
class Leaf:
    """One configured value.

    Attributes:
        value: What TOML made of it; numbers with a fraction are :class:`~decimal.Decimal`, exactly as written.
        source: ``bloor.toml:12``, ``environment variable BLOOR_RUN__MODE``, ``--set`` or the name of an option.
        text: The text as the user gave it, where the source is text (environment, ``--set``); None otherwise.
    """

    value: Any
    source: str
    text: str | None = None


Tree: TypeAlias = "dict[str, Leaf | Tree]"


def dotted(path: Iterable[str]) -> str:
    """``strategy.momentum.lookback`` for its parts."""
    return ".".join(path)


def is_secret(path: Iterable[str]) -> bool:
    """Whether the value at this path must never be shown."""
    return any(_SECRET.search(part) for part in path)


def read_tree(
    file: Path | None,
    environ: Mapping[str, str],
    sets: Iterable[str] = (),
    options: Mapping[str, tuple[str, Any]] | None = None,
) -> Tree:
    """All layers merged, untyped.

    Args:
        file: The file named by the user; None reads :data:`DEFAULT_FILE` where it exists.
        environ: Environment variables; only ``BLOOR_SECTION__KEY`` count.
        sets: Texts ``path.to.key=value``.
        options: ``{"run.mode": ("--mode", "paper")}``: what options of the command say.

    Raises:
        ConfigError: A section is unknown, or a layer cannot be read as configuration.
        InputFileError: The file cannot be read, or is not TOML.
    """
    tree: Tree = {}
    if file is not None or DEFAULT_FILE.is_file():
        _merge(tree, _file_layer(file or DEFAULT_FILE))
    for name in sorted(environ):
        if name.startswith(ENV_PREFIX) and "__" in name:
            _merge(tree, _environment_leaf(name, environ[name]))
    for text in sets:
        _merge(tree, _set_leaf(text))
    for key, (option, value) in (options or {}).items():
        _merge(tree, _nest(key.split("."), Leaf(value, option)))
    _check_sections(tree)
    return tree


# ---- the layers -----------------------------------------------------------------------------------------------------


def _file_layer(file: Path) -> Tree:
    try:
        with file.open("rb") as stream:
            raw = stream.read(_MAX_FILE_BYTES + 1)
        if len(raw) > _MAX_FILE_BYTES:
            raise InputFileError(str(file), f"expected a configuration of at most {_MAX_FILE_BYTES} bytes")
        text = raw.decode("utf-8").replace("\r\n", "\n")
        parsed = tomllib.loads(text, parse_float=Decimal)
    except OSError as error:
        raise InputFileError(str(file), f"cannot be read: {error.strerror}") from None
    except UnicodeDecodeError as error:
        raise InputFileError(str(file), f"expected UTF-8 text: {error.reason} at byte {error.start}") from None
    except tomllib.TOMLDecodeError as error:
        line = re.search(r"\(at line (\d+)", str(error))
        raise InputFileError(str(file), f"not valid TOML: {error}", int(line[1]) if line else None) from None
    lines = key_lines(text)

    def leaves(table: Mapping[str, Any], above: tuple[str, ...]) -> Tree:
        made: Tree = {}
        for key, value in table.items():
            path = (*above, key)
            line = lines.get(path, lines.get(above, 0))
            source = f"{file}:{line}" if line else str(file)
            _put(made, key, leaves(value, path) if isinstance(value, dict) else Leaf(value, source), above, source)
        return made

    return leaves(parsed, ())


def _environment_leaf(name: str, text: str) -> Tree:
    source = f"environment variable {name}"
    parts = name.removeprefix(ENV_PREFIX).lower().split("__")
    if not all(parts):
        raise ConfigError(name, "a name such as BLOOR_RUN__MODE, with a word on both sides of __", repr(name), source)
    return _nest(parts, text_leaf(text, source))


def _set_leaf(text: str) -> Tree:
    key, equals, value = text.partition("=")
    parts = [part.strip() for part in key.split(".")]
    if not equals or not all(parts):
        shown = key if is_secret(parts) else text
        raise UsageError(f"--set: expected path.to.key=value such as run.mode=paper, got {shown!r}")
    return _nest(parts, text_leaf(value.strip(), "--set"))


def text_leaf(text: str, source: str) -> Leaf | Tree:
    """What a text means, of an environment variable or an option: TOML where it is TOML, else the plain text."""
    try:
        parsed = tomllib.loads(f"value = {text}", parse_float=Decimal)
    except tomllib.TOMLDecodeError:
        return Leaf(text, source, text)
    value = parsed["value"]
    if len(parsed) > 1:
        return Leaf(text, source, text)

    def leaves(table: Mapping[str, Any]) -> Tree:
        return {k: leaves(v) if isinstance(v, dict) else Leaf(v, source) for k, v in table.items()}

    return leaves(value) if isinstance(value, dict) else Leaf(value, source, text)


# ---- merging --------------------------------------------------------------------------------------------------------


def _nest(parts: Iterable[str], node: Leaf | Tree) -> Tree:
    first, *rest = parts
    return {first: _nest(rest, node) if rest else node}


def _put(tree: Tree, key: str, node: Leaf | Tree, above: tuple[str, ...], source: str) -> None:
    """Puts a key of the file; one plug-in under two spellings is refused."""
    if above and above[0] in PLUGIN_TABLES and len(above) == 1:
        spelled = key.replace("_", "-")
        if spelled in tree:
            got = f"a second spelling of {spelled}"
            raise ConfigError(dotted((*above, key)), "one section per plug-in", got, source)
        key = spelled
    tree[key] = node


def _merge(tree: Tree, over: Tree, depth: int = 0, table: str = "") -> None:
    """Lays ``over`` on ``tree``: tables are merged, values replaced."""
    for key, node in over.items():
        if depth == 1 and table in PLUGIN_TABLES:
            key = key.replace("_", "-")  # noqa: PLW2901 (the canonical spelling of the same key)
        here = tree.get(key)
        if isinstance(node, Leaf):
            tree[key] = node
        else:
            if not isinstance(here, dict):
                here = tree[key] = {}
            _merge(here, node, depth + 1, key if depth == 0 else table)


def _check_sections(tree: Tree) -> None:
    for name, node in tree.items():
        if name not in SECTIONS:
            source = next((leaf.source for _, leaf in leaves_of(node, (name,))), "")
            expected = f"a section, one of {', '.join(SECTIONS)}"
            raise ConfigError(name, expected, f"[{name}]", source, nearest(name, SECTIONS))
        tables: dict[tuple[str, ...], Leaf | Tree] = {(name,): node}
        if name in PLUGIN_TABLES and not isinstance(node, Leaf):
            tables |= {(name, key): below for key, below in node.items()}
        for path, table in tables.items():
            if isinstance(table, Leaf):
                shown = "a value" if is_secret(path) else repr(table.text or table.value)
                raise ConfigError(dotted(path), f"a table such as [{dotted(path)}]", shown, table.source)


def leaves_of(node: Leaf | Tree, path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], Leaf]]:
    """``(path, leaf)`` of everything below a node, in order of the paths."""
    if isinstance(node, Leaf):
        yield path, node
    else:
        for key in sorted(node):
            yield from leaves_of(node[key], (*path, key))
