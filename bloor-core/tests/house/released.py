"""Looks at what a release would publish; run by ``nox -s release``, not by pytest.

The arguments are the tree that was built, its fragments collected, and the folder with sdists and wheels. Everything
that is wrong is told, and then the exit code is 1.
"""

from __future__ import annotations

import re
import sys
import tarfile
import tomllib
import zipfile
from collections.abc import Iterator
from configparser import ConfigParser
from email.message import Message
from email.parser import Parser
from pathlib import Path, PurePosixPath
from typing import Any

from packaging.requirements import Requirement
from packaging.version import Version

PLACES = 2
#: What only a machine or a tool leaves in a tree.
FOREIGN = re.compile(
    r"(^|/)(__pycache__|\.git|\.nox|\.venv|\.cache|\.hypothesis|\.\w+_cache|sessions|build|dist)(/|$)|\.(pyc|pyo|so|orig|rej|swp|log|key|pem)$|~$"
)
#: What every distribution says, and what a reader of an index looks for.
SAID = (
    "Name",
    "Version",
    "Summary",
    "Requires-Python",
    "License-Expression",
    "License-File",
    "Description-Content-Type",
)
SDIST = {"LICENSE", "README.md", "CHANGELOG.md", "PKG-INFO", "pyproject.toml", "src", "tests", ".gitignore"}


def version_of(package: Path) -> str:
    """The version that a distribution's source says."""
    [source] = package.glob("src/*/__init__.py")
    found = re.search(r'^__version__ = "(.+)"$', source.read_text(encoding="utf-8"), re.MULTILINE)
    assert found, f"{source}: no __version__"
    return found[1]


def wrong_changelog(package: Path, version: str) -> Iterator[str]:
    """The changelog has this version, says something of it, and nothing waits beside it."""
    left = sorted(path.name for path in (package / "changes").glob("*.md"))
    if left:
        yield f"changes/{left[0]} is not collected"
    text = (package / "CHANGELOG.md").read_text(encoding="utf-8")
    parts = re.split(r"^## ", text, flags=re.MULTILINE)[1:]
    heads = [part.splitlines()[0].split()[0] for part in parts]
    if heads.count(version) != 1:
        yield f"CHANGELOG.md: expected one section for {version}, got sections for {heads}"
    elif not Version(version) == max(map(Version, heads)) == Version(heads[0]):
        yield f"CHANGELOG.md: expected the section for {version} first, got {heads}"


def wrong_wheel(wheel: zipfile.ZipFile, project: dict[str, Any], version: str) -> Iterator[str]:
    """One package, its metadata, and nothing else."""
    module = project["name"].replace("-", "_")
    top, info = module.removesuffix("_core"), f"{module}-{version}.dist-info"
    names = wheel.namelist()
    strange = [name for name in names if PurePosixPath(name).parts[0] not in (top, info) or FOREIGN.search(name)]
    if strange:
        yield f"wheel: {strange[0]} does not belong there"
    for needed in (f"{top}/py.typed", f"{top}/__init__.py", f"{info}/licenses/LICENSE"):
        if needed not in names:
            yield f"wheel: {needed} is missing"
    if "Root-Is-Purelib: true" not in (text := wheel.read(f"{info}/WHEEL").decode()) or "py3-none-any" not in text:
        yield "wheel: expected one for any platform (py3-none-any)"
    yield from wrong_metadata(Parser().parsestr(wheel.read(f"{info}/METADATA").decode()), project, version)
    written = ConfigParser()
    written.optionxform = str  # type: ignore[method-assign, assignment]
    if f"{info}/entry_points.txt" in names:
        written.read_string(wheel.read(f"{info}/entry_points.txt").decode())
    declared = dict(project.get("entry-points", {}))
    if scripts := project.get("scripts"):
        declared["console_scripts"] = scripts
    if {group: dict(written[group]) for group in written.sections()} != declared:
        yield f"wheel: entry points: expected {declared}, got {written.sections()}"
    if declared.get("bloor", {}).keys() != declared.get("bloor.manifest", {}).keys():
        yield "entry points: each plug-in needs a line in both groups, bloor and bloor.manifest"


