"""What the tests of all distributions share: markers by folder, soaks, recordings, processes, the network guard."""

from __future__ import annotations

import gc
import hashlib
import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
from functools import wraps
from ipaddress import ip_address
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, settings

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

HERE = Path(__file__).resolve().parent
#: The kinds of tests, in the order in which they run: those whose files take long come first, so that no CPU is left
#: alone with one of them in the end.
KINDS = ("e2e", "simulation", "contract", "property", "unit", "house")
#: Examples of a property test that is not marked ``examples``: every day, and in a soak.
EXAMPLES, SOAK_EXAMPLES = 100, 20_000

# a shared machine can be slow at any moment, so no deadlines; the same examples in every run, so no surprises
PROFILE = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.register_profile("default", PROFILE, derandomize=True, max_examples=EXAMPLES)
settings.register_profile("soak", PROFILE, print_blob=True, max_examples=SOAK_EXAMPLES)
settings.load_profile("default")


# -- markers --------------------------------------------------------------------------------------------------------


def pytest_itemcollected(item: pytest.Item) -> None:
    """Marks a test with the name of its folder under tests/."""
    folders = item.path.parts
    if "tests" in folders:
        kind = folders[len(folders) - folders[::-1].index("tests")]
        if kind not in KINDS:
            raise pytest.UsageError(f"{item.path}: tests live in tests/<kind>/, one of {', '.join(KINDS)}")
        item.add_marker(kind)
    function = getattr(item, "function", None)
    if function is not None and hasattr(function, "hypothesis") and function not in prepared:
        prepared.add(function)
        if number := examples(item):
            settings(max_examples=number)(function)
        if in_soak():
            function.hypothesis.inner_test = counting(function.hypothesis.inner_test)


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Orders tests by their kinds; leaves out soak tests unless -m names them."""
    items.sort(key=lambda item: next((n for n, kind in enumerate(KINDS) if item.get_closest_marker(kind)), len(KINDS)))
    if "soak" not in config.option.markexpr:
        leave_out(config, items, lambda item: item.get_closest_marker("soak") is not None)


def leave_out(config: pytest.Config, items: list[pytest.Item], which: Callable[[pytest.Item], bool]) -> int:
    """Deselects some tests; returns how many."""
    out = [item for item in items if which(item)]
    if out:
        config.hook.pytest_deselected(items=out)
        items[:] = [item for item in items if item not in out]
    return len(out)


# -- property tests and soaks ---------------------------------------------------------------------------------------

#: Functions whose number of examples is set.
prepared: set[Any] = set()
#: Seconds between two words of progress inside of a test.
SAY_EVERY_S = 60.0


def in_soak() -> bool:
    """Whether this run is a soak."""
    return settings.get_current_profile_name() == "soak"


def examples(item: pytest.Item) -> int | None:
    """How many examples a property test has by its marker ``examples(daily, soak)``; None when it has none."""
    marker = item.get_closest_marker("examples")
    if marker is None:
        return None
    number: int = marker.kwargs["soak" if in_soak() else "daily"]
    return number


class Progress:
    """Counts the examples of the running test, and speaks of them now and then."""

    def __init__(self) -> None:
        self.plugins: Any = None
        self.begin("")

    def begin(self, nodeid: str) -> None:
        """A test begins."""
        self.nodeid = nodeid
        self.examples = 0
        self.begun = self.said = time.monotonic()

    def count(self) -> None:
        """An example of it was run."""
        self.examples += 1
        now = time.monotonic()
        if now - self.said > SAY_EVERY_S and self.plugins is not None:
            self.said = now
            with self.plugins.get_plugin("capturemanager").global_and_fixture_disabled():
                reporter = self.plugins.get_plugin("terminalreporter")
                reporter.write_line(f"{self.nodeid}: {self.examples:,} examples in {now - self.begun:,.0f} s")


progress = Progress()


def counting(inner: Callable[..., Any]) -> Callable[..., Any]:
    """The body of a property test that counts how often it is called."""

    @wraps(inner)
    def counted(*args: Any, **kwargs: Any) -> Any:
        progress.count()
        return inner(*args, **kwargs)

    return counted


def shard(text: str) -> tuple[int, int]:
    """``1/4``: the first of four."""
    number, _, of = text.partition("/")
    if not (number.isdecimal() and of.isdecimal() and 1 <= int(number) <= int(of)):
        raise ValueError(f"expected I/N such as 1/4, got {text}")
    return int(number), int(of)


def pytest_addoption(parser: pytest.Parser) -> None:
    """What a soak can be told."""
    group = parser.getgroup("soak")
    group.addoption("--shard", metavar="I/N", type=shard, help="only the I-th of N parts of the tests")
    group.addoption(
        "--soak-log", metavar="FILE", type=Path,
        help="note every property test that passes; leave out those that passed before, of the very same sources",
    )  # fmt: skip


@pytest.hookimpl(trylast=True)  # hypothesis sets its profile in the same hook
def pytest_configure(config: pytest.Config) -> None:
    """Makes a soak one."""
    if in_soak():
        config.pluginmanager.register(Soak(config.getoption("--soak-log")))


class Soak:
    """A long run of property tests: how many examples each has had, kept in a file so that it can be continued."""

    def __init__(self, log: Path | None) -> None:
        self.log = log
        self.sources = ""
        self.passed: dict[str, dict[str, Any]] = {}
        self.earlier = 0

    @pytest.hookimpl(trylast=True)
    def pytest_collection_modifyitems(self, config: pytest.Config, items: list[pytest.Item]) -> None:
        """Takes the shard, and leaves out what has passed before."""
        progress.plugins = config.pluginmanager
        if chosen := config.getoption("--shard"):
            number, of = chosen
            mine = {item.nodeid for item in items[number - 1 :: of]}
            leave_out(config, items, lambda item: item.nodeid not in mine)
        if self.log is not None:
            self.sources = fingerprint()
            for line in self.log.read_text(encoding="utf-8").splitlines() if self.log.exists() else ():
                entry = json.loads(line)
                if entry["sources"] == self.sources:
                    self.passed[entry["test"]] = entry
            wanted = {item.nodeid for item in items}
            self.passed = {name: entry for name, entry in self.passed.items() if name in wanted}
            self.earlier = leave_out(config, items, lambda item: item.nodeid in self.passed)

    def pytest_runtest_setup(self, item: pytest.Item) -> None:
        """A test begins."""
        progress.begin(item.nodeid)

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_makereport(self, item: pytest.Item, call: pytest.CallInfo[None]) -> Iterator[object]:
        """Notes what has passed, with the examples that hypothesis counted as such."""
        report: Any = yield
        statistics = getattr(item, "hypothesis_statistics", None)
        if call.when == "call" and report.passed and statistics:
            ran = sum(int(count) for count in re.findall(r"(\d+) passing", statistics))
            entry = {"test": item.nodeid, "examples": ran, "seconds": round(call.duration, 1), "sources": self.sources}
            self.passed[item.nodeid] = entry
            if self.log is not None:
                self.log.parent.mkdir(parents=True, exist_ok=True)
                with self.log.open("a", encoding="utf-8") as file:
                    file.write(json.dumps(entry) + "\n")
        return report

    def pytest_terminal_summary(self, terminalreporter: Any) -> None:
        """Says how many examples every test has passed."""
        terminalreporter.section("soak")
        for name, entry in sorted(self.passed.items()):
            terminalreporter.write_line(f"{entry['examples']:>8,} {entry['seconds']:>8,.1f} s  {name}")
        entries = self.passed.values()
        terminalreporter.write_line(
            f"{sum(e['examples'] for e in entries):,} examples of {len(entries)} tests passed in "
            f"{sum(e['seconds'] for e in entries):,.0f} s; {self.earlier} of these tests in an earlier run"
        )


def fingerprint() -> str:
    """A hash over all Python sources: what has passed counts for these only."""
    digest = hashlib.sha256()
    for path in sorted([*HERE.glob("*.py"), *HERE.glob("bloor-*/src/**/*.py"), *HERE.glob("bloor-*/tests/**/*.py")]):
        digest.update(path.relative_to(HERE).as_posix().encode() + b"\0" + path.read_bytes())
    return digest.hexdigest()[:16]


# -- recordings -----------------------------------------------------------------------------------------------------


def recordings_folder() -> tuple[Path | None, str]:
    """The folder with recordings and, when there is none, why."""
    name = os.environ.get("BLOOR_RECORDINGS")
    if not name:
        return None, "BLOOR_RECORDINGS is not set"
    folder = Path(name)
    return (folder, "") if folder.is_dir() else (None, f"BLOOR_RECORDINGS={name} is not a folder")


@pytest.fixture(scope="session")
def recordings() -> Path:
    """The folder with recordings; a test that uses it is marked ``recorded``."""
    folder, reason = recordings_folder()
    return folder or pytest.skip(reason)


def pytest_runtest_setup(item: pytest.Item) -> None:
    """Skips tests that need recordings where there are none."""
    folder, reason = recordings_folder()
    if folder is None and item.get_closest_marker("recorded"):
        pytest.skip(reason)


def pytest_terminal_summary(terminalreporter: Any) -> None:
    """Says how many recorded tests were skipped, since a green run without them proves less."""
    stats = [entry for entries in terminalreporter.stats.values() for entry in entries]
    reports = [entry for entry in stats if isinstance(entry, pytest.TestReport) and "recorded" in entry.keywords]
    skipped = sum(report.skipped for report in reports)
    ran = len({report.nodeid for report in reports}) - skipped
    if reports:
        reason = recordings_folder()[1]
        terminalreporter.write_line(f"recorded tests: {ran} ran, {skipped} skipped{reason and f' ({reason})'}")


# -- memory ---------------------------------------------------------------------------------------------------------


@pytest.hookimpl(wrapper=True)
def pytest_runtest_teardown(item: pytest.Item, nextitem: pytest.Item | None) -> Iterator[None]:
    """After a file, what is still there stays: the collector need not look at it again and again."""
    yield
    if nextitem is not None and nextitem.path != item.path:
        gc.collect()
        gc.freeze()


# -- processes ------------------------------------------------------------------------------------------------------

#: How long a test waits for what must come: far longer than the slowest machine takes, since nobody waits for longer
#: than it takes. Tests wait for things, never for a time.
PATIENCE_S = 300.0


def wait_for(what: Callable[[], Any], process: subprocess.Popen[Any] | None = None) -> Any:
    """What becomes true, asked for again and again while a process lives."""
    until = time.monotonic() + PATIENCE_S
    while not (found := what()):
        ended = process is not None and process.poll() is not None
        if ended or time.monotonic() > until:
            said: Any = ""
            if process is not None:
                process.kill()
                said = process.communicate()
            raise AssertionError(f"{'it ended before' if ended else 'it never happened'}: {said}")
        time.sleep(0.05)
    return found


def run_until(what: Callable[[], Any], words: Sequence[str], **options: Any) -> subprocess.CompletedProcess[str]:
    """Runs a command until something has happened, then ends it as Ctrl-C does; one that ends earlier has ended.

    Args:
        what: Asked again and again.
        words: The command line.
        options: How it is started, see :class:`subprocess.Popen`.
    """
    until, asked = time.monotonic() + PATIENCE_S, False
    options = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True} | options
    with subprocess.Popen(words, **options) as process:
        try:
            while True:
                try:
                    out, err = process.communicate(timeout=0.05)
                except subprocess.TimeoutExpired:
                    if time.monotonic() > until:
                        process.kill()
                        raise AssertionError(f"it never happened: {process.communicate()}") from None
                    if not asked and what():
                        process.send_signal(signal.SIGINT)
                        asked = True
                else:
                    return subprocess.CompletedProcess(words, process.returncode, out, err)
        finally:
            process.kill()


@pytest.fixture(scope="session", name="wait_for")
def wait_for_() -> Any:
    """:func:`wait_for`."""
    return wait_for


@pytest.fixture(scope="session", name="run_until")
def run_until_() -> Any:
    """:func:`run_until`."""
    return run_until


# -- the network guard ----------------------------------------------------------------------------------------------


class NetworkRefusedError(RuntimeError):
    """A test reached for a network that it may not use."""


#: Whether the running test may open sockets on loopback. Nothing may leave the machine, ever.
loopback_allowed = False


def is_address(host: str) -> bool:
    """Whether a host is a number rather than a name."""
    try:
        return bool(ip_address(host.partition("%")[0]))
    except ValueError:
        return False


def is_loopback(host: str) -> bool:
    """Whether a host is this machine."""
    return host in ("", "localhost") or (is_address(host) and ip_address(host.partition("%")[0]).is_loopback)


def guard(event: str, args: tuple[Any, ...]) -> None:
    """An audit hook: sees every socket that CPython opens, connects or resolves for, however it is called.

    uvloop connects below Python; the test session therefore also takes the network away where the machine can.
    """
    if not event.startswith("socket."):
        return
    if event == "socket.__new__":
        if not loopback_allowed and args[1] in (socket.AF_INET, socket.AF_INET6):
            raise NetworkRefusedError("sockets are opened by tests in tests/e2e/ only")
    elif event in ("socket.connect", "socket.sendto"):
        sock, address = args
        if sock.family in (socket.AF_INET, socket.AF_INET6) and not is_loopback(address[0]):
            raise NetworkRefusedError(f"tests talk to this machine only, not to {address!r}")
    elif event in ("socket.getaddrinfo", "socket.gethostbyname"):
        host = args[0].decode("idna") if isinstance(args[0], bytes) else args[0] or ""
        if not is_loopback(host) and not is_address(host):
            raise NetworkRefusedError(f"tests look up no names; this one wanted {host!r}")


sys.addaudithook(guard)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol(item: pytest.Item) -> Iterator[object]:
    """Tells the guard what the test about to run may do."""
    global loopback_allowed  # noqa: PLW0603 (an audit hook is given nothing else to look at)
    loopback_allowed = item.get_closest_marker("e2e") is not None
    return (yield)
