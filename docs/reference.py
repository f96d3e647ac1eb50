"""The reference pages, made from the code they describe.

``python3 noxfile.py -s docs -- --write`` writes them; a test fails when a page and the code differ.
"""

from __future__ import annotations

import ast
import inspect
import re
import sys
import textwrap
from collections.abc import Callable, Iterator
from enum import Enum
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent / "reference"
NOTE = "<!-- Made from the code by docs/reference.py; change the code, then: python3 noxfile.py -s docs -- --write -->"


# ---- hooks ----------------------------------------------------------------------------------------------------------


def signature(node: ast.FunctionDef) -> str:
    """A function's signature as its source says it."""
    return f"{node.name}({ast.unparse(node.args)}) -> {ast.unparse(node.returns) if node.returns else 'None'}"


def section(lines: list[str], number: int) -> str:
    """The last ``# ---- name ----`` comment above a line."""
    headings = (re.fullmatch(r"# -{2,} (.+?) -{2,}", line) for line in reversed(lines[:number]))
    return next((heading[1] for heading in headings if heading), "")


def hooks() -> str:
    """The page on hooks: every hook with its signature, under the headings of ``bloor/hookspecs.py``."""
    from bloor import hookspecs

    text = Path(inspect.getfile(hookspecs)).read_text(encoding="utf-8")
    tree = ast.parse(text)
    lines = text.splitlines()
    page = [NOTE, "# Hooks", markdown(ast.get_docstring(tree) or "")]
    for node in tree.body:
        is_hook = isinstance(node, ast.FunctionDef) and node.name.startswith("bloor_")
        is_data = isinstance(node, ast.ClassDef) and not node.name.startswith("_")
        if is_hook or is_data:
            heading = f"## {section(lines, node.lineno).capitalize()}"
            if heading not in page:
                page.append(heading)
            page.append(f"### `{signature(node) if is_hook else node.name}`")
            page.append(markdown(ast.get_docstring(node) or ""))
    return "\n\n".join(page) + "\n"


def markdown(docstring: str) -> str:
    """A Google-style docstring with reStructuredText's roles and literals, as Markdown."""
    text = re.sub(r":\w+:`~?(?:[\w.]+\.)?(\w+)`", r"`\1`", docstring)
    text = text.replace("``", "`")
    text = re.sub(r"^(Attributes|Args|Returns|Raises):\n((?:    .*\n?|\n)+)", fields, text, flags=re.MULTILINE)
    return re.sub(
        r"::\n\n((?:    .*(?:\n|$)|\n(?=    ))+)", lambda m: f":\n\n```\n{textwrap.dedent(m[1]).strip()}\n```\n", text
    ).strip()


def fields(match: re.Match[str]) -> str:
    """``Attributes:`` and its like, as a list."""
    if match[1] == "Returns":
        return f"Returns: {' '.join(match[2].split())}\n\n"
    entries = re.sub(r"\n {8,}", " ", match[2].rstrip())
    return f"{match[1]}:\n\n" + re.sub(r"^ {4}(\w+): ", r"- `\1`: ", entries, flags=re.MULTILINE) + "\n\n"


# ---- commands -------------------------------------------------------------------------------------------------------


def commands(command: Any, path: str) -> Iterator[tuple[str, Any]]:
    """Every command below a command, with the words that call it."""
    for name, child in sorted(getattr(command, "commands", {}).items()):
        if not child.hidden:
            if hasattr(child, "commands"):
                yield from commands(child, f"{path} {name}")
            else:
                yield f"{path} {name}", child


def words(parameter: Any) -> str:
    """How a parameter is written: ``-p, --plugin NAME``."""
    metavar = parameter.metavar or parameter.name.upper()
    if parameter.param_type_name == "argument":
        return metavar
    names = ", ".join([*parameter.opts, *parameter.secondary_opts])
    return names if parameter.is_flag else f"{names} {metavar}"


def row(parameter: Any) -> str:
    """One line of the table of parameters."""
    default = parameter.default
    if isinstance(default, Enum):
        default = default.value
    text = " ".join((getattr(parameter, "help", "") or "").split()).replace("|", "\\|")
    notes = [
        "required" if parameter.required else "",
        f"default `{default}`" if default not in ("", None) and not isinstance(default, bool | list | tuple) else "",
        "may be repeated" if getattr(parameter, "multiple", False) and "Repeatable" not in text else "",
    ]
    note = ", ".join(filter(None, notes))
    return f"| `{words(parameter)}` | {text}{note and f' ({note})'} |"


def prose(text: str) -> Iterator[str]:
    """The paragraphs of a command's help; what typer is told to keep as it is (by a backspace) becomes code."""
    for paragraph in inspect.cleandoc(text).split("\n\n"):
        if paragraph.startswith("\b\n"):
            title, _, lines = paragraph[2:].partition("\n")
            yield f"{title}\n\n```\n{textwrap.dedent(lines)}\n```"
        else:
            yield paragraph


