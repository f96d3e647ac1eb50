"""The guard around cards, and what a run of them reports."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from bloor import testing
from bloor.testing.cards.base import cards_of
from bloor.testing.report import CardResult, Outcome, Report

CLASSES = {name: getattr(testing, name) for name in testing.__all__}


@pytest.mark.parametrize("name", CLASSES)
def test_cards_have_numbers_and_sentences(name: str) -> None:
    """Numbers of a kind share a letter and begin with 01; each card says what it holds, and why."""
    found = list(cards_of(CLASSES[name]))
    assert len({card.number[0] for card in found}) == 1
    assert [int(card.number[1:]) for card in found] == list(range(1, len(found) + 1))
    for card in found:
        assert card.holds.endswith(".") and card.why.endswith("."), card.number


def test_letters_are_of_one_kind() -> None:
    """A number says which kind it is of."""
    letters = [next(cards_of(cls)).number[0] for cls in CLASSES.values()]
    assert len(set(letters)) == len(letters)


@pytest.mark.parametrize("name", CLASSES)
def test_a_card_cannot_be_overridden(name: str) -> None:
    """Not by another method, not by None, and not by a class beside it."""
    cls = CLASSES[name]
    card = next(cards_of(cls))
    for instead in (lambda self: None, None, pytest.mark.skip(getattr(cls, card.name))):
        if instead is getattr(cls, card.name):
            continue  # a mark alone changes no function; it shows in the report
        with pytest.raises(TypeError, match=f"card {card.number} .* cannot be overridden: waive it"):
            type("TestMine", (cls,), {"plugin": "mine", card.name: instead})
    beside = type("Beside", (), {card.name: lambda self: None})
    with pytest.raises(TypeError, match="cannot be overridden"):
        type("TestMine", (beside, cls), {"plugin": "mine"})


def test_a_number_of_the_kit_cannot_be_taken() -> None:
    """A test of one's own has a name of its own; other names are free."""
    with pytest.raises(TypeError, match="numbers are the kit's"):
        type("TestMine", (testing.RiskCheckCards,), {"plugin": "mine", "test_r99_mine": lambda self: None})
    type("TestMine", (testing.RiskCheckCards,), {"plugin": "mine", "test_mine": lambda self: None})


UNKNOWN = "expected numbers of R01 to R14, got 'R99'"


@pytest.mark.parametrize(
    ("number", "reason", "message"),
    [("R99", "there is no such card", UNKNOWN), ("R01", "no", "a sentence"), ("R01", "", "a sentence")],
)
def test_a_waiver_has_a_card_and_a_reason(number: str, reason: str, message: str) -> None:
    """Another is refused when the class is made."""
    with pytest.raises(TypeError, match=message):
        type("TestMine", (testing.RiskCheckCards,), {"plugin": "mine", "waived": {number: reason}})


def test_a_class_without_a_plugin_says_so() -> None:
    """It names the attribute that is missing."""
    cls: Any = type("TestMine", (testing.RiskCheckCards,), {})
    with pytest.raises(pytest.fail.Exception, match=r"TestMine\.plugin: expected the name of your plug-in"):
        cls().test_r01_its_class_says_what_it_is()


def test_a_plugin_that_is_not_installed_is_named() -> None:
    """Every card of it says which, instead of a traceback."""
    cls: Any = type("TestMine", (testing.RiskCheckCards,), {"plugin": "nowhere"})
    with pytest.raises(pytest.fail.Exception, match="R01: plug-in 'nowhere': is not installed"):
        cls().test_r01_its_class_says_what_it_is()


