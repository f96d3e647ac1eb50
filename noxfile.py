#!/usr/bin/env python3
# /// script
# requires-python = ">=3.11"
# dependencies = ["nox==2026.10.20"]
# ///
"""Everything one does with this project: ``python3 noxfile.py --list``.

Needs Python 3.11 or later and its ``venv`` module, nothing else: nox itself is fetched on the first run.
"""

from __future__ import annotations

import atexit
import os
import re
import shutil
import subprocess
import sys
import time
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

HERE = Path(__file__).resolve().parent
NOX = re.search(r'"(nox==.+?)"', Path(__file__).read_text(encoding="utf-8"))[1]


def has_nox() -> bool:
    """Whether this interpreter has the very nox that the first lines of this file ask for."""
    try:
        return f"nox=={version('nox')}" == NOX
    except PackageNotFoundError:
        return False


def bootstrap() -> None:
    """Puts nox into a private environment under .nox/ and runs this file again with it; does not return."""
    if sys.version_info < (3, 11):  # noqa: UP036 (it says so to the older ones)
        print(f"bloor needs Python 3.11 or later; this is {sys.version.split()[0]} ({sys.executable})", file=sys.stderr)
        sys.exit(2)
    home = HERE / ".nox" / f".{NOX}-py{sys.version_info[0]}{sys.version_info[1]}"
    python, complete = home / "bin" / "python", home / "complete"
    steps = [[sys.executable, "-m", "venv", "--clear", home], [python, "-m", "pip", "install", "--quiet", NOX]]
    for step in [] if complete.exists() else steps:
        print(f"fetching {NOX}, once: {' '.join(map(str, step))}", file=sys.stderr)
        if subprocess.run(step, check=False).returncode:
            print(
                f"\n{NOX} could not be installed; the lines above say why. Either the venv module is missing"
                "\n(on Debian: apt install python3-venv) or pip does not reach its package index.",
                file=sys.stderr,
            )
            sys.exit(2)
    complete.touch()
    os.execv(python, [python, __file__, *sys.argv[1:]])


if __name__ == "__main__" and not has_nox():
    bootstrap()

import nox  # noqa: E402 (it may have to be fetched first)
from python_discovery import get_interpreter  # noqa: E402 (a part of nox)

PACKAGES = ["bloor-core", "bloor-strategies", "bloor-risk", "bloor-binance", "bloor-coinbase", "bloor-kraken"]
SHARED = nox.project.load_toml(HERE / "pyproject.toml")
PYTHONS = nox.project.python_versions(nox.project.load_toml(HERE / "bloor-core" / "pyproject.toml"))
CACHE = HERE / ".nox" / ".cache"

nox.needs_version = NOX.removeprefix("nox")
nox.options.sessions = ["lint", "types", "docs", "tests"]
nox.options.default_venv_backend = "virtualenv"
nox.options.download_python = "never"
nox.options.reuse_venv = "yes"
nox.options.error_on_missing_interpreters = False  # the closing line of `tests` names them

#: Brings up loopback, the only interface of a new network namespace, and becomes the command that follows.
LOOPBACK = """
import fcntl, os, socket, struct, sys
SIOCSIFFLAGS, IFF_UP = 0x8914, 1
with socket.socket() as s:
    fcntl.ioctl(s, SIOCSIFFLAGS, struct.pack("16sh14x", b"lo", IFF_UP))
os.execvp(sys.argv[1], sys.argv[1:])
"""


def group(name: str) -> tuple[str, ...]:
    """The requirements of a dependency group of pyproject.toml."""
    return nox.project.dependency_groups(SHARED, name)


def install(session: nox.Session, *groups: str, editable: bool = True) -> None:
    """The six distributions and what the named groups require."""
    flag = ["--editable"] if editable else []
    distributions = [word for package in PACKAGES for word in (*flag, f"./{package}")]
    session.install("--quiet", *distributions, *(req for name in groups for req in group(name)))