def cli() -> str:
    """The page on the command line: every command with its parameters."""
    from typer.main import get_command

    from bloor.cli.main import app

    page = [NOTE, "# Commands"]
    for path, command in commands(get_command(app), "bloor"):
        page += [f"## `{path}`", *prose(command.help or ""), *prose(command.epilog or "")]
        rows = [row(p) for p in command.params if not getattr(p, "hidden", False) and "--help" not in p.opts]
        if rows:
            page.append("\n".join(["| | |", "|---|---|", *rows]))
    return "\n\n".join(page) + "\n"


# ---- python ---------------------------------------------------------------------------------------------------------


def python() -> str:
    """The page on Python: every name of ``bloor``, and the classes of what its functions give back."""
    import bloor
    from bloor.api.backtest import BacktestResult
    from bloor.api.data import NormalizedData
    from bloor.api.results import RecordResult, ReplayResult, RunResult
    from bloor.api.tables import Table
    from bloor.api.venues import RunningVenue

    page = [NOTE, "# Python", markdown(inspect.getdoc(sys.modules["bloor.api"]) or "")]
    page.append("## Functions")
    classes = []
    for name in sorted(bloor.__all__, key=str.lower):
        value = getattr(bloor, name)
        if inspect.isclass(value):
            classes.append((f"bloor.{name}", value))
        elif inspect.ismodule(value):
            page += entry(f"bloor.{name}", type(value).__call__)
        elif callable(value):
            page += entry(f"bloor.{name}", value)
    page.append("## Classes")
    results = (RunResult, BacktestResult, ReplayResult, RecordResult, NormalizedData, RunningVenue, Table)
    for name, cls in [*classes, *((cls.__name__, cls) for cls in results)]:
        page += [f"### `{name}`", markdown(inspect.getdoc(cls) or "")]
        page += [text for member in members(cls) for text in entry(*member, level=4)]
    return "\n\n".join(page) + "\n"


def entry(name: str, function: Any, level: int = 3) -> Iterator[str]:
    """A function with its signature, or a property."""
    plain = getattr(function, "func", function)  # of a cached property
    yield f"{'#' * level} `{name}`"
    if not isinstance(function, property) and plain is function:
        arguments = [p for p in inspect.signature(function).parameters.values() if p.name != "self"]
        lines = "".join(f"    {text},\n" for text in written(arguments))
        yield f"```python\n{name}(\n{lines})\n```" if lines else f"```python\n{name}()\n```"
    yield markdown(inspect.getdoc(plain) or "")


def written(parameters: list[inspect.Parameter]) -> Iterator[str]:
    """Parameters as their source says them, with the star that stands before those that are given by name."""
    stars = 0
    for parameter in parameters:
        if parameter.kind is parameter.KEYWORD_ONLY and not stars:
            stars += 1
            yield "*"
        default = "" if parameter.default is parameter.empty else f" = {parameter.default!r}"
        yield f"{parameter.name}: {parameter.annotation}{default}"


def members(cls: type) -> Iterator[tuple[str, Any]]:
    """Public methods and properties of a class, in the order of its source."""
    for name, value in vars(cls).items():
        is_property = isinstance(value, property) or hasattr(value, "func")
        if not name.startswith("_") and (is_property or inspect.isfunction(value)):
            yield name, value


# ---- cards ----------------------------------------------------------------------------------------------------------


def cards() -> str:
    """The page on contract cards: every card of every kind, by number."""
    from bloor import testing
    from bloor.testing.cards import base

    page = [NOTE, "# Contract cards", markdown(inspect.getdoc(sys.modules["bloor.testing.cards"]) or "")]
    page.append(
        "How to use them: [test a plug-in](../how-to/test-a-plugin.md). What a class can be told beside `plugin` and "
        "`waived` stands below its heading."
    )
    for name in testing.__all__:
        cls = getattr(testing, name)
        found = list(base.cards_of(cls))
        page += [f"## {cls.kind.capitalize()}: `bloor.testing.{name}`", markdown(inspect.getdoc(cls) or "")]
        for card in found:
            page.append(f"### {card.number} {markdown(card.holds)}\n\n{markdown(card.why)}")
    return "\n\n".join(page) + "\n"


PAGES: dict[str, Callable[[], str]] = {"hooks.md": hooks, "cli.md": cli, "python.md": python, "cards.md": cards}


if __name__ == "__main__":
    for name, make in PAGES.items():
        if "--write" in sys.argv:
            HERE.mkdir(exist_ok=True)
            (HERE / name).write_text(make(), encoding="utf-8")
        else:
            print(make())
