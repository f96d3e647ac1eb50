"""Every source file is small and says what it is."""

from __future__ import annotations

import ast
from collections.abc import Iterator

#: Decorated so, a function is documented elsewhere: by its getter, its implementation or its base class.
DOCUMENTED_ELSEWHERE = {"overload", "override", "setter", "deleter"}


def decorators(node: ast.FunctionDef | ast.AsyncFunctionDef) -> set[str]:
    """The last words of a function's decorators."""
    return {ast.unparse(decorator).partition("(")[0].rpartition(".")[2] for decorator in node.decorator_list}


def public(body: list[ast.stmt]) -> Iterator[ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef]:
    """Public classes and functions of a body, and the public methods of those classes."""
    for node in body:
        if isinstance(node, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef) and not node.name.startswith("_"):
            yield node
            if isinstance(node, ast.ClassDef):
                yield from public(node.body)


def test_everything_public_has_a_docstring(sources):
    """A reader meets no public name that does not say what it is."""
    bare = []
    for source in sources:
        if not source.docstring:
            bare.append(source.at(source.tree, "the module has no docstring"))
        for node in public(source.tree.body):
            exempt = not isinstance(node, ast.ClassDef) and decorators(node) & DOCUMENTED_ELSEWHERE
            if not exempt and not ast.get_docstring(node):
                bare.append(source.at(node, f"{node.name} has no docstring"))
    assert not bare, "\n".join(bare)


def test_no_file_is_long(sources):
    """A file is one idea; past 500 lines it is two."""
    long = [f"{source.path}: {lines} lines" for source in sources if (lines := source.text.count("\n")) > 500]
    assert not long, "\n".join(long)