def offline(session: nox.Session) -> list[str]:
    """The words that, put before a command, take the network away from it; says so where that is not possible."""
    script = CACHE / "loopback.py"
    script.parent.mkdir(parents=True, exist_ok=True)
    script.write_text(LOOPBACK, encoding="utf-8")
    for unshare in (["unshare", "--net"], ["unshare", "--net", "--map-root-user"]):
        words = [*unshare, sys.executable, str(script)]
        try:
            if subprocess.run([*words, "true"], capture_output=True, check=False).returncode == 0:
                session.log("network: none but loopback, in a namespace of its own")
                return words
        except FileNotFoundError:
            break
    session.log("network: this machine has no network namespaces, so only the guard inside the tests refuses it")
    return []


def kernels(session: nox.Session) -> dict[str, str]:
    """Where numba keeps compiled kernels: one folder per interpreter, shared by the sessions."""
    return {"NUMBA_CACHE_DIR": str(CACHE / f"numba-{session.python or 'own'}")}


#: Compiles the kernels ahead of the tests, so that no test's time-out pays for it, and says what and how long.
WARM = """
from bloor.market.kernels import warm
from bloor_binance.compiled.normalizer import compiled_spot, compiled_usdm

say = lambda what: print(f"kernels: {what}", flush=True)
took = warm(say, {"binance": compiled_spot(), "binance-usdm": compiled_usdm()})
print(f"kernels: ready after {took:.1f} s", flush=True)

import tempfile, time
from pathlib import Path
from bloor.testing.virtual import VirtualRun

began = time.perf_counter()
with tempfile.TemporaryDirectory() as folder:
    VirtualRun(["momentum"], journal=Path(folder) / "journal").close()
print(f"kernels: from frame to order, gate and momentum after another {time.perf_counter() - began:.1f} s")
"""

TESTED: dict[str, str] = {}


@cache
def present() -> list[str]:
    """The supported Pythons that this machine has, oldest first."""
    return [python for python in PYTHONS if get_interpreter(python)]


def say_what_was_tested() -> None:
    """The closing line of `tests`: on which interpreters, and which are missing here."""
    tested = ", ".join(f"{python} ({what})" for python, what in sorted(TESTED.items()))
    missing = ", ".join(python for python in PYTHONS if python not in present()) or "none"
    print(f"interpreters tested: {tested}; missing: {missing}", flush=True)


@nox.session(python=PYTHONS[::-1])
def tests(session: nox.Session) -> None:
    """All tests on the oldest Python here, unit and contract tests on the others. Arguments go to pytest.

    Every CPU takes a part, and one process more, since many tests wait for processes that they have started. A file's
    tests stay together, since many share what they use.
    """
    what, chosen = ("full", []) if session.python == present()[0] else ("unit, contract", ["-m", "unit or contract"])
    if not TESTED:
        atexit.register(say_what_was_tested)
    TESTED[session.python] = f"{what}: not finished"
    install(session, "test")
    TESTED[session.python] = f"{what}: failed"
    session.run("python", "-c", WARM, env=kernels(session))
    parts = ["-n", str((os.cpu_count() or 1) + 1), "--dist", "loadfile", "--no-loadscope-reorder"]
    command = [*offline(session), "python", "-m", "pytest", *parts, *chosen, *session.posargs]
    session.run(*command, env=kernels(session), external=True)
    TESTED[session.python] = what


@nox.session
def soak(session: nox.Session) -> None:
    """Property tests with 20,000 examples each, or as many as they say; done again, it continues. `-- --shard 1/4`.

    A test that passed is not run again as long as no Python source has changed. Other words go to pytest.
    """
    install(session, "test")
    session.run("python", "-c", WARM, env=kernels(session))
    log = f"--soak-log={CACHE / 'soak.jsonl'}"
    chosen = ["-m", "soak or property", "--hypothesis-profile=soak", "--timeout=0", "-v", log]
    command = [*offline(session), "python", "-m", "pytest", *chosen, *session.posargs]
    session.run(*command, env=kernels(session), external=True)


