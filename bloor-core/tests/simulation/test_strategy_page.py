"""The strategy on the page about strategies does what the page says."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from bloor.strategy.api import Strategy
from bloor.testing.virtual import VirtualRun

PAGE = Path(__file__).resolve().parents[3] / "docs" / "how-to" / "write-a-strategy.md"


def test_the_strategy_on_the_page_trades() -> None:
    """It is bought after bars that rose, sold by the timer, and nothing raises."""
    [text] = re.findall(r"^```python\n(.*?)^```$", PAGE.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)
    names: dict[str, Any] = {"__name__": __name__}
    exec(compile(text, str(PAGE), "exec"), names)
    run = VirtualRun(strategies=[names["Breakout"]], seed=2)
    run.for_seconds(60)
    run.finish()
    assert run.alerts == []
    assert {fill.side for fill in run.fills} == {1, -1}
    assert len(run.fills) >= 4


def test_the_page_names_every_handler() -> None:
    """A handler that is added is told of, with its arguments."""
    text = PAGE.read_text(encoding="utf-8")
    handlers = [name for name in vars(Strategy) if name.startswith("on_")]
    assert len(handlers) == 9
    for name in handlers:
        code = getattr(Strategy, name).__code__
        assert f"`{name}({', '.join(code.co_varnames[1 : code.co_argcount])})`" in text
