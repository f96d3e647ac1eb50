"""Asking for help is instant."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

HEAVY = {"numba", "llvmlite", "aiohttp", "numpy", "picows", "uvloop", "cryptography", "pytest", "hypothesis"}

PROBE = """
import json, sys
sys.argv = ["bloor", *sys.argv[1:]]
from bloor.cli.main import main
try:
    code = main()
except SystemExit as end:
    code = end.code
print(json.dumps([code or 0, sorted(sys.modules)]), file=sys.stderr)
"""


@pytest.mark.parametrize("arguments", [["--help"], ["run", "--help"], ["plugins", "list"]])
def test_light_commands_import_nothing_heavy(arguments):
    """``bloor --help`` must not wait for a compiler it does not use."""
    done = subprocess.run([sys.executable, "-c", PROBE, *arguments], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    code, modules = json.loads(done.stderr.splitlines()[-1])
    assert code == 0
    assert not HEAVY & {module.partition(".")[0] for module in modules}


def test_importing_bloor_imports_nothing_heavy():
    """``import bloor`` costs nothing, and looking at what it has neither."""
    probe = "import json, sys, bloor; dir(bloor); bloor.plugins; print(json.dumps(sorted(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", probe], capture_output=True, text=True, check=True)
    assert not HEAVY & {module.partition(".")[0] for module in json.loads(done.stdout)}