@nox.session
def lint(session: nox.Session) -> None:
    """ruff: rules and format."""
    session.install("--quiet", *group("lint"))
    session.run("ruff", "check", *session.posargs)
    session.run("ruff", "format", "--check")


@nox.session
def types(session: nox.Session) -> None:
    """mypy --strict over all sources."""
    install(session, "types")
    session.run("mypy", *session.posargs)


@nox.session
def docs(session: nox.Session) -> None:
    """The documentation: links resolve, examples run. `-- --write` writes the reference pages anew from the code."""
    install(session, "docs")
    if "--write" in session.posargs:
        session.run("python", "docs/reference.py", "--write")
    session.run("python", "-m", "pytest", "-q", "bloor-core/tests/house/test_docs.py", env=kernels(session))
    session.run("sphinx-build", "-W", "--keep-going", "--fresh-env", "--quiet", "docs", "site")


@nox.session
def demo(session: nox.Session) -> None:
    """The real thing: momentum on a simulated Binance, for ten seconds."""
    install(session, editable=False)
    session.run("bloor", "run", "-p", "momentum", "--duration", "10s", *session.posargs)
    bloor = Path(session.bin, "bloor").relative_to(HERE)
    for line in [
        f"{bloor} run -p momentum --symbol ETH-USDT     another instrument, with the live view of a terminal",
        f"{bloor} plugins list                          what is installed",
        f"{bloor} venue sim binance                     a venue to try your own client on",
        f"{bloor} plugins info momentum                 what a strategy can be told",
    ]:
        print("  try next:", line, flush=True)


@nox.session(python=False)
def dev(session: nox.Session) -> None:
    """Makes .venv with everything installed editable, and the tools."""
    python = HERE / ".venv" / "bin" / "python"
    session.run(sys.executable, "-m", "virtualenv", "--quiet", ".venv", external=True)
    editable = [word for package in PACKAGES for word in ("--editable", f"./{package}")]
    session.run(python, "-m", "pip", "install", "--quiet", *editable, *group("dev"), external=True)
    print("  . .venv/bin/activate", flush=True)


@nox.session
def bench(session: nox.Session) -> None:
    """Runs every bloor-*/bench/bench_*.py; names after `--` choose some of them."""
    install(session)
    for script in sorted(HERE.glob("bloor-*/bench/bench_*.py")):
        if not session.posargs or script.stem.removeprefix("bench_") in session.posargs:
            session.run("python", str(script.relative_to(HERE)), env=kernels(session))


def distribute(session: nox.Session, tree: Path, dist: Path) -> None:
    """Builds sdist and wheel of each of the six in a tree into a folder of their own, and lets twine look at them."""
    shutil.rmtree(dist, ignore_errors=True)
    for package in PACKAGES:
        words = ["--no-isolation", "--outdir", str(dist), str(tree / package)]
        session.run("python", "-m", "build", *words, silent=True)
    session.run("twine", "check", "--strict", *map(str, sorted(dist.iterdir())))


def emptied(session: nox.Session, name: str) -> str:
    """The Python of a new environment with nothing in it."""
    empty = CACHE / name
    session.run(sys.executable, "-m", "virtualenv", "--quiet", "--clear", str(empty), external=True)
    return str(empty / "bin" / "python")


