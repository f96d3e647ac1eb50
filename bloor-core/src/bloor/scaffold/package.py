"""Writing the package of a new plug-in: all of it, or nothing."""

from __future__ import annotations

import re
import shutil
import tempfile
from collections.abc import Iterator, Mapping
from importlib import metadata
from pathlib import Path

from attrs import frozen

from bloor.errors import UsageError
from bloor.hookspecs import API_VERSION
from bloor.plugins.catalog import Catalog
from bloor.plugins.promise import core_bounds
from bloor.scaffold.kinds import TEMPLATES, Licence, ScaffoldKind, Template
from bloor.scaffold.naming import PluginName, named

__all__ = ["NewPackage", "new_package"]

_TEMPLATES = Path(__file__).with_name("templates")
#: Files of ``shared`` that have another name in a package, so that no tool takes them for its own among the templates.
_RENAMED = {"pyproject": "pyproject.toml", "gitignore": ".gitignore"}


@frozen(kw_only=True)
class NewPackage:
    """What was made.

    Attributes:
        kind: What it is.
        name: What users type.
        distribution: What is installed.
        module: What is imported.
        folder: Where it is.
        files: Every file, relative to the folder, sorted.
    """

    kind: ScaffoldKind
    name: str
    distribution: str
    module: str
    folder: Path
    files: tuple[str, ...]


def new_package(
    kind: ScaffoldKind, name: str, *, out: Path, catalog: Catalog, year: str, licence: Licence = Licence.APACHE
) -> NewPackage:
    """Makes the package of a new plug-in, complete or not at all.

    Args:
        kind: What it is.
        name: What users will type.
        out: The folder in which its folder is made; made itself if need be.
        catalog: What is installed: its names are taken.
        year: For the licence.
        licence: Its licence.

    Raises:
        UsageError: The name cannot be or is taken, or the folder exists.
        OSError: It cannot be written.
    """
    made = named(name, catalog)
    folder = out / made.distribution
    if folder.exists() or folder.is_symlink():
        raise UsageError(f"{folder}: there is something of this name already; --out DIR makes it somewhere else")
    if out.exists() and not out.is_dir():
        raise UsageError(f"--out {out}: expected a folder, got a file")
    files = dict(_files(TEMPLATES[kind], made, licence, year))
    out.mkdir(parents=True, exist_ok=True)
    beside = Path(tempfile.mkdtemp(prefix=f".{made.distribution}-", dir=out))
    try:
        for path, text in files.items():
            target = beside / path
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_text(text, encoding="utf-8")
        beside.chmod(0o755)
        beside.rename(folder)
    except BaseException:
        shutil.rmtree(beside, ignore_errors=True)
        raise
    return NewPackage(
        kind=kind,
        name=made.name,
        distribution=made.distribution,
        module=made.module,
        folder=folder,
        files=tuple(sorted(files)),
    )


def _files(template: Template, name: PluginName, licence: Licence, year: str) -> Iterator[tuple[str, str]]:
    """``(path, text)`` of every file."""
    words = _words(template, name)
    tokens = _tokens(template, name, licence, year, words)
    for path, file in _sources(template):
        yield words.replaced(path), words.replaced(file.read_text(encoding="utf-8"))
    for file in sorted((_TEMPLATES / "shared").iterdir()):
        yield _RENAMED.get(file.name, file.name), _filled(file.read_text(encoding="utf-8"), tokens)
    if licence is not Licence.NONE:
        text = (_TEMPLATES / "licences" / licence.value).read_text(encoding="utf-8")
        yield "LICENSE", _filled(text, tokens)


def _sources(template: Template) -> Iterator[tuple[str, Path]]:
    """``(path in the package, file)``: those of the template, then those it shares, unless it has its own."""
    own = _TEMPLATES / template.folder
    found = {path.relative_to(own).as_posix(): path for path in sorted(own.rglob("*")) if _is_source(path)}
    yield from found.items()
    for folder, names in template.parts.items():
        root = _TEMPLATES / folder
        for path in sorted(root.rglob("*")):
            inside = path.relative_to(root).as_posix()
            wanted = any(inside.startswith(name) if name.endswith("/") else inside == name for name in names)
            if wanted and inside not in found and _is_source(path):
                yield inside, path


def _is_source(path: Path) -> bool:
    return path.is_file() and "__pycache__" not in path.parts and path.suffix != ".pyc"


@frozen
class _Words:
    """The placeholders of a template and what stands for them."""

    values: Mapping[str, str]

    def replaced(self, text: str) -> str:
        """A text with the placeholders replaced, the longest first."""
        pattern = "|".join(re.escape(word) for word in sorted(self.values, key=len, reverse=True))
        return re.sub(pattern, lambda match: self.values[match[0]], text)


def _words(template: Template, name: PluginName) -> _Words:
    word = template.word
    return _Words(
        {
            template.package: name.module,
            f"bloor_{word}": name.module,
            f"bloor-{word}": name.distribution,
            word.capitalize(): name.prefix,
            word: name.name,
        }
    )


def _tokens(template: Template, name: PluginName, licence: Licence, year: str, words: _Words) -> dict[str, str]:
    core = metadata.metadata("bloor-core")
    stated = "" if licence is Licence.NONE else f'license = "{licence.value}"\nlicense-files = ["LICENSE"]'
    private = '    "Private :: Do Not Upload",' if licence is Licence.NONE else ""
    return {
        "DISTRIBUTION": name.distribution,
        "NAME": name.name,
        "MODULE": name.module,
        "DESCRIPTION": words.replaced(template.description),
        "PYTHON": core["Requires-Python"],
        "LICENCE": stated,
        "CLASSIFIERS": private,
        "DEPENDENCIES": _listed(f"bloor-core{template.extras}{core_bounds()}", *template.dependencies),
        "TEST_DEPENDENCIES": _listed("bloor-core[testing]", *template.tests),
        "ENTRY": f"{name.module}.{template.entry}",
        "MANIFEST": f"{template.kind.value}:api{API_VERSION}",
        "YEAR": year,
    }


def _listed(*requirements: str) -> str:
    return "\n".join(f'    "{requirement}",' for requirement in sorted(requirements))


def _filled(text: str, tokens: Mapping[str, str]) -> str:
    """A text with its tokens; a line that is nothing but an empty one is left out."""
    kept = [line for line in text.splitlines() if not (line[:1] == line[-1:] == "@" and tokens.get(line[1:-1]) == "")]
    return re.sub(r"@([A-Z_]+)@", lambda match: tokens[match[1]], "\n".join(kept)) + "\n"
