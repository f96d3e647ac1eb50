"""The pytest plug-in of bloor-core (entry point ``pytest11``): guards the cards, and reports at the end of a run.

It is silent in runs without cards, and imports nothing but the report.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from bloor.testing.report import CardResult, Outcome, Report

__all__ = ["pytest_addoption", "pytest_configure"]

#: Under which names a test tells its report about its card and its plug-in.
_CARD, _PLUGIN = "bloor_card", "bloor_plugin"
#: What it tells about its card, in this order.
_FIELDS = ("plugin", "kind", "number", "holds")


def pytest_addoption(parser: pytest.Parser) -> None:
    """``--cards-json FILE``."""
    group = parser.getgroup("bloor", "contract cards of bloor plug-ins")
    group.addoption("--cards-json", metavar="FILE", type=Path, help="write what the cards said as a JSON document")


def pytest_configure(config: pytest.Config) -> None:
    """Begins a report."""
    config.pluginmanager.register(CardReporter(config), "bloor-cards")


class CardReporter:
    """Collects what the cards of one run say.

    Attributes:
        report: What was said so far.
    """

    def __init__(self, config: pytest.Config) -> None:
        self.report = Report()
        self._config = config
        self._told: set[type] = set()

    @pytest.hookimpl(tryfirst=True)  # before others deselect
    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        """Refuses a card that was replaced after its class was made, and notes what is to be run.

        The result of each test will say which card of which plug-in it is; xdist carries that along.
        """
        for item in items:
            card = _card_of(item)
            if card is not None:
                item.user_properties.append((_CARD, list(card)))
                why = "deselected, or the run ended before it"
                self.report.add(
                    CardResult(**dict(zip(_FIELDS, card, strict=True)), outcome=Outcome.NOT_RUN, reason=why)
                )

    def pytest_runtest_setup(self, item: pytest.Item) -> None:
        """Lets the first card of each class tell about its plug-in."""
        cls: Any = getattr(item, "cls", None)
        if _card_of(item) is not None and cls not in self._told:
            self._told.add(cls)
            item.user_properties.append((_PLUGIN, _about(cls())))

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Takes what became of a card."""
        for name, value in report.user_properties:
            if name == _PLUGIN and isinstance(value, dict):
                self.report.tell(**value)
            elif name == _CARD and isinstance(value, list) and (report.when == "call" or not report.passed):
                outcome, reason = _outcome(report)
                self.report.add(CardResult(**dict(zip(_FIELDS, value, strict=True)), outcome=outcome, reason=reason))

    def pytest_terminal_summary(self, terminalreporter: Any) -> None:
        """Prints the table, when there was a card."""
        if self.report.results:
            terminalreporter.section("cards")
            for line in self.report.lines(every=self._config.get_verbosity() > 0):
                terminalreporter.write_line(line)

    def pytest_sessionfinish(self) -> None:
        """Writes the document that was asked for."""
        path = self._config.getoption("--cards-json")
        if path is not None and not hasattr(self._config, "workerinput"):
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(json.dumps(self.report.document(), indent=1) + "\n", encoding="utf-8")


def _card_of(item: pytest.Item) -> tuple[str, str, str, str] | None:
    """``(plug-in, kind, number, what it holds)`` of a test that is a card.

    Raises:
        UsageError: The card is not the kit's any more.
    """
    cls = getattr(item, "cls", None)
    if cls is None or not any(base.__module__ == "bloor.testing.cards.base" for base in cls.__mro__):
        return None
    from bloor.testing.cards.base import cards_of, check_untouched, number_of

    try:
        check_untouched(cls)
    except TypeError as error:
        raise pytest.UsageError(str(error)) from None
    number = number_of(getattr(item, "originalname", None) or item.name)
    found = [card for card in cards_of(cls) if card.number == number]
    return (cls.plugin, cls.kind, number, found[0].holds) if found else None


def _about(cards: Any) -> dict[str, Any]:
    """Where the plug-in of a card comes from, and what it has; nothing of one that cannot be loaded."""
    from bloor.errors import BloorError

    origin, has = "", {}
    try:
        installed = cards.host.load(cards.plugin).installed
        origin = f"{installed.distribution} {installed.version}, API {installed.api}"
        has = cards.capabilities()
    except (BloorError, pytest.fail.Exception, pytest.skip.Exception):
        pass  # every card of it says so
    return {"plugin": cards.plugin, "origin": origin, "capabilities": has}


def _outcome(report: pytest.TestReport) -> tuple[Outcome, str]:
    """What became of a card, and why in one line."""
    from bloor.testing.cards.base import NOT_APPLICABLE, WAIVED

    if report.passed:
        return Outcome.PASSED, ""
    if report.skipped:
        reason = report.longrepr[2] if isinstance(report.longrepr, tuple) else str(report.longrepr)
        reason = reason.removeprefix("Skipped: ")
        for outcome, begins in ((Outcome.WAIVED, WAIVED), (Outcome.NOT_APPLICABLE, NOT_APPLICABLE)):
            if reason.startswith(begins):
                return outcome, reason.removeprefix(begins)
        return Outcome.NOT_RUN, reason
    crash = getattr(report.longrepr, "reprcrash", None)
    text = crash.message if crash else str(report.longrepr)
    return Outcome.FAILED, " ".join(text.split("\n")[0].split())[:300]
