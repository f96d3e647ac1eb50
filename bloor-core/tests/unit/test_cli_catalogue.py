"""bloor data import, ls, sql and export: documents for machines, tables for people, exit codes."""

from __future__ import annotations

import json
from pathlib import Path

import pytest


@pytest.fixture
def shop(shelf):
    """The venue of JSON lists, and a recording of it."""
    text = (Path(__file__).parents[1] / "listvenue.py").read_text(encoding="utf-8")
    shelf.add("lists", {"lists": "listvenue"}, {"listvenue.py": text}, manifest={"lists": "venue:api1"})
    frames = [
        ["b", "AB", True, 1, 1, [["1.1", "1"]], [["1.2", "2"]], 5],
        ["t", "AB", 7, "1.15", "3", 1, 5],
        ["b", "AB", False, 2, 2, [["1.15", "1"]], [], 6],
    ]
    lines = [f"{1_700_000_000_000_000_000 + n} {json.dumps(frame)}" for n, frame in enumerate(frames)]
    (shelf.folder / "a.txt").write_text("\n".join([*lines, "nonsense"]))
    return shelf


def test_from_a_recording_to_an_answer(shop):
    """Import, list, ask, export; the second import changes nothing."""
    done = shop.bloor("data", "import", "--venue", "lists", "a.txt")
    assert (done.returncode, done.stderr) == (0, "")
    head, row, *rest = done.stdout.splitlines()
    assert head.split() == ["symbol", "day", "rows", "trade", "book", "level", "gaps"]
    assert row.split() == ["A-B", "2023-11-14", "6", "1", "2", "3", "0"]
    assert "4 read, 6 stored, 0 gaps, 1 errors, from a.txt" in rest[0]
    assert rest[1].startswith("a.txt:4: expected")
    again = shop.bloor("data", "import", "--venue", "lists", "a.txt", "--json")
    (made,) = json.loads(again.stdout)["imports"]
    assert (made["new"], made["already"], made["parts"][0]["symbol"]) == (False, ["a.txt"], "A-B")
    listed = json.loads(shop.bloor("data", "ls", "--check", "--json").stdout)
    assert [(p["venue"], p["symbol"], p["rows"], p["source"]) for p in listed["parts"]] == [
        ("lists", "A-B", 6, ["a.txt"])
    ]
    assert listed["damaged"] == []
    asked = shop.bloor("data", "sql", "select side, price, price_exact from trades", "--json")
    assert json.loads(asked.stdout)["rows"] == [{"side": "buy", "price": 1.15, "price_exact": "1.150000000000000000"}]
    book = shop.bloor("data", "sql", "select seq, bid, ask_qty, snapshot from book order by row")
    assert [line.split() for line in book.stdout.splitlines()[1:]] == [
        ["1", "1.1", "2.0", "True"],
        ["2", "1.15", "2.0", "False"],
    ]
    out = shop.bloor(
        "data", "export", "--venue", "lists", "--symbol", "A-B", "--to", "2023-11-14", "-o", "x.csv", "--json"
    )
    assert json.loads(out.stdout) == {"file": "x.csv", "format": "csv", "rows": 6}
    assert len((shop.folder / "x.csv").read_text().splitlines()) == 7


def test_damage_is_found(shop):
    """ls --check ends with 1 and names the file."""
    shop.bloor("data", "import", "--venue", "lists", "a.txt")
    path = next(shop.folder.glob("catalogue/venue=*/*/*/*.events"))
    path.write_bytes(path.read_bytes()[:-1] + b"x")
    done = shop.bloor("data", "ls", "--check")
    assert done.returncode == 1 and "expected the hash" in done.stdout
    assert shop.bloor("data", "ls").returncode == 0


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["import", "--venue", "lists", "gone.txt"], "gone.txt: cannot be read: No such file or directory"),
        (["import", "--venue", "list", "a.txt"], "did you mean 'lists'?"),
        (["import", "--venue", "lists", "--symbol", "AB", "a.txt"], "expected BASE-QUOTE"),
        (["import", "--venue", "lists", "--symbol", "other:A-B", "a.txt"], "expected symbols of lists"),
        (["import", "--venue", "lists", "--format", "csv", "a.txt"], "--format"),
        (["sql", "select 1"], "the catalogue is empty; fill it with bloor data import"),
        (
            ["export", "--venue", "lists", "--symbol", "A-B", "-o", "x.csv"],
            "the catalogue has no lists:A-B; it is empty",
        ),
        (["export", "--venue", "lists", "--symbol", "A-B"], "--output"),
    ],
)
def test_bad_input_is_2(shop, arguments, says):
    """One message, nothing on stdout, no catalogue made."""
    done = shop.bloor("data", *arguments, "--json") if arguments[0] != "x" else None
    assert (done.returncode, done.stdout) == (2, "")
    assert says in done.stderr and "Traceback" not in done.stderr
    assert not (shop.folder / "catalogue").exists()


def test_a_wrong_statement_is_2(shop):
    """DuckDB's own words."""
    shop.bloor("data", "import", "--venue", "lists", "a.txt")
    done = shop.bloor("data", "sql", "select nothing from trades")
    assert (done.returncode, done.stdout) == (2, "") and 'column "nothing"' in done.stderr


def test_without_the_extra_it_says_which(shop):
    """The base install imports and lists; what needs DuckDB names the extra."""
    for name in ("duckdb", "pyarrow"):
        (shop.folder / f"{name}.py").write_text("raise ImportError")
    (shop.folder / "sitecustomize.py").write_text(
        "import importlib.util as u\nfind = u.find_spec\n"
        "u.find_spec = lambda n, *a: None if n == 'pyarrow' else find(n, *a)\n"
    )
    done = shop.bloor("data", "import", "--venue", "lists", "a.txt")
    assert done.returncode == 0 and "pip install 'bloor-core[data]'" in done.stderr
    assert not list(shop.folder.glob("catalogue/**/*.parquet"))
    done = shop.bloor("data", "sql", "select 1")
    assert done.returncode == 2 and "pip install 'bloor-core[data]'" in done.stderr
