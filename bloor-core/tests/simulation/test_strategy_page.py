"""The strategies on the page about strategies do what the page says."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from bloor.strategy.api import Strategy
from bloor.strategy.compiled.handlers import compile_handlers
from bloor.strategy.memory import Handler
from bloor.testing.virtual import VirtualRun

PAGE = Path(__file__).resolve().parents[3] / "docs" / "how-to" / "write-a-strategy.md"


def strategy(name: str) -> Any:
    """A class of the page."""
    texts = re.findall(r"^```python\n(.*?)^```$", PAGE.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)
    names: dict[str, Any] = {"__name__": __name__}
    for text in texts:
        exec(compile(text, str(PAGE), "exec", dont_inherit=True), names)
    return names[name]


def test_the_state_on_the_page_is_kept() -> None:
    """A window is filled, the depth is asked, and orders come of both; the same compiled."""
    run = VirtualRun(strategies=[strategy("Stretch")], sets=["strategy.stretch.far=0"], seed=2)
    run.for_seconds(60)
    run.finish()
    assert run.alerts == []
    assert {fill.side for fill in run.fills} == {1}
    assert Handler.TRADE in compile_handlers(strategy("Stretch")).handlers


def test_the_strategy_on_the_page_trades() -> None:
    """It is bought after bars that rose, sold by the timer, and nothing raises."""
    run = VirtualRun(strategies=[strategy("Breakout")], seed=2)
    run.for_seconds(60)
    run.finish()
    assert run.alerts == []
    assert {fill.side for fill in run.fills} == {1, -1}
    assert len(run.fills) >= 4


def test_the_strategy_of_two_legs_on_the_page_trades_in_the_second() -> None:
    """What the first one does is bought and sold in the second, and it compiles as it stands."""
    run = VirtualRun(strategies=[strategy("Echo")], symbols=["BTC-USDT", "ETH-USDT"], seed=2)
    run.for_seconds(60)
    run.finish()
    assert run.alerts == []
    assert {fill.instrument.symbol for fill in run.fills} == {"ETH-USDT"}
    assert {fill.side for fill in run.fills} == {1, -1}
    assert compile_handlers(strategy("Echo")).handlers == {Handler.TIMER}


def test_the_page_names_every_handler() -> None:
    """A handler that is added is told of, with its arguments."""
    text = PAGE.read_text(encoding="utf-8")
    handlers = [name for name in vars(Strategy) if name.startswith("on_")]
    assert len(handlers) == 9
    for name in handlers:
        code = getattr(Strategy, name).__code__
        assert f"`{name}({', '.join(code.co_varnames[1 : code.co_argcount])})`" in text