def test_a_report_says_each_card_once() -> None:
    """Runs of numbers are drawn together, and what is not passed has its reason."""
    report = Report()
    outcomes = [Outcome.PASSED, Outcome.PASSED, Outcome.WAIVED, Outcome.FAILED]
    for n, outcome in enumerate(outcomes, start=1):
        report.add(CardResult("mine", "feed", f"F{n:02}", "It holds.", outcome, "because" if n > 2 else ""))
    report.add(CardResult("mine", "feed", "F04", "It holds.", Outcome.PASSED))
    report.tell("mine", "mine 1.0, API 1", {"amend": True, "replace": False, "faults": "gap"})
    assert list(report.lines()) == [
        "mine  mine 1.0, API 1",
        "  feed             4 cards: 2 passed, 1 failed, 1 waived",
        "    passed           F01-F02",
        "    waived           F03 It holds.: because",
        "    failed           F04 It holds.: because",
        "  capabilities     amend, no replace, faults: gap",
    ]
    document = report.document()["plugins"][0]
    assert not document["ok"] and document["capabilities"]["replace"] is False
    assert [card["outcome"] for card in document["cards"]] == ["passed", "passed", "waived", "failed"]


TESTS = """
import pytest
from bloor.testing import RiskCheckCards

class TestMine(RiskCheckCards):
    plugin = "stale-book"
    waived = {"R02": "its codes are those of another house"}

class TestSkipped(RiskCheckCards):
    plugin = "order-limits"
    pytestmark = pytest.mark.skip("not today")
"""


def run_pytest(folder: Path, text: str, *words: str) -> subprocess.CompletedProcess[str]:
    """Runs pytest over one module in a process of its own."""
    (folder / "test_mine.py").write_text(text, "utf-8")
    command = [
        sys.executable,
        "-m",
        "pytest",
        "-q",
        "-p",
        "no:cacheprovider",
        "-p",
        "no:asyncio",
        *words,
        "test_mine.py",
    ]
    environ = {**os.environ, "PYTEST_ADDOPTS": ""}
    return subprocess.run(command, cwd=folder, env=environ, capture_output=True, text=True, check=False)


def test_a_run_ends_with_a_table_and_a_document(tmp_path: Path) -> None:
    """Waivers with their reasons, cards that something else skipped, and capabilities."""
    pytest.importorskip("bloor_risk")
    done = run_pytest(tmp_path, TESTS, "-c", os.devnull, "--rootdir", str(tmp_path), "--cards-json", "cards.json")
    assert done.returncode == 0, done.stdout + done.stderr
    assert re.search(r"waived +R02 .*: its codes are those of another house", done.stdout), done.stdout
    assert re.search(r"not run +R01-R14: not today", done.stdout), done.stdout
    assert "capabilities     compiled form, controls: stale-book" in done.stdout
    mine, skipped = sorted(json.loads((tmp_path / "cards.json").read_text())["plugins"], key=lambda p: -p["ok"])
    assert mine["plugin"] == "stale-book" and mine["ok"] and mine["origin"].startswith("bloor-risk ")
    assert not skipped["ok"] and {card["outcome"] for card in skipped["cards"]} == {"not run"}


def test_a_card_that_is_replaced_later_stops_the_run(tmp_path: Path) -> None:
    """Setting an attribute of a finished class is no way around the guard."""
    pytest.importorskip("bloor_risk")
    text = TESTS + "\nTestMine.test_r05_its_limits_are_bounded = lambda self: None\n"
    done = run_pytest(tmp_path, text, "-c", os.devnull, "--rootdir", str(tmp_path))
    assert done.returncode != 0
    assert "card R05" in done.stdout + done.stderr


def test_the_command_runs_the_cards_of_a_plugin(shelf: Any) -> None:
    """bloor plugins cards NAME --json: one document, the cards of every kind, exit code 0."""
    pytest.importorskip("bloor_risk")
    done = shelf.bloor("plugins", "cards", "stale-book", "--json")
    assert done.returncode == 0, done.stderr
    document = json.loads(done.stdout)
    assert document["ok"] and len(document["plugins"][0]["cards"]) == 14
    unknown = shelf.bloor("plugins", "cards", "nowhere")
    assert unknown.returncode == 2 and "Traceback" not in unknown.stderr


def test_importing_the_pytest_plugin_costs_nothing() -> None:
    """pytest imports it in every run of everybody who has bloor-core."""
    heavy = ("numba", "numpy", "hypothesis")
    code = f"import sys, bloor.testing.pytest_plugin; print([m for m in {heavy} if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
