"""Machine code of strategies is kept on disk, and old code never meets new sources."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

STRATEGY = """
from __future__ import annotations
from bloor.strategy.api import Strategy
from mypackage import numbers
from mypackage.deeper import twice

class Mine(Strategy):
    compiled = True
    result: int = 0

    def on_timer(self, orders):
        self.result = twice(numbers.START) + numbers.added(1)
"""
NUMBERS = """
import os
START = int(os.environ["START"])

def added(x):
    return x + 10
"""
DEEPER = """
from mypackage.numbers import added

def twice(x):
    return 2 * added(x)
"""
RUN = """
import sys
from mypackage.strategy import Mine
from bloor.strategy.compiled.handlers import compile_handlers
from bloor.strategy.memory import Handler, in_memory
mine = in_memory(Mine)()
compiled = compile_handlers(Mine)
assert compiled.call(Handler.TIMER, mine.address, 0, 0, 0) == 0
print(mine.result, int(compiled.call.loaded.was_kept))
"""


@pytest.fixture
def package(tmp_path: Path) -> Path:
    """A package of three files."""
    folder = tmp_path / "mypackage"
    folder.mkdir()
    for name, text in {"__init__": "", "strategy": STRATEGY, "numbers": NUMBERS, "deeper": DEEPER}.items():
        (folder / f"{name}.py").write_text(text, encoding="utf-8")
    return folder


def python(package: Path, text: str, start: int = 1) -> subprocess.CompletedProcess[str]:
    """Runs a program that may import the package, with a cache of its own."""
    environ = {**os.environ, "START": str(start), "PYTHONPATH": str(package.parent), "PYTHONDONTWRITEBYTECODE": "1"}
    environ["NUMBA_CACHE_DIR"] = str(package.parent / "cache")
    return subprocess.run([sys.executable, "-c", text], env=environ, capture_output=True, text=True, check=False)


def run(package: Path, start: int = 1) -> tuple[int, int]:
    """Runs the strategy in a process of its own: what it computed, and 1 when it found machine code on disk."""
    done = python(package, RUN, start)
    assert done.returncode == 0, done.stderr
    result, hits = done.stdout.split()
    return int(result), int(hits)


def test_kept_and_never_stale(package: Path) -> None:
    """The second process reads the code; an edit in any file that is used, or another constant, makes new code."""
    assert run(package) == (33, 0)
    assert run(package) == (33, 1)
    numbers = package / "numbers.py"
    numbers.write_text(NUMBERS.replace("x + 10", "x + 20"), encoding="utf-8")
    assert run(package) == (63, 0)
    assert run(package, start=2) == (65, 0)
    numbers.write_text(NUMBERS, encoding="utf-8")
    assert run(package) == (33, 1)


def test_enumerations_do_not_make_new_code(package: Path) -> None:
    """Members of an enumeration are numbers: another process reads the code, another number makes new code."""
    numbers = NUMBERS.replace("import os", "import os\nfrom enum import IntEnum\n\nclass Way(IntEnum):\n    UP = 7\n")
    strategy = STRATEGY.replace("numbers.START", "Way.UP").replace(
        "import numbers", "import numbers\nfrom mypackage.numbers import Way"
    )
    (package / "numbers.py").write_text(numbers, encoding="utf-8")
    (package / "strategy.py").write_text(strategy, encoding="utf-8")
    assert run(package) == (45, 0)
    assert run(package) == (45, 1)
    (package / "numbers.py").write_text(numbers.replace("UP = 7", "UP = 8"), encoding="utf-8")
    assert run(package) == (47, 0)


NOTEBOOK = """
from bloor.strategy.api import Strategy
from mypackage.deeper import twice
STEP = 5

def stepped(x):
    return x + STEP

class Mine(Strategy):
    compiled = True
    result: int = 0

    def on_timer(self, orders):
        self.result = stepped(1)
"""


def test_notebooks_keep_nothing(package: Path) -> None:
    """A class of ``__main__``, whose source changes under its name, is compiled and not kept."""
    text = NOTEBOOK + RUN.replace("from mypackage.strategy import Mine\n", "")
    done = python(package, text)
    assert done.stdout.split() == ["6", "0"], done.stderr
    assert not list((package.parent / "cache").glob("strategy-*"))
    done = python(package, text.replace("stepped(1)", "twice(1)"))
    reason = "twice is a function of mypackage.deeper: only functions of __main__ and of math are compiled too"
    line = 14 if sys.version_info >= (3, 13) else 13  # the call's, or without the source at hand the method's
    assert done.stderr.endswith(f"<string>:{line}: Mine.on_timer: {reason}\n")
