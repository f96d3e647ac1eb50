"""The configuration of one run: every value with its source, typed section by section."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, TypeVar

from attrs import frozen

from bloor.config.layers import PLUGIN_TABLES, SECTIONS, Leaf, Tree, dotted, is_secret, leaves_of, read_tree
from bloor.config.sections import LogConfig, PluginsConfig, RunConfig
from bloor.config.structure import structure
from bloor.errors import ConfigError, nearest

__all__ = ["CoreConfig", "RawConfig", "read_layers", "section"]

T = TypeVar("T")


@frozen(kw_only=True)
class CoreConfig:
    """The sections that bloor itself reads.

    Attributes:
        run: ``[run]``.
        plugins: ``[plugins]``.
        log: ``[log]``.
    """

    run: RunConfig
    plugins: PluginsConfig
    log: LogConfig


@frozen
class RawConfig:
    """Merged configuration; a section gets its type when it is asked for.

    Attributes:
        tree: Nested tables of :class:`~bloor.config.layers.Leaf`.
    """

    tree: Tree

    def section(self, path: str | Iterable[str], cls: type[T]) -> T:
        """One section as an instance of its attrs class, all defaults when nothing is configured.

        Args:
            path: ``"run"`` or ``("strategy", "momentum")``; a plug-in's name may be spelled with ``-`` or ``_``.
            cls: An attrs class.

        Raises:
            ConfigError: A key is unknown, missing, of the wrong type or out of range.
        """
        parts = _parts(path)
        node: Leaf | Tree = self.tree
        for part in parts:
            assert not isinstance(node, Leaf)  # read_tree refuses a value in the place of a section
            node = node.get(part, {})
        assert not isinstance(node, Leaf)
        return structure(node, cls, parts)

    def configured(self, path: str | Iterable[str]) -> bool:
        """Whether any layer says anything below ``path``."""
        node: Leaf | Tree = self.tree
        for part in _parts(path):
            if isinstance(node, Leaf) or part not in node:
                return False
            node = node[part]
        return True

    def core(self) -> CoreConfig:
        """``[run]``, ``[plugins]`` and ``[log]``.

        Raises:
            ConfigError: One of them is wrong.
        """
        return CoreConfig(
            run=self.section("run", RunConfig),
            plugins=self.section("plugins", PluginsConfig),
            log=self.section("log", LogConfig),
        )

    def check_plugin_sections(self, installed: Mapping[str, Iterable[str]]) -> None:
        """Refuses sections of plug-ins that are not installed.

        Args:
            installed: ``{"strategy": names, "risk": names, "venue": names}`` of everything installed, used or not.

        Raises:
            ConfigError: With the nearest installed name.
        """
        for table in PLUGIN_TABLES:
            names = {name.replace("_", "-"): name for name in installed.get(table, ())}
            node = self.tree.get(table, {})
            assert not isinstance(node, Leaf)  # read_tree refuses it
            for key in node:
                if key not in names:
                    expected = f"the name of an installed plug-in ({', '.join(sorted(names.values())) or 'none is'})"
                    source = next((leaf.source for _, leaf in leaves_of(node[key])), "")
                    hint = nearest(key, names.values())
                    raise ConfigError(f"{table}.{key}", expected, repr(key), source, hint)

    def leaves(self) -> Iterator[tuple[tuple[str, ...], Leaf]]:
        """Every configured value, in order of its path."""
        return leaves_of(self.tree)

    def provenance(self) -> dict[str, dict[str, str]]:
        """``{path: {"value", "source"}}`` of every configured value, for a session's record; secrets are masked."""
        return {
            dotted(path): {"value": "********" if is_secret(path) else _canonical(leaf.value), "source": leaf.source}
            for path, leaf in self.leaves()
        }

    @property
    def sha256(self) -> str:
        """A hash of the configured values, whatever layer they came from; secrets count only as present."""
        values = [[dotted(path), is_secret(path) or _canonical(leaf.value)] for path, leaf in self.leaves()]
        return hashlib.sha256(json.dumps(values, ensure_ascii=True).encode()).hexdigest()


def _parts(path: str | Iterable[str]) -> tuple[str, ...]:
    parts = tuple(path.split(".")) if isinstance(path, str) else tuple(path)
    if len(parts) > 1 and parts[0] in PLUGIN_TABLES:
        parts = (parts[0], parts[1].replace("_", "-"), *parts[2:])
    if parts[0] not in SECTIONS:
        raise ValueError(f"expected a section, one of {', '.join(SECTIONS)}, got {parts[0]!r}")
    return parts


def _canonical(value: Any) -> str:
    """One text per value, the same wherever the value came from."""
    if isinstance(value, list | tuple):
        return f"[{', '.join(map(_canonical, value))}]"
    if isinstance(value, dict):
        return "{" + ", ".join(f"{key}: {_canonical(value[key])}" for key in sorted(value)) + "}"
    return str(value).lower() if isinstance(value, bool) else str(value)


def read_layers(
    file: Path | None,
    environ: Mapping[str, str],
    sets: Iterable[str] = (),
    options: Mapping[str, tuple[str, Any]] | None = None,
) -> RawConfig:
    """Reads and merges every layer: file < environment < ``--set`` < options of the command.

    Args:
        file: The file named by the user; None reads ``./bloor.toml`` where it exists.
        environ: Environment variables; ``BLOOR_RUN__MODE`` sets ``run.mode``.
        sets: Texts ``path.to.key=value``; the value is TOML, or else plain text.
        options: ``{"run.mode": ("--mode", "paper")}``: what options of the command say.

    Raises:
        ConfigError: A section is unknown, or a value stands where a table belongs.
        InputFileError: The file cannot be read, or is not TOML.
        UsageError: A text of ``sets`` is not ``path.to.key=value``.
    """
    return RawConfig(read_tree(file, environ, sets, options))


def section(raw: RawConfig, path: str | Iterable[str], cls: type[T]) -> T:
    """The same as :meth:`RawConfig.section`."""
    return raw.section(path, cls)
