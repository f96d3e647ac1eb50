"""An import that is killed loses nothing, leaves nothing half done and is continued, whenever it dies."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

#: Imports in children that die at the n-th thing they do to the file system, or after some time; then once to the end.
SCRIPT = """
import importlib.util, json, os, random, shutil, signal, sys, time
from pathlib import Path
from bloor.storage.importing import ImportOptions, import_data
from bloor.storage.load import load
from bloor.storage.manifest import read_imports

folder, venue = Path(sys.argv[1]), sys.argv[2]
spec = importlib.util.spec_from_file_location("listvenue", venue)
module = importlib.util.module_from_spec(spec)
spec.loader.exec_module(module)
sources = [folder / "a.txt", folder / "b.txt"]
OPERATIONS = {"open", "os.rename", "os.remove", "os.mkdir", "os.rmdir", "os.truncate", "shutil.rmtree"}

def run(catalogue):
    (done,) = import_data(catalogue, module.SPEC, sources, ImportOptions(chunk_rows=64, keep_rows=200))
    return done

def content(catalogue):
    return {str(p.relative_to(catalogue)): p.read_bytes() for p in sorted(catalogue.rglob("*")) if p.is_file()}

run(folder / "whole")
expected = content(folder / "whole")
done = 0

def count(event, args):
    global done
    if event in OPERATIONS:
        done += 1
        if limit and done == limit:
            os.kill(os.getpid(), signal.SIGKILL)

def child(n, delay):
    global limit, done
    limit, done = n, 0
    pid = os.fork()
    if pid == 0:
        if n != -1:
            sys.addaudithook(count)
        run(folder / "broken")
        os.write(said, str(done).encode())
        os._exit(0)
    if delay:
        time.sleep(delay)
        os.kill(pid, signal.SIGKILL)
    return os.waitpid(pid, 0)[1]

heard, said = os.pipe()
assert child(0, 0) == 0  # not killed, to count what can be its last deed
operations = int(os.read(heard, 20))
chance = random.Random(5)
deaths = [(n, 0) for n in sorted(chance.sample(range(1, operations), 40))]
deaths += [(-1, chance.uniform(0.001, 0.08)) for _ in range(15)]
killed, resumed = 0, []
for n, delay in deaths:
    shutil.rmtree(folder / "broken", ignore_errors=True)
    for time_of_two in range(2):  # dying twice in the same place is no worse
        died = child(n, delay) != 0
        # who goes on, or is given some time, may be done before; who begins does as many deeds as the whole did
        killed += died and time_of_two == 0 and not delay
        # what a reader sees is nothing or everything
        seen = read_imports(folder / "broken")
        assert seen in ([], read_imports(folder / "whole")), seen
        if seen:
            sizes = {len(load("lists", "A-B", catalogue=folder / name)) for name in ("broken", "whole")}
            assert len(sizes) == 1, sizes
    resumed.append(run(folder / "broken").resumed)
    assert content(folder / "broken") == expected, (n, delay)
print(json.dumps({"killed": killed, "operations": operations, "resumed": resumed}))
"""


def test_killed_at_any_moment(tmp_path, list_venue):
    """After a kill a reader sees nothing or everything; the same command continues, to the very same catalogue."""
    for name, begin in (("a", 0), ("b", 500)):
        lines = []
        for n in range(begin, begin + 500):
            time = (1_700_000_000 + n * 300) * 10**9
            first = n == begin == 0
            frame = (
                ["b", "AB", first, n + 1, n + 1, [[f"{n % 7 + 1}.5", "1"]], [["90", f"{n % 3}"]], 5]
                if n % 2 == 0 or first
                else ["t", "AB", n, "1.25", "2", 1, 5]
            )
            lines.append(f"{time} {json.dumps(frame)}\n")
        (tmp_path / f"{name}.txt").write_text("".join(lines))
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT, str(tmp_path), str(Path(__file__).parents[1] / "listvenue.py")],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    said = json.loads(done.stdout.splitlines()[-1])
    assert said["killed"] == 40  # all that were to die at a deed of theirs
    moments = {count for count in said["resumed"] if count is not None}
    assert len(moments) > 3  # it went on from several moments of the reading, and from its end
    assert max(moments) == 1_000