def wrong_metadata(said: Message, project: dict[str, Any], version: str) -> Iterator[str]:
    """What an index shows."""
    for name in SAID:
        if not said[name]:
            yield f"metadata: {name} is missing"
    if said["Version"] != version:
        yield f"metadata: expected the version {version}, got {said['Version']}"
    if said["Requires-Python"] != project["requires-python"]:
        yield f"metadata: expected Python {project['requires-python']}, got {said['Requires-Python']}"
    if sorted(said.get_all("Classifier") or ()) != sorted(project["classifiers"]):
        yield "metadata: its classifiers are not those of pyproject.toml"
    if not (said.get_payload() or "").strip():
        yield "metadata: there is no description; is README.md empty?"
    for text in said.get_all("Requires-Dist") or ():
        requirement = Requirement(text)
        if requirement.name.startswith("bloor") and not requirement.specifier.contains(version, prereleases=True):
            yield f"metadata: {text} does not allow {version}, which is released with it"
        if requirement.url:
            yield f"metadata: {text}: a requirement must not name a place"


def wrong_sdist(sdist: tarfile.TarFile, project: dict[str, Any], version: str) -> Iterator[str]:
    """One folder with sources, tests and papers."""
    folder = f"{project['name'].replace('-', '_')}-{version}"
    paths = [PurePosixPath(member.name) for member in sdist.getmembers()]
    strange = [str(path) for path in paths if path.parts[0] != folder or FOREIGN.search("/".join(path.parts[1:]))]
    if strange:
        yield f"sdist: {strange[0]} does not belong there"
    found = {path.parts[1] for path in paths if len(path.parts) > 1}
    if found != SDIST and found != SDIST - {".gitignore"}:
        yield f"sdist: expected {sorted(SDIST)}, got {sorted(found)}"
    links = [member.name for member in sdist.getmembers() if not (member.isreg() or member.isdir())]
    if links:
        yield f"sdist: {links[0]} is neither a file nor a folder"


def problems(tree: Path, dist: Path) -> Iterator[str]:
    """Everything that is wrong."""
    packages = sorted(path for path in tree.glob("bloor-*"))
    versions = {package.name: version_of(package) for package in packages}
    if len(set(versions.values())) != 1:
        yield f"versions differ: {versions}"
    wanted = set()
    for package in packages:
        version = versions[package.name]
        if str(Version(version)) != version or Version(version).local:
            yield f"{package.name}: expected a version in its normal form, got {version}"
        project = tomllib.loads((package / "pyproject.toml").read_text(encoding="utf-8"))["project"]
        stem = f"{project['name'].replace('-', '_')}-{version}"
        wheel, sdist = dist / f"{stem}-py3-none-any.whl", dist / f"{stem}.tar.gz"
        wanted |= {wheel.name, sdist.name}
        if missing := [path.name for path in (wheel, sdist) if not path.exists()]:
            yield f"{package.name}: {missing[0]} was not built"
            continue
        with zipfile.ZipFile(wheel) as built, tarfile.open(sdist) as source:
            for found in (
                wrong_changelog(package, version),
                wrong_wheel(built, project, version),
                wrong_sdist(source, project, version),
            ):
                yield from (f"{package.name}: {text}" for text in found)
    for path in sorted(dist.iterdir()):
        if path.name not in wanted:
            yield f"{path.name} does not belong to this release"


def main() -> int:
    """Tells what is wrong, or that nothing is."""
    tree, dist = map(Path, sys.argv[1 : 1 + PLACES])
    found = list(problems(tree, dist))
    for text in found:
        print(f"  {text}")
    if not found:
        names = sorted(path.name for path in dist.iterdir())
        print(f"{len(names)} files: versions, changelogs, metadata, entry points, licences and contents are in order")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
