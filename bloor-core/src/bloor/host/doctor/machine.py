"""What all plug-ins stand on: versions, extras, the configuration's sections, caches of machine code."""

from __future__ import annotations

import os
import platform
import re
import time
from collections.abc import Iterator, Mapping
from importlib import metadata
from pathlib import Path

from bloor import __version__
from bloor.config import read_layers
from bloor.errors import ConfigError
from bloor.hookspecs import API_VERSION, Diagnosis, Finding
from bloor.host.arming import check_key_sections
from bloor.native.caching import private, user_cache
from bloor.plugins.catalog import PUBLISHED, SUPPORTED_APIS
from bloor.plugins.host import PluginHost

__all__ = ["checks"]

_CORE = "bloor-core"
_EXTRA = re.compile(r"([A-Za-z0-9][A-Za-z0-9._-]*).*;.*\bextra\s*==\s*[\"']([\w-]+)[\"']")
#: How a folder of our own kernels is named (:func:`bloor.native.caching.cache_folder`); numba keeps others beside it.
_KERNELS = re.compile(r".+-[0-9a-f]{16}\Z")
#: Folders of machine code that were not used for so long are of versions that are gone.
_OLD_S = 90 * 86_400


def checks(host: PluginHost, environ: Mapping[str, str]) -> Iterator[Diagnosis]:
    """Everything that belongs to no single plug-in. Imports llvmlite, to name the CPU that machine code is for."""
    yield _versions()
    yield from _requirements(host)
    yield from _configuration(host, environ)
    yield _extras()
    yield from _caches(environ)


