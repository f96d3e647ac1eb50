"""bloor data: a line per event for machines, a table for people, and exit codes."""

from __future__ import annotations

import json

import pytest

# A venue whose frames are lists: ["t", id, price, qty], ["b", first, last, bid, ask], ["o"].
VENUE = """
import json
from bloor.errors import RemoteProtocolError
from bloor.hookspecs import NormalizerSpec, hookimpl
from bloor.market.messages import BookMessage, OtherMessage, TradeMessage
from bloor.market.normalizer import SequenceRule

class Toy:
    venue = "toy"
    rule = SequenceRule.CONTIGUOUS
    def decode(self, frame):
        try:
            kind, *rest = json.loads(frame)
        except ValueError as error:
            raise RemoteProtocolError(f"not JSON: {error}") from None
        if kind == "t":
            return [TradeMessage("AB", str(rest[0]), rest[1], rest[2], 1, 5)]
        if kind == "b":
            first, last, bid, ask = rest
            return [BookMessage("AB", first == 0, first, last, -1, [(bid, "1")], [(ask, "2")])]
        return [OtherMessage("o")]
    def decode_snapshot(self, body, venue_symbol):
        raise RemoteProtocolError("none here")
    def split(self, venue_symbol):
        return "A", "B"

@hookimpl
def bloor_normalizer():
    return NormalizerSpec(venue="toy", build=Toy, instruments=lambda path: ())
"""


@pytest.fixture
def toy(shelf):
    """The venue, and recordings of it."""
    shelf.add("toy", {"toy": "toy_mod"}, {"toy_mod.py": VENUE}, manifest={"toy": "venue:api1"})
    good = ['["b", 0, 1, "1.0", "1.2"]', '["t", 7, "1.1", "3"]', '["b", 2, 2, "1.1", "1.2"]', '["o"]']
    (shelf.folder / "good.txt").write_text("\n".join(good))
    (shelf.folder / "bad.txt").write_text("\n".join([*good, '["b", 5, 5, "1.1", "1.2"]', "nonsense ["]))
    return shelf


def test_a_line_per_event_and_the_summary_last(toy):
    """Machines get JSON lines in the order of the recording."""
    done = toy.bloor("data", "normalize", "--venue", "toy", "good.txt", "--json")
    lines = [json.loads(line) for line in done.stdout.splitlines()]
    assert (done.returncode, done.stderr) == (0, "")
    assert [line["kind"] for line in lines] == ["top", "trade", "top", "summary"]
    assert lines[1] == {
        "kind": "trade",
        "venue": "toy",
        "symbol": "A-B",
        "id": "7",
        "price": "1.1",
        "qty": "3",
        "taker_side": "buy",
        "exch_ns": 5,
        "recv_ns": None,
    }
    assert (lines[-1]["messages"], lines[-1]["other"], lines[-1]["errors"]) == (4, 1, 0)


def test_people_get_a_table(toy):
    """Without --json: counts and last prices per instrument, what is wrong, and the summary."""
    done = toy.bloor("data", "normalize", "--venue", "toy", "bad.txt")
    assert done.returncode == 0
    head, row, *_ = done.stdout.splitlines()
    assert head.split() == ["symbol", "top", "trade", "gap", "best", "bid", "best", "ask", "last", "price"]
    assert row.split() == ["A-B", "2", "1", "1", "1.1", "1.2", "1.1"]
    assert "A-B: expected update 3, got 5" in done.stdout
    assert "bad.txt:6: " in done.stdout
    assert "1 gaps" in done.stdout.splitlines()[-1] and "1 errors" in done.stdout.splitlines()[-1]


def test_verify_judges(toy):
    """Gaps and unreadable lines are reported, and the exit code is 1; a sound recording is 0."""
    assert toy.bloor("data", "verify", "--venue", "toy", "good.txt").returncode == 0
    done = toy.bloor("data", "verify", "--venue", "toy", "bad.txt", "--json")
    assert done.returncode == 1
    assert [json.loads(line)["kind"] for line in done.stdout.splitlines()] == ["gap", "error", "summary"]


@pytest.mark.parametrize(
    ("args", "says"),
    [
        (["--venue", "toy", "gone.txt"], "gone.txt: cannot be read: No such file or directory"),
        (["--venue", "toi", "good.txt"], "plug-in 'toi': is not installed; did you mean 'toy'?"),
        (["--venue", "toy", "--symbol", "AB", "good.txt"], "expected BASE-QUOTE"),
        (["good.txt"], "--venue"),
        (["--venue", "toy"], "FILE"),
    ],
)
def test_bad_input_is_2(toy, args, says):
    """What cannot be read is one message, and stdout is empty."""
    done = toy.bloor("data", "normalize", *args, "--json")
    assert (done.returncode, done.stdout) == (2, "")
    assert says in done.stderr and "Traceback" not in done.stderr
