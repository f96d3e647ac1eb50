"""Looks at bloor as installed from wheels; run by ``nox -s build``, not by pytest.

The arguments are the words that take the network away from a command; there may be none.
"""

from __future__ import annotations

import json
import subprocess
import sys
from importlib.metadata import distribution, entry_points
from pathlib import Path
from tempfile import TemporaryDirectory

OFFLINE = sys.argv[1:]
BLOOR = str(Path(sys.executable).with_name("bloor"))
EXPECTED = {"bloor-core", "bloor-binance", "bloor-strategies", "bloor-risk"}


def bloor(*arguments: str) -> str:
    """What ``bloor`` with these arguments says on stdout; it has to succeed."""
    with TemporaryDirectory() as elsewhere:
        done = subprocess.run(
            [*OFFLINE, BLOOR, *arguments], stdout=subprocess.PIPE, text=True, cwd=elsewhere, check=False
        )
    assert done.returncode == 0, f"bloor {' '.join(arguments)}: exit code {done.returncode}"
    return done.stdout


versions = {name: distribution(name).version for name in sorted(EXPECTED)}
assert len(set(versions.values())) == 1, versions

plugins = list(entry_points(group="bloor"))
assert {point.dist.name for point in plugins} == EXPECTED - {"bloor-core"}
for point in plugins:
    point.load()
print(f"{len(plugins)} entry points load: {', '.join(sorted(point.name for point in plugins))}")

assert "run" in bloor("--help")
assert "momentum" in json.dumps(json.loads(bloor("plugins", "list", "--json")))
document = json.loads(bloor("run", "-p", "momentum", "--duration", "10s", "--json"))
assert document["fills"] >= 1, document
print(f"bloor run -p momentum: {document['fills']} fills, net {document['pnl_net']} {document['currency']}")