@nox.session
def build(session: nox.Session) -> None:
    """Wheels and sdists, then the two literal lines of the README in an empty environment, without a network.

    Then `bloor new`: a package of each kind is built, installed there and passes its own tests.
    """
    session.install("--quiet", *group("build"))
    dist, made = CACHE / "dist", CACHE / "made"
    distribute(session, HERE, dist)
    python, links = emptied(session, "empty"), ["--find-links", str(dist)]
    session.run(python, "-m", "pip", "install", "--quiet", *links, "bloor-core", "bloor-binance", external=True)
    session.run(python, "-I", "bloor-core/tests/house/installed.py", *offline(session), external=True)
    shutil.rmtree(made, ignore_errors=True)
    for kind in ("venue", "strategy", "risk-check", "executor", "normalizer"):
        words = ["new", kind, f"nox-{kind}", "--out", str(made)]
        session.run(python, "-m", "bloor", *words, external=True, silent=True)
    session.run(python, "-m", "pip", "install", "--quiet", *links, "bloor-core[testing]", external=True)
    for package in sorted(made.iterdir()):
        words = ["--no-isolation", "--wheel", "--outdir", str(made / "dist"), str(package)]
        session.run("python", "-m", "build", *words, silent=True)
    wheels = sorted(map(str, (made / "dist").glob("*.whl")))
    session.run(python, "-m", "pip", "install", "--quiet", "--no-index", *wheels, external=True)
    for package in sorted(made.glob("bloor-*")):
        with session.chdir(package):
            command = [*offline(session), python, "-m", "pytest", "-q"]
            session.run(*command, env=kernels(session), external=True)


@nox.session
def release(session: nox.Session) -> None:
    """What a release has to be: versions, changelogs, wheels, metadata of all six, together. Publishes nothing.

    It works on a copy, in which it collects the fragments. `-- --final` insists that they are collected here already.
    """
    session.install("--quiet", *group("build"))
    tree = CACHE / "release"
    shutil.rmtree(tree, ignore_errors=True)
    left_out = shutil.ignore_patterns("__pycache__", ".*_cache", ".hypothesis", "*.egg-info", "dist", "sessions")
    for package in PACKAGES:
        shutil.copytree(HERE / package, tree / package, ignore=left_out)
        fragments = collect(tree / package)
        if fragments and "--final" in session.posargs:
            session.error(f"{package}: {fragments} fragments are not in its changelog: nox -s changelog")
        session.log(f"{package}: {fragments} fragments collected, in the copy")
    distribute(session, tree, tree / "dist")
    session.run("python", "bloor-core/tests/house/released.py", str(tree), str(tree / "dist"))
    python, links = emptied(session, "together"), ["--find-links", str(tree / "dist")]
    session.run(python, "-m", "pip", "install", "--quiet", *links, *PACKAGES, external=True)
    session.run(python, "-m", "pip", "check", external=True)
    nobody = {**kernels(session), "XDG_CONFIG_HOME": str(tree)}  # no keys and no caches of whoever runs this
    session.run(*offline(session), python, "-I", "-m", "bloor", "plugins", "doctor", env=nobody, external=True)
    print(f"  ready to be published, by hand: {(tree / 'dist').relative_to(HERE)}", flush=True)


def collect(package: Path) -> int:
    """Moves the fragments of a distribution into its changelog, under the current version; how many there were."""
    [source] = package.glob("src/*/__init__.py")
    release = re.search(r'__version__ = "(.+)"', source.read_text(encoding="utf-8"))[1]
    text, collected = f"\n## {release} ({time.strftime('%Y-%m-%d')})\n", 0
    for kind in ("added", "changed", "fixed", "removed"):
        fragments = sorted((package / "changes").glob(f"*.{kind}.md"))
        text += f"\n{kind.capitalize()}:\n\n" if fragments else ""
        for fragment in fragments:
            text += "- " + fragment.read_text(encoding="utf-8").strip().replace("\n", "\n  ") + "\n"
            fragment.unlink()
            collected += 1
    path = package / "CHANGELOG.md"
    head, mark, older = path.read_text(encoding="utf-8").partition("\n## ")
    if collected or not older.startswith(f"{release} "):
        path.write_text(head + text + mark + older, encoding="utf-8")
    return collected


@nox.session(python=False)
def changelog(session: nox.Session) -> None:
    """Moves the fragments in bloor-*/changes/ into the changelogs, under the current version; for a release."""
    for package in PACKAGES:
        collect(HERE / package)


if __name__ == "__main__":
    sys.argv[1:1] = ["--noxfile", __file__]
    nox.main()
