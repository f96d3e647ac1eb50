"""What the tests of all distributions share: markers by folder, the network guard, recordings, hypothesis profiles."""

from __future__ import annotations

import os
import socket
import sys
from ipaddress import ip_address
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, settings

if TYPE_CHECKING:
    from collections.abc import Iterator

KINDS = ("unit", "contract", "property", "simulation", "e2e", "house")

# a shared machine can be slow at any moment, so no deadlines; the same examples in every run, so no surprises
settings.register_profile("default", deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow])
settings.register_profile("soak", deadline=None, max_examples=20_000, suppress_health_check=[HealthCheck.too_slow])
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


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leaves out soak tests unless -m names them."""
    if "soak" not in config.option.markexpr:
        soak = [item for item in items if item.get_closest_marker("soak")]
        config.hook.pytest_deselected(items=soak)
        items[:] = [item for item in items if item not in soak]


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
