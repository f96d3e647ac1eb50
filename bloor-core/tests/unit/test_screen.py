"""What a person sees at the end of a run."""

from __future__ import annotations

from typing import Any

from rich.console import Console

from bloor.cli.screen import summary_screen

ORDERS = {"sent": 4, "acked": 4, "filled": 3, "cancelled": 1, "rejected": 0, "denied": 2, "unknown": 0}
STAGE = {"p50": 1, "p99": 2, "p999": 3, "max": 4, "count": 5}


def document(*strategies: str) -> dict[str, Any]:
    """A summary of some strategies."""
    results = {
        "fills": 3, "volume_quote": "1234.5", "fees": "1.2", "pnl_net": "-7.25", "win_rate": 0.5, "round_trips": 2,
    }  # fmt: skip
    return {
        **results,
        "mode": "sim", "session": "session", "strategies": list(strategies), "instruments": ["binance:BTC-USDT"],
        "currency": "USDT", "frames": 10, "events": 10, "orders": ORDERS,
        "positions": [
            {"strategy": name, "venue": "binance", "symbol": "BTC-USDT", "qty": "0.1", "avg_price": None,
             "mark": "60000", "pnl_net": "-7.25"}
            for name in strategies
        ],
        "by_strategy": [{"strategy": name, "orders": ORDERS, **results} for name in strategies],
        "latency_ns": {"tick_to_decision": STAGE, "tick_to_wire": STAGE, "order_to_ack": STAGE}, "denials": {},
        "data_quality": {"gaps": 0, "resyncs": 0, "checksum_failures": 0, "stale_s": 0.0, "errors": 0, "crossed": 0},
        "duration_s": 1.0, "hash": "00", "decisions": 6, "halted": "", "notices": [], "versions": {}, "failure": "",
    }  # fmt: skip


def shown(**what: Any) -> str:
    """The screen as text."""
    console = Console(width=140)
    with console.capture() as captured:
        console.print(summary_screen(what))
    return captured.get()


def test_several_strategies_are_compared() -> None:
    """Each has a line with its orders, fills and money."""
    text = shown(**document("swing", "quick"))
    [line] = [line for line in text.splitlines() if line.strip("│ ").startswith("quick ") and "binance" not in line]
    for part in ("4", "2", "3", "1,234.5000", "1.2000", "-7.2500", "50% of 2"):
        assert part in line


def test_a_single_strategy_is_not_compared_with_itself() -> None:
    """Its results are the totals already."""
    assert "strategy " not in shown(**document("swing"))
