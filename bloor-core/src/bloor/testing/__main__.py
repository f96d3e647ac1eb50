"""``python -m bloor.testing NAME``: the cards of every kind that an installed plug-in has, as ``bloor plugins cards``.

A plug-in that declares something to its cards (waivers, frames) does so in its own tests: name their folder, and those
are run instead.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
from pathlib import Path

from bloor.errors import BloorError
from bloor.plugins.host import PluginHost

__all__ = ["main", "module_of"]

#: Hook -> name of its cards.
CLASSES = {
    "bloor_feed": "FeedCards",
    "bloor_normalizer": "NormalizerCards",
    "bloor_executor": "ExecutorCards",
    "bloor_simulated_venue": "SimulatedVenueCards",
    "bloor_strategy": "StrategyCards",
    "bloor_risk_check": "RiskCheckCards",
    "bloor_queue_model": "QueueModelCards",
    "bloor_latency_model": "LatencyModelCards",
    "bloor_fee_model": "FeeModelCards",
}


def module_of(host: PluginHost, name: str) -> str:
    """A test module with the cards of every kind that a plug-in has.

    Raises:
        PluginError: It cannot be loaded.
    """
    hooks = host.load(name).hooks
    wanted = [cards for hook, cards in CLASSES.items() if hook in hooks]
    head = f"from bloor.testing import {', '.join(wanted)}\n" if wanted else ""
    return head + "".join(f"\n\nclass Test{cards[:-5]}({cards}):\n    plugin = {name!r}\n" for cards in wanted)


def main(arguments: list[str] | None = None) -> int:
    """Runs the cards; pytest's exit code, or 2 when the plug-in cannot be loaded."""
    parser = argparse.ArgumentParser(prog="python -m bloor.testing")
    parser.add_argument("plugin")
    parser.add_argument("--tests", type=Path)
    parser.add_argument("--cards-json", type=Path)
    parser.add_argument("--verbose", action="store_true")
    given = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory() as folder:
        tests = given.tests
        words = ["-q", "-p", "no:cacheprovider", "-p", "no:asyncio", "--tb=short"]
        if tests is None:
            tests = Path(folder) / f"test_{given.plugin.replace('-', '_')}_cards.py"
            try:
                tests.write_text(module_of(PluginHost(), given.plugin), encoding="utf-8")
            except BloorError as error:
                print(f"error: {error}", file=sys.stderr)  # noqa: T201 (a command's own word)
                return 2
            words += ["--rootdir", folder, "-c", "/dev/null" if sys.platform != "win32" else "NUL"]
        if given.cards_json is not None:
            words += ["--cards-json", str(given.cards_json.absolute())]
        if given.verbose:
            words.append("-vv")
        # in a process of its own: pytest rewrites asserts of what is not imported yet
        return subprocess.run([sys.executable, "-m", "pytest", *words, str(tests)], check=False).returncode


if __name__ == "__main__":
    sys.exit(main())
