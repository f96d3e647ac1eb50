"""What can be made: the kinds of plug-ins, their templates and licences."""

from __future__ import annotations

from collections.abc import Mapping
from enum import Enum

from attrs import frozen

from bloor.plugins.catalog import Kind

__all__ = ["TEMPLATES", "Licence", "ScaffoldKind", "Template"]


class ScaffoldKind(Enum):
    """What ``bloor new`` can make; values are the words of the command line."""

    VENUE = "venue"
    STRATEGY = "strategy"
    RISK_CHECK = "risk-check"
    EXECUTOR = "executor"
    NORMALIZER = "normalizer"


class Licence(Enum):
    """Under which licence a new package is; values are SPDX identifiers, except for none."""

    APACHE = "Apache-2.0"
    MIT = "MIT"
    NONE = "none"


@frozen(kw_only=True)
class Template:
    """How the package of one kind is made.

    Attributes:
        folder: Its folder among the templates.
        word: The placeholder of the plug-in's name in its files; ``bloor_<word>`` and ``<Word>`` follow from it.
        package: The folder of its package below ``src``; its name too becomes that of the new package.
        parts: Files that it shares with another template: ``(folder of that template, paths)``; a path that ends with
            ``/`` is a folder.
        kind: What its manifest says.
        entry: The module that its entry point names.
        description: One line.
        dependencies: Requirements, without bloor-core.
        extras: Extras of bloor-core that it needs.
        tests: What its tests need beside the test kit.
    """

    folder: str
    word: str
    package: str
    parts: Mapping[str, tuple[str, ...]] = {}
    kind: Kind
    entry: str
    description: str
    dependencies: tuple[str, ...] = ()
    extras: str = ""
    tests: tuple[str, ...] = ()


_READING = ("__init__.py", "py.typed", "protocol.py", "instruments.py", "normalizer.py")
_ATTRS, _ORJSON = "attrs>=24.2", "orjson>=3.10"

TEMPLATES: Mapping[ScaffoldKind, Template] = {
    ScaffoldKind.VENUE: Template(
        folder="venue",
        word="acme",
        package="bloor_acme",
        kind=Kind.VENUE,
        entry="plugin",
        description="Acme for bloor: market data, order entry and a simulated venue",
        dependencies=(_ATTRS, _ORJSON),
        extras="[defaults]",
    ),
    ScaffoldKind.STRATEGY: Template(
        folder="strategy",
        word="sway",
        package="bloor_sway",
        kind=Kind.STRATEGY,
        entry="strategy",
        description="A strategy for bloor: buys below a moving average, sells above it",
        tests=("bloor-binance",),
    ),
    ScaffoldKind.RISK_CHECK: Template(
        folder="risk-check",
        word="lull",
        package="bloor_lull",
        kind=Kind.RISK_CHECK,
        entry="check",
        description="A risk check for bloor: no orders while the spread is wide",
        dependencies=(_ATTRS,),
    ),
    ScaffoldKind.EXECUTOR: Template(
        folder="executor",
        word="acme",
        package="bloor_acme",
        parts={"venue": ("src/", "tests/unit/test_executor.py")},
        kind=Kind.VENUE,
        entry="plugin",
        description="Order entry at Acme for bloor",
        dependencies=(_ATTRS, _ORJSON),
        extras="[defaults]",
    ),
    ScaffoldKind.NORMALIZER: Template(
        folder="normalizer",
        word="acme",
        package="bloor_acme_frames",
        parts={"venue": (*(f"src/bloor_acme/{name}" for name in _READING), "tests/unit/test_normalizer.py")},
        kind=Kind.NORMALIZER,
        entry="plugin",
        description="Frames of Acme for bloor",
        dependencies=(_ORJSON,),
    ),
}
