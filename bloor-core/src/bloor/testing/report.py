"""What the cards of a run said: by plug-in and kind, as a table and as a JSON document."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from enum import Enum
from typing import Any

from attrs import asdict, define, field

__all__ = ["CardResult", "Outcome", "Report"]


class Outcome(Enum):
    """What became of a card."""

    PASSED = "passed"
    FAILED = "failed"
    WAIVED = "waived"
    NOT_APPLICABLE = "does not apply"
    #: Skipped by something that is no waiver of the kit, or not run at all.
    NOT_RUN = "not run"


@define
class CardResult:
    """One card of one plug-in.

    Attributes:
        plugin: The plug-in's name.
        kind: The kind of the card.
        number: Its number.
        holds: What it holds.
        outcome: What became of it.
        reason: Why it is waived, does not apply, failed or was not run; one line.
    """

    plugin: str
    kind: str
    number: str
    holds: str
    outcome: Outcome
    reason: str = ""


@define
class Report:
    """The cards of a run.

    Attributes:
        results: ``(plugin, number)`` -> what became of the card. A card that ran several times counts as its worst.
        capabilities: Plug-in -> capability -> whether it has it, or a word about it.
        origins: Plug-in -> where it comes from.
    """

    results: dict[tuple[str, str], CardResult] = field(factory=dict)
    capabilities: dict[str, dict[str, bool | str]] = field(factory=dict)
    origins: dict[str, str] = field(factory=dict)

    def add(self, result: CardResult) -> None:
        """Takes a result."""
        key = result.plugin, result.number
        before = self.results.get(key)
        if before is None or _BADNESS[result.outcome] >= _BADNESS[before.outcome]:
            self.results[key] = result

    def tell(self, plugin: str, origin: str, capabilities: Mapping[str, bool | str]) -> None:
        """Takes what is known of a plug-in."""
        self.origins[plugin] = origin
        self.capabilities.setdefault(plugin, {}).update(capabilities)

    @property
    def plugins(self) -> list[str]:
        """The plug-ins of which a card ran, sorted."""
        return sorted({plugin for plugin, _ in self.results})

    def of(self, plugin: str, kind: str = "") -> list[CardResult]:
        """The results of one plug-in (and one kind), by number."""
        found = [r for r in self.results.values() if r.plugin == plugin and kind in ("", r.kind)]
        return sorted(found, key=lambda r: (r.kind, r.number))

    def document(self) -> dict[str, Any]:
        """The report as plain data: see the reference page on cards."""
        return {
            "plugins": [
                {
                    "plugin": plugin,
                    "origin": self.origins.get(plugin, ""),
                    "ok": all(r.outcome not in (Outcome.FAILED, Outcome.NOT_RUN) for r in self.of(plugin)),
                    "capabilities": self.capabilities.get(plugin, {}),
                    "cards": [asdict(r) | {"outcome": r.outcome.value} for r in self.of(plugin)],
                }
                for plugin in self.plugins
            ]
        }

    def lines(self, *, every: bool = False) -> Iterator[str]:
        """The report as a table of text.

        Args:
            every: Whether each card has a line of its own; otherwise those that passed share one.
        """
        for plugin in self.plugins:
            yield f"{plugin}  {self.origins.get(plugin, '')}".rstrip()
            for kind in dict.fromkeys(r.kind for r in self.of(plugin)):
                yield from _of_kind(kind, self.of(plugin, kind), every)
            if has := self.capabilities.get(plugin):
                yield f"  {'capabilities':<16} {', '.join(_said(name, value) for name, value in has.items())}"


#: The worse outcome of a card that ran more than once is kept.
_BADNESS = {
    Outcome.NOT_RUN: 0,
    Outcome.PASSED: 1,
    Outcome.NOT_APPLICABLE: 1,
    Outcome.WAIVED: 1,
    Outcome.FAILED: 2,
}


#: Cards of these outcomes share a line when they have the same reason.
_TOGETHER = (Outcome.PASSED, Outcome.NOT_APPLICABLE, Outcome.NOT_RUN)


def _of_kind(kind: str, results: Sequence[CardResult], every: bool) -> Iterator[str]:
    counts = {outcome: sum(r.outcome is outcome for r in results) for outcome in Outcome}
    said = ", ".join(f"{count} {outcome.value}" for outcome, count in counts.items() if count)
    yield f"  {kind:<16} {len(results)} cards: {said}"
    grouped: dict[tuple[Outcome, str], list[str]] = {}
    for result in results if not every else ():
        if result.outcome in _TOGETHER:
            grouped.setdefault((result.outcome, result.reason), []).append(result.number)
    for (outcome, reason), numbers in grouped.items():
        yield f"    {outcome.value:<16} {_ranges(numbers)}{': ' if reason else ''}{reason}"
    for result in results:
        if every or result.outcome not in _TOGETHER:
            reason = f": {result.reason}" if result.reason else ""
            yield f"    {result.outcome.value:<16} {result.number} {result.holds}{reason}"


def _ranges(numbers: Sequence[str]) -> str:
    """``F01-F04 F07`` of numbers that are sorted."""
    runs: list[list[str]] = []
    for number in numbers:
        if runs and int(number[1:]) == int(runs[-1][-1][1:]) + 1:
            runs[-1].append(number)
        else:
            runs.append([number])
    return " ".join(run[0] if len(run) == 1 else f"{run[0]}-{run[-1]}" for run in runs)


def _said(name: str, value: bool | str) -> str:
    if isinstance(value, str):
        return f"{name}: {value}"
    return name if value else f"no {name}"
