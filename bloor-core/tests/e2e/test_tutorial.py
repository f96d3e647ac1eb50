"""The tutorial runs as it stands: every command and every file of the page, in a folder of its own.

What stands in for a package index is this environment: ``python3 -m venv`` makes environments that can see what is
installed here, so ``pip install`` finds bloor and its requirements there already, and nothing is fetched.
"""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
import sysconfig
from importlib.util import find_spec
from pathlib import Path

import pytest

PAGE = Path(__file__).resolve().parents[3] / "docs" / "tutorials" / "publish-a-plugin.md"
BLOCK = re.compile(r"^```(sh|python)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
FILE = re.compile(r"Replace `([\w/.]+\.py)`")

#: ``python3``: what it is everywhere, and new environments see this one.
PYTHON3 = """#!/bin/sh
{python} "$@" || exit
if [ "$1 $2" = "-m venv" ]; then
    echo "import site; site.addsitedir('{site}')" > "$(echo "$3"/lib/python*/site-packages)/index.pth"
    printf '#!/bin/sh\\nexec "$(dirname "$0")/python" -m bloor "$@"\\n' > "$3/bin/bloor"
    printf '#!/bin/sh\\nexec "$(dirname "$0")/python" -m pytest "$@"\\n' > "$3/bin/pytest"
    chmod +x "$3/bin/bloor" "$3/bin/pytest"
fi
"""


def script() -> str:
    """The page as one shell script: commands as they stand, files written where the text before them says."""
    text = PAGE.read_text(encoding="utf-8")
    lines = ["set -e"]
    for block in BLOCK.finditer(text):
        if block[1] == "sh":
            lines += [f"echo '$ '{shlex.quote(line)}\n{line}" for line in block[2].splitlines()]
        else:
            name = FILE.findall(text[: block.start()])[-1]
            lines.append(f"test -f {name}\ncat > {name} <<'END-OF-FILE'\n{block[2]}END-OF-FILE")
    return "\n".join(lines)


@pytest.fixture
def somewhere(tmp_path):
    """A folder, and an environment variable for everything that would reach out."""
    if not PAGE.exists():
        pytest.skip("the page is in a checkout of the whole project")
    for needed in ("bloor_binance", "editables", "hatchling", "ensurepip"):
        if find_spec(needed) is None:
            pytest.skip(f"needs {needed}")
    tools = tmp_path / "tools"
    tools.mkdir()
    python3 = tools / "python3"
    python3.write_text(PYTHON3.format(python=sys.executable, site=sysconfig.get_path("purelib")))
    python3.chmod(0o755)
    here = {name: value for name, value in os.environ.items() if not name.startswith(("BLOOR_", "PIP_", "PYTHON"))}
    return tmp_path, {
        **here,
        "PATH": f"{tools}{os.pathsep}{os.environ['PATH']}",
        "PIP_CONFIG_FILE": os.devnull,
        "PIP_NO_INDEX": "1",
        "PIP_NO_BUILD_ISOLATION": "false",  # pip's own way to say that there is none
        "PIP_DISABLE_PIP_VERSION_CHECK": "1",
    }


def test_the_tutorial_leads_from_nothing_to_a_published_plugin(somewhere):
    """Its last user installs the wheel from the folder and trades with it."""
    folder, environ = somewhere
    done = subprocess.run(["sh", "-c", script()], cwd=folder, env=environ, capture_output=True, text=True, check=False)
    assert done.returncode == 0, f"{done.stdout[-3000:]}\n{done.stderr[-3000:]}"
    assert [path.name for path in (folder / "index").iterdir()] == ["bloor_dip-0.1.0-py3-none-any.whl"]
    _, user = done.stdout.split("$ . user/bin/activate")
    assert re.search(r"^dip +strategy +1 +bloor-dip +0\.1\.0 +ok$", user, re.MULTILINE)
    assert "failed" not in done.stdout
    installed = list((folder / "user").glob("lib/python*/site-packages/bloor_dip/strategy.py"))
    assert len(installed) == 1 and "class Dip(Strategy)" in installed[0].read_text(encoding="utf-8")