def _versions() -> Diagnosis:
    """Whether bloor's own distributions are of one release."""
    found = {_CORE: __version__}
    for name in sorted(set(PUBLISHED.values())):
        try:
            found[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            continue
    apis = " and ".join(map(str, SUPPORTED_APIS))
    others = sorted(f"{name} {version}" for name, version in found.items() if version != __version__)
    text = f"Python {platform.python_version()}, {_CORE} {__version__} (API {API_VERSION}; loads {apis})"
    if others:
        advice = f"pip install --upgrade {' '.join(found)}"
        text = f"{text}, but {', '.join(others)}; they are released and tested together"
        return Diagnosis(subject="versions", finding=Finding.WARN, text=text, advice=advice)
    return Diagnosis(subject="versions", finding=Finding.PASS, text=f"{text}; {len(found)} distributions agree")


def _requirements(host: PluginHost) -> Iterator[Diagnosis]:
    """Whether every distribution with a plug-in has what it requires, in the versions that it requires."""
    entries = [entry for found in host.catalog.entries.values() for entry in found]
    names = sorted({_CORE, *(entry.distribution for entry in entries if entry.entry_point.dist is not None)})
    wrong = [f"{name} requires {text}" for name in names for text in _unmet(name)]
    for text in wrong:
        advice = "install what is missing, or a release of it that agrees with the others"
        yield Diagnosis(subject="requirements", finding=Finding.FAIL, text=text, advice=advice)
    if not wrong:
        text = f"{len(names)} distributions have what they require"
        yield Diagnosis(subject="requirements", finding=Finding.PASS, text=text)


def _unmet(distribution: str) -> Iterator[str]:
    """What a distribution requires and has not; requirements of its extras are left to who asks for them."""
    from packaging.requirements import InvalidRequirement, Requirement

    for text in metadata.requires(distribution) or ():
        try:
            requirement = Requirement(text)
        except InvalidRequirement:
            yield f"{text!r}, which is no requirement"
            continue
        if requirement.marker is not None and not requirement.marker.evaluate({"extra": ""}):
            continue
        try:
            version = metadata.version(requirement.name)
        except metadata.PackageNotFoundError:
            yield f"{requirement.name}, which is not installed"
            continue
        if not requirement.specifier.contains(version, prereleases=True):
            yield f"{requirement}, and {version} is installed"


def _configuration(host: PluginHost, environ: Mapping[str, str]) -> Iterator[Diagnosis]:
    """Whether ``./bloor.toml`` and the environment have sections of installed plug-ins only."""
    raw = read_layers(None, environ)
    try:
        raw.core()
        raw.check_plugin_sections(host.section_names())
        check_key_sections(raw)
    except ConfigError as error:
        yield Diagnosis(subject="configuration", finding=Finding.FAIL, text=str(error))
        return
    yield Diagnosis(subject="configuration", finding=Finding.PASS, text="every section has its plug-in")


def _extras() -> Diagnosis:
    """Which extras of bloor-core are installed whole."""
    extras: dict[str, list[str]] = {}
    for requirement in metadata.requires(_CORE) or ():
        if match := _EXTRA.match(requirement):
            extras.setdefault(match[2], []).append(match[1])
    whole, lacking = [], []
    for extra, names in sorted(extras.items()):
        missing = [name for name in names if not _installed(name)]
        if missing:
            lacking.append(f"{extra} (lacks {', '.join(missing)})")
        else:
            whole.append(extra)
    text = f"installed: {', '.join(whole) or 'none'}" + (f"; not whole: {', '.join(lacking)}" if lacking else "")
    advice = f"pip install '{_CORE}[{lacking[0].partition(' ')[0]}]', if you need it" if lacking else ""
    return Diagnosis(subject="extras", finding=Finding.SKIP if lacking else Finding.PASS, text=text, advice=advice)


def _installed(distribution: str) -> bool:
    try:
        metadata.version(distribution)
    except metadata.PackageNotFoundError:
        return False
    return True


def _caches(environ: Mapping[str, str]) -> Iterator[Diagnosis]:
    """Whether machine code can be kept: the folder is ours alone, and nothing in it is broken."""
    chosen = environ.get("NUMBA_CACHE_DIR", "")
    folder = Path(chosen) if chosen else user_cache() / "bloor" / "numba"
    advice = f"remove it, or name another one in NUMBA_CACHE_DIR: {folder}"
    yield Diagnosis(subject="cpu", finding=Finding.PASS, text=f"machine code is made for {_cpu()}")
    try:
        if not folder.exists():
            text = f"{folder}: empty; the first run compiles, for half a minute or so"
            yield Diagnosis(subject="cache", finding=Finding.PASS, text=text)
            return
        kernels = [path for path in sorted(folder.iterdir()) if _KERNELS.match(path.name)]
        open_to_others = [path for path in kernels if not private(path)]
        unusable = [path for path in kernels if not os.access(path, os.R_OK | os.W_OK | os.X_OK)]
        broken = [path for path in kernels if _broken(path)]
        size = sum(file.stat().st_size for path in kernels for file in path.rglob("*") if file.is_file())
        old = [path for path in kernels if time.time() - path.stat().st_mtime > _OLD_S]
    except OSError as error:
        text = f"{error.filename or folder}: {error.strerror}; every process compiles anew"
        yield Diagnosis(subject="cache", finding=Finding.FAIL, text=text, advice=advice)
        return
    if wrong := [*unusable, *open_to_others, *broken]:
        why = (
            "cannot be used" if wrong[0] in unusable else "others can write to it" if wrong[0] in open_to_others else ""
        )
        text = f"{wrong[0]}: {why or 'an index without its code, or an empty file'}"
        yield Diagnosis(subject="cache", finding=Finding.FAIL, text=text, advice=f"remove it: rm -r {wrong[0]}")
        return
    text = f"{folder}: {len(kernels)} sets of kernels, {size / 1e6:.1f} MB"
    if len(old) > 1:
        text += f", {len(old)} of them unused for {_OLD_S // 86_400} days"
    yield Diagnosis(subject="cache", finding=Finding.PASS, text=text)


def _broken(folder: Path) -> bool:
    """Whether a process died while it wrote there: numba's index (``.nbi``) names code (``.nbc``) beside it."""
    files = [file for file in folder.rglob("*") if file.suffix in (".nbi", ".nbc")]
    codes = {file.parent for file in files if file.suffix == ".nbc"}
    indices = {file.parent for file in files if file.suffix == ".nbi"}
    return bool(indices - codes) or any(file.stat().st_size == 0 for file in files)


def _cpu() -> str:
    try:
        from llvmlite import binding
    except ImportError as error:
        return f"nothing: {error}"
    return f"{binding.get_host_cpu_name()} ({platform.machine()})"
